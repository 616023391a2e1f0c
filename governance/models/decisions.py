"""Rows of decisions on calls of running systems: written in batches, sealed by the batch's digest."""

from django.db import models

from governance.database.row_history import WrittenOnce
from governance.vocabulary import DecisionOutcome


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

    def __str__(self) -> str:
        return f"{self.count} decisions until {self.last_at}"


class PolicyDecision(models.Model):
    """One question and its answer, in a table partitioned by month (`at`), which nobody updates.

    `digest` commits to the row with its own salt, so that what is personal in it can be erased while the batch still
    verifies (docs/record.md, Erasure). `request` is the question as it was asked.
    """

    not_governed = "sealed in batches: the entry of its DecisionBatch commits to it; rows are never changed"
    not_in_admin = (
        "questions hold personal data, and are millions; the case has a page of them for its people"
    )

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    case_number = models.PositiveIntegerField()
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

    class Meta:
        managed = False  # partitioned: made by the migration itself
        db_table = "governance_policydecision"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.outcome}"
