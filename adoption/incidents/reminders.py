"""What is due about signals, incidents, clocks and what users reported. Queries only."""

from datetime import datetime

from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.incidents.permissions import TREATING
from adoption.models import Deadline, Incident, ProblemReport, Signal
from adoption.models.signals import WEAPONISED
from governance import clock
from governance.notices.due import before, late, since
from initiatives.reminders.recipients import Circle, told
from initiatives.reminders.wording import about


def signals(moment: datetime):
    """Weaponised signals without the board's word after 3 and 7 days: to chair and adoption seat; escalated."""
    today = clock.local_day(moment)
    rows = list(
        Signal.objects.standing()
        .filter(kind=WEAPONISED, answered_at__isnull=True)
        .select_related("initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        case, start = row.initiative, row.reported_on
        yield from told(
            [circle.chair(case), *circle.holders(case, SEAT)],
            since(start, today, (3, 7)),
            about(
                case,
                "signal",
                f"signal:{row.pk}",
                f"it is used against people; unanswered since {start:%-d %B %Y}",
                text=f"{row.group}. The chair or the adoption seat answers, with what is done. Until then the test of "
                "adoption fails.",
                link=reverse("signal", args=[row.pk]),
            ),
            circle.escalated(case, start, today),
        )


def problems(moment: datetime):
    """What users reported and nobody treated after 3 and 7 days: to owner, deputy, support owner; escalated."""
    today = clock.local_day(moment)
    rows = list(
        ProblemReport.objects.filter(state="waiting").select_related("initiative__unit").order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        case, start = row.initiative, row.reported_on
        there = [circle.role(case, role) for role in TREATING]
        yield from told(
            there if any(there) else circle.in_charge(case),
            since(start, today, (3, 7)),
            about(
                case,
                "problem",
                f"problem:{row.pk}",
                f"what a user reported on {start:%-d %B %Y} waits",
                text=f"{row.what[:300]} Make a behaviour report or an incident of it, or answer it.",
                link=reverse("problem", args=[row.pk]),
            ),
            circle.escalated(case, start, today),
        )


def incidents(moment: datetime):
    """Incidents that are not closed after 1, 3 and 7 days: to who leads it and owner and support owner; escalated."""
    today = clock.local_day(moment)
    rows = list(Incident.objects.unfinished().select_related("initiative__unit", "lead").order_by("pk"))
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        case, start = row.initiative, clock.local_day(row.opened_at)
        yield from told(
            [row.lead, *circle.in_charge(case), circle.role(case, "support_owner")],
            since(start, today, (1, 3, 7)),
            about(
                case,
                "incident",
                f"incident:{row.pk}",
                f"an incident of {start:%-d %B %Y} is {row.state}",
                text=f"{row.title}. Say how it stands, or close it.",
                link=reverse("incident", args=[row.pk]),
            ),
            circle.escalated(case, start, today),
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
        case = row.incident.initiative
        when = f"was to be reported by {row.due:%-d %B %Y}" if row.due < today else f"by {row.due:%-d %B %Y}"
        yield from told(
            [*circle.in_charge(case), row.incident.lead, row.incident.speaker],
            before(row.due, today, (7, 3, 1, 0)) or late(row.due, today, weekly=True),
            about(
                case,
                "reporting clock",
                f"deadline:{row.pk}",
                f"{row.words}: {when}",
                text=f"{row.incident.title}. Source: {row.source}. A template, no legal advice. Say on its page what "
                "was reported to whom.",
                link=reverse("deadline", args=[row.pk]),
                due_on=row.due,
            ),
            circle.escalated(case, row.due, today),
        )


QUERIES = [signals, problems, incidents, deadlines]
# What each kind of notice asks for, as the words of the button in the mail.
VERBS = {
    "incident": "Open the incident",
    "incident upstream": "See what is known",
    "problem": "Read and treat it",
    "reporting clock": "Say that it was reported",
    "signal": "Answer for the board",
}
