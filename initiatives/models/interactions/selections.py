"""Rows of selections, bulk readings and performance promises."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from initiatives.models.initiative import Initiative
from initiatives.models.reviews import Consent, ConsentState, rules_of_consent

WAITING, RUNNING, DONE, FAILED, ENDED = "waiting", "running", "done", "failed", "ended"
UNDER_WAY = (WAITING, RUNNING)


class InteractionSelection(models.Model):
    """Interactions of a period by a text or at random, kept as references until a day.

    The text to search is `phrase`, encrypted under the master key `phrase_master`, and removed after the search. The
    search has reached `at` and `row`. `looked`, `unreadable` and `found` count interactions. `digest` is the SHA-256
    over the sealed digests of the selected ones, in order of their rows.
    """

    STATES = {
        WAITING: "Waiting",
        RUNNING: "Looking",
        DONE: "Ready",
        FAILED: "Failed",
        ENDED: "Ended",
    }
    MOST = 1_000  # interactions
    LONGEST = 366  # days, of the period as of the time that it is kept

    not_governed = (
        "references that are kept for some days, and the audit log records their creation and their end"
    )

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="interaction_selections")
    purpose = models.TextField()
    first = models.DateField()
    last = models.DateField()
    model = models.CharField(max_length=120, blank=True, default="")
    by_text = models.BooleanField()
    phrase = models.BinaryField(null=True, blank=True)
    phrase_master = models.CharField(max_length=20, blank=True, default="")
    most = models.PositiveSmallIntegerField()
    until = models.DateField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES.items(), default=WAITING)
    trouble = models.TextField(blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    row = models.BigIntegerField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    looked = models.PositiveBigIntegerField(default=0)
    unreadable = models.PositiveBigIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by"],
                condition=Q(state__in=UNDER_WAY),
                name="one_interaction_selection_at_a_time_per_person",
            ),
            models.CheckConstraint(
                name="a_phrase_is_kept_while_it_is_looked_for",
                condition=Q(state__in=UNDER_WAY) | Q(phrase__isnull=True),
            ),
            models.CheckConstraint(
                name="an_interaction_selection_ends_after_its_days",
                condition=Q(first__lte=F("last"), until__gt=F("last")),
            ),
        ]

    def __str__(self) -> str:
        return f"selection {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("interaction-selection", args=[self.pk])


class SelectedInteraction(models.Model):
    """One reference of a selection. `at` is the moment of the interaction, which finds its row."""

    not_governed = "references that are kept for some days, and the entry of the selection has their digest"

    selection = models.ForeignKey(InteractionSelection, models.CASCADE, related_name="selected")
    interaction = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["selection", "at", "interaction"]
        constraints = [
            models.UniqueConstraint(
                fields=["selection", "interaction"], name="an_interaction_is_selected_once"
            )
        ]

    def __str__(self) -> str:
        return f"interaction {self.interaction}"


class BulkReading(Consent):
    """Permission to read a whole selection, given by a second person."""

    PARTS = ("second",)
    SAME = ("selection", "requested_by")
    OPEN = timedelta(days=7)  # after it was given

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="bulk_readings")
    selection = models.ForeignKey(InteractionSelection, models.PROTECT, related_name="bulk_readings")
    second = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            *rules_of_consent("bulk_reading", ("second",), ("selection", "requested_by")),
            by_whom_and_when(
                "refused", name="bulk_reading_refused_means_who_when_and_why", reason="refused_reason"
            ),
            models.CheckConstraint(
                name="a_bulk_reading_is_answered_once",
                condition=Q(second_at__isnull=True) | Q(refused_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"bulk reading {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the address of the requests to read its selection."""
        return reverse("bulk-readings", args=[self.selection_id])

    @property
    def ends_at(self) -> datetime | None:
        """Return the end, some days after the permission was given, or None before."""
        return self.second_at + self.OPEN if self.second_at else None

    @property
    def state(self) -> ConsentState:
        """Return its state now. The permission ends with its selection."""
        return ConsentState.PAST if self.selection.state != DONE else super().state


class PerformancePromise(models.Model):
    """Promised milliseconds of the median and of 95 in 100 calls, and share of errors.

    It is for the days after its declaration. A newer promise or a withdrawal ends it.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="performance_promises")
    median = models.PositiveIntegerField()
    most = models.PositiveIntegerField()
    errors = models.FloatField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="one_performance_promise_at_a_time",
            ),
            models.CheckConstraint(
                name="performance_promise_can_be_kept",
                condition=Q(median__gte=1, most__gte=F("median"), errors__gte=0, errors__lt=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.median} ms, 95 % in {self.most} ms, {self.errors:.1%} errors"
