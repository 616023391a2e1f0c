"""Reminders of stages that end, and of dependences to state."""

from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import Greatest
from django.urls import reverse

from governance import clock
from governance.models import Rulebook
from governance.notifications.due import before, late, since
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import CLOSED_STAGES, HoldKind, Stage
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.reminders.recipients import BOARD_AFTER, Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Continuation, Dependant, Initiative

WARN = (30, 14, 3, 0)


def trials(moment: datetime):
    """Yield prototypes and MVPs that end, to owner and chair.

    They come 30, 14 and 3 days before, on the day and after it.
    """
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
                f"stage-end:{initiative.pk}:{due.isoformat()}",
                f"this {word} {'was to end' if overdue else 'ends'} on {due:%-d %B %Y}: continue or stop?",
                text=(
                    "Chair: decide whether to continue, with a reason and an end date. Owner: you can stop "
                    "the initiative, or ask for a review."
                )
                + (
                    " Every page of the initiative shows that its end has passed until the chair decides."
                    if overdue
                    else ""
                ),
                link=initiative.get_absolute_url(),
                due_on=due,
            ),
            circle.escalated(initiative, due, today),
        )


def dependences(moment: datetime):
    """Yield dependences to state, to the executive at once, after 3 and 7 days. Later who named them gets it."""
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
                text=(
                    f"{row.stated_by} recorded that {row.who} can work for at most {row.outage} without "
                    "the initiative, and named you to confirm it. The dependence counts after you have "
                    "confirmed it. You can also decline."
                ),
                link=reverse("dependant", args=[row.pk]),
                outside=True,
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
                text=(
                    f"{row.executive} has been asked since {start:%-d %B %Y} whether {row.who} depends on "
                    "it. Speak to this person, or close the dependence and name someone else."
                ),
                link=reverse("deployments", args=[initiative.ref]),
            ),
        )


def reattestations(moment: datetime):
    """Yield production to accept again, to owner and support owner.

    They come 30, 14 and 3 days before, on the day and after it.
    """
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
                f"{HoldKind.REATTESTATION}:{initiative.pk}:{due.isoformat()}",
                f"production {'had' if overdue else 'has'} to be confirmed again by {due:%-d %B %Y}",
                text="The owner and the support owner accept their roles again. Then the chair confirms production."
                + (" After that day, the initiative is held at MVP." if overdue else ""),
                link=reverse("initiative-act", args=[initiative.ref, "confirm-production"]),
                due_on=due,
                personal=True,
            ),
            circle.escalated(initiative, due, today),
        )
