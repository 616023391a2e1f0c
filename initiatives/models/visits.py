"""When somebody last looked at a page: for "what changed since my last visit". Not governed: it decides nothing."""

from datetime import datetime, timedelta

from django.db import connection, models

from governance.models import User
from initiatives.models.initiative import Initiative
from initiatives.models.reviews import Review

# Looks that follow each other within this time are one visit: a page read twice still tells what it told at first.
ONE_VISIT = timedelta(minutes=30)


class Visit(models.Model):
    """The last look of one person at one thing, and when the visit before this one ended."""

    not_governed = "what one person has seen"
    not_in_admin = "when somebody last looked is theirs alone"

    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    before = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @classmethod
    def look(cls, seen: models.Model, person: User, now: datetime) -> datetime | None:
        """Remember that the person looks at it now. Returns the end of their visit before this one, if any."""
        table, column = cls._meta.db_table, cls._meta.get_field(cls.OF).column
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} AS kept ({column}, person_id, at) VALUES (%s, %s, %s)"
                f" ON CONFLICT ({column}, person_id) DO UPDATE SET at = excluded.at,"
                " before = CASE WHEN kept.at < %s THEN kept.at ELSE kept.before END RETURNING before",
                [seen.pk, person.pk, now, now - ONE_VISIT],
            )
            return cursor.fetchone()[0]


class ReviewVisit(Visit):
    """When somebody last opened a review."""

    OF = "review"

    review = models.ForeignKey(Review, models.CASCADE, related_name="visits")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "person"], name="one_visit_row_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} saw review {self.review_id}"


class CaseVisit(Visit):
    """When somebody last opened the page of a case."""

    OF = "initiative"

    initiative = models.ForeignKey(Initiative, models.CASCADE, related_name="visits")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["initiative", "person"], name="one_case_visit_row_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} saw case {self.initiative_id}"
