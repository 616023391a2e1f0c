"""From words to concepts: stems, slips of the finger, compounds, and the lexicons made ready to look up."""

import functools
import re
import unicodedata

from initiatives.disagreeing import kinds, lexicon, sides, wider
from initiatives.disagreeing.lexicon import words

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,]\d+)?|[%/+;,.]")
ABBREVIATED = re.compile(
    r"\b(excl|incl|inkl|exkl|einschl|ausschl|approx|ca|no|nr|max|min|avg|acct|std|mth|yr|resp)\."
)
ENDINGS = ("ungen", "ung", "ings", "ing", "ies", "ed", "en", "es", "s", "e")
SHORTEST = 3
# Forms that no ending explains, as pairs.
IRREGULAR = dict(
    pair.split(":")
    for pair in lexicon.words("""
sent:send paid:pay sold:sell bought:buy taught:teach given:give made:make kept:keep held:hold lent:lend
met:meet built:build drove:drive driven:drive flew:fly flown:fly rode:ride ridden:ride written:write
children:child people:person men:man women:woman feet:foot died:die dying:die hauser:haus
vertrage:vertrag auftrage:auftrag bestande:bestand gaste:gast
""")
)
# Endings that make another part of speech of a word and leave it its sense.
DERIVED = (
    "ations",
    "ation",
    "ion",
    "ment",
    "ally",
    "al",
    "ly",
    "ity",
    "ance",
    "isch",
    "lich",
    "keit",
    "heit",
    "elle",
)
# From this length on a word with one wrong letter is still the word.
LONG_ENOUGH = 7
NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "zero null zero", "one ein un", "two zwei deux", "three drei trois", "four vier quatre",
            "five funf cinq", "six sechs six", "seven sieben sept", "eight acht huit", "nine neun neuf",
            "ten zehn dix", "eleven elf onze", "twelve zwolf douze", "thirteen dreizehn treize",
            "fourteen vierzehn quatorze", "fifteen funfzehn quinze", "sixteen sechzehn seize",
            "seventeen siebzehn dixsept", "eighteen achtzehn dixhuit", "nineteen neunzehn dixneuf",
            "twenty zwanzig vingt",
        )
    )
    for word in words.split()
} | {"thirty": 30, "dreissig": 30, "trente": 30, "sixty": 60, "sechzig": 60, "ninety": 90, "neunzig": 90,
     "eine": 1, "einem": 1, "einen": 1, "une": 1, "hundred": 100, "hundert": 100, "cent": 100}  # fmt: skip
PER = words("per each every pro je jede jeder jedes chaque par")
ONLY = words("""
only nur seulement solely exclusively lediglich uniquement exclusivement just
""")
ALL = words("""
all every any alle jede jeder jedes tous toutes regardless whatever samtliche whole everything total
""")
ENDS_OF_CLAUSE = set(";,.")


def fold(text: str) -> str:
    """Lower case, without accents, umlauts as their vowels."""
    text = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("œ", "oe"))
    return "".join(letter for letter in text if not unicodedata.combining(letter))


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A folded word without its commonest endings; crude, and the same for words and for the lexicon."""
    once = _without_ending(IRREGULAR.get(word, word))
    return once if once == word else _without_ending(once)


def _without_ending(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            if ending == "s" and word[-2] in "suai":
                return word
            if ending == "e" and word[-2] == "e":
                return word
            cut = word[: -len(ending)] + {"ies": "y", "es": "e" if word[-3] == "e" else ""}.get(ending, "")
            if (
                ending in ("ing", "ed", "ings")
                and len(cut) > SHORTEST
                and cut[-1] == cut[-2]
                and cut[-1] not in "ls"
            ):
                cut = cut[:-1]
            return cut
    return word


def _shortened(table: str) -> dict[str, str]:
    """The full word by each way to shorten it."""
    pairs = (line.partition(":") for line in lexicon.lines(table))
    return {short: full for full, _, several in pairs for short in several.split()}


MONTHS, UNITS = _shortened(wider.MONTHS), _shortened(wider.UNITS)
AFTER_FIGURE = re.compile(rf"(\d) ?({'|'.join(UNITS)})\b")


def words_of(text: str) -> list[str]:
    """The folded words, numbers and marks of a text, in their order."""
    folded = (
        ABBREVIATED.sub(r"\1", fold(text))
        .replace("w/o", "without")
        .replace(" - ", " minus ")
        .replace("\u2019", "'")
        .replace("-", " ")
        .replace("_", " ")
    )
    folded = AFTER_FIGURE.sub(lambda match: f"{match.group(1)} {UNITS[match.group(2)]}", folded)
    found = [word.split("'")[0] if word.endswith("'s") else word for word in WORD.findall(folded)]
    return [MONTHS.get(word, word) for word in found]


def _phrases(lines) -> dict[tuple[str, ...], str]:
    found = {}
    for line in lines:
        concept, _, synonyms = line.partition(":")
        for synonym in synonyms.split(","):
            key = tuple(stem(word) for word in words_of(synonym) if word not in ENDS_OF_CLAUSE)
            if key:
                found[key] = concept.strip().replace(" ", "_")
    return found


def _sides() -> dict[str, dict[tuple[str, ...], str]]:
    """Each question with its sides' phrases."""
    found: dict[str, list[str]] = {}
    question = ""
    for line in lexicon.lines(sides.SIDES):
        if line.startswith("  "):
            found[question].append(line)
        else:
            question = line
            found[question] = []
    return {question: _phrases(values) for question, values in found.items()}


CONCEPTS = _phrases(reversed(lexicon.lines(wider.CONCEPTS))) | _phrases(lexicon.lines(lexicon.CONCEPTS))
SIDES = _sides()
KNOWN = set(CONCEPTS.values())
STOPPED = {stem(fold(word)) for word in lexicon.STOP_WORDS} | lexicon.STOP_WORDS
GENERIC = lexicon.GENERIC | {stem(word) for word in lexicon.GENERIC}
# Words without a sense of their own that no line of the lexicon lists: that a stem is like theirs is chance.
SMALL = (lexicon.STOP_WORDS | ONLY | ALL | PER) - set(
    words_of(f"{lexicon.CONCEPTS} {wider.CONCEPTS}".replace(":", ","))
)
LONGEST = max(len(key) for key in CONCEPTS)
NOT_COUNTED = GENERIC - {stem(party) for party in lexicon.PARTIES} - lexicon.PARTIES


@functools.lru_cache(maxsize=20_000)
def parts(word: str) -> tuple[str, ...]:
    """The concepts in one word: itself, or the two known words that a compound joins."""
    key = stem(word)
    if (key,) in CONCEPTS:
        return (CONCEPTS[(key,)],)
    for cut in range(4, len(key) - 3):
        first, rest = key[:cut], key[cut:]
        for joint in (first, first.removesuffix("s"), first.removesuffix("n"), first.removesuffix("en")):
            one, other = CONCEPTS.get((stem(joint),)) or CONCEPTS.get((joint,)), CONCEPTS.get((stem(rest),))
            if one and other:
                return (one, other)
    for ending in DERIVED:
        if key.endswith(ending) and len(key) - len(ending) > SHORTEST:
            base = CONCEPTS.get((key.removesuffix(ending),)) or CONCEPTS.get(
                (stem(key.removesuffix(ending)),)
            )
            if base:
                return (base,)
    return (_mistyped(key) or key,)


def _mistyped(key: str) -> str:
    """The known concept that this is with one letter too few, too many or exchanged; empty where there is none."""
    if len(key) < LONG_ENOUGH or key in KNOWN:
        return ""
    found = {concept for cut in _cuts(key) for concept in NEARLY.get(cut, ())}
    return found.pop() if len(found) == 1 else ""


def _cuts(key: str) -> set[str]:
    return {key, *(key[:at] + key[at + 1 :] for at in range(1, len(key) - 2))}


# Concepts by their words with one letter cut out: two words that share a cut differ by a slip of the finger.
NEARLY: dict[str, set[str]] = {}
for (known, *rest), of_known in CONCEPTS.items():
    if not rest and len(known) >= LONG_ENOUGH:
        for cut_out in _cuts(known):
            NEARLY.setdefault(cut_out, set()).add(of_known)


def _by_concept(table: str) -> dict[str, set[str]]:
    """Which lines of a table a concept stands in."""
    found: dict[str, set[str]] = {}
    for line in lexicon.lines(table):
        name, _, members = line.partition(":")
        for member in members.split():
            concept = member if member in KNOWN else parts(member)[-1]
            found.setdefault(concept, set()).add(name)
    return found


KIND_OF = {concept: min(names) for concept, names in _by_concept(kinds.KINDS).items()}
FIELDS_OF = _by_concept(kinds.FIELDS)
KINDS_ALIKE = {frozenset(line.split()) for line in lexicon.lines(kinds.ALIKE)}
