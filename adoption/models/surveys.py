"""Surveys: a few questions to the people who work with the AI of an initiative, answered by nobody in particular.

Sources: S0-25 to S0-29.

Nothing leads back to who answered. An invitation is a row that is deleted when it is used. An answer is not a row. It
is added to sums in the one box of its survey. The box is emptied when the survey is closed. Only what may be published
is kept then (ADR 0033).
"""

from django.db import models
from django.db.models import Q

from governance.database.database_roles import EVERYTHING
from governance.database.row_history import governed
from governance.models import User
from initiatives.models import Initiative

LEAST = 5  # answers from which a total may be shown, and people from which a team stands for itself
LANGUAGES = {"en": "English", "de": "Deutsch"}


class Survey(models.Model):
    """One round of questions. `sets`: keys of the sets it asks; `teams`: rows of {name, invited, answered}.

    `results`: what was published when it was closed (adoption.surveys.disclosure_control); None where fewer
    than five answered.
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
        """How many people were, or are to be, invited."""
        return sum(team["invited"] for team in self.teams)

    @property
    def answered(self) -> int:
        """How many answered, once it is closed."""
        return sum(team.get("answered", 0) for team in self.teams)


class Invitation(models.Model):
    """A link that was not used yet. Only the hash of its secret is kept; the row is gone with its use.

    Rows are made together and in random order, so that neither key nor place says which sheet line or mail it was.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = "who has not answered yet is nobody's business; opening and closing the survey are entries"

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="invitations")
    team = models.PositiveSmallIntegerField()
    hash = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"invitation of survey {self.survey_id}"


class AnswerBox(models.Model):
    """Where the answers of an open survey go: one row, rewritten as a whole with each answer, gone when it is closed.

    `answered`: by team, how many; `sums`: by team and question [answers, sum, sum of squares]; `comments`: texts,
    shuffled each time. No team, no moment and no other answer is kept with any of them.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = "a copy of it after each answer would tell the answers apart; what is published is sealed"

    survey = models.OneToOneField(Survey, models.PROTECT, related_name="box")
    answered = models.JSONField(default=dict)
    sums = models.JSONField(default=dict)
    comments = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"box of survey {self.survey_id}"


class SurveyComment(models.Model):
    """What somebody wrote beside their answers, laid down in random order when the survey was closed."""

    not_governed = "words of people who were promised to stay unknown; that one was taken out is an entry"

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="comments")
    text = models.TextField()

    class Meta:
        ordering = ["survey", "id"]

    def __str__(self) -> str:
        return self.text[:80]
