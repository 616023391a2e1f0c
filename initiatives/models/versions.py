"""Rows of scope, of reported changes, and of who depends on an initiative."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from governance.vocabulary import Layer
from initiatives.models.initiative import Initiative
from initiatives.models.integration.components import Deployment


class ScopeVersion(models.Model):
    """The users, places and data of an initiative, in force or planned.

    The systems of a prototype may act for `test_subjects`, names of subjects in which * matches any characters
    (`governance.contracts.subject_patterns`).
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="scopes")
    number = models.PositiveIntegerField()
    users = models.TextField()
    departments = models.JSONField(default=list, blank=True)
    places = models.JSONField(default=list, blank=True)
    data_classes = models.JSONField(default=list, blank=True)
    test_subjects = models.JSONField(default=list, blank=True)
    user_count = models.PositiveIntegerField()
    ends_on = models.DateField(null=True, blank=True)
    rollout = models.BooleanField(default=False)
    live_data = models.BooleanField(default=False)
    for_stage = models.CharField(max_length=20, blank=True, default="")
    starts_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")

    history = governed()

    class Meta:
        ordering = ["initiative", "number"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "number"], name="scope_numbers_are_unique"),
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(starts_at__isnull=True, ended_at__isnull=True),
                name="one_scope_planned_for_a_promotion",
            ),
            models.CheckConstraint(
                name="scope_starts_or_waits_for_a_stage",
                condition=Q(starts_at__isnull=False) | ~Q(for_stage=""),
            ),
        ]

    def __str__(self) -> str:
        return f"scope {self.number}: {self.user_count} users"

    @property
    def in_words(self) -> str:
        """Return the scope with its number, users, geography and data classes."""
        places = ", ".join([*self.departments, *self.places])
        data = ", ".join(self.data_classes) or "no data classes named"
        where = f", in {places}" if places else ""
        return f"scope {self.number} with {self.user_count} users ({self.users}){where}, data: {data}"

    def in_force_at(self, at: datetime) -> bool:
        """Return True if it is in force at `at`."""
        return (
            self.starts_at is not None and self.starts_at <= at and (not self.ended_at or self.ended_at > at)
        )

    def wider_than(self, other: "ScopeVersion") -> bool:
        """Return True if users, departments, geography or data classes grew.

        This is the trigger `scope` of the rulebook. More test subjects end no evidence, because they are not users.
        """
        grew = (
            self.user_count > other.user_count
            or (self.live_data and not other.live_data)
            or (self.rollout and not other.rollout)
        )
        return grew or any(
            set(getattr(self, name)) - set(getattr(other, name))
            for name in ("departments", "places", "data_classes")
        )

    def within(self, other: "ScopeVersion") -> bool:
        """Return True if a risk tier confirmed for `other` holds: no wider, same users."""
        return not self.wider_than(other) and self.users.split() == other.users.split()


class ChangeRecord(models.Model):
    """A change of components or users, with its triggers. It voids evidence from `effective_at` on.

    The change is about one `system` of the register, if set. Evidence on other systems alone is not affected.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="changes")
    layer = models.CharField(max_length=20, choices=Layer.choices, blank=True, default="")
    what = models.CharField(max_length=250)
    triggers = models.JSONField(default=list)
    effective_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    approver = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    rollback = models.TextField(blank=True, default="")
    outgoing = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="changes_away"
    )
    incoming = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="changes_towards"
    )
    system = models.ForeignKey(
        "initiatives.System", models.PROTECT, null=True, blank=True, related_name="changes"
    )
    outgoing_scope = models.ForeignKey(ScopeVersion, models.PROTECT, null=True, blank=True, related_name="+")
    incoming_scope = models.ForeignKey(ScopeVersion, models.PROTECT, null=True, blank=True, related_name="+")
    outgoing_contract = models.ForeignKey(
        "governance.ContractVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )
    incoming_contract = models.ForeignKey(
        "governance.ContractVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )

    history = governed()

    class Meta:
        ordering = ["initiative", "effective_at", "id"]

    def __str__(self) -> str:
        return self.what

    @property
    def incomplete(self) -> bool:
        """Return True for a change of a running part without an approver or a way back."""
        return bool(self.layer) and (self.approver_id is None or not self.rollback)


class DependantQuerySet(models.QuerySet):
    def waiting(self):
        """Return the dependences that the named executive has neither stated nor declined."""
        return self.filter(
            executive__isnull=False,
            confirmed_at__isnull=True,
            declined_at__isnull=True,
            ended_at__isnull=True,
        )


class Dependant(models.Model):
    """A team or system that depends on the initiative. A prototype cannot have one.

    Form, action and database refuse it. The named executive states the dependence in person (S2-13), and before that it
    is the owner's note. `statement` is the attestation of this, on whether the business is ready to depend on it.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="dependants")
    who = models.CharField(max_length=160)
    process = models.CharField(max_length=160, blank=True, default="")
    for_what = models.TextField()
    bearable_outage_hours = models.PositiveIntegerField()
    stated_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    executive = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="dependants")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    declined_reason = models.TextField(blank=True, default="")
    statement = models.ForeignKey(
        "initiatives.Evidence", models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DependantQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.CheckConstraint(
                name="confirmed_or_declined_by_a_named_executive",
                condition=Q(confirmed_at__isnull=True, declined_at__isnull=True)
                | Q(executive__isnull=False) & (Q(confirmed_at__isnull=True) | Q(declined_at__isnull=True)),
            )
        ]

    def __str__(self) -> str:
        return self.who

    @property
    def waiting(self) -> bool:
        """Return True if it is one row of `DependantQuerySet.waiting`."""
        answered = self.confirmed_at or self.declined_at or self.ended_at
        return self.executive_id is not None and not answered

    @property
    def outage(self) -> str:
        """Return the bearable outage in the largest unit that fits: "2 weeks", "36 hours"."""
        return outage_words(self.bearable_outage_hours)


# Units of a bearable outage, in hours.
OUTAGE_UNITS = {"hours": 1, "days": 24, "weeks": 168}


def outage_words(hours: int) -> str:
    """Return hours in words, in the largest whole unit, or "no time at all"."""
    if not hours:
        return "no time at all"
    unit = next(name for name in ("weeks", "days", "hours") if hours % OUTAGE_UNITS[name] == 0)
    count = hours // OUTAGE_UNITS[unit]
    return f"{count} {unit.removesuffix('s') if count == 1 else unit}"
