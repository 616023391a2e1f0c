"""Stages that end: trials to continue or stop, production to accept again.

See docs/domain.md.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from governance import clock
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.vocabulary import Role, Stage, Tier
from initiatives.models import Continuation, Evidence

# Who accept their roles again before the chair confirms production.
ACCEPTING = (Role.OWNER, Role.SUPPORT_OWNER)
_NEVER = datetime.min.replace(tzinfo=UTC)


def moments(rulebook: ParsedRulebook, *others: ParsedRulebook) -> dict[str, datetime | date]:
    """Return the moments that `soon` compares with today, by name.

    A stage that began before its moment has ended, or ends within the longest warning of the rulebook, by this
    rulebook or one of the others. `near` is the last day of that warning.
    """
    near = clock.today() + timedelta(days=max(rulebook.freshness.warn_days_before))
    stages = [one.stages for one in (rulebook, *others)]
    lasting = {
        "prototype_before": [one[Stage.PROTOTYPE].max_days_before_review for one in stages],
        "mvp_before": [one[Stage.MVP].max_days_before_review for one in stages],
        "high_before": [one[Stage.PRODUCTION].reattest_days_high for one in stages],
        "production_before": [one[Stage.PRODUCTION].reattest_days for one in stages],
    }
    found: dict[str, datetime | date] = {
        "near": near,
        "accepted_from": clock.today() - timedelta(days=rulebook.freshness.grace_days),
    }
    for name, each in lasting.items():
        days = min((days for days in each if days is not None), default=None)
        found[name] = clock.midnight_after(near - timedelta(days=days)) if days is not None else _NEVER
    return found


def soon(initiatives: QuerySet, moment: Callable) -> QuerySet:
    """Return initiatives, not imported, whose stage ends soon or has ended.

    Imported stages have no obligations. `moment` returns one of `moments` by name, or its form in a requirement.
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


def accepted_again(initiatives: Iterable[int]) -> dict[int, set[str]]:
    """Return by initiative which of `ACCEPTING` was accepted within the rulebook's days of grace."""
    found: dict[int, set[str]] = {}
    since = clock.today() - timedelta(days=Rulebook.objects.current().parsed.freshness.grace_days)
    for pk, role in (
        acceptances(since).filter(initiative__in=initiatives).values_list("initiative", "acceptance__role")
    ):
        found.setdefault(pk, set()).add(role)
    return found


def acceptances(since) -> QuerySet:
    """Return a query of the acceptances in force of `ACCEPTING` since this day, or its form in a requirement."""
    return Evidence.objects.filter(
        acceptance__role__in=ACCEPTING, acceptance__ended_at__isnull=True, observed_on__gte=since
    ).order_by()


def going_on() -> QuerySet:
    """Return a query of the ends that the chair set since the stage began."""
    return Continuation.objects.filter(initiative=OuterRef("pk"), at__gte=OuterRef("since")).order_by()
