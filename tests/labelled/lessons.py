"""Labelled questions to the library of lessons (README.md): what a search is measured by."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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
    """The questions of one half; whoever mends the search reads only those for tuning."""
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
