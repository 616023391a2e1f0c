"""Incidents of systems in use: their timeline, and the terms for reporting them.

Sources: docs/domain.md, invariant 14, the rulebook's trigger `incident`, S0-31, S2-39.5.
"""

from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from initiatives.models import Initiative, System

SEVERITIES = {
    1: "1: people were harmed or could have been, or everything stopped",
    2: "2: wrong results reached people, or many could not work",
    3: "3: users noticed it, and there was a workaround",
    4: "4: only the operators noticed it, and no one was affected",
}
SERIOUS = (1, 2)  # by the rulebook's trigger `incident`
FELT = (1, 2, 3)  # others than those who run it noticed
OPEN, CONTAINED, RESOLVED, CLOSED = "open", "contained", "resolved", "closed"
INCIDENT_STATES = {
    OPEN: "Open",
    CONTAINED: "Contained: no further harm",
    RESOLVED: "Resolved: the system works again",
    CLOSED: "Closed",
}
RUNNING_STATES = (OPEN, CONTAINED)
STATE_RANK = {OPEN: 0, CONTAINED: 1, RESOLVED: 2, CLOSED: 3}
FALLBACKS = {
    "held": "Used, and it worked",
    "failed": "Used, and it did not work",
    "not_used": "Not used",
    "none": "No fallback exists",
}
# Of two reports of one incident, the one that tells more about the fallback, from the least.
FALLBACK_RANK = {"not_used": 0, "held": 1, "none": 2, "failed": 3}
# A line of the timeline is late when it was written so long after what it tells of.
LATE_AFTER = timedelta(minutes=30)


class IncidentQuerySet(models.QuerySet):
    def unfinished(self):
        """Return incidents that are not closed. A merged one is closed, and the other one replaces it."""
        return self.exclude(state=CLOSED)

    def felt(self):
        """Return unclosed incidents that others noticed than those who run the system."""
        return self.unfinished().filter(severity__in=FELT)

    def running(self):
        """Return incidents that are not resolved yet."""
        return self.filter(state__in=RUNNING_STATES)


class Incident(models.Model):
    """An incident: severity, start, detection, people affected, conclusion.

    `reopened_at` is since when it is open again. `affected` is in numbers and words, never names. `merged_into` is the
    same incident opened earlier. `clause_number` is the edge clause of the contract that was drafted from it.
    `no_duty_because` is why no authority needs a report.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="incidents")
    severity = models.PositiveSmallIntegerField(
        choices=SEVERITIES.items(), validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    title = models.CharField(max_length=160)
    words = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, choices=INCIDENT_STATES.items(), default=OPEN)
    started_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    contained_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_words = models.TextField(blank=True, default="")
    wrong_output = models.BooleanField(default=False)
    fallback = models.CharField(max_length=10, choices=FALLBACKS.items(), default="not_used")
    affected_count = models.PositiveIntegerField(null=True, blank=True)
    affected_words = models.CharField(max_length=250, blank=True, default="")
    reported_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    reopened_at = models.DateTimeField(null=True, blank=True)
    lead = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    scribe = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    speaker = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    clause_number = models.PositiveIntegerField(null=True, blank=True)
    no_duty_because = models.TextField(blank=True, default="")
    once = models.UUIDField(null=True, unique=True, editable=False)

    objects = IncidentQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="severities_are_1_to_4", condition=Q(severity__gte=1, severity__lte=4)
            ),
            models.CheckConstraint(
                name="nothing_is_detected_before_it_starts", condition=Q(detected_at__gte=F("started_at"))
            ),
            models.CheckConstraint(
                name="nothing_is_resolved_before_it_starts",
                condition=Q(resolved_at__isnull=True) | Q(resolved_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="nothing_is_contained_before_it_starts",
                condition=Q(contained_at__isnull=True) | Q(contained_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="nothing_is_resolved_before_it_is_contained",
                condition=Q(resolved_at__isnull=True)
                | Q(contained_at__isnull=True)
                | Q(resolved_at__gte=F("contained_at")),
            ),
            models.CheckConstraint(
                name="resolved_means_when",
                condition=Q(state__in=[OPEN, CONTAINED], resolved_at__isnull=True)
                | Q(state=RESOLVED, resolved_at__isnull=False)
                | Q(state=CLOSED),
            ),
            models.CheckConstraint(
                name="closed_means_when_and_why",
                condition=Q(state=CLOSED, closed_at__isnull=False) & ~Q(closed_words="")
                | ~Q(state=CLOSED) & Q(closed_at__isnull=True, merged_into__isnull=True),
            ),
            models.CheckConstraint(
                name="no_incident_is_its_own_duplicate",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
            ),
        ]
        indexes = [
            models.Index(fields=["initiative"], condition=~Q(state="closed"), name="unfinished_incidents")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def serious(self) -> bool:
        """Return True if the severity voids evidence and makes a post-mortem due."""
        return self.severity in SERIOUS

    @property
    def running_since(self) -> datetime:
        """Return since when it is open, which is the time of its last reopening."""
        return self.reopened_at or self.opened_at

    @property
    def source(self) -> str:
        """Return the source of the obligation that it causes."""
        return f"incident:{self.pk}"

    @property
    def all_deadlines(self) -> models.QuerySet["Deadline"]:
        """Return its reporting deadlines, and those of its duplicates. Those of a duplicate are met, or run on here."""
        return Deadline.objects.filter(Q(incident=self) | Q(incident__merged_into=self))

    @property
    def to_detect(self) -> timedelta:
        """Return the time from its start to its detection."""
        return self.detected_at - self.started_at

    @property
    def to_resolve(self) -> timedelta | None:
        """Return the time from its start to its resolution, or None while it lasts."""
        return self.resolved_at - self.started_at if self.resolved_at else None


class IncidentSystem(WrittenOnce):
    """A system of the register that an incident touched, named when it was known."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="systems")
    system = models.ForeignKey(System, models.PROTECT, related_name="incidents")
    at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "system"], name="an_incident_names_a_system_once")
        ]

    def __str__(self) -> str:
        return str(self.system)


class IncidentLine(WrittenOnce):
    """A line of the timeline: words, moment, author, and moment of writing."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="lines")
    happened_at = models.DateTimeField()
    words = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "happened_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="a_line_tells_of_what_happened", condition=Q(happened_at__lte=F("at")) & ~Q(words="")
            )
        ]

    def __str__(self) -> str:
        return self.words[:80]

    @property
    def late(self) -> bool:
        """Return True if the line was written long after its moment."""
        return self.at - self.happened_at > LATE_AFTER


class ReportingDuty(models.Model):
    """A template of a legal term for reporting an incident, kept by admins.

    It is not legal advice. `days` count from the day of becoming aware.
    """

    name = models.CharField(max_length=160, unique=True)
    days = models.PositiveSmallIntegerField(validators=[MaxValueValidator(365)])
    applies = models.TextField()
    source = models.CharField(max_length=250)
    in_use = models.BooleanField(default=True)

    history = governed()

    class Meta:
        verbose_name_plural = "reporting duties"
        ordering = ["days", "name"]

    def __str__(self) -> str:
        return self.name


class Deadline(models.Model):
    """The last day to report an incident, by the template as the clock started."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="deadlines")
    duty = models.ForeignKey(ReportingDuty, models.PROTECT, related_name="deadlines")
    words = models.CharField(max_length=160)
    source = models.CharField(max_length=250)
    aware_on = models.DateField()
    due = models.DateField()
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    met_at = models.DateTimeField(null=True, blank=True)
    met_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    met_words = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["due", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "duty"],
                condition=Q(met_at__isnull=True),
                name="one_running_clock_per_duty",
            ),
            models.CheckConstraint(
                name="a_deadline_is_met_by_whom_and_how",
                condition=Q(met_at__isnull=True, met_by__isnull=True, met_words="")
                | Q(met_at__isnull=False, met_by__isnull=False) & ~Q(met_words=""),
            ),
            models.CheckConstraint(name="a_deadline_follows_its_start", condition=Q(due__gte=F("aware_on"))),
        ]

    def __str__(self) -> str:
        return f"{self.words} by {self.due}"
