"""The library of lessons, searched in plain language: full text of the database, a thesaurus, and slips of the pen.

Each word of a question is looked for as it is, in the words that mean the same (`library_words.txt`), and, where no
lesson has it, as the known word it is one or two letters away from. A word counts for the more, the fewer lessons have
it. Only the rarer words choose what is looked at, so that an answer costs the same in a library of any size.
"""

import itertools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from adoption.models import Lesson, LessonLexeme
from governance.models import User
from initiatives import permissions

LONGEST = 400  # letters of a question
MOST_WORDS = 30
LOOKED_AT = 1200  # lessons that the rarer words of a question may choose, roughly
CHOSEN = 3000  # lessons at most that are ranked
SHOWN = 100  # lessons in an answer
FULL = 0.6079  # what ts_rank gives for one word in the place that counts most
FAINT = 0.55  # what a word that means the same counts for outside the lesson's own text
ALIKE = 0.6  # what a word that means the same counts for, beside the word itself
WEIGHTS = (
    "{0.15, 0.45, 0.7, 1.0}"  # where a word stands: layer and case, marks, what to do instead, the lesson
)
SHORTEST_SLIP, LONGEST_SLIP = 4, 30  # letters of a word in which slips are looked for
WORDS_FILE = Path(__file__).parent / "library_words.txt"


@dataclass(frozen=True)
class Meaning:
    """One thing a question asks for: its words, and the words that mean the same, as the database looks for them.

    `alike` is "" where only the word itself will do. `common`: in how many lessons it stands, roughly.
    """

    said: str
    own: str
    alike: str = ""
    own_in: int = 0
    common: int = 0

    @property
    def any(self) -> str:
        """Either of them."""
        return " | ".join(f"({one})" for one in (self.own, self.alike) if one)


@dataclass(frozen=True)
class Hit:
    """A lesson found, with the words of the question that it answers to."""

    lesson: int
    rank: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thesaurus:
    """Groups of phrases that mean the same, each phrase as stems; which groups a phrase begins; what is passed over.

    `ignored`: in questions; `everywhere`: also where lessons are held beside a case, because every case says it.
    """

    groups: tuple[tuple[tuple[str, ...], ...], ...]
    of_phrase: dict[tuple[str, ...], tuple[int, ...]]
    ignored: frozenset[str]
    everywhere: frozenset[str]
    longest: int


def readable(person: User) -> QuerySet[Lesson]:
    """The lessons of the library that somebody may read: all but those of confidential cases they do not see."""
    seen = permissions.visible_to(person).filter(pk=OuterRef("post_mortem__initiative"))
    open_case = Q(post_mortem__isnull=True) | Q(post_mortem__initiative__confidential=False) | Exists(seen)
    return offered().filter(open_case)


def offered() -> QuerySet[Lesson]:
    """The lessons of the library: confirmed by the adoption seat, or from outside and confirmed, and not taken out."""
    return Lesson.objects.filter(words__isnull=False)


def search(question: str, among: QuerySet[Lesson] | None = None, most: int = SHOWN) -> list[Hit]:
    """The lessons that answer a question best, best first; `among` these where they are given.

    `among` is a set by filters: what is readable is asked of the hits, which are few.
    """
    meanings, total = understood(question)
    chosen = _choice(meanings, total)
    if not chosen:
        return []
    parts, values = [], []
    for one in meanings:
        part = "%s * ts_rank(%s::float4[], words, %s::tsquery)"
        values += [_weight(one.own_in, total) / FULL, WEIGHTS, one.own]
        if one.alike:
            like = _weight(one.common, total) * ALIKE
            part = (
                f"GREATEST({part}, CASE WHEN words @@ %s::tsquery THEN %s"
                " WHEN words @@ %s::tsquery THEN %s ELSE 0 END)"
            )
            values += [_in_text(one.alike), like, one.alike, like * FAINT]
        parts.append(part)
    rank = " + ".join(parts)
    within, filtered = "", []
    if among is not None:
        sql, filtered = among.order_by().values("pk").query.sql_with_params()
        within = f" AND lesson_id IN ({sql})"
    told = ", ".join(["words @@ %s::tsquery"] * len(meanings))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH chosen AS MATERIALIZED (
              SELECT lesson_id, words FROM adoption_lessonwords WHERE words @@ %s::tsquery{within} LIMIT {CHOSEN}
            ), ranked AS (
              SELECT lesson_id, words, ({rank}) / (0.75 + length(words) / 200.0) AS rank FROM chosen
               ORDER BY rank DESC, lesson_id DESC LIMIT %s
            )
            SELECT lesson_id, rank, ARRAY[{told}] FROM ranked ORDER BY rank DESC, lesson_id DESC
            """,
            [chosen, *filtered, *values, most, *(one.any for one in meanings)],
        )
        rows = cursor.fetchall()
    return [
        Hit(key, float(found), tuple(one.said for one, there in zip(meanings, has, strict=True) if there))
        for key, found, has in rows
    ]


def understood(question: str) -> tuple[list[Meaning], int]:
    """What a question asks for, without its little words; and how many lessons there are."""
    words = split(question[:LONGEST])[:MOST_WORDS]
    stems = stems_of(words)
    known = thesaurus()
    asked = [(word, stem) for word, stem, little in stems if not little and stem not in known.ignored]
    phrases = _phrases([stem for _, stem, _ in stems], known)
    groups: dict[str, set[int]] = {}
    for _, stem in asked:
        groups.setdefault(stem, set()).update(known.of_phrase.get((stem,), ()))
    wanted = {stem for _, stem in asked}
    for found in (*groups.values(), *(of for _, of in phrases)):
        wanted |= {stem for group in found for phrase in known.groups[group] for stem in phrase}
    count, total = counted(wanted)
    slips = _slips([stem for stem in groups if not count.get(stem) and not groups[stem]])
    meanings: dict[str, Meaning] = {}
    for word, stem in asked:
        if stem in meanings:
            continue
        own = [stem, *slips.get(stem, ())]
        own_in = sum(count.get(one, 0) for one in own) or (1 if stem in slips else 0)
        alike = _alike(groups[stem], {(stem,)}, known, count)
        meanings[stem] = Meaning(
            word, " | ".join(_quoted(one) for one in own), alike[0], own_in, own_in + alike[1]
        )
    for phrase, of in phrases:
        alike = _alike(of, {phrase}, known, count)
        own_in = min((count.get(stem, 0) for stem in phrase), default=0)
        meanings[" ".join(phrase)] = Meaning(
            " ".join(phrase), _joined(phrase), alike[0], own_in, own_in + alike[1]
        )
    return [one for one in meanings.values() if one.common], total


def _alike(groups: Iterable[int], own: set, known: Thesaurus, count: dict[str, int]) -> tuple[str, int]:
    """The other phrases of these groups that any lesson may have, as one question, and how common they are."""
    others = {phrase for group in groups for phrase in known.groups[group]} - own
    there = sorted(
        (phrase for phrase in others if all(count.get(stem) for stem in phrase)),
        key=lambda phrase: (len(phrase), phrase),
    )
    common = sum(min(count[stem] for stem in phrase) // len(phrase) ** 2 for phrase in there)
    return " | ".join(_joined(phrase) for phrase in there), common


def _phrases(stems: list[str], known: Thesaurus) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """The phrases of several words in a question that the thesaurus knows, the longest first, none inside another."""
    found, place = [], 0
    while place < len(stems):
        for size in range(min(known.longest, len(stems) - place), 1, -1):
            phrase = tuple(stems[place : place + size])
            if phrase in known.of_phrase:
                found.append((phrase, known.of_phrase[phrase]))
                place += size - 1
                break
        place += 1
    return found


def _choice(meanings: list[Meaning], total: int) -> str:
    """What a lesson must have to be looked at: one of the rarer words, or two or three of the common ones together.

    How many have several together is guessed as if words knew nothing of each other.
    """
    by_rarity = sorted(meanings, key=lambda one: one.common)
    ways, left = [], float(LOOKED_AT)
    for size in (1, 2, 3):
        for some in itertools.combinations(by_rarity[:12], size):
            guessed = total * math.prod(min(one.common / max(total, 1), 1.0) for one in some)
            if guessed <= left and not any(set(way) <= set(some) for way in ways):
                ways.append(some)
                left -= guessed
    if not ways:
        ways = [tuple(by_rarity[:3])] if by_rarity else []
    return " | ".join("(" + " & ".join(f"({one.any})" for one in some) + ")" for some in ways[:24])


def _weight(documents: int, total: int) -> float:
    """What a word counts for that stands in so many of all lessons: BM25's inverse document frequency."""
    return math.log(1 + (max(total, documents) - documents + 0.5) / (documents + 0.5))


def _quoted(stem: str) -> str:
    return "'" + stem.replace("\\", "").replace("'", "''") + "'"


def _joined(phrase: tuple[str, ...]) -> str:
    joined = " <-> ".join(_quoted(stem) for stem in phrase)
    return f"({joined})" if len(phrase) > 1 else joined


def _in_text(question: str) -> str:
    """The same, asked of the lesson itself and of what to do instead."""
    return re.sub(r"'(?=$|[ )])", "':AB", question)


def counted(stems: Iterable[str]) -> tuple[dict[str, int], int]:
    """In how many lessons each of these stems stands, and how many lessons there are."""
    rows = LessonLexeme.objects.filter(lexeme__in={*stems, ""}).values_list("lexeme", "documents")
    found = dict(rows)
    return found, found.pop("", 0)


def stems_of(words: list[str]) -> list[tuple[str, str, bool]]:
    """Each word with its stem and whether it is one of the little words of the language."""
    if not words:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, coalesce((ts_lexize('plumbline_stem', word))[1], word),"
            " ts_lexize('english_stem', word) = '{}' FROM unnest(%s::text[]) WITH ORDINALITY AS t (word, place)"
            " ORDER BY place",
            [words],
        )
        return cursor.fetchall()


@cache
def thesaurus() -> Thesaurus:
    """The thesaurus as stems, read once a process."""
    lines = [line for line in WORDS_FILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    told = [[phrase.strip() for phrase in line.rpartition(":")[2].split(",")] for line in lines]
    words = sorted({word for line in told for phrase in line for word in split(phrase)})
    stem_of = {word: stem for word, stem, _ in stems_of(words)}
    groups, of_phrase = [], {}
    passed: dict[str, set[str]] = {"ignore": set(), "everywhere": set()}
    for line, phrases in zip(lines, told, strict=True):
        stems = tuple(
            dict.fromkeys(tuple(stem_of[word] for word in split(phrase)) for phrase in phrases if phrase)
        )
        if mark := line.rpartition(":")[0]:
            passed[mark] |= {stem for phrase in stems for stem in phrase}
            continue
        for phrase in stems:
            of_phrase[phrase] = (*of_phrase.get(phrase, ()), len(groups))
        groups.append(stems)
    return Thesaurus(
        tuple(groups),
        of_phrase,
        frozenset(passed["ignore"]),
        frozenset(passed["everywhere"]),
        max(map(len, of_phrase)),
    )


def split(phrase: str) -> list[str]:
    """The words of a text in small letters."""
    return re.findall(r"[^\W_]+", phrase.lower())


def _slips(stems: list[str]) -> dict[str, tuple[str, ...]]:
    """For each of these stems, which no lesson has, the known ones it is a slip of the pen away from, nearest first."""
    asked = [stem for stem in stems if SHORTEST_SLIP <= len(stem) <= LONGEST_SLIP and stem.isalpha()]
    if not asked:
        return {}
    wanted = Q()
    for stem in asked:
        near = Q(lexeme__startswith=stem[0]) | Q(lexeme__startswith=stem[1])
        wanted |= near & Q(lexeme__regex=f"^.{{{len(stem) - 2},{len(stem) + 2}}}$")
    known = list(LessonLexeme.objects.filter(wanted, documents__gt=0).values_list("lexeme", "documents"))
    found = {}
    for stem in asked:
        most = 1 if len(stem) < 7 else 2
        near = sorted(
            (gone, -documents, other)
            for other, documents in known
            if abs(len(other) - len(stem)) <= most and (gone := distance(stem, other, most)) <= most
        )
        if near:
            found[stem] = tuple(other for gone, _, other in near if gone == near[0][0])[:3]
    return found


def distance(one: str, other: str, most: int) -> int:
    """How many letters are missing, too many, wrong or swapped with the next; more than `most` is `most` + 1."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        oldest, before = before, row
        row = [place]
        for there, beside in enumerate(other, start=1):
            cost = min(before[there] + 1, row[-1] + 1, before[there - 1] + (letter != beside))
            if place > 1 and there > 1 and letter == other[there - 2] and one[place - 2] == beside:
                cost = min(cost, oldest[there - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
