"""Inbox tasks: drafts of programs, until their person has saved or discarded them."""

from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look"):
    """Yield the requirements for which programs of the person drafted an answer or evidence."""
    for row in look.rows("program_drafts"):
        asked = look.rulebook.requirements.get(row.requirement) if look.rulebook else None
        if asked is not None:
            yield InboxTask(
                "answer",
                asked.question,
                reverse("requirement", args=[row.initiative.ref, row.requirement]),
                phrase("Check the draft"),
                phrase(
                    "{}: your program “{}” drafted this. Save or discard the draft.",
                    row.initiative.title,
                    row.token.name,
                ),
                row.initiative.ref,
                since=clock.local_day(row.at),
            )
