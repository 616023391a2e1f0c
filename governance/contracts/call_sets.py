"""The calls of a clause as a set: common calls of two clauses, and containment. Pure.

The set is exact in each thing that a clause looks at. Without certainty it reports nothing. Two groups may share a
member or not, so clauses for different groups count neither as overlapping nor as apart.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from governance.contracts.cedar_policies import AMOUNT, COUNT, CURRENCY, FAILURE, LARGEST_NUMBER, REGION, Rule
from governance.contracts.clauses import DAY_MINUTES, NUMERIC, Terms, Test

EVERY_MINUTE = (1 << DAY_MINUTES) - 1
EVERY_DAY = (1 << 7) - 1
FIRST, LAST = date.min.toordinal(), date.max.toordinal()
_BOTH: frozenset[bool] = frozenset((True, False))
_NEITHER: frozenset[bool] = frozenset()


@dataclass(frozen=True, slots=True)
class Values:
    """The values that an attribute may have. A truth is never a number, as in the engine.

    `low` and `high` bound whole numbers. `texts` are allowed texts, None allows any. `without` lists excluded values.
    """

    low: int = -LARGEST_NUMBER
    high: int = LARGEST_NUMBER
    texts: frozenset[str] | None = None
    truths: frozenset[bool] = _BOTH
    without: frozenset[int | str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Return True if no value is left."""
        return self.low > self.high and not self.truths and self.texts is not None and not self.texts

    def shared(self, other: "Values") -> "Values":
        """Return the values in both."""
        if self.texts is None or other.texts is None:
            texts = other.texts if self.texts is None else self.texts
        else:
            texts = self.texts & other.texts
        return _tightened(
            max(self.low, other.low),
            min(self.high, other.high),
            texts,
            self.truths & other.truths,
            self.without | other.without,
        )

    def within(self, other: "Values") -> bool:
        """Return True if the other set contains every value of this one."""
        if self.low <= self.high and not (other.low <= self.low and self.high <= other.high):
            return False
        if not self.truths <= other.truths:
            return False
        if other.texts is not None and (self.texts is None or not self.texts <= other.texts):
            return False
        return not any(self._has(one) for one in other.without)

    def _has(self, value: int | str) -> bool:
        if value in self.without:
            return False
        if isinstance(value, str):
            return self.texts is None or value in self.texts
        return self.low <= value <= self.high


def _tightened(
    low: int,
    high: int,
    texts: frozenset[str] | None,
    truths: frozenset[bool],
    without: frozenset[int | str],
) -> Values:
    """The same values, with bounds that are themselves among them."""
    while low <= high and low in without:
        low += 1
    while low <= high and high in without:
        high -= 1
    left = None if texts is None else frozenset(text for text in texts if text not in without)
    return Values(low, high, left, truths, without)


NUMBERS = Values(texts=frozenset(), truths=_NEITHER)
_NOTHING = replace(NUMBERS, low=1, high=0)


def _texts(values: Iterable[str]) -> Values:
    return replace(_NOTHING, texts=frozenset(values))


def _between(low: int, high: int) -> Values:
    return replace(NUMBERS, low=low, high=high)


def _passing(one: Test) -> Values:
    """The values with which a condition holds."""
    value, how = one.value, one.how
    if isinstance(value, tuple):  # one of these
        return _texts(value)
    if isinstance(value, bool):
        truths = frozenset((value if how == "equals" else not value,))
        return Values(truths=truths) if how == "differs" else replace(_NOTHING, truths=truths)
    if how == "differs":
        return Values(without=frozenset((value,)))
    if isinstance(value, str):
        return _texts((value,))
    return _between(
        -LARGEST_NUMBER if how == "at_most" else value, LARGEST_NUMBER if how == "at_least" else value
    )


@dataclass(frozen=True, slots=True)
class Calls:
    """A set of calls. Empty `action`, `resource` or `audience` mean any. `days` and `minutes` have a bit for each."""

    action: str = ""
    resource: str = ""
    audience: frozenset[str] = frozenset()
    days: int = EVERY_DAY
    minutes: int = EVERY_MINUTE
    first: int = FIRST
    last: int = LAST
    values: Mapping[str, Values] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Return True if the set is empty, because its parts exclude one another."""
        return (
            self.first > self.last
            or not (self.minutes and self.days & _days_between(self.first, self.last))
            or any(one.nothing for one in self.values.values())
        )

    def shared(self, other: "Calls") -> "Calls | None":
        """Return the calls that are certainly in both, or None without any for certain."""
        if self.action and other.action and self.action != other.action:
            return None
        if self.resource and other.resource and self.resource != other.resource:
            return None
        if not certainly_common(self.audience, other.audience):
            return None
        values = dict(self.values)
        for attribute, allowed in other.values.items():
            values[attribute] = values[attribute].shared(allowed) if attribute in values else allowed
        both = Calls(
            self.action or other.action,
            self.resource or other.resource,
            self.audience & other.audience or self.audience or other.audience,
            self.days & other.days,
            self.minutes & other.minutes,
            max(self.first, other.first),
            min(self.last, other.last),
            values,
        )
        return None if both.nothing else both

    def within(self, other: "Calls") -> bool:
        """Return True if the other set certainly contains every one of these calls."""
        if (other.action and other.action != self.action) or (
            other.resource and other.resource != self.resource
        ):
            return False
        if other.audience and not (self.audience and self.audience <= other.audience):
            return False
        if self.minutes & ~other.minutes or self.first < other.first or self.last > other.last:
            return False
        if self.days & ~other.days and self.days & _days_between(self.first, self.last) & ~other.days:
            return False
        return all(
            attribute in self.values and self.values[attribute].within(allowed)
            for attribute, allowed in other.values.items()
        )


def certainly_common(one: Collection[str], other: Collection[str]) -> bool:
    """Return True if both audiences certainly mean a common subject."""
    return not one or not other or not frozenset(one).isdisjoint(other)


def certainly_apart(one: Collection[str], other: Collection[str]) -> bool:
    """Return True if both audiences name single subjects only, and share none."""
    return not certainly_common(one, other) and all(":" in name for name in (*one, *other))


def _days_between(first: int, last: int) -> int:
    """The days of the week that come between two days, both included."""
    if last - first >= 6:
        return EVERY_DAY
    days = 0
    for day in range(first, last + 1):
        days |= 1 << (day - 1) % 7  # day 1 of the calendar is a Monday
    return days


def calls_of(
    rule: Rule, numeric: Collection[str] = (), regions: Collection[str] = (), since: date | None = None
) -> Calls:
    """Return the calls that the clause covers from the day `since`, within `regions`.

    Empty `regions` mean any. `numeric` attributes are compared as numbers by some clause, and accept only numbers.
    """
    terms = rule.terms
    values: dict[str, Values] = {}
    for attribute, allowed in _allowed(rule, regions):
        if attribute in numeric:
            allowed = allowed.shared(NUMBERS)
        values[attribute] = values[attribute].shared(allowed) if attribute in values else allowed
    return Calls(
        terms.action,
        terms.resource,
        frozenset(terms.audience),
        sum(1 << (day - 1) for day in set(terms.weekdays)) or EVERY_DAY,
        _minutes(terms),
        max(
            terms.holds_from.toordinal() if terms.holds_from else FIRST, since.toordinal() if since else FIRST
        ),
        terms.holds_until.toordinal() if terms.holds_until else LAST,
        values,
    )


def _allowed(rule: Rule, regions: Collection[str]) -> Iterable[tuple[str, Values]]:
    terms = rule.terms
    if terms.amounts:
        most = LARGEST_NUMBER if terms.up_to is None else terms.up_to
        yield AMOUNT, _between(0 if terms.over is None else max(0, terms.over + 1), most)
        yield CURRENCY, _texts((terms.currency,))
    if terms.most is not None:
        yield COUNT, _between(0, terms.most)
    if terms.failure:
        yield FAILURE, _texts((terms.failure,))
    if regions:
        yield REGION, _texts(regions)
    for one in terms.tests:
        yield one.attribute, _passing(one)


def _minutes(terms: Terms) -> int:
    if terms.window is None:
        return EVERY_MINUTE
    start, end = terms.window
    before_end, before_start = (1 << end) - 1, (1 << start) - 1
    if start <= end:
        return before_end & ~before_start
    return before_end | (EVERY_MINUTE & ~before_start)


def numeric_attributes(rules: Iterable[Rule]) -> frozenset[str]:
    """Return the attributes that some clause compares as whole numbers."""
    found = set()
    for rule in rules:
        if rule.terms.amounts:
            found.add(AMOUNT)
        if rule.terms.most is not None:
            found.add(COUNT)
        found.update(one.attribute for one in rule.terms.tests if one.how in NUMERIC)
    return frozenset(found)
