"""A contract's clauses as policies of Cedar, and one request put to them. Pure.

Every clause that a running system may ask about becomes one policy with the clause's number as its id. The context of
Cedar has Plumbline's own names: groups and name of the subject, local weekday, minute and day. It also has exactly the
attributes that some clause names. Cedar has no floats, and skips a policy that errs. Values are therefore checked
before Cedar gets them, and an error in any policy denies. The module knows nothing of initiatives.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cedarpy

from governance import clock
from governance.contracts.clauses import ASK, ASKED, BOUNDING, NUMERIC, Terms

LARGEST_NUMBER = 2**63 - 1
# Attributes of an act that limits speak of: its amount in minor units, the currency, and how many at once.
AMOUNT, CURRENCY, COUNT = "action.amount", "action.currency", "action.count"
REGION = "context.region"
FAILURE = "context.failure"
# The id of the resource itself, and no property: a clause that compares it names single resources.
RESOURCE_ID = "resource.id"
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
    """Cedar's result: clauses for the call, clauses that forbid it, bounds it exceeds."""

    clauses: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()
    outside: tuple[str, ...] = ()


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
        request = {
            "principal": {"type": "Subject", "id": name_of(evaluation_request["subject"])},
            "action": {"type": "Action", "id": evaluation_request["action"]["name"]},
            "resource": {"type": "Resource", "id": name_of(evaluation_request["resource"])},
            "context": json.dumps(_context(evaluation_request, self.named, now)),
        }
        try:
            found = cedarpy.is_authorized(request, self._set, _NOBODY)
            told, allowed = found.diagnostics, found.decision is cedarpy.Decision.Allow
            errors, undecided = list(told.errors), found.decision is cedarpy.Decision.NoDecision
            ids = [told.id_annotations_by_reason[reason] for reason in told.reasons]
        except Exception as error:
            raise PolicyTrouble(str(error)) from error
        if errors or undecided:
            raise PolicyTrouble("; ".join(map(str, errors)) or "Cedar returned no decision.")
        return self._matched(ids, allowed)

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

    def ask(self, evaluation_request: Mapping[str, Any], now: datetime) -> Matched:
        """Raises PolicyTrouble."""
        raise PolicyTrouble("The clauses of this contract cannot be read as policies.")


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


def _named(rules: Iterable[Rule]) -> dict[str, bool]:
    """The attributes that some clause looks at, and whether they must be whole numbers."""
    found: dict[str, bool] = {}
    for rule in rules:
        terms = rule.terms
        if terms.amounts:
            found |= {AMOUNT: True, CURRENCY: found.get(CURRENCY, False)}
        if terms.most is not None:
            found[COUNT] = True
        if terms.failure:
            found.setdefault(FAILURE, False)
        if rule.kind == "residency" and terms.regions:
            found.setdefault(REGION, False)
        for one in terms.tests:
            found[one.attribute] = found.get(one.attribute, False) or one.how in NUMERIC
    return found


def _context(
    evaluation_request: Mapping[str, Any], named: Mapping[str, bool], now: datetime
) -> dict[str, Any]:
    local = clock.local(now)
    found = {
        "who": _groups(evaluation_request["subject"]),
        "thing": evaluation_request["resource"]["type"],
        "weekday": local.isoweekday(),
        "minute": local.hour * 60 + local.minute,
        "day": local.toordinal(),
    }
    for attribute, numeric in named.items():
        part, _, name = attribute.partition(".")
        said = (
            evaluation_request.get("context")
            if part == "context"
            else evaluation_request[part].get("properties")
        )
        value = said.get(name) if said else None
        if attribute == RESOURCE_ID:
            value = evaluation_request["resource"]["id"]
        if value is not None:
            found[attribute] = _checked(attribute, value, numeric)
    return found


def _groups(subject: Mapping[str, Any]) -> list[str]:
    """Return the subject's name and its groups. The asking system gives them (`properties.groups`)."""
    groups = (subject.get("properties") or {}).get("groups")
    if groups is None:
        groups = []
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise Malformed("The field “subject.properties.groups” must be a list of names.")
    for group in groups:
        _readable("subject.properties.groups", group)
    return [name_of(subject), *(group for group in groups if ":" not in group)]


def _checked(attribute: str, value: object, numeric: bool) -> str | int:
    if isinstance(value, (bool, str)):
        if numeric:
            raise Malformed(
                f"{attribute} must be a whole number. Give amounts in minor units: 5000 for 50.00 EUR."
            )
        return _readable(attribute, value) if isinstance(value, str) else value
    if isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise Malformed(f"{attribute} is too large.")
        return value
    if isinstance(value, float):
        raise Malformed(
            f"{attribute} must be a whole number. Give amounts in minor units: 5000 for 50.00 EUR."
        )
    raise Malformed(f"{attribute} must be a text, a whole number, or true or false.")


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
        asked = f'context has "{REGION}" && [{_texts(regions)}].contains(context["{REGION}"])'
        found.append(_bound("residency", asked))
    return found


def _asked(rule: Rule) -> bool:
    """Return True if a system may ask about the clause. A clause with too little to be enforced allows nothing."""
    if rule.kind == "edge_policy":
        return bool(rule.terms.then and (rule.terms.failure or rule.terms.tests))
    return rule.kind in ASKED and bool(rule.terms.action)


def _forbids(rule: Rule) -> bool:
    return rule.kind == "edge_policy" and rule.terms.then != ASK


def _bound(kind: str, inside: str) -> str:
    return f'@id("bound:{kind}") forbid (principal, action, resource) unless {{ {inside} }};'


def _policy(rule: Rule) -> str:
    terms = rule.terms
    effect = "forbid" if _forbids(rule) else "permit"
    action = f"action == Action::{text(terms.action)}" if terms.action else "action"
    when = " && ".join(_conditions(rule)) or "true"
    return f'@id("{rule.number}") {effect} (principal, {action}, resource) when {{ {when} }};'


def _conditions(rule: Rule) -> Iterable[str]:
    """Yield each condition as an expression. `has` comes first if the asking system may leave the attribute out."""
    terms = rule.terms
    if terms.resource:
        yield f"context.thing == {text(terms.resource)}"
    if terms.audience:
        yield f"context.who.containsAny([{_texts(terms.audience)}])"
    if terms.weekdays:
        yield f"[{', '.join(str(day) for day in sorted(set(terms.weekdays)))}].contains(context.weekday)"
    if terms.window:
        start, end = terms.window
        link = "&&" if start <= end else "||"
        yield f"(context.minute >= {start} {link} context.minute < {end})"
    if terms.holds_from:
        yield f"context.day >= {terms.holds_from.toordinal()}"
    if terms.holds_until:
        yield f"context.day <= {terms.holds_until.toordinal()}"
    if terms.amounts:
        yield f'context has "{AMOUNT}" && context["{AMOUNT}"] >= 0'
        yield f'context has "{CURRENCY}" && context["{CURRENCY}"] == {text(terms.currency)}'
        if terms.over is not None:
            yield f'context["{AMOUNT}"] > {terms.over}'
        if terms.up_to is not None:
            yield f'context["{AMOUNT}"] <= {terms.up_to}'
    if terms.most is not None:
        yield f'context has "{COUNT}" && context["{COUNT}"] >= 0 && context["{COUNT}"] <= {terms.most}'
    if terms.failure:
        yield f'context has "{FAILURE}" && context["{FAILURE}"] == {text(terms.failure)}'
    for one in terms.tests:
        name = text(one.attribute)
        yield f"context has {name} && {_compared(f'context[{name}]', one.how, one.value)}"


def _compared(there: str, how: str, value: str | int | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{_texts(value)}].contains({there})"
    sign = {"equals": "==", "differs": "!=", "at_least": ">=", "at_most": "<="}[how]
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
