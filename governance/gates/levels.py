"""Levels of answers: stated, documented, verified, measured. Pure.

Who can bring a level about, and what silence means: docs/domain.md,
"Four levels". What a requirement asks at each tier is the rulebook's (`Requirement.level_for`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from governance import clock
from governance.contracts.wording import listed
from governance.gates import evidence_rules as rules
from governance.gates.gate_inputs import Facts, Item, Measured, Verification
from governance.gates.requirement_state import (
    BY_VERIFYING,
    IN_REGISTER,
    ITS_SEAT,
    NEXT_ACCEPTANCE,
    State,
    lacking,
)
from governance.permission_result import Reason, ended
from governance.rulebook import ParsedRulebook, Requirement
from governance.vocabulary import LEVEL_RANK, ClauseKind, EvidenceKind, Level, Seat, Stage

VERIFIERS = "A reviewer in its seat"
INVENTORY = "int.inventory"
# The kind of clause that answers each requirement about the contract; one of another kind is an artefact like others.
CLAUSES = {
    "gov.autonomy": ClauseKind.AUTONOMY,
    "gov.human_approval": ClauseKind.HUMAN_APPROVAL,
    "prod.q06_human_review": ClauseKind.HUMAN_APPROVAL,
    "gov.edge_policies": ClauseKind.EDGE_POLICY,
    "gov.record_owner": ClauseKind.RECORD_OWNER,
}
# What has the register of a kind write an item of it.
REGISTER_FIXES: dict[str, str] = {
    EvidenceKind.DRILL_RECORD: "Record a drill of it.",
    EvidenceKind.SYSTEM_RECORD: "Keep the integration register as it stands.",
    EvidenceKind.TELEMETRY: "File what its measures show.",
}
# Ways that need no verifier, whatever an initiative has: figures and logs come only where a system sends them.
NEEDS_NOBODY = frozenset({"acceptance", "clause", "index", "agreement"})
# Days for which what renews a verified item counts as verified, while it waits for the seat (docs/domain.md).
RENEWAL_DAYS = 14
# High-risk production: what stands on a person's word that an artefact shows it, stands on two (docs/domain.md).
TWO_PERSONS = (Stage.PRODUCTION,)


def unknown(facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, at: datetime) -> State | None:
    """The state where nothing is recorded that an answer could be true of; None where something is.

    An empty integration register is not a register without findings: what it would say is unknown, unless an
    accepted declaration says that the initiative stands alone.
    """
    key = requirement.key
    if requirement.of_register and not facts.described_at(at):
        alone = facts.stands_alone_at(at)
        if alone is None:
            words = "Unknown: nothing is described in the integration register."
            fix = "Describe what it is linked to, or declare that it stands alone."
            return lacking(requirement, 0, "unknown", words, fix, place=IN_REGISTER)
        if facts.short_of(key, at):
            return None
        words = f"Stands alone, accepted by {alone.by} on {clock.local_day(alone.since):%-d %B %Y}."
        if key != INVENTORY:
            state = State(key, "not_applicable", words, verifiers=alone.verifiers)
            return accepted_by_two(facts, rulebook, requirement, state, at)
        state = State(key, "met", words, level=Level.VERIFIED, verifiers=alone.verifiers)
        return against_gates(facts, rulebook, requirement, state, at)
    if (
        requirement.stage != Stage.PROTOTYPE
        and "model_version" in requirement.triggers
        and not facts.models_at(at)
    ):
        words = "Unknown: no model is recorded for this initiative."
        return lacking(requirement, 0, "unknown", words, "Record the model that runs, with its version.")
    return None


def level_state(
    facts: Facts,
    rulebook: ParsedRulebook,
    requirement: Requirement,
    at: datetime,
    ageless: bool,
    version: int,
) -> State:
    """The state of an answered requirement with the highest level that its evidence and its measured answers reach.

    `ageless`: age does not count. `version`: of the answer, 0 where there is none.
    """
    key = requirement.key
    measured = measured_answers(facts, requirement, at)
    offered = [
        item
        for item in facts.items_for(key)
        if item.added_at <= at
        and (item.kind in requirement.evidence or item.kind == EvidenceKind.ATTESTATION)
    ]
    if not offered and not measured:
        return rules.none_yet(key, requirement.evidence, version)
    whys = {
        item.id: rules.unusable(facts, rulebook, requirement, item, at)
        or (refusal(item, key, version, at) if item.result in ("", "pass") else "")
        for item in offered
    }
    usable = [item for item in offered if not whys[item.id]]
    newest = next((item for item in usable if item.kind in rulebook.result_kinds), None)
    if newest is not None and newest.result != "pass":
        words = f"{newest.title}, observed {newest.observed_on:%-d %B %Y}, says {newest.result}: only a pass counts."
        return lacking(requirement, version, "failing", words, "Fix it and add a newer result.", (newest,))
    day = clock.local_day(at)
    current = [
        item
        for item in usable
        if ageless or (last := rules.expiry(requirement, item, facts.tier)) is None or day <= last
    ]
    passing = [item for item in current if item.kind not in rulebook.result_kinds or item.result == "pass"]
    found = _highest(facts, requirement, passing, measured, at, ageless, version)
    if found is not None:
        found = against_gates(facts, rulebook, requirement, found, at)
        papers = (whys[item.id] for item in offered if item.kind != EvidenceKind.ATTESTATION)
        why = next((why for why in papers if why), "")
        # Somebody's word hides no longer why what was added beside it does not count.
        wanting = found.state == "below" and found.level == Level.STATED and why
        return replace(found, words=f"{found.words} {ended(why)}") if wanting else found
    if not usable:
        why = next((why for why in whys.values() if why), "")
        return rules.none_counts(requirement, version, offered, why, at)
    if not passing:
        return rules.expired_evidence(requirement, version, usable[0], facts.tier)
    weak = rules.too_weak(requirement, version, passing)
    return weak or rules.none_yet(key, requirement.evidence, version)


def measured_answers(facts: Facts, requirement: Requirement, at: datetime) -> list[Measured]:
    """What is measured of the requirement at `at`, in the ways that the rulebook names for it."""
    return [one for one in facts.measured_at(requirement.key, at) if one.way in requirement.ways]


def refusal(item: Item, key: str, version: int, at: datetime) -> str:
    """Why a verifier said that the item does not show it, of this version of the answer; empty where nobody did."""
    said = next((one for one in _verdicts(item, key, version, at) if not one.shows), None)
    return f"{item.title} does not show it, says {said.by}: {ended(said.words)}" if said else ""


def verifiers_of(item: Item, key: str, version: int, at: datetime) -> frozenset[int]:
    """Keys of the persons who verified that the item shows the answer in this version."""
    return frozenset(one.by_id for one in _verdicts(item, key, version, at) if one.shows)


def renewal_ends(item: Item) -> datetime:
    """The moment from which an item that renews a verified one counts no more for being its newer form."""
    return clock.midnight_after(clock.local_day(item.added_at) + timedelta(days=RENEWAL_DAYS))


def renewed_verifiers(
    facts: Facts, requirement: Requirement, item: Item, version: int, at: datetime
) -> frozenset[int]:
    """Keys of who verified, in person, what this item renews, for the days in which that still counts.

    Of the same author, of the same kind, with a passing result, in place of an item that counted when it was added.
    What itself counts by renewal is not renewed so.
    """
    earlier, key = facts.renewed_by(item), requirement.key
    if earlier is None or at >= renewal_ends(item) or item.result not in ("", "pass"):
        return frozenset()
    then = item.added_at
    last = rules.expiry(requirement, earlier, facts.tier)
    if (
        (earlier.author_id, earlier.kind) != (item.author_id, item.kind)
        or key not in earlier.covers
        or earlier.void_at(key, then)
        or (earlier.withdrawn_at is not None and earlier.withdrawn_at <= then)
        or (last is not None and clock.local_day(then) > last)
        or refusal(earlier, key, version, then)
    ):
        return frozenset()
    return verifiers_of(earlier, key, version, then)


def _verdicts(item: Item, key: str, version: int, at: datetime) -> list[Verification]:
    """The newest verdict of each person on this version of the answer; of files, on exactly this content."""
    newest = {
        one.by_id: one
        for one in item.verifications.get(key, ())
        if one.at <= at and one.answer_version == version and one.fingerprint == item.fingerprint
    }
    return list(newest.values())


def _highest(
    facts: Facts,
    requirement: Requirement,
    passing: list[Item],
    measured: list[Measured],
    at: datetime,
    ageless: bool,
    version: int,
) -> State | None:
    """The state at the highest level that is reached; None where not even somebody's word is current."""
    key = requirement.key
    if measured:
        lasting = [one.until for one in measured if one.until is not None]
        last = (
            clock.local_day(max(lasting) - timedelta(microseconds=1))
            if len(lasting) == len(measured)
            else None
        )
        words = f"Measured: {ended(measured[0].words)}"
        return State(key, "met", words, "", (), last, version, level=Level.MEASURED)
    shown = [
        item for item in passing if item.kind != EvidenceKind.ATTESTATION or from_outside(requirement, item)
    ]
    outside = [item for item in shown if from_outside(requirement, item)]
    direct = {item.id: verifiers_of(item, key, version, at) for item in shown}
    renewed = {item.id: renewed_verifiers(facts, requirement, item, version, at) for item in shown}
    verified = [item for item in shown if direct[item.id] or renewed[item.id]]
    spoken = [item for item in passing if item.kind == EvidenceKind.ATTESTATION]
    steps = ((Level.MEASURED, outside), (Level.VERIFIED, verified), (Level.DOCUMENTED, shown))
    for level, items in steps:
        if items and not rules.too_weak(requirement, version, items):
            groups = rules.needed_of(requirement, items)
            by = _fewest(groups, direct)
            last = rules.last_day(requirement, items, facts.tier, ageless)
            words = f"{level.label}: {listed([item.title for item in items[:2]])}."
            state = State(key, "met", words, "", tuple(items), last, version, level=level, verifiers=by)
            counted = _fewest(groups, {pk: direct[pk] | renewed[pk] for pk in direct})
            if level == Level.VERIFIED and len(by) < min(len(counted), 2 if facts.high else 1):
                return _waiting(state, items, direct, counted - by)
            return state
    if spoken:
        ends = [day for item in spoken if (day := rules.expiry(requirement, item, facts.tier)) is not None]
        last = max(ends) if ends and not ageless else None
        words = f"Stated: {ended(spoken[0].title)}"
        return State(key, "met", words, "", tuple(spoken), last, version, level=Level.STATED)
    return None


def _fewest(groups: list[list[Item]], by: dict[int, frozenset[int]]) -> frozenset[int]:
    """Of each group the most persons who verified one of its items, and of these the fewest."""
    return min((max((by[item.id] for item in group), key=len) for group in groups), key=len)


def _waiting(
    state: State, items: list[Item], direct: dict[int, frozenset[int]], renewed: frozenset[int]
) -> State:
    """The state of what counts as verified for what it renews, and waits for its seat meanwhile."""
    newer = next(item for item in items if not direct[item.id] or len(direct[item.id]) < 2)
    last = clock.local_day(renewal_ends(newer) - timedelta(microseconds=1))
    words = f"{state.words} {newer.title} renews what was verified, and counts so until {last:%-d %B %Y}."
    return replace(
        state,
        words=words,
        fix="Open it and say whether it shows it.",
        fixed_by=VERIFIERS,
        place=BY_VERIFYING,
        renewed=renewed,
    )


def from_outside(requirement: Requirement, item: Item) -> bool:
    """Whether its deciding value came from outside the team: a role's acceptance, approving seats, Plumbline."""
    ways = requirement.ways
    return (
        ("acceptance" in ways and bool(item.acceptance_role))
        or ("index" in ways and item.generated)
        or (
            "clause" in ways
            and item.clause_of is not None
            and item.clause_kind == CLAUSES.get(requirement.key)
        )
    )


def _artefact_fix(rulebook: ParsedRulebook, requirement: Requirement) -> str:
    """How an artefact comes about: added by a person, or written by the one register that the requirement takes."""
    kinds = [kind for kind in requirement.evidence if kind != EvidenceKind.ATTESTATION]
    if all(kind in REGISTER_FIXES and kind in rulebook.register_kinds for kind in kinds):
        return REGISTER_FIXES[kinds[0]]
    return "Add an artefact that shows it."


def level_asked(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, gate: str, at: datetime
) -> str:
    """The level that this gate asks of the initiative at `at`: of a requirement that was drawn, verified."""
    level = requirement.level_for(facts.tier, gate)
    drawn = gate == Stage.PRODUCTION and rulebook.drawn_at(facts.tier) and facts.drawn_at(requirement.key, at)
    return max(level, Level.VERIFIED, key=LEVEL_RANK.__getitem__) if level and drawn else level


def _asked(facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, at: datetime) -> dict[str, str]:
    """By gate the level that is asked; what is drawn ahead is asked as by a gate of its own."""
    asked = {
        gate: level_asked(facts, rulebook, requirement, gate, at)
        for gate in rulebook.gates_asking(requirement.key)
    }
    ahead = rulebook.drawn_at(facts.tier) and facts.drawn_ahead(requirement.key, at)
    if ahead and asked.get(Stage.PRODUCTION):
        asked[NEXT_ACCEPTANCE] = Level.VERIFIED
    return asked


def accepted_by_two(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, found: State, at: datetime
) -> State:
    """The state of what does not apply: at high risk production takes that from two persons (docs/domain.md)."""
    asked = _asked(facts, rulebook, requirement, at)
    below = frozenset(gate for gate in TWO_PERSONS if asked.get(gate))
    if found.state != "not_applicable" or not facts.high or len(found.verifiers) > 1 or not below:
        return found
    return replace(
        found,
        state="below",
        words="Does not apply, accepted by one person, and at high risk two have to.",
        fix="Accepts it, or says why not.",
        fixed_by=ITS_SEAT,
        below=below,
    )


def against_gates(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, found: State, at: datetime
) -> State:
    """The state with the gates that ask for more than it reaches, and what would reach it."""
    asked = _asked(facts, rulebook, requirement, at)
    low = {gate: level for gate, level in asked.items() if LEVEL_RANK[found.level] < LEVEL_RANK[level]}
    alone = facts.high and found.level == Level.VERIFIED and len(found.verifiers | found.renewed) < 2
    second = {gate for gate in asked if alone and gate in TWO_PERSONS and asked[gate] == Level.VERIFIED}
    below = frozenset(low) | second
    if not below:
        return found
    word = found.level
    if low:
        most = max(low.values(), key=LEVEL_RANK.__getitem__)
        gates = listed(
            [
                rulebook.gates[gate].title if gate in rulebook.gates else "the next acceptance of production"
                for gate in low
            ]
        )
        drawn = any(level != requirement.level_for(facts.tier, gate) for gate, level in low.items())
        why = ": it was drawn" if drawn else ""
        words = f"{Level.word(word)}, and {gates} asks for {Level.word(most).lower()}{why}."
        verify = LEVEL_RANK[most] > LEVEL_RANK[Level.DOCUMENTED] and found.level == Level.DOCUMENTED
    else:
        words, verify = "Verified by one person, and at high risk two have to.", True
    fix = "Open it and say whether it shows it." if verify else _artefact_fix(rulebook, requirement)
    return State(
        found.key,
        "below",
        words,
        fix,
        found.items,
        found.last_day,
        found.answer_version,
        fixed_by=VERIFIERS if verify else "",
        place=BY_VERIFYING if verify else "",
        level=found.level,
        below=below,
        verifiers=found.verifiers,
    )


def drawable(facts: Facts, rulebook: ParsedRulebook, states: dict[str, State]) -> list[str]:
    """Requirements that a draw chooses from, in the rulebook's order: documented is asked of them, and no more is
    there.

    Those of blocking criteria of the gate to production that nothing measures, nobody verified, and nobody decided,
    waived or accepted as not applying.
    """
    if not rulebook.drawn_at(facts.tier):
        return []
    gate = rulebook.gates[Stage.PRODUCTION]
    blocking = {key for criterion in gate.criteria if criterion.blocking for key in criterion.requirements}
    return [
        key
        for key in gate.requirements()
        if key in blocking
        and rulebook.requirements[key].blocking
        and rulebook.requirements[key].level_for(facts.tier, gate.key) == Level.DOCUMENTED
        and not vouched_for(states[key])
    ]


def vouched_for(state: State) -> bool:
    """Whether nobody has to look at it: verified or measured, or beside the levels."""
    return LEVEL_RANK[state.level] >= LEVEL_RANK[Level.VERIFIED] or (state.satisfied and not state.level)


def too_few_verifiers(
    facts: Facts,
    rulebook: ParsedRulebook,
    gate: str,
    states: dict[str, State],
    people: Mapping[str, tuple[int, ...]],
    at: datetime,
) -> tuple[Reason, ...]:
    """Why what a gate asks to be verified cannot be, for the board lacks the people: a reason for each set of seats.

    `people`: by seat, the keys of who could sign for it now. What a register or an acceptance answers needs nobody.
    Whatever may be drawn counts as asked.
    """
    drawn = set(drawable(facts, rulebook, states)) if gate == Stage.PRODUCTION else set()
    wanted = 2 if facts.high and gate in TWO_PERSONS else 1
    rulebook = rulebook.at_tier(facts.tier)
    short: dict[tuple[str, ...], int] = {}
    for key in rulebook.gates[gate].requirements():
        requirement = rulebook.requirements[key]
        level = level_asked(facts, rulebook, requirement, gate, at)
        asked = key in drawn or (level == Level.VERIFIED and not states[key].satisfies(gate))
        seats = rulebook.seats_asking(key)
        free = {person for seat in seats for person in people.get(seat, ())}
        if asked and not NEEDS_NOBODY & {*requirement.ways} and len(free) < wanted:
            short[seats] = short.get(seats, 0) + 1
    return tuple(_too_few(wanted, number, seats) for seats, number in short.items())


def _too_few(wanted: int, number: int, seats: tuple[str, ...]) -> Reason:
    questions = f"{number} requirement{'' if number == 1 else 's'}"
    signed = f"{questions} that {listed([Seat.word(seat) for seat in seats], 'or')} signs for"
    if wanted == 1:
        return Reason(f"Nobody can verify {signed}.", "The chair can have a delegate appointed.")
    return Reason(
        f"At high risk two people verify each of {signed}, and fewer than two can.",
        "The chair can have a second person appointed to the seat.",
    )
