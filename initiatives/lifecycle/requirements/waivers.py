"""Waivers by chair and risk seat, on the owner's request, for 90 days at most.

See docs/domain.md, invariant 12.
"""

from collections.abc import Iterator
from datetime import timedelta

from governance import clock
from governance.gates import criteria
from governance.models import Rulebook
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, BoardRole
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access.roles_and_seats import is_acting_chair
from initiatives.lifecycle.consents.consent_kinds import RISK_SEAT, Kind, Part, wrong_day
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative.act import rewrite_supported_stage
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.requirements.waiver_forms import WaiverForm
from initiatives.models import Initiative, Waiver
from initiatives.models.initiative import gate_out_of


def _form(request, initiative: Initiative, context: dict, rows: list[Waiver]) -> WaiverForm | None:
    groups = _choices(initiative, context, rows)
    if not groups:
        return None
    choices = [("", "Choose one"), *groups]
    initial = {"key": request.GET.get("key", "")}
    return WaiverForm(
        sent(request), initial=initial, choices=choices, longest=_rulebook().freshness.waiver_max_days
    )


def _wrong(waiver: Waiver) -> dict[str, str]:
    """Return a waiver's errors: not waivable, twice in a row, too many at once.

    Scale tests are never waived (docs/domain.md, invariant 10).
    """
    rulebook, key, longest = _rulebook(), waiver.key, _rulebook().freshness.waiver_max_days
    wrong, stand = wrong_day(waiver.until, longest), waiver.initiative.waivers
    waivable = (key in rulebook.criteria and rulebook.waivable_criterion(key)) or (
        key in rulebook.requirements and rulebook.waivable_requirement(key)
    )
    if not waivable:
        wrong["key"] = (
            "The rulebook does not allow a waiver for this requirement. Choose a different requirement."
        )
    pause = clock.today() - timedelta(days=longest)
    waived = covered(rulebook, key)
    for earlier in stand.filter(refused_at__isnull=True, until__gte=pause).order_by("-until"):
        # The same that waits for an answer is a conflict, which `ask` names.
        waits = earlier.key != key and earlier.until >= clock.today()
        if (earlier.granted_at or waits) and waived & covered(rulebook, earlier.key):
            wrong["key"] = (
                f"The waiver for “{_question(earlier)}” until {day(earlier.until)} covers this already. A requirement "
                "cannot have two waivers in a row. Meet the requirement with evidence."
            )
            break
    if stand.filter(refused_at__isnull=True, until__gte=clock.today()).count() >= rulebook.waivers_max:
        wrong["key"] = (
            f"The initiative already has {rulebook.waivers_max} waivers, the most that are allowed at once. "
            "Meet one of the waived requirements, or wait until a waiver ends."
        )
    return wrong


def covered(rulebook: ParsedRulebook, key: str) -> frozenset[str]:
    """Return what a waiver of this criterion or requirement covers: itself, and the requirements of a criterion."""
    criterion = rulebook.criteria.get(key)
    return frozenset({key, *(criterion.requirements if criterion else ())})


def _after(waiver: Waiver, initiative: Initiative) -> None:
    if waiver.granted_at:
        rewrite_supported_stage(initiative)


def _choices(initiative: Initiative, context: dict, rows: list[Waiver]) -> list[tuple[str, list]]:
    """Return what is open and can be waived: for the approved stage, then for the next gate."""
    rulebook = context["rulebook"]
    approved = [
        rulebook.gate_to(stage) for stage in RUNNING_STAGES[1 : STAGE_RANK.get(initiative.stage, 0) + 1]
    ]
    ahead = rulebook.gates.get(gate_out_of(initiative.stage))
    taken: set[str] = set()
    offered: set[str] = set()
    for row in rows:
        if row.refused_at is None and row.until >= clock.today():
            taken |= covered(rulebook, row.key)
    groups = []
    for words, gates in (
        (f"Open for {stage_word(initiative.stage)}", approved),
        (f"Open for {ahead.title}" if ahead else "", [ahead] if ahead else []),
    ):
        found = {
            key: question
            for gate in gates
            for key, question in _open(context["judged_next"], gate)
            if key not in offered and not taken & covered(rulebook, key)
        }
        offered |= found.keys()
        if found:
            groups.append((words, list(found.items())))
    return groups


def _open(judged: criteria.Judged, gate) -> Iterator[tuple[str, str]]:
    """Yield key and question of each unmet requirement that can be waived."""
    rulebook, later = judged.rulebook, judged.rulebook.deferred(gate)
    for finding in judged.at_gate(gate.key):
        criterion = finding.criterion
        if not finding.met and rulebook.waivable_criterion(criterion.key):
            yield criterion.key, criterion.question
        for state in finding.requirements:
            if (
                not state.satisfies(gate.key)
                and state.key not in later
                and rulebook.waivable_requirement(state.key)
            ):
                yield state.key, rulebook.requirements[state.key].question


def _rulebook() -> ParsedRulebook:
    return Rulebook.objects.current().parsed


def _question(row: Waiver) -> str:
    rulebook = _rulebook()
    known = rulebook.requirements.get(row.key) or rulebook.criteria.get(row.key)
    return known.question if known else row.key


def worth_nothing(initiative: Initiative) -> list[str]:
    """Return sentences on open holds that stop the initiative even with a waiver."""
    rulebook, now = _rulebook(), clock.now()
    facts = supported_stage.facts_of(initiative)
    ahead = rulebook.gates.get(gate_out_of(initiative.stage))
    wanted = ahead.to if ahead is not None and ahead.to in STAGE_RANK else initiative.stage
    told = []
    for hold in criteria.holds_at(facts, rulebook, now):
        capped = hold.cap is not None and STAGE_RANK.get(wanted, 0) > STAGE_RANK[hold.cap]
        if hold.blocking or capped:
            why = ended(f"Held: {hold.words[:1].lower()}{hold.words[1:]}. {hold.reason}")
            told.append(
                f"{why} A waiver has no effect until this hold is closed. The end date of the waiver stays the same."
            )
    return told


WAIVERS = Kind(
    model=Waiver,
    entries=(
        EntryKind.WAIVER_REQUESTED,
        EntryKind.WAIVER_AGREED,
        EntryKind.WAIVER_REFUSED,
        EntryKind.WAIVER_LAPSED,
    ),
    slug="waiver",
    one="a waiver",
    title="Waivers",
    introduction=(
        "A waiver lets the initiative continue without one requirement until a set day. The requirement "
        "must be met after that day. A requirement cannot have two waivers in a row. Requirements that "
        "are not in the list below cannot be waived."
    ),
    section="waivers",
    signature="waiver",
    parts=(
        Part("chair", "chair", "the chair", is_acting_chair, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)),
        RISK_SEAT,
    ),
    form=_form,
    wrong=_wrong,
    facts=lambda row: {"key": row.key, "until": row.until, "why": row.reason},
    what=lambda row: f"“{_question(row)}” is waived until {day(row.until)}.",
    follows="The waiver starts now and shows on every page of the initiative.",
    instead="The requirement is not waived.",
    warnings=worth_nothing,
    after=_after,
)
