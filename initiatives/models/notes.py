"""Rows of notes that change no stage, former titles, visits and saved views.

Sources: S1-8.1 (announcement, demo, choice of model and budget move nothing), S1-38 (budgets are given on a demo),
S1-39 (field notes from inside).
"""

from datetime import datetime, timedelta

from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import Layer, Stage
from initiatives.models.initiative import Initiative
from initiatives.models.reviews import Review

EVENT_KINDS = {
    "announcement": "Announcement",
    "demo": "Demo",
    "model_choice": "Choice of model",
    "budget_talk": "Budget talk",
}


class NoteQuerySet(models.QuerySet):
    def current(self):
        """Return the notes that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Note(models.Model):
    """The fields of every note: its author and time, and its withdrawal.

    The database keeps the rest. The key of its form is `once`: a form that is sent twice is one note.
    """

    once = models.UUIDField(null=True, unique=True, editable=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True, default="")

    objects = NoteQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            by_whom_and_when(
                "withdrawn", name="%(class)s_withdrawn_by_whom_and_why", reason="withdrawn_reason"
            )
        ]


class Event(Note):
    """An event around an initiative on a day. It changes no stage and is not evidence."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=EVENT_KINDS.items())
    happened_on = models.DateField()
    words = models.TextField()

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "-happened_on", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.happened_on}"


class FundingDecision(Note):
    """Money given to an initiative, with its approved and supported stage then.

    The stages are frozen. `approved_stage` is "" if the money was given before the registration here.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="funding")
    decided_on = models.DateField()
    decided_by = models.CharField(max_length=160)
    basis = models.TextField()
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    approved_stage = models.CharField(max_length=20, blank=True, default="")
    supported = models.CharField(max_length=20, blank=True, default="")
    label = models.CharField(max_length=60, blank=True, default="")

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "-decided_on", "-id"]
        constraints = [
            *Note.Meta.constraints,
            models.CheckConstraint(
                name="an_amount_has_its_currency",
                condition=Q(amount__isnull=True, currency="")
                | Q(amount__isnull=False, amount__gt=0) & ~Q(currency=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decided_by} on {self.decided_on}"


class Observation(Note):
    """An observation of someone on the initiative, on a day and in one layer.

    The field note is not evidence, and has no effect.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="observations")
    layer = models.CharField(max_length=20, choices=Layer.choices)
    observed_on = models.DateField()
    words = models.TextField()

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "-observed_on", "-id"]

    def __str__(self) -> str:
        return f"{self.get_layer_display()} on {self.observed_on}"


class FormerTitle(WrittenOnce):
    """A former name of an initiative. Search finds it for ever, because people remember it."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="former_titles")
    title = models.CharField(max_length=200)
    until = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.TextField()

    class Meta:
        ordering = ["initiative", "-id"]

    def __str__(self) -> str:
        return self.title


class NotSimilar(WrittenOnce):
    """A statement by someone on an initiative that another is not similar. Both stay apart."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="not_similar")
    other = models.ForeignKey(Initiative, models.PROTECT, related_name="not_similar_to")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                Least("initiative", "other"),
                Greatest("initiative", "other"),
                name="a_pair_is_not_similar_once",
            ),
            models.CheckConstraint(name="a_pair_is_of_two_initiatives", condition=~Q(initiative=F("other"))),
        ]

    def __str__(self) -> str:
        return f"{self.initiative_id} is not similar to {self.other_id}"


class Continuation(WrittenOnce):
    """The chair's permission to continue past the age of a prototype or MVP."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="continuations")
    stage = models.CharField(max_length=20)
    until = models.DateField()
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.CheckConstraint(
                name="only_trials_are_continued", condition=Q(stage__in=[Stage.PROTOTYPE, Stage.MVP])
            )
        ]

    def __str__(self) -> str:
        return f"{self.initiative_id}: {self.stage} until {self.until}"


# Looks that follow each other within this time are one visit: a second look shows the same news.
ONE_VISIT = timedelta(minutes=30)


class Visit(models.Model):
    """The last look of one person at one thing, and the end of the previous visit."""

    not_governed = "the last visits of a person"

    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    before = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @classmethod
    def look(cls, seen: models.Model, person: User, now: datetime) -> datetime | None:
        """Record that the person looks at it now. Return the end of the previous visit, or None."""
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
    """The last time a person opened a review."""

    OF = "review"

    review = models.ForeignKey(Review, models.CASCADE, related_name="visits")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "person"], name="one_visit_row_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} saw review {self.review_id}"


class InitiativeVisit(Visit):
    """The last time a person opened the page of an initiative."""

    OF = "initiative"

    initiative = models.ForeignKey(Initiative, models.CASCADE, related_name="visits")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "person"], name="one_initiative_visit_row_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} saw initiative {self.initiative_id}"


class SavedView(models.Model):
    """A person's named filter of the list of initiatives. `query` is as in an address."""

    not_governed = "a saved view of a person, which no rule uses"

    person = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="one_saved_view_per_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the list with this filter."""
        return f"/initiatives/?{self.query}"
