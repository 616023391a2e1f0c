"""Drills that are to be tried again."""

from datetime import datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.notifications.due import before, late
from governance.vocabulary import RUNNING_STAGES
from initiatives.integration.resilience.drill_findings import current_drills, tried
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Drill, Initiative


def drills(moment: datetime):
    """Drills due again: to owner and technical lead, 14 and 3 days before their day, on it, once after; escalated."""
    today = clock.local_day(moment)
    due = Drill.objects.current().filter(next_due__lte=today + timedelta(days=14))
    initiatives = {
        initiative.pk: initiative
        for initiative in Initiative.objects.live()
        .filter(pk__in=due.values("initiative"), stage__in=RUNNING_STAGES)
        .select_related("unit")
        .order_by("pk")
    }
    circle = Circle(initiatives.values())
    for (key, link, kind), those in sorted(
        tried(current_drills(initiatives)).items(),
        key=lambda found: (found[0][0], found[0][1] or 0, found[0][2]),
    ):
        initiative, day = initiatives[key], those.next_due
        if day is None:
            continue
        of = f" on {those.newest.link.system}" if link else ""
        name = f"the {those.newest.get_kind_display().lower()} drill{of}"
        when = f"{'was' if day < today else 'is'} due again by {day:%-d %B %Y}"
        yield from told(
            [*circle.in_charge(initiative), circle.role(initiative, "technical_lead")],
            before(day, today) or late(day, today),
            about(
                initiative,
                "drill",
                f"drill:{initiative.pk}:{link or 0}:{kind}:{day.isoformat()}",
                f"{name} {when}",
                text="Plant the fault again, see what happens, and record it with its trace."
                + (" Until then its record does not count." if day < today else ""),
                link=reverse("integration-drills", args=[initiative.ref]),
                due_on=day,
            ),
            circle.escalated(initiative, day, today),
        )
