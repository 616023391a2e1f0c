"""Rows of holds, obligations and gaps, and of what one person proposes to hand over to another."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.vocabulary import WRITTEN_OBLIGATIONS, HoldKind, ObligationKind
from initiatives.models.initiative import Initiative
from initiatives.models.integration.systems import System
from initiatives.models.reviews import Review


class HoldQuerySet(models.QuerySet):
    def open(self):
        """Holds that nobody lifted and no cause closed."""
        return self.filter(lifted_at__isnull=True)


class Hold(models.Model):
    """A reason why an initiative must not move. Opened by the system with a cause, or by a person."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="holds")
    kind = models.CharField(max_length=30, choices=HoldKind.choices)
    reason = models.TextField()
    blocking = models.BooleanField(default=True)
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField()
    liftable_since = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.TextField(blank=True, default="")

    objects = HoldQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "kind"],
                condition=Q(lifted_at__isnull=True, opened_by__isnull=True),
                name="one_open_system_hold_per_kind",
            ),
            models.CheckConstraint(
                name="lifted_means_when_and_why", condition=Q(lifted_at__isnull=True) | ~Q(lift_reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reason[:60]}"


class ObligationQuerySet(models.QuerySet):
    def open(self):
        """Obligations that are still due."""
        return self.filter(completed_at__isnull=True)

    def in_writing(self):
        """Post-mortems and retrospectives: what keeps their responsible's reviews from being decided once overdue."""
        return self.filter(kind__in=WRITTEN_OBLIGATIONS)

    def overdue_on(self, day):
        """Obligations still due whose last day is before `day`."""
        return self.open().filter(due__lt=day)


class Obligation(models.Model):
    """An obligation of one person on one initiative with a last day, written in the transaction of the act that
    causes it.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="obligations")
    kind = models.CharField(max_length=20, choices=ObligationKind.choices)
    source = models.CharField(max_length=80)
    text = models.CharField(max_length=250)
    responsible = models.ForeignKey(User, models.PROTECT, null=True, related_name="obligations")
    due = models.DateField()
    opened_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    completed_note = models.TextField(blank=True, default="")

    objects = ObligationQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["due", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "kind", "source"],
                condition=Q(completed_at__isnull=True),
                name="one_open_obligation_per_source",
            ),
        ]
        indexes = [
            models.Index(fields=["due"], condition=Q(completed_at__isnull=True), name="obligations_by_due")
        ]

    def __str__(self) -> str:
        return f"{self.text} by {self.due}"

    @property
    def account_key(self) -> int | None:
        """The service account that has to be closed, where that is what is due."""
        return int(self.source.partition(":")[2]) if self.kind == "service_account" else None

    @property
    def system_key(self) -> int | None:
        """The system whose owner says that its feed is shut, where that is what is due."""
        return int(self.source.partition(":")[2]) if self.kind == ObligationKind.FEED else None


class Excuse(WrittenOnce):
    """The chair's word that one decision on one initiative may pass an overdue obligation.

    The next decision uses it up.
    """

    obligation = models.ForeignKey(Obligation, models.PROTECT, related_name="excuses")
    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="excuses")
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["obligation", "initiative"], name="one_excuse_per_obligation_and_initiative"
            ),
            models.CheckConstraint(name="an_excuse_has_its_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"obligation {self.obligation_id} for a decision on {self.initiative_id}"


class Gap(models.Model):
    """Something unresolved that bites downstream; closed only with evidence or an accepting owner."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="gaps")
    text = models.TextField()
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    owner_accepted_at = models.DateTimeField(null=True, blank=True)
    due = models.DateField()
    downstream = models.JSONField(default=list, blank=True)
    review = models.ForeignKey(Review, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    closed_with = models.ForeignKey(
        "initiatives.Evidence", models.PROTECT, null=True, blank=True, related_name="+"
    )

    history = governed()

    class Meta:
        ordering = ["initiative", "due"]
        constraints = [
            models.CheckConstraint(
                name="closed_with_evidence_or_accepting_owner",
                condition=Q(closed_at__isnull=True)
                | Q(closed_with__isnull=False)
                | Q(owner_accepted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class RequirementFindingQuerySet(models.QuerySet):
    def current(self):
        """What is still so, from whatever moment it counts."""
        return self.filter(ended_at__isnull=True)


class RequirementFinding(models.Model):
    """One thing in the register that keeps a requirement from being met, from a moment on, perhaps one to come.

    Worked out by `actions.following.follow` from the register alone, and rewritten with every change of it: nobody
    writes or closes one by hand. `source` names what it is about, so that the same finding stays the same row. `hold`:
    the kind of hold that it calls for besides; it caps what is supported from `since` on, though no task ran.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="requirement_findings")
    requirement = models.CharField(max_length=60)
    source = models.CharField(max_length=120)
    words = models.TextField()
    fix = models.TextField(blank=True, default="")
    who = models.CharField(max_length=160, blank=True, default="")
    hold = models.CharField(
        max_length=30,
        choices=HoldKind.choices,
        blank=True,
        default="",
    )
    system = models.ForeignKey(System, models.PROTECT, null=True, blank=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RequirementFindingQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "requirement", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "requirement", "source"],
                condition=Q(ended_at__isnull=True),
                name="one_current_finding_per_source",
            )
        ]
        indexes = [
            models.Index(
                fields=["initiative"], condition=Q(ended_at__isnull=True), name="findings_by_initiative"
            ),
            models.Index(fields=["system"], condition=Q(ended_at__isnull=True), name="findings_by_system"),
        ]

    def __str__(self) -> str:
        return self.words


class MeasuredAnswerQuerySet(models.QuerySet):
    def current(self):
        """What is still measured, from whatever moment it counts."""
        return self.filter(ended_at__isnull=True)


class MeasuredAnswer(models.Model):
    """That an answer follows from rows whose deciding value came from outside the team, from a moment on.

    Worked out by `findings.sync.follow` from the registers alone, as a `RequirementFinding` is: nobody writes or closes
    one by hand. `way` is one of the rulebook's ways; `source` names what it was worked out from.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="measured_answers")
    requirement = models.CharField(max_length=60)
    way = models.CharField(max_length=30)
    source = models.CharField(max_length=120)
    words = models.TextField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MeasuredAnswerQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "requirement", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "requirement", "source"],
                condition=Q(ended_at__isnull=True),
                name="one_current_measured_answer_per_source",
            ),
            models.CheckConstraint(
                name="measured_until_after_since",
                condition=Q(until__isnull=True) | Q(until__gt=models.F("since")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="measured_answers_by_initiative",
            )
        ]

    def __str__(self) -> str:
        return f"{self.requirement}: {self.words}"


class HandoverQuerySet(models.QuerySet):
    def waiting(self):
        """Proposals that the successor has not answered and nobody withdrew."""
        return self.filter(accepted_at__isnull=True, ended_at__isnull=True)


class Handover(models.Model):
    """What one person holds on one initiative, proposed to a successor: roles, conditions and gaps.

    The roles are proposed beside it, so that separation of duties sees them; they and the rest pass on when the
    successor accepts. Until then everything stays where it is. Obligations stay with the responsible person.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="handovers")
    person = models.ForeignKey(User, models.PROTECT, related_name="handovers")
    successor = models.ForeignKey(User, models.PROTECT, related_name="handovers_offered")
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    reason = models.TextField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")

    objects = HandoverQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "person"],
                condition=Q(accepted_at__isnull=True, ended_at__isnull=True),
                name="one_handover_of_a_person_and_initiative_at_a_time",
            ),
            models.CheckConstraint(
                name="accepted_or_ended_not_both",
                condition=Q(accepted_at__isnull=True) | Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="nobody_hands_over_to_themselves", condition=~Q(person=models.F("successor"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["successor"],
                condition=Q(accepted_at__isnull=True, ended_at__isnull=True),
                name="handovers_by_successor",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} to {self.successor}: {self.initiative_id}"
