"""The append-only audit log. Triggers refuse UPDATE, DELETE and TRUNCATE of its tables for everyone."""

import json
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from governance.database.row_history import DatabaseNow, DatabaseSimulated, TransactionId

# Rows that say who is who, who sits where, and by which rules: what reviews depend on beside their initiatives.
TABLES_OF_PEOPLE = [
    "governance_absence",
    "governance_board",
    "governance_delegation",
    "governance_membership",
    "governance_rulebook",
    "governance_unit",
    "governance_user",
]
ERASED_NAME = "erased"  # what stands for a name in an entry whose body was destroyed


class EntryQuerySet(models.QuerySet):
    def acts(self):
        """Return the acts: decisions, refusals, moves. The row changes that came with them are left out."""
        return self.filter(table="")

    def rows(self):
        """Return the entries of row changes. The database writes each with the row before and after."""
        return self.exclude(table="")

    def of_people(self):
        """Changes of the rows that reviews depend on beside their initiatives: people, seats, places, rules."""
        return self.filter(table__in=TABLES_OF_PEOPLE)

    def of_initiative(self, ref: str):
        """Entries about the initiative with this reference, newest first."""
        return self.filter(initiative_ref=ref).select_related("body").order_by("-id")


class Entry(models.Model):
    """One act, or one change of a row: what may be shown without its body. Holds no key that can cascade."""

    not_governed = "this table is part of the audit log"

    kind = models.CharField(max_length=60)
    actor_id = models.BigIntegerField(null=True)
    on_behalf_of_id = models.BigIntegerField(null=True)
    initiative_ref = models.CharField(max_length=20, blank=True, default="")
    table = models.CharField(max_length=63, blank=True, default="")
    key = models.CharField(max_length=60, blank=True, default="")
    operation = models.CharField(max_length=1, blank=True, default="")
    xact = models.BigIntegerField(db_default=TransactionId(), editable=False)
    request_id = models.CharField(max_length=64, blank=True, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)
    simulated = models.BooleanField(db_default=DatabaseSimulated(), editable=False)
    digest = models.BinaryField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["initiative_ref", "-id"]),
            models.Index(fields=["kind", "-id"]),
            models.Index(fields=["actor_id", "-id"]),
            models.Index(fields=["table", "key", "-id"]),
            models.Index(fields=["xact"]),
            models.Index(fields=["xact"], condition=models.Q(simulated=True), name="entry_simulated"),
            # The inbox tells the newest acts; between two of them stand the changes of hundreds of rows.
            models.Index(fields=["-at", "-id"], condition=models.Q(table=""), name="acts_newest_first"),
            # Whether anybody's account, seat, absence or place changed since a review was last looked at.
            models.Index(
                fields=["-id"], condition=models.Q(table__in=TABLES_OF_PEOPLE), name="entries_of_people"
            ),
            BrinIndex(
                fields=["at"], name="entry_at"
            ),  # grows with the table: a few pages tell where a period lies
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def facts(self) -> dict:
        """Return the parsed body: kind, at, actor, initiative, reason, facts.

        The facts of an erased entry come only from the columns.
        """
        body = bytes(self.body.body)
        if not body:
            said: dict[str, Any] = {
                "kind": self.kind,
                "at": self.at.isoformat(),
                "initiative": None,
                "reason": "",
                "facts": {},
            }
            return said | {"actor": {"id": self.actor_id, "name": ERASED_NAME}}
        return self.read(body)

    @staticmethod
    def read(body) -> dict:
        """Return the bytes of a body, read back."""
        return json.loads(bytes(body))


class EntryBody(models.Model):
    """The exact bytes of an entry and the salt its digest was made with."""

    not_governed = "this table is part of the audit log"

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, related_name="body")
    body = models.BinaryField()
    salt = models.BinaryField()

    class Meta:
        verbose_name_plural = "entry bodies"

    def __str__(self) -> str:
        return f"body of entry {self.entry_id}"


class Checkpoint(models.Model):
    """The signed head of the tree at one size. Its holder can detect a change to any earlier entry."""

    not_governed = "this table is part of the audit log"

    origin = models.CharField(max_length=120)
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.TextField()  # the signed note as it is handed out, to the byte
    at = models.DateTimeField(db_default=DatabaseNow(), editable=False)
    # How far ids of entries were counted, and a transaction id given out after that: see
    # `governance.transparency_log.sealing`.
    counted = models.BigIntegerField()
    running_to = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["size"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"checkpoint {self.pk} of size {self.size}"


class Leaf(models.Model):
    """An entry's place in the tree: the exact bytes that were hashed, and their hash. Positions have no gaps."""

    not_governed = "this table is part of the audit log"

    position = models.BigIntegerField(primary_key=True)
    # Without a constraint in the database: verification finds a leaf without its entry, and sealing is a third faster.
    entry = models.OneToOneField(Entry, models.DO_NOTHING, related_name="leaf", db_constraint=False)
    data = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        verbose_name_plural = "leaves"

    def __str__(self) -> str:
        return f"leaf {self.position}"


class Node(models.Model):
    """The hash over a full subtree of 256, 65,536, ... leaves: so that a proof reads hundreds of rows, not all."""

    not_governed = "computed from the leaves of the audit log"

    level = models.PositiveSmallIntegerField()  # 8, 16, 24, ...: the subtree has 2 ** level leaves
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="nodes_stand_once")]

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class Sealing(models.Model):
    """When a transaction became known: what it wrote is part of every day from then on, and of none before."""

    not_governed = "this table is part of the audit log"

    xact = models.BigIntegerField(primary_key=True)
    checkpoint = models.ForeignKey(Checkpoint, models.DO_NOTHING, related_name="+")
    known_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"transaction {self.xact}, sealed at {self.known_at}"


class Timestamp(models.Model):
    """An outside authority's signature that this checkpoint existed at its time. Append-only."""

    not_governed = "this table is part of the audit log"

    checkpoint = models.ForeignKey(Checkpoint, models.DO_NOTHING, related_name="timestamps")
    url = models.CharField(max_length=250)
    token = models.BinaryField()  # the TimeStampToken in DER, over the SHA-256 of the checkpoint's note
    at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    def __str__(self) -> str:
        return f"time-stamp {self.pk} of checkpoint {self.checkpoint_id}"


class Cosignature(models.Model):
    """A witness's signature of this checkpoint, made after a check that the audit log only grew. Append-only."""

    not_governed = "this table is part of the audit log"

    checkpoint = models.ForeignKey(Checkpoint, models.DO_NOTHING, related_name="cosignatures")
    witness = models.CharField(max_length=250)  # its public key, whose first part is its name
    line = models.TextField()  # the line under the checkpoint's note, to the byte
    at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["checkpoint", "witness"], name="witness_cosigns_once")]
        indexes = [models.Index(fields=["witness", "-checkpoint"])]

    def __str__(self) -> str:
        return f"cosignature {self.pk} of checkpoint {self.checkpoint_id}"


class WitnessRefusal(models.Model):
    """The last answer of a witness, if it did not cosign. `contradicted`: it cosigned another audit log."""

    not_governed = "how the last asking ended, which no rule uses"

    witness = models.CharField(max_length=250, unique=True)  # its public key, as in Cosignature
    contradicted = models.BooleanField()
    words = models.TextField()

    def __str__(self) -> str:
        return self.words
