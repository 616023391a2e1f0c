"""Compute the state of requirements from answers, evidence and waivers. Pure.

Source of every rule: docs/domain.md, "What counts as evidence".
"""

from collections.abc import Iterator
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
    IN_DEPLOYMENTS,
    IN_REGISTER,
    ITS_SEAT,
    SATISFIED_STATES,
    State,
    fix_of,
    in_words,
    lacking,
)
from governance.permission_result import Reason, ended
from governance.rulebook import ParsedRulebook, Requirement
from governance.vocabulary import STAGE_RANK, Stage
from governance.vocabulary.phrases import joined, phrase

__all__ = [
    "ACCEPTED_IN_PERSON",
    "BY_ACCEPTANCE",
    "BY_GENERATING",
    "BY_VERIFYING",
    "GENERATED_ONLY",
    "IN_DECLARATION",
    "IN_DEPLOYMENTS",
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
# Findings against these must be answered before these gates, although the rulebook only advises the criterion: a lesson
# that is shown must be answered (docs/domain.md, invariant 15). A waiver lets the decision pass.
ANSWERED_FIRST = {"mvp.lessons_read": ("mvp", "production")}
# The most clauses without a control that are named by number. If there are more, their count is given.
MOST_NAMED = 8
# The most findings against a requirement that are given in words. If there are more, their count is given.
MOST_TOLD = 4
# These two are not asked of a stage imported above prototype (docs/domain.md, "carry_forward").
NOT_ASKED_OF_IMPORTS = frozenset({"proto.not_production", "prototype.selected"})


def state_of(facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime) -> State:
    """Return the state of a requirement at `at`, after carry-forward and waivers."""
    carried = _carried(facts, rulebook, key)
    if carried is not None:
        return carried
    own = _own_state(facts, rulebook, key, at, ageless=_asked_once(facts, rulebook, key))
    if own.satisfied:
        return own
    if why := _asked_again(facts, rulebook, key, at):
        own = replace(own, words=f"{ended(own.words)} {why}")
    replacement = rulebook.carry.replaced_at_production.get(key)
    if replacement is not None:
        other = _own_state(facts, rulebook, replacement, at)
        words = phrase("Met by {}, the production version of this requirement.", replacement)
        if other.satisfied:
            # If the tier has lapsed, this one may be asked at a higher level than its production form.
            own = replace(other, key=key, state="met", words=words, answer_version=own.answer_version)
            if own.level:
                own = levels.against_gates(facts, rulebook, rulebook.requirements[key], own, at)
            if own.satisfied:
                return own
        elif facts.approved_stage == Stage.PRODUCTION:
            own = replace(other, key=key, last_day=None, answer_version=own.answer_version)
            if own.state == "below":
                # This requirement does not wait for what its production form lacks.
                met = replace(own, state="met", words=words, fix="", fixed_by="", place="", below=frozenset())
                own = levels.against_gates(facts, rulebook, rulebook.requirements[key], met, at)
                if own.satisfied:
                    return own
    waiver = waiver_at(facts, key, at)
    if waiver is not None and rulebook.waivable_requirement(key):
        return State(
            key, "waived", phrase("Waived until {}: {}", waiver.until, waiver.reason), "", (), waiver.until
        )
    return own


def _carried(facts: Facts, rulebook: ParsedRulebook, key: str) -> State | None:
    """Return the state that follows from the approved stage alone, or None."""
    if facts.approved_stage == Stage.PRODUCTION and key in rulebook.carry.ended_at_production:
        return State(
            key,
            "not_asked",
            phrase("This requirement is not asked in production, because it applies only to the MVP."),
        )
    rank = STAGE_RANK.get(facts.approved_stage, 0)
    for gate_key in rulebook.carry.frozen_by.get(key, ()):
        if rank >= STAGE_RANK[rulebook.gates[gate_key].to] and gate_key in facts.decided:
            day = facts.decided[gate_key]
            return State(key, "as_decided", phrase("The decision of {} still applies.", day))
    if facts.imported and rank > STAGE_RANK["prototype"] and key in NOT_ASKED_OF_IMPORTS:
        return State(
            key,
            "not_asked",
            phrase("This requirement is not asked, because the stage was imported above prototype."),
        )
    return None


def _asked_once(facts: Facts, rulebook: ParsedRulebook, key: str) -> bool:
    """Return True if the answer is frozen without a decision here and age is ignored."""
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
    if not rulebook.asks(key, levels.tier_asked(facts, rulebook, key, at)):
        return State(key, "not_asked", _left_out(facts, rulebook, requirement, at))
    if (state := levels.unknown(facts, rulebook, requirement, at)) is not None:
        return state
    if reply is None and levels.measured_answers(facts, requirement, at) and not facts.short_of(key, at):
        return levels.level_state(facts, rulebook, requirement, at, ageless, 0)
    if reply is None:
        fix, place = fix_of(requirement, phrase("Answer the requirement."))
        return State(key, "unanswered", phrase("Not answered yet."), fix, place=place)
    version = reply.version
    if reply.kind == "no":
        return State(
            key,
            "no",
            phrase("The answer is “Not yet”."),
            phrase("Create what is missing, then answer again."),
            answer_version=version,
        )
    if reply.kind == "not_reported":
        return State(
            key,
            "not_reported",
            phrase("Not reported by the source."),
            phrase("Answer the requirement."),
            answer_version=version,
        )
    if key == ENFORCED and (words := _unmapped(facts, at)):
        return State(
            key,
            "unmapped",
            words,
            phrase("Name a control for the clause on the map of the contract."),
            answer_version=version,
        )
    if short := facts.short_of(key, at):
        return _short(key, short, version)
    if reply.kind == "not_applicable":
        found = _not_applicable(requirement, reply, at, facts.tier)
        return levels.accepted_by_two(facts, rulebook, requirement, found, at)
    return _evidence_state(facts, rulebook, requirement, at, ageless, version)


def _left_out(facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, at: datetime) -> str:
    judged = requirement.judged_tier(facts.tier)
    words = phrase(
        "Not asked at {} risk: {}",
        judged,
        ended(requirement.left_out.get(judged, "no gate asks this requirement")),
    )
    ends = levels.tier_grace_ends(facts, rulebook, at)
    if ends is None or judged not in requirement.left_out:
        return words
    return phrase(
        "{} This requirement is asked after {}, unless the tier is confirmed for the current "
        "scope and purpose.",
        words,
        ends,
    )


def _asked_again(facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime) -> str:
    """Return why a requirement that the tier leaves out is asked at `at`, or ""."""
    ends = levels.tier_grace_ends(facts, rulebook, at)
    if ends is None or levels.tier_asked(facts, rulebook, key, at) == facts.tier:
        return ""
    return phrase(
        "This requirement is asked, because the {} risk tier was not confirmed for the "
        "current scope and purpose by {}.",
        facts.tier,
        ends,
    )


def _unmapped(facts: Facts, at: datetime) -> str:
    """Return the clauses of the contract in force that no control enforces, or ""."""
    version = next((version for version in facts.contracts if version.in_force_at(at)), None)
    if version is None or not version.unmapped:
        return ""
    (number, sentence), *others = version.unmapped
    words = phrase("No control is named for clause {}: {}", number, ended(sentence))
    if not others:
        return words
    if len(others) > MOST_NAMED:
        return phrase("{} The same applies to {} other clauses.", words, len(others))
    numbers = listed([str(other) for other, _ in others])
    if len(others) == 1:
        return phrase("{} The same applies to clause {}.", words, numbers)
    return phrase("{} The same applies to clauses {}.", words, numbers)


def _short(key: str, short: list[FindingFact], version: int) -> State:
    """Return the state "register": typed words and files do not outweigh its findings."""
    first, *others = short
    words = joined(*(one.words for one in short[:MOST_TOLD]))
    if len(others) >= MOST_TOLD:
        rest = len(short) - MOST_TOLD
        words = (
            phrase("{} 1 more finding is open.", words)
            if rest == 1
            else phrase("{} {} more findings are open.", words, rest)
        )
    whose = {one.who for one in short}
    fixed_by = first.who if len(whose) == 1 else ""
    return State(key, "register", words, first.fix, answer_version=version, fixed_by=fixed_by)


def _not_applicable(requirement: Requirement, reply: Reply, at: datetime, tier: str) -> State:
    if reply.accepted_on is None:
        return State(
            requirement.key,
            "waiting",
            phrase("The seat has not accepted the answer “not applicable” yet."),
            phrase("Accept this answer, or reject the answer with a reason."),
            answer_version=reply.version,
            fixed_by=ITS_SEAT,
        )
    days = requirement.days(tier)
    last = reply.accepted_on + timedelta(days=days) if days else None
    if last is not None and clock.local_day(at) > last:
        return State(
            requirement.key,
            "waiting",
            phrase("The answer “not applicable” was accepted until {}.", last),
            phrase("Accept this answer again, or reject the answer with a reason."),
            answer_version=reply.version,
            fixed_by=ITS_SEAT,
        )
    return State(
        requirement.key,
        "not_applicable",
        phrase("The seat accepted that this does not apply."),
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
    """Return the state of an answered requirement by its evidence."""
    key = requirement.key
    tier = "" if levels.tier_lapsed(facts, rulebook, at) else facts.tier
    if key == DECLARATION and (missing := undeclared(facts, rulebook, tier)):
        words = phrase("Not declared yet: {}.", ", ".join(missing))
        return lacking(
            requirement,
            version,
            "unproven",
            words,
            phrase("Declare what the MVP will show."),
            place=IN_DECLARATION,
        )
    return levels.level_state(facts, rulebook, requirement, at, ageless, version)


def waiver_at(facts: Facts, key: str, at: datetime) -> WaiverFact | None:
    """Return the waiver of this criterion or requirement that runs at `at`, or None."""
    for waiver in facts.waivers:
        if waiver.key == key and waiver.since <= at and clock.local_day(at) <= waiver.until:
            return waiver
    return None


def states_at(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> dict[str, State]:
    """Return the state of every requirement of the rulebook at `at`."""
    return {key: state_of(facts, rulebook, key, at) for key in rulebook.requirements}


def unanswered(facts: Facts, gate: str, at: datetime) -> Iterator[Reason]:
    """Yield what must be answered before this gate, at any severity of its criterion."""
    for key, before in ANSWERED_FIRST.items():
        if gate in before and waiver_at(facts, key, at) is None:
            for one in facts.short_of(key, at):
                who = one.who or facts.owner_or_role
                yield Reason(one.words, joined(phrase("{} can answer it.", who), one.fix))
