"""What incidents say in numbers: how long until they are noticed and resolved; those that are open in the portfolio."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet

from adoption.models import Incident
from initiatives.contributions import Report


@dataclass(frozen=True)
class Means:
    """The mean times of some incidents, and of how many each is; None where there is none."""

    count: int
    to_detect: timedelta | None
    resolved: int
    to_resolve: timedelta | None


def means(incidents: Iterable[Incident]) -> Means:
    """Mean time to detect, of all, and to resolve, of those that are; merged ones are told by the other."""
    rows = [row for row in incidents if row.merged_into_id is None]
    lasted = [row.to_resolve for row in rows if row.to_resolve is not None]
    return Means(len(rows), _mean([row.to_detect for row in rows]), len(lasted), _mean(lasted))


def _mean(spans: list[timedelta]) -> timedelta | None:
    return sum(spans, timedelta()) / len(spans) if spans else None


def span_words(span: timedelta | None) -> str:
    """A span as people say it, in its largest unit that fits and one below: "3 h 20 min", "2 days"."""
    if span is None:
        return ""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} days"


def open_incidents(initiatives: QuerySet) -> QuerySet:
    """Initiatives with an incident that is not closed."""
    return initiatives.filter(Exists(Incident.objects.unfinished().filter(initiative=OuterRef("pk"))))


OPEN = Report(
    "open-incidents",
    "Open incidents",
    "Something went wrong in use and is not closed: who leads it, and whom it touches, stands on the initiative.",
    open_incidents,
)
