"""Clauses: their structured terms, and what is wrong with one by itself. Pure.

The board signs the structured part (`Terms`), and the policy engine gets it. `sentences` makes the sentence from it, so
that the two cannot disagree. Kinds that no machine asks about have few terms.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, get_args, get_origin

from governance.vocabulary.currencies import wrong_currency

# Ways in which the work around a model fails; a contract says for each what then applies (gov.edge_policies).
FAILURES = {
    "source_unavailable": "a source of truth cannot be reached",
    "sources_conflict": "sources contradict each other",
    "low_confidence": "it is not sure of its answer",
    "unexpected_input": "the input is of a kind it was not made for",
    "personal_data": "it meets personal data it was not meant to see",
    "model_unavailable": "the model does not answer in time",
}

REFUSE, ASK = "refuse", "ask"
CONSEQUENCES = {REFUSE: "it does nothing", ASK: "a person is asked"}

PARTS = {"subject": "who asks", "action": "the act", "resource": "the thing", "context": "the circumstances"}
COMPARISONS = {
    "equals": "is",
    "differs": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "one_of": "is one of",
}
NUMERIC = ("at_least", "at_most")
# Attributes of an act that limits compare: its amount in minor units, the currency, and how many at once.
AMOUNT, CURRENCY, COUNT = "action.amount", "action.currency", "action.count"
REGION = "context.region"
# A failure is a signal. A request without it has no failure, and a complete contract has an edge case for each failure.
FAILURE = "context.failure"
# The id of the resource itself, and not a property: a clause that compares it names single resources.
RESOURCE_ID = "resource.id"
GROUPS = "subject.groups"
# The types that clauses compare with, in the words of a reason.
TEXT, NUMBER, TRUTH, NAMES = "a text", "a whole number", "true or false", "a list of names"
# Kinds of clause by what a running system may read out of them.
ASKED = ("autonomy", "human_approval", "edge_policy")
BOUNDING = ("audience", "residency")

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_MINUTES = 24 * 60
LARGEST = 2**53  # beyond it, JSON numbers of some systems are no longer exact
LONGEST_WAIT = 30 * DAY_MINUTES
MOST_CLAUSES = 200  # of one contract: more than that nobody reads aloud
SHORTEST_RETENTION = 730  # days; docs/domain.md, invariant 18


@dataclass(frozen=True)
class Test:
    """A condition on an attribute of a request: `resource.status` equals "open".

    `resource.id` is the id of the resource itself. All other attributes are properties. A clause that permits needs the
    attribute. A clause that forbids or asks also counts if the attribute is missing (`cedar_policies`).
    """

    __test__ = False  # not one of pytest's

    of: str
    name: str
    how: str
    value: str | int | bool | tuple[str, ...]

    @property
    def attribute(self) -> str:
        """Return the attribute as the policy engine names it: "resource.status"."""
        return f"{self.of}.{self.name}"

    @property
    def type(self) -> str:
        """Return the type of the values that the condition is about."""
        return TEXT if isinstance(self.value, tuple) else type_of(self.value)


def type_of(value: str | int) -> str:
    """Return the type of a value of a request, as clauses compare it. A truth value is not a number."""
    if isinstance(value, bool):
        return TRUTH
    return NUMBER if isinstance(value, int) else TEXT


@dataclass(frozen=True)
class Terms:
    """The structured part of a clause. An empty field does not restrict.

    `audience` has groups, or subjects as "type:id". `weekdays` begin with 1 for Monday. `from_minute` and
    `until_minute` are minutes of the local day, the second excluded. A window that ends before it starts passes
    midnight, and belongs to the day on which it begins. `over` and `up_to` are minor units of `currency`, the first
    excluded. `most` is how many at once. `minutes` is the time of an approver. An edge policy has a failure, or the
    conditions that make the initiative an edge, or both, and `then` as the consequence.
    """

    action: str = ""
    resource: str = ""
    audience: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    from_minute: int | None = None
    until_minute: int | None = None
    holds_from: date | None = None
    holds_until: date | None = None
    over: int | None = None
    up_to: int | None = None
    currency: str = ""
    most: int | None = None
    tests: tuple[Test, ...] = ()
    approvers: tuple[str, ...] = ()
    minutes: int | None = None
    four_eyes: bool = False
    failure: str = ""
    then: str = ""
    regions: tuple[str, ...] = ()
    days: int | None = None

    def stored(self) -> dict[str, Any]:
        """Return the terms as plain values for a row, without empty ones. `read` restores them."""
        found = {}
        for name, value in asdict(self).items():
            if value is None or value is False or value == "" or value == ():
                continue
            if name == "tests":
                value = [[one.of, one.name, one.how, _plain(one.value)] for one in self.tests]
            found[name] = _plain(value)
        return found

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Terms":
        """Return the terms that `stored` put down. Raises TypeError or ValueError for what it did not write."""
        if unknown := stored.keys() - _TYPES[cls].keys():
            raise ValueError(f"Terms do not have {', '.join(sorted(unknown))}.")
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
        for name in ("holds_from", "holds_until"):
            if values.get(name):
                values[name] = date.fromisoformat(values[name])
        if "tests" in values:
            values["tests"] = tuple(
                Test(of, name, how, tuple(value) if isinstance(value, list) else value)
                for of, name, how, value in values["tests"]
            )
        found = cls(**values)
        for name, value in values.items():
            if not _is(value, _TYPES[cls][name]):
                raise TypeError(f"{name} has the wrong type.")
        for test in found.tests:
            if not all(_is(getattr(test, name), types) for name, types in _TYPES[Test].items()):
                raise TypeError("A condition has the wrong type.")
        return found

    @property
    def amounts(self) -> bool:
        """Return True if an amount of money bounds the clause."""
        return self.over is not None or self.up_to is not None

    @property
    def window(self) -> tuple[int, int] | None:
        """Return the minutes of the day from and until which the clause applies, or None."""
        if self.from_minute is None or self.until_minute is None:
            return None
        return self.from_minute, self.until_minute

    @property
    def past_midnight(self) -> bool:
        """Return True if the hours of the clause end on the next day."""
        return self.window is not None and self.window[0] > self.window[1]

    @property
    def timed(self) -> bool:
        """Return True if the clause has hours, days of the week, or a first or last day."""
        return bool(self.window or self.weekdays or self.holds_from or self.holds_until)

    def applies_at(self, local: datetime) -> bool:
        """Return True if the clause applies at this local time, by its hours and days."""
        day, minute = local.date(), local.hour * 60 + local.minute
        if self.window is not None:
            start, end = self.window
            if self.past_midnight and minute < end:
                day -= timedelta(days=1)
            elif minute < start or (minute >= end and not self.past_midnight):
                return False
        return not (
            (self.weekdays and day.isoweekday() not in self.weekdays)
            or (self.holds_from and day < self.holds_from)
            or (self.holds_until and day > self.holds_until)
        )

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """Return each attribute that the clause compares and a request may leave out, with the type of its values."""
        found = [(GROUPS, NAMES)] if any(":" not in name for name in self.audience) else []
        if self.amounts:
            found += [(AMOUNT, NUMBER), (CURRENCY, TEXT)]
        if self.most is not None:
            found.append((COUNT, NUMBER))
        found += [(one.attribute, one.type) for one in self.tests if one.attribute != FAILURE]
        return tuple(one for one in dict.fromkeys(found) if one != (RESOURCE_ID, TEXT))


def _types(kind: Any) -> tuple[frozenset[type], frozenset[type]]:
    """Return the types of the values of an annotation, and the types of the parts of its tuple."""
    kinds = (get_args(kind) if get_origin(kind) is not tuple else ()) or [kind]
    tuples = [one for one in kinds if get_origin(one) is tuple]
    return frozenset(get_origin(one) or one for one in kinds), frozenset(get_args(one)[0] for one in tuples)


# Read once: a page of a contract reads some thousand values.
_TYPES = {of: {one.name: _types(one.type) for one in fields(of)} for of in (Test, Terms)}


def _is(value: object, types: tuple[frozenset[type], frozenset[type]]) -> bool:
    """Return True if the value has exactly one of these types. A truth is not a number."""
    whole, parts = types
    return type(value) in whole and (type(value) is not tuple or all(type(one) in parts for one in value))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def fingerprint(kind: str, sentence: str, terms: Terms) -> str:
    """Return the SHA-256 of a clause. It is the same in two versions exactly when the clause is."""
    said = json.dumps(
        [kind, sentence, terms.stored()], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(said.encode()).hexdigest()


# --- What is wrong with one clause by itself -------------------------------------------------------------------------


def problems(kind: str, terms: Terms) -> dict[str, str]:
    """Return what is wrong with the terms of a clause, by field, with the fix.

    `completeness.gaps` returns what is missing from a contract as a whole.
    """
    wrong: dict[str, str] = {}
    if terms.weekdays and not all(isinstance(day, int) and 1 <= day <= 7 for day in terms.weekdays):
        wrong["weekdays"] = "Choose days of the week."
    if (terms.from_minute is None) != (terms.until_minute is None):
        wrong["until_minute"] = "Enter both hours, or leave both empty."
    elif terms.window:
        start, end = terms.window
        if not (0 <= start < DAY_MINUTES and 0 <= end <= DAY_MINUTES):
            wrong["until_minute"] = "Enter hours between 00:00 and 24:00."
        elif start == end:
            wrong["until_minute"] = "The two hours are equal. Enter different hours."
    if terms.holds_from and terms.holds_until and terms.holds_until < terms.holds_from:
        wrong["holds_until"] = "The last day is before the first day."
    wrong |= _wrong_amounts(terms)
    if terms.most is not None and not 1 <= terms.most <= LARGEST:
        wrong["most"] = "Enter a largest number of 1 or more."
    for one in terms.tests:
        if why := _wrong_test(one):
            wrong["tests"] = why
    if terms.minutes is not None and not 1 <= terms.minutes <= LONGEST_WAIT:
        wrong["minutes"] = "Enter a time to answer between one minute and thirty days."
    if kind == "edge_policy":
        if terms.failure and terms.failure not in FAILURES:
            wrong["failure"] = "Choose what goes wrong from the list."
        if terms.then and terms.then not in CONSEQUENCES:
            wrong["then"] = "Choose whether nothing is done or a person is asked."
    if terms.days is not None and terms.days < SHORTEST_RETENTION:
        wrong["days"] = f"Enter {SHORTEST_RETENTION} days or more. Shorter retention is not allowed."
    return wrong


def _wrong_amounts(terms: Terms) -> dict[str, str]:
    for name in ("over", "up_to"):
        amount = getattr(terms, name)
        if amount is not None and not 0 <= amount <= LARGEST:
            return {name: "Enter an amount of 0 or more."}
    if terms.over is not None and terms.up_to is not None and terms.up_to <= terms.over:
        return {"up_to": "The smallest amount is not below the largest. Correct an amount."}
    if terms.amounts and (wrong := wrong_currency(terms.currency)):
        return {"currency": wrong}
    return {}


def _wrong_test(one: Test) -> str:
    if one.of not in PARTS or not one.name.strip() or one.how not in COMPARISONS:
        return "A condition needs an attribute, a comparison and a value."
    if one.how == "one_of" and not (
        isinstance(one.value, tuple) and one.value and all(isinstance(value, str) for value in one.value)
    ):
        return f"{one.attribute} must be compared with a list of texts."
    if one.how in NUMERIC and (isinstance(one.value, bool) or not isinstance(one.value, int)):
        return f"{one.attribute} must be compared with a whole number."
    if one.attribute == RESOURCE_ID and not isinstance(one.value, (str, tuple)):
        return "resource.id must be compared with a text, or with a list of texts."
    if isinstance(one.value, int) and not isinstance(one.value, bool) and abs(one.value) > LARGEST:
        return f"The number for {one.attribute} is too large."
    if one.how != "one_of" and not isinstance(one.value, (str, int)):
        return f"{one.attribute} must be compared with one value."
    return ""
