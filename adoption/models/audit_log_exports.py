"""Exports of the audit log: asked for on a page, written by the worker, kept for days."""

from django.db import models
from django.db.models import Q

from governance.models import User
from initiatives.models import Initiative

WAITING, RUNNING, DONE, FAILED, ERASED = "waiting", "running", "done", "failed", "erased"


class AuditLogExportQuerySet(models.QuerySet):
    def under_way(self):
        """Return exports that wait for the worker or are being written."""
        return self.filter(state__in=(WAITING, RUNNING))

    def with_file(self):
        """Return exports that may have a file in the store: written, or being written."""
        return self.filter(state__in=(WAITING, RUNNING, DONE))


class AuditLogExport(models.Model):
    """The audit log of an initiative, or from `first` to `last`, as its asker's file.

    `tries` counts the worker's attempts. The file is erased at `until`. `taken_at` is the last download.
    """

    STATES = {
        WAITING: "Waiting",
        RUNNING: "Being written",
        DONE: "Ready",
        FAILED: "Failed",
        ERASED: "Erased",
    }

    not_governed = (
        "a file that is kept for some days. The audit log records requests, downloads and the erasure"
    )

    initiative = models.ForeignKey(
        Initiative, models.PROTECT, null=True, blank=True, related_name="audit_log_exports"
    )
    first = models.DateField(null=True, blank=True)
    last = models.DateField(null=True, blank=True)
    with_files = models.BooleanField(default=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES.items(), default=WAITING)
    trouble = models.TextField(blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    file_name = models.CharField(max_length=120, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    entries = models.PositiveBigIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    taken_at = models.DateTimeField(null=True, blank=True)

    objects = AuditLogExportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["by"],
                condition=Q(state__in=(WAITING, RUNNING)),
                name="one_audit_log_export_at_a_time_per_person",
            ),
            models.CheckConstraint(
                name="an_audit_log_export_is_of_a_initiative_or_of_days",
                condition=Q(initiative__isnull=False, first__isnull=True, last__isnull=True)
                | Q(initiative__isnull=True, first__isnull=False, last__isnull=False),
            ),
            models.CheckConstraint(
                name="an_audit_log_export_that_is_ready_says_until_when",
                condition=~Q(state=DONE) | Q(done_at__isnull=False, until__isnull=False) & ~Q(sha256=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=Q(state__in=(WAITING, RUNNING, DONE)),
                name="audit_log_exports_with_file",
            )
        ]

    def __str__(self) -> str:
        return f"Audit log of {self.of_words}"

    def get_absolute_url(self) -> str:
        """Return the address of its page, which only its asker can open."""
        return f"/exports/{self.pk}/"

    @property
    def of_words(self) -> str:
        """Return the scope in words."""
        if self.initiative is not None:
            return str(self.initiative.ref)
        return f"{self.first} to {self.last}"

    @property
    def under_way(self) -> bool:
        """Return True if it waits or is being written: `AuditLogExportQuerySet.under_way`."""
        return self.state in (WAITING, RUNNING)

    @property
    def ready(self) -> bool:
        """Return True if its file can be taken."""
        return self.state == DONE
