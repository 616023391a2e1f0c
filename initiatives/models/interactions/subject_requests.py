"""Rows of requests of persons for their reported data or its erasure."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from initiatives.models.initiative import Initiative
from initiatives.models.interactions.selections import InteractionSelection

ACCESS, ERASURE, BOTH = "access", "erasure", "both"
MET, PARTLY, NOTHING, REFUSED = "met", "partly", "nothing", "refused"


class SubjectRequest(models.Model):
    """A request of one person about reported data (GDPR, Articles 15 and 17).

    Name, identifiers and words of the person are only in a RequestSecret, encrypted. `numbers` are those of the
    initiatives concerned, or empty for all. `due_on` is the last day for an answer: a month after receipt, three if it
    was extended (Article 12(3)).
    """

    KINDS = {ACCESS: "Access", ERASURE: "Erasure", BOTH: "Access and erasure"}
    CHANNELS = {
        "letter": "Letter",
        "mail": "Email",
        "form": "Form",
        "phone": "Telephone",
        "in person": "In person",
    }
    OUTCOMES = {MET: "Met", PARTLY: "Met in part", NOTHING: "No data stored", REFUSED: "Refused"}
    KEPT = 30  # days from closing to the destruction of the data on the person

    kind = models.CharField(max_length=10, choices=KINDS.items())
    channel = models.CharField(max_length=10, choices=CHANNELS.items())
    received_on = models.DateField()
    due_on = models.DateField()
    numbers = models.JSONField(default=list, blank=True)
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    handler = models.ForeignKey(User, models.PROTECT, related_name="subject_requests")
    identified_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    identified_at = models.DateTimeField(null=True, blank=True)
    identified_how = models.TextField(blank=True, default="")
    searched_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    searched_at = models.DateTimeField(null=True, blank=True)
    extended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    extended_at = models.DateTimeField(null=True, blank=True)
    extended_reason = models.TextField(blank=True, default="")
    outcome = models.CharField(max_length=10, choices=OUTCOMES.items(), blank=True, default="")
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")
    legal_basis = models.TextField(blank=True, default="")
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            by_whom_and_when(
                "identified", name="request_identified_means_who_when_and_how", reason="identified_how"
            ),
            by_whom_and_when("searched", name="request_searched_means_who_and_when"),
            by_whom_and_when(
                "extended", name="request_extended_means_who_when_and_why", reason="extended_reason"
            ),
            by_whom_and_when("answered", name="request_answered_means_who_when_and_what", reason="answer"),
            by_whom_and_when("closed", name="request_closed_means_who_and_when"),
            models.CheckConstraint(
                name="nothing_is_searched_before_identity",
                condition=Q(searched_at__isnull=True)
                | Q(identified_at__isnull=False, identified_at__lte=F("searched_at")),
            ),
            models.CheckConstraint(
                name="a_request_is_answered_before_it_is_closed",
                condition=Q(closed_at__isnull=True)
                | Q(answered_at__isnull=False, answered_at__lte=F("closed_at")),
            ),
            models.CheckConstraint(
                name="a_request_with_an_outcome_is_answered",
                condition=Q(answered_at__isnull=True, outcome="")
                | Q(answered_at__isnull=False, outcome__in=[MET, PARTLY, NOTHING, REFUSED]),
            ),
            models.CheckConstraint(
                name="a_refused_request_has_its_legal_basis",
                condition=~Q(outcome__in=[PARTLY, REFUSED]) | ~Q(legal_basis=""),
            ),
            models.CheckConstraint(
                name="a_request_is_due_after_its_receipt", condition=Q(due_on__gt=F("received_on"))
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("subject-request", args=[self.pk])

    @property
    def wants_copy(self) -> bool:
        """Return True if the person asks for a copy of the data."""
        return self.kind in (ACCESS, BOTH)

    @property
    def wants_erasure(self) -> bool:
        """Return True if the person asks for an erasure."""
        return self.kind in (ERASURE, BOTH)

    @property
    def state(self) -> str:
        """Return the progress of the request in words."""
        if self.closed_at:
            return "closed"
        if self.answered_at:
            return "answered"
        if self.searched_at:
            return "under review"
        return "identity checked" if self.identified_at else "received"


class RequestSecret(models.Model):
    """The data on a request's person, or their copy, under the request's key.

    The key of `content` is `wrapped` under that key, an InteractionKey without an initiative. It is destroyed with that
    key, also in every copy of this row. The content is the file of `export`, or the request itself if this is empty.
    """

    not_governed = "encrypted personal data without history, removed after the request was closed"

    request = models.ForeignKey(SubjectRequest, models.CASCADE, related_name="secrets")
    export = models.OneToOneField("SubjectExport", models.CASCADE, null=True, blank=True, related_name="file")
    wrapped = models.BinaryField(max_length=60)
    content = models.BinaryField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(export__isnull=True), name="one_secret_of_a_request"
            )
        ]

    def __str__(self) -> str:
        return f"secret {self.pk} of request {self.request_id}"


class RequestTextSearch(models.Model):
    """A text search in one initiative for a request, by a selection of interactions.

    The text has the number `place` in the secret of the request. `done_at` is set once the hits were taken over.
    `trouble` is the reason if there are none.
    """

    not_governed = "a job that runs for some minutes, and the audit log records the request and the results"

    request = models.ForeignKey(SubjectRequest, models.PROTECT, related_name="text_searches")
    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField()
    first = models.DateField()
    last = models.DateField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    selection = models.ForeignKey(
        InteractionSelection, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)
    looked = models.PositiveBigIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"text {self.place} of request {self.request_id}"


class SubjectHit(models.Model):
    """An interaction that a search for a request found, and its judgement.

    The parts blacked out by hand are `passages`: place in the report, first character, and the one behind the last. The
    row has offsets and no text, and the sealed body does not change.
    """

    PSEUDONYM, TEXT = "pseudonym", "text"
    WAYS = {PSEUDONYM: "by pseudonym", TEXT: "by text"}

    request = models.ForeignKey(SubjectRequest, models.PROTECT, related_name="hits")
    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="+")
    interaction = models.BigIntegerField()
    at = models.DateTimeField()
    way = models.CharField(max_length=10, choices=WAYS.items())
    belongs = models.BooleanField(null=True, blank=True)
    judged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)
    passages = models.JSONField(default=list, blank=True)

    history = governed()

    class Meta:
        ordering = ["request", "at", "interaction"]
        constraints = [
            models.UniqueConstraint(fields=["request", "interaction"], name="an_interaction_is_a_hit_once"),
            by_whom_and_when("judged", name="hit_judged_means_who_and_when"),
            models.CheckConstraint(
                name="a_hit_is_judged_by_somebody",
                condition=Q(belongs__isnull=True, judged_at__isnull=True)
                | Q(belongs__isnull=False, judged_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"hit {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("subject-hit", args=[self.pk])


class SubjectExport(models.Model):
    """The one copy for a person: its size, its digest, and the last day of its file."""

    KEPT = 30  # days

    request = models.ForeignKey(SubjectRequest, models.PROTECT, related_name="exports")
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    interactions = models.PositiveIntegerField()
    blacked = models.PositiveIntegerField()
    unreadable = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(ended_at__isnull=True),
                name="one_copy_for_a_person_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"copy {self.pk}"


class SubjectErasure(WrittenOnce):
    """The erasure for a request: keys destroyed, bodies tried, unopened and left.

    The interactions in `left` share their key with others, so they were not erased.
    """

    request = models.ForeignKey(SubjectRequest, models.PROTECT, related_name="erasures")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    duty = models.CharField(max_length=200)
    keys = models.PositiveIntegerField()
    tried = models.PositiveIntegerField()
    unopened = models.PositiveIntegerField()
    left = models.PositiveIntegerField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="no_body_opens_after_an_erasure", condition=Q(tried=F("unopened")))
        ]

    def __str__(self) -> str:
        return f"erasure for request {self.request_id}"
