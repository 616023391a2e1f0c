"""Clauses as sentences that can be read aloud in a board, and two versions compared in sentences. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher

from governance.contracts.clauses import (
    AMOUNT,
    ASK,
    COMPARISONS,
    COUNT,
    CURRENCY,
    DAY_MINUTES,
    FAILURES,
    GROUPS,
    WEEKDAYS,
    Terms,
    Test,
)
from governance.vocabulary.currencies import digits_of, wrong_amount, wrong_currency

APPROVERS = {
    "owner": "the business owner",
    "deputy": "the deputy owner",
    "support_owner": "the support owner",
    "technical_lead": "the technical lead",
    "data_steward": "the data steward",
    "sponsor": "the sponsor",
    "record_owner": "the record owner",
}


def sentence(kind: str, terms: Terms, words: Mapping[str, str]) -> str:
    """The clause as one sentence; `words` gives the words for keys of the contract's vocabulary.

    Empty where the terms say too little for one: of such kinds the owner writes the sentence.
    """
    make = _SENTENCES.get(kind)
    said = make(terms, words) if make else ""
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _autonomy(terms: Terms, words: Mapping[str, str]) -> str:
    return (
        f"{_when(terms)}it may {_act(terms, words)} on its own{_bounds(terms, words)}" if terms.action else ""
    )


def _human_approval(terms: Terms, words: Mapping[str, str]) -> str:
    return _asking(terms, words) if terms.action else ""


def _edge_policy(terms: Terms, words: Mapping[str, str]) -> str:
    if not (terms.then and (terms.failure or terms.tests)):
        return ""
    if terms.then == ASK:
        return _asking(terms, words)
    act = f"does not {_act(terms, words)}" if terms.action else "does nothing"
    if terms.resource and not terms.action:
        act = f"{act} with {words.get(terms.resource, terms.resource)}"
    return f"{_when(terms)}it {act}{_bounds(terms, words)}"


def _asking(terms: Terms, words: Mapping[str, str]) -> str:
    return (
        f"{_when(terms)}it may {_act(terms, words)}{_bounds(terms, words)}, but only after {_approval(terms)}"
    )


def _when(terms: Terms) -> str:
    return f"when {FAILURES.get(terms.failure, terms.failure)}, " if terms.failure else ""


def _record_owner(terms: Terms, words: Mapping[str, str]) -> str:
    return "the record owner of this initiative owns the change log and the audit trail"


def _audience(terms: Terms, words: Mapping[str, str]) -> str:
    return f"it works for {_people(terms.audience, words)} and for nobody else" if terms.audience else ""


def _retention(terms: Terms, words: Mapping[str, str]) -> str:
    return f"records of what it does are kept for {terms.days} days" if terms.days else ""


def _residency(terms: Terms, words: Mapping[str, str]) -> str:
    return f"its data go to {listed(list(terms.regions))} and to no other place" if terms.regions else ""


_SENTENCES = {
    "autonomy": _autonomy,
    "human_approval": _human_approval,
    "edge_policy": _edge_policy,
    "record_owner": _record_owner,
    "audience": _audience,
    "retention": _retention,
    "residency": _residency,
}


def _act(terms: Terms, words: Mapping[str, str]) -> str:
    act = words.get(terms.action, terms.action) or "act"
    return f"{act} on {words.get(terms.resource, terms.resource)}" if terms.resource else act


def _approval(terms: Terms) -> str:
    names = [APPROVERS.get(role, role) for role in terms.approvers]
    who = listed(names, "and" if terms.four_eyes else "or") or "a person still to be named"
    time = f" within {duration(terms.minutes)}" if terms.minutes else ", for which no time is set"
    if terms.four_eyes:
        return f"two of these people approved it{time}: {who}"
    return f"{who} approved it{time}"


def _bounds(terms: Terms, words: Mapping[str, str]) -> str:
    parts = [said for _, said in limits(terms, words)]
    return f", {', '.join(parts)}" if parts else ""


def limits(terms: Terms, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield everything that narrows an act, in the order in which people say it: the part of the terms, and its words.

    The parts are those of `cedar_policies`.
    """
    if terms.audience:
        yield "audience", f"for {_people(terms.audience, words)}"
    if terms.amounts:
        yield "amounts", _amounts(terms)
    if terms.most is not None:
        yield "most", "one at a time" if terms.most == 1 else f"at most {terms.most} at a time"
    if terms.weekdays:
        yield "when", _weekdays(terms.weekdays)
    if terms.window:
        start, end = terms.window
        next_day = " of the next day" if terms.past_midnight else ""
        yield "when", f"between {clock_time(start)} and {clock_time(end)}{next_day}"
    if terms.holds_from:
        yield "when", f"from {terms.holds_from:%-d %B %Y} on"
    if terms.holds_until:
        yield "when", f"until {terms.holds_until:%-d %B %Y}"
    if terms.tests:
        yield "tests", f"if {listed([_test(one, words) for one in terms.tests])}"


def without(kind: str, terms: Terms) -> str:
    """Return the sentence about a call that lacks what a restricting clause compares, or "" if nothing can be left out.

    Left out is also a value of another type (`cedar_policies`).
    """
    if kind not in ("edge_policy", "human_approval") or not terms.compared:
        return ""
    if kind == "human_approval":
        then = "the call is denied unless another clause allows it, and a person must approve it"
    else:
        then = "a person must approve the call" if terms.then == ASK else "the call is denied"
    return f"If the system does not send {listed([_left_out(*one) for one in terms.compared], 'or')}, {then}."


def _left_out(attribute: str, kind: str) -> str:
    known = {
        AMOUNT: "the amount",
        CURRENCY: "the currency",
        COUNT: "the number at a time",
        GROUPS: "the groups of who asks",
    }
    part, _, name = attribute.partition(".")
    return f"{known.get(attribute) or _attribute(part, name)} (as {kind})"


def _people(audience: Sequence[str], words: Mapping[str, str]) -> str:
    return listed([words.get(one, one) for one in audience])


def _amounts(terms: Terms) -> str:
    bounds = (("above", terms.over), ("up to", terms.up_to))
    return " and ".join(
        f"{word} {money(bound, terms.currency)}" for word, bound in bounds if bound is not None
    )


def _weekdays(days: Sequence[int]) -> str:
    days = sorted(set(days))
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{WEEKDAYS[days[0] - 1]} to {WEEKDAYS[days[-1] - 1]}"
    return f"on {listed([WEEKDAYS[day - 1] for day in days])}"


def _test(one: Test, words: Mapping[str, str]) -> str:
    value = (
        listed([_value(v) for v in one.value], "or") if isinstance(one.value, tuple) else _value(one.value)
    )
    return f"{_attribute(one.of, one.name)} {COMPARISONS[one.how]} {value}"


def _attribute(part: str, name: str) -> str:
    of = {"subject": "of who asks", "resource": "of the thing", "action": "of the act"}.get(part, "")
    return " ".join(filter(None, ["the", name.replace("_", " "), of]))


def _value(value: str | int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else f"“{value}”"


def listed(words: Sequence[str], link: str = "and") -> str:
    """Words as people list them: "a, b and c"."""
    return f"{', '.join(words[:-1])} {link} {words[-1]}" if len(words) > 1 else "".join(words)


def clock_time(minute: int) -> str:
    """A minute of the day as 09:30; its end as 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def money(amount: int, currency: str) -> str:
    """Minor units as an amount with its currency: 5000 and EUR as "50.00 EUR"."""
    return f"{major_units(amount, currency)} {currency}"


def major_units(amount: int, currency: str) -> str:
    """Minor units as people type the amount: 5000 and EUR as "50.00"."""
    digits = digits_of(currency)
    if not digits:
        return str(amount)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d}"


def minor_units(amount: Decimal, currency: str) -> int:
    """What people typed, in minor units: 50.00 and EUR as 5000.

    Raises ValueError with what to type for an unknown currency, and for more decimals than it has.
    """
    if wrong := wrong_currency(currency) or wrong_amount(amount, currency, as_typed=True):
        raise ValueError(wrong)
    return int(amount.scaleb(digits_of(currency)))


def duration(minutes: int) -> str:
    """Minutes in the largest unit that leaves nothing over: "2 hours", "45 minutes"."""
    size, one = next(
        (size, one)
        for size, one in ((DAY_MINUTES, "day"), (60, "hour"), (1, "minute"))
        if minutes % size == 0
    )
    count = minutes // size
    return f"{count} {one}{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Change:
    """One clause that came (`before` is empty), went (`after` is empty), or reads otherwise than before."""

    number: int
    before: str
    after: str


def differences(old: Sequence[tuple[int, str]], new: Sequence[tuple[int, str]]) -> list[Change]:
    """What changed between two versions, in sentences: (number of the clause, sentence) of each, by number."""
    before, after = dict(old), dict(new)
    return [
        Change(number, before.get(number, ""), after.get(number, ""))
        for number in sorted(before.keys() | after.keys())
        if before.get(number) != after.get(number)
    ]


@dataclass(frozen=True)
class Piece:
    """Some words of a sentence that changed: `how` is "same", "gone" or "new"."""

    how: str
    words: str


def marked(before: str, after: str) -> list[Piece]:
    """The sentence as it reads now, with the words that came and those that went, in the order of reading."""
    old, new = before.split(), after.split()
    found = []
    for how, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            found.append(Piece("same", " ".join(new[k:m])))
            continue
        if j > i:
            found.append(Piece("gone", " ".join(old[i:j])))
        if m > k:
            found.append(Piece("new", " ".join(new[k:m])))
    return found


def role_words(roles: Iterable[str]) -> str:
    """Roles as people list them: "the owner or the support owner"."""
    return listed([APPROVERS.get(role, role) for role in roles], "or")
