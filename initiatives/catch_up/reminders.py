"""Waves of catch-up plans: to the accepted owner before their day and after it, while something of them is missing."""

from datetime import timedelta

from django.urls import reverse

from governance import clock
from governance.notices.due import before, late
from initiatives.catch_up import queries
from initiatives.models import CatchUpPlan, Initiative
from initiatives.reminders.recipients import Circle, told
from initiatives.reminders.wording import about


def waves(moment):
    """Waves due in 14 or 3 days, today, or past their day and not met: to the owner; without one, to nobody.

    What was agreed to and is overdue is put to the chair a week later, and to the board after two.
    """
    today = clock.local_day(moment)
    near = CatchUpPlan.objects.current().filter(waves__due__lte=today + timedelta(days=14))
    cases = list(
        queries.claiming(Initiative.objects.filter(pk__in=near.values("initiative")))
        .select_related("unit")
        .order_by("pk")
    )
    circle = Circle(cases)
    owned = [case for case in cases if circle.owner(case) is not None]
    for one in queries.progress_of(owned, shown=True):
        for wave in one.waves:
            if wave.done or one.plan is None:
                continue
            overdue = wave.due < today
            when = f"{'was' if overdue else 'is'} due on {wave.due:%-d %B %Y}"
            agreed = one.state == "agreed"
            dates = "agreed to by the board" if agreed else "dated, and not agreed to by the board"
            yield from told(
                [circle.owner(one.case)],
                before(wave.due, today) or late(wave.due, today),
                about(
                    one.case,
                    "catch-up wave",
                    f"catch-up:{one.plan.pk}:{wave.number}",
                    f"wave {wave.number} of its catch-up plan {when}",
                    text=f"{wave.name}: {wave.met} of {len(wave.keys)} met. The days are {dates}.",
                    link=reverse("case-catch-up", args=[one.case.ref]),
                    due_on=wave.due,
                ),
                circle.escalated(one.case, wave.due, today) if agreed else ("", []),
            )
