"""How people behave towards a system: signals, and who reported them, which is kept apart (docs/adr/0034).

Sources: S1-31.1 to S1-31.4, the rulebook's `adopt.behaviour`.
"""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from governance.database.database_roles import EVERYTHING
from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from initiatives.models import Initiative

ADOPTED, WORKED_AROUND, WEAPONISED, IGNORED = "adopted", "worked_around", "weaponised", "ignored"
SIGNAL_KINDS = {
    ADOPTED: "People use it, and their work has changed",
    WORKED_AROUND: "People work around it",
    WEAPONISED: "It is used against people",
    IGNORED: "People quietly ignore it",
}
# What weighs against `adopt.behaviour` where most of a group does it.
AVOIDED = (WORKED_AROUND, IGNORED)
DISTRUST = (*AVOIDED, WEAPONISED)
SIGNAL_SOURCES = {
    "seen": "I saw it myself",
    "told": "Somebody who saw it told me",
    "figures": "Figures that I have read",
    "problem": "A problem that a user reported",
    "readings": "Worked out from readings",
}
EXTENTS = {"most": "Most of the group", "fewer": "Half of the group or fewer", "unknown": "Not known"}
HALF = 50


class SignalQuerySet(models.QuerySet):
    def standing(self):
        """Signals that are still so, as far as anybody said."""
        return self.filter(ended_at__isnull=True)

    def distrust(self):
        """Standing signals of people who do not trust it, or have no reason to, however many they are."""
        return self.standing().filter(kind__in=DISTRUST)

    def against(self):
        """Standing signals by which `adopt.behaviour` fails: weaponised without an answer, avoided by most."""
        return self.standing().filter(
            Q(kind=WEAPONISED, answered_at__isnull=True) | Q(kind__in=AVOIDED, extent="most")
        )


class Signal(models.Model):
    """What one group does with the system, as somebody reported it or as readings show it.

    `share`: percent of the group, where known. Who reported it stands in `SealedSource` and nowhere else: no column of
    this row, no history and no entry names a person who reports, and the day, not the hour, is kept. `figures`: what a
    computed signal was worked out from. `answer` is the board's word; `ended_at` says from when it is no longer so.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="signals")
    kind = models.CharField(max_length=20, choices=SIGNAL_KINDS.items())
    group = models.CharField(max_length=120)
    extent = models.CharField(max_length=10, choices=EXTENTS.items(), default="unknown")
    share = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])
    words = models.TextField()
    source = models.CharField(max_length=10, choices=SIGNAL_SOURCES.items())
    computed = models.BooleanField(default=False)
    figures = models.JSONField(default=dict, blank=True)
    observed_on = models.DateField()
    reported_on = models.DateField()
    answer = models.TextField(blank=True, default="")
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.TextField(blank=True, default="")
    once = models.UUIDField(null=True, unique=True, editable=False)

    objects = SignalQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "-observed_on", "-id"]
        constraints = [
            models.CheckConstraint(
                name="a_signal_is_answered_by_whom_and_when",
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="a_share_is_a_percentage", condition=Q(share__isnull=True) | Q(share__lte=100)
            ),
            models.CheckConstraint(
                name="most_is_more_than_half",
                condition=Q(share__isnull=True)
                | Q(share__gt=HALF, extent="most")
                | Q(share__lte=HALF, extent="fewer"),
            ),
            models.CheckConstraint(
                name="an_end_of_a_signal_says_why", condition=Q(ended_at__isnull=True) | ~Q(ended_why="")
            ),
            models.CheckConstraint(
                name="computed_signals_come_from_readings",
                condition=Q(computed=True, source="readings") | Q(computed=False) & ~Q(source="readings"),
            ),
            models.UniqueConstraint(
                fields=["initiative", "kind", "group"],
                condition=Q(computed=True, ended_at__isnull=True),
                name="one_computed_signal_per_group",
            ),
        ]
        indexes = [
            models.Index(
                fields=["initiative"], condition=Q(ended_at__isnull=True), name="standing_signals_by_case"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.group}"

    @property
    def waits_for_the_board(self) -> bool:
        """Whether the board has not said a word where it must."""
        return self.kind == WEAPONISED and self.answered_at is None and self.ended_at is None


class SealedSource(models.Model):
    """Who reported a signal, or how to reach who reported a problem: bytes that only the application can open.

    `untold`: 1 where somebody asked for the name since its bearer last looked; a number, as desks ask by numbers.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = (
        "whoever acted stands on every recorded row; here that must not be known. Asking for it is an act"
    )

    signal = models.OneToOneField(Signal, models.CASCADE, null=True, blank=True, related_name="sealed_source")
    problem = models.OneToOneField(
        "adoption.ProblemReport", models.CASCADE, null=True, blank=True, related_name="sealed_source"
    )
    sealed = models.BinaryField()
    untold = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_sealed_source_is_of_one_thing",
                condition=Q(signal__isnull=True, problem__isnull=False)
                | Q(signal__isnull=False, problem__isnull=True),
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(untold=1), name="sources_to_be_told")]

    def __str__(self) -> str:
        return "sealed"


class SourceQuestion(WrittenOnce):
    """That the chair asked who reported a signal or a problem, and why. What they were told stands nowhere."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="source_questions")
    signal = models.ForeignKey(Signal, models.PROTECT, null=True, blank=True, related_name="source_questions")
    problem = models.ForeignKey(
        "adoption.ProblemReport", models.PROTECT, null=True, blank=True, related_name="source_questions"
    )
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_question_is_about_one_source",
                condition=Q(signal__isnull=True, problem__isnull=False)
                | Q(signal__isnull=False, problem__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"question for the source of {self.signal_id or self.problem_id}"
