"""Rows of reviews, with questions, draws, sign-offs, conditions and consents."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from governance import clock
from governance.database.row_history import WrittenOnce, governed
from governance.models import Checkpoint, Rulebook, User
from governance.models.constraints import by_whom_and_when
from governance.rulebook import Criterion, Gate, ParsedRulebook
from governance.vocabulary import APPROVING, ReviewOutcome, Seat, SignOffVerdict
from initiatives.models.initiative import Initiative


class Review(models.Model):
    """One attempt at one gate, under the rulebook it was opened with."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="reviews")
    gate = models.CharField(max_length=40)
    rulebook = models.ForeignKey(Rulebook, models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=30, choices=ReviewOutcome.choices, default=ReviewOutcome.OPEN)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    findings = models.JSONField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(outcome=ReviewOutcome.OPEN),
                name="one_open_review_per_initiative",
            ),
            models.CheckConstraint(
                name="ended_means_who_when_and_outcome",
                condition=Q(outcome=ReviewOutcome.OPEN, ended_at__isnull=True, ended_by__isnull=True)
                | Q(outcome=ReviewOutcome.EXPIRED, ended_at__isnull=False)
                | ~Q(outcome__in=[ReviewOutcome.OPEN, ReviewOutcome.EXPIRED])
                & Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
            models.CheckConstraint(
                name="decided_means_findings_are_frozen",
                condition=~Q(
                    outcome__in=[ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS, ReviewOutcome.REFUSED]
                )
                | Q(findings__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"review {self.pk} of {self.initiative_id}: {self.gate}"

    def get_absolute_url(self) -> str:
        """Return the address of the page of the review."""
        return f"/reviews/{self.pk}/"

    @property
    def parsed_rulebook(self) -> ParsedRulebook:
        """Return its rulebook at the initiative's tier, or at the decided review's tier."""
        tier = (self.findings or {})["tier"] if self.decided else self.initiative.tier
        return self.rulebook.parsed.at_tier(tier)

    def criterion(self, key: str) -> Criterion:
        """Return a criterion of its rulebook, else of the newest published one that has it.

        A question or an objection stays when the review is moved to a rulebook without its criterion.
        """
        versions = (rulebook.parsed for rulebook in Rulebook.objects.kept_versions())
        return next(one.criteria[key] for one in (self.parsed_rulebook, *versions) if key in one.criteria)

    @property
    def is_open(self) -> bool:
        """Return True if sign-offs and a decision are still possible."""
        return self.outcome == ReviewOutcome.OPEN

    @property
    def approved(self) -> bool:
        """Return True if the chair approved the review, with conditions or without."""
        return self.outcome in (ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS)

    @property
    def decided(self) -> bool:
        """Return True if the chair approved or refused the review."""
        return self.outcome in (ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS, ReviewOutcome.REFUSED)


class Question(models.Model):
    """A question of the board on one criterion, apart from any verdict."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="questions")
    criterion = models.CharField(max_length=60)
    text = models.TextField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True, default="")
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["review", "id"]
        constraints = [
            models.CheckConstraint(
                name="answered_means_words_who_and_when",
                condition=Q(answer="", answered_by__isnull=True, answered_at__isnull=True)
                | ~Q(answer="") & Q(answered_by__isnull=False, answered_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class DrawnRequirement(WrittenOnce):
    """A requirement of minimal risk, drawn by the audit log's seed to be verified.

    The draw is in governance.gates.drawing. A round is a review of production, or the next acceptance of production:
    `renews` is the moment of the acceptance to renew. `checkpoint` is the round's seed, `place` the order, and
    `replaces` the earlier draw that was refused or changed. The offer was `answer_version` and `items` (keys of
    evidence).
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="drawn_requirements")
    review = models.ForeignKey(
        Review, models.PROTECT, null=True, blank=True, related_name="drawn_requirements"
    )
    renews = models.DateTimeField(null=True, blank=True)
    requirement = models.CharField(max_length=60)
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField()
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    answer_version = models.PositiveIntegerField()
    items = models.JSONField(default=list)
    drawn_at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "review", "renews", "requirement"],
                nulls_distinct=False,
                name="drawn_once_in_a_round",
            ),
            models.UniqueConstraint(
                fields=["initiative", "review", "renews", "place"],
                nulls_distinct=False,
                name="one_requirement_at_each_place_of_a_round",
            ),
            models.CheckConstraint(
                name="drawn_for_a_review_or_an_acceptance",
                condition=Q(review__isnull=True, renews__isnull=False)
                | Q(review__isnull=False, renews__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requirement}, drawn for {self.round}"

    @property
    def round(self) -> str:
        """Return the round of the draw, as it enters the seed."""
        return round_of(self.review_id, self.renews)


def round_of(review: int | None, renews: datetime | None) -> str:
    """Return a round in words: a review's key, or the renewed acceptance."""
    if review is not None:
        return f"review {review}"
    return f"acceptance of {renews.astimezone(UTC).isoformat()}" if renews is not None else ""


class SignOffQuerySet(models.QuerySet):
    def latest(self):  # type: ignore[override]  # of each seat, where Django's is one row
        """Return the newest sign-off of each seat, without withdrawn ones."""
        return self.filter(replaced_by__isnull=True).exclude(verdict=SignOffVerdict.WITHDRAWN)


class SignOff(WrittenOnce):
    """One seat's sign-off with the exact bytes that were signed. Append-only: a change is a new row."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="sign_offs")
    seat = models.CharField(max_length=30, choices=Seat.choices)
    person = models.ForeignKey(User, models.PROTECT, related_name="sign_offs")
    verdict = models.CharField(max_length=30, choices=SignOffVerdict.choices)
    reason = models.TextField(blank=True, default="")
    criteria = models.JSONField(default=list, blank=True)
    condition = models.JSONField(null=True, blank=True)
    statement = models.TextField()
    digest = models.CharField(max_length=64)
    facts = models.JSONField()
    covered_evidence = models.JSONField(default=list)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    at = models.DateTimeField()

    objects = SignOffQuerySet.as_manager()

    class Meta:
        ordering = ["review", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "seat", "replaces"], nulls_distinct=False, name="one_sign_off_per_seat"
            ),
            models.UniqueConstraint(fields=["review", "seat", "id"], name="sign_off_of_seat"),
            models.CheckConstraint(
                name="an_objection_names_criteria",
                condition=~Q(verdict=SignOffVerdict.OBJECT) | ~Q(criteria=[]),
            ),
            models.CheckConstraint(
                name="a_condition_is_written_out",
                condition=~Q(verdict=SignOffVerdict.CONDITION) | Q(condition__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_seat_display()}: {self.get_verdict_display()} by {self.person_id}"

    @property
    def approves(self) -> bool:
        """Return True if the sign-off counts towards the quorum while it is fresh."""
        return self.verdict in APPROVING

    def objects_to(self, gate: Gate) -> list[Criterion]:
        """Return the criteria of the gate that the seat objects to and that block, or none."""
        if self.verdict != SignOffVerdict.OBJECT:
            return []
        return [one for one in gate.criteria if one.blocking and one.key in self.criteria]

    @property
    def on_behalf_of(self) -> str:
        """Return the name of the person the signer was a delegate of, or ""."""
        return (self.facts.get("delegate_of") or [0, ""])[1]


class Condition(models.Model):
    """A task with a due date, set by the chair with a decision. Overdue, it blocks decisions.

    `not_met_at` is when the board last found that it was not met. The condition is then open again.
    """

    review = models.ForeignKey(Review, models.PROTECT, related_name="conditions")
    text = models.TextField()
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    due = models.DateField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    met_at = models.DateTimeField(null=True, blank=True)
    met_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    met_note = models.TextField(blank=True, default="")
    not_met_at = models.DateTimeField(null=True, blank=True)
    not_met_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    not_met_reason = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["review", "due"]
        constraints = [
            by_whom_and_when("not_met", name="not_met_means_who_when_and_why", reason="not_met_reason"),
            models.CheckConstraint(
                name="met_means_who_and_when",
                condition=Q(met_at__isnull=True, met_by__isnull=True)
                | Q(met_at__isnull=False, met_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class ConsentState(StrEnum):
    """The state of a request for consent."""

    ASKED = "asked"
    RUNNING = "running"
    PAST = "past"


def granted(*parts: str) -> Q:
    """Return the filter for requests that were not refused and have every consent."""
    return Q(refused_at__isnull=True, **{f"{part}_at__isnull": False for part in parts})


class ConsentQuerySet(models.QuerySet):
    """Requests by their answers, apart from the day on which they end."""

    def granted(self):
        """Return the requests with every consent."""
        return self.filter(granted(*self.model.PARTS))

    def unanswered(self):
        """Return the requests that were not refused and lack a consent."""
        return self.filter(~granted(*self.model.PARTS), refused_at__isnull=True)


class Consent(models.Model):
    """A request with a reason that needs the consent of others.

    See initiatives.lifecycle.consents. The names in `PARTS` are the columns of those who consent, with the moments in
    `<part>_at`. The requester and the consenting people are different. `SAME` has the fields that are equal in two
    requests for the same, the main one first. A request without an answer in time is not refused by a person.
    """

    PARTS: ClassVar[tuple[str, ...]]
    SAME: ClassVar[tuple[str, ...]]

    initiative: "models.ForeignKey[Initiative, Initiative]"
    reason = models.TextField()
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    refused_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.TextField(blank=True, default="")

    objects = ConsentQuerySet.as_manager()

    class Meta:
        abstract = True

    def get_absolute_url(self) -> str:
        """Return the address of the page of the requests for the same."""
        raise NotImplementedError

    @property
    def granted_at(self) -> datetime | None:
        """Return the moment of the last consent, or None if one is missing or refused."""
        moments = [getattr(self, f"{part}_at") for part in self.PARTS]
        return None if self.refused_at or None in moments else max(moments)

    @property
    def ends_at(self) -> datetime | None:
        """Return from when it no longer holds and cannot be granted, or None if unknown."""
        raise NotImplementedError

    @property
    def state(self) -> ConsentState:
        """Return its state now."""
        if self.refused_at or (self.ends_at is not None and clock.now() >= self.ends_at):
            return ConsentState.PAST
        return ConsentState.RUNNING if self.granted_at else ConsentState.ASKED


class ConsentUntilDay(Consent):
    """A consent that holds until a day, which the requester chooses."""

    until = models.DateField()

    class Meta:
        abstract = True

    @property
    def ends_at(self) -> datetime:
        """Return the midnight after its last day."""
        return clock.midnight_after(self.until)


def rules_of_consent(name: str, parts: tuple[str, ...], same: tuple[str, ...]) -> list[models.BaseConstraint]:
    """Return the constraints of a table of consents, named after it."""
    others, dated = Q(), Q()
    for number, part in enumerate(parts):
        given, at = Q(**{f"{part}__isnull": False}), Q(**{f"{part}_at__isnull": False})
        dated &= (given & at) | (~given & ~at)
        for person in ("requested_by", *parts[:number]):
            others &= ~given | Q(**{f"{person}__isnull": True}) | ~Q(**{part: F(person)})
    asked = Q(refused_at__isnull=True)
    answered = Q(refused_by__isnull=True) | ~asked & ~Q(refused_reason="")
    return [
        models.CheckConstraint(name=f"others_consent_to_a_{name}", condition=others),
        models.CheckConstraint(name=f"a_{name}_says_who_consented_and_when", condition=dated),
        models.CheckConstraint(name=f"a_refused_{name}_says_when_and_why", condition=answered),
        models.UniqueConstraint(
            fields=same, condition=asked & ~granted(*parts), name=f"one_{name}_request_at_a_time"
        ),
    ]


class Waiver(ConsentUntilDay):
    """An agreement of chair and risk seat not to ask a requirement until a day."""

    PARTS = ("chair", "risk")
    SAME = ("initiative", "key")

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="waivers")
    key = models.CharField(max_length=60)
    chair = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    chair_at = models.DateTimeField(null=True, blank=True)
    risk = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    risk_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = rules_of_consent("waiver", ("chair", "risk"), ("initiative", "key"))

    def __str__(self) -> str:
        return f"waiver of {self.key} until {self.until}"

    def get_absolute_url(self) -> str:
        """Return the address of the waivers of its initiative."""
        return reverse("waivers", args=[self.initiative.ref])
