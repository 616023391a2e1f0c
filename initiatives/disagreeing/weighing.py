"""Signs that two definitions disagree, weighed together: of two rules, of one thing and of two.

What the rules of the finder say is a sign among others: how the two are worded, what only one of them says, denies or
counts. Trees weigh them (trees.py), each sign under the words that name it here; they were grown on the labelled pairs
(`python -m tests.labelled.grow`), each set without the words that only it uses. Source of the rule: int.definitions.
"""

import functools
import math
import re
from difflib import SequenceMatcher
from itertools import pairwise

from initiatives.disagreeing import acronyms, figures, keys, logic, meanings, trees
from initiatives.disagreeing.logic import GRAINS, interchangeable
from initiatives.disagreeing.signs import IN, OUT
from initiatives.disagreeing.speaking import Said, language, said
from initiatives.disagreeing.tables import markers, words
from initiatives.disagreeing.vocabulary import fold, generic, lexicon, stem, words_of

# Longer texts are read up to here: what they say of a rule is said by then, and aligning takes time in square.
LONGEST = 150
# Words that deny or limit, in whatever way they do.
DENYING = words("""
not no non without excl excluding excluded exclude except never nor none neither ohne nicht kein keine sans pas hors
only nur seuls seulement unless left out ignored deducted minus less
""")
# So many letters in common, and two words may be one word with another ending.
ALIKE_FROM = 5
PEOPLE = ("person", "party", "population")
# What is done with figures, said in words by one and with a sign by the other.
ARITHMETIC = words("divide multiply percent share minus add subtract")
# A figure with what it may vary by, which another may tell by its two ends.
TOLERANCE = re.compile(r"±|\+/-")


@functools.lru_cache(maxsize=4_000)
def rule(one: str, other: str, *, within: bool) -> float:
    """How much speaks for two rules of counting being two, as the logarithm of the odds.

    `within`: both are of one field, whose definition was changed.
    """
    return trees.grown()["rule"].odds(signs_of_rule(one, other, within=within))


def one_thing(one, other) -> float:
    """How much speaks for two definitions of two terms being of one thing, as the logarithm of the odds."""
    return trees.grown()["one thing"].odds(signs_of_things(one, other))


def two_things(one, other) -> float:
    """How much speaks for two definitions of one term being of two things, as the logarithm of the odds."""
    return trees.grown()["two things"].odds(signs_of_things(one, other))


def stands_alone(one: str, other: str) -> str:
    """In words what each of two rules says that the other does not; empty where they say the same.

    Where they name the same concepts it is their figures: class 1 to 3, class 1 to 4.
    """
    left, right = said(acronyms.spelt_out(one, other)), said(acronyms.spelt_out(other, one))
    mine, theirs = _left_over(_named(left), _named(right))
    parts = [f"“{text}”" for text in (_phrase(left, mine), _phrase(right, theirs)) if text]
    if not parts and not TOLERANCE.search(one + other):  # 25 ± 2 is 23 to 27
        digits = [[word for word in _plain(text) if word[0].isdigit()] for text in (left, right)]
        rests = [[word for word in digits[at] if word not in digits[1 - at]] for at in (0, 1)]
        parts = [f"“{', '.join(rest)}”" for rest in rests if rest]
    return "on one side only: " + " and on the other ".join(parts) if parts else ""


def _phrase(text: Said, concepts: set[str]) -> str:
    """The words that name these concepts in the text, in their order and each once; at most six of them."""
    found = [" ".join(text.words[token.at : token.end]) for token in text.tokens if token.concept in concepts]
    return ", ".join(list(dict.fromkeys(found))[:6])


def _named(text: Said) -> set[str]:
    """All concepts of a text that say something by themselves, whether taken in or left out."""
    return {token.concept for token in text.tokens} - generic() - ARITHMETIC


def _left_over(one: set[str], other: set[str]) -> tuple[set[str], set[str]]:
    """What of each has no counterpart in the other: itself, what often stands for it, or another ending."""
    mine, theirs = one - other, other - one
    for concept in sorted(mine):
        for match in sorted(theirs):
            one_word = min(len(concept), len(match)) >= ALIKE_FROM and (
                concept[:ALIKE_FROM] == match[:ALIKE_FROM]
            )
            if one_word or interchangeable(concept, match):
                mine.discard(concept)
                theirs.discard(match)
                break
    return mine, theirs


def _known(concepts: set[str]) -> set[str]:
    return {concept for concept in concepts if concept in lexicon().scenes}


def _plain(text: Said) -> list[str]:
    return [word for word in text.words if word[0].isalnum()][:LONGEST]


def _differ(one, other) -> float:
    """One where a thing holds of one of two only."""
    return float(bool(one) != bool(other))


def signs_of_rule(one: str, other: str, *, within: bool) -> dict[str, float]:
    """The signs that two rules of counting are two, or one in other words, by what they are called in trees.txt."""
    two = logic.compared(one, other, strict=within)
    left, right = two.left, two.right
    languages = {language(one), language(other)}
    named = logic.named(two)
    found = {
        "of one field": float(within),
        "in two languages": float("" not in languages and len(languages) == 2),
        "one leaves out up to where the other begins": float(figures.complementary(one, other)),
        "named": float(bool(named)),
    }
    found |= {f"named: {name}": float(name in named) for name in logic.RULES}
    found |= _figures(left, right) | _sides(left, right) | _questions(left, right) | _wording(left, right)
    poorer = found["concepts without counterpart on the poorer side"]
    richer = found["concepts without counterpart on the richer side"]
    found["of one field, and only one says more"] = float(within and richer > poorer == 0)
    return found


def _figures(left: Said, right: Said) -> dict[str, float]:
    """What the figures of the two say: in base units, and as they are written."""
    new = [one for one in left.quantities if not any(one.same(two) for two in right.quantities)]
    old = [two for two in right.quantities if not any(two.same(one) for one in left.quantities)]
    measured = {one.measure for one in new} & {two.measure for two in old}
    digits = [{word for word in text.words if word[0].isdigit()} for text in (left, right)]
    return {
        "another figure of one measure": float(bool(measured)),
        "figures of other measures": float(bool(new and old) and not measured),
        "a figure on one side only": _differ(new, old),
        "one figure in both": float(len(left.quantities) - len(new)),
        "digits on one side only": _differ(*digits),
        "the same digits": float(bool(digits[0]) and digits[0] == digits[1]),
        "a unit on one side only": _differ(left.units, right.units),
        "another unit": float(
            any(
                not left.units[measure] & right.units[measure]
                for measure in left.units.keys() & right.units.keys()
            )
        ),
    }


def _sides(left: Said, right: Said) -> dict[str, float]:
    """What one takes in and the other leaves out, and how much either denies."""
    out, over, taken = [], [], []
    for text in (left, right):
        out.append({token.concept for token in text.tokens if token.sign == OUT} - generic())
        over.append({token.concept for token in text.tokens if token.sign in (0, IN)} - generic())
        taken.append(text.taken_in)
    denied = [sum(word in DENYING for word in _plain(text)) for text in (left, right)]
    turned_round = (out[0] & (over[1] - out[1]) - over[0]) | (out[1] & (over[0] - out[0]) - over[1])
    return {
        "left out here and stated there": float(bool(turned_round)),
        "one takes in and the other leaves out": float(
            bool((taken[0] and out[1] - out[0]) or (taken[1] and out[0] - out[1]))
        ),
        "both leave the same out": float(bool(out[0] & out[1])),
        "both take the same in": float(bool(taken[0] & taken[1])),
        "something left out on one side only": _differ(*out),
        "something taken in on one side only": _differ(*taken),
        "each leaves something else out": float(bool(out[0] and out[1]) and not out[0] & out[1]),
        "limited on one side only": _differ(left.only, right.only),
        "of no matter on one side only": float(
            bool(left.either - right.either - right.any_of or right.either - left.either - left.any_of)
        ),
        "all of it on one side only": float(left.all_of_it != right.all_of_it),
        "words that deny, more on one side": float(abs(denied[0] - denied[1])),
        "words that deny, on both sides": float(all(denied)),
    }


def _questions(left: Said, right: Said) -> dict[str, float]:
    """On which sides of known questions they stand, by what, when and between which moments they count."""
    kinds = lexicon().kinds
    grain = [{one for one in text.per if kinds.get(one) in GRAINS} for text in (left, right)]
    ends = list(zip(left.ends, right.ends, strict=True)) if left.ends and right.ends else []
    return {
        "counted by something else": float(bool(grain[0] and grain[1]) and not grain[0] & grain[1]),
        "what it is counted by on one side only": _differ(*grain),
        "any of it on one side only": _differ(left.any_of, right.any_of),
        "counted by one thing": float(bool(grain[0] & grain[1])),
        "from another event on": float(bool(left.start and right.start) and not left.start & right.start),
        "by another day": float(bool(left.anchors and right.anchors) and not left.anchors & right.anchors),
        "between the same moments": float(
            bool(ends) and all(not all(_left_over(set(one), set(two))) for one, two in ends)
        ),
        "between other moments": float(any(all(_left_over(set(one), set(two))) for one, two in ends)),
        "a quotient on one side only": _differ(left.ratio, right.ratio),
    }


def _wording(left: Said, right: Said) -> dict[str, float]:
    """How the two are worded: with one beginning and order, or in words of their own."""
    named = _named(left), _named(right)
    mine, theirs = (half - logic.agreed(left, right) for half in _left_over(*named))
    shared = min(len(named[0]) - len(mine), len(named[1]) - len(theirs))
    more, less = max(len(mine), len(theirs)), min(len(mine), len(theirs))
    texts = _plain(left), _plain(right)
    orders = [_in_order(text) for text in (left, right)]
    matcher = SequenceMatcher(None, *orders, autojunk=False)
    changes = [one for one in matcher.get_opcodes() if one[0] != "equal"]
    begin = next((at for at, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    pairs = [set(pairwise(text)) for text in texts]
    lengths = sorted(len(text) + 1 for text in texts)
    kinds = lexicon().kinds
    return {
        "share of concepts in common": shared / max(1, shared + more + less),
        "concepts without counterpart on the poorer side": float(min(less, 4)),
        "concepts without counterpart on the richer side": float(min(more, 6)),
        "known concepts without counterpart on both sides": float(bool(_known(mine) and _known(theirs))),
        "another quality on each side": float(
            all(any(one not in kinds for one in _known(half)) for half in (mine, theirs))
        ),
        "words in common at the beginning": min(begin, 5) / 5,
        "likeness in order": matcher.ratio(),
        "pairs of words in common": len(pairs[0] & pairs[1]) / max(1, min(map(len, texts)) - 1),
        "one insertion": float(len(changes) == 1 and changes[0][0] != "replace"),
        "one is longer": math.log(lengths[1] / lengths[0]),
        "length": math.log(sum(lengths)),
    }


def _in_order(text: Said) -> list[str]:
    """The concepts of a text in their order, and its other words between them."""
    named = {token.at: token.concept for token in text.tokens}
    found = [named.get(at, word) for at, word in enumerate(text.words) if at in named or word[0].isalnum()]
    return found[:LONGEST]


def signs_of_things(one, other) -> dict[str, float]:
    """The signs that two definitions are of one thing or of two, by what they are called in trees.txt."""
    texts = [said(meanings.ASIDE.sub(" ", row.meaning)) for row in (one, other)]
    names = [said(row.term) for row in (one, other)]
    concepts = [text.concepts - generic() for text in texts]
    terms = [text.concepts - generic() for text in names]
    mine, theirs = _left_over(*concepts)
    shared = min(len(concepts[0]) - len(mine), len(concepts[1]) - len(theirs))
    rules = [
        said(row.business_logic).concepts - generic() for row in (one, other) if row.business_logic.strip()
    ]
    stems = [
        {stem(word) for word in text.words if word[0].isalpha() and word not in markers("stop")}
        for text in texts
    ]
    languages = {language(f"{row.meaning} {row.term}") for row in (one, other)}
    lengths = sorted(len(half) + 1 for half in stems)
    scenes = [_scenes(half | named) for half, named in zip(concepts, terms, strict=True)]
    term_words = [set(words_of(row.term)) for row in (one, other)]
    likeness = SequenceMatcher(None, *(_in_order(text) for text in texts), autojunk=False).ratio()
    return (
        _kinds_of(texts, names, mine, theirs)
        | _named_of_things(one, other)
        | {
            "likeness in order": likeness,
            "one form of identifier": float(keys.alike(one, other)),
            "identifiers clash": float(bool(keys.clash(one, other))),
            "share of concepts in common": shared / max(1, shared + len(mine) + len(theirs)),
            "share of the shorter in common": shared / max(1, min(map(len, concepts))),
            "concepts in common": float(min(shared, 4)),
            "concepts without counterpart on the poorer side": float(min(len(mine), len(theirs), 4)),
            "concepts without counterpart on the richer side": float(min(max(len(mine), len(theirs)), 6)),
            "known concepts without counterpart on both sides": float(bool(_known(mine) and _known(theirs))),
            "share of words in common": len(stems[0] & stems[1]) / max(1, len(stems[0] | stems[1])),
            "share of scenes in common": len(scenes[0] & scenes[1]) / max(1, len(scenes[0] | scenes[1])),
            "one act in both": float(bool(_of_kind(concepts[0] & concepts[1], ("event",)))),
            "share of the rules in common": (
                len(rules[0] & rules[1]) / max(1, len(rules[0] | rules[1])) if len(rules) == 2 else 0.0
            ),
            "one term known to be the other": float(bool(terms[0]) and terms[0] == terms[1]),
            "a word in both terms": float(bool(term_words[0] & term_words[1])),
            "a term in the other's meaning": float(bool(terms[0] & concepts[1]))
            + float(bool(terms[1] & concepts[0])),
            "terms of one kind": float(
                bool(
                    {lexicon().kinds.get(name) for name in terms[0]}
                    & {lexicon().kinds.get(name) for name in terms[1]} - {None}
                )
            ),
            "two known terms apart": float(
                bool(_known(terms[0]) and _known(terms[1])) and not terms[0] & terms[1]
            ),
            "in two languages": float("" not in languages and len(languages) == 2),
            "of one system": float(fold(one.system).split() == fold(other.system).split()),
            "one column's name": float(fold(one.field) == fold(other.field)),
            "one is longer": math.log(lengths[1] / lengths[0]),
        }
    )


def _named_of_things(one, other) -> dict[str, float]:
    """Which of the rules for meanings speak: of two kinds, of one thing, what rules that out, what counts otherwise."""
    texts, terms = (one.meaning, other.meaning), (one.term, other.term)
    beside = one.business_logic, other.business_logic
    return {
        "named: two kinds": float(meanings.other_kind(*texts, beside=beside, term=one.term)),
        "named: one thing": float(meanings.one_thing(*texts, terms)),
        "named: one rules out the other": float(meanings.apart_for_sure(*texts, terms)),
        "named: counted otherwise": float(bool(meanings.of_meaning(*texts))),
    }


def _kinds_of(texts: list[Said], names: list[Said], mine: set[str], theirs: set[str]) -> dict[str, float]:
    """Of which kinds of things the two are, and what each does that the other does not."""
    kinds = lexicon().kinds
    heads = [meanings.head(text) for text in texts]
    known = {kinds.get(one) for one in heads}
    acts = [_of_kind(half, ("event",)) for half in (mine, theirs)]
    return {
        "one head": float(heads[0] == heads[1] and bool(heads[0])),
        "heads of two kinds": float(None not in known and len(known) == 2),
        "each does something else": float(all(acts)),
        "an act on one side only": _differ(*acts),
        "a person on each side": float(all(_of_kind(half, PEOPLE) for half in (mine, theirs))),
        "terms opposed": float(bool(logic.opposed(*names))),
    }


def _of_kind(concepts: set[str], sorts: tuple[str, ...]) -> set[str]:
    return {concept for concept in concepts if lexicon().kinds.get(concept) in sorts}


def _scenes(concepts: set[str]) -> set[str]:
    return {name for concept in concepts for name in lexicon().scenes.get(concept, ())}
