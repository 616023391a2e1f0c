"""Full-text search: split a text, ask the database for its words, forgive typos.

There are two kinds of question. Names and titles are found by words as typed, whole or begun, in any language, with
or without accents: `Initiative.objects.filter(title__says="summ cust")`, answered by `GinIndex(Words("title"), ...)`.
The database splits them by one rule (`plumbline_split` in `migrations/before/search.sql`). Sentences are found by
forms of words: the English stemmer of the database, `synonyms.txt` beside this module, and rapidfuzz for an unknown
word (`asked`). Both kinds send the database words of letters and figures, bounded in number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models import CharField, Func, Lookup, TextField
from rapidfuzz import process
from rapidfuzz.distance import OSA

LONGEST = 200  # letters of a question to names and titles
MOST_WORDS = 8
SHORTEST = 2  # letters of a word; a single letter begins half the words there are
LONGEST_SENTENCE = 400  # letters of a question in sentences
MOST_IN_SENTENCE = 30  # words of it
LONGEST_WORD = 60  # letters
SYNONYMS = Path(__file__).parent / "synonyms.txt"


class Words(Func):
    """The words of a column, or of several together."""

    template = "plumbline_words(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()


@SearchVectorField.register_lookup
class Says(Lookup):
    """The lookup that is true if every word of a question begins one of the stored words."""

    lookup_name = "says"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        """Return `words @@ asked`, which the index answers."""
        left, of_left = self.process_lhs(compiler, connection)
        return f"{left} @@ plumbline_asked(%s)", [*of_left, str(self.rhs)]


@CharField.register_lookup
@TextField.register_lookup
class TextSays(Says):
    """The same of a column of text: of its words."""

    def process_lhs(self, compiler, connection, lhs=None):
        """Return the words of the column."""
        left, of_left = super().process_lhs(compiler, connection, lhs)
        return f"plumbline_words({left})", of_left


def question(text: str) -> str:
    """Return the first words of a typed text, without single letters, or "".

    The database splits the text again by its own rule.
    """
    found = [word for word in text[:LONGEST].split() if _tells(word)]
    return " ".join(found[:MOST_WORDS])


def _tells(word: str) -> bool:
    letters = [letter for letter in word if letter.isalnum()]
    return len(letters) >= SHORTEST or any(letter.isdecimal() for letter in letters)


# Sentences


@dataclass(frozen=True)
class Asked:
    """A word or phrase of a question, with its own and its synonyms' `tsquery` text.

    `alike` is "" if the word has no synonyms.
    """

    said: str
    own: str
    alike: str = ""

    @property
    def either(self) -> str:
        """Return the `tsquery` text for the word itself or a synonym."""
        return " | ".join(filter(None, (self.own, self.alike)))


@dataclass(frozen=True)
class Synonyms:
    """The phrases with the same meaning, by phrase, as stems, and the words to ignore.

    Questions ignore the words of `ignored`. Every initiative contains those of `everywhere`, which distinguish none.
    """

    of: dict[tuple[str, ...], frozenset[tuple[str, ...]]]
    ignored: frozenset[str]
    everywhere: frozenset[str]


def split(text: str) -> list[str]:
    """Return the words of a text in lower case, letters and figures only, cut to a length."""
    return [word[:LONGEST_WORD] for word in re.findall(r"[^\W_]+", text.lower())]


def stems(words: Iterable[str]) -> dict[str, str]:
    """Return the English stem of each word from the database, or "" for a stop word."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, coalesce((ts_lexize('english_stem', word))[1], '') FROM unnest(%s::text[]) AS t (word)",
            [list(dict.fromkeys(words))],
        )
        return dict(cursor.fetchall())


@cache
def synonyms() -> Synonyms:
    """Return the synonyms as stems, read once a process, without phrases cut to one stem."""
    lines = [line for line in SYNONYMS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    told = [[split(phrase) for phrase in line.rpartition(":")[2].split(",")] for line in lines]
    stem_of = stems(word for line in told for phrase in line for word in phrase)
    of: dict[tuple[str, ...], frozenset[tuple[str, ...]]] = {}
    passed: dict[str, set[str]] = {"ignore": set(), "everywhere": set()}
    for line, phrases in zip(lines, told, strict=True):
        stemmed = [(len(phrase), tuple(filter(None, map(stem_of.get, phrase)))) for phrase in phrases]
        if mark := line.rpartition(":")[0]:
            passed[mark] |= {stem for _, phrase in stemmed for stem in phrase}
            continue
        group = frozenset(phrase for size, phrase in stemmed if len(phrase) > 1 or size == len(phrase) == 1)
        for phrase in group:
            of[phrase] = of.get(phrase, frozenset()) | group
    return Synonyms(of, frozenset(passed["ignore"]), frozenset(passed["everywhere"]))


def asked(text: str, kept: str) -> list[Asked]:
    """Return a question's words without stop words, and its phrases with synonyms.

    `kept`: the table and column of the words that are searched, such as "adoption_lessonwords.words". A word that
    none of its rows has is replaced by the nearest known word. Three queries at most.
    """
    stem_of = stems(words := split(text[:LONGEST_SENTENCE])[:MOST_IN_SENTENCE])
    known = synonyms()
    told = [(word, stem_of[word]) for word in words if stem_of[word]]
    found = {(stem,): word for word, stem in told if stem not in known.ignored}
    for size in (2, 3):
        for start in range(len(told) - size + 1):
            words, phrase = zip(*told[start : start + size], strict=True)
            if phrase in known.of:
                found[phrase] = " ".join(words)
    meant = _fixed([stem for (stem, *more) in found if not more and (stem,) not in known.of], kept)
    others = {phrase: known.of.get(phrase, frozenset()) - {phrase} for phrase in found}
    return [
        Asked(said, _any([tuple(meant.get(stem, stem) for stem in phrase)]), _any(others[phrase]))
        for phrase, said in found.items()
    ]


def _any(phrases: Iterable[tuple[str, ...]]) -> str:
    """Return the `tsquery` text for one of these phrases. Stems have letters and figures only."""
    return " | ".join("(" + " & ".join(f"'{stem}'" for stem in phrase) + ")" for phrase in sorted(phrases))


def _fixed(wanted: list[str], kept: str) -> dict[str, str]:
    """Return the nearest known stem of unknown stems, one typo away, or two for long ones."""
    if not wanted:
        return {}
    table, column = kept.split(".")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT stem FROM unnest(%s::text[]) AS t (stem) WHERE NOT EXISTS (SELECT FROM {table}"
            f" WHERE {column} @@ quote_literal(stem)::tsquery)",
            [wanted],
        )
        strange = [stem for (stem,) in cursor.fetchall() if len(stem) > 3 and stem.isalpha()]
        if not strange:
            return {}
        cursor.execute(
            "SELECT word FROM ts_stat(%s) ORDER BY ndoc DESC, word", [f"SELECT {column} FROM {table}"]
        )
        there = [word for (word,) in cursor.fetchall()]
    near = {
        stem: process.extractOne(stem, there, scorer=OSA.distance, score_cutoff=1 if len(stem) < 7 else 2)
        for stem in strange
    }
    return {stem: one[0] for stem, one in near.items() if one}
