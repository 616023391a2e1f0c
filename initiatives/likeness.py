"""How alike two undertakings are by what is written of them: pure, over words and how rare each is in the portfolio.

Two titles are probably of one undertaking when nearly all of one stands in the other: what a title has beside what is
shared weighs less where the other has nothing beside it ("Lexis", "Lexis for legal research") than where each has words
of its own ("Arrival runway prediction", "Airport configuration prediction"). Sister projects share most of their
problem and differ in a word or two of the title, so a problem counts by itself only where it is said in nearly the same
words. The bounds were set on pairs of `tests/labelled/duplicates.json`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

SAME = 0.7  # how alike titles have to be
SAID_AT_LEAST = 0.5  # what they have to share: one word that few cases have, or two common ones
OWN = 4.0  # how much it weighs that each title has words of its own
LONGER = 0.5  # how much it weighs that one says more
SAME_PROBLEM = 0.9  # the part of two problems that has to be shared
WHOLE_PROBLEM = 15  # telling words in a problem; fewer are soon the same by chance
SAID_BESIDE = 1.2  # what titles have to share where the problem is the same; two rare words
LONG_PROBLEM = 40  # so many telling words nobody says twice: the titles do not matter
UNKNOWN = 0.6  # how rare a word is taken to be that nobody counted
IN_PROBLEM = 0.3  # what a word weighs that does not stand in both titles
NEAR = 0.35
SAME_VENDOR, SAME_UNIT = 0.2, 0.1
NAMED = 4  # words told as shared

SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can each for from had has have how if in into is it its may more most no not"
        " of on or our so such than that the their them then there these they this to use used uses using was we were"
        " what when where which while who will with would you your",
    )
)
# Words that titles of AI undertakings have whatever they are about.
GENERAL = frozenset(
    re.findall(
        r"\w+",
        "ai ml genai artificial intelligence machine learning generative gen tool system solution service platform"
        " program programme project initiative application app model pilot prototype poc proof concept trial phase"
        " development enhancement new case powered enabled driven based pre",
    )
)
GENERAL_WEIGHS = 0.25
OF_A_PART = 2  # digits of a number that tells parts and versions apart
ENDINGS = ("izations", "isations", "ization", "isation", "ations", "ation", "izing", "ising", "ings", "ing", "ies",
           "ers", "er", "ed", "es", "s", "y", "e")  # fmt: skip
STEM = 3
LONG_WORD = 7  # letters of a stem that is known again in spite of a slip
INITIALS = range(3, 7)


def words(text: str) -> list[str]:
    """The words of a text in their order, as written; what a hyphen joins to a short beginning is one ("co-pilot")."""
    return re.findall(r"[^\W_]+", re.sub(r"(?<![\w-])([^\W\d_]{1,2})-(?=[^\W\d_])", r"\1", text))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its ending, so that its forms meet: summary, summaries, summarised."""
    word = word.lower()
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= STEM:
            return word[: -len(ending)]
    return word


def telling(found: Sequence[str]) -> list[str]:
    """Those that say something: no small words, unless in capitals among others that are not ("for IT")."""
    loud = all(word.isupper() for word in found)
    return [
        word for word in found if word.lower() not in SMALL or (word.isupper() and len(word) > 1 and not loud)
    ]


def initials(found: Sequence[str]) -> dict[str, list[str]]:
    """Runs of words by the initials they may be called by, in small letters; small words counted or not."""
    runs: dict[str, list[str]] = {}
    for one in (list(found), [word for word in found if word.lower() not in SMALL]):
        for length in INITIALS:
            for start in range(len(one) - length + 1):
                run = one[start : start + length]
                runs.setdefault("".join(word[0] for word in run).lower(), run)
    return runs


def stands_for_words(word: str) -> bool:
    """Whether a word looks like initials: a few capitals."""
    return word.isupper() and len(word) in INITIALS


def rarity(having: int, cases: int) -> float:
    """How rare a word is that so many of the cases have: from about 0 (all of them) to 1 (one)."""
    return math.log(1 + cases / having) / math.log(1 + cases)


@dataclass(frozen=True)
class Undertaking:
    """What is known of one: title, problem, the names of its vendors and platform, and its unit's key."""

    title: str
    problem: str = ""
    vendors: tuple[str, ...] = ()
    unit: int | None = None

    @cached_property
    def titled(self) -> list[str]:
        """The words of the title, without initials that it also says in full."""
        found = words(self.title)
        if not any(map(stands_for_words, found)):
            return found
        said = initials(found)
        return [word for word in found if not (stands_for_words(word) and word.lower() in said)]

    @cached_property
    def said(self) -> frozenset[str]:
        """The stems of the words that tell something in the problem."""
        return frozenset(stem(word) for word in telling(words(self.problem)))


@dataclass(frozen=True)
class Likeness:
    """How alike two are: whether probably one undertaking, how near, and why."""

    same: bool = False
    alike: float = 0.0
    near: float = 0.0
    why: tuple[str, ...] = field(default=())


def compare(
    asked: Undertaking, other: Undertaking, rarity: Mapping[str, float], typing: bool = False
) -> Likeness:
    """How alike `other` is to what somebody registers; `rarity` of the words asked for, from 0 (in all cases) to 1.

    While somebody is `typing`, the last word of the title may go on.
    """
    mine, theirs = _stems_of_both(asked, other, typing)
    rare = _rarity(rarity)
    shared = {one for one in mine if one in theirs}
    said = _sum(shared, rare)
    less, more = sorted((_sum(mine.keys() - shared, rare), _sum(theirs.keys() - shared, rare)))
    alike = said / (said + OWN * less + LONGER * more) if said else 0.0
    problem = asked.said & other.said
    met = (problem | (mine.keys() & other.said) | (asked.said & theirs.keys())) - shared
    retold = _retold(asked, other, problem, rare)
    vendor = _vendor(asked, other)
    near = said + IN_PROBLEM * _sum(met, rare)
    if near and vendor:
        near += SAME_VENDOR
    if near and asked.unit and asked.unit == other.unit:
        near += SAME_UNIT
    why = []
    if shared:
        why.append("same words: " + ", ".join(_named({one: theirs[one] for one in shared}, rare)))
    if retold:
        why.append("the problem in nearly the same words")
    elif not shared and met:
        spoken = {stem(word): word for word in telling(words(other.title + " " + other.problem))}
        why.append(
            "same words: " + ", ".join(_named({one: spoken[one] for one in met if one in spoken}, rare))
        )
    if vendor:
        why.append(f"same vendor: {vendor}")
    long = min(len(asked.said), len(other.said)) >= LONG_PROBLEM
    same = (alike >= SAME and said >= SAID_AT_LEAST) or (retold and (long or said >= SAID_BESIDE))
    return Likeness(same, alike, near, tuple(why) if near >= NEAR else ())


def _stems_of_both(
    asked: Undertaking, other: Undertaking, typing: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Stems of both titles with the words they come from.

    A run of words that the other title gives by its initials counts as that one word: initials may stand for something
    else. A long word that is one slip away from one of the other's is that word.
    """
    one, two = asked.titled, other.titled
    if typing and one:
        last = one[-1].lower()
        going_on = next((word for word in two if len(last) >= STEM and word.lower().startswith(last)), None)
        one = [*one[:-1], going_on or one[-1]]
    one, two = _by_initials(one, two), _by_initials(two, one)
    first, second = ({stem(word): word for word in telling(found)} for found in (one, two))
    for stray in [one for one in second if len(one) >= LONG_WORD and one not in first]:
        meant = next((one for one in first if one not in second and one_slip(stray, one)), None)
        if meant:
            second[meant] = second.pop(stray)
    return first, second


def one_slip(one: str, other: str) -> bool:
    """Whether two long words differ in a single letter: another one, one too many, or two that changed places."""
    if one == other or min(len(one), len(other)) < LONG_WORD or abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs),
        min(len(one), len(other)),
    )
    rest, of_other = one[start:], other[start:]
    swapped = rest[1::-1] + rest[2:] == of_other
    return rest[1:] == of_other[1:] or rest[1:] == of_other or rest == of_other[1:] or swapped


def _by_initials(found: list[str], other: list[str]) -> list[str]:
    """The words; where the other title has the initials of a run of them, those instead of the run."""
    wanted = {word.lower(): word for word in other if stands_for_words(word)}
    runs = initials(found) if wanted else {}
    for short, word in wanted.items():
        run = runs.get(short)
        if run and word not in found:
            start = found.index(run[0])
            found = [*found[:start], word, *(left for left in found[start:] if left not in run)]
    return found


def _rarity(rarity: Mapping[str, float]) -> Callable[[str], float]:
    def of(one: str) -> float:
        general = one in _GENERAL_STEMS or (one.isdecimal() and len(one) <= OF_A_PART)
        return rarity.get(one, UNKNOWN) * (GENERAL_WEIGHS if general else 1.0)

    return of


def _sum(stems, rare: Callable[[str], float]) -> float:
    return sum(map(rare, stems))


def _retold(asked: Undertaking, other: Undertaking, shared, rare: Callable[[str], float]) -> bool:
    if min(len(asked.said), len(other.said)) < WHOLE_PROBLEM:
        return False
    return _sum(shared, rare) >= SAME_PROBLEM * _sum(asked.said | other.said, rare)


def _vendor(asked: Undertaking, other: Undertaking) -> str:
    """A vendor or platform of the other that the first has too, or names in its title or problem."""
    told = {word.lower() for word in (*words(asked.title), *words(asked.problem))}
    mine = {name.casefold() for name in asked.vendors}
    for name in other.vendors:
        parts = {word.lower() for word in telling(words(name))}
        if name.casefold() in mine or (parts and parts <= told):
            return name
    return ""


def _named(found: Mapping[str, str], rare: Callable[[str], float]) -> list[str]:
    """The words to tell of, the rarest first; capitals only where they are not merely the beginning of a word."""
    best = sorted(found, key=lambda one: (-rare(one), one))[:NAMED]
    return [found[one] if found[one][1:] != found[one][1:].lower() else found[one].lower() for one in best]


_GENERAL_STEMS = frozenset(map(stem, GENERAL))
