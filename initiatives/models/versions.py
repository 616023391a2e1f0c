"""Rows of what runs and for whom: components, scope, reported changes."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from governance.database.row_history import governed
from governance.database.text_search import Words
from governance.models import User
from governance.vocabulary import Layer
from initiatives.models.initiative import Initiative


class Component(models.Model):
    """A part of the system in one layer: a model, an application, a gateway.

    `listed_vendor`: its row in the register of vendors; `vendor`: its name as it was recorded.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="components")
    layer = models.CharField(max_length=20, choices=Layer.choices)
    name = models.CharField(max_length=120)
    vendor = models.CharField(max_length=120, blank=True, default="")
    listed_vendor = models.ForeignKey(
        "initiatives.Vendor", models.PROTECT, null=True, blank=True, related_name="components"
    )

    history = governed()

    class Meta:
        ordering = ["initiative", "layer", "name"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "layer", "name"], name="components_are_named_once"),
            models.CheckConstraint(
                name="a_vendor_of_a_component_is_listed",
                condition=Q(vendor="", listed_vendor__isnull=True)
                | (~Q(vendor="") & Q(listed_vendor__isnull=False)),
            ),
        ]
        indexes = [GinIndex(Words("vendor", "name"), name="components_by_words")]

    def __str__(self) -> str:
        return self.name


class VersionQuerySet(models.QuerySet):
    def running_at(self, moment):
        """Versions that run at `moment`."""
        return self.filter(runs_from__lte=moment).filter(Q(runs_to__isnull=True) | Q(runs_to__gt=moment))


class ComponentVersion(models.Model):
    """One version of a component, running from a moment, perhaps in the future, to a moment.

    `model_version`: of the layer model alone, its row in the model register; none where nobody named it.
    """

    component = models.ForeignKey(Component, models.PROTECT, related_name="versions")
    version = models.CharField(max_length=80)
    region = models.CharField(max_length=60, blank=True, default="")
    runs_from = models.DateTimeField()
    runs_to = models.DateTimeField(null=True, blank=True)
    model_version = models.ForeignKey(
        "initiatives.ModelVersion", models.PROTECT, null=True, blank=True, related_name="uses"
    )

    objects = VersionQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["component", "runs_from"]
        constraints = [
            models.CheckConstraint(
                name="versions_end_after_they_start",
                condition=Q(runs_to__isnull=True) | Q(runs_to__gte=F("runs_from")),
            ),
            models.UniqueConstraint(
                fields=["component"], condition=Q(runs_to__isnull=True), name="one_open_version_per_component"
            ),
        ]

    def __str__(self) -> str:
        return self.label(self.component.name)

    def label(self, name: str) -> str:
        """The version beside the name of its component, and where it runs."""
        return f"{name} {self.version}" + (f" ({self.region})" if self.region else "")


class ScopeVersion(models.Model):
    """For whom and with what: in force from a moment, or planned to start with a promotion.

    `test_subjects`: for whom its systems may act while the case is a prototype, as names of subjects in which * stands
    for any characters (`governance.authorization.subject_patterns`).
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
        ComponentVersion, models.PROTECT, null=True, blank=True, related_name="changes_away"
    )
    incoming = models.ForeignKey(
        ComponentVersion, models.PROTECT, null=True, blank=True, related_name="changes_towards"
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
