"""Planned absences, and who stands in meanwhile: for a seat, or for roles on cases."""

from django.db import models
from django.db.models import F, Q

from governance.history import governed
from governance.models.people import Membership, User


class AbsenceQuerySet(models.QuerySet):
    def at(self, moment):
        """Absences that cover `moment`; one of moments that a query brings along too."""
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)

    def meeting(self, starts_at, ends_at):
        """Absences that share any moment with that time."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)


class Absence(models.Model):
    """A person is away from the first moment of a day until the last of another. Cut short, it ends earlier."""

    person = models.ForeignKey(User, models.PROTECT, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    planned_at = models.DateTimeField()

    objects = AbsenceQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["person", "starts_at"]
        constraints = [
            models.CheckConstraint(
                name="absence_ends_after_it_starts", condition=Q(ends_at__gte=F("starts_at"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}, away"


class DelegationQuerySet(models.QuerySet):
    def agreed(self):
        """Those that the delegate accepted and has not given back."""
        return self.filter(accepted_at__isnull=False, ended_at__isnull=True)

    def waiting(self):
        """Those that the delegate has not answered."""
        return self.filter(accepted_at__isnull=True, ended_at__isnull=True)

    def for_roles(self):
        """Those for roles on cases, not for a seat."""
        return self.filter(membership__isnull=True)

    def at(self, moment):
        """Those whose absence covers `moment`."""
        return self.filter(absence__starts_at__lte=moment, absence__ends_at__gt=moment)


class Delegation(models.Model):
    """Who stands in during an absence: for one seat, or, without one, for the roles on cases.

    It counts once the delegate accepted it, and not after it ended: declined, given back, or over with the absence. For
    a seat, acceptance makes `stands`, a seat as delegate for that time.
    """

    absence = models.ForeignKey(Absence, models.PROTECT, related_name="delegations")
    membership = models.ForeignKey(Membership, models.PROTECT, null=True, blank=True, related_name="+")
    delegate = models.ForeignKey(User, models.PROTECT, related_name="delegations")
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")
    stands = models.OneToOneField(
        Membership, models.PROTECT, null=True, blank=True, related_name="delegation"
    )

    objects = DelegationQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["absence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["absence", "membership"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="one_delegate_per_absence_and_seat",
            ),
            models.CheckConstraint(
                name="a_delegate_sits_once_accepted",
                condition=Q(stands__isnull=True) | Q(accepted_at__isnull=False, membership__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["delegate"], condition=Q(ended_at__isnull=True), name="delegations_by_delegate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.absence.person}"

    @property
    def what(self) -> str:
        """What the delegate stands in for, in words."""
        if self.membership is None:
            return "roles on cases"
        return f"the seat {self.membership.get_seat_display()} of {self.membership.board}"
