"""A contract's clauses as policies of Cedar, and one request put to them. Pure.

Every clause that a running system may ask about becomes one policy with the clause's number as its id. A clause that
permits applies if the request has all that the clause compares, each value with its type. A clause that forbids or asks
also applies if something is missing or has another type, so that leaving something out never gives a looser answer. An
approval asks, and it permits only if nothing is missing (`Matched.missing`).

The context of Cedar has Plumbline's own names: groups and name of the subject, local weekday, minute and day. It also
has exactly the attributes that some clause names, each with the type of its value. Cedar has no floats, and skips a
policy that errs. Values are therefore checked before Cedar gets them, and an error in any policy denies. The module
knows nothing of initiatives.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import cedarpy

from governance import clock
from governance.contracts.clauses import (
    AMOUNT,
    ASK,
    ASKED,
    BOUNDING,
    COUNT,
    CURRENCY,
    FAILURE,
    GROUPS,
    NUMBER,
    NUMERIC,
    REGION,
    RESOURCE_ID,
    TEXT,
    TRUTH,
    Terms,
    Test,
    type_of,
)

LARGEST_NUMBER = 2**63 - 1
_NOBODY = cedarpy.Entities.from_json_str("[]")
# Ids of the policies that bound the whole contract, and the kinds of clause they are made of.
_BOUNDS = {f"bound:{kind}": kind for kind in BOUNDING}


class Malformed(ValueError):
    """The request holds a value that no clause can be compared with. The text names it and the fix."""


class PolicyTrouble(RuntimeError):
    """Cedar could not read the policies, or erred over the request: nothing is allowed."""


@dataclass(frozen=True)
class Rule:
    """One clause as the engine takes it."""

    number: int
    kind: str
    terms: Terms
    sentence: str = ""


@dataclass(frozen=True)
class Matched:
    """Cedar's result: clauses for the call, clauses that forbid it, bounds it exceeds.

    `missing` has, for each of these clauses that applies only because the request leaves something out, the attributes
    and their types. This clause restricts and does not permit. `context` is the request as Cedar got it.
    """

    clauses: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()
    outside: tuple[str, ...] = ()
    missing: Mapping[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)


class Policies:
    """The policies of one contract version, parsed once.

    Raises PolicyTrouble when Cedar cannot read what was made of the clauses, or when two of them bear one number.
    """

    def __init__(self, rules: Iterable[Rule]):
        self.rules = tuple(rules)
        self.actions = frozenset(rule.terms.action for rule in self.rules if rule.kind in ASKED) - {""}
        self.named = _named(self.rules)
        asked = [rule for rule in self.rules if _asked(rule)]
        self.by_number = {rule.number: rule for rule in asked}
        self.timed = tuple(rule for rule in asked if rule.terms.timed)
        self._compared = {rule.number: rule.terms.compared for rule in asked}
        self._conditions: dict[str, tuple[cedarpy.PolicySet, dict[str, tuple[int, str, str]]]] = {}
        self._by_id = {str(number): rule for number, rule in self.by_number.items()}
        if len(self.by_number) < len(asked):
            raise PolicyTrouble("Two clauses have the same number.")
        try:
            self.text = "\n".join(policies(self.rules))
            self._set = cedarpy.PolicySet.from_str(self.text)
        except Exception as error:
            raise PolicyTrouble(str(error)) from None

    def ask(self, evaluation_request: Mapping[str, Any], now: datetime) -> Matched:
        """Return the clauses for or against the request at `now`.

        Raises Malformed for a value no clause can be compared with, PolicyTrouble for any error of Cedar's.
        """
        context = _context(evaluation_request, self.named, now)
        matched = self._matched(*self._decided(self._set, evaluation_request, context))
        found = {
            number: missing
            for number in (*matched.clauses, *matched.forbidden)
            if self._compared[number] and (missing := self._missing(number, context))
        }
        return replace(matched, missing=found, context=context)

    def _decided(
        self, policy_set: cedarpy.PolicySet, evaluation_request: Mapping[str, Any], context: Mapping[str, Any]
    ) -> tuple[list[str], bool]:
        """Return the ids of the policies that decided, and if they allow. Raises PolicyTrouble for any error."""
        request = {
            "principal": {"type": "Subject", "id": name_of(evaluation_request["subject"])},
            "action": {"type": "Action", "id": evaluation_request["action"]["name"]},
            "resource": {"type": "Resource", "id": name_of(evaluation_request["resource"])},
            "context": json.dumps(context),
        }
        try:
            found = cedarpy.is_authorized(request, policy_set, _NOBODY)
            told, allowed = found.diagnostics, found.decision is cedarpy.Decision.Allow
            errors, undecided = list(told.errors), found.decision is cedarpy.Decision.NoDecision
            ids = [told.id_annotations_by_reason[reason] for reason in told.reasons]
        except Exception as error:
            raise PolicyTrouble(str(error)) from error
        if errors or undecided:
            raise PolicyTrouble("; ".join(map(str, errors)) or "Cedar returned no decision.")
        return ids, allowed

    def _missing(self, number: int, context: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return what the clause compares and the request does not have with this type."""
        return tuple(
            (attribute, kind)
            for attribute, kind in self._compared[number]
            if not (
                (
                    context["grouped"]
                    or not set(context["who"]).isdisjoint(self.by_number[number].terms.audience)
                )
                if attribute == GROUPS
                else _key(attribute, kind) in context
            )
        )

    def unmet(
        self, evaluation_request: Mapping[str, Any], context: Mapping[str, Any]
    ) -> dict[int, tuple[frozenset[str], tuple[tuple[str, str], ...]]]:
        """Return why no clause permits a call: by clause the parts of its terms that are not met, and what is missing.

        The clauses are those that permit this action. `context` is that of `Matched`. Raises PolicyTrouble.
        """
        action = evaluation_request["action"]["name"]
        if action not in self._conditions:
            parts = {
                f"{rule.number}:{place}": (rule.number, part, condition)
                for rule in self.by_number.values()
                if _permits(rule) and rule.terms.action == action
                for place, (part, condition) in enumerate(_conditions(rule, restricts=False))
            }
            each = (
                f'@id("{one}") permit (principal, action, resource) when {{ {condition} }};'
                for one, (_, _, condition) in parts.items()
            )
            self._conditions[action] = cedarpy.PolicySet.from_str("\n".join(each)), parts
        policy_set, parts = self._conditions[action]
        met = set(self._decided(policy_set, evaluation_request, context)[0])
        left: dict[int, set[str]] = {number: set() for number, _, _ in parts.values()}
        for one in parts.keys() - met:
            number, part, _ = parts[one]
            left[number].add(part)
        return {
            number: (frozenset(failed), self._missing(number, context)) for number, failed in left.items()
        }

    def _matched(self, ids: list[str], allowed: bool) -> Matched:
        """Return the result for ids of policies. Raises PolicyTrouble for an unknown id or a contradicting policy."""
        numbers: list[int] = []
        outside: list[str] = []
        for one in ids:
            rule = self._by_id.get(one)
            if rule is not None and _forbids(rule) is not allowed:
                numbers.append(rule.number)
            elif one in _BOUNDS and not allowed:
                outside.append(_BOUNDS[one])
            else:
                raise PolicyTrouble(f"Cedar names a policy that cannot have decided this: {one}.")
        if allowed:
            return Matched(clauses=tuple(sorted(numbers)))
        return Matched(forbidden=tuple(sorted(numbers)), outside=tuple(sorted(outside)))


class Unreadable:
    """A contract version whose clauses cannot be read as policies: it allows nothing, and does not stop the others."""

    rules: tuple[Rule, ...] = ()
    actions: frozenset[str] = frozenset()
    by_number: Mapping[int, Rule] = {}
    timed: tuple[Rule, ...] = ()

    def ask(self, evaluation_request: Mapping[str, Any], now: datetime) -> Matched:
        """Raises PolicyTrouble."""
        raise PolicyTrouble("The clauses of this contract cannot be read as policies.")

    unmet: Any = ask


def name_of(entity: Mapping[str, Any]) -> str:
    """Return a subject or a resource in one word: "user:alice"."""
    return f"{entity['type']}:{entity['id']}"


# --- The request as Cedar's context ---------------------------------------------------------------------------------


def well_formed(evaluation_request: Mapping[str, Any]) -> None:
    """Raise Malformed for a wrong part of the request (AuthZEN 1.0, section 5)."""
    if not isinstance(evaluation_request, Mapping):
        raise Malformed("A request must name subject, action and resource.")
    for part, names in (("subject", ("type", "id")), ("action", ("name",)), ("resource", ("type", "id"))):
        said = evaluation_request.get(part)
        if not isinstance(said, Mapping):
            raise Malformed(f"{part} must be an object with {' and '.join(names)}.")
        for name in names:
            if not isinstance(said.get(name), str) or not said[name]:
                raise Malformed(f"{part}.{name} must be a text.")
            _readable(f"{part}.{name}", said[name])
        if not isinstance(said.get("properties"), Mapping | None):
            raise Malformed(f"{part}.properties must be an object.")
    if not isinstance(evaluation_request.get("context"), Mapping | None):
        raise Malformed("The field “context” must be an object.")


def _readable(attribute: str, value: str) -> str:
    """Return the text. Raises Malformed for half a character, which cannot be compared or kept."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"{attribute} contains an incomplete character. Send the text in UTF-8.") from None
    return value


def _named(rules: Iterable[Rule]) -> dict[str, int | None]:
    """The attributes that some clause looks at, each with the lowest number that it may be, or None for any value."""
    found: dict[str, int | None] = {}
    for rule in rules:
        terms = rule.terms
        if terms.amounts:
            found |= {AMOUNT: 0, CURRENCY: found.get(CURRENCY)}
        if terms.most is not None:
            found[COUNT] = 0
        if terms.failure:
            found.setdefault(FAILURE, None)
        if rule.kind == "residency" and terms.regions:
            found.setdefault(REGION, None)
        for one in terms.tests:
            lowest = -LARGEST_NUMBER if one.how in NUMERIC else None
            found[one.attribute] = lowest if found.get(one.attribute) is None else found[one.attribute]
    return found


def _context(
    evaluation_request: Mapping[str, Any], named: Mapping[str, int | None], now: datetime
) -> dict[str, Any]:
    local = clock.local(now)
    groups = _groups(evaluation_request["subject"])
    found = {
        "who": [name_of(evaluation_request["subject"]), *(groups or ())],
        "grouped": groups is not None,
        "thing": evaluation_request["resource"]["type"],
        "weekday": local.isoweekday(),
        "minute": local.hour * 60 + local.minute,
        "day": local.toordinal(),
    }
    for attribute, lowest in named.items():
        if attribute == RESOURCE_ID:
            value = evaluation_request["resource"]["id"]
        else:
            value = value_of(evaluation_request, attribute)
        if value is not None:
            value = _checked(attribute, value, lowest)
            found[_key(attribute, type_of(value))] = value
    return found


def value_of(evaluation_request: Mapping[str, Any], attribute: str) -> object:
    """Return the value of a property of the request, such as "resource.status", or None if there is none."""
    part, _, name = attribute.partition(".")
    said = evaluation_request.get(part) or {}
    return ((said if part == "context" else said.get("properties")) or {}).get(name)


def _key(attribute: str, kind: str) -> str:
    """Return the name of an attribute in the context. A value of another type has another name."""
    return f"{attribute} as {kind}"


def _groups(subject: Mapping[str, Any]) -> list[str] | None:
    """Return the subject's groups, which the asking system gives (`properties.groups`), or None if it gives none.

    A group that looks like a subject ("user:alice") does not count.
    """
    groups = (subject.get("properties") or {}).get("groups")
    if groups is None:
        return None
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise Malformed("The field “subject.properties.groups” must be a list of names.")
    for group in groups:
        _readable("subject.properties.groups", group)
    return [group for group in groups if ":" not in group]


def _checked(attribute: str, value: object, lowest: int | None) -> str | int:
    """Return the value. Raises Malformed for one that no clause can be compared with."""
    number = isinstance(value, int) and not isinstance(value, bool)
    if lowest is None and isinstance(value, str):
        return _readable(attribute, value)
    if lowest is None and isinstance(value, bool):
        return value
    if lowest is None and not number and not isinstance(value, float):
        raise Malformed(f"{attribute} must be {TEXT}, {NUMBER}, or {TRUTH}.")
    if not isinstance(value, int) or isinstance(value, bool):
        units = " Give amounts in minor units: 5000 for 50.00 EUR." if attribute == AMOUNT else ""
        raise Malformed(f"{attribute} must be {NUMBER}.{units}")
    if abs(value) > LARGEST_NUMBER:
        raise Malformed(f"{attribute} is too large.")
    if lowest is not None and value < lowest:
        raise Malformed(f"{attribute} must be {lowest} or more.")
    return value


# --- Clauses as policies ---------------------------------------------------------------------------------------------


def policies(rules: Iterable[Rule]) -> list[str]:
    """Return the policies in Cedar's words. Each clause that systems ask about has one, and so has each bound."""
    rules = list(rules)
    found = [_policy(rule) for rule in rules if _asked(rule)]
    bounds = {kind: [rule.terms for rule in rules if rule.kind == kind] for kind in BOUNDING}
    people = sorted({one for terms in bounds["audience"] for one in terms.audience})
    if people:
        found.append(_bound("audience", f"context.who.containsAny([{_texts(people)}])"))
    regions = sorted({one for terms in bounds["residency"] for one in terms.regions})
    if regions:
        inside = f"[{_texts(regions)}].contains({_of(REGION, TEXT)})"
        found.append(_bound("residency", _stated(REGION, TEXT, inside)))
    return found


def _asked(rule: Rule) -> bool:
    """Return True if a system may ask about the clause. A clause with too little to be enforced allows nothing."""
    if rule.kind == "edge_policy":
        return bool(rule.terms.then and (rule.terms.failure or rule.terms.tests))
    return rule.kind in ASKED and bool(rule.terms.action)


def _forbids(rule: Rule) -> bool:
    return rule.kind == "edge_policy" and rule.terms.then != ASK


def _permits(rule: Rule) -> bool:
    return rule.kind in ("autonomy", "human_approval")


def _bound(kind: str, inside: str) -> str:
    return f'@id("bound:{kind}") forbid (principal, action, resource) unless {{ {inside} }};'


def _policy(rule: Rule) -> str:
    terms = rule.terms
    effect = "forbid" if _forbids(rule) else "permit"
    action = f"action == Action::{text(terms.action)}" if terms.action else "action"
    conditions = _conditions(rule, restricts=rule.kind != "autonomy")
    when = " && ".join(condition for _, condition in conditions) or "true"
    return f'@id("{rule.number}") {effect} (principal, {action}, resource) when {{ {when} }};'


def _conditions(rule: Rule, *, restricts: bool) -> Iterable[tuple[str, str]]:
    """Yield each condition: the part of the terms that it is from, and the expression.

    With `restricts`, a condition also holds if the request does not have what the condition compares.
    """
    terms, if_there = rule.terms, _unstated if restricts else _stated
    if terms.resource:
        yield "resource", f"context.thing == {text(terms.resource)}"
    if terms.audience:
        named = f"context.who.containsAny([{_texts(terms.audience)}])"
        either = restricts and any(":" not in name for name in terms.audience)
        yield "audience", f"(!context.grouped || {named})" if either else named
    if terms.timed:
        yield "when", _when(terms)
    if terms.amounts:
        amount = _of(AMOUNT, NUMBER)
        least = [f"{amount} > {terms.over}"] if terms.over is not None else []
        most = [f"{amount} <= {terms.up_to}"] if terms.up_to is not None else []
        yield "amounts", if_there(AMOUNT, NUMBER, " && ".join(least + most))
        yield "amounts", if_there(CURRENCY, TEXT, f"{_of(CURRENCY, TEXT)} == {text(terms.currency)}")
    if terms.most is not None:
        yield "most", if_there(COUNT, NUMBER, f"{_of(COUNT, NUMBER)} <= {terms.most}")
    if terms.failure:
        yield "failure", _stated(FAILURE, TEXT, f"{_of(FAILURE, TEXT)} == {text(terms.failure)}")
    for one in terms.tests:
        there = if_there
        if one.attribute == FAILURE:  # a request without a failure has none, so nothing is missing
            there = _unstated if one.how == "differs" else _stated
        yield "tests", there(one.attribute, one.type, _compared(one))


def _of(attribute: str, kind: str) -> str:
    return f"context[{text(_key(attribute, kind))}]"


def _stated(attribute: str, kind: str, condition: str) -> str:
    """Return the condition. It does not hold if the request lacks the attribute, or has a value of another type."""
    return f"context has {text(_key(attribute, kind))} && {condition}"


def _unstated(attribute: str, kind: str, condition: str) -> str:
    """Return the condition. It also holds if the request lacks the attribute, or has a value of another type."""
    return f"(!(context has {text(_key(attribute, kind))}) || ({condition}))"


def _when(terms: Terms) -> str:
    """Return the hours and days as an expression. A window past midnight belongs to the day on which it begins."""
    if terms.window is None:
        return " && ".join(_days(terms))
    start, end = terms.window
    if not terms.past_midnight:
        return " && ".join([f"context.minute >= {start}", f"context.minute < {end}", *_days(terms)])
    late = " && ".join([f"context.minute >= {start}", *_days(terms)])
    early = " && ".join([f"context.minute < {end}", *_days(terms, after=1)])
    return f"(({late}) || ({early}))"


def _days(terms: Terms, after: int = 0) -> Iterable[str]:
    """Yield the conditions on the day, for a time `after` so many days."""
    if terms.weekdays:
        days = sorted({(day - 1 + after) % 7 + 1 for day in terms.weekdays})
        yield f"[{', '.join(map(str, days))}].contains(context.weekday)"
    if terms.holds_from:
        yield f"context.day >= {terms.holds_from.toordinal() + after}"
    if terms.holds_until:
        yield f"context.day <= {terms.holds_until.toordinal() + after}"


def _compared(one: Test) -> str:
    there, value = _of(one.attribute, one.type), one.value
    if isinstance(value, tuple):
        return f"[{_texts(value)}].contains({there})"
    sign = {"equals": "==", "differs": "!=", "at_least": ">=", "at_most": "<="}[one.how]
    return f"{there} {sign} {_literal(value)}"


def _literal(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else text(value)


def _texts(values: Iterable[str]) -> str:
    return ", ".join(text(value) for value in values)


def text(value: str) -> str:
    """Return a text as Cedar writes it. Characters that could end or change it become their numbers."""
    return '"' + "".join(c if c.isalnum() or c in " ._@:/+-" else f"\\u{{{ord(c):x}}}" for c in value) + '"'
