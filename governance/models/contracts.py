"""The governance contract of an initiative: what the AI may do alone, with approval, not at all."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from governance.contracts import wording
from governance.contracts.clauses import Terms
from governance.database.row_history import WrittenOnce, governed
from governance.models.constraints import by_whom_and_when
from governance.models.people import User
from governance.vocabulary import ClauseKind, Seat


class Contract(models.Model):
    """The line of versions that belongs to one initiative, which points down to it."""

    title = models.CharField(max_length=200)

    history = governed()

    def __str__(self) -> str:
        return self.title

    def in_force_at(self, moment) -> "ContractVersion | None":
        """Return the version in force at `moment`, if any."""
        return (
            self.versions.filter(starts_at__lte=moment)
            .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=moment))
            .order_by("-starts_at", "-number")
            .first()
        )


VOCABULARY = {"action": "Action", "resource": "On what", "audience": "Subject"}


class VocabularyWord(models.Model):
    """A word of the initiative's own: the key for systems, and the words for people.

    Clauses keep the sentence they were signed with. A changed word appears only in later sentences.
    """

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="vocabulary")
    kind = models.CharField(max_length=10, choices=VOCABULARY.items())
    key = models.CharField(
        max_length=80,
        validators=[
            RegexValidator(r"^[\w.@:/+-]+$", "Use letters, digits and . _ @ : / + - only, no spaces.")
        ],
    )
    words = models.CharField(max_length=120)
    retired_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["contract", "kind", "words"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "kind", "key"], name="vocabulary_keys_are_unique")
        ]

    def __str__(self) -> str:
        return self.words


class ContractVersion(models.Model):
    """One version: draft, in review, in force, superseded. Its clauses are fixed once it leaves draft."""

    DRAFT, IN_REVIEW, IN_FORCE, SUPERSEDED = "draft", "in_review", "in_force", "superseded"
    STATES = {DRAFT: "Draft", IN_REVIEW: "In review", IN_FORCE: "In force", SUPERSEDED: "Superseded"}

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=STATES.items(), default=DRAFT)
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True, default="")
    # Counts the times the draft was saved, so that two people who edit it notice each other.
    edition = models.PositiveIntegerField(default=0)
    wanted_from = models.DateField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["contract", "number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="contract_numbers_are_unique"),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(state__in=["draft", "in_review"]),
                name="one_contract_version_in_preparation",
            ),
            models.CheckConstraint(
                name="in_force_means_digest_and_start",
                condition=Q(state__in=["draft", "in_review"], starts_at__isnull=True)
                | Q(state__in=["in_force", "superseded"], starts_at__isnull=False) & ~Q(digest=""),
            ),
            models.CheckConstraint(
                name="contract_ends_after_it_starts",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} v{self.number}"


class Clause(models.Model):
    """One sentence of a contract version, of one kind, with the terms that made it.

    `number` is the clause's name among people, kept from version to version. `fingerprint` is equal exactly when kind,
    sentence and terms are.
    """

    version = models.ForeignKey(ContractVersion, models.PROTECT, related_name="clauses")
    number = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=20, choices=ClauseKind.choices)
    sentence = models.TextField()
    terms = models.JSONField(default=dict, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, default="", db_index=True)
    position = models.PositiveIntegerField(default=0)

    history = governed()

    class Meta:
        ordering = ["version", "position", "id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.sentence[:60]}"

    @property
    def said(self) -> Terms:
        """Return the structured part."""
        return Terms.read(self.terms)

    @property
    def without(self) -> str:
        """Return what follows if a request leaves out what the clause compares, as a sentence, or ""."""
        return wording.without(self.kind, self.said)

    @property
    def keys(self) -> set[str]:
        """Return the words of the vocabulary that the clause is made of."""
        return {self.terms.get("action"), self.terms.get("resource"), *self.terms.get("audience", ())} - {
            None
        }


class ClauseCommentQuerySet(models.QuerySet):
    """Comments by what they do."""

    def objections(self):
        """Return open objections: comments by a seat that are not withdrawn."""
        return self.filter(resolved_at=None).exclude(seat="")


class ClauseComment(models.Model):
    """A comment on one clause while a version is prepared or read. It stays with the clause's number.

    A comment with a seat is an objection. While an objection is open, no version comes into force (guarded by
    `in_force_once_approved`). An objection to the contract as a whole has the number 0.
    """

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="comments")
    number = models.PositiveIntegerField()
    seat = models.CharField(max_length=30, choices=Seat.choices, blank=True, default="")
    text = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = ClauseCommentQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["contract", "number", "id"]
        constraints = [
            by_whom_and_when("resolved", name="comment_resolved_means_who_and_when"),
            models.CheckConstraint(
                condition=models.Q(number__gt=0) | ~models.Q(seat=""), name="comment_names_its_clause"
            ),
            models.UniqueConstraint(
                fields=["contract", "seat"],
                condition=~models.Q(seat="") & models.Q(resolved_at=None),
                name="one_open_objection_per_seat",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by} on clause {self.number}: {self.text[:60]}"


class ContractApproval(WrittenOnce):
    """A seat's approval of one contract version. Append-only.

    A seat approves the version again once its approval no longer counts.
    """

    version = models.ForeignKey(ContractVersion, models.PROTECT, related_name="approvals")
    seat = models.CharField(max_length=30, choices=Seat.choices)
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["version", "at"]

    def __str__(self) -> str:
        return f"{self.person} for {self.version}"
