"""Reminders of shorter times and bulk readings that wait for consent or end soon."""

from datetime import datetime, timedelta

from governance import clock
from governance.models import User
from governance.notifications.due import before
from governance.vocabulary import CLOSED_STAGES, Seat
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import BodyTerm, BulkReading
from initiatives.models.interactions.selections import DONE

KIND = "shorter time"
ANSWERED_IN = 7  # days in which a request to read in bulk is answered
BULK = "reading in bulk"
VERBS = {KIND: "Open the shorter time", BULK: "Answer the request to read a selection"}


def body_terms(moment: datetime):
    """Yield reminders of unsigned requests, and of terms that end in 14 or 3 days.

    Risk seats and auditors get the first, once. Requesters and those in charge get the second.
    """
    today = clock.local_day(moment)
    rows = list(
        BodyTerm.objects.filter(
            refused_at__isnull=True, until__gte=today, initiative__withdrawn_at__isnull=True
        )
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("requested_by", "initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    auditors = list(User.objects.active().filter(is_auditor=True).order_by("pk")) if rows else []
    for row in rows:
        initiative = row.initiative
        ends = f"{row.until:%-d %B %Y}"
        if row.granted_at is None:
            wanted = circle.holders(initiative, Seat.RISK_COMPLIANCE) if row.risk_id is None else []
            if row.auditor_id is None:
                wanted = [*wanted, *(one for one in auditors if not circle.team_member(initiative, one))]
            yield from told(
                [one for one in wanted if one.pk not in (row.risk_id, row.auditor_id, row.requested_by_id)],
                "asked",
                about(
                    initiative,
                    KIND,
                    f"body-term:{row.pk}",
                    "two people must sign a shorter time for keeping the texts of interactions",
                    text=f"{row.days} days, until {ends}. {row.reason}",
                    link=row.get_absolute_url(),
                    due_on=row.until,
                ),
            )
        elif row.until <= today + timedelta(days=14):
            yield from told(
                [row.requested_by, *circle.in_charge(initiative)],
                before(row.until, today, (14, 3)),
                about(
                    initiative,
                    KIND,
                    f"body-term:{row.pk}:end",
                    f"the shorter time for keeping the texts of interactions ends on {ends}",
                    text="After that day, texts are kept for 730 days again, unless two people sign "
                    "another shorter time.",
                    link=row.get_absolute_url(),
                    due_on=row.until,
                ),
            )


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
