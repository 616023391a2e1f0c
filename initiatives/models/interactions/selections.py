"""Rows of interactions that were selected for a purpose, and of leave to read all of a selection at once."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from initiatives.models.initiative import Initiative

WAITING, RUNNING, DONE, FAILED, ENDED = "waiting", "running", "done", "failed", "ended"
UNDER_WAY = (WAITING, RUNNING)


class InteractionSelection(models.Model):
    """Interactions of a case and a period, selected by a text or drawn at random: references until a day, no copies.

    `phrase` is the text looked for, encrypted under the master key `phrase_master`, and removed once the worker has
    looked; `at` and `row` are how far it came. `looked`, `unreadable` and `found` count interactions; `digest` is the
    SHA-256 over the sealed digests of those selected, in order of their rows.
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

    not_governed = "references for some days; that they were asked for, made and ended are entries"

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
    """One reference of a selection; `at` is the moment of the interaction, by which its row is found."""

    not_governed = "references for some days; the entry of the selection has the digest over them"
    not_in_admin = "references; the page of the selection lists them for its readers"

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


class BulkReading(models.Model):
    """Leave for one person to read all of a selection at once: asked for with a reason, given by a second person."""

    OPEN = 7  # days after it was given

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="bulk_readings")
    selection = models.ForeignKey(InteractionSelection, models.PROTECT, related_name="bulk_readings")
    reason = models.TextField()
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            by_whom_and_when("approved", name="bulk_reading_approved_means_who_and_when"),
            by_whom_and_when(
                "refused", name="bulk_reading_refused_means_who_when_and_why", reason="refused_reason"
            ),
            models.CheckConstraint(
                name="nobody_approves_their_own_bulk_reading",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="a_bulk_reading_is_answered_once",
                condition=Q(approved_at__isnull=True) | Q(refused_at__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["selection", "requested_by"],
                condition=Q(approved_at__isnull=True, refused_at__isnull=True),
                name="one_bulk_reading_request_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"bulk reading {self.pk}"
