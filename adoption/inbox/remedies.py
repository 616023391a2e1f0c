"""Where a finding of adoption against an initiative is fixed: measures, behaviour reports, lessons, by what the person
may do.

Contributed as `fixes`, by what a finding is about.
"""

from django.urls import reverse

from adoption.lessons import permissions as lesson_permissions
from adoption.measures import permissions as measure_permissions
from adoption.models import Measure
from adoption.models.reports import BEHAVIOUR_REPORT
from adoption.reports import permissions as report_permissions
from initiatives.models import Initiative


def _measure(initiative: Initiative, may, source: str) -> list[tuple[str, str]]:
    """The measurement that is missing, where it is typed or asked for; a measure that is missing is declared."""
    key = source.rsplit(":", 1)[-1]
    row = (
        Measure.objects.current().filter(pk=int(key), initiative=initiative).first()
        if key.isdecimal()
        else None
    )
    if row is None:
        there = (reverse("measure-declare", args=[initiative.ref]), "Declare a measure")
        return [there] if measure_permissions.may_declare(initiative, may.person) else []
    if not measure_permissions.may_read(initiative, may.person):
        return []
    if row.how.asked_by:
        return [(reverse("survey-add", args=[initiative.ref]), "Ask in a survey")]
    return [(reverse("measure", args=[row.pk]), "Add measurement")]


def _behaviour_report(initiative: Initiative, may, source: str) -> list[tuple[str, str]]:
    words = (
        "Answer the behaviour report"
        if report_permissions.may_answer(initiative, may.person)
        else "Read the behaviour report"
    )
    return [(reverse("report", args=[BEHAVIOUR_REPORT, int(source.partition(":")[2])]), words)]


def _lesson(initiative: Initiative, may, source: str) -> list[tuple[str, str]]:
    there = (reverse("lessons-answer", args=[initiative.ref]), "Answer the lesson")
    return [there] if lesson_permissions.may_answer(initiative, may.person) else []


FIXES = {"measure": _measure, BEHAVIOUR_REPORT: _behaviour_report, "lesson": _lesson}
