"""Rows of the installation: heartbeats of scheduler and workers, the last run of each task, the data folder."""

from django.db import models
from django.db.models import Q

SCHEDULER, WORKER, WEB = "scheduler", "worker", "web"


class ProcessHeartbeat(models.Model):
    """A process that reports every few seconds that it runs. Web processes report only a wrong clock."""

    not_governed = "a heartbeat that is replaced every few seconds, and no rule uses it"

    kind = models.CharField(
        max_length=10, choices=[(SCHEDULER, "scheduler"), (WORKER, "worker"), (WEB, "web")]
    )
    name = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    clock_off = models.IntegerField(
        default=0, db_default=0
    )  # seconds ahead of the database's, where that is too much

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_heartbeat_per_process")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class TaskRun(models.Model):
    """How one task went last: when it was done, and when and why it failed. One row a task, written over."""

    not_governed = "the last result of a task, and the audit log records the acts of the task"

    name = models.CharField(max_length=120, unique=True)
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")
    failed_in_a_row = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DataFolder(models.Model):
    """The mark of this database's folder of files (`governance.storage.data_folder`). One row at most."""

    not_governed = "a fact about this machine that no backup contains and no rule uses"

    mark = models.CharField(max_length=64)
    marked_at = models.DateTimeField()
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="one_folder_of_files", condition=Q(only=True))]

    def __str__(self) -> str:
        return self.mark
