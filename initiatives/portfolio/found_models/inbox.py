"""Found models in the inbox of the chair, then of the people who record them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.http import urlencode

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary import Layer
from governance.vocabulary.model_names import keys_of
from governance.vocabulary.phrases import phrase

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the found models that the person answers, or records in their initiative."""
    for row in sorted(look.rows("found_models"), key=lambda row: row.pk):
        if look.chairs_now(row.unit_id):
            yield InboxTask(
                "decide",
                phrase("A model that no initiative declares: {}", row),
                row.get_absolute_url(),
                phrase("Read and answer"),
                phrase(
                    "This model was found in a log, a sample or an import. Choose the initiative that "
                    "uses the model, or register an idea."
                ),
                since=clock.local_day(row.found_at),
            )
    for row in sorted(look.rows("models_to_record"), key=lambda row: row.pk):
        if any(row.key in keys_of(one["name"], one["version"]) for one in row.recorded):
            continue
        initiative = look.working[row.initiative_id][0]
        said = urlencode({"layer": Layer.MODEL, "name": row.name})
        yield InboxTask(
            "answer",
            phrase("Record {} as a component of {}", row, initiative.title),
            f"{reverse('initiative-act', args=[initiative.ref, 'record-version'])}?{said}",
            phrase("Record the version"),
            phrase(
                "The chair assigned this model to the initiative, but no recorded component has its name."
            ),
            initiative.ref,
            on_behalf=look.standing_in_on.get(initiative.pk, ""),
            since=clock.local_day(row.answered_at),
        )
