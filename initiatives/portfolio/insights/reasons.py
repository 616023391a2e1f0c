"""The reasons why an initiative is counted by a figure of Insights, in words.

An initiative without current support has its reasons among the nine matters of S2-4.1 to S2-4.9.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from governance.contracts.wording import listed
from governance.database.request_memo import one_look
from governance.gates.criteria import Judged, judge
from governance.gates.gate_inputs import without_words
from governance.gates.standards import NOT_MET, standard_of
from governance.models import ContractVersion, Rulebook
from governance.notifications.inbox import CANNOT_BE_JUDGED
from governance.runtime.logging_setup import each_row
from governance.templatetags.plumbline import day, layer_word, stage_word
from governance.vocabulary import Role, ScaleTestOutcome, Stage
from initiatives.contributions import contributed
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.models import Coverage, FundingDecision, Initiative, RoleAssignment, StageChange
from initiatives.portfolio.insights import figures

MATTERS = {
    "funding": "Funding",
    "staffing": "Staffing",
    "support_ownership": "Support ownership",
    "logging": "Logging",
    "workflow_integration": "Workflow integration",
    "risk_management": "Risk management",
    "user_expectations": "User expectations",
    "governance": "Governance",
    "promotion_criteria": "Promotion criteria",
}
MOST = 100  # initiatives judged for one page; beyond that it says so


@dataclass(frozen=True)
class Mismatch:
    """An initiative without current support, and the matters that fall short."""

    initiative: Initiative
    matters: tuple[str, ...]
    broken: bool = False  # it cannot be judged


def judged(
    initiatives: list[Initiative], rulebook: Rulebook, now: datetime
) -> list[tuple[Initiative, Judged | None]]:
    """Return these initiatives as this rulebook judges them, read together, or None for one that fails."""
    with one_look():
        initiative_rows.read_together(initiatives)
        made = each_row(initiatives, lambda one: judge(supported_stage.facts_of(one), rulebook.parsed, now))
        return [(one, found) for one, found, _ in made]


def _missing(judged: Judged, test: str) -> list[str]:
    """Return the unsatisfied requirements of a scale test, in the rulebook's words."""
    return [
        judged.rulebook.requirements[key].question
        for key in judged.rulebook.scale_tests[test].items
        if not judged.states[key].satisfies("production")
    ]


def mismatches_of(initiatives: list[Initiative], rulebook: Rulebook, now: datetime) -> list[Mismatch]:
    """Return each initiative with the matters whose standard for its stage is not met."""
    return [
        Mismatch(
            initiative,
            tuple(
                matter
                for matter in MATTERS
                if one is not None
                and standard_of(one.facts, one.rulebook, one.states, matter, initiative.stage, now).mark
                == NOT_MET
            ),
            broken=one is None,
        )
        for initiative, one in judged(initiatives, rulebook, now)
    ]


QUESTIONS = 2  # that a scale test misses, in full; the rest as a number


def of(key: str, initiatives: list[Initiative], wanted: figures.Wanted) -> dict[int, list[str]]:
    """Return the reasons by initiative of a figure, a few sentences each.

    Initiatives as `with_details` gives them.
    """
    about = key.rpartition("-")[0] if key.startswith(("deployed", "used", "unused")) else key
    write = (WHY | contributed.why).get(about)
    return write(initiatives, wanted) if write and initiatives else {}


def scaling(initiatives: list[Initiative], rulebook: Rulebook | None, now: datetime) -> dict[int, list[str]]:
    """Return for each MVP its passed scale tests, and what its other tests miss."""
    if not initiatives or rulebook is None:
        return {}
    found = {}
    for initiative, one in judged(
        list({initiative.pk: initiative for initiative in initiatives}.values()), rulebook, now
    ):
        if one is None:
            found[initiative.pk] = [CANNOT_BE_JUDGED]
            continue
        missing = {test: [*one.support.against[test], *_missing(one, test)] for test in figures.TESTS}
        outcomes = one.support.tests
        passed = [test for test in missing if outcomes[test] == ScaleTestOutcome.PASSES]
        words = [f"Passes {listed(passed)}."] if passed else []
        words += [
            f"{test.capitalize()} is documented by others. {without_words(one.support.runs_without)}"
            for test in missing
            if outcomes[test] == ScaleTestOutcome.DOCUMENTED
        ]
        for test, questions in missing.items():
            if questions:
                also = " And others." if len(questions) > QUESTIONS else ""
                words.append(f"Fails {test}: {' '.join(questions[:QUESTIONS])}{also}")
        found[initiative.pk] = words
    return found


def _keys(initiatives: Iterable[Initiative]) -> list[int]:
    return [initiative.pk for initiative in initiatives]


def _scaling(initiatives, wanted) -> dict[int, list[str]]:
    return scaling(initiatives, wanted.rulebook, wanted.now)


def _pilots(initiatives, wanted) -> dict[int, list[str]]:
    most = wanted.parsed_rulebook.stages["mvp"].max_days_before_review if wanted.parsed_rulebook else 0
    found = scaling(initiatives, wanted.rulebook, wanted.now)
    for initiative in initiatives:
        over = (wanted.now - initiative.since).days - (most or 0)
        decided = "no decision to continue, to stop or to promote"
        found.setdefault(initiative.pk, []).insert(
            0, f"{over} day{'' if over == 1 else 's'} past its limit of {most} days, {decided}."
        )
    return found


def _usage(initiatives, wanted) -> dict[int, list[str]]:
    rows = (
        Coverage.objects.filter(
            requirement=figures.USAGE,
            evidence__initiative__in=_keys(initiatives),
            evidence__withdrawn_at__isnull=True,
        )
        .exclude(evidence__result="")
        .select_related("evidence")
        .order_by("evidence__observed_on", "evidence__added_at", "evidence_id")
    )
    found = {initiative.pk: ["No evidence of use."] for initiative in initiatives}
    for row in rows:
        item = row.evidence
        found[item.initiative_id] = [
            f"“{item.title}”, observed on {day(item.observed_on)}: {item.get_result_display().lower()}."
        ]
    return found


def _funded(initiatives, wanted) -> dict[int, list[str]]:
    rows = FundingDecision.objects.current().filter(
        wanted.days("decided_on"), initiative__in=_keys(initiatives)
    )
    found: dict[int, list[str]] = {}
    for row in rows.exclude(label="").order_by("decided_on", "pk"):
        money = f"{row.currency} {row.amount:,.0f}" if row.amount is not None else "Money"
        found.setdefault(row.initiative_id, []).append(
            f"{money} on {day(row.decided_on)} by {row.decided_by}: approved {stage_word(row.approved_stage)}, "
            f"evidence "
            f"supported {stage_word(row.supported)}."
        )
    return found


def _oversold(initiatives, wanted) -> dict[int, list[str]]:
    found = _funded(initiatives, wanted)
    for initiative in initiatives:
        if initiative.stage == Stage.MVP and initiative.supported in (Stage.PROPOSED, Stage.PROTOTYPE):
            words = "no stage yet" if initiative.supported == Stage.PROPOSED else "a prototype"
            found.setdefault(initiative.pk, []).insert(
                0, f"Approved as MVP. Current evidence supports {words}."
            )
    return found


def _underdesigned(initiatives, wanted) -> dict[int, list[str]]:
    held = RoleAssignment.objects.in_force().filter(
        initiative__in=_keys(initiatives), role=Role.SUPPORT_OWNER
    )
    supported = set(held.values_list("initiative", flat=True))
    found = {}
    for initiative in initiatives:
        words = [] if initiative.pk in supported else ["No one has accepted the support role."]
        for layer in figures.HARD_LAYERS:
            if (initiative.gap_counts or {}).get(layer):
                words.append(f"Requirements are open in the layer {layer_word(layer).lower()}.")
        found[initiative.pk] = words
    return found


def _too_early(initiatives, wanted) -> dict[int, list[str]]:
    rows = StageChange.objects.filter(initiative__in=_keys(initiatives)).order_by("pk")
    found: dict[int, list[str]] = {}
    live: dict[int, StageChange] = {}
    for row in rows:
        if row.from_stage == Stage.PRODUCTION and row.initiative_id in live:
            days = (row.at - live[row.initiative_id].at).days
            found.setdefault(row.initiative_id, []).append(
                f"Left production on {day(row.at)}, {days} day{'' if days == 1 else 's'} after the "
                f"start: {row.reason}"
            )
        if row.to_stage == Stage.PRODUCTION and row.basis != "import":
            live[row.initiative_id] = row
    for initiative in initiatives:
        if initiative.stage == Stage.PRODUCTION and initiative.unsupported_stages:
            found.setdefault(initiative.pk, []).append(
                f"Current evidence supports {stage_word(initiative.supported)}."
            )
    return found


def _late(initiatives, wanted) -> dict[int, list[str]]:
    keys = _keys(initiatives)
    contracts = dict(
        ContractVersion.objects.filter(contract__initiative__in=keys, starts_at__isnull=False)
        .order_by("-starts_at")
        .values_list("contract__initiative", "starts_at")
    )
    supporters = dict(
        RoleAssignment.objects.filter(initiative__in=keys, role=Role.SUPPORT_OWNER, accepted_at__isnull=False)
        .order_by("-accepted_at")
        .values_list("initiative", "accepted_at")
    )
    found: dict[int, list[str]] = {}
    moved = StageChange.objects.filter(wanted.moments("at"), initiative__in=keys).exclude(basis="import")
    for row in moved.order_by("pk"):
        key = row.initiative_id
        if (row.from_stage, row.to_stage) == ("prototype", "mvp"):
            _came_late(found, row, contracts.get(key), "Became an MVP", "its contract came into force")
        if row.to_stage == Stage.PRODUCTION:
            _came_late(found, row, supporters.get(key), "Went live", "support was accepted")
    return found


def _came_late(found, row: StageChange, first: datetime | None, moved: str, came: str) -> None:
    if first is None or first > row.at:
        then = day(first) if first else "not yet"
        found.setdefault(row.initiative_id, []).append(f"{moved} on {day(row.at)}, before {came} ({then}).")


def _answered(initiatives, wanted) -> dict[int, list[str]]:
    rows = StageChange.objects.filter(initiative__in=_keys(initiatives), to_stage=Stage.STOPPED).order_by(
        "pk"
    )
    return {row.initiative_id: [f"On {day(row.at)}: {row.reason}"] for row in rows}


WHY = {  # by key of a figure, without its stage, beside the contributed `why`
    "scalable": _scaling,
    "trials": _scaling,
    "pilots": _pilots,
    "deployed": _usage,
    "used": _usage,
    "unused": _usage,
    "funded": _funded,
    "oversold": _oversold,
    "underdesigned": _underdesigned,
    "too-early": _too_early,
    "late": _late,
    "answered-no": _answered,
}
