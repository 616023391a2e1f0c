"""Rows of holds, obligations, accepted risks, gaps, findings and handovers."""

from datetime import date, datetime, timedelta

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from governance import clock
from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import WRITTEN_OBLIGATIONS, HoldKind, ObligationKind
from initiatives.models.initiative import Initiative
from initiatives.models.integration.systems import System
from initiatives.models.reviews import ConsentQuerySet, ConsentUntilDay, Review, rules_of_consent


class HoldQuerySet(models.QuerySet):
    def open(self):
        """Return the holds that were not lifted and whose cause is not closed."""
        return self.filter(lifted_at__isnull=True)


class Hold(models.Model):
    """A reason why an initiative must not move. The system opens it with a cause, or a person does."""

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
        """Return the obligations that are still due."""
        return self.filter(completed_at__isnull=True)

    def in_writing(self):
        """Return post-mortems and retrospectives. Overdue ones block their responsible's reviews."""
        return self.filter(kind__in=WRITTEN_OBLIGATIONS)

    def overdue_on(self, day):
        """Return obligations still due whose last day is before `day`."""
        return self.open().filter(due__lt=day)


class Obligation(models.Model):
    """An obligation of one person with a last day. The act that causes it writes it, in its transaction."""

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
        """Return the key of the service account that has to be closed, if this is due."""
        return int(self.source.partition(":")[2]) if self.kind == "service_account" else None

    @property
    def system_key(self) -> int | None:
        """Return the key of the system whose feed has to be shut, if this is due."""
        return int(self.source.partition(":")[2]) if self.kind == ObligationKind.FEED else None


class Excuse(WrittenOnce):
    """The chair's permission for one decision despite an overdue obligation.

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


class AcceptedRiskQuerySet(ConsentQuerySet):
    def live(self):
        """Return waiting requests and current acceptances. `extended`: an extension is asked."""
        longer = AcceptedRisk.objects.filter(extends=OuterRef("pk"), refused_at__isnull=True)
        return self.filter(refused_at__isnull=True, ended_at__isnull=True).annotate(extended=Exists(longer))


class AcceptedRisk(ConsentUntilDay):
    """A risk that the risk seat accepted until a day, with regular reviews.

    The argument for it is `reason`, and `reviewed_*` is the newest review since. `extends` is the earlier acceptance
    that this one continues: the day of an acceptance never changes. It ends early (`ended_*`) if the seat no longer
    accepts the risk or a later acceptance continues it.
    """

    PARTS = ("risk",)
    SAME = ("initiative", "title")
    extended: bool  # of those that `live` finds

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="accepted_risks")
    title = models.CharField(max_length=120)
    happens = models.TextField()
    limits = models.TextField()
    review_days = models.PositiveSmallIntegerField()
    extends = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="extensions")
    risk = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    risk_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_words = models.TextField(blank=True, default="")
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")

    objects = AcceptedRiskQuerySet.as_manager()  # type: ignore[misc]  # that of consents, and `live`
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            *rules_of_consent("accepted_risk", ("risk",), ("initiative", "title")),
            by_whom_and_when(
                "reviewed",
                name="reviewed_accepted_risk_says_who_when_and_what",
                reason="reviewed_words",
            ),
            by_whom_and_when(
                "ended", name="ended_accepted_risk_says_who_when_and_why", reason="ended_reason"
            ),
            models.CheckConstraint(
                name="an_accepted_risk_is_answered_once",
                condition=Q(risk_at__isnull=True) | Q(refused_at__isnull=True),
            ),
            models.CheckConstraint(
                name="only_an_accepted_risk_is_reviewed_or_ended",
                condition=Q(risk_at__isnull=False) | Q(reviewed_at__isnull=True, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="another_person_reviews_an_accepted_risk",
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="an_accepted_risk_is_reviewed_every_so_many_days", condition=Q(review_days__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"accepted risk “{self.title}” until {self.until}"

    def get_absolute_url(self) -> str:
        """Return the address of the accepted risks of its initiative."""
        return reverse("accepted-risks", args=[self.initiative.ref])

    @property
    def review_by(self) -> date | None:
        """Return the last day of the next review. It is None if not accepted, or if the risk ends first."""
        if self.risk_at is None:
            return None
        newest = clock.local_day(self.reviewed_at or self.risk_at)
        due = newest + timedelta(days=self.review_days)
        return due if due < self.until else None

    @property
    def ends_at(self) -> datetime:
        """Return its end: the early end, the last day, or a missed review."""
        if self.ended_at is not None:
            return self.ended_at
        return clock.midnight_after(self.review_by or self.until)


class Gap(models.Model):
    """Something unresolved with later effects, until evidence or an owner closes it.

    A gap from an accepted risk that ended has it as `ended_risk`. Its owner cannot accept it. Evidence closes it, or a
    new acceptance by the risk seat, `accepted_again`.
    """

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
    ended_risk = models.OneToOneField(AcceptedRisk, models.PROTECT, null=True, blank=True, related_name="gap")
    accepted_again = models.ForeignKey(AcceptedRisk, models.PROTECT, null=True, blank=True, related_name="+")

    history = governed()

    class Meta:
        ordering = ["initiative", "due"]
        constraints = [
            models.CheckConstraint(
                name="closed_with_evidence_or_accepting_owner",
                condition=Q(closed_at__isnull=True)
                | Q(closed_with__isnull=False)
                | Q(accepted_again__isnull=False, ended_risk__isnull=False)
                | Q(owner_accepted_at__isnull=False, ended_risk__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class RequirementFindingQuerySet(models.QuerySet):
    def current(self):
        """Return the findings that have not ended, also those that count later."""
        return self.filter(ended_at__isnull=True)

    def to_answer(self, now):
        """Return findings that count at `now`, or whose open obligation asks to find out."""
        asked = Obligation.objects.open().filter(
            kind=ObligationKind.UNKNOWN,
            initiative=models.OuterRef("initiative"),
            source=models.OuterRef("source"),
        )
        return self.filter(Q(since__lte=now) | models.Exists(asked))


class RequirementFinding(models.Model):
    """A fact of the register that keeps a requirement unmet, from a moment on.

    `actions.following.follow` computes it from the register alone, and rewrites it with every change. People do not
    edit it. The subject is in `source`, so that the same finding keeps its row. It may also need a kind of `hold`,
    which caps the supported stage from `since` on, without a task.
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
        """Return the answers that have not ended, also those that count later."""
        return self.filter(ended_at__isnull=True)


class MeasuredAnswer(models.Model):
    """An answer by rows whose deciding value came from outside the team.

    `findings.sync.follow` computes it from the registers alone, like a `RequirementFinding`. People do not edit it.
    `way` is one of the rulebook's ways, or one of `governance.gates.gate_inputs.SHOWN_HERE`, which does not raise a
    level. `source` is its origin, and it counts from `since` on.
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
        """Return the proposals without an answer that were not withdrawn."""
        return self.filter(accepted_at__isnull=True, ended_at__isnull=True)


class Handover(models.Model):
    """A proposal to pass one person's roles, conditions and gaps to a successor.

    It is for one initiative. Its roles are proposed as rows, so that separation of duties sees them. Everything passes
    on when the successor accepts, and not before. Obligations stay with the responsible person.
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
