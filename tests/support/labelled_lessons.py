"""Labelled questions to the library of lessons: `python -m tests.support.labelled_lessons` prints recall@5."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.drills.company import place
from tests.support.paths import LABELLED

HALVES = ("tuning", "held_out")
ASKED_FOR = 5


@dataclass
class Score:
    """Per question the share of its lessons that came among the first five."""

    shares: list[float] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def recall(self) -> float:
        """The mean share over all questions: recall@5."""
        return sum(self.shares) / len(self.shares) if self.shares else 0.0

    def answered(self) -> float:
        """The share of questions for which at least one right lesson came."""
        return sum(share > 0 for share in self.shares) / len(self.shares) if self.shares else 0.0


def lessons() -> list[dict]:
    """Every lesson of the set, in its order."""
    return json.loads((LABELLED / "lessons.json").read_text(encoding="utf-8"))


def questions(half: str) -> list[dict]:
    """The questions of one half; whoever fixes the search reads only those for tuning."""
    rows = json.loads((LABELLED / "lesson_questions.json").read_text(encoding="utf-8"))
    return [row for row in rows if row["held_out"] == (half == "held_out")]


def score(half: str, search: Callable[[str], Iterable[str]]) -> Score:
    """How well `search` (a question in, ids of lessons out, best first) does on one half."""
    result = Score()
    for row in questions(half):
        found = list(search(row["question"]))[:ASKED_FOR]
        missing = [one for one in row["lessons"] if one not in found]
        result.shares.append(1 - len(missing) / len(row["lessons"]))
        if missing and half == "tuning":
            result.misses.append(f"{row['id']} “{row['question']}” lacks {', '.join(missing)}")
    return result


def lay_down() -> dict[int, str]:
    """Enter the labelled lessons into the library, past the acts; by key, what each is called in the set."""
    from adoption.models import Lesson
    from governance import clock
    from governance.database.row_history import acting, insert_many
    from initiatives.models import System
    from tests.support import factories

    told, cast, at = lessons(), factories.make_cast(), clock.now()
    by = {"entered_by": cast.admin, "confirmed_by": cast.seat_adoption}
    by |= {"entered_at": at, "confirmed_at": at}
    columns = ("text", "instead", "layer", "tags", "vendors", "source")
    with acting(system="drill"):
        names = sorted({name for one in told for name in one["systems"]})
        who = {"kind": "bought", "described_by": cast.lead, "described_at": at}
        systems = insert_many(System, [System(name=name, **who) for name in names])
        of = {system.name: system.pk for system in systems}
        rows = [
            Lesson(
                **{name: one[name] for name in columns},
                pattern=one["pattern"][:20],
                systems=[of[name] for name in one["systems"]],
                **by,
            )
            for one in told
        ]
        kept = insert_many(Lesson, rows)
    return {row.pk: one["id"] for row, one in zip(kept, told, strict=True)}


def main() -> None:
    """Print recall@5 of either half, and of the one for tuning what each question lacks."""
    with place.database():
        from adoption.lessons import lesson_search

        called = lay_down()
        for half in HALVES:
            result = score(half, lambda asked: [called[hit.lesson] for hit in lesson_search.search(asked)])
            print(f"{half}: recall@5 {result.recall():.3f}, answered {result.answered():.3f}")
            print("\n".join("  " + line for line in result.misses))


if __name__ == "__main__":
    main()
