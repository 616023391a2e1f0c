"""Requirements: the state of each at one moment, from answers, evidence, decisions and waivers. Pure.

Source of every rule: docs/domain.md, "What counts as evidence".
"""

from dataclasses import replace
from datetime import datetime, timedelta

from governance import clock
from governance.contracts.wording import listed
from governance.gates import levels
from governance.gates.evidence_rules import expiry, undeclared, unusable
from governance.gates.gate_inputs import Facts, FindingFact, Reply, WaiverFact
from governance.gates.requirement_state import (
    ACCEPTED_IN_PERSON,
    BY_ACCEPTANCE,
    BY_GENERATING,
    BY_VERIFYING,
    GENERATED_ONLY,
    IN_DECLARATION,
    IN_REGISTER,
    ITS_SEAT,
    SATISFIED_STATES,
    State,
    fix_of,
    in_words,
    lacking,
)
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook, Requirement
from governance.vocabulary import STAGE_RANK, Stage

__all__ = [
    "ACCEPTED_IN_PERSON",
    "BY_ACCEPTANCE",
    "BY_GENERATING",
    "BY_VERIFYING",
    "GENERATED_ONLY",
    "IN_DECLARATION",
    "IN_REGISTER",
    "ITS_SEAT",
    "SATISFIED_STATES",
    "State",
    "expiry",
    "in_words",
    "unusable",
]

DECLARATION = "mvp.advance_evidence"
# Met only while each clause of the contract in force is mapped to a control (S0-17).
ENFORCED = "gov.enforced"
# What stands against these is answered before these gates are decided, though the rulebook only advises the criterion:
# a lesson that is shown must be answered (docs/domain.md, invariant 15). A waiver of it lets the decision pass.
ANSWERED_FIRST = {"mvp.lessons_read": ("mvp", "production")}
# So many clauses without a control are named by number; beyond that, how many there are.
MOST_NAMED = 8
# So many things that the register says against a requirement are told in words; beyond that, how many there are.
MOST_TOLD = 4
# Of an imported stage these two are not asked above prototype (docs/domain.md, "carry_forward").
NOT_ASKED_OF_IMPORTS = frozenset({"proto.not_production", "prototype.selected"})


def state_of(facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime) -> State:
    """The state of one requirement at `at`, with carry-forward, waivers and replacement taken into account."""
    carried = _carried(facts, rulebook, key)
    if carried is not None:
        return carried
    own = _own_state(facts, rulebook, key, at, ageless=_asked_once(facts, rulebook, key))
    if own.satisfied:
        return own
    replacement = rulebook.carry.replaced_at_production.get(key)
    if replacement is not None:
        other = _own_state(facts, rulebook, replacement, at)
        words = f"Met by its production form, {replacement}."
        if other.satisfied:
            return replace(other, key=key, state="met", words=words, answer_version=own.answer_version)
        if facts.approved_stage == Stage.PRODUCTION:
            own = replace(other, key=key, last_day=None, answer_version=own.answer_version)
            if own.state == "below":
                # What its production form still waits for is no errand of this one.
                met = replace(own, state="met", words=words, fix="", fixed_by="", place="", below=frozenset())
                own = levels.against_gates(facts, rulebook, rulebook.requirements[key], met, at)
                if own.satisfied:
                    return own
    waiver = waiver_at(facts, key, at)
    if waiver is not None and rulebook.waivable_requirement(key):
        return State(
            key, "waived", f"Waived until {waiver.until:%-d %B %Y}: {waiver.reason}", "", (), waiver.until
        )
    return own


def _carried(facts: Facts, rulebook: ParsedRulebook, key: str) -> State | None:
    """The state that follows from the approved stage alone, or None when the requirement is live."""
    if facts.approved_stage == Stage.PRODUCTION and key in rulebook.carry.ended_at_production:
        return State(key, "not_asked", "Not asked in production: it ended with the MVP.")
    rank = STAGE_RANK.get(facts.approved_stage, 0)
    for gate_key in rulebook.carry.frozen_by.get(key, ()):
        if rank >= STAGE_RANK[rulebook.gates[gate_key].to] and gate_key in facts.decided:
            day = facts.decided[gate_key]
            return State(key, "as_decided", f"Stands as decided on {day:%-d %B %Y}.")
    if facts.imported and rank > STAGE_RANK["prototype"] and key in NOT_ASKED_OF_IMPORTS:
        return State(key, "not_asked", "Not asked of a stage that was imported above prototype.")
    return None


def _asked_once(facts: Facts, rulebook: ParsedRulebook, key: str) -> bool:
    """Whether age does not count: a frozen answer of a stage that no decision made here stands behind."""
    if key not in rulebook.carry.frozen_by:
        return False
    rank = STAGE_RANK.get(facts.approved_stage, 0)
    return any(
        rank >= STAGE_RANK[rulebook.gates[gate_key].to] and gate_key not in facts.decided
        for gate_key in rulebook.carry.frozen_by[key]
    )


def _own_state(
    facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime, ageless: bool = False
) -> State:
    requirement = rulebook.requirements[key]
    reply = facts.answers.get(key)
    if not rulebook.asks(key, facts.tier):
        return State(key, "not_asked", _left_out(requirement, facts.tier))
    if (state := levels.unknown(facts, rulebook, requirement, at)) is not None:
        return state
    if reply is None and levels.measured_answers(facts, requirement, at) and not facts.short_of(key, at):
        return levels.level_state(facts, rulebook, requirement, at, ageless, 0)
    if reply is None:
        fix, place = fix_of(requirement, "Answer the requirement.")
        return State(key, "unanswered", "Not answered yet.", fix, place=place)
    version = reply.version
    if reply.kind == "no":
        return State(
            key,
            "no",
            "Answered no: this does not exist yet.",
            "Bring it about, then answer again.",
            answer_version=version,
        )
    if reply.kind == "not_reported":
        return State(
            key,
            "not_reported",
            "Not reported by the source.",
            "Answer the requirement.",
            answer_version=version,
        )
    if key == ENFORCED and (words := _unmapped(facts, at)):
        return State(
            key,
            "unmapped",
            words,
            "Name its control on the map of the contract.",
            answer_version=version,
        )
    if short := facts.short_of(key, at):
        return _short(key, short, version)
    if reply.kind == "not_applicable":
        found = _not_applicable(requirement, reply, at, facts.tier)
        return levels.accepted_by_two(facts, rulebook, requirement, found, at)
    return _evidence_state(facts, rulebook, requirement, at, ageless, version)


def _left_out(requirement: Requirement, tier: str) -> str:
    judged = requirement.judged_tier(tier)
    return f"Not asked at {judged} risk: {ended(requirement.left_out.get(judged, 'no gate asks it'))}"


def _unmapped(facts: Facts, at: datetime) -> str:
    """Which clauses of the contract in force no control enforces; empty when each has one."""
    version = next((version for version in facts.contracts if version.in_force_at(at)), None)
    if version is None or not version.unmapped:
        return ""
    (number, sentence), *others = version.unmapped
    words = f"No control is named for clause {number}: {ended(sentence)}"
    if not others:
        return words
    if len(others) > MOST_NAMED:
        return f"{words} Nor for {len(others)} other clauses."
    numbers = listed([str(other) for other, _ in others])
    return f"{words} Nor for clause{'s' if len(others) > 1 else ''} {numbers}."


def _short(key: str, short: list[FindingFact], version: int) -> State:
    """What the register says against it: words typed beside it, and files, do not outweigh what it lists."""
    first, *others = short
    words = " ".join(one.words for one in short[:MOST_TOLD])
    if len(others) >= MOST_TOLD:
        words = f"{words} And {len(short) - MOST_TOLD} more."
    whose = {one.who for one in short}
    fixed_by = first.who if len(whose) == 1 else ""
    return State(key, "register", words, first.fix, answer_version=version, fixed_by=fixed_by)


def _not_applicable(requirement: Requirement, reply: Reply, at: datetime, tier: str) -> State:
    if reply.accepted_on is None:
        return State(
            requirement.key,
            "waiting",
            "Said not to apply; its seat has not accepted that.",
            "Accepts it, or says why not.",
            answer_version=reply.version,
            fixed_by=ITS_SEAT,
        )
    days = requirement.days(tier)
    last = reply.accepted_on + timedelta(days=days) if days else None
    if last is not None and clock.local_day(at) > last:
        return State(
            requirement.key,
            "waiting",
            f"That it does not apply was accepted until {last:%-d %B %Y}.",
            "Accepts it again, or says why not.",
            answer_version=reply.version,
            fixed_by=ITS_SEAT,
        )
    return State(
        requirement.key,
        "not_applicable",
        "Does not apply, accepted by its seat.",
        "",
        (),
        last,
        reply.version,
        verifiers=reply.accepted_by,
    )


def _evidence_state(
    facts: Facts,
    rulebook: ParsedRulebook,
    requirement: Requirement,
    at: datetime,
    ageless: bool,
    version: int,
) -> State:
    """The state of an answered requirement by the evidence that is offered for it."""
    key = requirement.key
    if key == DECLARATION and (missing := undeclared(facts, rulebook)):
        words = f"Not declared yet: {', '.join(missing)}."
        return lacking(
            requirement,
            version,
            "unproven",
            words,
            "Declare what the MVP will show.",
            place=IN_DECLARATION,
        )
    return levels.level_state(facts, rulebook, requirement, at, ageless, version)


def waiver_at(facts: Facts, key: str, at: datetime) -> WaiverFact | None:
    """The granted waiver of this criterion or requirement that runs at `at`, or None."""
    for waiver in facts.waivers:
        if waiver.key == key and waiver.since <= at and clock.local_day(at) <= waiver.until:
            return waiver
    return None


def states_at(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> dict[str, State]:
    """The state of every requirement of the rulebook at `at`."""
    return {key: state_of(facts, rulebook, key, at) for key in rulebook.requirements}
