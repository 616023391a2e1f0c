"""How well the finder answers sets that it learnt nothing from: `python -m tests.labelled.left_out [half ...]`.

Each set of these halves in turn is read as if its trade were unknown, by trees grown on all the others: a change is
for the better where it is so here, whatever it does on a half that was learnt from. Two minutes.
"""

import sys
from unittest import mock

from initiatives.disagreeing import trees
from tests.labelled import grow
from tests.labelled.__main__ import Score

# As people write definitions; the minimal contrasts may be named as well.
HALVES = ("tuning", "more", "fresh", "later", "trades", "unseen")


def main(halves: tuple[str, ...]) -> None:
    """Print precision and recall by facet and over all, of every set left out in its turn."""
    sets, result = grow.groups(halves), Score()
    with grow.Blanked().standing_in() as blanked:
        examples, gone = grow.examples_of(sets, blanked)
        for name, pairs in sets.items():
            grown = {
                question: grow.grown(
                    question, [row for row in rows if row.group != name], grow.asked(question, rows)
                )
                for question, rows in examples.items()
            }
            blanked.gone = gone[name]
            blanked.forget()
            with mock.patch.object(trees, "grown", lambda grown=grown: grown):
                for pair in pairs:
                    result.add(pair)
    print("\n".join(result.lines()))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or HALVES)
