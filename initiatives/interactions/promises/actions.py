"""Acts on promised performance: promised before the days it is held against, replaced, withdrawn."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, PerformancePromise

LONGEST = 3_600_000  # milliseconds: an hour


def promise(*, initiative: Initiative, median: int, most: int, errors: float, by: User) -> PerformancePromise:
    """Promise that half of the calls come back in `median` milliseconds, 95 in 100 in `most`, and so few fail.

    It counts from the next day on; what was promised before ends. Raises ValidationError by field, Refused, and
    Conflict where the same is promised already.
    """
    wrong = {}
    if not 1 <= median <= LONGEST:
        wrong["median"] = f"Give from 1 to {LONGEST:,} milliseconds."
    if not median <= most <= LONGEST:
        wrong["most"] = "Give at least the time of half of the calls, and at most an hour."
    if not 0 <= errors < 1:
        wrong["errors"] = "Give a share from 0 to under 100 %."
    if wrong:
        raise ValidationError(wrong)
    with act("promise performance", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        former = current_promise(initiative)
        if former is not None and (former.median, former.most, former.errors) == (median, most, errors):
            raise Conflict("This is promised already.")
        if former is not None:
            former.ended_at = clock.now()
            former.save()
        row = PerformancePromise(
            initiative=initiative, median=median, most=most, errors=errors, by=by, at=clock.now()
        )
        row.save()
        entries.record(
            EntryKind.PERFORMANCE_PROMISED,
            initiative=initiative,
            median=median,
            most=most,
            errors=f"{errors:.1%}",
        )
        follow([initiative])
    return row


def withdraw(*, initiative: Initiative, by: User) -> None:
    """Promise nothing any more. Raises Refused, and Conflict where nothing is promised."""
    with act("take promise back", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        row = current_promise(initiative)
        if row is None:
            raise Conflict("Nothing is promised.")
        row.ended_at = clock.now()
        row.save()
        entries.record(
            EntryKind.PERFORMANCE_PROMISE_WITHDRAWN, initiative=initiative, median=row.median, most=row.most
        )
        follow([initiative])


def current_promise(initiative: Initiative) -> PerformancePromise | None:
    """What the initiative promises now."""
    return initiative.performance_promises.filter(ended_at__isnull=True).first()
