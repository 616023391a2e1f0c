"""The library of lessons, searched by the database's full text (`governance/text_search`).

A rare word counts more than a frequent one. A synonym counts less than the word itself.
"""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from adoption.models import Lesson
from governance.database.embeddings import by_meaning
from governance.database.text_search import LONGEST_SENTENCE, asked
from governance.models import User
from initiatives.lifecycle.access import visibility

LONGEST = LONGEST_SENTENCE  # letters of a question
SHOWN = 100  # lessons in an answer
ALIKE = 0.6  # what a word that means the same counts for, beside the word itself
# How a place counts: layer and initiative, marks, what to do instead, the lesson. 33: a word that stands twice counts
# for little more than once, and one in a long lesson for less.
RANKED = "ts_rank_cd('{0.15, 0.45, 0.7, 1}', w.words, %s, 33)"
FOUND = f"""
WITH asked AS (
  SELECT said, own::tsquery, alike::tsquery, either::tsquery
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS a (said, own, alike, either)),
met AS (
  SELECT a.said, w.lesson_id,
         greatest({RANKED % "a.own"}, {ALIKE} * {RANKED % "a.alike"}) AS near,
         ln(1 + (SELECT count(*) FROM adoption_lessonwords) / count(*) OVER (PARTITION BY a.said)::float) AS rarity
    FROM asked a JOIN adoption_lessonwords w ON w.words @@ a.either)
SELECT lesson_id, sum(near * rarity) AS rank, array_agg(said ORDER BY near * rarity DESC)
  FROM met WHERE %s::bigint[] IS NULL OR lesson_id = ANY (%s)
 GROUP BY lesson_id ORDER BY rank DESC, lesson_id DESC LIMIT %s
"""


@dataclass(frozen=True)
class Hit:
    """A lesson found, with the words of the question that it matches."""

    lesson: int
    rank: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """The lessons that match a question for one person. `by_meaning`: in the order of the company's service."""

    hits: list[Hit]
    by_meaning: bool = False


def readable(person: User) -> QuerySet[Lesson]:
    """Return the lessons that the person may read. They include those of confidential initiatives they see."""
    seen = visibility.visible_to(person).filter(pk=OuterRef("post_mortem__initiative"))
    open_initiative = (
        Q(post_mortem__isnull=True) | Q(post_mortem__initiative__confidential=False) | Exists(seen)
    )
    return offered().filter(open_initiative)


def offered() -> QuerySet[Lesson]:
    """Return the lessons of the library: confirmed ones that were not taken out."""
    return Lesson.objects.filter(words__isnull=False)


def search(question: str, among: QuerySet[Lesson] | None = None, most: int = SHOWN) -> list[Hit]:
    """Return the lessons that answer a question best, best first.

    `among` limits the lessons to a set by filters. The few hits are checked for readability later.
    """
    wanted = asked(question, kept="adoption_lessonwords.words")
    if not wanted:
        return []
    keys = None if among is None else list(among.values_list("pk", flat=True))
    columns = [[getattr(one, name) for one in wanted] for name in ("said", "own", "alike", "either")]
    with connection.cursor() as cursor:
        cursor.execute(FOUND, [*columns, keys, keys, most])
        return [Hit(key, rank, tuple(words)) for key, rank, words in cursor.fetchall()]


def answers(question: str, person: User, among: QuerySet[Lesson] | None = None) -> Answers:
    """Return the readable lessons that answer a question best, best first. `among` as in `search`."""
    found = search(question, among)
    rows = readable(person).select_related("post_mortem__initiative").in_bulk([hit.lesson for hit in found])
    hits = [hit for hit in found if hit.lesson in rows]
    order = by_meaning(question, [_sent(rows[hit.lesson]) for hit in hits])
    return Answers(hits if order is None else [hits[place] for place in order], by_meaning=order is not None)


def _sent(lesson: Lesson) -> str:
    """Return the text of a lesson for the company's service. A confidential initiative's lesson gives ""."""
    secret = lesson.post_mortem_id is not None and lesson.post_mortem.initiative.confidential
    return "" if secret else f"{lesson.text} {lesson.instead}"
