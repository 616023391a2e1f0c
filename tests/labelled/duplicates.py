"""How well duplicates are told at registration: `python -m tests.labelled.duplicates [tuning|held_out] [--keep]`.

Each first row of a labelled pair is typed as somebody who registers it would, with all of the other 3,610 rows in
the portfolio:
is the second row offered as probably the same? Precision and recall on both halves; of the held-out half no pair is
named (README.md).
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import place, portfolio

HERE = Path(__file__).parent
HALVES = ("tuning", "held_out")


@dataclass
class Score:
    """Pairs counted: rightly offered, missed, offered for nothing."""

    found: int = 0
    missed: int = 0
    false: int = 0
    misses: list[str] = field(default_factory=list)

    def precision(self) -> float:
        """The share of what was offered that is the same."""
        return self.found / (self.found + self.false or 1)

    def recall(self) -> float:
        """The share of pairs that are the same which was offered."""
        return self.found / (self.found + self.missed or 1)


def pairs(half: str) -> list[dict]:
    """The pairs of one half."""
    rows = json.loads((HERE / "duplicates.json").read_text(encoding="utf-8"))
    return [row for row in rows if row["held_out"] == (half == "held_out")]


def score(half: str, offered: Callable[[dict], bool]) -> Score:
    """How well one half does, by whether the second row of a pair is `offered` to who registers the first."""
    result = Score()
    for pair in pairs(half):
        right = offered(pair)
        result.found += right and pair["same"]
        result.missed += pair["same"] and not right
        result.false += right and not pair["same"]
        if right != pair["same"] and half == "tuning":
            word = "missed" if pair["same"] else "false"
            result.misses.append(
                f"{pair['id']} {word}: {pair['one']['title']} ~ {pair['other']['title']} ({pair['why']})"
            )
    return result


def by_words() -> Callable[[dict], bool]:
    """The rules by themselves, without a database: how rare a word is, counted over all rows of the extract."""
    from initiatives.likeness import Undertaking, compare, rarity, stem, telling, words

    rows = portfolio.rows()
    counted = Counter(
        one for row in rows for one in {stem(word) for word in telling(words(f"{row.title} {row.problem}"))}
    )
    rare = {one: rarity(cases, len(rows)) for one, cases in counted.items()}

    def offered(pair: dict) -> bool:
        one, other = (Undertaking(pair[which]["title"], pair[which]["problem"]) for which in ("one", "other"))
        asked = {stem(word) for word in words(f"{one.title} {one.problem}")}
        return compare(one, other, {word: rare[word] for word in asked & rare.keys()}, typing=True).same

    return offered


def by_register(keys: dict[int, int]) -> tuple[Callable[[dict], bool], list[str]]:
    """What the page offers over the whole portfolio, by the `keys` of its cases; and the pairs that are offered behind
    five others that are probably the same."""
    from initiatives import similar
    from initiatives.likeness import Undertaking

    crowded = []

    def offered(pair: dict) -> bool:
        one, other = keys[pair["one"]["line"]], keys[pair["other"]["line"]]
        asked = Undertaking(pair["one"]["title"][:200], pair["one"]["problem"])
        same = [key for key, like in similar.nearest({one: asked}, typing=True)[one] if like.same]
        if other in same[similar.SHOWN :]:
            crowded.append(pair["id"])
        return other in same

    return offered, crowded


def main() -> None:
    """Lay the portfolio down, score the halves, print."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("halves", nargs="*", default=HALVES)
    wanted.add_argument("--keep", action="store_true", help="keep the portfolio for the next run")
    given = wanted.parse_args()
    cases = len(portfolio.rows())
    with place.database(f"portfolio_{cases}" if given.keep else None):
        keys = portfolio.found(cases)
        for half in given.halves:
            offered, crowded = by_register(keys)
            result = score(half, offered)
            print(
                f"{half:9} precision {result.precision():.3f}  recall {result.recall():.3f}  (rightly offered"
                f" {result.found}, missed {result.missed}, for nothing {result.false}; {len(crowded)} offered"
                " behind five others that are probably the same)"
            )
            print("\n".join("  " + line for line in result.misses), end="\n" if result.misses else "")


if __name__ == "__main__":
    main()
