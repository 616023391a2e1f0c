"""Levels of answers: stated, documented, verified, measured. Pure.

Source: docs/domain.md, "Four levels", on who can reach a level and what a missing verdict means. The rulebook sets the
level that a requirement asks at each tier (`Requirement.level_for`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from governance import clock
from governance.contracts.wording import listed
from governance.gates import evidence_rules as rules
from governance.gates.gate_inputs import Facts, Item, Measured, Verification
from governance.gates.requirement_state import (
    BY_VERIFYING,
    IN_DEPLOYMENTS,
    IN_REGISTER,
    ITS_SEAT,
    NEXT_ACCEPTANCE,
    State,
    lacking,
)
from governance.permission_result import Reason, ended
from governance.rulebook import ParsedRulebook, Requirement
from governance.vocabulary import LEVEL_RANK, STAGE_RANK, ClauseKind, EvidenceKind, Level, Seat, Stage, Tier
from governance.vocabulary.phrases import joined, label, phrase

VERIFIERS = phrase("A reviewer in its seat")
# Triggers of the rulebook: a later record of a model or a scope ends evidence that was offered earlier.
MODEL, SCOPE = "model_version", "scope"
INVENTORY = "int.inventory"
# The kind of clause that answers each requirement about the contract. Clauses of other kinds are plain artefacts.
CLAUSES = {
    "gov.autonomy": ClauseKind.AUTONOMY,
    "gov.human_approval": ClauseKind.HUMAN_APPROVAL,
    "prod.q06_human_review": ClauseKind.HUMAN_APPROVAL,
    "gov.edge_policies": ClauseKind.EDGE_POLICY,
    "gov.record_owner": ClauseKind.RECORD_OWNER,
}
# The act after which the register of a kind writes an item of this kind.
REGISTER_FIXES: dict[str, str] = {
    EvidenceKind.DRILL_RECORD: phrase("Record a drill for this requirement."),
    EvidenceKind.SYSTEM_RECORD: phrase("Keep the integration register up to date."),
    EvidenceKind.TELEMETRY: phrase("Record measurements of the declared measures."),
}
# Ways that need no verifier. Figures and logs are not among them, because they need a system that sends them.
NEEDS_NOBODY = frozenset({"acceptance", "clause", "index", "agreement"})
# Days for which a renewal of a verified item counts as verified, while it waits for the seat (docs/domain.md).
RENEWAL_DAYS = 14
# Gates at which high risk needs the word of two people that an artefact shows the answer (docs/domain.md).
TWO_PERSONS = (Stage.PRODUCTION,)


def unknown(facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, at: datetime) -> State | None:
    """Return the state if nothing is recorded that an answer could be about, or None.

    An empty integration register is unknown, not free of findings, unless a declaration that the initiative has no
    links is accepted (`StandsAlone`).
    """
    key = requirement.key
    if requirement.of_register and not facts.described_at(at):
        alone = facts.stands_alone_at(at)
        if alone is None:
            words = phrase("Unknown: nothing is described in the integration register.")
            fix = phrase("Describe the links of the initiative, or declare that the initiative has no links.")
            return lacking(requirement, 0, "unknown", words, fix, place=IN_REGISTER)
        if facts.short_of(key, at):
            return None
        words = phrase(
            "The initiative has no links, as {} accepted on {}.", alone.by, clock.local_day(alone.since)
        )
        if key != INVENTORY:
            state = State(key, "not_applicable", words, verifiers=alone.verifiers)
            return accepted_by_two(facts, rulebook, requirement, state, at)
        state = State(key, "met", words, level=Level.VERIFIED, verifiers=alone.verifiers)
        return against_gates(facts, rulebook, requirement, state, at)
    if recorded_first(facts, requirement, at) == MODEL:
        words = phrase("Unknown: no model is recorded for this initiative.")
        return lacking(
            requirement,
            0,
            "unknown",
            words,
            phrase("Record the model that runs, with its version."),
            place=IN_DEPLOYMENTS,
        )
    return None


def recorded_first(facts: Facts, requirement: Requirement, at: datetime) -> str:
    """Return what must be recorded before evidence, `MODEL` or `SCOPE`, or "".

    Evidence must name the model that runs. A wider scope of the next stage ends evidence that does not name it.
    """
    if requirement.stage == Stage.PROTOTYPE:
        return ""
    if MODEL in requirement.triggers and not facts.models_at(at):
        return MODEL
    ahead = STAGE_RANK.get(requirement.stage) == STAGE_RANK.get(facts.approved_stage, 0) + 1
    planned = any(scope.planned for scope in facts.scopes)
    return SCOPE if ahead and SCOPE in requirement.triggers and facts.scopes and not planned else ""


def level_state(
    facts: Facts,
    rulebook: ParsedRulebook,
    requirement: Requirement,
    at: datetime,
    ageless: bool,
    version: int,
) -> State:
    """Return the state of an answered requirement with the highest level it reaches.

    Evidence and measured answers count. If `ageless`, age is ignored. `version` is of the answer, 0 if there is none.
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
    newest: dict[int | None, Item] = {}
    for item in usable:
        if item.kind in rulebook.result_kinds:
            newest.setdefault(item.link if requirement.each == "link" else None, item)
    if failing := next((item for item in newest.values() if item.result != "pass"), None):
        words = phrase(
            "The result of {}, observed {}, is {}. Only a pass counts.",
            failing.title,
            failing.observed_on,
            failing.result,
        )
        return lacking(
            requirement,
            version,
            "failing",
            words,
            phrase("Fix the fault and add a newer result."),
            (failing,),
        )
    day = clock.local_day(at)
    current = [
        item
        for item in usable
        if ageless or (last := rules.expiry_of(facts, requirement, item)) is None or day <= last
    ]
    passing = [item for item in current if item.kind not in rulebook.result_kinds or item.result == "pass"]
    found = _highest(facts, requirement, offered, passing, measured, at, ageless, version)
    if found is not None:
        found = against_gates(facts, rulebook, requirement, found, at)
        papers = (whys[item.id] for item in offered if item.kind != EvidenceKind.ATTESTATION)
        why = next((why for why in papers if why), "")
        # A person's word alone must not hide why an added artefact does not count.
        wanting = found.state == "below" and found.level == Level.STATED and why
        return replace(found, words=joined(found.words, ended(why))) if wanting else found
    if not usable:
        why = next((why for why in whys.values() if why), "")
        return rules.none_counts(requirement, version, offered, why, at)
    if not passing:
        return rules.expired_evidence(facts, requirement, version, usable[0])
    weak = rules.too_weak(requirement, version, offered, passing)
    if weak is None:
        return rules.none_yet(key, requirement.evidence, version)
    other = rules.of_other_link(requirement, offered, passing)
    return replace(weak, words=joined(weak.words, whys[other.id])) if other else weak


def measured_answers(facts: Facts, requirement: Requirement, at: datetime) -> list[Measured]:
    """Return what is measured at `at`, in the ways that the rulebook allows."""
    return [one for one in facts.measured_at(requirement.key, at) if one.way in requirement.ways]


def refusal(item: Item, key: str, version: int, at: datetime) -> str:
    """Return why a verifier refused the item for this version of the answer, or ""."""
    said = next((one for one in _verdicts(item, key, version, at) if not one.shows), None)
    if not said:
        return ""
    return phrase("{} does not show the answer, according to {}: {}", item.title, said.by, ended(said.words))


def verifiers_of(item: Item, key: str, version: int, at: datetime) -> frozenset[int]:
    """Return the keys of the people who verified the item for this version."""
    return frozenset(one.by_id for one in _verdicts(item, key, version, at) if one.shows)


def renewal_ends(item: Item) -> datetime:
    """Return when an item no longer counts by its renewal of a verified one."""
    return clock.midnight_after(clock.local_day(item.added_at) + timedelta(days=RENEWAL_DAYS))


def renewed_verifiers(
    facts: Facts, requirement: Requirement, item: Item, version: int, at: datetime
) -> frozenset[int]:
    """Return the keys of those who verified, in person, the item that this one renews.

    They count until `renewal_ends`. The item needs the same author and kind, another content and a passing result, and
    the earlier item must have counted when it was added. An item that itself counts by renewal cannot be renewed so.
    """
    earlier, key = facts.renewed_by(item), requirement.key
    if earlier is None or at >= renewal_ends(item) or item.result not in ("", "pass"):
        return frozenset()
    then = item.added_at
    last = rules.expiry_of(facts, requirement, earlier)
    if (
        (earlier.author_id, earlier.kind) != (item.author_id, item.kind)
        or (earlier.fingerprint == item.fingerprint and not item.anew)
        or key not in earlier.covers
        or earlier.void_at(key, then)
        or (earlier.withdrawn_at is not None and earlier.withdrawn_at <= then)
        or (last is not None and clock.local_day(then) > last)
        or refusal(earlier, key, version, then)
    ):
        return frozenset()
    return verifiers_of(earlier, key, version, then)


def seen_in(facts: Facts, rulebook: ParsedRulebook, key: str, item: Item, at: datetime) -> list[Verification]:
    """Return the verifications that saw the answer in the item, oldest first.

    An item that renews a verified one and waits for its seat has those of the earlier item. A requirement met by its
    production form has those of that form.
    """
    if key not in item.covers:
        key = rulebook.carry.replaced_at_production.get(key, key)
    reply, requirement = facts.answers.get(key), rulebook.requirements.get(key)
    if reply is None or requirement is None:
        return []
    said = [one for one in _verdicts(item, key, reply.version, at) if one.shows]
    earlier = facts.renewed_by(item)
    if earlier is not None:
        known = renewed_verifiers(facts, requirement, item, reply.version, at) - {one.by_id for one in said}
        said += [
            one
            for one in _verdicts(earlier, key, reply.version, item.added_at)
            if one.by_id in known and one.shows
        ]
    return sorted(said, key=lambda one: (one.at, one.by_id))


def _verdicts(item: Item, key: str, version: int, at: datetime) -> list[Verification]:
    """Return each person's newest verdict on this version and exactly this content."""
    newest = {
        one.by_id: one
        for one in item.verifications.get(key, ())
        if one.at <= at and one.answer_version == version and one.fingerprint == item.fingerprint
    }
    return list(newest.values())


def _highest(
    facts: Facts,
    requirement: Requirement,
    offered: list[Item],
    passing: list[Item],
    measured: list[Measured],
    at: datetime,
    ageless: bool,
    version: int,
) -> State | None:
    """Return the state at the highest level that is reached, or None without any."""
    key = requirement.key
    if measured:
        lasting = [one.until for one in measured if one.until is not None]
        last = (
            clock.local_day(max(lasting) - timedelta(microseconds=1))
            if len(lasting) == len(measured)
            else None
        )
        words = phrase("Measured: {}", ended(measured[0].words))
        return State(key, "met", words, "", (), last, version, level=Level.MEASURED)
    shown = [
        item for item in passing if item.kind != EvidenceKind.ATTESTATION or from_outside(requirement, item)
    ]
    outside = [item for item in shown if from_outside(requirement, item)]
    direct = {item.id: verifiers_of(item, key, version, at) for item in shown}
    renewed = {item.id: renewed_verifiers(facts, requirement, item, version, at) for item in shown}
    shown = _weakest_link_first(shown, direct)
    verified = [item for item in shown if direct[item.id] or renewed[item.id]]
    spoken = [item for item in passing if item.kind == EvidenceKind.ATTESTATION]
    steps = ((Level.MEASURED, outside), (Level.VERIFIED, verified), (Level.DOCUMENTED, shown))
    for level, items in steps:
        if items and not rules.too_weak(requirement, version, offered, items):
            groups = rules.needed_of(requirement, items)
            by = _fewest(groups, direct)
            last = rules.last_day(facts, requirement, items, ageless)
            words = phrase("{}: {}.", label(level.label), listed([item.title for item in items[:2]]))
            state = State(key, "met", words, "", tuple(items), last, version, level=level, verifiers=by)
            counted = _fewest(groups, {pk: direct[pk] | renewed[pk] for pk in direct})
            if level == Level.VERIFIED and len(by) < min(len(counted), 2 if facts.high else 1):
                return _waiting(state, items, direct, counted - by)
            return state
    if spoken:
        ends = [day for item in spoken if (day := rules.expiry_of(facts, requirement, item)) is not None]
        last = max(ends) if ends and not ageless else None
        words = phrase("Stated: {}", ended(spoken[0].title))
        return State(key, "met", words, "", tuple(spoken), last, version, level=Level.STATED)
    return None


def _fewest(groups: list[list[Item]], by: dict[int, frozenset[int]]) -> frozenset[int]:
    """Return the smallest of each group's largest set of verifiers of one item."""
    return min((max((by[item.id] for item in group), key=len) for group in groups), key=len)


def _weakest_link_first(shown: list[Item], by: dict[int, frozenset[int]]) -> list[Item]:
    """Return the items, first those of the link that the fewest people verified."""
    most: dict[int | None, int] = {}
    for item in shown:
        most[item.link] = max(most.get(item.link, 0), len(by[item.id]))
    return sorted(shown, key=lambda item: most[item.link])


def _waiting(
    state: State, items: list[Item], direct: dict[int, frozenset[int]], renewed: frozenset[int]
) -> State:
    """Return the state of an item that counts by renewal and waits for its seat."""
    newer = next(item for item in items if not direct[item.id] or len(direct[item.id]) < 2)
    last = clock.local_day(renewal_ends(newer) - timedelta(microseconds=1))
    words = phrase(
        "{} {} renews verified evidence and counts as verified until {}.", state.words, newer.title, last
    )
    return replace(
        state,
        words=words,
        fix=phrase("Open the evidence and verify it."),
        fixed_by=VERIFIERS,
        place=BY_VERIFYING,
        renewed=renewed,
    )


def from_outside(requirement: Requirement, item: Item) -> bool:
    """Return True if a role, approving seats, Plumbline or a declared pipeline gave the deciding value."""
    ways = requirement.ways
    return (
        ("acceptance" in ways and bool(item.acceptance_role))
        or ("index" in ways and item.generated)
        or ("pipeline" in ways and requirement.key in item.measures)
        or (
            "clause" in ways
            and item.clause_of is not None
            and item.clause_kind == CLAUSES.get(requirement.key)
        )
    )


def _artefact_fix(rulebook: ParsedRulebook, requirement: Requirement) -> str:
    """Return how to get an artefact: a person adds it or a register writes it."""
    kinds = [kind for kind in requirement.evidence if kind != EvidenceKind.ATTESTATION]
    if all(kind in REGISTER_FIXES and kind in rulebook.register_kinds for kind in kinds):
        return REGISTER_FIXES[kinds[0]]
    return phrase("Add an artefact that shows the answer.")


def tier_grace_ends(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> date | None:
    """Return the last day on which an outdated tier leaves requirements out, or None."""
    since = facts.tier_outdated_since(at)
    days = rulebook.freshness.tier_grace_days
    return clock.local_day(since) + timedelta(days=days) if since is not None else None


def tier_lapsed(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> bool:
    """Return True if the tier is out of date at `at` and its days of grace are over."""
    ends = tier_grace_ends(facts, rulebook, at)
    return ends is not None and clock.local_day(at) > ends


def tier_asked(facts: Facts, rulebook: ParsedRulebook, key: str, at: datetime) -> str:
    """Return the tier at which the requirement is asked at `at`: the confirmed one.

    After the grace of an outdated tier, a requirement that it leaves out is asked as at the lowest tier that asks it.
    """
    if rulebook.asks(key, facts.tier) or not tier_lapsed(facts, rulebook, at):
        return facts.tier
    return next((tier for tier in Tier if rulebook.asks(key, tier)), facts.tier)


def level_asked(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, gate: str, at: datetime
) -> str:
    """Return the level that this gate asks at `at`, "verified" for a drawn answer."""
    level = requirement.level_for(tier_asked(facts, rulebook, requirement.key, at), gate)
    drawn = gate == Stage.PRODUCTION and rulebook.drawn_at(facts.tier) and facts.drawn_at(requirement.key, at)
    return max(level, Level.VERIFIED, key=LEVEL_RANK.__getitem__) if level and drawn else level


def _asked(facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, at: datetime) -> dict[str, str]:
    """Return the level asked by gate. NEXT_ACCEPTANCE asks what is drawn ahead, in production only."""
    asked = {
        gate: level_asked(facts, rulebook, requirement, gate, at)
        for gate in rulebook.gates_asking(requirement.key)
    }
    in_production = facts.approved_stage == Stage.PRODUCTION
    ahead = in_production and rulebook.drawn_at(facts.tier) and facts.drawn_ahead(requirement.key, at)
    if ahead and asked.get(Stage.PRODUCTION):
        asked[NEXT_ACCEPTANCE] = Level.VERIFIED
    return asked


def accepted_by_two(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, found: State, at: datetime
) -> State:
    """Require two people to accept "not applicable" at high risk (docs/domain.md)."""
    asked = _asked(facts, rulebook, requirement, at)
    below = frozenset(gate for gate in TWO_PERSONS if asked.get(gate))
    if found.state != "not_applicable" or not facts.high or len(found.verifiers) > 1 or not below:
        return found
    return replace(
        found,
        state="below",
        words=phrase("One person accepted that this does not apply, but high risk requires two people."),
        fix=phrase("Accept this answer, or reject the answer with a reason."),
        fixed_by=ITS_SEAT,
        below=below,
    )


def against_gates(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, found: State, at: datetime
) -> State:
    """Return the state with the gates that ask a higher level, and what reaches it."""
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
        tier = tier_asked(facts, rulebook, requirement.key, at)
        drawn = any(level != requirement.level_for(tier, gate) for gate, level in low.items())
        why = phrase(" because the requirement was drawn") if drawn else ""
        words = phrase(
            "{}, but {} asks for {}{}.",
            label(Level.word(word)),
            gates,
            label(Level.word(most), inside=True),
            why,
        )
        verify = LEVEL_RANK[most] > LEVEL_RANK[Level.DOCUMENTED] and found.level == Level.DOCUMENTED
    else:
        words, verify = phrase("One person verified the answer, but high risk requires two people."), True
    fix = phrase("Open the evidence and verify it.") if verify else _artefact_fix(rulebook, requirement)
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
    """Return the requirements that a draw chooses from, in the rulebook's order.

    Each belongs to a blocking criterion of the gate to production and is asked as documented. It is not measured,
    verified, decided, waived or accepted as not applying.
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
    """Return True if no one has to verify it: verified, measured, or without levels."""
    return LEVEL_RANK[state.level] >= LEVEL_RANK[Level.VERIFIED] or (state.satisfied and not state.level)


def too_few_verifiers(
    facts: Facts,
    rulebook: ParsedRulebook,
    gate: str,
    states: dict[str, State],
    people: Mapping[str, tuple[int, ...]],
    at: datetime,
) -> tuple[Reason, ...]:
    """Return why a board lacks people to verify what a gate asks, by set of seats.

    `people` has, by seat, the keys of who could sign now. Requirements that a register or an acceptance answers need
    no one. Each requirement that may be drawn counts as asked.
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
    signed = phrase("{} that {} signs for", questions, listed([Seat.word(seat) for seat in seats], "or"))
    if wanted == 1:
        return Reason(phrase("No one can verify {}.", signed), "The chair can have a delegate appointed.")
    return Reason(
        phrase("Two people must verify each of {} at high risk, but fewer than two people can.", signed),
        "The chair can have a second person appointed to the seat.",
    )
