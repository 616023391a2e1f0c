"""The reminder that monitoring is silent. Queries only."""

from datetime import datetime

from django.urls import reverse

from adoption.models import MonitoringPromise
from adoption.monitoring.findings import days_heard, days_in_words, rhythm_of
from governance import clock
from governance.notifications.due import late
from governance.vocabulary import RUNNING_STAGES
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about


def silent(moment: datetime):
    """Yield silent monitoring once a week, for the owner and the technical lead."""
    today = clock.local_day(moment)
    promises = MonitoringPromise.objects.filter(
        ended_at__isnull=True, initiative__withdrawn_at__isnull=True, initiative__stage__in=RUNNING_STAGES
    )
    rows = list(promises.select_related("initiative__unit").order_by("pk"))
    heard = days_heard([row.initiative_id for row in rows])
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative, rhythm = row.initiative, rhythm_of(heard.get(row.initiative_id, []), row.every_days)
        if rhythm is None or rhythm.silent_from > moment:
            continue
        yield from told(
            [*circle.in_charge(initiative), circle.role(initiative, "technical_lead")],
            late(clock.local_day(rhythm.silent_from), today, weekly=True) or "late0",
            about(
                initiative,
                "monitoring silent",
                f"monitoring silent:{row.pk}:{rhythm.last}",
                f"no data from its monitoring since {rhythm.last:%-d %B %Y}",
                text=f"Data was expected at least every {days_in_words(row.every_days)}. Monitoring "
                "evidence counts as unknown until new data arrives.",
                link=reverse("monitoring", args=[initiative.ref]),
            ),
        )
