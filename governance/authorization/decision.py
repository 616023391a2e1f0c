"""Decide what a running system may do now. Pure.

A decision follows from the contract, the condition of the initiative and one request. The default is to deny, with a
reason. Cedar computes which clauses apply (`cedar_policies`), and this module what follows from them and from the
condition. Sources: S0-9, S0-13 to S0-16 and docs/domain.md, "Three notions".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from governance import clock
from governance.contracts import cedar_policies, subject_patterns, wording
from governance.contracts.cedar_policies import Malformed, Policies, PolicyTrouble, Rule, Unreadable
from governance.contracts.clauses import GROUPS
from governance.permission_result import ended
from governance.vocabulary import CLOSED_STAGES, DecisionOutcome, Role, Stage
from governance.vocabulary.readable_text import shown

# The validity of an answer: the kill switch must work within a second.
GOOD_FOR = timedelta(seconds=1)
# The approvers, and the minutes that they have, if an unsupported stage makes a clause without approval need one.
UNSUPPORTED_APPROVERS = (Role.OWNER,)
UNSUPPORTED_MINUTES = 60
LINE_ENDS = str.maketrans("\t\n\r", "   ")
SHOWN = 80  # characters of a name that a reason repeats
EXPLAINED = 3  # clauses that a reason explains
# Every code of a decision, with its outcome and its meaning for the author of a system that asks.
CODES = {
    "allowed": (
        DecisionOutcome.ALLOW,
        "Every clause about this call allows the system to act on its own.",
    ),
    "needs_approval": (
        DecisionOutcome.NEEDS_APPROVAL,
        "A person must approve. Wait for the answer, then send the request again with the approval.",
    ),
    "unsupported": (
        DecisionOutcome.NEEDS_APPROVAL,
        (
            "The contract allows this call, but evidence for the approved stage is missing. A person must "
            "approve until the evidence is added."
        ),
    ),
    "edge_policy": (DecisionOutcome.DENY, "An edge policy forbids this call."),
    "edge_unforeseen": (
        DecisionOutcome.DENY,
        "The request names a failure for which the contract has no policy.",
    ),
    "not_covered": (
        DecisionOutcome.DENY,
        "The contract covers this action, but no clause allows this call.",
    ),
    "unknown_action": (DecisionOutcome.DENY, "The contract does not cover this action."),
    "outside_audience": (DecisionOutcome.DENY, "The contract does not include this subject."),
    "outside_residency": (
        DecisionOutcome.DENY,
        "The data would go to a region that the contract does not name.",
    ),
    "outside_scope": (
        DecisionOutcome.DENY,
        (
            "The call is outside of the scope of the MVP, or lacks a value. The reason names every missing "
            "value."
        ),
    ),
    "outside_test_subjects": (
        DecisionOutcome.DENY,
        "This subject is not a declared test subject of the prototype.",
    ),
    "nobody_to_ask": (
        DecisionOutcome.DENY,
        "The clauses that require approval have no common approver, or no time limit.",
    ),
    "malformed": (
        DecisionOutcome.DENY,
        "A value in the request has a type that clauses cannot be compared with.",
    ),
    "no_contract": (DecisionOutcome.DENY, "No version of the contract is in force."),
    "not_started": (DecisionOutcome.DENY, "The initiative is an idea, so its systems may not run yet."),
    "held": (DecisionOutcome.DENY, "A hold is open on the initiative."),
    "nobody_responsible": (
        DecisionOutcome.DENY,
        "The account of the person who is responsible for the key ended, and no one was named in time.",
    ),
    "switched_off": (DecisionOutcome.DENY, "The kill switch of the initiative is on."),
    "initiative_closed": (DecisionOutcome.DENY, "The initiative is stopped, retired or withdrawn."),
    "error": (
        DecisionOutcome.DENY,
        "Plumbline has a fault. Every request is denied until the fault is fixed.",
    ),
}


@dataclass(frozen=True)
class Version:
    """A contract version for the engine. `policies` is parsed once for all requests."""

    number: int
    digest: str
    starts_at: datetime
    ends_at: datetime | None
    policies: Policies | Unreadable

    def in_force_at(self, moment: datetime) -> bool:
        """Return True if this version binds at `moment`."""
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


@dataclass(frozen=True)
class Bound:
    """The scope in force. Each request of an MVP must name each limit that is set.

    `test_subjects` has the patterns of `subject_patterns` that a prototype may act for. If it is empty, all calls are
    denied.
    """

    departments: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    data_classes: frozenset[str] = frozenset()
    ends_on: date | None = None
    test_subjects: tuple[str, ...] = ()

    @property
    def limits(self) -> list[tuple[str, str, str, frozenset[str]]]:
        """Return each limit that is set: its words, the part and name of the property, and the values allowed."""
        found = [
            ("departments", "subject", "department", self.departments),
            ("places", "subject", "place", self.places),
            ("data classes", "resource", "data_class", self.data_classes),
        ]
        return [one for one in found if one[-1]]


@dataclass(frozen=True)
class InitiativeCondition:
    """The stage, switch, holds, scope and support of an initiative.

    `held` has the open holds in words. `short` is why calls that need no approval now need it, or "". `supported` is
    the stage that evidence supports, or "" if it is not known. `left_since` is the day on which the person left who was
    responsible for the key that asks, once the time to name another is over.
    """

    stage: str
    withdrawn: bool = False
    switched_off: str = ""
    held: tuple[str, ...] = ()
    short: str = ""
    bound: Bound | None = None
    supported: str = ""
    left_since: date | None = None


@dataclass(frozen=True)
class Approval:
    """The roles that may approve, within how many minutes, and if two people must."""

    approvers: tuple[str, ...]
    minutes: int
    four_eyes: bool = False


@dataclass(frozen=True)
class Decision:
    """One answer: its outcome, reason, clauses and version, and the end of validity of a yes."""

    outcome: str
    code: str
    reason: str
    clauses: tuple[Rule, ...] = field(default=(), hash=False)
    version: Version | None = field(default=None, hash=False)
    until: datetime | None = None
    approval: Approval | None = None

    @property
    def allowed(self) -> bool:
        """Return True if the system may act."""
        return self.outcome == DecisionOutcome.ALLOW


def decide(
    version: Version | None,
    initiative: InitiativeCondition,
    evaluation_request: Mapping[str, Any],
    now: datetime,
) -> Decision:
    """Return the decision on the request (an AuthZEN mapping) at `now`.

    A fault in the content of a request denies with a reason and does not raise.
    """
    if version is not None and not version.in_force_at(now):
        version = None
    refusal = refusal_of(initiative)
    if refusal is not None:
        return replace(refusal, version=version)
    if version is None:
        return _no_contract(initiative)
    try:
        cedar_policies.well_formed(evaluation_request)
        refusal = _scope(version, initiative, evaluation_request, now)
        if refusal is not None:
            return replace(refusal, version=version)
        return _weigh(version, initiative, evaluation_request, now)
    except Malformed as wrong:
        return _deny("malformed", str(wrong), version=version)
    except PolicyTrouble:
        return _deny(
            "error",
            "The contract could not be evaluated. Every request is denied until the fault is fixed.",
            version=version,
        )


def _deny(code: str, reason: str, clauses: tuple[Rule, ...] = (), version: Version | None = None) -> Decision:
    return Decision(DecisionOutcome.DENY, code, ended(reason), clauses, version)


def refusal_of(initiative: InitiativeCondition) -> Decision | None:
    """Return why this condition denies every request, or None."""
    if initiative.switched_off:
        return _deny("switched_off", f"The kill switch is on: {initiative.switched_off}")
    if initiative.withdrawn or initiative.stage in CLOSED_STAGES:
        return _deny(
            "initiative_closed",
            f"This initiative is {'withdrawn' if initiative.withdrawn else initiative.stage}, so its "
            "systems may not run.",
        )
    if initiative.stage == Stage.PROPOSED:
        return _deny(
            "not_started", "This initiative is an idea, so its systems may not run before the prototype gate."
        )
    if initiative.held:
        return _deny("held", f"The initiative is held: {'; '.join(initiative.held)}")
    if initiative.left_since is not None:
        return _deny(
            "nobody_responsible",
            f"No one is responsible for this key since {initiative.left_since:%-d %B %Y}. The owner or the technical "
            "lead can name a person on the page API access.",
        )
    return None


def _no_contract(initiative: InitiativeCondition) -> Decision:
    reason = "No contract is in force. Plumbline denies every request until a contract is in force."
    return _deny(
        "no_contract",
        f"This prototype has no contract. {reason}" if initiative.stage == Stage.PROTOTYPE else reason,
    )


def _scope(
    version: Version, initiative: InitiativeCondition, evaluation_request: Mapping[str, Any], now: datetime
) -> Decision | None:
    """Deny a call of an MVP that is outside its scope or lacks a limited value.

    The reason names everything that is missing or outside, so that one call is enough to learn it.
    """
    if initiative.stage == Stage.PROTOTYPE:
        return _test_subjects(initiative, evaluation_request)
    if initiative.stage != Stage.MVP:
        return None
    bound = initiative.bound
    if bound is None:
        return _deny("outside_scope", "This MVP has no recorded scope, so no call is allowed.")
    if bound.ends_on is not None and clock.local_day(now) > bound.ends_on:
        return _deny("outside_scope", f"The scope of this MVP ended on {bound.ends_on:%-d %B %Y}.")
    wrong = []
    for words, part, name, allowed in bound.limits:
        said = _said(evaluation_request, part, name)
        listed = ", ".join(sorted(allowed))
        if not said:
            wrong.append(f"This MVP is limited to the {words} {listed}. Send {part}.properties.{name}.")
        elif not set(said) <= allowed:
            wrong.append(
                f"{', '.join(map(_shown, sorted(said)))} is outside the {words} of this MVP: {listed}."
            )
    regions = {one for rule in version.policies.rules for one in rule.terms.regions} if wrong else ()
    if regions and "region" not in (evaluation_request.get("context") or {}):
        listed = ", ".join(sorted(regions))
        wrong.append(f"The contract is limited to the regions {listed}. Send context.region.")
    return _deny("outside_scope", " ".join(wrong)) if wrong else None


def _test_subjects(initiative: InitiativeCondition, evaluation_request: Mapping[str, Any]) -> Decision | None:
    """Deny a prototype's call for any subject that is not a declared test subject."""
    declared = initiative.bound.test_subjects if initiative.bound else ()
    if not declared:
        return _deny(
            "outside_test_subjects",
            "This prototype has no declared test subjects, so it may not act for anyone. Declare test "
            "subjects in the scope of the prototype.",
        )
    name = cedar_policies.name_of(evaluation_request["subject"])
    if subject_patterns.fits(declared, name):
        return None
    return _deny(
        "outside_test_subjects",
        f"{_quoted(name)} is not a declared test subject of this prototype. Use a declared test subject, or "
        "add this subject to the scope.",
    )


def _said(evaluation_request: Mapping[str, Any], part: str, name: str) -> tuple[str, ...]:
    """Return the request's value as texts, empty if it is not a text or several texts."""
    value = (evaluation_request[part].get("properties") or {}).get(name)
    values = value if isinstance(value, list) else [value]
    return tuple(values) if values and all(isinstance(one, str) and one for one in values) else ()


def _weigh(
    version: Version, initiative: InitiativeCondition, evaluation_request: Mapping[str, Any], now: datetime
) -> Decision:
    matched = version.policies.ask(evaluation_request, now)
    by_number = version.policies.by_number
    if matched.outside:
        kind = matched.outside[0]
        bounds = tuple(rule for rule in version.policies.rules if rule.kind == kind)
        why = {
            "audience": "The contract does not include this subject.",
            "residency": "Set context.region to a region that the contract names.",
        }[kind]
        if kind == "audience" and cedar_policies.value_of(evaluation_request, GROUPS) is None:
            why = f"{why} Send subject.properties.groups if a group of the subject is included."
        return _deny(f"outside_{kind}", why, bounds, version)
    if matched.forbidden:
        why = _because("An edge policy forbids this call", matched.forbidden, matched)
        return _deny("edge_policy", why, _rules(by_number, matched.forbidden), version)
    rules = _rules(by_number, matched.clauses)
    stated = tuple(rule for rule in rules if rule.number not in matched.missing)
    foreseen = any(rule.terms.failure for rule in stated)
    if (failure := (evaluation_request.get("context") or {}).get("failure")) is not None and not foreseen:
        return _deny(
            "edge_unforeseen", f"The contract has no policy for the failure {_quoted(failure)}.", (), version
        )
    base = [rule for rule in stated if rule.kind != "edge_policy"]
    if not base:
        action = evaluation_request["action"]["name"]
        if action not in version.policies.actions:
            return _deny(
                "unknown_action", f"The contract does not cover the action {_quoted(action)}.", (), version
            )
        return _deny("not_covered", _not_covered(version, evaluation_request, matched), (), version)
    asking = tuple(rule for rule in rules if rule.kind != "autonomy")
    if asking:
        return _ask(version, asking, matched)
    if initiative.short:
        approval = Approval(UNSUPPORTED_APPROVERS, UNSUPPORTED_MINUTES)
        reason = f"A person must approve this call for now: {initiative.short}"
        return Decision(
            DecisionOutcome.NEEDS_APPROVAL,
            "unsupported",
            ended(reason),
            tuple(base),
            version,
            approval=approval,
        )
    reason = "The contract allows this call."
    return Decision(
        DecisionOutcome.ALLOW,
        "allowed",
        reason,
        tuple(base),
        version,
        until=_until(version, initiative, base, now),
    )


def _because(words: str, numbers: Iterable[int], matched: cedar_policies.Matched) -> str:
    """Return the words, with what the request lacks if each of these clauses applies only because of that."""
    if not all(number in matched.missing for number in numbers):
        return f"{words}."
    missing = dict.fromkeys(one for number in numbers for one in matched.missing[number])
    return f"{words}, because the request does not contain {_listed(missing)}."


def _listed(missing: Iterable[tuple[str, str]]) -> str:
    """Return attributes with their types in words: "resource.frozen as true or false"."""
    return wording.listed(
        [
            f"{'subject.properties.groups' if attribute == GROUPS else _shown(attribute)} as {kind}"
            for attribute, kind in missing
        ]
    )


def _not_covered(
    version: Version, evaluation_request: Mapping[str, Any], matched: cedar_policies.Matched
) -> str:
    """Return why no clause permits the call: what the call lacks for the nearest clauses."""
    found = [f"No clause allows {_quoted(evaluation_request['action']['name'])} for this call."]
    unmet = version.policies.unmet(evaluation_request, matched.context)
    for number in sorted(unmet, key=lambda one: (len(unmet[one][0]), one))[:EXPLAINED]:
        parts, missing = unmet[number]
        terms = version.policies.by_number[number].terms
        limits = [words for part, words in wording.limits(terms, {}) if part in parts]
        if "resource" in parts:
            limits.insert(0, f"for a resource of the type {_quoted(terms.resource)}")
        if "failure" in parts:
            limits.append(f"with the failure {_quoted(terms.failure)}")
        found.append(f"Clause {number} applies only {', '.join(limits)}.")
        if missing:
            found.append(f"The request does not contain {_listed(missing)}.")
    return " ".join(dict.fromkeys(found))


def _rules(by_number: Mapping[int, Rule], numbers: tuple[int, ...]) -> tuple[Rule, ...]:
    return tuple(by_number[number] for number in numbers)


def _ask(version: Version, rules: tuple[Rule, ...], matched: cedar_policies.Matched) -> Decision:
    """Ask the approvers that every asking clause names, within the shortest time."""
    approvers = [
        role for role in rules[0].terms.approvers if all(role in rule.terms.approvers for rule in rules)
    ]
    times = [rule.terms.minutes for rule in rules if rule.terms.minutes]
    if not approvers or len(times) < len(rules):
        why = "The clauses for this call have no common approver or no time limit, so the call is denied."
        return _deny("nobody_to_ask", why, rules, version)
    approval = Approval(tuple(approvers), min(times), any(rule.terms.four_eyes for rule in rules))
    return Decision(
        DecisionOutcome.NEEDS_APPROVAL,
        "needs_approval",
        _because("A person must approve this call", [rule.number for rule in rules], matched),
        rules,
        version,
        approval=approval,
    )


def _until(version: Version, initiative: InitiativeCondition, rules: list[Rule], now: datetime) -> datetime:
    """Return the end of validity: a second, or the earlier end of what allows it.

    Clauses with hours and days change only at a whole minute, also when clocks are put forward or back.
    """
    now = now.astimezone(UTC)
    ends = [now + GOOD_FOR, version.ends_at, _scope_ends(initiative)]
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if version.policies.timed:
        here, then = clock.local(now), clock.local(minute)
        begins = any(
            rule.kind != "autonomy"
            and rule.terms.action in ("", rules[0].terms.action)
            and not rule.terms.applies_at(here)
            and rule.terms.applies_at(then)
            for rule in version.policies.timed
        )
        if begins or not any(rule.terms.applies_at(then) for rule in rules):
            ends.append(minute)
    return min(filter(None, ends))


def _scope_ends(initiative: InitiativeCondition) -> datetime | None:
    if initiative.stage == Stage.MVP and initiative.bound and initiative.bound.ends_on:
        return clock.midnight_after(initiative.bound.ends_on)
    return None


def approval_ends(
    version: Version,
    initiative: InitiativeCondition,
    evaluation_request: Mapping[str, Any],
    now: datetime,
    minutes: int,
) -> datetime:
    """Return the end of an approval of this call: after `minutes`, or at the earlier moment from which it is denied."""
    latest = now + timedelta(minutes=minutes)
    moments = {version.ends_at, _scope_ends(initiative)}
    times = {0} | {minute for rule in version.policies.timed for minute in rule.terms.window or ()}
    if version.policies.timed:
        day, last = clock.local_day(now), clock.local_day(latest)
        while day <= last:
            moments |= clock.moments_of(day, times)
            day += timedelta(days=1)
    for moment in sorted(one for one in moments if one and now < one < latest):
        if decide(version, initiative, evaluation_request, moment).outcome == DecisionOutcome.DENY:
            return moment
    return latest


def _quoted(value: object) -> str:
    return f"“{_shown(value)}”"


def _shown(value: object) -> str:
    """Return a value of the request as a quotation: short, one line, all visible."""
    text = str(value)
    said = shown(text[:SHOWN].translate(LINE_ENDS))
    return f"{said}…" if len(text) > SHOWN else said
