"""What incidents say in numbers: how long until they are noticed and resolved; with behaviour reports, lost trust.

Lost trust (S2-39) and incidents that are not closed are figures of Insights and reports of the portfolio.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from adoption.models import Incident, Signal
from adoption.signals import findings as signal_findings
from governance.contributions import Report
from governance.templatetags.plumbline import day
from initiatives.insights.figures import Figure, Wanted
from initiatives.models import Coverage, Initiative


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


PASS, WORSE = "pass", ("fail", "partial")


def trust_lost(wanted: Wanted) -> Q:
    """A question of adoption passed once and does not now; or people avoid it or suffer by it; or an incident is open.

    Of signals it reads what they say, never who said it.
    """
    later = Coverage.objects.filter(
        requirement=OuterRef("requirement"),
        evidence__initiative=OuterRef("evidence__initiative"),
        evidence__withdrawn_at__isnull=True,
    ).exclude(evidence__result="")
    newest = later.order_by("-evidence__observed_on", "-evidence__added_at", "-evidence__pk")
    fallen = Coverage.objects.filter(
        wanted.days("evidence__observed_on"),
        evidence__initiative=OuterRef("pk"),
        evidence__withdrawn_at__isnull=True,
        evidence__result__in=WORSE,
        requirement__startswith="adopt.",
        evidence=Subquery(newest.values("evidence")[:1]),
    )
    passed = later.filter(evidence__result=PASS)
    told = Signal.objects.distrust().filter(wanted.days("observed_on"), initiative=OuterRef("pk"))
    wrong = Incident.objects.felt().filter(wanted.moments("detected_at"), initiative=OuterRef("pk"))
    return Q(Exists(fallen.filter(Exists(passed)))) | Q(Exists(told)) | Q(Exists(wrong))


def why_trust_lost(cases: list[Initiative], wanted: Wanted) -> dict[int, list[str]]:
    """By case, what lowers trust, in words."""
    rows = (
        Coverage.objects.filter(
            requirement__startswith="adopt.",
            evidence__initiative__in=[case.pk for case in cases],
            evidence__withdrawn_at__isnull=True,
        )
        .exclude(evidence__result="")
        .select_related("evidence")
        .order_by("evidence__observed_on", "evidence__added_at", "evidence_id")
    )
    passed: dict[tuple, object] = {}
    newest: dict[tuple, object] = {}
    for row in rows:
        place = row.evidence.initiative_id, row.requirement
        newest[place] = row.evidence
        if row.evidence.result == "pass":
            passed[place] = row.evidence
    found: dict[int, list[str]] = {}
    for (case, requirement), item in newest.items():
        fell = item.result in WORSE and wanted.takes(item.observed_on)
        if fell and (case, requirement) in passed:
            asked = wanted.book.requirements.get(requirement) if wanted.book else None
            found.setdefault(case, []).append(
                f"{asked.question if asked else requirement} {item.get_result_display()} on {day(item.observed_on)}, "
                f"after a pass on {day(passed[case, requirement].observed_on)}."
            )
    keys = [case.pk for case in cases]
    signals = Signal.objects.distrust().filter(wanted.days("observed_on"), initiative__in=keys)
    for row in signals.order_by("observed_on", "kind", "group"):
        found.setdefault(row.initiative_id, []).append(signal_findings.told(row))
    incidents = Incident.objects.felt().filter(wanted.moments("detected_at"), initiative__in=keys)
    for row in incidents.order_by("detected_at", "pk"):
        found.setdefault(row.initiative_id, []).append(
            f"Incident of severity {row.severity}, {row.get_state_display().partition(':')[0].lower()}, known since "
            f"{day(row.detected_at)}: {row.title}"
        )
    return found


TRUST_LOST = Figure(
    "trust-lost",
    "Trust was lost",
    "A question of adoption was passed once and is not now; or a signal stands that people work around it, ignore "
    "it or have it used against them; or an incident that users noticed is not closed.",
    trust_lost,
    happened=True,
)


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
