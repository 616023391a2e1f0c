"""The trees that weigh the finder's signs, grown on labelled pairs: `python -m tests.labelled.grow`.

Each set is read as if its trade were unknown: without the words of the thesaurus and of its questions that no other set
uses. What it prints first is how well each set is told by trees grown on all others; then it writes
initiatives/disagreeing/thesaurus/trees.txt. About a minute.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json import loads

from sklearn.ensemble import GradientBoostingClassifier

from initiatives.disagreeing import Definition, meanings, questions, speaking, tables, vocabulary, weighing
from initiatives.disagreeing.trees import Fork, Grown, written
from initiatives.disagreeing.vocabulary import Lexicon, fold
from tests.labelled.__main__ import HERE, READ, definition

# How many trees a question has, and how many ends each of them: found best on sets left out.
SIZES = {"rule": (200, 6), "one thing": (120, 4), "two things": (120, 4)}
# How fast they learn, the share of the pairs and of the signs that each tree sees, how many pairs an end stands for.
LEARNING = {"learning_rate": 0.05, "subsample": 0.7, "max_features": 0.4, "min_samples_leaf": 20}
# Sets of which each pair counts half: there are more of them than of all others.
HALF = "PQRSTV"
REMARK = """# How signs are weighed together: grown from labelled pairs (python -m tests.labelled.grow), not by hand.
# A tree takes the first branch where the sign is up to its bound; the ends of all trees add up to the odds of a yes.
"""


@dataclass(frozen=True)
class Example:
    """The signs of one labelled pair, and whether the answer is yes."""

    group: str
    name: str
    signs: dict[str, float]
    yes: bool


def groups(halves: tuple[str, ...] = READ) -> dict[str, list[dict]]:
    """The pairs of these halves, by the set that they were written for: the letter of the id, or the whole half."""
    found = defaultdict(list)
    for half in halves:
        for pair in loads((HERE / f"definitions_{half}.json").read_text(encoding="utf-8")):
            found[half if half in ("tuning", "more") else pair["id"][0]].append(pair)
    return dict(found)


class Blanked:
    """The thesaurus with a part of its words and questions taken away, and what of it was asked for."""

    def __init__(self):
        self.asked: set = set()
        self.gone: set = set()

    @contextmanager
    def standing_in(self) -> Iterator["Blanked"]:
        """While this lasts the finder reads by it."""
        concept, firsts = Lexicon.concept, questions.firsts
        whole = firsts()

        def known(lexicon: Lexicon, key: tuple[str, ...]) -> str:
            if key in self.gone:
                return ""
            if found := concept(lexicon, key):
                self.asked.add(key)
            return found

        class Kept(dict):
            def get(kept, word, default=()):
                return [one for one in whole.get(word, default) if ("?", one[1]) not in self.gone]

        Lexicon.concept, questions.firsts = known, lambda: Kept()
        try:
            yield self
        finally:
            Lexicon.concept, questions.firsts = concept, firsts
            self.forget()

    def forget(self) -> None:
        """What was read before is read anew."""
        speaking.said.cache_clear()
        vocabulary.parts.cache_clear()
        weighing.rule.cache_clear()


def examples() -> dict[str, list[Example]]:
    """By question the examples of all sets, each set without the words that only it uses."""
    with Blanked().standing_in() as blanked:
        return examples_of(groups(), blanked)[0]


def examples_of(
    sets: dict[str, list[dict]], blanked: Blanked
) -> tuple[dict[str, list[Example]], dict[str, set]]:
    """The examples of these sets by question, and by set the words and phrases that only it uses."""
    found: dict[str, list[Example]] = defaultdict(list)
    used: dict[str, set] = {}
    for name, pairs in sets.items():
        blanked.asked = set()
        blanked.forget()
        _read(name, pairs)
        used[name] = set(blanked.asked) | _questions(pairs)
    counted = Counter(word for several in used.values() for word in several)
    gone = {name: {word for word in several if counted[word] == 1} for name, several in used.items()}
    for name, pairs in sets.items():
        blanked.gone = gone[name]
        blanked.forget()
        for question, example in _read(name, pairs):
            found[question].append(example)
    return found, gone


def asked(question: str, rows: list[Example]) -> list[str]:
    """The signs that are weighed for this question."""
    return [name for name in rows[0].signs if name not in NOT_ASKED[question]]


def _questions(pairs: list[dict]) -> set:
    """The phrases of questions that stand in these pairs."""
    found = set()
    for pair in pairs:
        for row in (pair["one"], pair["other"]):
            for text in (row["term"], row["meaning"], row["business_logic"]):
                said = [questions.bare(word) for word in vocabulary.words_of(text)]
                for at in range(len(said)):
                    for _, phrase, _ in questions.firsts().get(said[at], ()):
                        if tuple(said[at : at + len(phrase)]) == phrase:
                            found.add(("?", phrase))
    return found


def _read(group: str, pairs: list[dict]) -> list[tuple[str, Example]]:
    found = []
    for pair in pairs:
        one, other, expected = definition(pair["one"]), definition(pair["other"]), dict(pair["expect"])
        same = meanings.same_term(one.term, other.term)
        within = one.place == other.place
        if within or same:
            found += [("rule", example) for example in _rules(group, pair, one, other, within, expected)]
        if not within and not same:
            signs = weighing.signs_of_things(one, other)
            found.append(("one thing", Example(group, pair["id"], signs, "other_name" in expected)))
        if same and not within and fold(one.meaning).split() != fold(other.meaning).split():
            signs = weighing.signs_of_things(one, other)
            found.append(("two things", Example(group, pair["id"], signs, "same_name" in expected)))
    return found


def _rules(
    group: str, pair: dict, one: Definition, other: Definition, within: bool, expected: dict
) -> list[Example]:
    """The example of two rules; none where they are one or unknown, or the pair is a conflict for something else."""
    texts = one.business_logic, other.business_logic
    if not all(texts) or fold(texts[0]).split() == fold(texts[1]).split() or "same_name" in expected:
        return []
    if "validity" in expected and one.identifier_format != other.identifier_format:
        return []
    yes = bool({"business_logic", "validity"} & expected.keys())
    return [Example(group, pair["id"], weighing.signs_of_rule(*texts, within=within), yes)]


def grown(question: str, rows: list[Example], names: list[str]) -> Grown:
    """The trees of this question, grown on these examples; the same for the same examples."""
    size, ends = SIZES[question]
    learner = GradientBoostingClassifier(
        n_estimators=size, max_leaf_nodes=ends, max_depth=None, random_state=1, **LEARNING
    )
    learner.fit(
        [[row.signs[name] for name in names] for row in rows],
        [row.yes for row in rows],
        sample_weight=[0.5 if row.group in HALF else 1.0 for row in rows],
    )
    _, yes = learner.init_.class_prior_
    trees = tuple(_tree(one.tree_, names, 0) for one in learner.estimators_[:, 0])
    return Grown(math.log(yes / (1 - yes)), trees)


def _tree(tree, names: list[str], at: int) -> Fork | float:
    """One of the learner's trees from this node on, its figures as they add up."""
    if tree.children_left[at] < 0:
        return float(tree.value[at][0][0]) * LEARNING["learning_rate"]
    branches = (_tree(tree, names, int(side[at])) for side in (tree.children_left, tree.children_right))
    return Fork(names[tree.feature[at]], float(tree.threshold[at]), *branches)


def left_out(question: str, rows: list[Example], names: list[str]) -> dict[str, float]:
    """By pair the odds given by trees that were grown on all sets but its own."""
    found = {}
    for group in sorted({row.group for row in rows}):
        trees = grown(question, [row for row in rows if row.group != group], names)
        found |= {row.name: trees.odds(row.signs) for row in rows if row.group == group}
    return found


def told(rows: list[Example], odds: dict[str, float], shares: tuple[float, ...] = (0.02, 0.05, 0.1)) -> str:
    """In a line: the chance that a yes is put before a no, and what is found where so many of the others are named."""
    ranked = sorted(rows, key=lambda row: -odds[row.name])
    yes = sum(row.yes for row in rows)
    before = right = wrong = 0
    found = []
    for row in ranked:
        before += 0 if row.yes else right
        right, wrong = right + row.yes, wrong + (not row.yes)
        if len(found) < len(shares) and wrong > shares[len(found)] * (len(rows) - yes):
            found.append(f"{right / yes:.2f} at {shares[len(found)]:.0%} (above {odds[row.name]:.1f})")
    return f"{len(rows)} pairs, {yes} yes, in order {before / (yes * (len(rows) - yes)):.3f}; " + ", ".join(
        found
    )


# Signs that are no help to a question, or speak of how the pairs were made and not of what they say.
NOT_ASKED = {
    "rule": set(),
    "one thing": {"an act on one side only", "one head", "one form of identifier", "identifiers clash"},
    "two things": {"of one system", "one column's name", "one term known to be the other", "a word in both terms",
                   "terms of one kind", "two known terms apart", "terms opposed"},
}  # fmt: skip


def main(write: Callable[[str], object]) -> None:
    """Print the figures of sets left out, and hand the trees of all sets to `write`."""
    lines = [REMARK]
    for question, rows in examples().items():
        names = asked(question, rows)
        print(question, told(rows, left_out(question, rows, names)))
        lines.append(written(question, grown(question, rows, names)))
    write("".join(lines))


if __name__ == "__main__":
    main((tables.THESAURUS / "trees.txt").write_text)
