"""The append-only record. Its tables refuse UPDATE, DELETE and TRUNCATE for everybody, by trigger."""

import json

from django.db import models

from governance.history import DatabaseNow, DatabaseSimulated, TransactionId


class EntryQuerySet(models.QuerySet):
    def of_case(self, ref: str):
        """Entries about the case with this reference, newest first."""
        return self.filter(case_ref=ref).select_related("body").order_by("-id")


class Entry(models.Model):
    """One act, or one change of a row: what may be shown without its body. Holds no key that can cascade."""

    kind = models.CharField(max_length=60)
    actor_id = models.BigIntegerField(null=True)
    on_behalf_of_id = models.BigIntegerField(null=True)
    case_ref = models.CharField(max_length=20, blank=True, default="")
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
            models.Index(fields=["case_ref", "-id"]),
            models.Index(fields=["kind", "-id"]),
            models.Index(fields=["actor_id", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def facts(self) -> dict:
        """The body, read back: kind, at, actor, case, reason, facts."""
        return json.loads(bytes(self.body.body))


class EntryBody(models.Model):
    """The exact bytes of an entry and the salt its digest was made with."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, related_name="body")
    body = models.BinaryField()
    salt = models.BinaryField()

    class Meta:
        verbose_name_plural = "entry bodies"

    def __str__(self) -> str:
        return f"body of entry {self.entry_id}"
