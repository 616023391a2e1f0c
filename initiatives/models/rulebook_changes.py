"""Rows of rulebook drafts that people edit, and of forecasts of their effects."""

from django.db import models
from django.db.models import Q

from governance import clock
from governance.database.row_history import governed
from governance.models import Rulebook, User
from governance.models.audit_log import Entry
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models.initiative import Initiative
from initiatives.models.reviews import Review


class DraftQuerySet(models.QuerySet):
    def current(self):
        """Return the drafts that were neither loaded as a version nor dropped."""
        return self.filter(loaded__isnull=True, dropped_at__isnull=True)


class RulebookDraft(models.Model):
    """A copy of a rulebook that people edit. Its history keeps its `number` of texts.

    A loaded version never changes, so a draft is a separate row until it is loaded. The text has the name in `version`.
    """

    version = models.CharField(max_length=40)
    base = models.ForeignKey(Rulebook, models.PROTECT, related_name="+")
    source = models.TextField()
    digest = models.CharField(max_length=64)
    number = models.PositiveIntegerField(default=1)
    said = models.CharField(max_length=250, blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    loaded = models.ForeignKey(Rulebook, models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = DraftQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="a_draft_is_loaded_or_dropped",
                condition=Q(loaded__isnull=True) | Q(dropped_at__isnull=True),
            ),
            models.CheckConstraint(name="drafts_are_counted_from_one", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"Draft of {self.version}"


class ForecastQuerySet(models.QuerySet):
    def of(self, digest: str):
        """Return the forecasts of exactly this text, newest first."""
        return self.filter(digest=digest).order_by("-pk")


class Forecast(models.Model):
    """The effects of a rulebook text in place of the one in force.

    The worker computes it, for the initiatives as they are, published on `day`. `entry` is the last entry of the audit
    log that it includes. `outcome` is the SHA-256 of its result, which publishing names.
    """

    WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
    STATES = {WAITING: "Waiting", RUNNING: "In progress", DONE: "Done", FAILED: "Failed"}

    not_governed = "computed from the audit log, which also records the request and the publication"

    draft = models.ForeignKey(RulebookDraft, models.PROTECT, null=True, blank=True, related_name="forecasts")
    version = models.CharField(max_length=40)
    source = models.TextField()
    digest = models.CharField(max_length=64)
    in_force = models.ForeignKey(Rulebook, models.PROTECT, related_name="+")
    day = models.DateField()
    grace_until = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=STATES.items(), default=WAITING)
    trouble = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)
    entry = models.BigIntegerField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(null=True, blank=True)
    totals = models.JSONField(default=dict, blank=True)
    outcome = models.CharField(max_length=64, blank=True, default="")

    objects = ForecastQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="a_done_forecast_says_of_when",
                condition=~Q(state="done")
                | Q(computed_at__isnull=False, entry__isnull=False) & ~Q(outcome=""),
            ),
        ]
        indexes = [models.Index(fields=["digest", "-id"], name="forecasts_by_text")]

    def __str__(self) -> str:
        return f"Effects of {self.version}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return f"/rulebook-effects/{self.pk}/"

    @property
    def under_way(self) -> bool:
        """Return True if it waits or is running."""
        return self.state in (self.WAITING, self.RUNNING)

    @property
    def ahead(self) -> bool:
        """Return True if it was computed for a later day."""
        return bool(self.computed_at) and self.day > clock.local_day(self.computed_at)

    def acts_since(self):
        """Return the acts on initiatives since it was computed, without refusals."""
        return (
            Entry.objects.acts()
            .filter(id__gt=self.entry)
            .exclude(initiative_ref="")
            .exclude(kind=EntryKind.REFUSED)
        )


class Foreseen(models.Model):
    """The forecast of a change for one initiative or its open review.

    Support falls by `falls` stages, or rises if negative. The fields `unmet` and `met` are the requirements that an
    initiative newly lacks or meets, as [key, who answers], and `because` has others that change support. Sign-offs are
    in `sign_offs` as [id, seat, person, counts now, why no longer]. For a review, `before` and `after` are
    "decidable" or "", and `why` has the blockers in words. An unchanged subject has no row.
    """

    INITIATIVE, REVIEW = "initiative", "review"
    WHATS = {INITIATIVE: "Initiative", REVIEW: "Open review"}

    not_governed = "computed from the audit log, like the forecast"

    forecast = models.ForeignKey(Forecast, models.CASCADE, related_name="rows")
    what = models.CharField(max_length=10, choices=WHATS.items())
    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="+")
    review = models.ForeignKey(Review, models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    before = models.CharField(max_length=20, blank=True, default="")
    after = models.CharField(max_length=20, blank=True, default="")
    label = models.CharField(max_length=60, blank=True, default="")
    falls = models.SmallIntegerField(default=0)
    unmet = models.JSONField(default=list, blank=True)
    met = models.JSONField(default=list, blank=True)
    because = models.JSONField(default=list, blank=True)
    held = models.JSONField(default=list, blank=True)
    freed = models.JSONField(default=list, blank=True)
    obligation = models.CharField(max_length=10, blank=True, default="")
    due = models.DateField(null=True, blank=True)
    sign_offs = models.JSONField(default=list, blank=True)
    why = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["forecast", "id"]
        verbose_name_plural = "foreseen"
        constraints = [
            models.UniqueConstraint(
                fields=["forecast", "what", "initiative", "review"],
                nulls_distinct=False,
                name="foreseen_once",
            )
        ]
        indexes = [models.Index(fields=["forecast", "what", "falls"], name="foreseen_by_fall")]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.initiative_id} in forecast {self.forecast_id}"
