"""The calls of a clause as a set: common calls of two clauses, and containment. Pure.

A clause has two sets: the calls that it permits, which have all that it compares, and the calls that it restricts,
which may lack some of that (`cedar_policies`). The set is exact in each thing that a clause looks at. Without certainty
it reports nothing. Two groups may share a member or not, so clauses for different groups count neither as overlapping
nor as apart.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from governance.contracts.cedar_policies import LARGEST_NUMBER, Rule
from governance.contracts.clauses import (
    AMOUNT,
    COUNT,
    CURRENCY,
    DAY_MINUTES,
    FAILURE,
    NUMBER,
    NUMERIC,
    REGION,
    RESOURCE_ID,
    TEXT,
    TRUTH,
    Terms,
    Test,
)

WEEK = 7 * DAY_MINUTES
EVERY_MINUTE = (1 << WEEK) - 1
# The first and the last minute that a date names, counted from the first minute of day 0 of the calendar.
FIRST, LAST = date.min.toordinal() * DAY_MINUTES, (date.max.toordinal() + 1) * DAY_MINUTES - 1
_BOTH: frozenset[bool] = frozenset((True, False))
_NEITHER: frozenset[bool] = frozenset()


@dataclass(frozen=True, slots=True)
class Values:
    """The values that an attribute may have. A truth is never a number, as in the engine.

    `low` and `high` bound whole numbers. `texts` are allowed texts, None allows any. `without` lists excluded values.
    With `missing`, a call may lack the attribute.
    """

    low: int = -LARGEST_NUMBER
    high: int = LARGEST_NUMBER
    texts: frozenset[str] | None = None
    truths: frozenset[bool] = _BOTH
    without: frozenset[int | str] = frozenset()
    missing: bool = True

    @property
    def nothing(self) -> bool:
        """Return True if no value is left, and the attribute may not be missing."""
        return (
            self.low > self.high
            and not self.truths
            and self.texts is not None
            and not self.texts
            and not self.missing
        )

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
            self.missing and other.missing,
        )

    def within(self, other: "Values") -> bool:
        """Return True if the other set contains every value of this one."""
        if self.low <= self.high and not (other.low <= self.low and self.high <= other.high):
            return False
        if not self.truths <= other.truths or self.missing > other.missing:
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
    missing: bool,
) -> Values:
    """The same values, with bounds that are themselves among them."""
    while low <= high and low in without:
        low += 1
    while low <= high and high in without:
        high -= 1
    left = None if texts is None else frozenset(text for text in texts if text not in without)
    return Values(low, high, left, truths, without, missing)


NUMBERS = Values(texts=frozenset(), truths=_NEITHER)
_NOTHING = replace(NUMBERS, low=1, high=0, missing=False)


_ANY = Values()


def _texts(values: Iterable[str]) -> Values:
    return replace(_NOTHING, texts=frozenset(values))


def _between(low: int, high: int) -> Values:
    return replace(_NOTHING, low=low, high=high)


def _or_unstated(allowed: Values, kind: str) -> Values:
    """Return these values of one type, all values of other types, and a missing attribute."""
    return Values(
        low=allowed.low if kind == NUMBER else -LARGEST_NUMBER,
        high=allowed.high if kind == NUMBER else LARGEST_NUMBER,
        texts=allowed.texts if kind == TEXT else None,
        truths=allowed.truths if kind == TRUTH else _BOTH,
        without=allowed.without,
    )


def _passing(one: Test) -> Values:
    """The values of the condition's type with which it holds."""
    value, how = one.value, one.how
    if isinstance(value, tuple):  # one of these
        return _texts(value)
    if isinstance(value, bool):
        return replace(_NOTHING, truths=frozenset((value if how == "equals" else not value,)))
    if how == "differs":
        allowed = replace(_NOTHING, texts=None) if isinstance(value, str) else replace(NUMBERS, missing=False)
        return replace(allowed, without=frozenset((value,)))
    if isinstance(value, str):
        return _texts((value,))
    return _between(
        -LARGEST_NUMBER if how == "at_most" else value, LARGEST_NUMBER if how == "at_least" else value
    )


@dataclass(frozen=True, slots=True)
class Calls:
    """A set of calls. Empty `action`, `resource` or `audience` mean any.

    `week` has a bit for each minute of the week, from Monday. `first` and `last` are minutes since day 0.
    """

    action: str = ""
    resource: str = ""
    audience: frozenset[str] = frozenset()
    week: int = EVERY_MINUTE
    first: int = FIRST
    last: int = LAST
    values: Mapping[str, Values] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Return True if the set is empty, because its parts exclude one another."""
        return (
            self.first > self.last
            or not self.week & _week_between(self.first, self.last)
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
            self.week & other.week,
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
        if self.first < other.first or self.last > other.last:
            return False
        if self.week & ~other.week and self.week & _week_between(self.first, self.last) & ~other.week:
            return False
        return all(
            self.values.get(attribute, _ANY).within(allowed) for attribute, allowed in other.values.items()
        )


def certainly_common(one: Collection[str], other: Collection[str]) -> bool:
    """Return True if both audiences certainly mean a common subject."""
    return not one or not other or not frozenset(one).isdisjoint(other)


def certainly_apart(one: Collection[str], other: Collection[str]) -> bool:
    """Return True if both audiences name single subjects only, and share none."""
    return not certainly_common(one, other) and all(":" in name for name in (*one, *other))


def _week_between(first: int, last: int) -> int:
    """The minutes of the week that come between two minutes, both included."""
    if last - first >= WEEK - 1:
        return EVERY_MINUTE
    return _turned(((1 << last - first + 1) - 1) << (first - DAY_MINUTES) % WEEK)  # day 1 is a Monday


def _turned(minutes: int) -> int:
    """The minutes of the week, with those that go past its end at its beginning."""
    return minutes & EVERY_MINUTE | minutes >> WEEK


def calls_of(
    rule: Rule,
    numeric: Collection[str] = (),
    regions: Collection[str] = (),
    since: date | None = None,
    *,
    restricts: bool = False,
) -> Calls:
    """Return the calls that the clause covers from the day `since`, within `regions`.

    Empty `regions` mean any. `numeric` attributes are compared as numbers by some clause, and accept only numbers.
    With `restricts`, calls that lack what the clause compares are among them.
    """
    terms = rule.terms
    values: dict[str, Values] = {}
    for attribute, allowed, without in _allowed(terms, regions):
        if restricts:
            allowed = without
        if attribute in numeric:
            allowed = allowed.shared(NUMBERS)
        values[attribute] = values[attribute].shared(allowed) if attribute in values else allowed
    begin, end = terms.window if terms.past_midnight and terms.window else (0, 0)
    first = terms.holds_from.toordinal() * DAY_MINUTES + begin if terms.holds_from else FIRST
    last = (terms.holds_until.toordinal() + 1) * DAY_MINUTES + end - 1 if terms.holds_until else LAST
    return Calls(
        terms.action,
        terms.resource,
        frozenset(terms.audience),
        _week(terms),
        max(first, since.toordinal() * DAY_MINUTES if since else FIRST),
        last,
        values,
    )


def _allowed(terms: Terms, regions: Collection[str]) -> Iterable[tuple[str, Values, Values]]:
    """Yield each attribute that the clause compares, with the values that are met, and those met or not stated."""
    for attribute, kind, allowed in _compared(terms):
        yield attribute, allowed, _or_unstated(allowed, kind)
    always = [(FAILURE, _texts((terms.failure,)))] if terms.failure else []
    always += [(REGION, _texts(regions))] if regions else []
    for one in terms.tests:
        if one.attribute in (FAILURE, RESOURCE_ID):
            allowed = _passing(one)
            # A request without a failure has none, which differs from each.
            without_failure = one.attribute == FAILURE and one.how == "differs"
            always.append((one.attribute, _or_unstated(allowed, one.type) if without_failure else allowed))
    for attribute, allowed in always:
        yield attribute, allowed, allowed


def _compared(terms: Terms) -> Iterable[tuple[str, str, Values]]:
    """Yield each attribute that a request may leave out, with the type and the values that are met."""
    if terms.amounts:
        most = LARGEST_NUMBER if terms.up_to is None else terms.up_to
        yield AMOUNT, NUMBER, _between(0 if terms.over is None else max(0, terms.over + 1), most)
        yield CURRENCY, TEXT, _texts((terms.currency,))
    if terms.most is not None:
        yield COUNT, NUMBER, _between(0, terms.most)
    for one in terms.tests:
        if one.attribute not in (FAILURE, RESOURCE_ID):
            yield one.attribute, one.type, _passing(one)


def _week(terms: Terms) -> int:
    """The minutes of the week, from Monday. A window past midnight belongs to the day on which it begins."""
    start, end = terms.window or (0, DAY_MINUTES)
    length = end - start + (DAY_MINUTES if terms.past_midnight else 0)
    week = 0
    for one in set(terms.weekdays) or range(1, 8):
        week |= _turned(((1 << length) - 1) << (one - 1) * DAY_MINUTES + start)
    return week


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
