"""Stages that end: production to be accepted again, trials to continue or stop; and dependences to be stated."""

from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import Greatest
from django.urls import reverse

from governance import clock
from governance.models import Rulebook
from governance.notifications.due import before, late, since
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import CLOSED_STAGES, Stage
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.reminders.recipients import BOARD_AFTER, Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Continuation, Dependant, Initiative

WARN = (30, 14, 3, 0)


def trials(moment: datetime):
    """Prototypes and MVPs that end: to the owner and the chair 30, 14, 3 days before, on the day and after it."""
    today, rules = clock.local_day(moment), [one.parsed.stages for one in Rulebook.objects.kept_versions()]
    old = Q(pk__in=[])
    for stage in ("prototype", "mvp"):
        ages = [one[stage].max_days_before_review for one in rules]
        most = min([days for days in ages if days is not None], default=None)
        if most is not None:
            old |= Q(stage=stage, since__lt=clock.midnight_after(today - timedelta(days=most - max(WARN))))
    going_on = Continuation.objects.filter(initiative=OuterRef("pk"), at__gte=OuterRef("since"))
    initiatives = list(
        Initiative.objects.live()
        .annotate(continued=ArraySubquery(going_on.order_by().values("until")))
        .filter(old)
        .exclude(basis="import")
        .select_related("unit")
        .order_by("pk")
    )
    circle = Circle(initiatives)
    for initiative in initiatives:
        due = supported_stage.review_by(initiative, initiative.continued)
        if due is None:
            continue
        overdue, word = due < today, stage_word(initiative.stage)
        yield from told(
            [*circle.in_charge(initiative), circle.chair(initiative)],
            before(due, today, WARN) or late(due, today),
            about(
                initiative,
                "continue or stop",
                f"initiative:{initiative.pk}:{due.isoformat()}",
                f"this {word} {'was to end' if overdue else 'ends'} on {due:%-d %B %Y}: continue or stop?",
                text="The chair says whether it goes on, why, and until which day; the owner can stop it at once, or "
                "ask for a decision on the next gate."
                + (
                    " Until somebody decides, every page of it says that it is past its end."
                    if overdue
                    else ""
                ),
                link=initiative.get_absolute_url(),
                due_on=due,
            ),
            circle.escalated(initiative, due, today),
        )


def dependences(moment: datetime):
    """Dependences to be stated: to the executive at once, after 3 and 7 days; then to whoever named them."""
    today = clock.local_day(moment)
    rows = (
        Dependant.objects.waiting()
        .filter(executive__is_active=True, initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("initiative__unit", "executive", "stated_by")
        .order_by("pk")
    )
    for row in rows:
        initiative, start = row.initiative, clock.local_day(row.stated_at)
        yield from told(
            [row.executive],
            since(start, today, (0, 3, 7)),
            about(
                initiative,
                "dependence",
                f"dependant:{row.pk}",
                f"does {row.who} depend on it?",
                text=f"{row.stated_by} wrote down that {row.who} can bear {row.outage} without it, and named you to "
                "state it. It counts only once you do; you can say that it is not so.",
                link=reverse("dependant", args=[row.pk]),
            ),
        )
        yield from told(
            [row.stated_by],
            since(start, today, (BOARD_AFTER,)),
            about(
                initiative,
                "dependence unanswered",
                f"dependant:{row.pk}",
                f"{row.executive} has not answered for two weeks",
                text=f"{row.executive} has been asked since {start:%-d %B %Y} whether {row.who} depends on it. "
                "Speak to them, or end it and name somebody else.",
                link=reverse("deployments", args=[initiative.ref]),
            ),
        )


def reattestations(moment: datetime):
    """Production to be accepted again: to owner and support owner 30, 14, 3 days before, on the day and after it."""
    today, warn = clock.local_day(moment), (30, 14, 3, 0)
    rules = [one.parsed.stages["production"] for one in Rulebook.objects.kept_versions()]
    both = [days for rule in rules for days in (rule.reattest_days, rule.reattest_days_high)]
    shortest = min([days for days in both if days is not None], default=0)
    near = moment - timedelta(days=shortest - max(warn))
    initiatives = list(
        Initiative.objects.live()
        .filter(stage=Stage.PRODUCTION)
        .exclude(basis="import")
        .annotate(accepted=Greatest("since", "reattested_at"))
        .filter(accepted__lte=near)
        .select_related("unit")
        .order_by("pk")
    )
    circle = Circle(initiatives)
    for initiative in initiatives:
        due = supported_stage.reattest_by(initiative)
        overdue = due < today
        yield from told(
            [*circle.in_charge(initiative), circle.role(initiative, "support_owner")],
            before(due, today, warn) or late(due, today),
            about(
                initiative,
                "reattest",
                f"initiative:{initiative.pk}:{due.isoformat()}",
                f"production {'had' if overdue else 'has'} to be accepted again by {due:%-d %B %Y}",
                text="Owner and support owner accept again, then the chair confirms."
                + (" Until then it is held at MVP." if overdue else ""),
                link=reverse("initiative-reattest", args=[initiative.ref]),
                due_on=due,
                personal=True,
            ),
            circle.escalated(initiative, due, today),
        )
