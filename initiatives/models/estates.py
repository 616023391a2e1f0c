"""Tables and documents from which an estate enters the register: read, mapped, looked at, confirmed."""

from django.db import models
from django.db.models import Q

from governance.history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when

ESTATE_KINDS = {
    "systems": "Systems",
    "links": "Links of cases",
    "accounts": "Service accounts",
    "definitions": "Terms and definitions",
    "efforts": "Effort by week",
}
ROW_STATES = {
    "new": "New",
    "same": "As it is in the register",
    "differs": "Differs from the register",
    "wrong": "Cannot be read",
    "skipped": "Left out",
    "entered": "Entered",
    "replaced": "Replaced what was there",
}


class EstateMapping(models.Model):
    """Which column of a table means which field, remembered for tables with the same headers. `headers`: their hash."""

    kind = models.CharField(max_length=20, choices=ESTATE_KINDS.items())
    headers = models.CharField(max_length=64)
    columns = models.JSONField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    history = governed()

    class Meta:
        ordering = ["kind", "id"]
        constraints = [models.UniqueConstraint(fields=["kind", "headers"], name="one_mapping_per_headers")]

    def __str__(self) -> str:
        return f"{self.kind}: {len(self.columns)} columns"


class EstateQuerySet(models.QuerySet):
    def standing(self):
        """Tables that nobody dropped."""
        return self.filter(dropped_at__isnull=True)


class EstateBatch(models.Model):
    """One table or document that was read: nothing is in the register until somebody confirms its rows."""

    kind = models.CharField(max_length=20, choices=ESTATE_KINDS.items())
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    headers = models.JSONField(default=list)
    columns = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = EstateQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "estate batches"
        constraints = [by_whom_and_when("confirmed", name="estate_confirmed_means_who_and_when")]
        indexes = [models.Index(fields=["sha256"], name="estates_by_digest")]

    def __str__(self) -> str:
        return self.file_name


class RowQuerySet(models.QuerySet):
    def waiting(self):
        """Rows that enter once their table is confirmed: new ones, and different ones of which something is taken."""
        return self.filter(Q(state="new") | Q(state="differs") & ~Q(takes=[]))


class EstateRow(models.Model):
    """One row as it was read, what it would become, and what was done with it. `takes`: fields that replace others."""

    not_governed = "what was read and is not in the register; what enters has its own history"

    batch = models.ForeignKey(EstateBatch, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    raw = models.JSONField()
    mapped = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ROW_STATES.items())
    problems = models.JSONField(default=list, blank=True)
    takes = models.JSONField(default=list, blank=True)
    entered = models.BigIntegerField(null=True, blank=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        ordering = ["batch", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="estate_rows_by_line")]
        indexes = [models.Index(fields=["batch", "state"], name="estate_rows_by_state")]

    def __str__(self) -> str:
        return f"{self.batch_id}, line {self.line}"
