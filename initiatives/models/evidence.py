"""Rows of answers to requirements, and of the evidence for them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import Exact

from governance.database.row_history import WrittenOnce, governed
from governance.database.text_search import Words
from governance.models import ApiToken, Checkpoint, Clause, ContractVersion, User
from governance.models.constraints import SECOND_IS_ANOTHER
from governance.vocabulary import AnswerKind, DeclaredResult, EvidenceCondition, EvidenceKind, EvidenceResult
from initiatives.models.initiative import Initiative, RoleAssignment
from initiatives.models.integration.components import Deployment
from initiatives.models.integration.systems import System
from initiatives.models.versions import ChangeRecord, ScopeVersion


class Answer(models.Model):
    """The owner's answer to one requirement. Its history has the earlier answers."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="answers")
    requirement = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=AnswerKind.choices)
    text = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    accepted_seat = models.CharField(max_length=30, blank=True, default="")
    accepted_at = models.DateTimeField(null=True, blank=True)
    # At high risk two persons accept it.
    second_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_seat = models.CharField(max_length=30, blank=True, default="")
    second_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "requirement"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "requirement"], name="one_answer_per_requirement"),
            models.CheckConstraint(
                name="accepted_means_who_seat_and_when",
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True, accepted_seat="")
                | Q(accepted_at__isnull=False, accepted_by__isnull=False) & ~Q(accepted_seat=""),
            ),
            models.CheckConstraint(name="accepted_twice_means_by_two", condition=SECOND_IS_ANOTHER),
            models.CheckConstraint(
                name="an_answer_has_words",
                condition=Q(kind="not_reported") | ~Q(text=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["initiative"],
                condition=Q(kind="not_applicable", second_at__isnull=True),
                name="exceptions_half_accepted",
            )
        ]

    def __str__(self) -> str:
        return f"{self.requirement}: {self.kind}"


class AnswerDraft(models.Model):
    """An answer with its evidence that is not saved yet. It is private and not governed.

    The person typed it, or the program behind `token` drafted it for them. `edited` means that the person changed
    what the program drafted.
    """

    not_governed = "an unsaved text that only its author can see"

    initiative = models.ForeignKey(Initiative, models.CASCADE, related_name="drafts")
    requirement = models.CharField(max_length=60)
    person = models.ForeignKey(User, models.CASCADE, related_name="drafts")
    fields = models.JSONField(default=dict)
    at = models.DateTimeField()
    token = models.ForeignKey(ApiToken, models.PROTECT, null=True, related_name="+")
    edited = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "requirement", "person"], name="one_draft_per_person_and_requirement"
            )
        ]

    def __str__(self) -> str:
        return f"draft of {self.requirement}"


class Evidence(models.Model):
    """One piece of evidence. Its content never changes: a newer item supersedes it.

    The fields of its kind are in `details`, or the register of the product that wrote it
    (`initiatives.lifecycle.evidence.artefact_kinds`).
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=20, choices=EvidenceKind.choices)
    title = models.CharField(max_length=200)
    note = models.TextField(blank=True, default="")
    details = models.JSONField(blank=True, default=dict)
    file = models.FileField(max_length=200, blank=True, default="")
    file_name = models.CharField(max_length=200, blank=True, default="")
    content_type = models.CharField(max_length=100, blank=True, default="")
    size = models.PositiveBigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    link = models.URLField(max_length=1000, blank=True, default="")
    clause = models.ForeignKey(Clause, models.PROTECT, null=True, blank=True, related_name="cited_by")
    acceptance = models.ForeignKey(
        RoleAssignment, models.PROTECT, null=True, blank=True, related_name="attestations"
    )
    generated = models.BooleanField(default=False, editable=False)
    observed_on = models.DateField()
    condition = models.CharField(max_length=20, choices=EvidenceCondition.choices, blank=True, default="")
    result = models.CharField(max_length=10, choices=EvidenceResult.choices, blank=True, default="")
    author = models.ForeignKey(User, models.PROTECT, related_name="evidence_authored")
    added_at = models.DateTimeField()
    captured_at = models.DateTimeField(null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.TextField(blank=True, default="")
    missing_since = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        verbose_name_plural = "evidence"
        ordering = ["initiative", "-observed_on", "-id"]
        constraints = [
            models.CheckConstraint(name="a_file_has_its_hash", condition=Q(file="") | ~Q(sha256="")),
            models.CheckConstraint(
                name="captured_means_a_link_and_its_file",
                condition=Q(captured_at__isnull=True) | ~Q(link="") & ~Q(file="") & ~Q(sha256=""),
            ),
            models.CheckConstraint(name="nothing_supersedes_itself", condition=~Q(supersedes=F("id"))),
        ]
        indexes = [GinIndex(Words("title"), name="evidence_by_words")]

    def __str__(self) -> str:
        return self.title

    @property
    def unverified(self) -> bool:
        """Return True for a link without a captured hash, shown as *unverified link*."""
        return bool(self.link) and not self.sha256

    @property
    def fingerprint(self) -> str:
        """Return the identity of the content: its file's hash, or else the item's key."""
        return self.sha256 or f"item:{self.pk}"


class Coverage(models.Model):
    """The offer of an item of evidence for a requirement."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="coverage")
    requirement = models.CharField(max_length=60)
    added_at = models.DateTimeField()

    history = governed()

    class Meta:
        verbose_name_plural = "coverage"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["evidence", "requirement"], name="covered_once")]

    def __str__(self) -> str:
        return self.requirement


class EvidenceNames(models.Model):
    """The subject of an item of evidence: a component, scope, contract or system."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="names")
    deployment = models.ForeignKey(Deployment, models.PROTECT, null=True, related_name="named_by")
    scope_version = models.ForeignKey(ScopeVersion, models.PROTECT, null=True, related_name="named_by")
    contract_version = models.ForeignKey(ContractVersion, models.PROTECT, null=True, related_name="named_by")
    system = models.ForeignKey(System, models.PROTECT, null=True, related_name="named_by")

    history = governed()

    class Meta:
        verbose_name_plural = "evidence names"
        constraints = [
            models.CheckConstraint(
                name="names_exactly_one_thing",
                condition=Exact(
                    Func(
                        "deployment",
                        "scope_version",
                        "contract_version",
                        "system",
                        function="num_nonnulls",
                        output_field=models.IntegerField(),
                    ),
                    1,
                ),
            )
        ]

    def __str__(self) -> str:
        return str(self.deployment or self.scope_version or self.contract_version or self.system)


class Voiding(WrittenOnce):
    """The end of an item for one requirement by a trigger, from a moment on. Append-only."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="voidings")
    requirement = models.CharField(max_length=60)
    trigger = models.CharField(max_length=40)
    cause = models.CharField(max_length=250)
    change = models.ForeignKey(ChangeRecord, models.PROTECT, null=True, related_name="voidings")
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evidence", "requirement", "change"], name="voided_once_per_change"
            )
        ]

    def __str__(self) -> str:
        return f"{self.requirement}: {self.cause}"


class EvidenceOpening(WrittenOnce):
    """The first opening of an item of evidence by a person. A verification needs one."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="openings")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["evidence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evidence", "person"], name="first_opening_per_person_and_evidence"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} opened {self.evidence}"


class Verification(WrittenOnce):
    """The judgement by a person outside the team whether an item shows an answer.

    It is bound to the content that was opened (`fingerprint`) and to the answer's version, and a person's newest one
    counts. It has the `place` in the item, in `words` what was seen there or is missing, and the verifier's `seat`.
    `second_to` is the verification that this one repeats as a blind second look.
    """

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="verifications")
    requirement = models.CharField(max_length=60)
    verifier = models.ForeignKey(User, models.PROTECT, related_name="+")
    seat = models.CharField(max_length=30)
    opening = models.ForeignKey(EvidenceOpening, models.PROTECT, related_name="+")
    shows = models.BooleanField()
    place = models.CharField(max_length=200, blank=True, default="")
    words = models.TextField()
    answer_version = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    second_to = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="second")
    at = models.DateTimeField()

    class Meta:
        ordering = ["evidence", "id"]
        constraints = [
            models.CheckConstraint(name="verification_says_what_was_seen", condition=~Q(words="")),
            models.CheckConstraint(name="verified_says_where", condition=Q(shows=False) | ~Q(place="")),
        ]
        indexes = [models.Index(fields=["evidence", "requirement"], name="verifications_by_evidence")]

    def __str__(self) -> str:
        return f"{self.verifier}: {'shows' if self.shows else 'does not show'} {self.requirement}"


class SecondLook(WrittenOnce):
    """The draw of a verification for a blind second look, asked by an auditor.

    The root of `checkpoint` is its seed. The second look is open until a verification has it as `second_to`.
    """

    verification = models.OneToOneField(Verification, models.PROTECT, related_name="drawn")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="+")
    drawn_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"second verification of: {self.verification}"


class DeclaredGoal(models.Model):
    """One thing the MVP declared to prove, frozen at the MVP gate, and its result."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="declared_goals")
    key = models.CharField(max_length=40)
    declared = models.TextField()
    declared_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, choices=DeclaredResult.choices, blank=True, default="")
    outcome = models.TextField(blank=True, default="")
    evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, blank=True, related_name="+")
    reported_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "key"], name="one_declaration_per_goal"),
            models.CheckConstraint(
                name="a_result_has_outcome_and_when",
                condition=Q(result="", reported_at__isnull=True)
                | ~Q(result="") & ~Q(outcome="") & Q(reported_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class FileCheck(models.Model):
    """The findings that the last check of files did not write, and its progress. One row at most.

    The keys in `gone` are of evidence whose files differ, if they were too many to believe. An admin confirms them.
    Files were hashed in this round up to the item with the key `hashed_to`.
    """

    not_governed = (
        "the progress of a check and its doubtful files, and the audit log records the confirmation by "
        "an admin"
    )

    at = models.DateTimeField()
    looked = models.PositiveIntegerField(default=0)
    gone = models.JSONField(default=list)
    hashed_to = models.BigIntegerField(default=0)
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="one_check_of_files", condition=Q(only=True))]

    def __str__(self) -> str:
        return f"{self.looked} files looked for, {len(self.gone)} in doubt"
