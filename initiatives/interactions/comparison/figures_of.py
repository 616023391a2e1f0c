"""Figures of the interaction log over whole days, and the figures to compare."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Max, Q

from governance import clock
from initiatives.interactions.comparison.ways import Figures, Promise
from initiatives.models import (
    ChangeRecord,
    PerformancePromise,
    ReconciledDay,
    ScopeVersion,
)

WEEKS = 4  # over which shares are measured, whole ones
# What begins anew what is measured of the performance, as it ends evidence of it (rulebook, prod.performance).
_BEGINS_ANEW = ("model_version", "data_source")
_SUMS = ("calls", "expected", "logged", "tried", "failed", "outputs", "sourced", "named")
# A day of which the log has no calls counts too, if a system was allowed to act or acted without permission.
_COUNTS = Q(calls__gt=0) | Q(expected__gt=0) | Q(never_asked__gt=0) | Q(after_denial__gt=0)


def weeks() -> tuple[date, date]:
    """Return the first day of the last four whole weeks, and the Monday after them."""
    today = clock.today()
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(weeks=WEEKS), monday


def figures_of(initiatives: Iterable[int]) -> dict[int, list[ReconciledDay]]:
    """Return by initiative its days with calls or acts in the last whole weeks, oldest first."""
    since, monday = weeks()
    found: dict[int, list[ReconciledDay]] = defaultdict(list)
    rows = ReconciledDay.objects.filter(
        _COUNTS, initiative__in=list(initiatives), day__gte=since, day__lt=monday
    )
    for row in rows.defer("unnamed").order_by("initiative", "day"):
        found[row.initiative_id].append(row)
    return found


def summed(days: list[ReconciledDay], since: date | None = None) -> Figures:
    """Return the sums over these days, or those from `since` on. Persons are of the newest day with calls."""
    first, monday = weeks()
    counted = [row for row in days if since is None or row.day >= since]
    figures = Figures(max(first, since or first), monday - timedelta(days=1))
    if not counted:
        return figures
    durations: Counter[int] = Counter()
    for row in counted:
        durations.update({int(bucket): count for bucket, count in row.durations.items()})
    return replace(
        figures,
        **{name: sum(getattr(row, name) for row in counted) for name in _SUMS},
        durations=durations,
        subjects=next((row.subjects for row in reversed(counted) if row.calls), None),
        sampling=any(row.sampling for row in counted),
    )


def promises_of(initiatives: Iterable[int]) -> dict[int, tuple[Promise, date]]:
    """Return by initiative its promise, and the first whole day on which it counts.

    This is the day after the declaration or the last new model. Earlier days do not count, because their figures were
    known when the promise was declared.
    """
    rows = {row.initiative_id: row for row in current_promises(initiatives)}
    touching = reduce(or_, (Q(triggers__contains=[trigger]) for trigger in _BEGINS_ANEW))
    changes = ChangeRecord.objects.filter(touching, initiative__in=rows, effective_at__lte=clock.now())
    changed: dict[int, datetime] = dict(
        changes.values_list("initiative").annotate(Max("effective_at")).order_by()
    )
    return {
        initiative: (
            Promise(row.median, row.most, row.errors),
            clock.local_day(max(row.at, changed.get(initiative, row.at))) + timedelta(days=1),
        )
        for initiative, row in rows.items()
    }


def current_promises(initiatives: Iterable[int]):
    """Return the promises that these initiatives make now."""
    return PerformancePromise.objects.filter(initiative__in=list(initiatives), ended_at__isnull=True)


def people_in_scope(initiatives: Iterable[int]) -> dict[int, int]:
    """Return by initiative the number of people that its scope in force declares."""
    now = clock.now()
    rows = ScopeVersion.objects.filter(initiative__in=list(initiatives), starts_at__lte=now).order_by(
        "number"
    )
    return {row.initiative_id: row.user_count for row in rows if row.ended_at is None or row.ended_at > now}
