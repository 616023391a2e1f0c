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
    WAITING: "waiting for a person",
    APPROVED: "approved, not used yet",
    USED: "approved and used",
    REFUSED: "refused",
    EXPIRED: "expired",
}


class ApprovalQuerySet(models.QuerySet):
    def waiting_at(self, moment):
        """Return the requests that can still be answered: in time, and not superseded."""
        under_it = Q(version__ends_at__isnull=True) | Q(version__ends_at__gt=moment)
        return self.filter(under_it, expires_at__gt=moment, decided_at__isnull=True)

    def in_words(self):
        """Annotate `does`: the action in the contract's words, else in the system's."""
        words = VocabularyWord.objects.filter(
            contract=OuterRef("version__contract"), kind="action", key=OuterRef("action")
        )
        return self.annotate(does=Coalesce(Subquery(words.values("words")[:1]), F("action")))

    def with_state(self, moment):
        """Annotate `state`, equal to `ApprovalRequest.state_at` of each row."""
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
    """A request for approval of one call, bound to the digest of its arguments.

    The approval is for one use in time. The system acts for the people in `principals`, so they cannot approve the
    call. A request is decided once enough people approve or one refuses. A request without an answer in time expires
    undecided.
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
        """Return the address of the page of this request."""
        return reverse("approval", args=[self.reference])

    @property
    def used(self) -> bool:
        """Return True if the system made the approved call."""
        return hasattr(self, "use")

    def superseded_at(self, moment) -> bool:
        """Return True if the contract version that asks for the approval has ended."""
        return self.version.ends_at is not None and self.version.ends_at <= moment

    def state_at(self, moment) -> str:
        """Return one of `STATES`. An approval that was not used in time is expired.

        A request under a contract version that has ended is expired too: the next version may ask other people.
        """
        if self.used:
            return USED
        if self.decided_at is not None and not self.granted:
            return REFUSED
        if self.expires_at <= moment or self.superseded_at(moment):
            return EXPIRED
        return APPROVED if self.granted else WAITING


class ApprovalOpening(models.Model):
    """The moment at which an approver first opened a request. It starts their decision time."""

    not_governed = "the time when a person opened the request, and the answer keeps a copy of the time"

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
    """The content for the approvers of a call: a text or an address. Others get its digest.

    After an erasure `content` is empty. `digest` and `words` (the number of words to read) stay.
    """

    hidden_from_auditors = ("content",)
    not_governed = "the audit log records the digest of the text, and must not keep a copy after the erasure"

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
    """One person's answer to one request. `opened_at` is when they first opened it.

    The holder of the role is `on_behalf_of`, if the person deputises for them.
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
    """The one use of an approval, for the call it was given for."""

    request = models.OneToOneField(ApprovalRequest, models.PROTECT, related_name="use")
    arguments_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"used: {self.request_id}"


class KillSwitch(models.Model):
    """One use of the kill switch, from press to release, and the drill made from it."""

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
