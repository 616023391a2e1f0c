"""Judge which criteria are met, which stage is supported, what blocks a review.

The module is pure. `judge` judges an initiative once. Statements, pages and `verdict_of` read its result. `verdict_of`
returns whether a review can be decided. Source of every rule: docs/domain.md, "What counts as evidence".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from governance import clock
from governance.gates import levels, separation_of_duties
from governance.gates.gate_inputs import Facts, HoldFact, without_words
from governance.gates.requirement_state import State, in_words
from governance.gates.requirements import states_at, unanswered, waiver_at
from governance.gates.standards import SHOWN_BY_RUNNING, contested, outcomes, scale_tests
from governance.offline.verify import Count, count_sign_offs
from governance.permission_result import Reason, ended
from governance.rulebook import Criterion, Gate, ParsedRulebook
from governance.vocabulary import APPROVING, RUNNING_STAGES, STAGE_RANK, Seat, Stage
from governance.vocabulary import ScaleTestOutcome as Outcome
from governance.vocabulary.phrases import joined, label, phrase

NO_SIGNER = "The chair can have a delegate appointed."
# A criterion in one of these states does not prevent a decision. One with a waived requirement is never called met.
# Documents of others meet a criterion too, and its state shows that it rests on them.
MET_STATES = ("met", "documented", "with_waiver", "waived")


@dataclass(frozen=True)
class Finding:
    """One criterion of a gate, with the requirements behind it.

    The criterion is met, met by documents of others, met with a waiver, waived, unmet, or asked later.
    """

    criterion: Criterion
    state: str
    requirements: tuple[State, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Return True if the criterion does not prevent a decision."""
        return self.state in MET_STATES

    @property
    def blocks(self) -> bool:
        """Return True if this criterion prevents the passing of the gate."""
        return self.criterion.blocking and not self.met


@dataclass(frozen=True)
class Support:
    """The stage that the evidence supports at one moment, and the approved stage.

    `tests` maps each scale test to its `ScaleTestOutcome`. A test passes if its items are met and `against` has no
    objection or condition for it. `runs_without` holds what no running system shows here (`gate_inputs.SHOWN_HERE`).
    While it has an entry, the test SHOWN_BY_RUNNING is documented at best, which does not lower the supported stage.
    """

    supported: str
    unsupported_stages: int
    label: str
    tests: dict[str, Outcome] = field(hash=False)
    held_by: tuple[str, ...] = ()
    # The waivers that the stage rests on: (key, last day), earliest first.
    waived: tuple[tuple[str, date], ...] = ()
    against: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    runs_without: tuple[str, ...] = ()

    @property
    def supports_approved_stage(self) -> bool:
        """Return True if evidence supports the approved stage."""
        return self.unsupported_stages == 0


@dataclass(frozen=True, eq=False)
class Judged:
    """An initiative judged once, at one moment, by one rulebook at its own tier.

    `states` is keyed by requirement and `findings` by criterion. `support` is what the evidence supports.
    """

    facts: Facts
    rulebook: ParsedRulebook
    at: datetime
    states: dict[str, State]
    findings: dict[str, Finding]
    support: Support

    def at_gate(self, gate: str) -> tuple[Finding, ...]:
        """Return the finding of each criterion of the gate, in the rulebook's order."""
        return tuple(self.findings[criterion.key] for criterion in self.rulebook.gates[gate].criteria)


def judge(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> Judged:
    """Judge every requirement, every criterion and the supported stage at `at`."""
    return judged_from(facts, rulebook, at, states_at(facts, rulebook, at))


def judged_from(facts: Facts, rulebook: ParsedRulebook, at: datetime, states: dict[str, State]) -> Judged:
    """Judge an initiative whose requirement states at `at` are known."""
    rulebook = rulebook.at_tier(facts.tier)
    findings = {key: _finding(facts, rulebook, one, states, at) for key, one in rulebook.criteria.items()}
    return Judged(facts, rulebook, at, states, findings, _support(facts, rulebook, at, states, findings))


def _finding(
    facts: Facts, rulebook: ParsedRulebook, criterion: Criterion, states: dict[str, State], at: datetime
) -> Finding:
    """Return the finding of one criterion, from the states of its requirements."""
    requirements = tuple(states[key] for key in criterion.requirements)
    # An advisory requirement never blocks, wherever a criterion names it (docs/domain.md).
    missing = [
        state
        for state in requirements
        if not state.satisfies(criterion.gate)
        and (rulebook.requirements[state.key].blocking or criterion.severity == "advisory")
    ]
    reasons = [phrase("{} {}", rulebook.requirements[state.key].question, state.words) for state in missing]
    for key in criterion.declared_goals:
        declared = facts.declared.get(key)
        if declared is None or not declared.result:
            reasons.append(phrase("The declaration on {} has no result yet.", key.replace("_", " ")))
        elif declared.result != "met":
            reasons.append(phrase("The declaration on {} was not met.", key.replace("_", " ")))
    waived = [state for state in requirements if state.state == "waived"]
    if len(waived) > 1 and not criterion.waivable:
        reasons.append(
            phrase(
                "{} requirements of this criterion are waived, but at most one waiver is allowed.",
                len(waived),
            )
        )
    if not reasons:
        missing_here = facts.runs_without(at) if criterion.scale_test == SHOWN_BY_RUNNING else ()
        if missing_here:
            return Finding(criterion, "documented", requirements, (without_words(missing_here),))
        words = tuple(joined(rulebook.requirements[one.key].question, one.words) for one in waived)
        return Finding(criterion, "with_waiver" if waived else "met", requirements, words)
    waiver = waiver_at(facts, criterion.key, at)
    if waiver is not None and rulebook.waivable_criterion(criterion.key):
        return Finding(
            criterion, "waived", requirements, (phrase("Waived until {}: {}", waiver.until, waiver.reason),)
        )
    return Finding(
        criterion, "later" if criterion.due_days is not None else "unmet", requirements, tuple(reasons)
    )


def gaps_to(judged: Judged, stage: str) -> list[str]:
    """Return the unmet blocking requirements of the gates up to the one to `stage`."""
    gates = map(judged.rulebook.gate_to, RUNNING_STAGES[1 : STAGE_RANK.get(stage, 0) + 1])
    return list(dict.fromkeys(key for gate in gates if gate is not None for key in open_at(judged, gate.key)))


def open_at(judged: Judged, gate: str) -> list[str]:
    """Return the gate's unmet blocking requirements, except those due later."""
    rulebook = judged.rulebook
    later = rulebook.deferred(rulebook.gates[gate])
    return [
        key
        for key in rulebook.gates[gate].requirements()
        if key not in later and rulebook.requirements[key].blocking and not judged.states[key].satisfies(gate)
    ]


def _support(
    facts: Facts,
    rulebook: ParsedRulebook,
    at: datetime,
    states: dict[str, State],
    findings: dict[str, Finding],
) -> Support:
    """Return the highest supported stage at `at`, capped by scale tests and holds."""
    by_items, against = scale_tests(rulebook, states), contested(facts, rulebook)
    without = facts.runs_without(at)
    tests = outcomes(by_items, against, without)
    if facts.approved_stage not in STAGE_RANK:
        return Support("", 0, "", tests, against=against, runs_without=without)
    reached = "proposed"
    waived: dict[str, dict[str, date]] = {reached: {}}
    for stage in RUNNING_STAGES[1:]:
        gate = rulebook.gate_to(stage)
        if gate is None:
            break
        found = [findings[criterion.key] for criterion in gate.criteria if criterion.blocking]
        if any(finding.blocks for finding in found):
            break
        waived[stage] = waived[reached] | _waived(facts, found, at)
        reached = stage
    if reached == "production" and not all(by_items.values()):
        reached = "mvp"
    held_by = []
    for hold in holds_at(facts, rulebook, at):
        if hold.cap is not None and STAGE_RANK[hold.cap] < STAGE_RANK[reached]:
            held_by.append(hold.words)
            reached = hold.cap
    for step in facts.stepped_back:
        if step.open and STAGE_RANK[facts.approved_stage] < STAGE_RANK[reached]:
            held_by.append(step.words)
            reached = facts.approved_stage
    unsupported_stages = max(0, STAGE_RANK[facts.approved_stage] - STAGE_RANK[reached])
    on_waivers = tuple(sorted(waived[reached].items(), key=lambda one: (one[1], one[0])))
    return Support(
        reached,
        unsupported_stages,
        unsupported_label(facts.approved_stage, reached),
        tests,
        tuple(held_by),
        on_waivers,
        against,
        without,
    )


def _waived(facts: Facts, found: Iterable[Finding], at: datetime) -> dict[str, date]:
    """Return the waivers, by key with their last day, on which these findings rest."""
    keys = {state.key for finding in found for state in finding.requirements if state.state == "waived"}
    keys |= {finding.criterion.key for finding in found if finding.state == "waived"}
    return {key: waiver.until for key in keys if (waiver := waiver_at(facts, key, at)) is not None}


def holds_at(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> tuple[HoldFact, ...]:
    """Return the open holds, and those that follow from dates and findings.

    Production past its re-attestation day is held at MVP. A finding that calls for a hold counts from its moment on,
    even before its row is opened. A hold does not count if its findings concern only requirements that the tier leaves
    out.
    """
    calls = [one for one in facts.requirement_findings if one.hold and one.counts_at(at)]
    asked = [
        one
        for one in calls
        if rulebook.asks(one.requirement, levels.tier_asked(facts, rulebook, one.requirement, at))
    ]
    idle = {one.hold for one in calls} - {one.hold for one in asked}
    holds = tuple(hold for hold in facts.holds if hold.kind not in idle)
    if (
        facts.approved_stage == Stage.PRODUCTION
        and facts.reattest_by
        and clock.local_day(at) > facts.reattest_by
    ):
        words = phrase("Re-attestation is overdue")
        reason = phrase("The next acceptance of production was due on {}.", facts.reattest_by)
        holds = (*holds, HoldFact("reattestation", words, reason, "mvp", True))
    open_already = {hold.kind for hold in holds}
    for one in asked:
        if one.hold not in open_already:
            open_already.add(one.hold)
            holds = (*holds, HoldFact(one.hold, one.hold_words, one.words, one.cap, True))
    return holds


def unsupported_label(approved_stage: str, supported: str) -> str:
    """Return that evidence does not support this stage, or "" if it does."""
    if STAGE_RANK[approved_stage] <= STAGE_RANK[supported]:
        return ""
    return phrase("{}: not supported by current evidence", label(Stage(approved_stage).label))


@dataclass(frozen=True)
class JudgedSignOff:
    """The sign-off of one seat, with every reason why it no longer counts."""

    seat: str
    person_id: int
    person: str
    verdict: str
    at: datetime
    criteria: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def approves(self) -> bool:
        """Return True if this is an approval, fresh or not."""
        return self.verdict in APPROVING

    @property
    def fresh(self) -> bool:
        """Return True if the sign-off counts."""
        return not self.stale


@dataclass(frozen=True)
class SeatState:
    """A seat's possible signers and why others may not sign. `humans` merges accounts."""

    seat: str
    eligible: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    people: tuple[int, ...] = ()
    humans: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The state of a review: its findings, sign-offs, and blockers with remedies."""

    findings: tuple[Finding, ...]
    sign_offs: tuple[JudgedSignOff, ...]
    blockers: tuple[Reason, ...]
    quorum: int
    fresh_approvals: int
    missing_seats: tuple[str, ...]
    reachable: bool

    @property
    def decidable(self) -> bool:
        """Return True if the chair can decide now."""
        return not self.blockers


def reach(rulebook: ParsedRulebook, gate: str, tier: str, seats: dict[str, SeatState]) -> tuple[Reason, ...]:
    """Return why a board cannot reach the quorum (docs/domain.md, invariant 5)."""
    rules = rulebook.at_tier(tier).gates[gate]
    quorum = rules.quorum_for(tier)
    # Only a seat with a criterion at the gate signs there.
    able = [key for key in rules.seats if seats[key].eligible]
    reasons = []
    for key in rules.must_include:
        if key not in able:
            why = "; ".join(seats[key].barred) or "no one has this seat"
            reasons.append(
                Reason(ended(phrase("{} must sign and cannot: {}", Seat.word(key), why)), NO_SIGNER, "")
            )
    people = {key: seats[key].humans or seats[key].people or seats[key].eligible for key in able}
    filled = separation_of_duties.seated(people, first=rules.must_include)
    for sharing, who in separation_of_duties.contested(people, filled, rules.must_include):
        names = {
            one: name
            for seat in sharing
            for one, name in zip(people[seat], seats[seat].eligible, strict=True)
        }
        reasons.append(
            Reason(
                phrase(
                    "{} must be signed by different people, and only {} can sign. One person can sign "
                    "for only one seat.",
                    " and ".join(Seat.word(one) for one in rules.seats if one in sharing),
                    " and ".join(sorted(names[one] for one in who)),
                ),
                "An admin can give one of these seats to someone else, or its holder can have a delegate "
                "appointed.",
            )
        )
    if len(filled) < quorum:
        empty = ", ".join(Seat.word(key) for key in rules.seats if key not in able)
        reasons.append(
            Reason(
                f"The quorum cannot be reached: {quorum} seats must sign, and {len(filled)} can. "
                + (
                    f"Seats without anyone who can sign: {empty}."
                    if empty
                    else "One person has two of these seats."
                ),
                phrase(
                    "{} more people must sign. An admin can give seats to more people, also to people "
                    "outside the unit. The chair can have delegates appointed.",
                    quorum - len(filled),
                ),
            )
        )
    return tuple(reasons)


def verdict_of(
    judged: Judged, gate: str, *, sign_offs: tuple[JudgedSignOff, ...], seats: dict[str, SeatState]
) -> Verdict:
    """Return whether a review is decidable, and why not (docs/domain.md, "A review")."""
    facts, rulebook, at = judged.facts, judged.rulebook, judged.at
    rules, found = rulebook.gates[gate], judged.at_gate(gate)
    quorum = rules.quorum_for(facts.tier)
    blocking = frozenset(criterion.key for criterion in rules.criteria if criterion.blocking)
    counted = count_sign_offs(sign_offs, quorum, rules.must_include, blocking, rules.seats)
    impossible = reach(rulebook, gate, facts.tier, seats)
    blockers = [
        *_unmet(facts, rulebook, found),
        *unanswered(facts, gate, at),
        *_unsupported(judged.support, gate),
        *_first(facts, gate, seats),
        *_stale(sign_offs, rules, seats, counted),
        *_objected(rulebook, counted.objections, seats),
        *_missing(sign_offs, seats, counted),
        *_short(sign_offs, rules, seats, quorum, counted),
        *impossible,
        *_held(facts, rulebook, gate, at),
        *_overdue_conditions(facts, gate, at),
        *_overdue_obligations(facts, gate, at),
    ]
    return Verdict(found, sign_offs, tuple(blockers), quorum, counted.people, counted.missing, not impossible)


def _unmet(facts: Facts, rulebook: ParsedRulebook, found: tuple[Finding, ...]) -> Iterator[Reason]:
    """Yield the criteria that are not met."""
    for finding in found:
        if finding.blocks:
            for reason in finding.reasons:
                # Some criteria repeat the question of their one requirement, which is printed once.
                asked = finding.criterion.question
                text = reason if reason.startswith(asked) else phrase("{} {}", asked, reason)
                yield Reason(text, who_can_fix(facts, rulebook, finding))


def _unsupported(supported: Support, gate: str) -> Iterator[Reason]:
    """Block an approved stage without support, except at the gate to retire."""
    if gate != "retire" and not supported.supports_approved_stage:
        yield Reason(f"{supported.label}.", "First fix what the initiative page lists.")


def _first(facts: Facts, gate: str, seats: dict[str, SeatState]) -> Iterator[Reason]:
    """Yield what is answered before a rise: a step back, and a higher risk tier that is proposed."""
    for one in facts.stepped_back if gate != "retire" else ():
        if one.open:
            yield Reason(one.words, phrase("{} can explain what changed since.", facts.owner_or_role))
    if facts.higher_tier and gate in ("mvp", "production"):
        who = " or ".join(seats[Seat.RISK_COMPLIANCE].eligible)
        yield Reason(
            phrase("The risk tier {} is proposed, and {} is confirmed.", facts.higher_tier, facts.tier),
            phrase("{} can confirm or refuse the proposed tier.", who) if who else NO_SIGNER,
        )


def _signers(sign_off: JudgedSignOff, seats: dict[str, SeatState]) -> str:
    """Return who can sign for the seat of a sign-off now: its signer if they still can, else the others."""
    able = seats[sign_off.seat].eligible
    return sign_off.person if sign_off.person in able else " or ".join(able)


def _stale(
    sign_offs: tuple[JudgedSignOff, ...], rules: Gate, seats: dict[str, SeatState], counted: Count
) -> Iterator[Reason]:
    """Yield the stale approvals that the decision needs."""
    for sign_off in sign_offs:
        needed = sign_off.seat in rules.must_include or counted.short
        if sign_off.approves and not sign_off.fresh and needed:
            why, who = "; ".join(sign_off.stale), _signers(sign_off, seats)
            yield Reason(
                ended(phrase("{} must sign again: {}", Seat.word(sign_off.seat), why)),
                phrase("{} can read what changed and sign again.", who) if who else NO_SIGNER,
            )


def _objected(
    rulebook: ParsedRulebook, objections: Iterable[JudgedSignOff], seats: dict[str, SeatState]
) -> Iterator[Reason]:
    """Yield the objections that count."""
    for sign_off in objections:
        known = rulebook.criteria  # one that a newer rulebook no longer has blocks nothing
        asked = " and ".join(f"“{known[key].question}”" for key in sign_off.criteria if key in known)
        yield Reason(
            ended(phrase("{} objects to {}", Seat.word(sign_off.seat), asked)),
            phrase(
                "{} can withdraw the objection, or sign off again on new evidence.",
                _signers(sign_off, seats) or sign_off.person,
            ),
        )


def _missing(
    sign_offs: tuple[JudgedSignOff, ...], seats: dict[str, SeatState], counted: Count
) -> Iterator[Reason]:
    """Yield must-include seats without a signature that no other reason names."""
    named = {one.seat for one in sign_offs if one.approves or one in counted.objections}
    for key in counted.missing:
        if key not in named:
            who = " or ".join(seats[key].eligible)
            remedy = phrase("{} can sign.", who) if who else NO_SIGNER
            yield Reason(phrase("{} must be among the signers.", Seat.word(key)), remedy)


def _short(
    sign_offs: tuple[JudgedSignOff, ...],
    rules: Gate,
    seats: dict[str, SeatState],
    quorum: int,
    counted: Count,
) -> Iterator[Reason]:
    """Yield how many approvals are fresh, if the quorum needs seats not yet named."""
    stale = {sign_off.seat for sign_off in sign_offs if sign_off.approves and not sign_off.fresh}
    objecting = {sign_off.seat for sign_off in counted.objections}
    if counted.short > len(stale | objecting | {*counted.missing}):
        signed = {sign_off.seat for sign_off in sign_offs if sign_off.approves and sign_off.fresh}
        others = [name for key in rules.seats if key not in signed for name in seats[key].eligible]
        yield Reason(
            phrase("{} of {} seats have a current approval.", counted.people, quorum),
            phrase("{} can sign.", ", ".join(dict.fromkeys(others)))
            if others
            else "An admin can fill the other seats.",
        )


def _held(facts: Facts, rulebook: ParsedRulebook, gate: str, at: datetime) -> Iterator[Reason]:
    """Yield the holds that block the decision, except at the gate to retire."""
    if gate != "retire":
        for hold in holds_at(facts, rulebook, at):
            if hold.blocking:
                yield Reason(
                    phrase("Held: {}. {}", hold.words, hold.reason),
                    "Remove the cause of the hold, or ask the chair to lift the hold.",
                )


def _overdue_conditions(facts: Facts, gate: str, at: datetime) -> Iterator[Reason]:
    """Yield overdue conditions of earlier decisions, except at the gate to retire."""
    if gate != "retire":
        for condition in facts.conditions:
            if clock.local_day(at) > condition.due:
                yield Reason(
                    phrase("A condition has been overdue since {}: {}", condition.due, condition.text),
                    phrase("{} can meet the condition.", condition.owner),
                )


def _overdue_obligations(facts: Facts, gate: str, at: datetime) -> Iterator[Reason]:
    """Yield overdue obligations, unless the chair let this decision pass."""
    if gate in ("mvp", "production"):
        for obligation in facts.obligations:
            if clock.local_day(at) > obligation.due and not obligation.excused:
                yield Reason(
                    obligation.overdue_words,
                    phrase(
                        "{} can complete the obligation. The chair can allow this decision with a reason.",
                        obligation.responsible or facts.owner_or_role,
                    ),
                )


def who_can_fix(facts: Facts, rulebook: ParsedRulebook, finding: Finding) -> str:
    """Return a sentence that names who can fix what the criterion lacks, or ""."""
    missing = [state for state in finding.requirements if not state.satisfies(finding.criterion.gate)]
    roles = {rulebook.requirements[state.key].answered_by for state in missing if not state.fixed_by}
    names = [facts.people.get(_role(role), f"the {in_words(role)} (no one yet)") for role in sorted(roles)]
    names += dict.fromkeys(state.fixed_by for state in missing if state.fixed_by)
    return phrase("{} can fix it.", ", ".join(names)) if names else ""


def _role(answered_by: str) -> str:
    return "owner" if answered_by == "business_owner" else answered_by
