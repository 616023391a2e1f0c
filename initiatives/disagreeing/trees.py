"""The trees by which signs are weighed together: each sends the signs along its forks to a figure; the figures add up.

They stand in thesaurus/trees.txt, grown on the labelled pairs (`python -m tests.labelled.grow`): below the name of a
question the odds to begin with, and then each tree with a fork before its two branches, indented by one blank more.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from initiatives.disagreeing.tables import THESAURUS

# Between the sign of a fork and its bound: signs up to the bound go the first way, others the second.
UP_TO = " <= "


@dataclass(frozen=True)
class Fork:
    """One question about one sign, and what follows on either side of its bound: a further fork, or a figure."""

    sign: str
    bound: float
    up_to: "Fork | float"
    beyond: "Fork | float"


@dataclass(frozen=True)
class Grown:
    """The trees of one question, and the odds that hold without any sign."""

    begin: float
    trees: tuple[Fork | float, ...]

    def odds(self, signs: Mapping[str, float]) -> float:
        """How much speaks for a yes, as the logarithm of the odds. Raises KeyError where a sign is not given."""
        return self.begin + sum(_figure(tree, signs) for tree in self.trees)

    def signs(self) -> set[str]:
        """Every sign that some fork asks for."""
        return {sign for tree in self.trees for sign in _signs(tree)}


def _figure(tree: Fork | float, signs: Mapping[str, float]) -> float:
    while isinstance(tree, Fork):
        tree = tree.up_to if signs[tree.sign] <= tree.bound else tree.beyond
    return tree


def _signs(tree: Fork | float) -> Iterator[str]:
    if isinstance(tree, Fork):
        yield tree.sign
        yield from _signs(tree.up_to)
        yield from _signs(tree.beyond)


@functools.cache
def grown() -> dict[str, Grown]:
    """By question its trees, as trees.txt has them."""
    return read((THESAURUS / "trees.txt").read_text(encoding="utf-8"))


def read(text: str) -> dict[str, Grown]:
    """By question its trees. Raises ValueError where a line is no fork and no figure, or a branch is missing."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found: dict[str, Grown] = {}
    begins = [at for at, line in enumerate(lines) if not line.startswith(" ")]
    for at, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        rest = iter(lines[at + 1 : end])
        begin, forest = float(next(rest)), []
        for line in rest:
            forest.append(_tree(line, rest))
        found[lines[at]] = Grown(begin, tuple(forest))
    return found


def _tree(line: str, rest: Iterator[str]) -> Fork | float:
    """The tree that begins with this line; what belongs to it is taken from the rest."""
    sign, up_to, bound = line.strip().rpartition(UP_TO)
    if not up_to:
        return float(bound)
    branches = [_tree(following, rest) for _, following in zip(range(2), rest, strict=False)]
    if len(branches) < 2:
        raise ValueError(f"trees.txt: “{line.strip()}” has {len(branches)} of its two branches")
    return Fork(sign, float(bound), *branches)


def written(question: str, given: Grown) -> str:
    """One question and its trees as trees.txt has them."""
    lines = [question, f" {given.begin:.4f}"]
    for tree in given.trees:
        lines += _lines(tree, 1)
    return "\n".join(lines) + "\n"


def _lines(tree: Fork | float, depth: int) -> Iterator[str]:
    if not isinstance(tree, Fork):
        yield f"{' ' * depth}{tree:.4f}"
        return
    yield f"{' ' * depth}{tree.sign}{UP_TO}{tree.bound:.6g}"
    yield from _lines(tree.up_to, depth + 1)
    yield from _lines(tree.beyond, depth + 1)
