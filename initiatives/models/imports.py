"""Rows of imports with each raw row."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.models.people import IMPORTED
from initiatives.models.initiative import Initiative

OWN_SHEET, OWN = (
    "own-portfolio",
    "Own portfolio",
)  # the source of sheets of one's own initiatives, and its name
ROOT = ("Imported", IMPORTED)  # name and code of the unit below which imports put theirs


class InventorySource(models.Model):
    """The confirmed mapping of one publisher's files, kept for the next file."""

    key = models.SlugField(max_length=60, unique=True)
    words = models.CharField(max_length=160)
    columns = models.JSONField(default=dict)
    stages = models.JSONField(default=dict)
    fixed = models.JSONField(default=dict)
    dates = models.CharField(max_length=3, blank=True, default="")
    sheet = models.CharField(max_length=100, blank=True, default="")
    code_page = models.CharField(max_length=40, blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["words"]

    def __str__(self) -> str:
        return self.words


class ImportBatchQuerySet(models.QuerySet):
    def current(self):
        """Return the files that were not discarded and whose import was not undone."""
        return self.filter(discarded_at__isnull=True, undone_at__isnull=True)


class ImportBatch(models.Model):
    """One uploaded file. Its rows take effect after a confirmation.

    The flag `own` marks the organisation's own portfolio. Rows of others are kept apart from it. A file can be
    discarded before its confirmation, and an import undone while no one works on its rows.
    """

    source = models.CharField(max_length=60)
    own = models.BooleanField(default=False)
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
    discarded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    discarded_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_reason = models.TextField(blank=True, default="")

    objects = ImportBatchQuerySet.as_manager()
    history = governed()

    class Meta:
        verbose_name_plural = "import batches"
        ordering = ["-id"]
        constraints = [
            by_whom_and_when("discarded", name="import_discarded_means_who_and_when"),
            by_whom_and_when("undone", name="import_undone_means_who_and_when"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.source})"

    def get_absolute_url(self) -> str:
        """Return the address of the page of the file."""
        return f"/imports/{self.pk}/"

    @property
    def live(self) -> bool:
        """Return True if its rows were published and the import was not undone."""
        return self.confirmed_at is not None and self.undone_at is None


class ImportRowQuerySet(models.QuerySet):
    def proposing_changes(self):
        """Return rows with unanswered changes of an initiative. Own sheets count before confirmation."""
        waits = Q(batch__source=OWN_SHEET, done_at__isnull=True) | Q(mapped__proposed=True)
        return self.filter(waits, decision="change")


class ImportRow(models.Model):
    """One line of a batch: raw, as it was read, its errors, and its result."""

    not_governed = "the words of the source, and the audit log records their fingerprint"

    DECISIONS = {
        "import": "Import",
        "merge": "Merge: the same line twice",
        "triage": "Needs review",
        "reject": "Rejected",
        "unchanged": "Unchanged",
        "change": "Proposed changes",
    }

    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField()
    raw = models.JSONField()
    raw_digest = models.CharField(max_length=64)
    mapped = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    decision = models.CharField(max_length=12, choices=DECISIONS.items())
    initiative = models.ForeignKey(
        Initiative, models.PROTECT, null=True, blank=True, related_name="import_rows"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        ordering = ["batch", "line"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="one_row_per_batch_and_line"),
        ]
        indexes = [
            models.Index(fields=["batch", "decision"]),
            models.Index(fields=["raw_digest"]),
            models.Index(
                fields=["initiative"], condition=Q(initiative__isnull=False), name="rows_of_initiative"
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.decision}"


class ImportRunQuerySet(models.QuerySet):
    def under_way(self):
        """Return the runs that wait or that the worker does."""
        return self.filter(state__in=["waiting", "running"])


class ImportRun(models.Model):
    """A long import by the worker: its task, its progress and its result.

    The file to read has the name `content`, until it was read. The worker last reported progress at `moved_at`.
    """

    not_governed = "the progress of the worker, and the audit log records the results"

    KINDS = {"upload": "Read", "map": "Read with another mapping", "confirm": "Enter"}
    STATES = {
        "waiting": "Waiting for the worker",
        "running": "Running",
        "done": "Done",
        "failed": "Failed",
        "cancelled": "Cancelled",
    }

    kind = models.CharField(max_length=10, choices=KINDS.items())
    batch = models.ForeignKey(ImportBatch, models.CASCADE, null=True, blank=True, related_name="runs")
    file_name = models.CharField(max_length=200)
    content = models.CharField(max_length=120, blank=True, default="")
    options = models.JSONField(default=dict)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES.items(), default="waiting")
    rows_done = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    moved_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True, default="")

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state__in=["waiting", "running"], batch__isnull=False),
                name="one_run_per_batch",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.file_name}: {self.state}"

    @property
    def under_way(self) -> bool:
        """Return True if the run waits or is running."""
        return self.state in ("waiting", "running")
