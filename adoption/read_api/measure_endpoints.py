"""The measures of an initiative, and their measurements."""

from datetime import date, datetime

from django.db.models import Exists, OuterRef
from django.urls import reverse
from ninja import Query as Parameters
from ninja import Schema
from pydantic import Field

from adoption.measures import queries as measure_queries
from adoption.measures.views import Shown, measure_for
from adoption.models import Measure, Measurement
from adoption.models.measures import CAME
from adoption.read_api.api import Page, PageQuery, endpoint, page_at, paging_of
from governance.models.sign_in import READ_INITIATIVES
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.models import Initiative


class WeekOut(Schema):
    """The figure of a week with its 95 % interval, in words. A week without data has null in each field."""

    week: date = Field(description="Monday of the week")
    point: str | None
    low: str | None
    high: str | None
    n: int | None


class MeasureOut(Schema):
    """A measure of adoption or value, with its verdict today."""

    id: int
    initiative: str
    words: str
    instrument: str
    requirement: str | None
    population: str
    teams: list[str]
    better: str = Field(description="up or down")
    source: str
    target: str
    baseline: str | None
    verdict: str
    why: str
    counts_until: date | None = Field(description="Last day on which the newest figure counts")
    weeks: list[WeekOut] = Field(description="The last 26 weeks until the newest measurement, newest first")
    weeks_without_data: int
    declared_by: str
    declared_at: datetime
    ended_at: datetime | None
    page: str


@endpoint("/initiatives/{ref}/measures", scope=READ_INITIATIVES, answer=Page[MeasureOut])
def measures(request: SignedInRequest, ref: str, query: Parameters[PageQuery]) -> dict:
    """List the measures of an initiative, ended ones too."""
    paging, row = paging_of(request, query), initiative_for(request.user, ref)
    found = paging.of_rows(Measure.objects.filter(initiative=row).select_related("declared_by"))
    subjects = measure_queries.subjects([row.pk], measures=found)[row.pk]
    shown = {measure.pk: Shown(measure, subject) for measure, subject in subjects}
    return paging.page(found, lambda one: _measure(shown[one.pk], row), lambda one: one.pk)


def _measure(one: Shown, row: Initiative) -> dict:
    measure, verdict = one.measure, one.verdict
    return {
        "id": measure.pk,
        "initiative": row.ref,
        "words": measure.words,
        "instrument": measure.instrument,
        "requirement": measure.requirement or None,
        "population": measure.population,
        "teams": measure.teams,
        "better": measure.better,
        "source": measure.source,
        "target": one.target,
        "baseline": one.baseline or None,
        "verdict": verdict.word,
        "why": verdict.words,
        "counts_until": verdict.counts_until,
        "weeks": one.rows,
        "weeks_without_data": one.silent,
        "declared_by": measure.declared_by.full_name,
        "declared_at": measure.declared_at,
        "ended_at": measure.ended_at,
        "page": page_at(reverse("measure", args=[measure.pk])),
    }


class MeasurementOut(Schema):
    """One figure of a measure over a period."""

    id: int
    key: str
    starts_on: date
    ends_on: date
    team: str | None
    about: str
    hits: int | None
    value: float | None
    sd: float | None
    n: int
    others: bool = Field(description="True if no one and nothing in it was measured before")
    came: str
    by: str | None
    replaces: int | None
    corrected: bool
    reason: str | None
    at: datetime


@endpoint("/measures/{int:pk}/measurements", scope=READ_INITIATIVES, answer=Page[MeasurementOut])
def measurements(request: SignedInRequest, pk: int, query: Parameters[PageQuery]) -> dict:
    """List the measurements of a measure, the oldest first."""
    paging, measure = paging_of(request, query), measure_for(request, pk)
    rows = Measurement.objects.filter(measure=measure).select_related("by")
    rows = rows.annotate(corrected=Exists(Measurement.objects.filter(replaces=OuterRef("pk"))))
    return paging.page(paging.of_rows(rows), _measurement, lambda one: one.pk)


def _measurement(row: Measurement) -> dict:
    same = ("key", "starts_on", "ends_on", "about", "hits", "value", "sd", "n", "others", "at", "corrected")
    return {name: getattr(row, name) for name in same} | {
        "id": row.pk,
        "team": row.team or None,
        "came": CAME[row.came],
        "by": row.by.full_name if row.by else None,
        "replaces": row.replaces_id,
        "reason": row.reason or None,
    }
