"""How well the finder of conflicts does on the labelled pairs: `python -m tests.labelled [half ...]`, see HALVES.

Precision and recall by facet and over all, and of what may be read each miss. Of the held-out half only totals are
shown (README.md): a pair that was looked at belongs to the tuning half.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from initiatives import disagreeing

HERE = Path(__file__).parent
HALVES = ("tuning", "more", "fresh", "later", "rules", "trades",
          "unseen", "rules_unread", "trades_unread", "hard", "held_out")  # fmt: skip
# What the trees are grown on, and whoever mends the finder may read.
READ = ("tuning", "more", "fresh", "later", "rules", "trades")


@dataclass
class Score:
    """Answers counted per pair and facet."""

    found: Counter = field(default_factory=Counter)
    missed: Counter = field(default_factory=Counter)
    false: Counter = field(default_factory=Counter)
    severity: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, pair: dict) -> None:
        """Count what the finder says of one pair."""
        named = {
            one.facet: one for one in disagreeing.find(definition(pair["one"]), definition(pair["other"]))
        }
        expected = dict(pair["expect"])
        for facet in {*named, *expected}:
            if facet in named and facet in expected:
                self.found[facet] += 1
                self.severity += named[facet].severity == expected[facet]
            elif facet in expected:
                self.missed[facet] += 1
                self.misses.append(f"{pair['id']} missed {facet}: {pair['why']}")
            else:
                self.false[facet] += 1
                self.misses.append(f"{pair['id']} false {facet}: {named[facet].words}")

    def precision(self, facet: str = "") -> float:
        """The share of named conflicts that are ones; of one facet, or of all."""
        return _share(_of(self.found, facet), _of(self.false, facet))

    def recall(self, facet: str = "") -> float:
        """The share of conflicts that were named."""
        return _share(_of(self.found, facet), _of(self.missed, facet))

    def lines(self) -> list[str]:
        """The figures as text, facet by facet and over all."""
        facets = sorted({*self.found, *self.missed, *self.false})
        rows = [(facet, facet) for facet in facets] + [("all", "")]
        return [
            f"{name:18} precision {self.precision(facet):.3f}  recall {self.recall(facet):.3f}  "
            f"(found {_of(self.found, facet)}, missed {_of(self.missed, facet)}, false {_of(self.false, facet)})"
            for name, facet in rows
        ] + [f"severity right in {self.severity} of {_of(self.found, '')} found"]


def _of(counted: Counter, facet: str) -> int:
    return counted[facet] if facet else sum(counted.values())


def _share(right: int, wrong: int) -> float:
    return right / (right + wrong) if right + wrong else 1.0


def definition(row: dict) -> disagreeing.Definition:
    """A definition as the finder takes it."""
    days = {key: date.fromisoformat(row[key]) if row[key] else None for key in ("valid_from", "valid_to")}
    return disagreeing.Definition(**row | days)


def score(half: str) -> Score:
    """How well the finder does on one half."""
    result = Score()
    for pair in json.loads((HERE / f"definitions_{half}.json").read_text(encoding="utf-8")):
        result.add(pair)
    return result


if __name__ == "__main__":
    for half in sys.argv[1:] or HALVES[:1]:
        result = score(half)
        print(half)
        print("\n".join("  " + line for line in result.lines()))
        if half in READ:
            print("\n".join("  " + line for line in sorted(result.misses)))
