"""Whether what is deployed is used: the one place where the leaders' page learns it (S0-3).

Use is told by proof of `adopt.usage`: whatever measures it reaches the gates as evidence with a result, or as a
shortcoming, so this is what a gate is told. The newest result decides, and it must be current.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from governance import clock
from governance.vocabulary import Tier
from initiatives.models import Evidence, Shortcoming, Voiding

USAGE = "adopt.usage"


def readings(now) -> QuerySet:
    """Proof of use of the case `OuterRef("pk")`, the newest first: not withdrawn, replaced, missing or dismissed."""
    dismissed = Voiding.objects.filter(evidence=OuterRef("pk"), requirement=USAGE, effective_at__lte=now)
    return (
        Evidence.objects.filter(
            ~Exists(dismissed),
            initiative=OuterRef("pk"),
            coverage__requirement=USAGE,
            withdrawn_at__isnull=True,
            superseded_by__isnull=True,
            missing_since__isnull=True,
        )
        .exclude(result="")
        .order_by("-observed_on", "-added_at", "-pk")
    )


def _with_newest(cases: QuerySet, wanted) -> tuple[QuerySet, Q]:
    """Cases with their newest reading, and what makes it say that the system is used now."""
    newest = readings(wanted.now)
    cases = cases.alias(
        usage=Subquery(newest.values("result")[:1]), usage_on=Subquery(newest.values("observed_on")[:1])
    )
    asked = wanted.book.requirements.get(USAGE) if wanted.book else None
    if asked is None:
        return cases, Q(pk__in=[])
    today = clock.local_day(wanted.now)

    def current(days: int) -> Q:
        return Q(usage_on__gte=today - timedelta(days=days)) if days else Q()

    fresh = Q(pk__in=[])
    for tier in ("", *Tier.values):
        fresh |= Q(tier=tier) & current(asked.days(tier))
    said = Shortcoming.objects.standing().filter(
        Q(until__isnull=True) | Q(until__gt=wanted.now),
        initiative=OuterRef("pk"),
        requirement=USAGE,
        since__lte=wanted.now,
    )
    return cases, Q(usage="pass") & fresh & ~Q(Exists(said))


def used(cases: QuerySet, wanted) -> QuerySet:
    """Those of the cases whose newest reading of use passes and is current."""
    cases, passes = _with_newest(cases, wanted)
    return cases.filter(passes)


def unused(cases: QuerySet, wanted) -> QuerySet:
    """The others: no reading, one that does not pass, or one that is too old."""
    return cases.exclude(pk__in=used(cases, wanted).order_by().values("pk"))
