"""Alerts from the monitoring of an initiative, their mapping, and days with data.

Source: docs/domain.md, "What the monitoring says". A machine writes alerts, looks and drafts. A person judges the
drafts.
"""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from adoption.models.reports import IncidentDraft
from governance.database.row_history import WrittenOnce, governed
from governance.models import ServiceKey, User
from initiatives.models import Initiative

ALERTMANAGER, AZURE, OTHER = "alertmanager", "azure", "other"
SENDERS = {ALERTMANAGER: "Alertmanager", AZURE: "Azure Monitor", OTHER: "another sender"}
# What an alert counts as, from the least to the most.
HEARTBEAT, LOOK, DRAFT = "heartbeat", "look", "draft"
BECOMES = {
    HEARTBEAT: "Only shows that monitoring is working",
    LOOK: "Something that monitoring found",
    DRAFT: "A draft of an incident, for a person to judge",
}
MOST_DAYS = 31  # between two looks that may be promised


class MonitoringPromise(models.Model):
    """The longest promised interval of monitoring data, by owner or technical lead."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="monitoring_promises")
    every_days = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="one_monitoring_promise_per_initiative",
            ),
            models.CheckConstraint(
                name="monitoring_is_promised_for_1_to_31_days",
                condition=Q(every_days__gte=1, every_days__lte=MOST_DAYS),
            ),
        ]

    def __str__(self) -> str:
        return f"at least every {self.every_days} days"


class AlertMapping(models.Model):
    """The mapping of alerts of a rule or a severity, both lower case. An empty one means any."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="alert_mappings")
    rule = models.CharField(max_length=160, blank=True, default="")
    severity = models.CharField(max_length=40, blank=True, default="")
    becomes = models.CharField(max_length=12, choices=BECOMES.items())
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "rule", "severity", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "rule", "severity"],
                condition=Q(ended_at__isnull=True),
                name="one_mapping_per_rule_and_severity",
            )
        ]

    def __str__(self) -> str:
        said = [
            f"rule {self.rule}" if self.rule else "",
            f"severity {self.severity}" if self.severity else "",
        ]
        return ", ".join(part for part in said if part) or "every alert"


class MonitoringLook(WrittenOnce):
    """The first data from the monitoring of an initiative on a day, by one key. `at`: the moment."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="monitoring_looks")
    key = models.ForeignKey(ServiceKey, models.PROTECT, related_name="monitoring_looks")
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "-day", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "key", "day"], name="one_monitoring_look_per_key_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key.system} on {self.day}"


class Alert(models.Model):
    """One alert: one row for each fingerprint and start of its sender.

    `first_at` is its first arrival here. `ended_at` is its end, empty while it fires. `body` is the sender's text, cut,
    made safe to show, and emptied after a while. `counts_as` is by the mapping at its arrival.
    """

    not_governed = (
        "alerts arrive in great numbers and are kept for a limited time. Plumbline keeps the days that "
        "had data, the drafts, and the outcomes of drafts"
    )

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="alerts")
    key = models.ForeignKey(ServiceKey, models.PROTECT, related_name="alerts")
    sender = models.CharField(max_length=12, choices=SENDERS.items())
    fingerprint = models.CharField(max_length=200)
    rule = models.CharField(max_length=160)
    severity = models.CharField(max_length=40, blank=True, default="")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    first_at = models.DateTimeField()
    summary = models.CharField(max_length=300)
    link = models.CharField(max_length=500, blank=True, default="")
    body = models.TextField(blank=True, default="")
    counts_as = models.CharField(max_length=12, choices=BECOMES.items())
    draft = models.ForeignKey(IncidentDraft, models.PROTECT, null=True, blank=True, related_name="alerts")

    class Meta:
        ordering = ["initiative", "-first_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "sender", "fingerprint", "started_at"],
                name="one_row_per_alert_and_start",
            ),
            models.CheckConstraint(
                name="no_alert_ends_before_it_starts",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="a_draft_is_made_of_alerts_that_count_as_one",
                condition=Q(draft__isnull=True) | Q(counts_as=DRAFT),
            ),
        ]
        indexes = [
            models.Index(fields=["initiative", "-first_at"], name="newest_alerts_of_initiative"),
            models.Index(fields=["first_at"], name="alerts_by_age"),
        ]

    def __str__(self) -> str:
        return self.summary[:80]
