"""Rows of for whom it runs and what changed: scope, reported changes, who depends on it."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from governance.vocabulary import Layer
from initiatives.models.initiative import Initiative
from initiatives.models.integration.components import Deployment


class ScopeVersion(models.Model):
    """For whom and with what: in force from a moment, or planned to start with a promotion.

    `test_subjects`: for whom its systems may act while the initiative is a prototype, as names of subjects in which *
    stands for any characters (`governance.authorization.subject_patterns`).
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


class ChangeRecord(models.Model):
    """A change of what runs or for whom, with the triggers it pulls. What it voids starts at `effective_at`.

    `system`: the one system of the register that it is about; what speaks of other systems alone is not touched.
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
        """A change of a running part that names no approver or no way back."""
        return bool(self.layer) and (self.approver_id is None or not self.rollback)


class DependantQuerySet(models.QuerySet):
    def waiting(self):
        """Dependences that the named executive has neither stated nor declined."""
        return self.filter(
            executive__isnull=False,
            confirmed_at__isnull=True,
            declined_at__isnull=True,
            ended_at__isnull=True,
        )


class Dependant(models.Model):
    """A team or system that depends on the initiative. A prototype has none: form, action and database refuse.

    The named executive states it in person (S2-13): until then it is what the owner wrote down. `statement` is the
    attestation that this is, for the question whether the business is ready to depend on it.
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
        """Whether the named executive has not answered yet: one row of `DependantQuerySet.waiting`."""
        answered = self.confirmed_at or self.declined_at or self.ended_at
        return self.executive_id is not None and not answered

    @property
    def outage(self) -> str:
        """The bearable outage in the largest unit that fits: "2 weeks", "36 hours"."""
        return outage_words(self.bearable_outage_hours)


# Units in which people say how long they can do without something, in hours.
OUTAGE_UNITS = {"hours": 1, "days": 24, "weeks": 168}


def outage_words(hours: int) -> str:
    """A number of hours as people say it, in the largest unit that leaves nothing over; "no time at all" for none."""
    if not hours:
        return "no time at all"
    unit = next(name for name in ("weeks", "days", "hours") if hours % OUTAGE_UNITS[name] == 0)
    count = hours // OUTAGE_UNITS[unit]
    return f"{count} {unit.removesuffix('s') if count == 1 else unit}"
