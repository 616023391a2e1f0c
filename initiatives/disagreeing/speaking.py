"""What a text says: its concepts and whether each is taken in or left out, its figures, what it is counted by."""

import functools
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from operator import attrgetter

from initiatives.disagreeing import quantities, questions, signs, tables
from initiatives.disagreeing.quantities import Quantity
from initiatives.disagreeing.signs import EITHER, IN, OUT
from initiatives.disagreeing.tables import markers, words
from initiatives.disagreeing.vocabulary import (
    NUMBERS,
    fold,
    generic,
    lexicon,
    parts,
    singular,
    stem,
    words_of,
)

# The words before the two moments between which something is measured; of a difference the later one comes first.
BETWEEN = (("from", "to"), ("from", "until"), ("from", "till"), ("between", "and"), ("von", "bis"),
           ("zwischen", "und"), ("de", "a"), ("entre", "et"), ("from", "end"), ("since", "until"), ("ab", "bis"),
           ("vom", "bis"), ("seit", "bis"), ("du", "au"), ("du", "a"), ("de", "au"),
           ("starts", "ends"), ("", "minus"), ("", "to"), ("", "bis"), ("", "until"))  # fmt: skip
ENDS_OF_GRAIN = words("""
on of with for in at by from that who which whatever whichever den im mit von de du sur whether where if only as when
counted counts during over than
""")
BEFORE, AFTER = words("before prior avant vor"), words("after following apres nach")
# After these a word that is mostly a small one is a thing: the can.
ARTICLES = words("the a an per each every")
STARTING = words(
    "start starts started begins begin beginnt beginning commence runs lauft zahlt counted counts"
)
AT = words("on when at with from by ab mit bei a des once upon")
SINCE = words("from since ab seit depuis partir")
# After a unit at the beginning these say what is measured in it: minutes from start to end.
TOLD_FROM = words("from between since until till to , von ab seit bis depuis entre")
# Kinds of things by whose day something goes.
ANCHORING = ("event", "document", "agreement", "money")
# What makes a share of the rest: one minus the part that stayed.
COMPLEMENTS = (
    ("1", "minus"),
    ("one", "minus"),
    ("100", "minus"),
    ("%", "minus"),
    ("eins", "minus"),
    ("1", "less"),
)
# What limits a thing to one that is known.
SAME = words(
    "same selben gleiche gleichen meme memes selbe gleicher own eigene eigenen eigener eigenes propre propres"
)
# What parts the members of a list.
LISTED = words("and und et or oder ou , + & / nor noch ni plus")


@dataclass(frozen=True)
class Token:
    """One concept of a text: where its words begin and end, whether they are taken in or left out, and outright."""

    concept: str
    at: int
    end: int
    sign: int
    outright: bool
    known: bool


@dataclass
class Said:
    """What a text says, as far as it is understood."""

    words: list[str]
    tokens: list[Token] = field(default_factory=list)
    quantities: list[Quantity] = field(default_factory=list)
    units: dict[str, set[float]] = field(default_factory=dict)
    groups: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    figured: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    complement: bool = False
    same_of: set[str] = field(default_factory=set)
    per: set[str] = field(default_factory=set)
    only: set[str] = field(default_factory=set)
    all_of_it: bool = False
    answers: dict[str, set[str]] = field(default_factory=dict)
    of_answers: dict[str, set[str]] = field(default_factory=dict)
    ends: tuple[frozenset[str], frozenset[str]] | None = None
    ratio: tuple[frozenset[str], frozenset[str]] | None = None
    anchors: set[str] = field(default_factory=set)
    weighted: bool = False
    parts: bool = False
    weights: set[float] = field(default_factory=set)
    any_of: set[str] = field(default_factory=set)
    start: set[str] = field(default_factory=set)
    counted: str = ""
    order: dict[str, str] = field(default_factory=dict)

    @functools.cached_property
    def concepts(self) -> set[str]:
        """Everything it speaks of but what says nothing by itself."""
        found = {opposite(token.concept) if token.sign == OUT else token.concept for token in self.tokens}
        return (found - generic()) or found

    @functools.cached_property
    def stated(self) -> set[str]:
        """What it speaks of without leaving it out."""
        return {token.concept for token in self.tokens if token.sign in (0, IN)} - generic()

    @functools.cached_property
    def left_out(self) -> set[str]:
        """What it leaves out, and nowhere takes in."""
        found = {token.concept for token in self.tokens if token.sign == OUT}
        return found - generic() - self.stated - self.either

    @functools.cached_property
    def either(self) -> set[str]:
        """What it says to be of no matter."""
        return {token.concept for token in self.tokens if token.sign == EITHER} - generic()

    @functools.cached_property
    def taken_in(self) -> set[str]:
        """What it takes in outright: included, counted, added."""
        return {token.concept for token in self.tokens if token.sign == IN and token.outright} - generic()

    def between(self, start: int, end: int) -> set[str]:
        """The concepts whose words begin there."""
        tokens = self.tokens  # in the order of the text
        first, last = (bisect_left(tokens, at, key=attrgetter("at")) for at in (start, end))
        return {token.concept for token in tokens[first:last]}


@functools.cache
def _opposites() -> dict[str, str]:
    pairs = (line.partition(":") for line in tables.lines("opposites"))
    return {one.strip().replace(" ", "_"): other.strip().replace(" ", "_") for one, _, other in pairs}


def opposite(concept: str) -> str:
    """What is named where this is denied; the concept itself where it has no known opposite."""
    return _opposites().get(concept, concept)


@functools.cache
def _openers() -> dict[str, int]:
    """By the first word of phrases of several words, the length of the longest."""
    found: dict[str, int] = {}
    for table in (lexicon().written, lexicon().single, lexicon().stems):
        for key in table:
            if len(key) > 1:
                found[key[0]] = max(found.get(key[0], 1), len(key))
    return found


@functools.lru_cache(maxsize=4_000)
def said(text: str) -> Said:
    """What a text says. Nothing is kept of it but its words."""
    found = Said(words_of(quantities.plain(text)))
    given = signs.signs(found.words)
    _take_concepts(found, given)
    places = {token.at: token.concept for token in found.tokens}
    found.quantities = quantities.quantities(found.words, places)
    found.weights = quantities.weights(found.words)
    _take_units(found)
    for sign, reach in given.groups:
        for phrase, figured in _phrases(found, reach):
            (found.figured if figured else found.groups).append((sign, phrase))
    _take_grain(found)
    _take_ends(found)
    _take_answers(found, given)
    _take_named_answers(found)
    _take_ratio(found)
    _take_anchors(found)
    _take_order(found)
    _take_counted(found)
    _take_start(found)
    found.complement = any(
        tuple(found.words[at : at + 2]) in COMPLEMENTS for at in range(len(found.words) - 1)
    )
    found.parts = any(one.measure == "share" for one in found.quantities) or any(
        re.fullmatch(r"0[.,]\d+", word) for word in found.words
    )
    found.weighted = bool(markers("weighing") & set(found.words)) and any(
        re.fullmatch(r"0[.,]\d+", word) for word in found.words
    )
    return found


def _take_concepts(found: Said, given: signs.Signs) -> None:
    text, at = found.words, 0
    silent = _silent()
    while at < len(text):
        concept, length = _concept(text, at)
        word = text[at]
        article = at and text[at - 1] in ARTICLES
        if length == 1 and (given.marker[at] or (word in silent and not (article and word not in ARTICLES))):
            concept = ""
        if concept and length == 1 and word in generic():
            concept = word
        if concept:
            sign = 0 if length > 1 and given.marker[at] else given.sign[at + length - 1]
            found.tokens.append(Token(concept, at, at + length, sign, given.outright[at], True))
            at += length
            continue
        if word[0].isalpha() and len(word) > 1 and word not in silent and not given.marker[at]:
            for part, known in parts(word):
                found.tokens.append(Token(part, at, at + 1, given.sign[at], given.outright[at], known))
        at += 1


@functools.cache
def _silent() -> frozenset[str]:
    """The words that name nothing by themselves: small ones, figures in words, words that make a figure a limit."""
    return (markers("stop") | markers("limits") | NUMBERS.keys()) - {"second", "seconde"}


def _concept(text: list[str], at: int) -> tuple[str, int]:
    """The concept that the longest known phrase there names, and how many words that is."""
    word = text[at]
    openers = _openers()
    longest = max(openers.get(word, 1), openers.get(singular(word), 1), openers.get(stem(word), 1))
    for length in range(min(longest, len(text) - at), 0, -1):
        concept = lexicon().concept(tuple(text[at : at + length]))
        if concept:
            return concept, length
    return "", 0


def _phrases(found: Said, reach: tuple[int, ...]) -> list[tuple[tuple[str, ...], bool]]:
    """The phrases of a list, each as its concepts, and whether there is a figure in it, which limits what it names."""
    phrases: list[list[Token]] = []
    for token in found.tokens:
        if token.at not in reach:
            continue
        last = phrases[-1][-1] if phrases else None
        if last is None or any(word in LISTED for word in found.words[last.end : token.at]):
            phrases.append([])
        phrases[-1].append(token)
    starts = [phrase[0].at for phrase in phrases] + [max(reach) + 2]
    return [
        (
            tuple(token.concept for token in phrase),
            any(phrase[0].at - 2 <= one.at < end for one in found.quantities),
        )
        for phrase, end in zip(phrases, starts[1:], strict=True)
    ]


def _take_units(found: Said) -> None:
    """The units that it names without a figure: counted in tonnes, kWh."""
    behind = {at for one in found.quantities for at in range(one.at, one.end)}
    anywhere, short = quantities.units()
    for token in found.tokens:
        if token.end - token.at > 1 and token.concept in anywhere and token.at not in behind:
            measure, times = anywhere[token.concept]
            found.units.setdefault(measure, set()).add(times)
            behind |= set(range(token.at, token.end))
    for at, word in enumerate(found.words):
        if at in behind:
            continue
        measure, times = anywhere.get(word, ("", 0.0))
        alone = found.words[at - 1 : at] == ["in"] or (at == len(found.words) - 1 and at > 0)
        if not measure and alone and word in short:
            measure, times = short[word]
        if not measure or measure == "working time" or (measure.startswith("money eur") and times == 1):
            continue
        told = at == 0 and found.words[1:2] and found.words[1] in TOLD_FROM
        if measure == "time" and found.words[at - 1 : at] not in (["in"], ["en"]) and not told:
            continue
        if measure == "share" or (measure == "length" and word in ("in", "foot", "ft", "mi", "nm")):
            continue
        found.units.setdefault(measure, set()).add(times)


def _take_grain(found: Said) -> None:
    """What it counts by ("one per contract and site", "couples share one") and what it is limited to."""
    text = found.words
    for at, word in enumerate(text):
        of_agent = (
            word == "par" and text[at + 1 : at + 2] and text[at + 1] in ("un", "une", "le", "la", "les", "l")
        )
        if word in markers("per") and not of_agent and at + 1 < len(text):
            over = ENDS_OF_GRAIN | markers("clause ends") | {","}
            end = next((k for k in range(at + 2, len(text)) if text[k] in over), len(text))
            found.per |= found.between(at + 1, min(end, at + 6))
        if word in ("share", "are", "is", "teilen", "count", "counts", "zahlen") and (
            text[at + 1 : at + 2] == ["one"] or text[at + 1 : at + 3] == ["as", "one"]
        ):
            found.per |= found.between(max(0, at - 2), at)
        if word in markers("only"):
            last = at + 1 == len(text) or text[at + 1] in markers("clause ends") | {","}
            end = next(
                (k for k in range(at + 1, len(text)) if text[k] in markers("clause ends") | {","}), len(text)
            )
            start = next(
                (k + 1 for k in range(at - 1, -1, -1) if text[k] in markers("clause ends") | {","}), 0
            )
            found.only |= (
                found.between(max(start, at - 4), at) if last else found.between(at, min(end, at + 5))
            )
    found.all_of_it = bool(markers("all") & set(text)) and not found.only


def _take_ends(found: Said) -> None:
    """Between which two moments it is measured: from order to delivery, one minus the other."""
    text = found.words
    for first, second in BETWEEN:
        swapped = not first
        start = -1 if swapped else text.index(first) if first in text else None
        if start is None or second not in text[start + 1 :]:
            continue
        middle = text.index(second, start + 1)
        stop = next((k for k in range(middle + 1, len(text)) if text[k] in (";", ".", ",", ")", "excl", "without")),
                    len(text))  # fmt: skip
        one = frozenset(found.between(start + 1, middle)) - {"date"}
        other = frozenset(found.between(middle + 1, min(stop, middle + 8))) - {"date"}
        kinds = lexicon().kinds
        bare = swapped and second != "minus"
        if bare and not all(
            any(kinds.get(concept) == "event" for concept in half - {"start", "end"}) for half in (one, other)
        ):
            continue
        if one and other:
            found.ends = (other, one) if second == "minus" and swapped else (one, other)
            return


def _take_answers(found: Said, given: signs.Signs) -> None:
    """On which side of the known questions it stands."""
    text = [questions.bare(word) for word in found.words]
    taken: dict[str, set[int]] = {}
    for at, word in enumerate(text):
        for question, phrase, answer in questions.firsts().get(word, ()):
            here = set(range(at, at + len(phrase)))
            if tuple(text[at : at + len(phrase)]) != phrase or taken.get(question, set()) & here:
                continue
            taken.setdefault(question, set()).update(here)
            denied = given.sign[at] == OUT and not given.marker[at]
            if denied and question not in questions.kept():
                continue
            if answer in ("last", "latest") and len(phrase) == 1 and _span_follows(found, at + 1):
                continue
            found.answers.setdefault(question, set()).add(answer)
            found.of_answers.setdefault(question, set()).update(found.between(at, at + len(phrase)))


def _take_named_answers(found: Said) -> None:
    """The answers that a concept gives in whatever words or compound it stands there: Durchschnittsbestand."""
    for token in found.tokens:
        for question, _, answer in questions.firsts().get(f"<{token.concept.replace('_', ' ')}>", ()):
            if question not in found.answers and token.sign != OUT:
                found.answers[question] = {answer}
                found.of_answers[question] = {token.concept}


def _span_follows(found: Said, at: int) -> bool:
    """Whether a span of time stands there: in "the last 12 months" nothing is the last of several."""
    if any(one.at - 1 <= at <= one.at for one in found.quantities if one.measure.endswith("time")):
        return True
    return at < len(found.words) and quantities.units()[0].get(found.words[at], ("",))[0] == "time"


def _take_ratio(found: Said) -> None:
    """What is divided by what."""
    text = found.words
    out = {token.concept for token in found.tokens if token.sign == OUT}
    ends = [k for k in range(len(text)) if text[k] in (";", ".")]
    nothing_until = 0  # nothing is named between the last sign of division and there
    for at in range(1, len(text)):
        for phrase in tables.phrases("divided").get(text[at], ()):
            if at < nothing_until or tuple(text[at : at + len(phrase)]) != phrase:
                continue
            if phrase == ("/",) and not _dividing(text, at):
                continue
            place = bisect_left(ends, at)
            start = ends[place - 1] if place else 0
            stop = next((k for k in ends[place : place + 2] if k > at), len(text))
            below = found.between(at + 1, stop) - out
            if not below:
                nothing_until = stop
                continue
            above = found.between(start, at) - out
            above, below = (frozenset(half - generic() or half) for half in (above, below))
            if above:
                found.ratio = (above, below)
                return


def _dividing(text: list[str], at: int) -> bool:
    """Whether the slash there divides two figures, and does not only part two names: exchange/guest students."""
    return not (at + 1 < len(text) and text[at + 1] in (".",)) and len(text) > 2


def _take_start(found: Said) -> None:
    """From which event on it is counted: the clock starts on referral, from calving, depuis le depot."""
    kinds = lexicon().kinds
    for at, word in enumerate(found.words):
        begins = word in STARTING and found.words[at + 1 : at + 2] and found.words[at + 1] in AT
        if not (begins or word in SINCE) or found.ends:
            continue
        found.start |= {
            one for one in found.between(at + 1, at + (7 if begins else 5)) if kinds.get(one) in ANCHORING
        } - {"start", "end"}


def _take_counted(found: Said) -> None:
    """What it is a number of, and of what it takes any one: count of patients, any contract."""
    kinds = lexicon().kinds
    for at, word in enumerate(found.words):
        following = next((token for token in found.tokens if token.at > at), None)
        if following is None or following.at > at + 3:
            continue
        if word in ("any", "every", "all", "alle", "jede", "jeder", "jedes", "tous", "toutes"):
            found.any_of |= found.between(following.at, following.at + 2)
        if word in SAME:
            found.same_of.add(following.concept)
        passive = word in ("counted", "gezahlt", "comptes") and found.words[at + 1 : at + 2] in (
            ["are"],
            ["is"],
            ["werden"],
            ["wird"],
        )
        if (passive or word in markers("number words")) and not found.counted:
            things = [token for token in found.tokens if at < token.at <= at + 3 and token.concept in kinds]
            found.counted = things[0].concept if things else ""


def _take_order(found: Said) -> None:
    """What comes before and what after: before any discount, after rework."""
    for token in found.tokens:
        for word in reversed(found.words[max(0, token.at - 7) : token.at]):
            if word in BEFORE or word in AFTER:
                found.order[token.concept] = "before" if word in BEFORE else "after"
                break
            if not word.isalnum() and word != "%":
                break


def _take_anchors(found: Said) -> None:
    """The events by whose day it goes: by ship date, on delivery, date of the invoice."""
    kinds = lexicon().kinds
    text = found.words
    for token in found.tokens:
        if kinds.get(token.concept) not in ANCHORING or token.sign == OUT:
            continue
        before = text[token.at - 1] if token.at else ""
        after = text[token.end] if token.end < len(text) else ""
        if after in markers("day words") or (before in ("of", "der", "du", "de") and token.at > 1
                                             and text[token.at - 2] in markers("day words")) or (
            (before in ("by", "upon", "bei")
            and kinds.get(token.concept) in ("event", "document"))
            or (before in ("at", "on", "when", "once") and token.at > 0)
        ):  # fmt: skip
            found.anchors.add(token.concept)


def language(text: str) -> str:
    """The language that its small words are of; empty where none shows."""
    seen = set(fold(text).split())
    counted = {name: len(seen & markers(name)) for name in ("english", "german", "french")}
    best = max(counted, key=counted.get)
    return best if counted[best] else ""
