"""How well duplicates are told at registration: `python -m tests.labelled.duplicates [HALF ...] [--keep]`.

Each first row of a labelled pair is typed as somebody who registers it would, its unit chosen, with all of the other
3,610 rows in the portfolio: is the second row offered as probably the same, and is it among the cases shown at all?
Precision and recall on each half, with and without the pairs that can be argued; of the held-out halves no pair is
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
HALVES = ("tuning", "held_out", "fresh_learning", "fresh_held_out")
READ = ("tuning", "fresh_learning")  # pairs that may be looked at
ARGUED = "can be argued"


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


def pairs(half: str, argued: bool = True) -> list[dict]:
    """The pairs of one half; with those whose label can be argued, or without."""
    file = "duplicates_fresh.json" if half.startswith("fresh") else "duplicates.json"
    rows = json.loads((HERE / file).read_text(encoding="utf-8"))
    held = half.endswith("held_out")
    return [row for row in rows if row["held_out"] == held and (argued or ARGUED not in row["why"])]


def score(half: str, offered: Callable[[dict], bool], argued: bool = True) -> Score:
    """How well one half does, by whether the second row of a pair is `offered` to who registers the first."""
    result = Score()
    for pair in pairs(half, argued):
        right = offered(pair)
        result.found += right and pair["same"]
        result.missed += pair["same"] and not right
        result.false += right and not pair["same"]
        if right != pair["same"] and half in READ:
            word = "missed" if pair["same"] else "false"
            result.misses.append(
                f"{pair['id']} {word}: {pair['one']['title']} ~ {pair['other']['title']} ({pair['why']})"
            )
    return result


def by_words() -> Callable[[dict], bool]:
    """The rules by themselves, without a database: how rare a word is, counted over all rows of the extract.

    As on the page, the unit is known of both, the vendor of the second only.
    """
    from initiatives.likeness import Undertaking, compare, rarity, stem, telling, words

    rows = portfolio.rows()
    counted = Counter(
        one for row in rows for one in {stem(word) for word in telling(words(f"{row.title} {row.problem}"))}
    )
    rare = {one: rarity(cases, len(rows)) for one, cases in counted.items()}

    units = {row.line: row.unit for row in rows}
    keys = {unit: key for key, unit in enumerate(dict.fromkeys(units.values()), start=1)}

    def offered(pair: dict) -> bool:
        vendor = pair["other"]["vendor"]
        one, other = (
            Undertaking(row["title"], row["problem"], vendors, keys[units[row["line"]]])
            for row, vendors in ((pair["one"], ()), (pair["other"], (vendor,) if vendor else ()))
        )
        asked = {stem(word) for word in words(f"{one.title} {one.problem}")}
        return compare(one, other, {word: rare[word] for word in asked & rare.keys()}, typing=True).same

    return offered


@dataclass
class Register:
    """What the page offers over the whole portfolio, by the `keys` of its cases and of their `units`."""

    keys: dict[int, int]
    units: dict[int, int]
    found: dict[str, tuple[bool, bool, bool]] = field(default_factory=dict)

    def same(self, pair: dict) -> bool:
        """Whether the second row is offered as probably the same."""
        return self._asked(pair)[0]

    def shown(self, pair: dict) -> bool:
        """Whether the second row is among the cases that the page shows."""
        return self._asked(pair)[1]

    def crowded(self, pair: dict) -> bool:
        """Whether it is probably the same, but stands behind as many others as the page shows."""
        return self._asked(pair)[2]

    def _asked(self, pair: dict) -> tuple[bool, bool, bool]:
        from initiatives import similar
        from initiatives.likeness import Undertaking

        if pair["id"] not in self.found:
            one, other = self.keys[pair["one"]["line"]], self.keys[pair["other"]["line"]]
            asked = Undertaking(pair["one"]["title"][:200], pair["one"]["problem"], unit=self.units[one])
            near = similar.nearest({one: asked}, typing=True)[one]
            same = [key for key, like in near if like.same]
            shown = [key for key, _ in near[: similar.SHOWN]]
            self.found[pair["id"]] = (other in same, other in shown, other in same[similar.SHOWN :])
        return self.found[pair["id"]]


def main() -> None:
    """Lay the portfolio down, score the halves, print."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("halves", nargs="*", default=HALVES)
    wanted.add_argument("--keep", action="store_true", help="keep the portfolio for the next run")
    given = wanted.parse_args()
    cases = len(portfolio.rows())
    with place.database(f"portfolio_{cases}" if given.keep else None):
        from initiatives.models import Initiative

        register = Register(portfolio.found(cases), dict(Initiative.objects.values_list("pk", "unit_id")))
        for half in given.halves:
            for argued in (True, False) if half.startswith("fresh") else (True,):
                _told(half, register, argued)


def _told(half: str, register: Register, argued: bool) -> None:
    result = score(half, register.same, argued)
    list_of = score(half, register.shown, argued)
    crowded = sum(register.crowded(pair) for pair in pairs(half, argued))
    print(
        f"{half:14} {'all' if argued else 'not arguable':12} precision {result.precision():.3f}"
        f"  recall {result.recall():.3f}  (rightly offered {result.found}, missed {result.missed}, for nothing"
        f" {result.false}; {crowded} offered behind five others that are probably the same); of those that are the"
        f" same {list_of.recall():.3f} are among the cases shown"
    )
    if argued:
        print("\n".join("  " + line for line in result.misses), end="\n" if result.misses else "")


if __name__ == "__main__":
    main()
