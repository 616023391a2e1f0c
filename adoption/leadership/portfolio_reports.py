"""Reports of the portfolio about what came of the cases. A filter is handed cases annotated with their standing."""

from django.db.models import Exists, OuterRef, QuerySet

from adoption.models import Incident
from governance.contributions import Report


def open_incidents(cases: QuerySet) -> QuerySet:
    """Cases with an incident that is not closed."""
    return cases.filter(Exists(Incident.objects.unfinished().filter(initiative=OuterRef("pk"))))


REPORTS = [
    Report(
        "open-incidents",
        "Open incidents",
        "Something went wrong in use and is not closed: who leads it, and whom it touches, stands on the case.",
        open_incidents,
    )
]
