"""What behaviour reports say against requirements (docs/adr/0030), and in Insights as lost trust (S2-39)."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Subquery

from adoption.models import BehaviourReport, Incident
from adoption.models.reports import EXTENTS, IGNORED, WEAPONISED
from governance.templatetags.plumbline import day
from initiatives.lifecycle.facts.finding_rules import Wanted as WantedFinding
from initiatives.lifecycle.facts.finding_rules import about
from initiatives.models import Coverage, Initiative
from initiatives.portfolio.insights.figures import Facts, Figure, Wanted

BEHAVIOUR = "adopt.behaviour"
ANSWERERS = "the chair or the adoption seat"


@about(BehaviourReport.objects.against())
def behaviour(keys: list[int]) -> Iterator[tuple[int, WantedFinding]]:
    """Behaviour reports by which the test of adoption fails (rulebook, `adopt.behaviour`)."""
    for row in BehaviourReport.objects.against().filter(initiative__in=keys).order_by("initiative", "pk"):
        words, fix = against(row)
        yield row.initiative_id, WantedFinding(BEHAVIOUR, row.place, words, fix, ANSWERERS)


def against(row: BehaviourReport) -> tuple[str, str]:
    """What a behaviour report that weighs against the initiative says there, and what fixes it."""
    if row.kind == WEAPONISED:
        return (
            f"{row.group}: it is used against people, and the board has not answered.",
            "The chair or the adoption seat answers it, with what is done.",
        )
    does = "ignore it" if row.kind == IGNORED else "work around it"
    share = f" ({row.share} %)" if row.share is not None else ""
    return f"{row.group}: most of the group{share} {does}.", (
        "Find out why and change it. When measurements no longer show it, this goes away."
        if row.computed
        else "Find out why and change it; the chair or the adoption seat then says that it is over."
    )


def told(row: BehaviourReport, said_day=day) -> str:
    """A behaviour report beside a figure or on paper: what, of which group, how many, since when; neither words nor a
    name.

    `said_day`: how a day is said there.
    """
    much = f"{row.share} % of the group" if row.share is not None else EXTENTS[row.extent].lower()
    much = "how many is not known" if row.extent == "unknown" else much
    answered = "; the board answered" if row.judged_at else ""
    return f"{row.get_kind_display()}: {row.group}, {much}, seen on {said_day(row.observed_on)}{answered}."


# --- Lost trust ------------------------------------------------------------------------------------------------------

PASS, WORSE = "pass", ("fail", "partial")


def trust_lost(facts: Facts) -> set[int]:
    """A requirement of adoption passed once and does not now; or people avoid it or suffer by it; or an incident is
    open.

    Of behaviour reports it reads what they say, never who said it.
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
    return {
        *fallen.filter(Exists(passed)).values_list("evidence__initiative", flat=True),
        *distrusted.values_list("initiative", flat=True),
        *wrong.values_list("initiative", flat=True),
    }


def why_trust_lost(initiatives: list[Initiative], wanted: Wanted) -> dict[int, list[str]]:
    """By initiative, what lowers trust, in words."""
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
                f"{asked.question if asked else requirement} {item.get_result_display()} on {day(item.observed_on)}, "
                f"after a pass on {day(passed[initiative, requirement].observed_on)}."
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
            f"Incident of severity {row.severity}, {row.get_state_display().partition(':')[0].lower()}, known since "
            f"{day(row.detected_at)}: {row.title}"
        )
    return found


TRUST_LOST = Figure(
    "trust-lost",
    "Trust was lost",
    "A requirement of adoption passed once, and did not when it was last asked; or a behaviour report "
    "stands that people "
    "work around it, ignore it or have it used against them; or an incident that users noticed is not closed.",
    trust_lost,
    happened=True,
)
