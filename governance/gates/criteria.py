"""Gates: which criteria are met, which stage is supported, whether a review is decidable. Pure.

`judge` judges an initiative once, and everybody else reads what it returns: statements, staleness, pages, and
`verdict_of`, which says whether a review can be decided. `turning_points` says for how long it holds.
Source of every rule: docs/domain.md, "What counts as evidence".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from governance import clock
from governance.gates import separation_of_duties
from governance.gates.gate_inputs import Facts, HoldFact
from governance.gates.requirement_state import State, in_words
from governance.gates.requirements import ANSWERED_FIRST, states_at, waiver_at
from governance.offline.verify import Count, count_sign_offs
from governance.permission_result import Reason, ended
from governance.rulebook import Criterion, Gate, ParsedRulebook
from governance.vocabulary import APPROVING, RUNNING_STAGES, STAGE_RANK, Seat, Stage

# Of a criterion that stands in nobody's way: one with a waived requirement says so and is never called met.
MET_STATES = ("met", "with_waiver", "waived")


@dataclass(frozen=True)
class Finding:
    """One criterion of a gate: met, with a waiver, waived, unmet, or asked later; with the requirements behind it."""

    criterion: Criterion
    state: str
    requirements: tuple[State, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether the criterion stands in nobody's way."""
        return self.state in MET_STATES

    @property
    def blocks(self) -> bool:
        """Whether the gate cannot be passed because of it."""
        return self.criterion.blocking and not self.met


@dataclass(frozen=True)
class Support:
    """What the evidence supports at one moment, against the approved stage."""

    supported: str
    unsupported_stages: int
    label: str
    tests: dict[str, bool] = field(hash=False)
    held_by: tuple[str, ...] = ()
    # What the stage rests on that is waived: (key, last day), earliest first.
    waived: tuple[tuple[str, date], ...] = ()

    @property
    def supports_approved_stage(self) -> bool:
        """Return True if evidence supports the approved stage."""
        return self.unsupported_stages == 0


@dataclass(frozen=True, eq=False)
class Judged:
    """An initiative judged once: at one moment, from its facts, by one rulebook at the tier of the initiative.

    `states`: by requirement. `findings`: by criterion. `support`: what the evidence supports.
    """

    facts: Facts
    rulebook: ParsedRulebook
    at: datetime
    states: dict[str, State]
    findings: dict[str, Finding]
    support: Support

    def at_gate(self, gate: str) -> tuple[Finding, ...]:
        """Every criterion of the gate with its finding, in the rulebook's order."""
        return tuple(self.findings[criterion.key] for criterion in self.rulebook.gates[gate].criteria)


def judge(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> Judged:
    """Judge an initiative at `at`: every requirement, every criterion, and the stage that is supported."""
    return judged_from(facts, rulebook, at, states_at(facts, rulebook, at))


def judged_from(facts: Facts, rulebook: ParsedRulebook, at: datetime, states: dict[str, State]) -> Judged:
    """The same, where the state of every requirement at `at` is known."""
    rulebook = rulebook.at_tier(facts.tier)
    findings = {key: _finding(facts, rulebook, one, states, at) for key, one in rulebook.criteria.items()}
    return Judged(facts, rulebook, at, states, findings, _support(facts, rulebook, at, states, findings))


def _finding(
    facts: Facts, rulebook: ParsedRulebook, criterion: Criterion, states: dict[str, State], at: datetime
) -> Finding:
    """Whether one criterion is met, from the states of its requirements."""
    requirements = tuple(states[key] for key in criterion.requirements)
    # An advisory requirement never blocks, wherever a criterion names it (docs/domain.md).
    missing = [
        state
        for state in requirements
        if not state.satisfies(criterion.gate)
        and (rulebook.requirements[state.key].blocking or criterion.severity == "advisory")
    ]
    reasons = [f"{rulebook.requirements[state.key].question} {state.words}" for state in missing]
    for key in criterion.declared_goals:
        declared = facts.declared.get(key)
        if declared is None or not declared.result:
            reasons.append(f"No result yet for what was declared on {key.replace('_', ' ')}.")
        elif declared.result != "met":
            reasons.append(f"Declared and missed: {key.replace('_', ' ')}.")
    waived = [state for state in requirements if state.state == "waived"]
    if len(waived) > 1 and not criterion.waivable:
        reasons.append(f"{len(waived)} of its requirements are waived, and it carries at most one waiver.")
    if not reasons:
        words = tuple(f"{rulebook.requirements[state.key].question} {state.words}" for state in waived)
        return Finding(criterion, "with_waiver" if waived else "met", requirements, words)
    waiver = waiver_at(facts, criterion.key, at)
    if waiver is not None and rulebook.waivable_criterion(criterion.key):
        return Finding(
            criterion, "waived", requirements, (f"Waived until {waiver.until:%-d %B %Y}: {waiver.reason}",)
        )
    return Finding(
        criterion, "later" if criterion.due_days is not None else "unmet", requirements, tuple(reasons)
    )


def gaps_to(judged: Judged, stage: str) -> list[str]:
    """Blocking requirements that a gate up to and including the one to `stage` asks for and that do not satisfy it."""
    rulebook, keys = judged.rulebook, dict[str, None]()
    for step in RUNNING_STAGES[1 : STAGE_RANK.get(stage, 0) + 1]:
        gate = rulebook.gate_to(step)
        if gate is not None:
            later = rulebook.deferred(gate)
            for key in gate.requirements():
                if (
                    key not in later
                    and rulebook.requirements[key].blocking
                    and not judged.states[key].satisfies(gate.key)
                ):
                    keys.setdefault(key)
    return list(keys)


def scale_tests(rulebook: ParsedRulebook, states: dict[str, State]) -> dict[str, bool]:
    """The three scale tests, computed from their items; nobody can set them, and no item is waived.

    See docs/domain.md, invariant 10.
    """
    return {
        key: all(states[item].satisfies("production") for item in test.items)
        for key, test in rulebook.scale_tests.items()
    }


def _support(
    facts: Facts,
    rulebook: ParsedRulebook,
    at: datetime,
    states: dict[str, State],
    findings: dict[str, Finding],
) -> Support:
    """The highest stage that the evidence supports at `at`, capped by holds and by the scale tests, and its name."""
    tests = scale_tests(rulebook, states)
    if facts.approved_stage not in STAGE_RANK:
        return Support("", 0, "", tests)
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
    if reached == "production" and not all(tests.values()):
        reached = "mvp"
    held_by = []
    for hold in holds_at(facts, rulebook, at):
        if hold.cap is not None and STAGE_RANK[hold.cap] < STAGE_RANK[reached]:
            held_by.append(hold.words)
            reached = hold.cap
    unsupported_stages = max(0, STAGE_RANK[facts.approved_stage] - STAGE_RANK[reached])
    on_waivers = tuple(sorted(waived[reached].items(), key=lambda one: (one[1], one[0])))
    return Support(
        reached,
        unsupported_stages,
        unsupported_label(facts.approved_stage, reached),
        tests,
        tuple(held_by),
        on_waivers,
    )


def _waived(facts: Facts, found: Iterable[Finding], at: datetime) -> dict[str, date]:
    """The waivers, by key with their last day, on which these findings rest."""
    keys = {state.key for finding in found for state in finding.requirements if state.state == "waived"}
    keys |= {finding.criterion.key for finding in found if finding.state == "waived"}
    return {key: waiver.until for key in keys if (waiver := waiver_at(facts, key, at)) is not None}


def holds_at(facts: Facts, rulebook: ParsedRulebook, at: datetime) -> tuple[HoldFact, ...]:
    """Open holds and those computed from dates: production past its re-attestation day is held at MVP.

    What the register calls for holds from its moment on, though nobody has opened the row yet; and not where it is
    found against nothing but requirements that the tier leaves out, though the row is open still.
    """
    calls = [one for one in facts.requirement_findings if one.hold and one.counts_at(at)]
    asked = [one for one in calls if rulebook.asks(one.requirement, facts.tier)]
    idle = {one.hold for one in calls} - {one.hold for one in asked}
    holds = tuple(hold for hold in facts.holds if hold.kind not in idle)
    if (
        facts.approved_stage == Stage.PRODUCTION
        and facts.reattest_by
        and clock.local_day(at) > facts.reattest_by
    ):
        words = "Re-attestation is overdue"
        reason = f"Production had to be accepted again by {facts.reattest_by:%-d %B %Y}."
        holds = (*holds, HoldFact("reattestation", words, reason, "mvp", True))
    open_already = {hold.kind for hold in holds}
    for one in asked:
        if one.hold not in open_already:
            open_already.add(one.hold)
            holds = (*holds, HoldFact(one.hold, one.hold_words, one.words, one.cap, True))
    return holds


def unsupported_label(approved_stage: str, supported: str) -> str:
    """Return that evidence does not support this stage; "" if it does."""
    if STAGE_RANK[approved_stage] <= STAGE_RANK[supported]:
        return ""
    return f"{Stage(approved_stage).label}: not supported by current evidence"


# Reviews


@dataclass(frozen=True)
class JudgedSignOff:
    """The sign-off that stands for one seat, with every reason why it no longer counts."""

    seat: str
    person_id: int
    person: str
    verdict: str
    at: datetime
    criteria: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def approves(self) -> bool:
        """Whether this is an approval, fresh or not."""
        return self.verdict in APPROVING

    @property
    def fresh(self) -> bool:
        """Whether the sign-off counts."""
        return not self.stale


@dataclass(frozen=True)
class SeatState:
    """Who may sign for a seat, by name and by key, and why others may not; `humans`: accounts of one human as one."""

    seat: str
    eligible: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    people: tuple[int, ...] = ()
    humans: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a review can be decided, and everything that stands in the way, with who can fix it."""

    findings: tuple[Finding, ...]
    sign_offs: tuple[JudgedSignOff, ...]
    blockers: tuple[Reason, ...]
    quorum: int
    fresh_approvals: int
    missing_seats: tuple[str, ...]
    reachable: bool

    @property
    def decidable(self) -> bool:
        """Whether the chair can decide now."""
        return not self.blockers


def reach(rulebook: ParsedRulebook, gate: str, tier: str, seats: dict[str, SeatState]) -> tuple[Reason, ...]:
    """Why a board cannot reach the quorum of a gate, naming seats; empty when it can (docs/domain.md, invariant 5)."""
    rules = rulebook.at_tier(tier).gates[gate]
    quorum = rules.quorum_for(tier)
    # Only a seat with a criterion at the gate signs there.
    able = [key for key in rules.seats if seats[key].eligible]
    reasons = []
    for key in rules.must_include:
        if key not in able:
            why = "; ".join(seats[key].barred) or "nobody sits there"
            reasons.append(
                Reason(
                    ended(f"{_seat(key)} must sign and cannot: {why}"),
                    "The chair can have a delegate appointed.",
                    "",
                )
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
                f"{' and '.join(_seat(one) for one in rules.seats if one in sharing)} must each be signed by another "
                f"person, and only {' and '.join(sorted(names[one] for one in who))} can: one person signs one seat.",
                "An admin can seat somebody else in one of them, or its holder can have a delegate appointed.",
            )
        )
    if len(filled) < quorum:
        empty = ", ".join(_seat(key) for key in rules.seats if key not in able)
        reasons.append(
            Reason(
                f"Cannot reach quorum: {quorum} seats must sign, {len(filled)} can at once. "
                + (f"Without anybody able to sign: {empty}." if empty else "Somebody sits in two of them."),
                f"People missing: {quorum - len(filled)}. An admin can seat them, also from outside the unit; the "
                "chair can have a delegate appointed; the quorum is not lowered.",
            )
        )
    return tuple(reasons)


def verdict_of(
    judged: Judged, gate: str, *, sign_offs: tuple[JudgedSignOff, ...], seats: dict[str, SeatState]
) -> Verdict:
    """Whether a review is decidable, or everything that stands in the way (docs/domain.md, "A review")."""
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
        *_stale(sign_offs, rules, counted),
        *_objected(rulebook, counted.objections),
        *_missing(sign_offs, seats, counted.missing),
        *_short(sign_offs, rules, seats, quorum, counted),
        *impossible,
        *_held(facts, rulebook, gate, at),
        *_overdue_conditions(facts, gate, at),
        *_overdue_obligations(facts, gate, at),
    ]
    return Verdict(found, sign_offs, tuple(blockers), quorum, counted.people, counted.missing, not impossible)


def _unmet(facts: Facts, rulebook: ParsedRulebook, found: tuple[Finding, ...]) -> Iterator[Reason]:
    """Criteria that are not met."""
    for finding in found:
        if finding.blocks:
            for reason in finding.reasons:
                # Some criteria ask what their one requirement asks: the question is said once.
                asked = finding.criterion.question
                text = reason if reason.startswith(asked) else f"{asked} {reason}"
                yield Reason(text, _who_can_fix(facts, rulebook, finding))


def _unsupported(supported: Support, gate: str) -> Iterator[Reason]:
    """An approved stage that is not supported goes no further; retiring waits for nothing."""
    if gate != "retire" and not supported.supports_approved_stage:
        yield Reason(
            f"{supported.label}.",
            "Fix what the initiative page lists first.",
        )


def _stale(sign_offs: tuple[JudgedSignOff, ...], rules: Gate, counted: Count) -> Iterator[Reason]:
    """Approvals that no longer count. One more seat than is needed does not stop a decision by going stale."""
    for sign_off in sign_offs:
        needed = sign_off.seat in rules.must_include or counted.short
        if sign_off.approves and not sign_off.fresh and needed:
            why = "; ".join(sign_off.stale)
            yield Reason(
                ended(f"{_seat(sign_off.seat)} must sign again: {why}"),
                f"{sign_off.person} can read what changed and sign again.",
            )


def _objected(rulebook: ParsedRulebook, objections: Iterable[JudgedSignOff]) -> Iterator[Reason]:
    """Objections that stand."""
    for sign_off in objections:
        asked = " and ".join(f"“{rulebook.criteria[key].question}”" for key in sign_off.criteria)
        yield Reason(
            ended(f"{_seat(sign_off.seat)} objects to {asked}"),
            f"{sign_off.person} can withdraw it, or sign-off again on new evidence.",
        )


def _missing(
    sign_offs: tuple[JudgedSignOff, ...], seats: dict[str, SeatState], missing: Iterable[str]
) -> Iterator[Reason]:
    """Seats that must be among the signers and have not approved."""
    for key in missing:
        if not any(sign_off.seat == key and sign_off.approves for sign_off in sign_offs):
            who = " or ".join(seats[key].eligible)
            remedy = f"{who} can sign." if who else "Nobody who sits there can sign."
            yield Reason(f"{_seat(key)} must be among the signers.", remedy)


def _short(
    sign_offs: tuple[JudgedSignOff, ...],
    rules: Gate,
    seats: dict[str, SeatState],
    quorum: int,
    counted: Count,
) -> Iterator[Reason]:
    """Fewer fresh approvals than the quorum."""
    if counted.short:
        signed = {sign_off.seat for sign_off in sign_offs if sign_off.approves and sign_off.fresh}
        others = [name for key in rules.seats if key not in signed for name in seats[key].eligible]
        yield Reason(
            f"{counted.people} of {quorum} seats have a current approval.",
            f"{', '.join(dict.fromkeys(others))} can sign." if others else "Nobody else can sign.",
        )


def _held(facts: Facts, rulebook: ParsedRulebook, gate: str, at: datetime) -> Iterator[Reason]:
    """Holds that stop it; retiring waits for none."""
    if gate != "retire":
        for hold in holds_at(facts, rulebook, at):
            if hold.blocking:
                yield Reason(
                    f"Held: {hold.words}. {hold.reason}", "It closes with its cause, or the chair lifts it."
                )


def _overdue_conditions(facts: Facts, gate: str, at: datetime) -> Iterator[Reason]:
    """Conditions of earlier decisions that are past their day; retiring waits for none."""
    if gate != "retire":
        for condition in facts.conditions:
            if clock.local_day(at) > condition.due:
                yield Reason(
                    f"A condition is overdue since {condition.due:%-d %B %Y}: {condition.text}",
                    f"{condition.owner} can meet it.",
                )


def _overdue_obligations(facts: Facts, gate: str, at: datetime) -> Iterator[Reason]:
    """What the owner must give in writing past its day, here or elsewhere, unless the chair let this decision pass."""
    if gate in ("mvp", "production"):
        for obligation in facts.obligations:
            if clock.local_day(at) > obligation.due and not obligation.excused:
                yield Reason(
                    f"Due since {obligation.due:%-d %B %Y} for {obligation.initiative_ref}: {ended(obligation.text)}",
                    f"{obligation.responsible or facts.people.get('owner', 'The owner')} can resolve it; the chair can "
                    "let this decision pass once, with a reason.",
                )


def unanswered(facts: Facts, gate: str, at: datetime) -> Iterator[Reason]:
    """What has to be answered before this gate is decided, whatever the severity of its criterion."""
    for key, before in ANSWERED_FIRST.items():
        if gate in before and waiver_at(facts, key, at) is None:
            for one in facts.short_of(key, at):
                who = one.who or facts.people.get("owner", "The owner")
                yield Reason(one.words, f"{who} can answer it. {one.fix}".strip())


def _seat(key: str) -> str:
    """The word for a seat; one that only an own rulebook knows is spelt out of its key."""
    return Seat.word(key)


def _who_can_fix(facts: Facts, rulebook: ParsedRulebook, finding: Finding) -> str:
    missing = [state for state in finding.requirements if not state.satisfies(finding.criterion.gate)]
    roles = {rulebook.requirements[state.key].answered_by for state in missing if not state.fixed_by}
    names = [facts.people.get(_role(role), f"the {in_words(role)} (nobody yet)") for role in sorted(roles)]
    names += dict.fromkeys(state.fixed_by for state in missing if state.fixed_by)
    return f"{', '.join(names)} can fix it." if names else ""


def _role(answered_by: str) -> str:
    return "owner" if answered_by == "business_owner" else answered_by
