"""What is due about the monitoring: that it fell silent. Queries only."""

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
    """Monitoring that was heard of and is silent for longer than promised, once a week: to owner and technical lead."""
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
                f"its monitoring has been silent since {rhythm.last:%-d %B %Y}",
                text=f"It was promised at least every {days_in_words(row.every_days)}. Until it is heard of again, "
                "what it says of this initiative is unknown.",
                link=reverse("monitoring", args=[initiative.ref]),
            ),
        )
