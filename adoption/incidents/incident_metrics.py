"""Figures of incidents: mean times to detect and resolve, and open incidents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet

from adoption.models import Incident
from initiatives.contributions import Report


@dataclass(frozen=True)
class Means:
    """The mean times of some incidents, and the number behind each. A mean of zero incidents is None."""

    count: int
    to_detect: timedelta | None
    resolved: int
    to_resolve: timedelta | None


def means(incidents: Iterable[Incident]) -> Means:
    """Return the mean time to detect, of all, and to resolve, of the resolved. Merged ones count with the older one."""
    rows = [row for row in incidents if row.merged_into_id is None]
    lasted = [row.to_resolve for row in rows if row.to_resolve is not None]
    return Means(len(rows), _mean([row.to_detect for row in rows]), len(lasted), _mean(lasted))


def _mean(spans: list[timedelta]) -> timedelta | None:
    return sum(spans, timedelta()) / len(spans) if spans else None


def span_words(span: timedelta | None) -> str:
    """Return a span in its largest fitting unit and the next: "3 h 20 min", "2 days"."""
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
    """Return initiatives with an incident that is not closed."""
    return initiatives.filter(Exists(Incident.objects.unfinished().filter(initiative=OuterRef("pk"))))


OPEN = Report(
    "open-incidents",
    "Open incidents",
    "Initiatives with an incident that is not closed. The incident page shows who leads the response and who "
    "is affected.",
    open_incidents,
)
