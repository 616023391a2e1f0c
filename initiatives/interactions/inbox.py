"""Inbox tasks of bulk readings that wait for a consent."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary import Seat
from governance.vocabulary.phrases import phrase
from initiatives.interactions.selections.bulk_readings import BULK_READINGS
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models.interactions.selections import DONE

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the requests that the person can agree to now."""
    if not (look.person.is_auditor or look.units_with([Seat.RISK_COMPLIANCE])):
        return
    rows: Any = BULK_READINGS.rows()
    waiting = list(
        rows.filter(selection__state=DONE, initiative__withdrawn_at__isnull=True).unanswered().order_by("pk")
    )
    initiative_rows.read_together([row.initiative for row in waiting])
    for row in waiting:
        if BULK_READINGS.part_of(row, row.initiative, look.person)[0] is None:
            continue
        yield InboxTask(
            "agree",
            phrase("{} for {}", BULK_READINGS.one.capitalize(), row.initiative.title),
            row.get_absolute_url(),
            phrase("Read and answer"),
            phrase("{} asks: {}", row.requested_by, row.reason),
            row.initiative.ref,
            since=clock.local_day(row.requested_at),
            about=(f"{BULK_READINGS.slug}:{row.pk}",),
        )
