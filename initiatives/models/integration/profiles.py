"""What was measured on samples of real data, and what changed from one sample to the next (S1-3, S1-25)."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from initiatives.models.initiative import Initiative
from initiatives.models.integration.systems import System
from initiatives.models.versions import ChangeRecord


class Profile(models.Model):
    """What one sample of one system's data looks like, column by column, and by period. The sample itself is not here.

    `columns`: for each its type, blanks, distinct values, patterns, and how they change over `period_column`. `state`:
    a sample is measured beside the server; until it is, and where that failed, `trouble` says so. `kept_until`: the day
    to which somebody asked to keep the file; None: it is gone.
    """

    STATES = {"waiting": "Waiting", "measuring": "Being measured", "measured": "Measured", "failed": "Failed"}

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="profiles")
    system = models.ForeignKey(System, models.PROTECT, related_name="profiles")
    title = models.CharField(max_length=160)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    taken_on = models.DateField()
    state = models.CharField(max_length=12, choices=STATES.items(), default="waiting")
    trouble = models.TextField(blank=True, default="")
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    period_column = models.CharField(max_length=120, blank=True, default="")
    columns = models.JSONField(default=list, blank=True)
    findings = models.JSONField(default=list, blank=True)
    strata = models.JSONField(default=list, blank=True)
    stored = models.CharField(max_length=80, blank=True, default="")
    kept_until = models.DateField(null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    measured_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "system", "-taken_on", "-id"]
        constraints = [
            models.CheckConstraint(
                name="measured_means_when_and_how_many_rows",
                condition=~Q(state="measured") | Q(measured_at__isnull=False, rows__isnull=False),
            ),
            models.CheckConstraint(
                name="a_sample_is_kept_to_a_day", condition=Q(stored="") | Q(kept_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Drift(WrittenOnce):
    """That somebody confirmed what changed between two profiles, and the change that voids what rests on it."""

    earlier = models.ForeignKey(Profile, models.PROTECT, related_name="+")
    later = models.ForeignKey(Profile, models.PROTECT, related_name="drifts")
    findings = models.JSONField()
    change = models.ForeignKey(ChangeRecord, models.PROTECT, null=True, related_name="drifts")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["earlier", "later"], name="one_drift_per_two_profiles")
        ]

    def __str__(self) -> str:
        return f"{self.earlier} to {self.later}"
