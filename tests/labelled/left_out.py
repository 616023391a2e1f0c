"""How well the finder answers sets that it learnt nothing from: `python -m tests.labelled.left_out [half ...]`.

Each set of these halves in turn is read as if its trade were unknown, by weights fitted on all the others: a change is
for the better where it is so here, whatever it does on a half that was learnt from. About a minute.
"""

import sys
from collections import Counter, defaultdict
from json import loads

from initiatives import disagreeing
from initiatives.disagreeing import weighing
from tests.labelled import weights
from tests.labelled.__main__ import FITTED, HERE, definition

# As people write definitions; the minimal contrasts may be named as well.
HALVES = (*FITTED, "later", "unseen")


def sets(halves: tuple[str, ...]) -> dict[str, list[dict]]:
    """The pairs of these halves by the set that they were written for: the letter of the id, or the whole half."""
    found = defaultdict(list)
    for half in halves:
        for pair in loads((HERE / f"definitions_{half}.json").read_text(encoding="utf-8")):
            found[half if half in ("tuning", "more") else pair["id"][0]].append(pair)
    return dict(found)


def main(halves: tuple[str, ...]) -> None:
    """Print precision and recall by facet and over all, of every set left out in its turn."""
    pairs = sets(halves)
    counted: dict[str, Counter] = defaultdict(Counter)
    with weights.Blanked().standing_in() as blanked:
        examples, gone = weights.examples_of(pairs, blanked)
        for name, several in pairs.items():
            fitted = {
                question: weights.fitted(
                    [row for row in rows if row.group != name], weights.asked(question, rows)
                )
                for question, rows in examples.items()
            }
            weighing.weights = lambda fitted=fitted: fitted
            blanked.gone = gone[name]
            blanked.forget()
            for pair in several:
                one, other = definition(pair["one"]), definition(pair["other"])
                named = {found.facet for found in disagreeing.find(one, other)}
                expected = {facet for facet, _ in pair["expect"]}
                for answer, facets in (
                    ("found", named & expected),
                    ("missed", expected - named),
                    ("false", named - expected),
                ):
                    for facet in facets:
                        counted[facet][answer] += 1
                        counted["all"][answer] += 1
    for facet in sorted(counted, key=lambda facet: (facet == "all", facet)):
        found, missed, false = (counted[facet][answer] for answer in ("found", "missed", "false"))
        precision, recall = found / max(1, found + false), found / max(1, found + missed)
        print(
            f"{facet:18} precision {precision:.3f}  recall {recall:.3f}  ({found}, {missed} missed, {false} false)"
        )


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or HALVES)
