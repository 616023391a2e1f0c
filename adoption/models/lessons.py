"""Rows of lessons: what the library is searched by, and the answers of later initiatives.

Sources: S1-17.2; docs/domain.md, invariant 15.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from adoption.models.postmortems import Lesson
from governance.database.row_history import WrittenOnce
from governance.models import User
from initiatives.models import Initiative


class LessonWords(models.Model):
    """What one lesson of the library is found by; the database writes it (`migrations/guards/post_mortems.sql`).

    A lesson has its row while it is published or confirmed and was not taken out.
    """

    derived = True
    not_governed = "worked out from the lesson by the database"

    lesson = models.OneToOneField(Lesson, models.PROTECT, primary_key=True, related_name="words")
    words = SearchVectorField()
    systems = ArrayField(models.BigIntegerField(), default=list)
    vendors = ArrayField(models.TextField(), default=list)

    class Meta:
        ordering = ["lesson"]
        verbose_name_plural = "lesson words"
        indexes = [
            GinIndex(fields=["words"], name="lessons_by_words", fastupdate=False),
            GinIndex(fields=["systems"], name="lessons_by_systems", fastupdate=False),
            GinIndex(fields=["vendors"], name="lessons_by_vendors", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"words of lesson {self.lesson_id}"


class LessonResponseQuerySet(models.QuerySet):
    def latest(self):  # type: ignore[override]  # of each initiative and lesson, where Django's is one row
        """The newest word of each initiative on each lesson."""
        keys = ("initiative_id", "lesson_id")
        return self.order_by(*keys, "-version").distinct(*keys)


class LessonResponse(WrittenOnce):
    """What an initiative says to a lesson: it applies, and what was done; or it does not, and why. A later one replaces
    it.

    `digest`: of the lesson as it was read.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="lesson_responses")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="responses")
    version = models.PositiveIntegerField()
    applies = models.BooleanField()
    words = models.TextField()
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = LessonResponseQuerySet.as_manager()

    class Meta:
        ordering = ["initiative", "lesson", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "lesson", "version"], name="responses_to_a_lesson_are_numbered"
            ),
            models.CheckConstraint(name="a_response_says_something", condition=~models.Q(words="")),
        ]

    def __str__(self) -> str:
        return f"{'applies' if self.applies else 'does not apply'}: {self.words[:60]}"
