"""From words to concepts: the thesaurus made ready to look up, inflections, compounds, slips of the finger.

A word is looked up as it is written, then without its plural, then by its stem, then as a compound, so that a rarer
reading never hides the plain one.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass, field

from initiatives.disagreeing import tables

# The files with groups of one meaning, in the order in which they are asked: of two readings the first one holds.
GROUPS = ("people", "documents", "money", "places", "things", "events", "qualities", "further", "families")
# Sections that name no kind of thing.
NO_KIND = ("quality",)
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?\d?(?![a-z\d])|[a-z]+|\d+(?:[.,']\d+)*|<=|>=|=>|=<|->|[%/+;,.()<>=:*&]")
DOTTED = re.compile(
    r"\b(excl|incl|inkl|exkl|einschl|ausschl|approx|ca|no|nr|max|min|avg|acct|std|mth|yr|resp|st|vs|dia|est|acc|"
    r"cat|tel|dept|qty|amt|mgmt|ex|hrs|hr|wk|cum|tot|natl|mind|abzgl|zzgl|bzgl|einschliessl|pers|cust)\."
)
NUMBERED = re.compile(r"\b(?:no|nr|num)\.(?=[ ,;)]|$)")
ELIDED = re.compile(r"\b(?:l|d|n|qu|s|j)'(?=[a-z])")
ACRONYMS = re.compile(r"\b([A-Z]{2,5})s\b")
SPELT = (
    ("\u2019", "'"),
    ("n't", " not"),
    ("w/o", "without"),
    ("w/", "with "),
    (" - ", " minus "),
    (" \u2013 ", " minus "),
    (" \u2212 ", " minus "),
    ("\u00d7", " x "),
    ("\u2265", ">="),
    ("\u2264", "<="),
    ("24/7", "24x7"),
)
# Words that two countries spell in two ways; whole ones, as "programmed" is no "programme".
SPELLINGS = {
    "centre": "center", "licence": "license", "programme": "program", "catalogue": "catalog", "colour": "color",
    "labour": "labor", "cheque": "check",
}  # fmt: skip
SPELT_TWICE = re.compile(rf"\b({'|'.join(SPELLINGS)})(?=s?\b)")
ENDINGS = ("ungen", "ees", "ee", "ung", "ings", "ing", "ies", "ed", "en", "es", "s", "e")
SHORTEST = 3
# Endings that make another part of speech of a word and leave it its sense.
DERIVED = (
    "ations", "ation", "ions", "ion", "ments", "ment", "ally", "al", "ly", "ity", "ances", "ance", "isch", "lich",
    "keit", "heit", "elle", "ness", "able", "ive", "ship", "hood",
)  # fmt: skip
# From this length on a word with one wrong letter is still the word.
LONG_ENOUGH = 7
# A shorter stem says too little of the word it is of.
STEM_SAYS = 4
# Endings that look like a second half of a compound and are none.
NO_HALF = ("ship", "hood", "less", "free", "like", "ware")
# What joins the two halves of a German compound.
JOINTS = ("s", "n", "en", "es", "e", "er")
# Months by what they are called or shortened to, without accents.
MONTHS = {
    short: full
    for line in (
        "january jan januar janvier", "february feb februar fevrier", "march mar marz maerz mars",
        "april apr avril", "may mai", "june jun juni juin", "july jul juli juillet", "august aug aout",
        "september sep sept septembre", "october oct okt oktober octobre", "november nov novembre",
        "december dec dez dezember decembre",
    )
    for full, *several in [line.split()]
    for short in several
}  # fmt: skip
NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "zero null", "one ein un", "two zwei deux", "three drei trois", "four vier quatre",
            "five funf cinq", "six sechs", "seven sieben sept", "eight acht huit", "nine neun neuf",
            "ten zehn dix", "eleven elf onze", "twelve zwolf douze", "thirteen dreizehn treize",
            "fourteen vierzehn quatorze", "fifteen funfzehn quinze", "sixteen sechzehn seize",
            "seventeen siebzehn", "eighteen achtzehn", "nineteen neunzehn", "twenty zwanzig vingt",
        )
    )
    for word in words.split()
} | {"thirty": 30, "dreissig": 30, "trente": 30, "forty": 40, "vierzig": 40, "quarante": 40, "fifty": 50,
     "sixty": 60, "sechzig": 60, "soixante": 60, "ninety": 90, "neunzig": 90, "eine": 1, "einem": 1, "einen": 1,
     "une": 1, "hundred": 100, "hundert": 100, "dozen": 12,
     "thousand": 1000, "tausend": 1000, "million": 1_000_000}  # fmt: skip


@functools.lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Lower case, without accents, umlauts as their vowels."""
    text = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("œ", "oe"))
    if text.isascii():
        return text
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def singular(word: str) -> str:
    """A folded English or French word without its plural's ending."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A folded word without its commonest endings; crude, and the same for words and for the thesaurus."""
    once = _without_ending(word)
    return once if once == word else _without_ending(once)


def _without_ending(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            if (ending == "s" and word[-2] in "suai") or (ending == "e" and word[-2] == "e"):
                return word
            cut = word[: -len(ending)] + ("y" if ending == "ies" else "")
            doubled = ending in ("ing", "ed", "ings") and len(cut) > SHORTEST and cut[-1] == cut[-2]
            return cut[:-1] if doubled and cut[-1] not in "ls" else cut
    return word


def words_of(text: str) -> list[str]:
    """The folded words, figures and marks of a text, in their order."""
    folded = fold(ACRONYMS.sub(r"\1", text))
    for spelt, said in SPELT:
        folded = folded.replace(spelt, said)
    folded = SPELT_TWICE.sub(lambda match: SPELLINGS[match[1]], folded)
    folded = ELIDED.sub("", NUMBERED.sub("numero", folded))
    folded = DOTTED.sub(r"\1", folded).replace("->", " to ")
    folded = folded.replace("-", " ").replace("_", " ")
    found = [word.split("'")[0] if word.endswith("'s") else word for word in WORD.findall(folded)]
    return [MONTHS.get(word, word) for word in found]


@dataclass
class Lexicon:
    """The thesaurus ready to look up: phrases as written, without plurals and as stems; what concepts are of."""

    written: dict[tuple[str, ...], str] = field(default_factory=dict)
    single: dict[tuple[str, ...], str] = field(default_factory=dict)
    stems: dict[tuple[str, ...], str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    scenes: dict[str, set[str]] = field(default_factory=dict)
    alike: set[frozenset[str]] = field(default_factory=set)
    nearly: dict[str, set[str]] = field(default_factory=dict)
    longest: int = 1

    def add(self, concept: str, phrase: str) -> None:
        """One more way to say a concept; where the words are taken already, they keep their first reading."""
        key = tuple(word for word in words_of(phrase) if word.isalnum() or "'" in word or word == "%")
        if not key:
            return
        self.longest = max(self.longest, len(key))
        self.written.setdefault(key, concept)
        self.single.setdefault((*key[:-1], singular(key[-1])), concept)
        stems = tuple(map(stem, key))
        if len(stems[0]) >= STEM_SAYS if len(key) == 1 else not tables.markers("stop") & set(key):
            self.stems.setdefault(stems, concept)
        if len(key) == 1 and len(key[0]) >= LONG_ENOUGH:
            for cut in _cuts(key[0]):
                self.nearly.setdefault(cut, set()).add(key[0])

    def concept(self, key: tuple[str, ...]) -> str:
        """The concept that these words name; empty where none is known."""
        return (
            self.written.get(key)
            or self.single.get((*key[:-1], singular(key[-1])))
            or (
                ""
                if any(word.endswith("s") for word in key[:-1])
                else self.stems.get(tuple(map(stem, key)), "")
            )
        )


@functools.cache
def lexicon() -> Lexicon:
    """The thesaurus, read when it is first asked."""
    found = Lexicon()
    for name in GROUPS:
        kind, scenes = "", []
        for line in tables.lines(name):
            if line.startswith("["):
                kind, *scenes = line.strip("[]").replace("@", "").split()
                continue
            head, _, synonyms = line.partition(":")
            title, *tags = head.split(" @")
            concept = title.strip().replace(" ", "_")
            if kind not in NO_KIND:
                found.kinds.setdefault(concept, kind)
            found.scenes.setdefault(concept, set()).update(scenes, tags)
            for phrase in (title, *synonyms.split(",")):
                found.add(concept, phrase)
    for line in tables.lines("scenes"):
        scene, _, members = (part.strip() for part in line.partition(":"))
        for member in members.split(","):
            found.scenes.setdefault(member.strip().replace(" ", "_"), set()).add(scene)
    found.alike = {frozenset(line.split()) for line in tables.lines("alike")}
    return found


@functools.cache
def generic() -> frozenset[str]:
    """The concepts that any row is about: shared, they show no likeness."""
    return tables.markers("generic") | {stem(word) for word in tables.markers("generic")}


@functools.lru_cache(maxsize=20_000)
def parts(word: str) -> tuple[tuple[str, bool], ...]:
    """The concepts in one word that no group lists as it is, each with whether it is known: the word a derived form
    is of, the two halves of a compound, the word that was mistyped; else its stem, unknown."""
    known = lexicon()
    for ending in DERIVED:
        base = word.removesuffix(ending)
        if base != word and len(base) > SHORTEST:
            found = known.concept((base,)) or known.concept((base + "e",)) or known.concept((base + "y",))
            if found:
                return ((found, True),)
    for at in range(len(word) - 4, 3, -1):
        first, rest = word[:at], word[at:]
        other = known.concept((rest,)) if rest not in NO_HALF else ""
        one = known.concept((first,)) if other else ""
        if other and not one:
            bare = (first.removesuffix(joint) for joint in JOINTS if first.endswith(joint))
            one = next(filter(None, (known.concept((base,)) for base in bare if len(base) > 2)), "")
        if one and other:
            return ((one, True), (other, True))
    mistyped = _mistyped(word)
    return ((mistyped, True),) if mistyped else ((stem(word), False),)


def _mistyped(word: str) -> str:
    """The known concept that this is with one letter too few, too many or exchanged; empty where there is none."""
    if len(word) < LONG_ENOUGH:
        return ""
    nearly = {known for cut in _cuts(word) for known in lexicon().nearly.get(cut, ())}
    found = {lexicon().written[(known,)] for known in nearly if _slip(word, known)}
    return found.pop() if len(found) == 1 else ""


def _slip(word: str, known: str) -> bool:
    """Whether one may be the other mistyped: not arrival and departure (Anreise, Abreise), nor who gives and gets."""
    return word[:3] == known[:3] and {word[-2:], known[-2:]} != {"er", "ee"}


def _cuts(word: str) -> set[str]:
    """A word and all that is left of it when one letter is cut out: two words that share one differ by a slip."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(1, len(word) - 1))}
