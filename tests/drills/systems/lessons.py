"""How long the library of lessons takes to answer: `python -m tests.drills.systems.lessons [LESSONS] [--rounds 200]`.

Lessons in made-up words, as unevenly spread as words are, in six layers, with the synonyms among them;
questions in five to ten words, some that mean the same as what the lesson says, one in ten with a slip of the pen.
Exits with 1 where one in twenty takes longer than 100 ms.
"""

import argparse
import json
import random
import statistics
import sys
import time

from tests.drills.company import place

MOST_MS = 100.0
LAYERS = ("model", "application", "integration", "policy", "runtime", "observability")
BEGIN = [
    "b",
    "br",
    "c",
    "d",
    "f",
    "g",
    "gr",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
]
MIDDLE = ["a", "e", "i", "o", "u", "ea", "ou"]
END = ["", "n", "r", "l", "nd", "rt", "sk", "m", "ve"]


def words(draw: random.Random, count: int = 9000) -> list[str]:
    """Words that nobody uses, each once, and the single synonyms among the common ones."""
    from governance.database.text_search import SYNONYMS

    made: dict[str, None] = {}
    while len(made) < count:
        syllables = [draw.choice(kind) for _ in range(2) for kind in (BEGIN, MIDDLE, END)]
        made["".join(syllables) + draw.choice(["", draw.choice(BEGIN) + draw.choice(MIDDLE)])] = None
    lines = SYNONYMS.read_text("utf-8").splitlines()
    told = sorted(
        {
            word.strip()
            for line in lines
            if line and line[0] not in "#" and not line.startswith("ignore:")
            for word in line.split(",")
            if word.strip().isalpha()
        }
    )
    draw.shuffle(told)
    for word in told:
        made.pop(word, None)
    others = list(made)
    return [one for pair in zip(told, others, strict=False) for one in pair] + others[len(told) :]


def lay_down(count: int, draw: random.Random) -> list[str]:
    """So many confirmed lessons from outside, written past the acts; returns their texts."""
    from django.db import connection

    from tests.support import factories

    cast = factories.make_cast()
    known = words(draw)
    weights = [1 / (rank + 8) for rank in range(len(known))]
    when = "2026-05-01T10:00:00+00:00"
    who = [cast.admin.pk, when, cast.seat_adoption.pk, when]
    texts = []
    with connection.cursor() as cursor:
        for table in ("adoption_lesson", "adoption_lessonwords"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        columns = (
            "text, instead, layer, pattern, tags, systems, vendors, source, source_link, entered_by_id,"
            " entered_at, confirmed_by_id, confirmed_at"
        )
        with cursor.copy(f"COPY adoption_lesson ({columns}) FROM STDIN") as copy:
            for number in range(count):
                drawn = draw.choices(known, weights, k=draw.randint(22, 50))
                text, instead = " ".join(drawn[:-10]), " ".join(drawn[-10:])
                texts.append(text)
                marks = [json.dumps(one) for one in ([drawn[0]], [number % 900], [f"Vendor {number % 400}"])]
                copy.write_row([text, instead, LAYERS[number % 6], "", *marks, "Public incident", "", *who])
        cursor.execute(
            "INSERT INTO adoption_lessonwords SELECT id, setweight(plumbline_lesson_words(text), 'A')"
            " || setweight(plumbline_lesson_words(instead), 'B') || setweight(plumbline_lesson_words("
            "   plumbline_listed(tags) || ' ; ' || plumbline_listed(vendors)), 'C')"
            " || setweight(plumbline_lesson_words(layer || ' ' || source), 'D'),"
            " ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(systems)),"
            " ARRAY(SELECT lower(value) FROM jsonb_array_elements_text(vendors)) FROM adoption_lesson"
        )
        for table in ("adoption_lesson", "adoption_lessonwords"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE adoption_lesson")
        cursor.execute("VACUUM ANALYZE adoption_lessonwords")
    return texts


def questions(texts: list[str], count: int, draw: random.Random) -> list[tuple[str, int]]:
    """Questions with the place of the lesson they were drawn from."""
    found = []
    for _ in range(count):
        place_of = draw.randrange(len(texts))
        drawn = draw.sample(texts[place_of].split(), draw.randint(5, 10))
        if draw.random() < 0.1:
            slip = draw.randrange(len(drawn))
            word = drawn[slip]
            drawn[slip] = word[:2] + word[3:2:-1] + word[4:] if len(word) > 4 else word
        found.append(("What did others learn about " + " ".join(drawn) + "?", place_of))
    return found


def main() -> int:
    """Lay down, ask, print; 1 where it is too slow."""
    asked = argparse.ArgumentParser()
    asked.add_argument("lessons", type=int, nargs="?", default=2_000)
    asked.add_argument("--rounds", type=int, default=200)
    given = asked.parse_args()
    draw = random.Random(7)
    with place.database():
        from adoption.lessons import lesson_search
        from adoption.models import Lesson

        began = time.perf_counter()
        texts = lay_down(given.lessons, draw)
        print(f"{given.lessons} lessons, laid down in {time.perf_counter() - began:.0f} s")
        first = Lesson.objects.order_by("pk").values_list("pk", flat=True)[0]
        lesson_search.search("warm up the synonyms")
        took, right = [], 0
        for question, of in questions(texts, given.rounds, draw):
            began = time.perf_counter()
            hits = lesson_search.search(question)
            took.append((time.perf_counter() - began) * 1000)
            right += first + of in {hit.lesson for hit in hits[:5]}
        took.sort()
        p95 = took[int(len(took) * 0.95) - 1]
        print(
            f"{given.rounds} questions: p50 {statistics.median(took):.1f} ms, p95 {p95:.1f} ms, most {took[-1]:.1f} ms;"
            f" the lesson they were drawn from among the first five {right / given.rounds:.2f}"
        )
    return int(p95 > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
