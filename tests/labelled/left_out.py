"""How well the finder answers sets that it learnt nothing from: `python -m tests.labelled.left_out [half ...]`.

Each set of these halves in turn is read as if its trade were unknown, by weights fitted on all the others: a change is
for the better where it is so here, whatever it does on a half that was learnt from. About a minute.
"""

import sys
from unittest import mock

from initiatives.disagreeing import weighing
from tests.labelled import weights
from tests.labelled.__main__ import FITTED, Score

# As people write definitions; the minimal contrasts may be named as well.
HALVES = (*FITTED, "later", "unseen")


def main(halves: tuple[str, ...]) -> None:
    """Print precision and recall by facet and over all, of every set left out in its turn."""
    sets, result = weights.groups(halves), Score()
    with weights.Blanked().standing_in() as blanked:
        examples, gone = weights.examples_of(sets, blanked)
        for name, pairs in sets.items():
            fitted = {
                question: weights.fitted(
                    [row for row in rows if row.group != name], weights.asked(question, rows)
                )
                for question, rows in examples.items()
            }
            blanked.gone = gone[name]
            blanked.forget()
            with mock.patch.object(weighing, "weights", lambda fitted=fitted: fitted):
                for pair in pairs:
                    result.add(pair)
    print("\n".join(result.lines()))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or HALVES)
