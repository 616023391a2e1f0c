"""The governance contract of an initiative: what the AI may do alone, with approval, not at all."""

from django.db import models
from django.db.models import F, Q

from governance.history import WrittenOnce, governed
from governance.models.people import SEATS, User

CLAUSE_KINDS = {
    "autonomy": "May do on its own",
    "human_approval": "May do when a person approves",
    "edge_policy": "What applies in an edge case",
    "record_owner": "Who owns the change log and the audit trail",
    "audience": "For whom",
    "retention": "How long records are kept",
    "residency": "Where data may go",
}


class Contract(models.Model):
    """The line of versions that belongs to one initiative, which points down to it."""

    title = models.CharField(max_length=200)

    history = governed()

    def __str__(self) -> str:
        return self.title

    def in_force_at(self, moment) -> "ContractVersion | None":
        """The version in force at `moment`, if any."""
        return (
            self.versions.filter(starts_at__lte=moment)
            .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=moment))
            .order_by("-starts_at", "-number")
            .first()
        )


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
    """One sentence of a contract version, of one kind."""

    version = models.ForeignKey(ContractVersion, models.PROTECT, related_name="clauses")
    kind = models.CharField(max_length=20, choices=CLAUSE_KINDS.items())
    sentence = models.TextField()
    position = models.PositiveIntegerField(default=0)

    history = governed()

    class Meta:
        ordering = ["version", "position", "id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.sentence[:60]}"


class ContractApproval(WrittenOnce):
    """A seat's approval of one contract version. Append-only; one per seat."""

    version = models.ForeignKey(ContractVersion, models.PROTECT, related_name="approvals")
    seat = models.CharField(max_length=30, choices=SEATS.items())
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["version", "at"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "digest", "seat"], name="one_contract_approval_per_seat"
            ),
            models.UniqueConstraint(
                fields=["version", "digest", "person"], name="one_contract_approval_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.version}"
