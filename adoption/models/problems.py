"""What users report through the public link of a case, without an account. Source: S1-31, docs/domain.md (signals)."""

import secrets

from django.db import models
from django.db.models import Q

from adoption.models.incidents import Incident
from adoption.models.signals import Signal
from governance.database.row_history import governed
from governance.models import User
from governance.runtime import link_tokens
from initiatives.models import Initiative

WAITING, SIGNALLED, OPENED, ANSWERED = "waiting", "signal", "incident", "answered"
PROBLEM_STATES = {
    WAITING: "Waiting",
    SIGNALLED: "Became a behaviour report",
    OPENED: "Became an incident",
    ANSWERED: "Answered",
}
HARMS = {
    "none": "Nobody was harmed",
    "time": "It cost time or money",
    "person": "Somebody was treated wrongly or came to harm",
    "unknown": "I cannot tell",
}


def new_token() -> str:
    """Return the key of a new report: 128 random bits as text."""
    return secrets.token_urlsafe(16)


class ProblemLink(models.Model):
    """The address at which users report problems of one case; whoever has it may. Renewing it ends the one before."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="problem_links")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="one_open_problem_link_per_case",
            )
        ]

    def __str__(self) -> str:
        return f"problem link of {self.initiative_id}"

    @property
    def token(self) -> str:
        """The end of its address."""
        return link_tokens.token_of(self)


class ProblemReport(models.Model):
    """A problem as a user described it, and what became of it. `mark`: the hash of the key that its reporter reads by.

    How to reach the reporter, where they said so, stands in `SealedSource`.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="problems")
    mark = models.CharField(max_length=64, unique=True, editable=False)
    what = models.TextField()
    happened_on = models.DateField(null=True, blank=True)
    output = models.TextField(blank=True, default="")
    harm = models.CharField(max_length=10, choices=HARMS.items(), default="unknown")
    reported_on = models.DateField()
    state = models.CharField(max_length=10, choices=PROBLEM_STATES.items(), default=WAITING)
    answer = models.TextField(blank=True, default="")
    treated_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    treated_at = models.DateTimeField(null=True, blank=True)
    signal = models.ForeignKey(Signal, models.PROTECT, null=True, blank=True, related_name="problems")
    incident = models.ForeignKey(Incident, models.PROTECT, null=True, blank=True, related_name="problems")
    once = models.UUIDField(null=True, unique=True, editable=False)

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.CheckConstraint(
                name="a_treated_problem_says_what_became_of_it",
                condition=Q(state=WAITING, treated_at__isnull=True, treated_by__isnull=True, answer="")
                | ~Q(state=WAITING) & Q(treated_at__isnull=False, treated_by__isnull=False) & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="a_problem_names_what_it_became",
                condition=Q(state="signal", signal__isnull=False, incident__isnull=True)
                | Q(state="incident", incident__isnull=False, signal__isnull=True)
                | Q(state__in=["waiting", "answered"], signal__isnull=True, incident__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["initiative"], condition=Q(state="waiting"), name="waiting_problems_by_case")
        ]

    def __str__(self) -> str:
        return self.what[:80]
