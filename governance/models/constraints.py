"""Constraints that many tables have."""

from django.db import models
from django.db.models import F, Q


def by_whom_and_when(verb: str, *, name: str, reason: str = "") -> models.CheckConstraint:
    """Return the constraint that an ended or withdrawn row has its time and actor.

    The row also needs the field `reason`, if one is given. Other rows have no time and actor. `verb` begins both names,
    such as "ended" for `ended_at` and `ended_by`.
    """
    not_yet = Q(**{f"{verb}_at__isnull": True, f"{verb}_by__isnull": True})
    done = Q(**{f"{verb}_at__isnull": False, f"{verb}_by__isnull": False})
    if reason:
        done &= ~Q(**{reason: ""})
    return models.CheckConstraint(name=name, condition=not_yet | done)


# Somebody accepted first, somebody else second, each in a seat and at a moment; or nobody did so second.
SECOND_IS_ANOTHER = Q(second_at__isnull=True, second_by__isnull=True, second_seat="") | (
    Q(accepted_at__isnull=False, second_at__gte=F("accepted_at"), second_by__isnull=False)
    & ~Q(second_seat="")
    & ~Q(second_by=F("accepted_by"))
)
