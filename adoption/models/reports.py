"""Reports of behaviour, of problems, and of monitoring, with their sources.

A report is received, a person judges it with an answer, and it becomes an incident or not. The three kinds have
separate tables. The reporter is in `SealedSource` only (docs/adr/0034). Sources: S1-31.1 to
S1-31.4, the rulebook's `adopt.behaviour`, docs/domain.md ("Reports").
"""

import secrets
from datetime import date
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from adoption.models.incidents import Incident
from governance import clock
from governance.database.database_roles import EVERYTHING
from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.runtime import link_tokens
from initiatives.models import Initiative

ADOPTED, WORKED_AROUND, WEAPONISED, IGNORED = "adopted", "worked_around", "weaponised", "ignored"
BEHAVIOUR_REPORT_KINDS = {
    ADOPTED: "People use it, and their work has changed",
    WORKED_AROUND: "People work around it",
    WEAPONISED: "Used against people",
    IGNORED: "People quietly ignore it",
}
# What weighs against `adopt.behaviour` where most of a group does it.
AVOIDED = (WORKED_AROUND, IGNORED)
DISTRUST = (*AVOIDED, WEAPONISED)
BEHAVIOUR_REPORT_SOURCES = {
    "seen": "I saw it myself",
    "told": "Someone who saw it told me",
    "figures": "Figures that I have read",
    "problem": "A problem that a user reported",
    "measurements": "Computed from measurements",
}
EXTENTS = {"most": "Most of the group", "fewer": "Half of the group or fewer", "unknown": "Unknown"}
HALF = 50


HARMS = {
    "none": "No one was harmed",
    "time": "Time or money was lost",
    "person": "Someone was treated wrongly or harmed",
    "unknown": "I do not know",
}
# What a person makes of a report.
ANSWERED, OVER, BEHAVIOUR_REPORT, INCIDENT = "answered", "over", "behaviour-report", "incident"
OUTCOMES = {
    ANSWERED: "answered",
    OVER: "no longer so",
    BEHAVIOUR_REPORT: "became a behaviour report",
    INCIDENT: "became an incident",
}


def new_token() -> str:
    """Return the key of a new report by the public link: 128 random bits as text."""
    return secrets.token_urlsafe(16)


class ReportQuerySet(models.QuerySet):
    def waiting(self):
        """Return reports that a person has to judge."""
        return self.filter(judged_at__isnull=True)


class Report(models.Model):
    """A report about an initiative, with a person's `answer` and its `incident`, if any.

    `slug` names its kind in addresses, notifications, entries and seals, `noun` in sentences.
    """

    slug: ClassVar[str]
    noun: ClassVar[str]
    reported_on: Any
    # Of the kinds that people report:
    sealed_source: Any
    source_questions: Any

    answer = models.TextField(blank=True, default="")
    judged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)
    incident = models.ForeignKey(Incident, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ReportQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="a_judged_%(class)s_says_by_whom_and_what",
                condition=Q(judged_at__isnull=True, judged_by__isnull=True, answer="", incident__isnull=True)
                | Q(judged_at__isnull=False, judged_by__isnull=False) & ~Q(answer=""),
            )
        ]

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("report", args=[self.slug, self.pk])

    @property
    def place(self) -> str:
        """Return its name in entries, notifications and seals: "problem:12"."""
        return f"{self.slug}:{self.pk}"

    @property
    def summary(self) -> str:
        """Return its text for messages."""
        return str(self)

    @property
    def waits(self) -> bool:
        """Return True if a person has to judge it."""
        return self.judged_at is None

    @property
    def finished(self) -> bool:
        """Return True if its outcome is final."""
        return self.judged_at is not None

    @property
    def outcome(self) -> str:
        """Return its outcome, a key of `OUTCOMES`, or "" before any judgement."""
        if self.incident_id is not None:
            return INCIDENT
        return ANSWERED if self.judged_at is not None else ""

    @property
    def state(self) -> str:
        """Return its state in words."""
        return OUTCOMES.get(self.outcome) or ("waits" if self.waits else "received")

    def incident_fields(self) -> dict:
        """Return the fields for its incident, as `open_incident` takes them."""
        return {}


class BehaviourReportQuerySet(ReportQuerySet):
    def waiting(self):
        """Return behaviour reports that the board has to answer."""
        return self.current().filter(kind=WEAPONISED, judged_at__isnull=True)

    def current(self):
        """Return behaviour reports that have not ended."""
        return self.filter(ended_at__isnull=True)

    def distrust(self):
        """Return current reports of people who do not or should not trust it, of any extent."""
        return self.current().filter(kind__in=DISTRUST)

    def against(self):
        """Return current behaviour reports that fail `adopt.behaviour`.

        They are unanswered weaponised ones, and those of avoidance by most.
        """
        return self.current().filter(
            Q(kind=WEAPONISED, judged_at__isnull=True) | Q(kind__in=AVOIDED, extent="most")
        )


class BehaviourReport(Report):
    """The behaviour of one group, from a person's report or from measurements.

    `share` is in percent of the group, if known. `SealedSource` alone has the reporter. This row, its history and its
    entries name no reporter, and have the day but not the hour. `figures` are the input of a computed behaviour report.
    `answer` is that of the board. It no longer applies from `ended_at` on.
    """

    slug: ClassVar[str] = BEHAVIOUR_REPORT
    noun: ClassVar[str] = "behaviour report"

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="behaviour_reports")
    kind = models.CharField(max_length=20, choices=BEHAVIOUR_REPORT_KINDS.items())
    group = models.CharField(max_length=120)
    extent = models.CharField(max_length=10, choices=EXTENTS.items(), default="unknown")
    share = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])
    words = models.TextField()
    source = models.CharField(max_length=20, choices=BEHAVIOUR_REPORT_SOURCES.items())
    computed = models.BooleanField(default=False)
    figures = models.JSONField(default=dict, blank=True)
    observed_on = models.DateField()
    reported_on = models.DateField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.TextField(blank=True, default="")
    once = models.UUIDField(null=True, unique=True, editable=False)

    objects: ClassVar = BehaviourReportQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "-observed_on", "-id"]
        constraints = [
            *Report.Meta.constraints,
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
                name="an_end_of_a_behaviour_report_says_why",
                condition=Q(ended_at__isnull=True) | ~Q(ended_why=""),
            ),
            models.CheckConstraint(
                name="computed_behaviour_reports_come_from_measurements",
                condition=Q(computed=True, source="measurements")
                | Q(computed=False) & ~Q(source="measurements"),
            ),
            models.UniqueConstraint(
                fields=["initiative", "kind", "group"],
                condition=Q(computed=True, ended_at__isnull=True),
                name="one_computed_behaviour_report_per_group",
            ),
        ]
        indexes = [
            models.Index(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="current_reports_by_initiative",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.group}"

    @property
    def waits(self) -> bool:
        """Return True if the board must answer it and has not."""
        return self.kind == WEAPONISED and self.judged_at is None and self.ended_at is None

    @property
    def summary(self) -> str:
        """Return the group and the words of the report."""
        return f"{self.group}: {self.words}"

    @property
    def finished(self) -> bool:
        """Return True if it no longer applies."""
        return self.ended_at is not None

    @property
    def outcome(self) -> str:
        """Return its outcome. An ended one counts before an answer."""
        found = super().outcome
        return found if self.ended_at is None or found == INCIDENT else OVER


class IncidentDraft(Report):
    """A possible incident from alerts of one monitoring rule, until a person judges it."""

    slug: ClassVar[str] = "draft"
    noun: ClassVar[str] = "draft of an incident"

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="incident_drafts")
    rule = models.CharField(max_length=160)
    title = models.CharField(max_length=160)
    severity = models.CharField(max_length=40, blank=True, default="")
    started_at = models.DateTimeField()
    opened_at = models.DateTimeField()

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            *Report.Meta.constraints,
            models.UniqueConstraint(
                fields=["initiative", "rule"],
                condition=Q(judged_at__isnull=True),
                name="one_waiting_draft_per_rule",
            ),
        ]
        indexes = [
            models.Index(
                fields=["initiative"],
                condition=Q(judged_at__isnull=True),
                name="waiting_drafts_by_initiative",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def reported_on(self) -> date:
        """Return the day on which the monitoring reported it."""
        return clock.local_day(self.opened_at)

    def incident_fields(self) -> dict:
        """Return the incident's fields. It began with the first alert and was noticed at its arrival here."""
        return {
            "words": f"Reported by the monitoring, by the rule {self.rule}: {self.title}",
            "started_at": min(self.started_at, self.opened_at),
            "detected_at": self.opened_at,
        }


class ProblemLink(models.Model):
    """The address for reporting problems of one initiative, for everyone who has it.

    Renewing it ends the earlier address.
    """

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
                name="one_open_problem_link_per_initiative",
            )
        ]

    def __str__(self) -> str:
        return f"problem link of {self.initiative_id}"

    @property
    def token(self) -> str:
        """Return the end of its address."""
        return link_tokens.token_of(self)


class ProblemReport(Report):
    """A problem as a user described it.

    `mark`: the hash of the key that opens the answer. `SealedSource` has the contact of the reporter, if given.
    """

    slug: ClassVar[str] = "problem"
    noun: ClassVar[str] = "problem report"

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="problems")
    mark = models.CharField(max_length=64, unique=True, editable=False)
    what = models.TextField()
    happened_on = models.DateField(null=True, blank=True)
    output = models.TextField(blank=True, default="")
    harm = models.CharField(max_length=10, choices=HARMS.items(), default="unknown")
    reported_on = models.DateField()
    behaviour_report = models.ForeignKey(
        BehaviourReport, models.PROTECT, null=True, blank=True, related_name="problems"
    )

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            *Report.Meta.constraints,
            models.CheckConstraint(
                name="a_problem_becomes_one_thing_once_it_is_judged",
                condition=Q(behaviour_report__isnull=True)
                | Q(incident__isnull=True, judged_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["initiative"],
                condition=Q(judged_at__isnull=True),
                name="waiting_problems_by_initiative",
            )
        ]

    def __str__(self) -> str:
        return self.what[:80]

    @property
    def summary(self) -> str:
        """Return what happened."""
        return self.what

    @property
    def outcome(self) -> str:
        """Return its outcome: an incident, a behaviour report, or an answer alone."""
        return BEHAVIOUR_REPORT if self.behaviour_report_id is not None else super().outcome


class SealedSource(models.Model):
    """The reporter of a behaviour report, or the contact of a problem's reporter.

    Only the application can open the bytes. `untold`: 1 if someone asked for the name since the reporter last looked.
    It is a number for the inbox queries.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = (
        "a recorded row would show who acted, and the reporter must stay unknown. The audit log records "
        "each question for the name"
    )

    behaviour_report = models.OneToOneField(
        BehaviourReport, models.CASCADE, null=True, blank=True, related_name="sealed_source"
    )
    problem = models.OneToOneField(
        ProblemReport, models.CASCADE, null=True, blank=True, related_name="sealed_source"
    )
    sealed = models.BinaryField()
    untold = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_sealed_source_is_of_one_thing",
                condition=Q(behaviour_report__isnull=True, problem__isnull=False)
                | Q(behaviour_report__isnull=False, problem__isnull=True),
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(untold=1), name="sources_to_be_told")]

    def __str__(self) -> str:
        return "sealed"


class SourceQuestion(WrittenOnce):
    """The chair's question who reported a behaviour report or a problem.

    It has the reason. The answer is not kept.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="source_questions")
    behaviour_report = models.ForeignKey(
        BehaviourReport, models.PROTECT, null=True, blank=True, related_name="source_questions"
    )
    problem = models.ForeignKey(
        ProblemReport, models.PROTECT, null=True, blank=True, related_name="source_questions"
    )
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_question_is_about_one_source",
                condition=Q(behaviour_report__isnull=True, problem__isnull=False)
                | Q(behaviour_report__isnull=False, problem__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"question for the source of {self.behaviour_report_id or self.problem_id}"
