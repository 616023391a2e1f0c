"""Rows of approvals of single calls, and of the kill switch.

Source: S0-14 (approval with role, time limit and default). One approval is for one action.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from governance.database.row_history import WrittenOnce, governed
from governance.models import ContractVersion, ServiceKey, User, VocabularyWord
from governance.models.constraints import by_whom_and_when
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative

APPROVE, REFUSE = "approve", "refuse"
ANSWERS = {APPROVE: "Approve", REFUSE: "Refuse"}

WAITING, APPROVED, REFUSED, EXPIRED, USED = "waiting", "approved", "refused", "expired", "used"
STATES = {
    WAITING: "waits for a person",
    APPROVED: "approved, not used yet",
    USED: "approved and used",
    REFUSED: "refused",
    EXPIRED: "ran out; nothing was done",
}


class ApprovalQuerySet(models.QuerySet):
    def waiting_at(self, moment):
        """Requests that can still be answered: in time, under a contract version that has not ended."""
        under_it = Q(version__ends_at__isnull=True) | Q(version__ends_at__gt=moment)
        return self.filter(under_it, expires_at__gt=moment, decided_at__isnull=True)

    def in_words(self):
        """With `does`: the action in the words of the contract; as the system calls it where there are none."""
        words = VocabularyWord.objects.filter(
            contract=OuterRef("version__contract"), kind="action", key=OuterRef("action")
        )
        return self.annotate(does=Coalesce(Subquery(words.values("words")[:1]), F("action")))

    def with_state(self, moment):
        """With `state`: what `ApprovalRequest.state_at` says of each."""
        return self.annotate(
            state=Case(
                When(use__isnull=False, then=Value(USED)),
                When(decided_at__isnull=False, granted=False, then=Value(REFUSED)),
                When(Q(expires_at__lte=moment) | Q(version__ends_at__lte=moment), then=Value(EXPIRED)),
                When(granted=True, then=Value(APPROVED)),
                default=Value(WAITING),
                output_field=models.CharField(),
            )
        )


class ApprovalRequest(models.Model):
    """A call that waits for a person: bound to the digest of exactly its arguments, for one use within its time.

    `principals` are the people the system acts for: they approve nothing here. Decided is what can no longer be
    answered: enough people approved, or one refused. What nobody answered in time is only too old.
    """

    reference = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="approval_requests")
    version = models.ForeignKey(ContractVersion, models.PROTECT, related_name="+")
    key = models.ForeignKey(ServiceKey, models.PROTECT, related_name="+")
    clauses = models.JSONField(default=list)  # numbers of the clauses that ask for it
    subject = models.CharField(max_length=240)
    action = models.CharField(max_length=120)
    resource = models.CharField(max_length=240)
    arguments = models.JSONField()
    arguments_digest = models.CharField(max_length=64)
    approvers = models.JSONField(default=list)  # roles, any of which may answer
    four_eyes = models.BooleanField(default=False)
    principals = ArrayField(models.BigIntegerField(), default=list)
    why = models.TextField(blank=True, default="")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    granted = models.BooleanField(default=False)

    objects = ApprovalQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "-asked_at"]
        constraints = [
            models.CheckConstraint(
                name="approval_request_expires_after_it_is_asked", condition=Q(expires_at__gt=F("asked_at"))
            ),
            models.CheckConstraint(
                name="approval_granted_means_decided",
                condition=Q(granted=False) | Q(decided_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["key", "arguments_digest", "asked_at"],
                name="one_approval_request_per_call_and_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["initiative", "expires_at"], name="approvals_by_initiative"),
            models.Index(fields=["key", "arguments_digest", "expires_at"], name="approvals_by_arguments"),
        ]

    def __str__(self) -> str:
        return f"{self.action} for {self.subject}"

    def get_absolute_url(self) -> str:
        """The page of this request."""
        return reverse("approval", args=[self.reference])

    @property
    def used(self) -> bool:
        """Whether the system made the call that was approved."""
        return hasattr(self, "use")

    def superseded_at(self, moment) -> bool:
        """Whether the contract version that asks for it is no longer in force."""
        return self.version.ends_at is not None and self.version.ends_at <= moment

    def state_at(self, moment) -> str:
        """One of `STATES`. Approved and not used in time is run out, like what nobody answered.

        So is what was asked under a contract version that has ended: the next one may ask other people.
        """
        if self.used:
            return USED
        if self.decided_at is not None and not self.granted:
            return REFUSED
        if self.expires_at <= moment or self.superseded_at(moment):
            return EXPIRED
        return APPROVED if self.granted else WAITING


class ApprovalOpening(models.Model):
    """When somebody who may answer a request was first shown it: what their time to decide is counted from."""

    not_governed = "when somebody looked; an answer keeps its own copy"

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="openings")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "person"], name="one_first_look_per_person_and_request"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} opened {self.request_id}"


class ApprovalPreview(models.Model):
    """What a system handed over for its approvers to see: a text or an address, of which only the digest is for others.

    `content` is empty once it was erased; `digest` and `words` (how many there were to read) stay.
    """

    hidden_from_auditors = ("content",)
    not_governed = "its digest stands in the request, which is; a copy of the text would outlive its erasure"

    request = models.OneToOneField(ApprovalRequest, models.PROTECT, related_name="preview")
    kind = models.CharField(max_length=10, choices=[("text", "Text"), ("link", "Link")])
    content = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    words = models.PositiveIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["request"], condition=~Q(content=""), name="approval_previews_not_erased")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:12]}"


class ApprovalAnswer(WrittenOnce):
    """One person's answer to one request. `opened_at` is when they were first shown it.

    `on_behalf_of` is who holds the role, where the person stands in for somebody.
    """

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="answers")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=20)
    verdict = models.CharField(max_length=10, choices=ANSWERS.items())
    reason = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64)  # of the arguments the person was shown
    opened_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["request", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "person"], name="one_answer_per_person_and_request"),
            models.CheckConstraint(
                name="a_refused_approval_says_why", condition=Q(verdict="approve") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.verdict}"


class ApprovalUse(WrittenOnce):
    """That an approval was used, for the one call it was given for."""

    request = models.OneToOneField(ApprovalRequest, models.PROTECT, related_name="use")
    arguments_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"used: {self.request_id}"


class KillSwitch(models.Model):
    """That everything was denied from a moment on, until somebody switched it back; and the drill made from it."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="kill_switches")
    reason = models.TextField()
    pressed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    pressed_at = models.DateTimeField()
    released_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.TextField(blank=True, default="")
    drill = models.OneToOneField(Evidence, models.PROTECT, null=True, blank=True, related_name="kill_switch")

    history = governed()

    class Meta:
        ordering = ["initiative", "-pressed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"], condition=Q(released_at__isnull=True), name="one_kill_switch_at_a_time"
            ),
            by_whom_and_when("released", name="released_means_who_when_and_why", reason="release_reason"),
        ]

    def __str__(self) -> str:
        return f"switched off by {self.pressed_by}"
