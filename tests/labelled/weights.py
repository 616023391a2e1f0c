"""The weights of the finder's signs, fitted on labelled pairs: `python -m tests.labelled.weights`.

Each set is read as if its trade were unknown: without the words of the thesaurus and of its questions that no other set
uses. What it prints first is how well each set is told by weights fitted on all others; then it writes
initiatives/disagreeing/thesaurus/weights.txt.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json import loads

from initiatives.disagreeing import Definition, meanings, questions, speaking, tables, vocabulary, weighing
from initiatives.disagreeing.vocabulary import Lexicon, fold
from tests.labelled.__main__ import FITTED, HERE, definition

# How strongly weights are held near nothing: found best on sets left out.
HELD = 10.0
ROUNDS = 8
REMARK = """# How much each sign speaks for an answer. python -m tests.labelled.weights fits this on the labelled pairs.
# A weight counts as often or as far as its sign holds; a sum above nothing makes a yes likelier than a no.
"""


@dataclass(frozen=True)
class Example:
    """The signs of one labelled pair, and whether the answer is yes."""

    group: str
    name: str
    signs: dict[str, float]
    yes: bool


def groups(halves: tuple[str, ...] = FITTED) -> dict[str, list[dict]]:
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


def fitted(rows: list[Example], names: list[str]) -> dict[str, float]:
    """The weights of a logistic model of these examples, for signs as they are given; held near nothing."""
    size = len(rows)
    mean = {name: sum(row.signs[name] for row in rows) / size for name in names}
    wide = {
        name: max(1e-6, math.sqrt(sum((row.signs[name] - mean[name]) ** 2 for row in rows) / size))
        for name in names
    }
    table = [[1.0] + [(row.signs[name] - mean[name]) / wide[name] for name in names] for row in rows]
    weights = [0.0] * (len(names) + 1)
    for _ in range(ROUNDS):
        steps = [-HELD * weight if at else 0.0 for at, weight in enumerate(weights)]
        bends = [
            [(HELD if at else 1e-9) if at == to else 0.0 for to in range(len(weights))]
            for at in range(len(weights))
        ]
        for row, given in zip(rows, table, strict=True):
            chance = _chance(sum(map(float.__mul__, weights, given)))
            miss, bend = row.yes - chance, chance * (1 - chance)
            for at, value in enumerate(given):
                steps[at] += miss * value
                for to, beside in enumerate(given):
                    bends[at][to] += bend * value * beside
        weights = [weight + step for weight, step in zip(weights, _solved(bends, steps), strict=True)]
    found = {name: weight / wide[name] for name, weight in zip(names, weights[1:], strict=True)}
    return {"to begin with": weights[0] - sum(found[name] * mean[name] for name in names)} | found


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def _solved(table: list[list[float]], sums: list[float]) -> list[float]:
    """The solution of a set of linear equations, by elimination."""
    rows = [[*row, total] for row, total in zip(table, sums, strict=True)]
    for at in range(len(rows)):
        best = max(range(at, len(rows)), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for row in rows[at + 1 :]:
            times = row[at] / rows[at][at]
            for to in range(at, len(row)):
                row[to] -= times * rows[at][to]
    found = [0.0] * len(rows)
    for at in reversed(range(len(rows))):
        rest = sum(rows[at][to] * found[to] for to in range(at + 1, len(rows)))
        found[at] = (rows[at][-1] - rest) / rows[at][at]
    return found


def weighed(weights: dict[str, float], signs: dict[str, float]) -> float:
    """The logarithm of the odds that these weights give."""
    return weights["to begin with"] + sum(weights.get(name, 0.0) * value for name, value in signs.items())


def left_out(rows: list[Example], names: list[str]) -> dict[str, float]:
    """By pair what weights say of it that were fitted on all sets but its own."""
    found = {}
    for group in sorted({row.group for row in rows}):
        weights = fitted([row for row in rows if row.group != group], names)
        found |= {row.name: weighed(weights, row.signs) for row in rows if row.group == group}
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
    "one thing": {"an act on one side only", "one head"},
    "two things": {"of one system", "one column's name", "one term known to be the other", "a word in both terms",
                   "terms of one kind", "two known terms apart", "terms opposed"},
}  # fmt: skip


def main(write: Callable[[str], object]) -> None:
    """Print the figures of sets left out, and hand the weights of all sets to `write`."""
    lines = [REMARK]
    for question, rows in examples().items():
        names = asked(question, rows)
        print(question, told(rows, left_out(rows, names)))
        lines.append(f"{question}\n")
        lines += [f"  {name}: {weight:.2f}\n" for name, weight in fitted(rows, names).items()]
    write("".join(lines))


if __name__ == "__main__":
    main((tables.THESAURUS / "weights.txt").write_text)
