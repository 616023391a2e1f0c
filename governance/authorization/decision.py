"""The policy decision: what a running system may do now, from contract, condition of the initiative and one request.
Pure.

Denies by default, and says why. Which clauses speak for a call is Cedar's to say (`cedar`); what follows from that, and
from the condition of the initiative, is said here. Source of the rules: S0-9, S0-13 to S0-16 and
docs/domain.md, "Three notions".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from governance import clock
from governance.authorization import subject_patterns
from governance.contracts import cedar_policies
from governance.contracts.cedar_policies import Malformed, Policies, PolicyTrouble, Rule, Unreadable
from governance.contracts.clauses import DAY_MINUTES, Terms
from governance.permission_result import ended
from governance.vocabulary import CLOSED_STAGES, DecisionOutcome, Role, Stage
from governance.vocabulary.readable_text import shown

# How long an answer may be relied on: the switch that denies everything has to work within a second.
GOOD_FOR = timedelta(seconds=1)
# Who answers, and within how many minutes, where an unsupported stage turned a clause that asks nobody into one that
# asks.
UNSUPPORTED_APPROVERS = (Role.OWNER,)
UNSUPPORTED_MINUTES = 60
LINE_ENDS = str.maketrans("\t\n\r", "   ")
SHOWN = 80  # characters of a name that a reason repeats
# Every code a decision may carry, with its outcome and what it means to whoever writes a system that asks.
CODES = {
    "allowed": (
        DecisionOutcome.ALLOW,
        "Every clause that speaks of this call lets the system act on its own.",
    ),
    "needs_approval": (
        DecisionOutcome.NEEDS_APPROVAL,
        "A person is asked. Look for the answer, then ask again with it.",
    ),
    "unsupported": (
        DecisionOutcome.NEEDS_APPROVAL,
        "The contract allows it, but evidence for the approved stage is missing: a person is asked for now.",
    ),
    "edge_policy": (DecisionOutcome.DENY, "An edge policy forbids it."),
    "edge_unforeseen": (
        DecisionOutcome.DENY,
        "The request names a failure for which the contract has no policy.",
    ),
    "not_covered": (
        DecisionOutcome.DENY,
        "The contract speaks of this action, but no clause allows this call.",
    ),
    "unknown_action": (DecisionOutcome.DENY, "The contract does not speak of this action."),
    "outside_audience": (DecisionOutcome.DENY, "The contract is not for whoever asks."),
    "outside_residency": (
        DecisionOutcome.DENY,
        "The data would go to a place that the contract does not name.",
    ),
    "outside_scope": (
        DecisionOutcome.DENY,
        "The MVP is bound to a scope, and the call lies outside it or does not say.",
    ),
    "outside_test_subjects": (
        DecisionOutcome.DENY,
        "A prototype acts for its declared test subjects only, and whoever asks is none of them.",
    ),
    "nobody_to_ask": (
        DecisionOutcome.DENY,
        "The clauses that ask for approval name nobody who may give it, or no time.",
    ),
    "malformed": (
        DecisionOutcome.DENY,
        "A value in the request is of a kind that no clause can be compared with.",
    ),
    "no_contract": (DecisionOutcome.DENY, "No version of the contract is in force."),
    "not_started": (DecisionOutcome.DENY, "The initiative is an idea: nothing of it runs yet."),
    "held": (DecisionOutcome.DENY, "A hold is open on the initiative."),
    "switched_off": (DecisionOutcome.DENY, "Somebody switched its systems off."),
    "initiative_closed": (DecisionOutcome.DENY, "The initiative is stopped, retired or withdrawn."),
    "error": (DecisionOutcome.DENY, "Something went wrong here; nothing is allowed until it is fixed."),
}


@dataclass(frozen=True)
class Version:
    """A contract version as the engine takes it. `policies` is parsed once for all requests."""

    number: int
    digest: str
    starts_at: datetime
    ends_at: datetime | None
    policies: Policies | Unreadable

    def in_force_at(self, moment: datetime) -> bool:
        """Whether this version binds at `moment`."""
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


@dataclass(frozen=True)
class Bound:
    """The scope in force. An MVP is bounded by what is not empty, and every request of it has to say that.

    `test_subjects`: for whom a prototype may act, as `subject_patterns` writes them; where there are none, for nobody.
    """

    departments: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    data_classes: frozenset[str] = frozenset()
    ends_on: date | None = None
    test_subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class InitiativeCondition:
    """What of the initiative bears on every request: its stage, whether it is switched off or held, its scope and
    support.

    `held`: the open holds in words. `short`: why clauses that ask nobody need a person for now; else empty.
    """

    stage: str
    withdrawn: bool = False
    switched_off: str = ""
    held: tuple[str, ...] = ()
    short: str = ""
    bound: Bound | None = None


@dataclass(frozen=True)
class Approval:
    """Who may approve, within how many minutes, and whether two people must."""

    approvers: tuple[str, ...]
    minutes: int
    four_eyes: bool = False


@dataclass(frozen=True)
class Decision:
    """One answer: the outcome, why, by which clauses of which version, and until when it may be relied on."""

    outcome: str
    code: str
    reason: str
    clauses: tuple[Rule, ...] = field(default=(), hash=False)
    version: Version | None = field(default=None, hash=False)
    until: datetime | None = None
    approval: Approval | None = None

    @property
    def allowed(self) -> bool:
        """Whether the system may go on."""
        return self.outcome == DecisionOutcome.ALLOW


def decide(
    version: Version | None,
    initiative: InitiativeCondition,
    evaluation_request: Mapping[str, Any],
    now: datetime,
) -> Decision:
    """What is answered to the request (subject, action, resource, context, as AuthZEN has them) at `now`.

    Never raises for what a request holds: whatever is wrong with it denies, with the reason.
    """
    if version is not None and not version.in_force_at(now):
        version = None
    refusal = _condition(initiative)
    if refusal is not None:
        return replace(refusal, version=version)
    if version is None:
        return _no_contract(initiative)
    try:
        cedar_policies.well_formed(evaluation_request)
        refusal = _scope(initiative, evaluation_request, now)
        if refusal is not None:
            return replace(refusal, version=version)
        matched = version.policies.ask(evaluation_request, now)
    except Malformed as wrong:
        return _deny("malformed", str(wrong), version=version)
    except PolicyTrouble:
        return _deny(
            "error", "The contract could not be evaluated; nothing is allowed until it can.", version=version
        )
    return _weigh(version, initiative, evaluation_request, matched, now)


def _deny(code: str, reason: str, clauses: tuple[Rule, ...] = (), version: Version | None = None) -> Decision:
    return Decision(DecisionOutcome.DENY, code, ended(reason), clauses, version)


def _condition(initiative: InitiativeCondition) -> Decision | None:
    if initiative.switched_off:
        return _deny("switched_off", f"Everything is switched off: {initiative.switched_off}")
    if initiative.withdrawn or initiative.stage in CLOSED_STAGES:
        return _deny(
            "initiative_closed",
            f"This initiative is {'withdrawn' if initiative.withdrawn else initiative.stage}: it runs nothing.",
        )
    if initiative.stage == Stage.PROPOSED:
        return _deny(
            "not_started", "This initiative is an idea; nothing of it runs before the prototype gate."
        )
    if initiative.held:
        return _deny("held", f"The initiative is held: {'; '.join(initiative.held)}")
    return None


def _no_contract(initiative: InitiativeCondition) -> Decision:
    reason = "No contract is in force; what is not written in one, the system may not do."
    return _deny(
        "no_contract",
        f"This is a prototype without a contract. {reason}"
        if initiative.stage == Stage.PROTOTYPE
        else reason,
    )


def _scope(
    initiative: InitiativeCondition, evaluation_request: Mapping[str, Any], now: datetime
) -> Decision | None:
    """An MVP is allowed nothing outside its scope, and a bound that the request does not speak of is not kept."""
    if initiative.stage == Stage.PROTOTYPE:
        return _test_subjects(initiative, evaluation_request)
    if initiative.stage != Stage.MVP:
        return None
    bound = initiative.bound
    if bound is None:
        return _deny(
            "outside_scope", "This MVP has no recorded scope, so nothing can be shown to lie inside it."
        )
    if bound.ends_on is not None and clock.local_day(now) > bound.ends_on:
        return _deny("outside_scope", f"The scope of this MVP ended on {bound.ends_on:%-d %B %Y}.")
    for words, name, allowed, said in (
        (
            "departments",
            "subject.properties.department",
            bound.departments,
            _said(evaluation_request, "subject", "department"),
        ),
        ("places", "subject.properties.place", bound.places, _said(evaluation_request, "subject", "place")),
        (
            "data classes",
            "resource.properties.data_class",
            bound.data_classes,
            _said(evaluation_request, "resource", "data_class"),
        ),
    ):
        if not allowed:
            continue
        listed = ", ".join(sorted(allowed))
        if not said:
            return _deny("outside_scope", f"This MVP is bound to the {words} {listed}: say {name}.")
        if not set(said) <= allowed:
            return _deny(
                "outside_scope",
                f"{', '.join(map(_shown, sorted(said)))} is outside the {words} of this MVP: {listed}.",
            )
    return None


def _test_subjects(initiative: InitiativeCondition, evaluation_request: Mapping[str, Any]) -> Decision | None:
    """A prototype is allowed nothing outside its declared test subjects; none declared means none allowed."""
    declared = initiative.bound.test_subjects if initiative.bound else ()
    if not declared:
        return _deny(
            "outside_test_subjects",
            "This prototype has declared no test subjects, so it may act for nobody: declare them in its scope.",
        )
    name = cedar_policies.name_of(evaluation_request["subject"])
    if subject_patterns.fits(declared, name):
        return None
    return _deny(
        "outside_test_subjects",
        f"{_quoted(name)} is none of the declared test subjects of this prototype: ask for one of them, or add it to "
        "the scope.",
    )


def _said(evaluation_request: Mapping[str, Any], part: str, name: str) -> tuple[str, ...]:
    """What the request says of it: one text or several; anything else is as good as nothing."""
    value = (evaluation_request[part].get("properties") or {}).get(name)
    values = value if isinstance(value, list) else [value]
    return tuple(values) if values and all(isinstance(one, str) and one for one in values) else ()


def _weigh(
    version: Version,
    initiative: InitiativeCondition,
    evaluation_request: Mapping[str, Any],
    matched: cedar_policies.Matched,
    now: datetime,
) -> Decision:
    by_number = version.policies.by_number
    if matched.outside:
        kind = matched.outside[0]
        bounds = tuple(rule for rule in version.policies.rules if rule.kind == kind)
        why = {
            "audience": "The contract is not for whoever asks.",
            "residency": "Say in context.region where the data go, and let it be a place that the contract names.",
        }[kind]
        return _deny(f"outside_{kind}", why, bounds, version)
    if matched.forbidden:
        return _deny(
            "edge_policy", "An edge policy forbids it.", _rules(by_number, matched.forbidden), version
        )
    rules = _rules(by_number, matched.clauses)
    foreseen = any(rule.terms.failure for rule in rules)
    if (failure := (evaluation_request.get("context") or {}).get("failure")) is not None and not foreseen:
        return _deny(
            "edge_unforeseen", f"The contract has no policy for the failure {_quoted(failure)}.", (), version
        )
    base = [rule for rule in rules if rule.kind != "edge_policy"]
    if not base:
        action = evaluation_request["action"]["name"]
        if action not in version.policies.actions:
            return _deny(
                "unknown_action", f"The contract does not speak of the action {_quoted(action)}.", (), version
            )
        return _deny("not_covered", f"No clause allows {_quoted(action)} for this call.", (), version)
    asking = tuple(rule for rule in rules if rule.kind != "autonomy")
    if asking:
        return _ask(version, asking)
    if initiative.short:
        approval = Approval(UNSUPPORTED_APPROVERS, UNSUPPORTED_MINUTES)
        reason = f"A person has to approve it for now: {initiative.short}"
        return Decision(
            DecisionOutcome.NEEDS_APPROVAL,
            "unsupported",
            ended(reason),
            tuple(base),
            version,
            approval=approval,
        )
    reason = "The contract allows it."
    return Decision(
        DecisionOutcome.ALLOW,
        "allowed",
        reason,
        tuple(base),
        version,
        until=_until(version, initiative, base, now),
    )


def _rules(by_number: Mapping[int, Rule], numbers: tuple[int, ...]) -> tuple[Rule, ...]:
    return tuple(by_number[number] for number in numbers)


def _ask(version: Version, rules: tuple[Rule, ...]) -> Decision:
    """Every clause that asks must be content: who may answer is named by all, and the shortest time holds."""
    approvers = [
        role for role in rules[0].terms.approvers if all(role in rule.terms.approvers for rule in rules)
    ]
    times = [rule.terms.minutes for rule in rules if rule.terms.minutes]
    if not approvers or len(times) < len(rules):
        why = "Its clauses name nobody who may approve this, or no time to do it in; nothing is done."
        return _deny("nobody_to_ask", why, rules, version)
    approval = Approval(tuple(approvers), min(times), any(rule.terms.four_eyes for rule in rules))
    return Decision(
        DecisionOutcome.NEEDS_APPROVAL,
        "needs_approval",
        "A person has to approve it.",
        rules,
        version,
        approval=approval,
    )


def _until(version: Version, initiative: InitiativeCondition, rules: list[Rule], now: datetime) -> datetime:
    """Until when this may be relied on: a second, unless version, scope or every clause that allows it ends before.

    What clauses say by the clock changes with a minute only, also where clocks are put forward or back.
    """
    now = now.astimezone(UTC)
    ends = [now + GOOD_FOR, version.ends_at]
    if initiative.stage == Stage.MVP and initiative.bound and initiative.bound.ends_on:
        ends.append(clock.midnight_after(initiative.bound.ends_on))
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if not any(_speaks(rule.terms, minute) for rule in rules):
        ends.append(minute)
    return min(filter(None, ends))


def _speaks(terms: Terms, moment: datetime) -> bool:
    """Whether a clause that speaks for the call still does at `moment`, as far as dates and hours say."""
    local = clock.local(moment)
    if terms.weekdays and local.isoweekday() not in terms.weekdays:
        return False
    if terms.holds_until and local.date() > terms.holds_until:
        return False
    if terms.window is None:
        return True
    start, end = terms.window
    length = end - start
    gone = (local.hour * 60 + local.minute - start) % DAY_MINUTES
    return gone < (length if length >= 0 else length + DAY_MINUTES)


def _quoted(value: object) -> str:
    return f"“{_shown(value)}”"


def _shown(value: object) -> str:
    """Return what a request holds, to be quoted in a sentence: short, on one line, hidden characters spelled out."""
    text = str(value)
    said = shown(text[:SHOWN].translate(LINE_ENDS))
    return f"{said}…" if len(text) > SHOWN else said
