"""A review: one attempt at one gate, its questions, those drawn to be verified, sign-offs, conditions; consents."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from governance import clock
from governance.database.row_history import WrittenOnce, governed
from governance.models import Checkpoint, Rulebook, User
from governance.rulebook import ParsedRulebook
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
        """The page of the review."""
        return f"/reviews/{self.pk}/"

    @property
    def parsed_rulebook(self) -> ParsedRulebook:
        """The rulebook it runs under, as it is signed at the tier of the initiative; a decided one, at the tier of
        then.
        """
        tier = (self.findings or {})["tier"] if self.decided else self.initiative.tier
        return self.rulebook.parsed.at_tier(tier)

    @property
    def is_open(self) -> bool:
        """Whether sign-offs and a decision are still possible."""
        return self.outcome == ReviewOutcome.OPEN

    @property
    def approved(self) -> bool:
        """Whether the chair let the initiative through, with conditions or without."""
        return self.outcome in (ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS)

    @property
    def decided(self) -> bool:
        """Whether the chair decided it, either way."""
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
    """That the audit log's seed drew a requirement of an initiative of minimal risk to be verified
    (governance.gates.drawing).

    A round is a review of production, or what is drawn ahead of accepting production again: `renews` is then the
    moment of the acceptance that it renews. `checkpoint` is the seed of the round; `place` the order in it; `replaces`
    the draw whose refusal or change brought this one. `answer_version`, `items` (keys of evidence): what was offered.
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
        """What the requirement was drawn for, as it enters the seed."""
        return round_of(self.review_id, self.renews)


def round_of(review: int | None, renews: datetime | None) -> str:
    """A round of drawing in words: a review by its key, or the acceptance of production that is renewed."""
    if review is not None:
        return f"review {review}"
    return f"acceptance of {renews.astimezone(UTC).isoformat()}" if renews is not None else ""


class SignOffQuerySet(models.QuerySet):
    def latest(self):  # type: ignore[override]  # of each seat, where Django's is one row
        """The sign-off that stands for each seat: the row nothing replaces. A withdrawn one is not a sign-off."""
        return self.filter(replaced_by__isnull=True).exclude(verdict=SignOffVerdict.WITHDRAWN)


class SignOff(WrittenOnce):
    """One seat's sign-off with the exact bytes that were signed. Append-only: a change of mind is a new row."""

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
        """Whether the sign-off counts towards the quorum while it is fresh."""
        return self.verdict in APPROVING

    @property
    def on_behalf_of(self) -> str:
        """Whose delegate the signer was, by name; empty where the seat was their own."""
        return (self.facts.get("delegate_of") or [0, ""])[1]


class Condition(models.Model):
    """What somebody must do by a date, fixed by the chair at decision. Overdue, it blocks decisions."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="conditions")
    text = models.TextField()
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    due = models.DateField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    met_at = models.DateTimeField(null=True, blank=True)
    met_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    met_note = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["review", "due"]
        constraints = [
            models.CheckConstraint(
                name="met_means_who_and_when",
                condition=Q(met_at__isnull=True, met_by__isnull=True)
                | Q(met_at__isnull=False, met_by__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class ConsentState(StrEnum):
    """How far a request is."""

    ASKED = "asked"
    RUNNING = "running"
    PAST = "past"


def granted(*parts: str) -> Q:
    """Nobody refused it, and everybody whose consent it needs gave it."""
    return Q(refused_at__isnull=True, **{f"{part}_at__isnull": False for part in parts})


class ConsentQuerySet(models.QuerySet):
    """Requests by how far they are, apart from the day on which they end."""

    def granted(self):
        """Those to which everybody consented."""
        return self.filter(granted(*self.model.PARTS))

    def unanswered(self):
        """Those that nobody refused and that lack a consent."""
        return self.filter(~granted(*self.model.PARTS), refused_at__isnull=True)


class Consent(models.Model):
    """What one person asks for with a reason, and what holds only with the consent of others
    (initiatives.lifecycle.consents).

    `PARTS` names the columns of those whose consent it needs; the moment of each is in `<part>_at`. Each is another
    person than whoever asked and than the other. `SAME` are the fields by which two requests are for the same, what
    they are about first. A request that nobody answered in time is refused by nobody.
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
        """The page of the requests for the same."""
        raise NotImplementedError

    @property
    def granted_at(self) -> datetime | None:
        """When the last of those whose consent it needs gave it; None before that, and once it was refused."""
        moments = [getattr(self, f"{part}_at") for part in self.PARTS]
        return None if self.refused_at or None in moments else max(moments)

    @property
    def ends_at(self) -> datetime | None:
        """From when on it holds no longer and cannot be granted; None while that is not known."""
        raise NotImplementedError

    @property
    def state(self) -> ConsentState:
        """How far it is now."""
        if self.refused_at or (self.ends_at is not None and clock.now() >= self.ends_at):
            return ConsentState.PAST
        return ConsentState.RUNNING if self.granted_at else ConsentState.ASKED


class ConsentUntilDay(Consent):
    """A consent that holds until a day, which whoever asks chooses."""

    until = models.DateField()

    class Meta:
        abstract = True

    @property
    def ends_at(self) -> datetime:
        """The midnight after its last day."""
        return clock.midnight_after(self.until)


def rules_of_consent(name: str, parts: tuple[str, ...], same: tuple[str, ...]) -> list[models.BaseConstraint]:
    """The constraints of a table of consents, named after it."""
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
    """That a criterion or requirement is not asked for until a day; needs the chair and the risk seat."""

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
        """The page of the waivers of its initiative."""
        return reverse("waivers", args=[self.initiative.ref])
