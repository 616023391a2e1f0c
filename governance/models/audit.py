"""Rows of audit: samples drawn from the audit log, and the entries in them with their conclusions."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models.audit_log import Entry
from governance.models.constraints import by_whom_and_when
from governance.models.people import User


class Sample(models.Model):
    """Drawn entries. Anyone can repeat the draw from the search, the seed and the bound."""

    name = models.CharField(max_length=120)
    purpose = models.TextField()
    search = models.JSONField()
    seed = models.CharField(max_length=64)
    size = models.PositiveIntegerField()  # asked for; fewer are drawn where fewer were found
    bound = models.BigIntegerField()  # drawn from the positions below it: the size of a checkpoint
    root = models.CharField(max_length=64)  # what that checkpoint signed, in hexadecimal
    found = models.PositiveIntegerField()
    strata = models.JSONField()  # [{"gate", "seat", "found", "drawn"}], in order
    drawn_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()
    finished_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [by_whom_and_when("finished", name="finished_means_who_and_when")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of the sample."""
        return f"/audit/samples/{self.pk}/"

    @property
    def finished(self) -> bool:
        """Return True if its conclusions are final."""
        return self.finished_at is not None


class SampledEntry(models.Model):
    """One entry of a sample, with what the auditor noted and concluded."""

    SATISFIED, EXCEPTION, NOT_APPLICABLE = "satisfied", "exception", "not_applicable"
    CONCLUSIONS = {SATISFIED: "Satisfied", EXCEPTION: "Exception", NOT_APPLICABLE: "Not applicable"}

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="drawn")
    place = models.PositiveIntegerField()  # from 1, in the order of the draw
    entry = models.ForeignKey(Entry, models.DO_NOTHING, related_name="+")
    position = models.BigIntegerField()
    gate = models.CharField(max_length=60, blank=True, default="")
    seat = models.CharField(max_length=60, blank=True, default="")
    notes = models.TextField(blank=True, default="")
    conclusion = models.CharField(max_length=20, choices=CONCLUSIONS.items(), blank=True, default="")
    words = models.TextField(blank=True, default="")
    concluded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    concluded_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["sample", "place"]
        verbose_name_plural = "sampled entries"
        constraints = [
            models.UniqueConstraint(fields=["sample", "place"], name="one_place_in_a_sample"),
            models.UniqueConstraint(fields=["sample", "entry"], name="an_entry_is_drawn_once"),
            models.CheckConstraint(
                name="concluded_means_who_and_when",
                condition=Q(conclusion="", concluded_at__isnull=True, concluded_by__isnull=True)
                | ~Q(conclusion="") & Q(concluded_at__isnull=False, concluded_by__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_not_satisfied_says_why",
                condition=Q(conclusion__in=["", "satisfied"]) | ~Q(words=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} of sample {self.sample_id}"

    def get_absolute_url(self) -> str:
        """Return the address of the page that shows and concludes the entry."""
        return f"/audit/samples/{self.sample_id}/entries/{self.place}/"
