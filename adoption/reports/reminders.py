"""What is due about reports: those that nobody judged. Queries only."""

from datetime import datetime

from adoption.reports.report_kinds import KINDS, Kind
from governance import clock
from governance.notifications.due import since
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about


def reports(moment: datetime):
    """Reports that wait after the days of their kind: to those who judge them; escalated."""
    for kind in KINDS.values():
        yield from _of_kind(kind, moment)


def _of_kind(kind: Kind, moment: datetime):
    today = clock.local_day(moment)
    rows = list(kind.model.objects.waiting().select_related("initiative__unit").order_by("pk"))
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative, start = row.initiative, row.reported_on
        yield from told(
            kind.reminded(circle, initiative),
            since(start, today, kind.days),
            about(
                initiative,
                "report",
                row.place,
                f"a {row.noun} of {start:%-d %B %Y} waits",
                text=f"{kind.news}. {row.summary[:300]} {kind.asks}",
                link=row.get_absolute_url(),
            ),
            circle.escalated(initiative, start, today),
        )
