"""How alike two undertakings are by what is written of them: pure, over words and how rare each is in the portfolio.

Two titles are probably of one undertaking when nearly all of one stands in the other: what a title has beside what is
shared weighs less where the other has nothing beside it ("Lexis", "Lexis for legal research") than where each has words
of its own ("Arrival runway prediction", "Airport configuration prediction"). Sister projects share most of their
problem and differ in a word or two of the title, so a problem counts by itself only where it is said in nearly the same
words, and titles that are one but for what stands in one place count as sisters wherever a bound is lower: in one unit,
for a problem told again. A named product, or a text that names the other, is enough in any unit. The bounds were set on
pairs of `tests/labelled/duplicates.json` and of the learning half of `duplicates_fresh.json`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

SAME = 0.7  # how alike titles have to be
SAID_AT_LEAST = 0.5  # what they have to share: one word that few cases have, or two common ones
OWN = 4.0  # how much it weighs that each title has words of its own
LONGER = 0.5  # how much it weighs that one says more
SAME_PROBLEM = 0.9  # the part of two problems that has to be shared
WHOLE_PROBLEM = 15  # telling words in a problem; fewer are soon the same by chance
SAID_BESIDE = 0.3  # what titles have to share where the problem is the same; a word that is not general
SHORT_PROBLEM = 4  # telling words of a problem told again under a title that differs by a number only
PART_OF_PROBLEM = 12  # telling words of a problem that stands in a longer one
IN_PART = 0.4  # what titles have to share then
LONG_PROBLEM = 40  # so many telling words nobody says twice: the titles do not matter
UNKNOWN = 0.6  # how rare a word is taken to be that nobody counted
IN_PROBLEM = 0.3  # what a word weighs that does not stand in both titles
SAID_IN_UNIT = 1.3  # what titles of one unit have to share: two rare words
SAME_IN_UNIT = 0.45  # the part of all they say that has to be shared
OWN_IN_UNIT = 0.8  # what the one with fewer words of its own may have of them: one rare word
FEW = 0.7  # how rare a name is: about one case in three hundred has it
BARE = 0.3  # what a title may have beside the name of a product: a general word
BESIDE_ELSEWHERE = 0.8  # and where the cases are of two units, so not of two parts of one: a rare word
NAMED_VENDOR = 1.2  # how much a title has to say to be known again as a vendor: two rare words
NAMED_IN_PROBLEM = 2.4  # and in a problem: four
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
        " development enhancement new case powered enabled driven based pre"
        # how they work, and editions of products
        " algorithm algorithms method approach technique llm llms nlp language large natural processing deep neural"
        " network enterprise edition suite",
    )
)
GENERAL_WEIGHS = 0.25
OF_A_PART = 2  # digits of a number that tells parts and versions apart
ENDINGS = ("izations", "isations", "ization", "isation", "ations", "ation", "izing", "ising", "ings", "ing", "ies",
           "ers", "er", "ed", "es", "s", "y", "e")  # fmt: skip
STEM = 3
LONG_WORD = 7  # letters of a stem that is known again in spite of a slip
INITIALS = range(3, 7)
# What a title has of the list it stood in and of its age: "[2024 INV#0109319]", "v3", "1.1", "Phase II", "Renamed:".
OF_A_LIST = re.compile(
    r"[\[(][^\[\]()]*\d{4}[^\[\]()]*[\])]"
    r"|\b(?:v|ver|version|release|phase)[ .]?(?:\d+(?:\.\d+)*|i{1,3}|iv)\b"
    r"|(?<![\w.])\d{1,2}(?:\.\d+)+(?![\w.])|\b(?:renamed|previously|formerly)\b",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w.])(\d{1,2})\W*$")
COINED = re.compile(r"[^\W\d_][a-z][A-Z]")


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
    def bare(self) -> str:
        """The title without numbers of lists and versions, unless it has nothing else."""
        rest = OF_A_LIST.sub(" ", self.title)
        return rest if words(rest) else self.title

    @cached_property
    def number(self) -> str:
        """The number at the end of the title by which it is told from others of its name; none of a version."""
        found = NUMBER.search(self.bare)
        return found[1] if found else ""

    @cached_property
    def titled(self) -> list[str]:
        """The words of the title, without initials that it also says in full."""
        found = words(self.bare)
        if not any(map(stands_for_words, found)):
            return found
        said = initials(found)
        return [word for word in found if not (stands_for_words(word) and word.lower() in said)]

    @cached_property
    def spoken(self) -> frozenset[str]:
        """All words of title and problem, in small letters."""
        return frozenset(word.lower() for word in (*words(self.title), *words(self.problem)))

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
    rare = _rarity(rarity)
    both = _Both(asked, other, *_stems_of_both(asked, other, typing), rare, rarity)
    shared, problem = both.shared, both.problem
    met = (problem | (both.mine.keys() & other.said) | (asked.said & both.theirs.keys())) - shared
    vendor = _vendor(asked, other)
    near = both.said + IN_PROBLEM * _sum(met, rare)
    if near and vendor:
        near += SAME_VENDOR
    if near and both.one_unit:
        near += SAME_UNIT
    why = []
    if shared:
        why.append("same words: " + ", ".join(_named({one: both.theirs[one] for one in shared}, rare)))
    if both.told_again(WHOLE_PROBLEM):
        why.append("the problem in nearly the same words")
    elif not shared and met:
        spoken = {stem(word): word for word in telling(words(other.title + " " + other.problem))}
        why.append(
            "same words: " + ", ".join(_named({one: spoken[one] for one in met if one in spoken}, rare))
        )
    if vendor:
        why.append(f"same vendor: {vendor}")
    grounds = _grounds(both, vendor)
    why += [ground for ground in grounds if ground]
    same = bool(grounds)
    return Likeness(same, both.alike, near, tuple(why) if same or near >= NEAR else ())


@dataclass(frozen=True)
class _Both:
    """Two undertakings beside each other: the stems of both titles with the words they come from, and how rare each is,
    as weighed and as counted."""

    asked: Undertaking
    other: Undertaking
    mine: dict[str, str]
    theirs: dict[str, str]
    rare: Callable[[str], float]
    counted: Mapping[str, float]

    @cached_property
    def shared(self) -> set[str]:
        """Stems of both titles."""
        return {one for one in self.mine if one in self.theirs}

    @cached_property
    def said(self) -> float:
        """What the titles share."""
        return _sum(self.shared, self.rare)

    @cached_property
    def own(self) -> list[float]:
        """What each title has for itself, the smaller first."""
        return sorted(_sum(stems.keys() - self.shared, self.rare) for stems in (self.mine, self.theirs))

    @cached_property
    def alike(self) -> float:
        """How alike the titles are, wherever the cases are from."""
        less, more = self.own
        return self.said / (self.said + OWN * less + LONGER * more) if self.said else 0.0

    @cached_property
    def part_shared(self) -> float:
        """The part of all that the titles say which both say."""
        return self.said / (self.said + sum(self.own)) if self.said else 0.0

    @cached_property
    def one_unit(self) -> bool:
        """Whether both are of one unit."""
        return bool(self.asked.unit) and self.asked.unit == self.other.unit

    @cached_property
    def problem(self) -> frozenset[str]:
        """Stems of both problems."""
        return self.asked.said & self.other.said

    @cached_property
    def sisters(self) -> bool:
        """Whether the titles say the same in the same order but for other words in place of some."""
        one, two = ([stem(word) for word in telling(each.titled)] for each in (self.asked, self.other))
        parts = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
        if {kind for kind, *_ in parts} != {"equal", "replace"}:
            return False
        instead = {word for kind, start, end, *_ in parts if kind == "replace" for word in one[start:end]}
        return not instead & set(two)

    @cached_property
    def siblings(self) -> bool:
        """Whether another number, or none, tells one from the other."""
        return self.asked.number != self.other.number

    @cached_property
    def part_told_again(self) -> float:
        """The part of all that the problems say which both say."""
        return _sum(self.problem, self.rare) / (_sum(self.asked.said | self.other.said, self.rare) or 1.0)

    def told_again(self, words_of_it: int) -> bool:
        """Whether the problem, if both have so many telling words of it, is said in nearly the same words."""
        long = min(len(self.asked.said), len(self.other.said)) >= words_of_it
        return long and self.part_told_again >= SAME_PROBLEM

    def part_of_problem(self) -> bool:
        """Whether the problem of one stands in the longer one of the other."""
        short = min(self.asked.said, self.other.said, key=len)
        return len(short) >= PART_OF_PROBLEM and _sum(self.problem, self.rare) >= SAME_PROBLEM * _sum(
            short, self.rare
        )


def _grounds(both: _Both, vendor: str) -> list[str]:
    """Why two are probably one undertaking; a ground that the words they share tell of is an empty line. None: they
    probably are two."""
    found = []
    said, less = both.said, both.own[0]
    if both.alike >= SAME and said >= SAID_AT_LEAST and (not both.siblings or both.told_again(SHORT_PROBLEM)):
        found.append("")
    if both.told_again(WHOLE_PROBLEM) and not both.sisters:
        long = min(len(both.asked.said), len(both.other.said)) >= LONG_PROBLEM
        if long or said >= SAID_BESIDE:
            found.append("")
    elif said >= IN_PART and both.part_of_problem() and not both.sisters:
        found.append("the problem of one stands in that of the other")
    if both.one_unit and said >= SAID_IN_UNIT and less <= OWN_IN_UNIT and both.part_shared >= SAME_IN_UNIT:
        found += ["in the same unit"] * (not both.sisters and not both.siblings)
    product = _product(both, vendor)
    if product:
        found.append(f"one named product: {product}")
    if _names(both.asked, both.other, both) or _names(both.other, both.asked, both):
        found.append("one names the other")
    return found


def coined(word: str) -> bool:
    """Whether a word looks like the name of a product: a capital within it (LexisNexis, not eLearning)."""
    return bool(COINED.search(word))


def _product(both: _Both, vendor: str) -> str:
    """The product that both titles name, if one of them says little more: a coined word, or any name of few cases where
    the vendor is the same, too."""
    less = both.own[0]
    named = {one for titled in (both.mine, both.theirs) for one, word in titled.items() if coined(word)}
    if less > BESIDE_ELSEWHERE or named - both.shared:  # a title that names several is of none of them
        return ""
    for one in sorted(both.shared):
        mine, theirs = both.mine[one], both.theirs[one]
        if one in _GENERAL_STEMS or one[0].isdecimal() or both.counted.get(one, 0.0) < FEW:
            continue
        if less <= BARE and vendor:
            return theirs
        written = mine if coined(mine) else theirs
        beside = BARE if both.one_unit else BESIDE_ELSEWHERE
        if less <= beside and coined(written) and mine.lower() == theirs.lower():
            return written
    return ""


def _names(one: Undertaking, other: Undertaking, both: _Both) -> bool:
    """Whether the vendors or the problem of the `other` have the title of the `one`, and that tells enough."""
    title = {stem(word): word for word in telling(one.titled)}
    known = sum(both.rare(word) for word in title if word in both.counted)
    if known < NAMED_VENDOR:
        return False
    told = " ".join(other.vendors)
    if known >= NAMED_IN_PROBLEM or any(
        coined(word) and both.counted.get(short, 0.0) >= FEW for short, word in title.items()
    ):
        told += " / " + other.problem
    text = _in_a_row(words(told))
    return _in_a_row(words(one.bare)) in text or (len(title) > 1 and _in_a_row(one.titled) in text)


def _in_a_row(found: Sequence[str]) -> str:
    return f" {' '.join(found).lower()} "


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


def _vendor(asked: Undertaking, other: Undertaking) -> str:
    """A vendor or platform of the other that the first has too, or names in its title or problem."""
    mine = {name.casefold() for name in asked.vendors}
    for name in other.vendors:
        parts = {word.lower() for word in telling(words(name))}
        if name.casefold() in mine or (parts and parts <= asked.spoken):
            return name
    return ""


def _named(found: Mapping[str, str], rare: Callable[[str], float]) -> list[str]:
    """The words to tell of, the rarest first; capitals only where they are not merely the beginning of a word."""
    best = sorted(found, key=lambda one: (-rare(one), one))[:NAMED]
    return [found[one] if found[one][1:] != found[one][1:].lower() else found[one].lower() for one in best]


_GENERAL_STEMS = frozenset(map(stem, GENERAL))
