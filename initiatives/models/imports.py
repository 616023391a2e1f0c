"""Imported inventories: the file, every raw row, and what became of each."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.models.people import IMPORTED
from initiatives.models.initiative import Initiative

ROOT = ("Imported", IMPORTED)  # name and code of the unit below which imports put theirs


class InventorySource(models.Model):
    """How files of one publisher are read, as somebody confirmed it: remembered for the next file."""

    key = models.SlugField(max_length=60, unique=True)
    words = models.CharField(max_length=160)
    columns = models.JSONField(default=dict)
    stages = models.JSONField(default=dict)
    fixed = models.JSONField(default=dict)
    dates = models.CharField(max_length=3, blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["words"]

    def __str__(self) -> str:
        return self.words


class ImportBatch(models.Model):
    """One uploaded file. Nothing is live until it is confirmed."""

    source = models.CharField(max_length=60)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    encoding = models.CharField(max_length=40, blank=True, default="")
    uploaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    published_on = models.DateField(null=True, blank=True)
    repeats = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="repeated_by")
    columns = models.JSONField(default=list)
    reading = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        verbose_name_plural = "import batches"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.source})"


class ImportRow(models.Model):
    """One line of a batch as it came, how it was read, what is wrong with it, and what became of it."""

    not_governed = "the source's own words; the batch is governed and holds their fingerprint"

    DECISIONS = {
        "import": "Import",
        "merge": "Merge: the same line twice",
        "triage": "Set aside for triage",
        "reject": "Rejected",
        "unchanged": "Unchanged",
    }

    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField()
    raw = models.JSONField()
    raw_digest = models.CharField(max_length=64)
    mapped = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    decision = models.CharField(max_length=12, choices=DECISIONS.items())
    group = models.CharField(max_length=160, blank=True, default="")
    initiative = models.ForeignKey(
        Initiative, models.PROTECT, null=True, blank=True, related_name="import_rows"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["batch", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_row_per_batch_and_line")]
        indexes = [
            models.Index(fields=["batch", "decision"]),
            models.Index(fields=["raw_digest"]),
            models.Index(fields=["initiative"], condition=Q(initiative__isnull=False), name="rows_of_case"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.decision}"


# What the register takes in as tables; effort by week has pages of its own.
REGISTER_KINDS = {
    "systems": "Systems",
    "links": "Links of cases",
    "accounts": "Service accounts",
    "definitions": "Terms and definitions",
}
ESTATE_KINDS = REGISTER_KINDS | {"efforts": "Effort by week"}
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
