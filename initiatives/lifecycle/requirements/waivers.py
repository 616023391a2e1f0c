"""Waivers: asked for by the owner, agreed to by the chair and the risk seat, for at most 90 days.

See docs/domain.md, invariant 12.
"""

from datetime import timedelta

from governance import clock
from governance.gates import criteria
from governance.models import Rulebook
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import day
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, BoardRole
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.lifecycle.access.permissions import is_acting_chair
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
    """Only what the rulebook lets anybody waive, never twice in a row, and only so many at once.

    Scale tests are never waived (docs/domain.md, invariant 10).
    """
    rulebook, key, longest = _rulebook(), waiver.key, _rulebook().freshness.waiver_max_days
    wrong, stand = wrong_day(waiver.until, longest), waiver.initiative.waivers
    waivable = (key in rulebook.criteria and rulebook.waivable_criterion(key)) or (
        key in rulebook.requirements and rulebook.waivable_requirement(key)
    )
    if not waivable:
        wrong["key"] = "The rulebook does not allow this to be waived."
    pause = clock.today() - timedelta(days=longest)
    if stand.granted().filter(key=key, until__gte=pause).exists():
        wrong["key"] = (
            "It was waived before, and a waiver does not run twice in a row. It has to be shown now."
        )
    if stand.filter(refused_at__isnull=True, until__gte=clock.today()).count() >= rulebook.waivers_max:
        wrong["key"] = (
            f"It carries {rulebook.waivers_max} waivers already, and no initiative carries more at once. Show one of "
            f"them, "
            "or let it run out."
        )
    return wrong


def _after(waiver: Waiver, initiative: Initiative) -> None:
    if waiver.granted_at:
        rewrite_supported_stage(initiative)


def _choices(initiative: Initiative, context: dict, rows: list[Waiver]) -> list[tuple[str, list]]:
    """What can be waived on this initiative in two groups: what is missing now, then what is shown."""
    rulebook = context["rulebook"]
    stages = RUNNING_STAGES[1 : STAGE_RANK.get(initiative.stage, 0) + 1]
    keys = [rulebook.gate_to(stage).key for stage in stages]
    if ahead := gate_out_of(initiative.stage):
        keys.append(ahead)
    taken = {row.key for row in rows if row.refused_at is None and row.until >= clock.today()}
    missing, shown = {}, {}
    for gate in keys:
        for finding in context["judged_next"].at_gate(gate):
            criterion = finding.criterion
            if criterion.key not in taken and rulebook.waivable_criterion(criterion.key):
                (shown if finding.met else missing)[criterion.key] = criterion.question
            for state in finding.requirements:
                if state.key not in taken and rulebook.waivable_requirement(state.key):
                    (shown if state.satisfies(gate) else missing)[state.key] = rulebook.requirements[
                        state.key
                    ].question
    groups = [("Not shown now", list(missing.items())), ("Shown now", list(shown.items()))]
    return [(word, found) for word, found in groups if found]


def _rulebook() -> ParsedRulebook:
    return Rulebook.objects.current().parsed


def _question(row: Waiver) -> str:
    rulebook = _rulebook()
    known = rulebook.requirements.get(row.key) or rulebook.criteria.get(row.key)
    return known.question if known else row.key


def worth_nothing(initiative: Initiative) -> list[str]:
    """Why a waiver would change nothing now: holds that stop the initiative whatever is waived, in sentences."""
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
                f"{why} While that stands, a waiver lets nothing pass, and its days run all the same."
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
        "A waiver says that something is not asked for until a day. After that day it has to be shown: a waiver does "
        "not run twice in a row. What is not in the list below cannot be waived by anybody."
    ),
    section="waivers",
    signature="waiver",
    parts=(
        Part("chair", "chair", "the chair", is_acting_chair, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)),
        RISK_SEAT,
    ),
    subject=initiative_for,
    form=_form,
    wrong=_wrong,
    facts=lambda row: {"key": row.key, "until": row.until, "why": row.reason},
    what=lambda row: f"“{_question(row)}” is not asked for until {day(row.until)}.",
    follows="It runs from now on and shows on every page of the initiative.",
    instead="It stays asked for.",
    warnings=worth_nothing,
    after=_after,
)
