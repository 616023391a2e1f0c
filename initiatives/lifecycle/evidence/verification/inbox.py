"""Second looks in the inbox of the people who may take them."""

from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look"):
    """Yield tasks on second looks for seats that may verify. They hide the first verdict."""
    for row in look.rows("second_looks"):
        initiative = row.evidence.initiative
        held = look.seats_by_unit[initiative.unit_id]
        asking = look.rulebook.at_tier(initiative.tier).seats_asking(row.requirement) if look.rulebook else ()
        seat = next((one for one in asking if one in held), "")
        barred = look.person.pk in (row.evidence.author_id, *row.verifiers)
        if not seat or barred or initiative.pk in look.team_initiatives:
            continue
        yield InboxTask(
            "verify",
            row.evidence.title,
            reverse("evidence-verify", args=[initiative.ref, row.evidence_id, row.requirement]),
            phrase("Open and verify"),
            phrase(
                "{}: the item was drawn for a second verification. Decide whether the item shows the answer.",
                initiative.title,
            ),
            initiative.ref,
            on_behalf=look.holder_on(initiative, seat),
            since=clock.local_day(row.drawn_at),
        )
