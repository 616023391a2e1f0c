"""Acts on performance promises: promise for the days to come, replace, withdraw."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, PerformancePromise

LONGEST = 3_600_000  # milliseconds: an hour


def promise(*, initiative: Initiative, median: int, most: int, errors: float, by: User) -> PerformancePromise:
    """Promise milliseconds (`median`, `most` for 95 in 100) and a share of errors.

    The promise counts from the next day on and replaces the earlier one. Raises ValidationError by field, Refused, and
    Conflict if the same is promised already.
    """
    wrong = {}
    if not 1 <= median <= LONGEST:
        wrong["median"] = f"Enter 1 to {LONGEST:,} milliseconds."
    if not median <= most <= LONGEST:
        wrong["most"] = (
            "Enter a time that is not below the time for half of the calls, and not above one hour."
        )
    if not 0 <= errors < 1:
        wrong["errors"] = "Enter a share from 0 to under 100 %."
    if wrong:
        raise ValidationError(wrong)
    with act("promise performance", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        former = current_promise(initiative)
        if former is not None and (former.median, former.most, former.errors) == (median, most, errors):
            raise Conflict("The promise already has these values. Change at least one value.")
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
    """Withdraw the promise. Raises Refused, and Conflict if there is none."""
    with act("take promise back", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        row = current_promise(initiative)
        if row is None:
            raise Conflict("The initiative has no promise to withdraw.")
        row.ended_at = clock.now()
        row.save()
        entries.record(
            EntryKind.PERFORMANCE_PROMISE_WITHDRAWN, initiative=initiative, median=row.median, most=row.most
        )
        follow([initiative])


def current_promise(initiative: Initiative) -> PerformancePromise | None:
    """Return the current promise of the initiative, or None."""
    return initiative.performance_promises.filter(ended_at__isnull=True).first()
