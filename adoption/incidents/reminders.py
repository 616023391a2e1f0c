"""What is due about incidents and reporting clocks. Queries only."""

from datetime import datetime

from django.urls import reverse

from adoption.models import Deadline, Incident
from governance import clock
from governance.notifications.due import before, late, since
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about


def incidents(moment: datetime):
    """Incidents that are not closed after 1, 3 and 7 days: to who leads it and owner and support owner; escalated."""
    today = clock.local_day(moment)
    rows = list(Incident.objects.unfinished().select_related("initiative__unit", "lead").order_by("pk"))
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative, start = row.initiative, clock.local_day(row.opened_at)
        yield from told(
            [row.lead, *circle.in_charge(initiative), circle.role(initiative, "support_owner")],
            since(start, today, (1, 3, 7)),
            about(
                initiative,
                "incident",
                f"incident:{row.pk}",
                f"an incident of {start:%-d %B %Y} is {row.state}",
                text=f"{row.title}. Say how it stands, or close it.",
                link=reverse("incident", args=[row.pk]),
            ),
            circle.escalated(initiative, start, today),
        )


def deadlines(moment: datetime):
    """Running reporting clocks: 7, 3, 1 days before their day, on it, and weekly after it; escalated."""
    today = clock.local_day(moment)
    rows = list(
        Deadline.objects.filter(met_at__isnull=True)
        .select_related("incident__initiative__unit", "incident__lead", "incident__speaker")
        .order_by("pk")
    )
    circle = Circle(row.incident.initiative for row in rows)
    for row in rows:
        initiative = row.incident.initiative
        when = f"was to be reported by {row.due:%-d %B %Y}" if row.due < today else f"by {row.due:%-d %B %Y}"
        yield from told(
            [*circle.in_charge(initiative), row.incident.lead, row.incident.speaker],
            before(row.due, today, (7, 3, 1, 0)) or late(row.due, today, weekly=True),
            about(
                initiative,
                "reporting clock",
                f"deadline:{row.pk}",
                f"{row.words}: {when}",
                text=f"{row.incident.title}. Source: {row.source}. A template, no legal advice. Say on its page what "
                "was reported to whom.",
                link=reverse("row-act", args=["deadlines", row.pk, "meet"]),
                due_on=row.due,
            ),
            circle.escalated(initiative, row.due, today),
        )
