"""Tasks of the inbox on roles that wait to be accepted."""

from datetime import datetime

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary import Role
from initiatives.inbox.rows.person_rows import Look

NAMED = 3  # initiatives that one task names


def to_accept(look: Look):
    """Roles proposed to the person: several on one page; those of a handover are answered together with it."""
    rows = [
        row
        for row in look.roles
        if row.accepted_at is None and row.person_id == look.person.pk and row.handover_id is None
    ]
    together = [row for row in rows if not row.initiative.closed]
    if len(together) > 1:
        yield InboxTask(
            "accept",
            f"{len(together)} roles to accept",
            reverse("roles-to-accept"),
            "Read and answer",
            f"{_named([row.initiative.title for row in together])}. Nobody can accept these for you.",
            when=_open_for(look, min(row.proposed_at for row in together)),
        )
    for row in rows:
        if row not in together or len(together) == 1:
            yield InboxTask(
                "accept",
                Role(row.role).label,
                reverse("role", args=[row.pk]),
                "Read and answer",
                f"{row.initiative.title}. Proposed by {row.proposed_by}. Nobody can accept this for you.",
                row.initiative.ref,
                when=_open_for(look, row.proposed_at),
            )


def _open_for(look: Look, since: datetime) -> str:
    waits = (look.today - clock.local_day(since)).days
    return "since today" if waits <= 0 else f"open for {waits} day{'' if waits == 1 else 's'}"


def _named(titles: list[str]) -> str:
    """The first few of these, and how many more there are."""
    named, more = titles[:NAMED], len(titles) - NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
