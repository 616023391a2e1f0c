"""Rows of what AI systems did: an index of encrypted bodies, the bodies, their keys, sealed batches."""

from django.db import models
from django.db.models import Q

from governance.database.database_roles import EVERYTHING
from governance.database.row_history import DatabaseNow, WrittenOnce


class InteractionBatch(WrittenOnce):
    """Interactions that were written together: the entry that captures this row commits to all of them.

    `root` is that of the RFC 6962 tree over their digests, in the order of their places. `day` (UTC) is that on which
    they came in.
    """

    spool = models.CharField(
        max_length=60, unique=True
    )  # the file they waited in: what is read twice counts once
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    day = models.DateField()
    root = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["xact"], name="interaction_batches_by_xact")]

    def __str__(self) -> str:
        return f"{self.count} interactions until {self.last_at}"


class InteractionKey(models.Model):
    """The key of a month of a person in an initiative, or of an unnamed conversation.

    `holder` is a pseudonym. `initiative_number` is empty on keys from before each had one initiative. `wrapped` is the
    key, encrypted under the master key `master`, which is in a file. If `wrapped` is gone, every body under the key is
    gone for good, and this row has the time.
    """

    hidden_from_auditors = ("wrapped",)
    not_governed = "keys of bodies that are encrypted anew each month, and destroyed if a person is erased"

    holder = models.BinaryField(max_length=16)
    initiative_number = models.PositiveIntegerField(null=True)
    month = models.CharField(max_length=7)
    master = models.CharField(max_length=20)
    wrapped = models.BinaryField(max_length=60, null=True)
    made_at = models.DateTimeField(db_default=DatabaseNow())
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "initiative_number", "month"],
                condition=Q(wrapped__isnull=False),
                name="one_interaction_key_of_a_month",
            ),
            models.CheckConstraint(
                name="interaction_key_is_there_or_destroyed",
                condition=Q(wrapped__isnull=False, destroyed_at__isnull=True)
                | Q(wrapped__isnull=True, destroyed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.pk} of {self.month}"


class InteractionDigest(models.Model):
    """The leaf of an interaction whose row expired before others of its batch.

    The root of the batch can be computed only with this leaf. `month` is that of the row.
    """

    inserted_only = True
    not_governed = "digests of interactions that retention removed, and the audit log records each removal"

    batch = models.ForeignKey(
        InteractionBatch, models.DO_NOTHING, related_name="digests", db_constraint=False, db_index=False
    )
    place = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)
    month = models.CharField(max_length=7)

    class Meta:
        ordering = ["batch", "place"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "place"], name="one_interaction_digest_of_a_place")
        ]

    def __str__(self) -> str:
        return f"place {self.place} of batch {self.batch_id}"


class InteractionBodies(models.Model):
    """Up to which day (UTC, of receipt) the bodies of an initiative have expired and are removed, but those under a
    hold.
    """

    not_governed = "the progress of retention, and the audit log records each removal"

    initiative_number = models.PositiveIntegerField(unique=True)
    gone_through = models.DateField()

    class Meta:
        ordering = ["initiative_number"]

    def __str__(self) -> str:
        return f"bodies of initiative {self.initiative_number} are gone through {self.gone_through}"


class InteractionBody(models.Model):
    """The body of one report, encrypted, in a table partitioned by month of receipt, and its wrapped key.

    `day` is that of its batch. A function of the owner empties the table (`governance.interaction_retention.expiry`).
    """

    inserted_only = True
    hidden_from_auditors = EVERYTHING
    not_governed = "the row of the interaction has the digest of the body, and bodies are never changed"

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    initiative_number = models.PositiveIntegerField()
    batch_id = models.BigIntegerField()
    place = models.PositiveIntegerField()
    content = models.BinaryField()
    wrapped = models.BinaryField(max_length=60)

    class Meta:
        managed = False  # partitioned: made by the migration itself
        db_table = "governance_interactionbody"
        ordering = ["batch_id", "place"]

    def __str__(self) -> str:
        return f"body {self.place} of batch {self.batch_id}"


class Interaction(models.Model):
    """One report of a system, in a table partitioned by month (`at`). No one updates it.

    The body is another row. These columns are clear: times, initiative, key, kind, the sender's name of the act, model,
    version, pseudonyms, decision, tokens, sizes, duration and failure. Three columns are True if the report has input,
    output and sources. They are unknown for rows from before 2026-12. `call` names the span (or the line) within the
    initiative, `mark` what is kept once. `decision` is the digest of the decision that it names. `unread` are names of
    attributes that may hold words and have no field. The body alone has their values. `at` is the sender's moment, or
    the moment of receipt if the sender's clock cannot be right (`odd_clock`).
    """

    inserted_only = True
    not_governed = "sealed in batches by the entry of its InteractionBatch, and never changed"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    initiative_number = models.PositiveIntegerField()
    key_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=10)
    action = models.CharField(max_length=100, blank=True, default="")
    has_input = models.BooleanField(default=False)
    has_output = models.BooleanField(default=False)
    has_source = models.BooleanField(null=True)
    failed = models.BooleanField(null=True)
    milliseconds = models.PositiveIntegerField(null=True)
    unread = models.JSONField(null=True)
    call = models.BinaryField(max_length=16)
    mark = models.BinaryField(max_length=16)
    conversation = models.BinaryField(max_length=16, null=True)
    subject = models.BinaryField(max_length=16, null=True)
    decision = models.BinaryField(max_length=32, null=True)
    model = models.CharField(max_length=120, blank=True, default="")
    version = models.CharField(max_length=120, blank=True, default="")
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    size = models.PositiveIntegerField()
    stored = models.PositiveIntegerField()
    odd_clock = models.BooleanField()
    sampled = models.FloatField(null=True)
    holder_key = models.BigIntegerField()
    batch = models.ForeignKey(
        InteractionBatch, models.DO_NOTHING, related_name="interactions", db_constraint=False
    )
    place = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        managed = False  # partitioned: made by the migration itself
        db_table = "governance_interaction"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model or 'an unnamed model'}"
