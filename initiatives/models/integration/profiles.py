"""Rows of data profiles of systems, and of confirmed drift (S1-3, S1-25)."""

from django.db import models

from governance.database.row_history import WrittenOnce
from governance.models import User
from initiatives.models.initiative import Initiative
from initiatives.models.integration.systems import System
from initiatives.models.versions import ChangeRecord


class Profile(WrittenOnce):
    """A description of one data set of a system, from another tool or counted here.

    Each of `columns` has its name and type and, if known, its share of missing values, its distinct values and its
    patterns. The failed checks and drift are in `findings`, with kind, column and words. The file is not kept.
    """

    TOOLS = {
        "count": "Counted by Plumbline",
        "great_expectations": "Great Expectations",
        "evidently": "Evidently",
        "ydata": "ydata-profiling",
    }

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="profiles")
    system = models.ForeignKey(System, models.PROTECT, related_name="profiles")
    data_set = models.CharField(max_length=160)
    tool = models.CharField(max_length=20, choices=TOOLS.items())
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    taken_on = models.DateField()
    rows = models.PositiveBigIntegerField(null=True)
    duplicates = models.PositiveBigIntegerField(null=True)
    columns = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "system", "-taken_on", "-id"]

    def __str__(self) -> str:
        return self.data_set

    @property
    def changes(self) -> list[dict]:
        """Return the findings that, once confirmed, end evidence that rests on the data."""
        return [one for one in self.findings if one["kind"] in ("schema", "drift", "rows")]


class Drift(WrittenOnce):
    """The confirmed changes of a profile, and the change that voids evidence."""

    profile = models.OneToOneField(Profile, models.PROTECT, related_name="drift")
    findings = models.JSONField()
    change = models.ForeignKey(ChangeRecord, models.PROTECT, null=True, related_name="drifts")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.profile)
