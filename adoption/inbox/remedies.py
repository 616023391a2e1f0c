"""The pages that fix a finding of adoption, by what the person may do.

The findings are about measures, behaviour reports and lessons.

Contributed as `fixes`, by the subject of a finding.
"""

from collections.abc import Collection
from datetime import date

from django.urls import reverse

from adoption.lessons import permissions as lesson_permissions
from adoption.measures import permissions as measure_permissions
from adoption.measures import queries as measure_queries
from adoption.measures.evaluation import judge
from adoption.models import Measure
from adoption.models.instruments import ASKED
from adoption.models.reports import BEHAVIOUR_REPORT
from adoption.reports import permissions as report_permissions
from governance.database.request_memo import once
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.models import Initiative


def _measure(initiative: Initiative, may, source: str) -> list[tuple[str, str]]:
    """Return the page for a missing measurement, or for declaring a missing measure."""
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
        return [(reverse("initiative-act", args=[initiative.ref, "write-survey"]), "Ask in a survey")]
    return [(reverse("measure", args=[row.pk]), "Add measurement")]


def renewal(
    initiative: Initiative, key: str, item, near: Collection[int] = ()
) -> tuple[str, str, str, int | None]:
    """Return where the figures of a requirement are renewed.

    The result is the address, the words, the role and the person. Newer measurements are filed. Otherwise the measure
    with the oldest measurements gets a newer one, from the person who declared it.
    """
    keys = tuple(sorted({initiative.pk, *near}))
    found = once(("measures", keys), lambda: measure_queries.subjects(keys))[initiative.pk]
    judged = [(measure, judge(subject)) for measure, subject in found if measure.requirement == key]
    if not judged:
        return reverse("measure-declare", args=[initiative.ref]), "Declare a measure", Role.OWNER, None
    measure, verdict = min(judged, key=lambda one: one[1].read_until or date.min)
    if item is not None and verdict.read_until is not None and verdict.read_until > item.observed_on:
        return (
            reverse("adoption", args=[initiative.ref]),
            "File the results of the measures",
            Role.OWNER,
            None,
        )
    if measure.how.asked_by:
        return (
            reverse("initiative-act", args=[initiative.ref, "write-survey"]),
            "Ask in a survey",
            Role.OWNER,
            None,
        )
    return (
        reverse("measure", args=[measure.pk]),
        phrase("Add a measurement"),
        Role.OWNER,
        measure.declared_by_id,
    )


RENEWALS = dict.fromkeys(ASKED, renewal)


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
