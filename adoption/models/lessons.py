"""Rows of lessons: the words for the search, and the answers of initiatives.

Sources: S1-17.2 and docs/domain.md, invariant 15.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from adoption.models.postmortems import Lesson
from governance.database.row_history import WrittenOnce
from governance.models import User
from initiatives.models import Initiative

LESSONS_READ = "mvp.lessons_read"  # the requirement that lessons without an answer fail


class LessonWords(models.Model):
    """The search words of one lesson, written by the database.

    See `migrations/guards/post_mortems.sql`. A lesson has its row while it is published or confirmed and was not taken
    out.
    """

    derived = True
    not_governed = "computed from the lesson by the database"

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
        """Return the newest response of each initiative to each lesson."""
        keys = ("initiative_id", "lesson_id")
        return self.order_by(*keys, "-version").distinct(*keys)


class LessonResponse(WrittenOnce):
    """The response of an initiative to a lesson, as one version.

    A later version replaces it. It has what was done, or why the lesson does not apply. `digest`: of the lesson as it
    was read.
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
