"""Rows of models that logs, samples or imports name and no initiative declares."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import Unit, User
from governance.vocabulary import FoundAnswer, FoundSource
from initiatives.models.initiative import Initiative

OF_AN_INITIATIVE = (FoundAnswer.IDEA, FoundAnswer.BELONGS, FoundAnswer.DECLARED)


class FoundModelQuerySet(models.QuerySet):
    def waiting(self):
        """Return the found models without an answer."""
        return self.filter(answer=FoundAnswer.WAITING)

    def to_record(self):
        """Return the found models that an initiative has to record as a component."""
        return self.filter(answer__in=(FoundAnswer.IDEA, FoundAnswer.BELONGS))


class FoundModel(models.Model):
    """A name of a model that something names and no initiative declares. Each board is asked about it once.

    The part that all spellings, providers and dates of the name have in common is `key`
    (`governance.vocabulary.model_names.key_of`). `name` is the first spelling seen, and `unit` that of the first
    initiative, whose chair answers. The model belongs to `initiative`.
    """

    key = models.CharField(max_length=120)
    name = models.CharField(max_length=120)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="found_models")
    found_at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=FoundAnswer.choices, default=FoundAnswer.WAITING)
    reason = models.TextField(blank=True, default="")
    initiative = models.ForeignKey(
        Initiative, models.PROTECT, null=True, blank=True, related_name="found_models"
    )
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = FoundModelQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=~Q(answer=FoundAnswer.NOT_OURS),
                name="a_found_model_waits_or_is_placed_once",
            ),
            models.CheckConstraint(
                name="found_model_answered_means_who_and_when",
                condition=Q(answer=FoundAnswer.WAITING, answered_at__isnull=True, answered_by__isnull=True)
                | Q(answer=FoundAnswer.DECLARED, answered_at__isnull=False, answered_by__isnull=True)
                | Q(
                    answer__in=(FoundAnswer.IDEA, FoundAnswer.BELONGS, FoundAnswer.NOT_OURS),
                    answered_at__isnull=False,
                    answered_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="found_model_names_its_initiative_or_says_why_not",
                condition=Q(answer=FoundAnswer.WAITING, initiative__isnull=True, reason="")
                | Q(answer__in=OF_AN_INITIATIVE, initiative__isnull=False, reason="")
                | Q(answer=FoundAnswer.NOT_OURS, initiative__isnull=True) & ~Q(reason=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["unit"], condition=Q(answer=FoundAnswer.WAITING), name="waiting_found_models_by_unit"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the page of the found model."""
        return f"/found-models/{self.pk}/"


class FoundModelDay(models.Model):
    """The sightings of a found model in one place on one day, until the answer.

    The key in `place` is that of a service key, an item of evidence, or an imported file. It is 0 for interactions from
    a file.
    """

    not_governed = "counts that the worker renews, and the audit log records when the model was found"

    found = models.ForeignKey(FoundModel, models.PROTECT, related_name="days")
    source = models.CharField(max_length=12, choices=FoundSource.choices)
    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="+")
    place = models.PositiveBigIntegerField(default=0)
    day = models.DateField()
    times = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["found", "day", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["found", "source", "initiative", "place", "day"],
                name="a_found_model_is_counted_once_a_day_and_place",
            ),
            models.CheckConstraint(
                name="found_model_day_is_of_a_known_source", condition=Q(source__in=FoundSource.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.found_id}: {self.times} on {self.day}"
