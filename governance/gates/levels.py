"""Levels of answers: stated, documented, verified, measured. Pure.

Of a rulebook with levels (2026.2 on). Who can bring a level about, and what silence means: docs/domain.md,
"Four levels". What a requirement asks at each tier is the rulebook's (`Requirement.level_for`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from governance import clock
from governance.contracts.wording import listed
from governance.gates import evidence_rules as rules
from governance.gates.gate_inputs import Facts, Item, Measured, Verification
from governance.gates.requirement_state import (
    BY_VERIFYING,
    IN_REGISTER,
    State,
    lacking,
)
from governance.permission_result import Reason, ended
from governance.rulebook import Book, Requirement
from governance.vocabulary import LEVEL_RANK, ClauseKind, EvidenceKind, Level, Seat, Stage

VERIFIERS = "Somebody in a seat that signs for it"
INVENTORY = "int.inventory"
# The kind of clause that answers each question about the contract; one of another kind is an artefact like others.
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
# High-risk production: what stands on a person's word that an artefact shows it, stands on two (docs/domain.md).
TWO_PERSONS = (Stage.PRODUCTION,)


def unknown(facts: Facts, book: Book, requirement: Requirement, at: datetime) -> State | None:
    """The state where nothing is on record that an answer could be true of; None where something is.

    An empty integration register is not a register without findings: what it would say is unknown, unless an
    accepted declaration says that the case stands alone.
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
            return State(key, "not_applicable", words)
        state = State(key, "met", words, level=Level.VERIFIED, verifiers=alone.verifiers)
        return against_gates(facts, book, requirement, state)
    if (
        requirement.stage != Stage.PROTOTYPE
        and "model_version" in requirement.triggers
        and not facts.models_at(at)
    ):
        words = "Unknown: no model is on record for this case."
        return lacking(requirement, 0, "unknown", words, "Record the model that runs, with its version.")
    return None


def level_state(
    facts: Facts, book: Book, requirement: Requirement, at: datetime, ageless: bool, version: int
) -> State:
    """The state of an answered requirement with the highest level that its evidence and its measurements reach.

    `ageless`: age does not count. `version`: of the answer, 0 where there is none.
    """
    key = requirement.key
    measured = facts.measured_at(key, at)
    offered = [
        item
        for item in facts.items_for(key)
        if item.added_at <= at
        and (item.kind in requirement.evidence or item.kind == EvidenceKind.ATTESTATION)
    ]
    if not offered and not measured:
        return rules.none_yet(key, requirement.evidence, version)
    whys = {
        item.id: rules.unusable(facts, book, requirement, item, at)
        or (refusal(item, key, version, at) if item.result in ("", "pass") else "")
        for item in offered
    }
    usable = [item for item in offered if not whys[item.id]]
    newest = next((item for item in usable if item.kind in book.result_kinds), None)
    if newest is not None and newest.result != "pass":
        words = f"{newest.title}, observed {newest.observed_on:%-d %B %Y}, says {newest.result}: only a pass counts."
        return lacking(requirement, version, "failing", words, "Mend it and add a newer result.", (newest,))
    day = clock.local_day(at)
    current = [
        item
        for item in usable
        if ageless or (last := rules.expiry(requirement, item, facts.high)) is None or day <= last
    ]
    passing = [item for item in current if item.kind not in book.result_kinds or item.result == "pass"]
    found = _highest(facts, requirement, passing, measured, at, ageless, version)
    if found is not None:
        return against_gates(facts, book, requirement, found)
    if not usable:
        why = next((why for why in whys.values() if why), "")
        return rules.none_counts(requirement, version, offered, [], why, at)
    if not passing:
        return rules.aged_out(requirement, version, usable[0], facts.high)
    weak = rules.too_weak(requirement, version, passing)
    return weak or rules.none_yet(key, requirement.evidence, version)


def refusal(item: Item, key: str, version: int, at: datetime) -> str:
    """Why a verifier said that the item does not show it, of this version of the answer; empty where nobody did."""
    said = next((one for one in _verdicts(item, key, version, at) if not one.shows), None)
    return f"{item.title} does not show it, says {said.by}: {ended(said.words)}" if said else ""


def verifiers_of(item: Item, key: str, version: int, at: datetime) -> frozenset[int]:
    """Keys of the persons who verified that the item shows the answer in this version."""
    return frozenset(one.by_id for one in _verdicts(item, key, version, at) if one.shows)


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
    verified = [item for item in shown if verifiers_of(item, key, version, at)]
    spoken = [item for item in passing if item.kind == EvidenceKind.ATTESTATION]
    steps = ((Level.MEASURED, outside), (Level.VERIFIED, verified), (Level.DOCUMENTED, shown))
    for level, items in steps:
        if items and not rules.too_weak(requirement, version, items):
            by = min(
                (
                    max((verifiers_of(item, key, version, at) for item in group), key=len)
                    for group in rules.needed_of(requirement, items)
                ),
                key=len,
            )
            last = rules.last_day(requirement, items, facts.high, ageless)
            words = f"{level.label}: {listed([item.title for item in items[:2]])}."
            return State(key, "met", words, "", tuple(items), last, version, level=level, verifiers=by)
    if spoken:
        ends = [day for item in spoken if (day := rules.expiry(requirement, item, facts.high)) is not None]
        last = max(ends) if ends and not ageless else None
        words = f"Stated: {ended(spoken[0].title)}"
        return State(key, "met", words, "", tuple(spoken), last, version, level=Level.STATED)
    return None


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


def _artefact_fix(book: Book, requirement: Requirement) -> str:
    """How an artefact comes about: added by a person, or written by the one register that the question takes."""
    kinds = [kind for kind in requirement.evidence if kind != EvidenceKind.ATTESTATION]
    if all(kind in REGISTER_FIXES and kind in book.register_kinds for kind in kinds):
        return REGISTER_FIXES[kinds[0]]
    return "Add an artefact that shows it."


def against_gates(facts: Facts, book: Book, requirement: Requirement, found: State) -> State:
    """The state with the gates that ask for more than it reaches, and what would reach it."""
    asked = {gate: requirement.level_for(facts.tier, gate) for gate in book.gates_asking(requirement.key)}
    low = {gate: level for gate, level in asked.items() if LEVEL_RANK[found.level] < LEVEL_RANK[level]}
    alone = facts.high and found.level == Level.VERIFIED and len(found.verifiers) < 2
    second = {gate for gate in asked if alone and gate in TWO_PERSONS and asked[gate] == Level.VERIFIED}
    below = frozenset(low) | second
    if not below:
        return found
    word = found.level
    if low:
        most = max(low.values(), key=LEVEL_RANK.__getitem__)
        gates = listed([book.gates[gate].title for gate in low])
        words = f"{Level.word(word)}, and {gates} asks for {Level.word(most).lower()}."
        verify = LEVEL_RANK[most] > LEVEL_RANK[Level.DOCUMENTED] and found.level == Level.DOCUMENTED
    else:
        words, verify = "Verified by one person, and at high risk two have to.", True
    fix = "Open it and say whether it shows it." if verify else _artefact_fix(book, requirement)
    return State(
        found.key,
        "below",
        words,
        fix,
        found.items,
        found.last_day,
        found.answer_version,
        mended_by=VERIFIERS if verify else "",
        place=BY_VERIFYING if verify else "",
        level=found.level,
        below=below,
        verifiers=found.verifiers,
    )


def too_few_verifiers(
    facts: Facts, book: Book, gate: str, states: dict[str, State], people: Mapping[str, tuple[int, ...]]
) -> tuple[Reason, ...]:
    """Why what a gate asks to be verified cannot be, for the board lacks the people: a reason for each set of seats.

    `people`: by seat, the keys of who could sign for it now. What a register or an acceptance answers needs nobody.
    """
    wanted = 2 if facts.high and gate in TWO_PERSONS else 1
    short: dict[tuple[str, ...], int] = {}
    for key in book.gates[gate].requirements():
        requirement = book.requirements[key]
        asked = requirement.level_for(facts.tier, gate) == Level.VERIFIED and not states[key].satisfies(gate)
        seats = tuple(dict.fromkeys(criterion.seat for criterion in book.criteria_using(key)))
        free = {person for seat in seats for person in people.get(seat, ())}
        if asked and not requirement.ways and len(free) < wanted:
            short[seats] = short.get(seats, 0) + 1
    return tuple(_too_few(wanted, number, seats) for seats, number in short.items())


def _too_few(wanted: int, number: int, seats: tuple[str, ...]) -> Reason:
    questions = f"{number} question{'' if number == 1 else 's'}"
    signed = f"{questions} that {listed([Seat.word(seat) for seat in seats], 'or')} signs for"
    if wanted == 1:
        return Reason(f"Nobody can verify {signed}.", "The chair can have a delegate appointed.")
    return Reason(
        f"At high risk two people verify each of {signed}, and fewer than two can.",
        "The chair can have a second person appointed to the seat.",
    )
