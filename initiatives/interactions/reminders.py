"""Reminders of bulk readings that wait for consent."""

from datetime import datetime, timedelta

from governance import clock
from governance.models import User
from governance.vocabulary import Seat
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import BulkReading
from initiatives.models.interactions.selections import DONE

ANSWERED_IN = 7  # days in which a request to read in bulk is answered
BULK = "reading in bulk"
VERBS = {BULK: "Answer the request to read a selection"}


def bulk_readings(moment: datetime):
    """Yield unanswered requests for bulk readings, once, to risk seats and auditors."""
    rows = list(
        BulkReading.objects.unanswered()
        .filter(selection__state=DONE, initiative__withdrawn_at__isnull=True)
        .select_related("requested_by", "initiative__unit", "selection")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    auditors = list(User.objects.active().filter(is_auditor=True).order_by("pk")) if rows else []
    for row in rows:
        initiative = row.initiative
        wanted = {one.pk: one for one in (*circle.holders(initiative, Seat.RISK_COMPLIANCE), *auditors)}
        yield from told(
            [
                one
                for one in wanted.values()
                if one.pk != row.requested_by_id and not circle.team_member(initiative, one)
            ],
            "asked",
            about(
                initiative,
                BULK,
                f"bulk-reading:{row.pk}",
                f"{row.requested_by} asks to read {row.selection.found:,} interactions at once",
                text=row.reason,
                link=row.get_absolute_url(),
                due_on=clock.local_day(row.requested_at) + timedelta(days=ANSWERED_IN),
            ),
        )
