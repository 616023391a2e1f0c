"""What a text says: its concepts, what is negated, left out, counted by, and how much of what."""

import functools
from dataclasses import dataclass, field

from initiatives.disagreeing import lexicon
from initiatives.disagreeing.lexicon import words
from initiatives.disagreeing.vocabulary import (
    ALL,
    CONCEPTS,
    ENDS_OF_CLAUSE,
    GENERIC,
    KIND_OF,
    KNOWN,
    LONGEST,
    NOT_COUNTED,
    NUMBERS,
    ONLY,
    PER,
    SIDES,
    SMALL,
    parts,
    stem,
    words_of,
)

# Units of time in one another, so that two years are twenty-four months, and ninety days about three of them.
SPANS = {
    "year": ("date", 360),
    "quarter": ("date", 90),
    "month": ("date", 30),
    "week": ("date", 7),
    "minute": ("second", 60),
    "hour": ("second", 3600),
}
ROUNDED = {365: 360, 366: 360, 730: 720, 180.5: 180, 91: 90, 31: 30, 24 * 3600: 1}
MEASURES = {
    "second",
    "month",
    "year",
    "quarter",
    "week",
    "date",
    "hour",
    "minute",
    "percent",
    "working_day",
    "calendar_day",
}

NOT = words("""
not no non without excluding excl exclude excludes excluded except exkl ohne nicht kein keine keinen
ausser sans sauf hors never nie jamais unless ex minus less moins abzuglich
""")
LEFT_OUT = words("""
excluded out omitted deduite deduites deduits soustrait soustraite subtract exclu
ignored skipped ausgeschlossen ausgenommen exclus exclue exclues raus disregarded
subtracted purged dropped removed deducted abgezogen deduit netted
""")
LEFT_OUT_FIRMLY = words("""
without excluding excl exclude excludes except exkl ohne ausser sans sauf hors
""")
TAKEN_IN = words("""
including incl includes include included inkl einschliesslich inklusive plus inclus compris comprise
comprises along mitgezahlt
""")
# The words before the two moments between which something is measured; of a difference the later one comes first.
BETWEEN = (
    ("from", "to"),
    ("between", "and"),
    ("von", "bis"),
    ("zwischen", "und"),
    ("de", "a"),
    ("entre", "et"),
    ("", "minus"),
    ("since", "until"),
)
# Words that make a figure a threshold, and words that make a broken number a weight.
LIMITS = words("""
under over below above than least most minimum min maximum max up unter uber ab mindestens hochstens bis
wenigstens mehr weniger moins plus partir minimum maximum older younger more less exceeding exceeds
""")
WEIGHING = words("""
count counts counted weight weighted weighs factor share zahlt zahlen gewichtet faktor anteilig compte
coefficient pondere times equals
""")
# Questions whose sides stay what they are under a "not": no tenancy on the key day.
UNDENIED = ("at one moment or over a time",)
# Before a unit of time: one of it ("in the last quarter").
ONE_SPAN = words("a an last past previous vergangenen letzten dernier derniere")
COUNTED = [
    [word]
    for word in [
        "counted",
        "included",
        "contained",
        "considered",
        "mitgezahlt",
        "gezahlt",
        "enthalten",
        "compris",
        "comptes",
        "counting",
    ]
]
NOT_AT_ALL = (["not"], ["nicht"], ["non"])
DEDUCTED = {"discount", "deduct", "return", "credit_note", "cancel"}
ENDS_OF_GRAIN = words("""
on of with for in at by from that who which whatever whichever den im mit von de du sur whether where
""")
# What is not one of these is the other.
OPPOSITES = {
    "expiry": "active",
    "dormant": "active",
    "terminate": "active",
    "close": "pending",
    "pay": "pending",
}


@dataclass(frozen=True)
class Token:
    """One concept of a text, where it stands, and whether it is denied there."""

    concept: str
    at: int
    denied: bool
    known: bool


@dataclass
class Said:
    """What a text says: its concepts in order, what is counted, what is in, what is out, how much of what."""

    words: list[str]
    tokens: list[Token] = field(default_factory=list)
    per: set[str] = field(default_factory=set)
    taken_in: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    firm: bool = False
    numbers: dict[str, set[float]] = field(default_factory=dict)
    sides: dict[str, set[str]] = field(default_factory=dict)
    figures: set[float] = field(default_factory=set)
    only: set[str] = field(default_factory=set)
    all_of_it: bool = False
    ends: tuple[frozenset, frozenset] | None = None
    limits: set[float] = field(default_factory=set)
    measures: set[str] = field(default_factory=set)
    phrases: list[list[str]] = field(default_factory=list)
    weights: set[float] = field(default_factory=set)
    of_sides: dict[str, set[str]] = field(default_factory=dict)

    @property
    def concepts(self) -> set[str]:
        """Everything it speaks of but what says nothing by itself."""
        found = {
            OPPOSITES.get(token.concept, token.concept) if token.denied else token.concept
            for token in self.tokens
        }
        return (found - GENERIC) or found

    @property
    def stated(self) -> set[str]:
        """What it speaks of without denying it."""
        return {token.concept for token in self.tokens if not token.denied} - GENERIC

    @property
    def denied(self) -> set[str]:
        """What it denies, and nowhere states."""
        return {token.concept for token in self.tokens if token.denied} - GENERIC - self.stated

    @property
    def known(self) -> bool:
        """Whether the lexicon knows any of its words."""
        return any(token.known for token in self.tokens)


def counted_thing(text: Said) -> str:
    """Of what it is a number: "number of orders"; empty where it does not say."""
    for at, word in enumerate(text.words):
        if word in ("number", "count", "anzahl", "nombre", "no"):
            return next(
                (token.concept for token in text.tokens if at < token.at <= at + 3 and token.known), ""
            )
    return ""


@functools.lru_cache(maxsize=4_000)
def said(text: str) -> Said:
    """What a text says. Nothing is kept of it but its words."""
    words = words_of(text)
    found = Said(words)
    _take_concepts(found)
    _take_groups(found)
    _take_numbers(found)
    stems = [stem(word) for word in words]
    for side, phrases in SIDES.items():
        values, taken = set(), set()
        for length in range(5, 0, -1):
            for at in range(len(stems) - length + 1):
                value = phrases.get(tuple(stems[at : at + length]))
                if value and not taken & set(range(at, at + length)):
                    taken |= set(range(at, at + length))
                    if value == "last" and _of_time(words, at + length):
                        continue
                    if side in UNDENIED or not _denied(words, at):
                        values.add(value)
        if values:
            found.sides[side] = values
            found.of_sides[side] = {token.concept for token in found.tokens if token.at in taken}
    return found


def _of_time(words: list[str], at: int) -> bool:
    """Whether a span of time stands there: in "the last 12 months" nothing is the last of several."""
    following = words[at : at + 1]
    return bool(following) and (following[0][0].isdigit() or parts(following[0])[0] in {*SPANS, "date"})


def _denied(words: list[str], at: int) -> bool:
    """Whether the word is under a "not" of its clause, or said to be left out after it."""
    for back in range(at - 1, max(at - 5, -1), -1):
        if words[back] in ENDS_OF_CLAUSE or words[back] in PER or words[back] in TAKEN_IN:
            break
        if words[back] in NOT or (words[back] == "net" and words[back + 1] == "of"):
            return True
    for ahead in range(at + 1, min(at + 6, len(words))):
        if words[ahead] in ("and", "und", "et") and words[ahead + 1 : ahead + 2] in NOT_AT_ALL:
            return words[ahead + 2 : ahead + 3] in COUNTED
        if words[ahead] in ENDS_OF_CLAUSE or words[ahead] in ("in", "and"):
            break
        if words[ahead] in NOT and words[ahead + 1 : ahead + 2] and words[ahead + 1] in LEFT_OUT:
            return False
        if words[ahead] in LEFT_OUT or (words[ahead] in NOT and words[ahead + 1 : ahead + 2] in COUNTED):
            return True
    return at > 0 and words[at - 1] in ("after", "nach", "apres") and bool(DEDUCTED & set(parts(words[at])))


def _take_concepts(found: Said) -> None:
    words, at = found.words, 0
    stems = [stem(word) for word in words]
    while at < len(words):
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            concept = CONCEPTS.get(tuple(stems[at : at + length]))
            if concept and (length > 1 or not (_silent(words, at) or words[at] in SMALL)):
                found.tokens.append(Token(concept, at, _denied(words, at), True))
                at += length
                break
        else:
            word = words[at]
            if word[0].isalpha() and word not in lexicon.STOP_WORDS and not _silent(words, at):
                for part in parts(word):
                    known = part in KIND_OF or part in KNOWN
                    if known or len(part) > 1:
                        found.tokens.append(Token(part, at, _denied(words, at), known))
            at += 1


def _silent(words: list[str], at: int) -> bool:
    """Whether the word only says what is in or out, and is no concept itself."""
    word = words[at]
    if words[at + 1 : at + 3] in (["or", "not"], ["oder", "nicht"], ["ou", "non"]):
        return True
    return word in NOT | LEFT_OUT | TAKEN_IN or (word == "net" and words[at + 1 : at + 2] == ["of"])


def _take_groups(found: Said) -> None:
    """What it counts by ("one per contract and site", "couples share one"), what it takes in and what it leaves out."""
    words, tokens = found.words, list(found.tokens)
    for at, word in enumerate(words):
        if word in PER:
            end = next((k for k in range(at + 2, len(words)) if words[k] in ENDS_OF_GRAIN), len(words))
            found.per |= _following(words, tokens, at, min(6, end - at))
        if word in ("share", "are", "is", "teilen", "count", "counts", "zahlen") and words[
            at + 1 : at + 2
        ] == ["one"]:
            found.per |= {token.concept for token in tokens if at - 2 <= token.at < at}
        if word in TAKEN_IN or (
            word in ("in", "drin") and (at + 1 == len(words) or words[at + 1] in ENDS_OF_CLAUSE)
        ):
            found.taken_in |= _following(words, tokens, at, 6) or _before(words, tokens, at)
    found.only = _only(words, tokens)
    found.all_of_it = bool(ALL & set(words))
    found.ends = _ends(words, tokens)
    found.left_out |= {token.concept for token in tokens if token.denied}
    found.phrases = _phrases_denied(tokens)
    found.firm = any(word in LEFT_OUT_FIRMLY for word in words) or any(
        word in LEFT_OUT and at for at, word in enumerate(words)
    )


def _phrases_denied(tokens) -> list[list[str]]:
    """What is left out, phrase by phrase: of "cancelled orders" the orders are not, but for the cancelled ones."""
    found: list[list[str]] = []
    last = None
    for token in tokens:
        if not token.denied:
            last = None
            continue
        if last is not None and token.at - last <= 2:
            found[-1].append(token.concept)
        else:
            found.append([token.concept])
        last = token.at
    return found


def _only(words, tokens) -> set[str]:
    """What it is limited to: "only active ones", "inpatients only"."""
    limited: set[str] = set()
    for at, word in enumerate(words):
        if word in ONLY:
            last = at + 1 == len(words) or words[at + 1] in ENDS_OF_CLAUSE
            limited |= _before(words, tokens, at) if last else _following(words, tokens, at, 3)
    return limited


def _ends(words, tokens) -> tuple[frozenset, frozenset] | None:
    """Between which two moments it is measured: from order to delivery, between the two, one minus the other."""
    for first, second in BETWEEN:
        swapped = not first
        start = words.index(first) if first in words else -1 if not first else None
        if start is None or second not in words[start + 1 :]:
            continue
        middle = words.index(second, start + 1)
        one = frozenset(token.concept for token in tokens if start < token.at < middle) - {"date"}
        other = frozenset(token.concept for token in tokens if middle < token.at <= middle + 5) - {"date"}
        if one and other:
            return (other, one) if swapped else (one, other)
    return None


def _following(words, tokens, at: int, reach: int) -> set[str]:
    """The concepts after a word, to the end of its clause."""
    end = next(
        (k for k in range(at + 1, min(at + reach + 1, len(words))) if words[k] in ENDS_OF_CLAUSE), at + reach
    )
    return {token.concept for token in tokens if at < token.at < end and token.concept not in NOT_COUNTED}


def _before(words, tokens, at: int) -> set[str]:
    return {token.concept for token in tokens if at - 3 <= token.at < at and "," not in words[token.at : at]}


def _take_numbers(found: Said) -> None:
    """Figures with their measure: spans of time and shares; thresholds, by whatever follows them."""
    words = found.words
    for at, word in enumerate(words):
        number = NUMBERS.get(word) if not word[0].isdigit() else float(word.replace(",", "."))
        if number is not None and 0 < number < 1 and WEIGHING & set(words):
            found.weights.add(number)
        after = [token.concept for token in found.tokens if at < token.at <= at + 2]
        following = next((token.concept for token in found.tokens if token.at == at + 1), "")
        if number is None and word in ONE_SPAN and following in SPANS:
            number = 1
        if word == "the" and words[at - 1 : at] in (["in"], ["within"]) and following in SPANS:
            number = 1
        if number is None or (number == 1 and not set(after[:2]) & MEASURES):
            continue
        if number > 1:
            found.figures.add(number)
            if LIMITS & set(words[max(0, at - 3) : at]) or LIMITS & set(words[at + 1 : at + 4]):
                found.limits.add(number)
        if words[at + 1 : at + 2] == ["%"]:
            after = ["percent"]
        measure = next((one for one in after if one in MEASURES), None)
        if measure is None:
            continue
        found.measures.add(measure)
        base, times = SPANS.get(measure, (measure, 1))
        found.numbers.setdefault(base, set()).add(ROUNDED.get(number * times, number * times))
