"""Findings of behaviour reports (docs/adr/0030), and lost trust in Insights (S2-39)."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Subquery

from adoption.models import BehaviourReport, Incident
from adoption.models.reports import EXTENTS, IGNORED, WEAPONISED
from governance.database.request_memo import lists
from governance.templatetags.plumbline import day
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.facts.finding_rules import Wanted as WantedFinding
from initiatives.lifecycle.facts.finding_rules import about
from initiatives.models import Coverage, Initiative
from initiatives.portfolio.insights.figures import Facts, Figure, Wanted

BEHAVIOUR = "adopt.behaviour"
ANSWERERS = "the chair or the adoption seat"


@about(BehaviourReport.objects.against())
def behaviour(keys: list[int]) -> Iterator[tuple[int, WantedFinding]]:
    """Yield behaviour reports that fail the adoption test (rulebook, `adopt.behaviour`)."""
    for row in BehaviourReport.objects.against().filter(initiative__in=keys).order_by("initiative", "pk"):
        words, fix = against(row)
        yield row.initiative_id, WantedFinding(BEHAVIOUR, row.place, words, fix, ANSWERERS)


def against(row: BehaviourReport) -> tuple[str, str]:
    """Return the words of a finding about a behaviour report, and its fix."""
    if row.kind == WEAPONISED:
        return (
            phrase("{}: the system is used against people, and the board has not answered.", row.group),
            phrase("Ask the chair or the adoption seat to answer the report."),
        )
    does = "ignore the system" if row.kind == IGNORED else "work around the system"
    share = f" ({row.share} %)" if row.share is not None else ""
    return phrase("{}: most of the group{} {}.", row.group, share, does), (
        phrase("Find the cause and fix it. The finding ends when measurements no longer show the behaviour.")
        if row.computed
        else (
            phrase(
                "Find the cause and fix it. Then ask the chair or the adoption seat to record that the "
                "behaviour has ended."
            )
        )
    )


def told(row: BehaviourReport, said_day=day) -> str:
    """Return a behaviour report in short: kind, group, share, day.

    It has neither the report's words nor a name. `said_day` formats the day.
    """
    much = (
        phrase("{} of the group", f"{row.share} %") if row.share is not None else EXTENTS[row.extent].lower()
    )
    much = "unknown share of the group" if row.extent == "unknown" else much
    answered = ", answered by the board" if row.judged_at else ""
    return phrase(
        "{}: {}, {}, seen on {}{}.",
        label(row.get_kind_display()),
        row.group,
        much,
        said_day(row.observed_on),
        answered,
    )


# --- Lost trust ------------------------------------------------------------------------------------------------------

PASS, WORSE = "pass", ("fail", "partial")


def trust_lost(facts: Facts) -> set[int]:
    """Return the initiatives that lost trust.

    A passed requirement of adoption fails now, or people avoid the system or suffer by it, or an incident is open. Only
    the contents of behaviour reports are read, never the reporters.
    """
    wanted = facts.wanted
    later = Coverage.objects.filter(
        requirement=OuterRef("requirement"),
        evidence__initiative=OuterRef("evidence__initiative"),
        evidence__withdrawn_at__isnull=True,
    ).exclude(evidence__result="")
    newest = later.order_by("-evidence__observed_on", "-evidence__added_at", "-evidence__pk")
    fallen = Coverage.objects.filter(
        wanted.days("evidence__observed_on"),
        evidence__withdrawn_at__isnull=True,
        evidence__result__in=WORSE,
        requirement__startswith="adopt.",
        evidence=Subquery(newest.values("evidence")[:1]),
    )
    passed = later.filter(evidence__result=PASS)
    distrusted = BehaviourReport.objects.distrust().filter(wanted.days("observed_on"))
    wrong = Incident.objects.felt().filter(wanted.moments("detected_at"))
    found = lists(
        fallen.filter(Exists(passed)).values("evidence__initiative"),
        distrusted.values("initiative"),
        wrong.values("initiative"),
    )
    return set().union(*found)


def why_trust_lost(initiatives: list[Initiative], wanted: Wanted) -> dict[int, list[str]]:
    """Return what lowers trust in words, by initiative."""
    rows = (
        Coverage.objects.filter(
            requirement__startswith="adopt.",
            evidence__initiative__in=[initiative.pk for initiative in initiatives],
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
    for (initiative, requirement), item in newest.items():
        fell = item.result in WORSE and wanted.takes(item.observed_on)
        if fell and (initiative, requirement) in passed:
            asked = wanted.parsed_rulebook.requirements.get(requirement) if wanted.parsed_rulebook else None
            found.setdefault(initiative, []).append(
                f"{asked.question if asked else requirement} {item.get_result_display()} on "
                f"{day(item.observed_on)}, after a pass on "
                f"{day(passed[initiative, requirement].observed_on)}."
            )
    keys = [initiative.pk for initiative in initiatives]
    behaviour_reports = BehaviourReport.objects.distrust().filter(
        wanted.days("observed_on"), initiative__in=keys
    )
    for row in behaviour_reports.order_by("observed_on", "kind", "group"):
        found.setdefault(row.initiative_id, []).append(told(row))
    incidents = Incident.objects.felt().filter(wanted.moments("detected_at"), initiative__in=keys)
    for row in incidents.order_by("detected_at", "pk"):
        found.setdefault(row.initiative_id, []).append(
            phrase(
                "Incident of severity {}, {}, known since {}: {}",
                row.severity,
                row.get_state_display().partition(":")[0].lower(),
                day(row.detected_at),
                row.title,
            )
        )
    return found


TRUST_LOST = Figure(
    "trust-lost",
    phrase("Trust was lost"),
    phrase(
        "An initiative is counted if an adoption requirement passed earlier and failed last time. An "
        "initiative is also counted if people work around, ignore or suffer from the system, or if users "
        "noticed an open incident."
    ),
    trust_lost,
    happened=True,
)
