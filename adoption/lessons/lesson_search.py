"""The library of lessons, searched in plain language by the database's full text (`governance/text_search`).

A word counts for the more, the fewer lessons have it, and for less where only what means the same is there.
"""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from adoption.models import Lesson
from governance.database.embeddings import by_meaning
from governance.database.text_search import LONGEST_SENTENCE, asked
from governance.models import User
from initiatives.lifecycle.access import permissions as initiative_permissions

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
    """A lesson found, with the words of the question that it answers to."""

    lesson: int
    rank: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """What a question finds among what somebody may read; `by_meaning`: in the order of the company's service."""

    hits: list[Hit]
    by_meaning: bool = False


def readable(person: User) -> QuerySet[Lesson]:
    """The lessons of the library that somebody may read: all but those of confidential initiatives they do not see."""
    seen = initiative_permissions.visible_to(person).filter(pk=OuterRef("post_mortem__initiative"))
    open_initiative = (
        Q(post_mortem__isnull=True) | Q(post_mortem__initiative__confidential=False) | Exists(seen)
    )
    return offered().filter(open_initiative)


def offered() -> QuerySet[Lesson]:
    """The lessons of the library: confirmed by the adoption seat, or from outside and confirmed, and not taken out."""
    return Lesson.objects.filter(words__isnull=False)


def search(question: str, among: QuerySet[Lesson] | None = None, most: int = SHOWN) -> list[Hit]:
    """The lessons that answer a question best, best first; `among` these where they are given.

    `among` is a set by filters: what is readable is asked of the hits, which are few.
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
    """The lessons that the person may read and that answer a question best, best first; `among` as in `search`."""
    found = search(question, among)
    rows = readable(person).select_related("post_mortem__initiative").in_bulk([hit.lesson for hit in found])
    hits = [hit for hit in found if hit.lesson in rows]
    order = by_meaning(question, [_sent(rows[hit.lesson]) for hit in hits])
    return Answers(hits if order is None else [hits[place] for place in order], by_meaning=order is not None)


def _sent(lesson: Lesson) -> str:
    """What the company's service is sent of a lesson: nothing of a confidential initiative."""
    secret = lesson.post_mortem_id is not None and lesson.post_mortem.initiative.confidential
    return "" if secret else f"{lesson.text} {lesson.instead}"
