"""Clauses: their structured terms, and what is wrong with one by itself. Pure.

The structured part (`Terms`) is what the board signs and what the policy engine is given; `sentences` makes the
sentence from it, so that the two cannot disagree. Kinds that no machine asks about have few terms.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, get_args, get_origin

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
    """A condition on one attribute of a question: `resource.status` equals "open". What is not stated never passes."""

    __test__ = False  # not one of pytest's

    of: str
    name: str
    how: str
    value: str | int | bool | tuple[str, ...]

    @property
    def attribute(self) -> str:
        """The attribute as the policy engine names it: "resource.status"."""
        return f"{self.of}.{self.name}"


@dataclass(frozen=True)
class Terms:
    """The structured part of a clause. What is empty does not restrict.

    `audience`: groups, or subjects as "type:id". `weekdays`: 1 is Monday. `from_minute`, `until_minute`: minutes of the
    local day, the second excluded; a window whose end lies before its start passes midnight. `over`, `up_to`: minor
    units of `currency`, the first excluded. `most`: how many at once. `minutes`: how long an approver has. An edge
    policy names a failure, or the conditions that make the initiative an edge, or both, and `then` says what applies.
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
        """The terms as plain values for a row, without what is empty; `read` brings them back."""
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
        """The terms that `stored` put down. Raises TypeError or ValueError for what it did not write."""
        known = {one.name for one in fields(cls)}
        if unknown := set(stored) - known:
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
        for one in fields(cls):
            if not _is(getattr(found, one.name), one.type):
                raise TypeError(f"{one.name} is of another kind.")
        for test in found.tests:
            if not all(_is(getattr(test, one.name), one.type) for one in fields(Test)):
                raise TypeError("A condition is of another kind.")
        return found

    @property
    def amounts(self) -> bool:
        """Whether an amount of money bounds the clause."""
        return self.over is not None or self.up_to is not None

    @property
    def window(self) -> tuple[int, int] | None:
        """The minutes of the day from which and until which the clause speaks; None where it is not bound to any."""
        if self.from_minute is None or self.until_minute is None:
            return None
        return self.from_minute, self.until_minute


def _is(value: object, kind: object) -> bool:
    """Whether the value is of exactly this kind: a truth is no number."""
    if get_origin(kind) is tuple:
        return type(value) is tuple and all(type(one) is get_args(kind)[0] for one in value)
    return any(_is(value, one) for one in get_args(kind)) if get_args(kind) else type(value) is kind


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def fingerprint(kind: str, sentence: str, terms: Terms) -> str:
    """SHA-256 of what a clause says: the same in two versions exactly when the clause is the same."""
    said = json.dumps(
        [kind, sentence, terms.stored()], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(said.encode()).hexdigest()


# --- What is wrong with one clause by itself -------------------------------------------------------------------------


def problems(kind: str, terms: Terms) -> dict[str, str]:
    """What is wrong with the terms of one clause, by field, each as a sentence that says how to fix it.

    What is missing from a contract as a whole is another question: `completeness.gaps`.
    """
    wrong: dict[str, str] = {}
    if terms.weekdays and not all(isinstance(day, int) and 1 <= day <= 7 for day in terms.weekdays):
        wrong["weekdays"] = "Choose days of the week."
    if (terms.from_minute is None) != (terms.until_minute is None):
        wrong["until_minute"] = "Give both hours, or none."
    elif terms.window:
        start, end = terms.window
        if not (0 <= start < DAY_MINUTES and 0 <= end <= DAY_MINUTES):
            wrong["until_minute"] = "Hours lie between 00:00 and 24:00."
        elif start == end:
            wrong["until_minute"] = "The window is empty: it ends when it begins."
    if terms.holds_from and terms.holds_until and terms.holds_until < terms.holds_from:
        wrong["holds_until"] = "The last day lies before the first."
    wrong |= _wrong_amounts(terms)
    if terms.most is not None and not 1 <= terms.most <= LARGEST:
        wrong["most"] = "At most how many? One or more."
    for one in terms.tests:
        if why := _wrong_test(one):
            wrong["tests"] = why
    if terms.minutes is not None and not 1 <= terms.minutes <= LONGEST_WAIT:
        wrong["minutes"] = "The time to answer lies between one minute and thirty days."
    if kind == "edge_policy":
        if terms.failure and terms.failure not in FAILURES:
            wrong["failure"] = "Choose what goes wrong from the list."
        if terms.then and terms.then not in CONSEQUENCES:
            wrong["then"] = "Choose what then applies."
    if terms.days is not None and terms.days < SHORTEST_RETENTION:
        wrong["days"] = f"Records of decisions are kept at least {SHORTEST_RETENTION} days."
    return wrong


def _wrong_amounts(terms: Terms) -> dict[str, str]:
    for name in ("over", "up_to"):
        amount = getattr(terms, name)
        if amount is not None and not 0 <= amount <= LARGEST:
            return {name: "An amount is zero or more."}
    if terms.over is not None and terms.up_to is not None and terms.up_to <= terms.over:
        return {"up_to": "No amount lies between these two."}
    if terms.amounts and not (
        len(terms.currency) == 3 and terms.currency.isascii() and terms.currency.isupper()
    ):
        return {"currency": "Give the currency as three capital letters, such as EUR."}
    return {}


def _wrong_test(one: Test) -> str:
    if one.of not in PARTS or not one.name.strip() or one.how not in COMPARISONS:
        return "A condition names an attribute, how it is compared, and with what."
    if one.how == "one_of" and not (
        isinstance(one.value, tuple) and one.value and all(isinstance(value, str) for value in one.value)
    ):
        return f"{one.attribute} is compared with a list of texts."
    if one.how in NUMERIC and (isinstance(one.value, bool) or not isinstance(one.value, int)):
        return f"{one.attribute} is compared with a whole number."
    if isinstance(one.value, int) and not isinstance(one.value, bool) and abs(one.value) > LARGEST:
        return f"The number for {one.attribute} is too large."
    if one.how != "one_of" and not isinstance(one.value, (str, int)):
        return f"{one.attribute} is compared with one value."
    return ""
