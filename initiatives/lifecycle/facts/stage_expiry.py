"""Stages that end: prototypes and MVPs that await *continue or stop*, production to be accepted again.

See docs/domain.md.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from governance import clock
from governance.rulebook import ParsedRulebook
from governance.vocabulary import Stage, Tier
from initiatives.models import Continuation

_NEVER = datetime.min.replace(tzinfo=UTC)


def moments(rulebook: ParsedRulebook) -> dict[str, datetime | date]:
    """What `soon` compares with today, by name.

    A stage that began before its moment ends within the longest warning of the rulebook, or has ended; `near` is the
    last day of that warning.
    """
    near = clock.today() + timedelta(days=max(rulebook.freshness.warn_days_before))
    rule = rulebook.stages[Stage.PRODUCTION]
    lasting = {
        "prototype_before": rulebook.stages[Stage.PROTOTYPE].max_days_before_review,
        "mvp_before": rulebook.stages[Stage.MVP].max_days_before_review,
        "high_before": rule.reattest_days_high,
        "production_before": rule.reattest_days,
    }
    return {"near": near} | {
        name: clock.midnight_after(near - timedelta(days=days)) if days is not None else _NEVER
        for name, days in lasting.items()
    }


def soon(initiatives: QuerySet, moment: Callable) -> QuerySet:
    """Those of the initiatives whose stage ends soon, or has ended; imported stages have no obligations.

    `moment` gives one of `moments` by its name, or what stands for it in a requirement.
    """
    due = Q(stage=Stage.PROTOTYPE, since__lt=moment("prototype_before"))
    due |= Q(stage=Stage.MVP, since__lt=moment("mvp_before"))
    # Nothing is accepted again before its stage begins; saying so lets an index by age find the few.
    for name, tier in (("high_before", Q(tier=Tier.HIGH)), ("production_before", ~Q(tier=Tier.HIGH))):
        due |= Q(tier, stage=Stage.PRODUCTION, since__lt=moment(name), accepted__lt=moment(name))
    return (
        initiatives.alias(accepted=Greatest("since", "reattested_at"))
        .filter(due, ~Exists(going_on().filter(until__gt=moment("near"))), withdrawn_at__isnull=True)
        .exclude(basis="import")
    )


def going_on() -> QuerySet:
    """By initiative, the ends that the chair set since its stage began."""
    return Continuation.objects.filter(initiative=OuterRef("pk"), at__gte=OuterRef("since")).order_by()
