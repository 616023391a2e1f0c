"""Acts on promised performance: promised before the days it is held against, replaced, taken back."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.ledger import record
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act
from initiatives.findings.sync import follow
from initiatives.models import Initiative, PerformancePromise

LONGEST = 3_600_000  # milliseconds: an hour


def promise(*, case: Initiative, median: int, most: int, errors: float, by: User) -> PerformancePromise:
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
    with act("promise performance", by=by, case=case) as case:
        case_permissions.may_change_what_runs(case, by).or_refuse()
        former = standing(case)
        if former is not None and (former.median, former.most, former.errors) == (median, most, errors):
            raise Conflict("This is promised already.")
        if former is not None:
            former.ended_at = clock.now()
            former.save()
        row = PerformancePromise(
            initiative=case, median=median, most=most, errors=errors, by=by, at=clock.now()
        )
        row.save()
        record.record(
            EntryKind.PERFORMANCE_PROMISED, case=case, median=median, most=most, errors=f"{errors:.1%}"
        )
        follow([case])
    return row


def take_back(*, case: Initiative, by: User) -> None:
    """Promise nothing any more. Raises Refused, and Conflict where nothing is promised."""
    with act("take promise back", by=by, case=case) as case:
        case_permissions.may_change_what_runs(case, by).or_refuse()
        row = standing(case)
        if row is None:
            raise Conflict("Nothing is promised.")
        row.ended_at = clock.now()
        row.save()
        record.record(EntryKind.PERFORMANCE_PROMISE_TAKEN_BACK, case=case, median=row.median, most=row.most)
        follow([case])


def standing(case: Initiative) -> PerformancePromise | None:
    """What the case promises now."""
    return case.performance_promises.filter(ended_at__isnull=True).first()
