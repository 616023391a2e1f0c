"""Anonymous surveys of the people who work with the AI of an initiative.

Sources: S0-25 to S0-29. The rows do not lead back to who answered. An invitation is a row that is deleted when it is
used. An answer is not a row. It is added to sums in the one box of its survey. The box is emptied when the survey is
closed. Only what may be published is kept then (ADR 0033).
"""

from django.db import models
from django.db.models import Q

from governance.database.database_roles import EVERYTHING
from governance.database.row_history import governed
from governance.models import User
from initiatives.models import Initiative

LEAST = 5  # answers that a total needs, and people that a separate team needs
LANGUAGES = {"en": "English", "de": "Deutsch"}


class Survey(models.Model):
    """One round of questions.

    `sets` are keys of question sets, `teams` rows of {name, invited, answered}. `results` were published when it was
    closed (adoption.surveys.disclosure_control), None for fewer than five answers.
    """

    DRAFT, OPEN, CLOSED = "draft", "open", "closed"
    STATES = {DRAFT: "Draft", OPEN: "Open", CLOSED: "Closed"}

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="surveys")
    title = models.CharField(max_length=120)
    language = models.CharField(max_length=2, choices=LANGUAGES.items(), default="en")
    sets = models.JSONField(default=list)
    teams = models.JSONField(default=list)
    closes = models.DateField()
    state = models.CharField(max_length=6, choices=STATES.items(), default=DRAFT)
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    results = models.JSONField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"], condition=Q(state="open"), name="one_open_survey_of_a_initiative"
            ),
            models.CheckConstraint(
                name="an_open_survey_was_opened",
                condition=Q(state="draft", opened_at__isnull=True, opened_by__isnull=True)
                | ~Q(state="draft") & Q(opened_at__isnull=False, opened_by__isnull=False),
            ),
            models.CheckConstraint(
                name="a_closed_survey_was_closed",
                condition=~Q(state="closed") & Q(closed_at__isnull=True, closed_by__isnull=True)
                | Q(state="closed", closed_at__isnull=False, closed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="results_of_five_answers_of_a_closed_survey",
                condition=Q(results__isnull=True) | Q(state="closed", results__answered__gte=LEAST),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def invited(self) -> int:
        """Return the number of people who were, or are to be, invited."""
        return sum(team["invited"] for team in self.teams)

    @property
    def answered(self) -> int:
        """Return the number of answers, once it is closed."""
        return sum(team.get("answered", 0) for team in self.teams)


class Invitation(models.Model):
    """An unused link.

    Only the hash of its secret is kept, and the row is deleted on use. Rows are made together and in random order, so
    that neither key nor place shows which sheet line or email it was.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = (
        "the survey must not reveal who has not answered yet. The audit log records when the survey "
        "is opened and closed"
    )

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="invitations")
    team = models.PositiveSmallIntegerField()
    hash = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"invitation of survey {self.survey_id}"


class AnswerBox(models.Model):
    """The sums of an open survey: one row, rewritten with each answer, deleted on closing.

    `answered` has counts by team, `sums` [answers, sum, sum of squares] by team and question. `comments` are shuffled
    each time. No team, no moment and no other answer is kept with any comment.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = "the history of the sums would reveal single answers. The published result is sealed"

    survey = models.OneToOneField(Survey, models.PROTECT, related_name="box")
    answered = models.JSONField(default=dict)
    sums = models.JSONField(default=dict)
    comments = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"box of survey {self.survey_id}"


class SurveyComment(models.Model):
    """A comment beside an answer, placed in random order when the survey was closed."""

    not_governed = "comments of people who must stay unknown. The audit log records each removal of a comment"

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="comments")
    text = models.TextField()

    class Meta:
        ordering = ["survey", "id"]

    def __str__(self) -> str:
        return self.text[:80]
