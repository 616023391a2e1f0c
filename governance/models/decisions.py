"""Rows of decisions on systems' calls and of outcomes. Digests of batches seal the decisions."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import DatabaseNow, WrittenOnce
from governance.models.sign_in import ServiceKey
from governance.vocabulary import DecisionOutcome, OutcomeKind


class DecisionBatch(WrittenOnce):
    """Decisions that were written together: the entry that captures this row commits to all of them.

    `digest` is the SHA-256 over the digests of its decisions, in the order of their places.
    """

    spool = models.CharField(
        max_length=60, unique=True
    )  # the file they waited in: what is read twice counts once
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["xact"], name="decision_batches_by_xact")]

    def __str__(self) -> str:
        return f"{self.count} decisions until {self.last_at}"


# The codes of answers to pipelines that ask before a deployment. These are no calls of the system itself.
DEPLOYMENT_CODES = ("deployment_allowed", "deployment_denied")


class PolicyDecisionQuerySet(models.QuerySet):
    def calls(self):
        """Return the decisions on calls of systems, without those on deployments."""
        return self.exclude(code__in=DEPLOYMENT_CODES)


class PolicyDecision(models.Model):
    """One request and its decision, in a table partitioned by month (`at`). No one updates it.

    `digest` commits to the row with its own salt. Personal data in it can therefore be erased while the batch still
    verifies (docs/audit-log.md, Erasure). `request` is the request as it was asked.
    """

    inserted_only = True
    not_governed = "sealed in batches by the entry of its DecisionBatch, and never changed"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    initiative_number = models.PositiveIntegerField()
    version_number = models.PositiveIntegerField(null=True)
    contract_digest = models.CharField(max_length=64, blank=True, default="")
    key_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=240)
    action = models.CharField(max_length=120)
    resource = models.CharField(max_length=240)
    outcome = models.CharField(max_length=16, choices=DecisionOutcome.choices)
    code = models.CharField(max_length=40)
    clauses = models.JSONField(default=list)
    reason = models.TextField()
    request = models.JSONField(default=dict)
    request_id = models.CharField(max_length=80, blank=True, default="")
    approval = models.UUIDField(null=True)
    took_us = models.PositiveIntegerField()
    batch = models.ForeignKey(DecisionBatch, models.DO_NOTHING, related_name="decisions", db_constraint=False)
    place = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=32, null=True)

    objects = PolicyDecisionQuerySet.as_manager()

    class Meta:
        managed = False  # partitioned: made by the migration itself
        db_table = "governance_policydecision"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.outcome}"


class OutcomeReport(models.Model):
    """The outcome of one allowed call, or a call that was done without a decision.

    `decision` is the digest of the decision in the log, `decided_at` its moment. Both are empty if the system did not
    ask, and `action` then names the act. `at` is the moment that the system reports, `reported_at` when the report came
    in.
    """

    inserted_only = True
    not_governed = "a report of a system: rows are added and never changed, and no rule uses them"

    initiative_number = models.PositiveIntegerField()
    key_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=OutcomeKind.choices)
    decision = models.BinaryField(max_length=32, null=True)
    decided_at = models.DateTimeField(null=True)
    action = models.CharField(max_length=100, blank=True, default="")
    at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True, default="")
    reported_at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "kind"], name="one_outcome_of_a_kind_per_decision"),
            models.UniqueConstraint(
                fields=["decision"],
                condition=Q(kind__in=[OutcomeKind.DONE, OutcomeKind.FAILED]),
                name="done_or_failed_and_never_both",
            ),
            models.UniqueConstraint(
                fields=["key_id", "action", "at"],
                condition=Q(decision__isnull=True),
                name="one_report_of_a_call_nobody_asked_about",
            ),
            models.CheckConstraint(
                name="outcome_is_of_a_decision_or_of_a_call_nobody_asked_about",
                condition=Q(decision__isnull=False, decided_at__isnull=False, action="")
                | (
                    Q(decision__isnull=True, decided_at__isnull=True, at__isnull=False, kind=OutcomeKind.DONE)
                    & ~Q(action="")
                ),
            ),
            models.CheckConstraint(
                name="outcome_is_of_a_known_kind", condition=Q(kind__in=OutcomeKind.values)
            ),
        ]
        indexes = [
            models.Index(fields=["initiative_number", "decided_at"], name="outcomes_by_initiative"),
            models.Index(
                fields=["initiative_number", "at"],
                condition=Q(decision__isnull=True),
                name="calls_nobody_asked_about",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action or 'a call that was allowed'}: {self.kind}"


class KeyHeartbeat(WrittenOnce):
    """A system's report for one day that it runs and asks here, even without requests."""

    key = models.ForeignKey(ServiceKey, models.PROTECT, related_name="heartbeats")
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="one_heartbeat_per_key_and_day")]

    def __str__(self) -> str:
        return f"{self.key} on {self.day}"
