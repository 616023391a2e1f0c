"""Clauses of one contract read together: which never apply, which contradict. Pure.

If several clauses cover a call, the strictest counts (`policy`). A clause therefore decides nothing if another clause
is stricter on all of its calls. Two clauses can never be met if they ask different people and no one may answer both.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from governance.contracts.call_sets import (
    Calls,
    calls_of,
    certainly_apart,
    certainly_common,
    numeric_attributes,
)
from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import ASK, ASKED, REGION, problems
from governance.contracts.wording import APPROVERS, listed


@dataclass(frozen=True)
class Gap:
    """One thing that is missing or wrong: in words, how to fix it, in which clauses, and whether it bars signing."""

    code: str
    words: str
    fix: str
    numbers: tuple[int, ...] = ()
    blocking: bool = True


def clauses_in_words(numbers: Iterable[int]) -> str:
    """Clauses by their numbers, in words."""
    named = [str(number) for number in sorted(set(numbers))]
    return f"clause{'' if len(named) == 1 else 's'} {listed(named)}"


def ending(subjects: Collection[object]) -> str:
    """Return the ending of a verb."""
    return "s" if len(subjects) == 1 else ""


def begun(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def roles_in_words(keys: Iterable[str], link: str) -> str:
    """Roles as people call them."""
    return listed([APPROVERS.get(key, key) for key in sorted(keys)], link)


def asks(rule: Rule) -> bool:
    """Return True if the clause asks a person."""
    return rule.kind == "human_approval" or (rule.kind == "edge_policy" and rule.terms.then == ASK)


@dataclass(frozen=True, eq=False, slots=True)
class _Read:
    """A clause with its calls, what it does, and the people who accepted the roles that may approve.

    `calls` have all that the clause compares. `restricts` has the calls that the clause forbids or asks about, also if
    something is missing. It is None if the clause only permits.
    """

    rule: Rule
    number: int
    action: str
    failure: str
    calls: Calls
    restricts: Calls | None
    edge: bool
    asks: bool
    refuses: bool
    approvers: frozenset[str]
    minutes: int
    four_eyes: bool
    people: Mapping[str, str]


def _read(rule: Rule, numeric: Collection[str], roles: Mapping[str, str], on: date) -> _Read:
    terms, edge, asking = rule.terms, rule.kind == "edge_policy", asks(rule)
    return _Read(
        rule,
        rule.number,
        terms.action,
        terms.failure,
        calls_of(rule, numeric, since=on),
        calls_of(rule, numeric, since=on, restricts=True) if edge or asking else None,
        edge,
        asking,
        edge and not asking,
        frozenset(terms.approvers),
        terms.minutes or 0,
        terms.four_eyes,
        {role: roles[role] for role in terms.approvers if roles.get(role)},
    )


def between(rules: Sequence[Rule], roles: Mapping[str, str], on: date) -> list[Gap]:
    """Clauses that never apply from the day `on`, and clauses that say different things of the same call."""
    bounds = {
        kind: sorted({one for rule in rules if rule.kind == kind for one in getattr(rule.terms, part)})
        for kind, part in (("audience", "audience"), ("residency", "regions"))
    }
    numeric = numeric_attributes(rules)
    read, found = [], []
    for rule in rules:
        over = rule.terms.holds_until and rule.terms.holds_until < on  # said by its dates
        if rule.kind not in ASKED or over or problems(rule.kind, rule.terms) or not _says_enough(rule):
            continue
        one = _read(rule, numeric, roles, on)
        never = _never(one, bounds, numeric, on)
        found += [never] if never else []
        if not (never and never.blocking):
            read.append(one)
    covered, gone = _covered(read)
    left = [one for one in read if one not in gone]
    return found + covered + _contradictions(left, bounds["audience"])


def _says_enough(rule: Rule) -> bool:
    if asks(rule) and not (rule.terms.approvers and rule.terms.minutes):
        return False
    if rule.kind == "edge_policy":
        return bool(rule.terms.then and (rule.terms.failure or rule.terms.tests))
    return bool(rule.terms.action)


def _never(one: _Read, bounds: Mapping[str, list[str]], numeric: frozenset[str], on: date) -> Gap | None:
    """Why no call can meet the clause, if none can."""
    name, number, audience = f"Clause {one.number}", (one.number,), one.rule.terms.audience
    if one.calls.nothing:
        words = f"{name} never applies, because its conditions exclude each other."
        if one.restricts and not one.restricts.nothing:
            words = f"The conditions of clause {one.number} exclude each other, so no complete call meets the clause."
        return Gap(
            "never_applies",
            words,
            "Remove or change one of its amounts, days or conditions.",
            number,
        )
    regions = bounds["residency"] if REGION in one.calls.values else ()
    if regions and calls_of(one.rule, numeric, regions, since=on).nothing:
        return Gap(
            "outside_residency",
            f"{name} never applies, because the contract allows no data in its region.",
            "Change the region of the clause, or change the clause about the regions where data may go.",
            number,
        )
    if not certainly_common(audience, bounds["audience"]):
        apart = certainly_apart(audience, bounds["audience"])
        return Gap(
            "outside_audience",
            f"{name} is for {listed(list(audience))}, but the contract is only for "
            f"{listed(bounds['audience'])}.",
            "Add the groups of this clause to the groups of the contract, or change the groups of this "
            "clause.",
            number,
            blocking=apart,
        )
    return None


def _covered(read: Sequence[_Read]) -> tuple[list[Gap], set[_Read]]:
    """Clauses that decide nothing because another one speaks for all their calls, and those clauses themselves."""
    alike = defaultdict(list)
    for one in read:
        alike[one.action, one.calls.resource].append(one)
    found, gone = [], set()
    for one in read:
        acts, things = dict.fromkeys((one.action, "")), dict.fromkeys((one.calls.resource, ""))
        for other in (other for act in acts for thing in things for other in alike.get((act, thing), ())):
            if other is one or other in gone or not _no_laxer(other, one) or not _inside(one, other):
                continue
            same = other.calls.within(one.calls)
            equal = _no_laxer(one, other)
            if same and equal and one.number < other.number:
                continue  # the later one repeats the earlier
            found.append(_cover(one, other, same, equal))
            gone.add(one)
            break
    return found, gone


def _inside(one: _Read, other: _Read) -> bool:
    """Return True if `other` speaks for all calls that `one` permits, and restricts all that `one` restricts."""
    if one.restricts and not (other.restricts and one.restricts.within(other.restricts)):
        return False
    if other.refuses and other.restricts:
        return one.calls.within(other.restricts)
    return one.calls.within(other.calls)


def _no_laxer(other: _Read, one: _Read) -> bool:
    """Whether, where both speak, `one` changes nothing beside `other`."""
    if other.refuses:
        return True
    if one.refuses or one.edge != other.edge or (one.failure and not other.failure):
        return False  # a failure that no clause names is refused, so naming it is something
    if not one.asks:
        return True
    if not other.asks:
        return False
    return (
        other.approvers <= one.approvers and other.minutes <= one.minutes and other.four_eyes >= one.four_eyes
    )


def _cover(one: _Read, other: _Read, same: bool, equal: bool) -> Gap:
    numbers = tuple(sorted((one.number, other.number)))
    if equal:
        return Gap(
            "repeats",
            f"Clause {one.number} repeats clause {other.number}.",
            f"Remove clause {one.number}, or change the calls that it covers.",
            numbers,
            blocking=False,
        )
    stricter = "refuses the call" if other.refuses else "asks a person"
    if (same and one.rule.kind != other.rule.kind) or (
        one.edge and one.action == other.action and other.refuses
    ):
        return Gap(
            "contradiction",
            f"Clauses {numbers[0]} and {numbers[1]} contradict each other for the same call. Clause "
            f"{other.number} {stricter}, so clause {one.number} never applies.",
            "Remove one of the two clauses, or limit each clause to different calls.",
            numbers,
        )
    if one.asks and other.asks:
        stricter = "asks more strictly"
    return Gap(
        "unreachable",
        f"Clause {one.number} never applies, because clause {other.number} covers all its calls and "
        f"{stricter}.",
        f"Remove clause {one.number}, or limit clause {other.number} to fewer calls.",
        numbers,
    )


def _contradictions(read: Sequence[_Read], audience: Sequence[str]) -> list[Gap]:
    """Return a gap for clauses that ask for the same call, if no one may answer both."""
    asking, refusing, found = defaultdict(list), defaultdict(list), []
    for one in read:
        if one.asks:
            asking[one.action].append(one)
        elif one.restricts:
            refusing[one.failure].append(one.restricts)
    at_odds: defaultdict[_Read, dict[_Read, bool]] = defaultdict(dict)  # by both, in the order found
    nobody: dict[tuple[frozenset[str], bool, frozenset[str], bool], tuple[str, str] | None] = {}
    every = [one for group in asking.values() for one in group]
    for one in every:
        action = one.action
        for other in (*asking[action], *asking[""]) if action else asking[""]:
            if one.number >= other.number and bool(action) == bool(other.action):
                continue  # each pair once
            if one.failure and other.failure and one.failure != other.failure:
                continue
            pair = one.approvers, one.four_eyes, other.approvers, other.four_eyes
            if pair not in nobody:
                nobody[pair] = _nobody_for_both(one, other)
            if nobody[pair] and _meet(one, other, audience, refusing):
                at_odds[one][other] = at_odds[other][one] = True
    while any(at_odds.values()):
        one = max(at_odds, key=lambda one: (len(at_odds[one]), one.number))
        others: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for other in at_odds.pop(one):
            if why := _nobody_for_both(one, other):
                others[why].add(other.number)
            del at_odds[other][one]
        found += [_at_odds(one.number, *words, numbers) for words, numbers in others.items()]
    return found


def _at_odds(number: int, why: str, fix: str, others: set[int]) -> Gap:
    words = f"Clause {number} and {clauses_in_words(others)} ask for approval of the same call, {why}."
    return Gap("contradiction", words, fix, tuple(sorted({number, *others})))


def _nobody_for_both(one: _Read, other: _Read) -> tuple[str, str] | None:
    """Return why no one could approve a call for both clauses, with the fix, or None."""
    both = one.approvers & other.approvers
    if not both:
        return (
            (
                f"but no role may answer for both: one asks {roles_in_words(one.approvers, 'or')}, and one "
                f"asks {roles_in_words(other.approvers, 'or')}"
            ),
            "Name at least one common role in these clauses, or limit each clause to different calls.",
        )
    if both in (one.approvers, other.approvers) and one.four_eyes == other.four_eyes:
        return None
    people = {one.people[role] for role in both if role in one.people}
    if not people and one.people and other.people:
        return (
            f"but no one has accepted to be {roles_in_words(both, 'or')}, who must answer for both",
            "Ask someone to accept this role, or name a different common role in these clauses.",
        )
    short = [each for each in (one, other) if each.four_eyes and len(set(each.people.values())) < 2]
    if len(people) == 1 and not short and (one.four_eyes or other.four_eyes):
        return (
            f"but two people must approve, and only {listed(sorted(people))} may approve for both",
            "Name two common roles of two different people in these clauses.",
        )
    return None


def _meet(one: _Read, other: _Read, audience: Sequence[str], refusing: Mapping[str, list[Calls]]) -> bool:
    """Return True if both clauses certainly ask for some call that is not refused."""
    failures = dict.fromkeys((one.failure, other.failure, ""))
    for stated, restricted in ((one.calls, other.restricts), (other.calls, one.restricts)):
        both = stated.shared(restricted) if restricted else None
        if both is None or not certainly_common(both.audience, audience):
            continue
        if not any(both.within(calls) for failure in failures for calls in refusing.get(failure, ())):
            return True
    return False
