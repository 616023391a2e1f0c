"""Finding rows by words: one way to take a text apart, to ask the database's full text for it, and to forgive slips.

Two kinds of question. Names and titles are found by words as they were typed, whole or begun, in any language and with
or without accents: `Initiative.objects.filter(title__says="summ cust")`, answered by `GinIndex(Words("title"), ...)`;
the database splits them by one rule (`plumbline_split` in `migrations/before/search.sql`). Sentences are found by forms
of words: the English stemmer of the database, `synonyms.txt` beside this module, and rapidfuzz for a word that is
nowhere (`asked`). Either way what somebody typed reaches the database as words of letters and figures, bounded in
number.
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
    """Whether every word that is asked for begins one of the words kept."""

    lookup_name = "says"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        """`words @@ asked`, as the index answers it."""
        left, of_left = self.process_lhs(compiler, connection)
        return f"{left} @@ plumbline_asked(%s)", [*of_left, str(self.rhs)]


@CharField.register_lookup
@TextField.register_lookup
class TextSays(Says):
    """The same of a column of text: of its words."""

    def process_lhs(self, compiler, connection, lhs=None):
        """The words of the column."""
        left, of_left = super().process_lhs(compiler, connection, lhs)
        return f"plumbline_words({left})", of_left


def question(text: str) -> str:
    """What is looked for: the first words of what somebody typed, without single letters; "" when nothing is left.

    The database splits it again, by its own rule.
    """
    found = [word for word in text[:LONGEST].split() if _tells(word)]
    return " ".join(found[:MOST_WORDS])


def _tells(word: str) -> bool:
    letters = [letter for letter in word if letter.isalnum()]
    return len(letters) >= SHORTEST or any(letter.isdecimal() for letter in letters)


# Sentences


@dataclass(frozen=True)
class Asked:
    """A word or phrase that is looked for: as it was said, and itself and what means the same as `tsquery` text.

    `alike` is "" where only the word itself will do.
    """

    said: str
    own: str
    alike: str = ""

    @property
    def either(self) -> str:
        """The word itself or what means the same."""
        return " | ".join(filter(None, (self.own, self.alike)))


@dataclass(frozen=True)
class Synonyms:
    """What means the same: by phrase, as stems, the other phrases of its groups; and words that are passed over.

    `ignored`: in questions; `everywhere`: every initiative says them, so they tell nothing about one.
    """

    of: dict[tuple[str, ...], frozenset[tuple[str, ...]]]
    ignored: frozenset[str]
    everywhere: frozenset[str]


def split(text: str) -> list[str]:
    """The words of a text in small letters, letters and figures only, each of them cut to a bounded length."""
    return [word[:LONGEST_WORD] for word in re.findall(r"[^\W_]+", text.lower())]


def stems(words: Iterable[str]) -> dict[str, str]:
    """By word its English stem, as the database makes it; "" for the little words of the language."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, coalesce((ts_lexize('english_stem', word))[1], '') FROM unnest(%s::text[]) AS t (word)",
            [list(dict.fromkeys(words))],
        )
        return dict(cursor.fetchall())


@cache
def synonyms() -> Synonyms:
    """The file of synonyms as stems, read once a process. A phrase of which one stem is left is passed over."""
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
    """What a question in plain words asks for, without its little words: each word, and each phrase that has synonyms.

    `kept`: the table and column of the words that are searched, such as "adoption_lessonwords.words"; a word that
    none of its rows has is taken for the known word that it is a slip away from. Three queries at most.
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
    """One of these phrases, as text of a `tsquery`; stems have letters and figures only."""
    return " | ".join("(" + " & ".join(f"'{stem}'" for stem in phrase) + ")" for phrase in sorted(phrases))


def _fixed(wanted: list[str], kept: str) -> dict[str, str]:
    """By stem that no row has, the nearest one that some row has, one slip away or, for a longer word, two."""
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
