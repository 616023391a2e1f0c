"""What two rules of counting say against each other: another figure, what one takes in and the other leaves out,
another answer to one question, other moments, another base.

Unknown is no difference, the same in other words is none, and more detail on one side is none: each finding here is a
positive contradiction. Source of the rule: int.definitions.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from initiatives.disagreeing import acronyms, figures, tables, wordwise
from initiatives.disagreeing.signs import EITHER, IN, OFF, OUT
from initiatives.disagreeing.speaking import Said, language, opposite, said
from initiatives.disagreeing.tables import markers
from initiatives.disagreeing.vocabulary import fold, generic, lexicon

# From so many known concepts on a rule says enough to be another one than a rule that shares none of them.
SAYS_ENOUGH = 2
# From this share on what is left of two rules is one.
MOSTLY = 0.6
# Kinds of things that something is counted by: per contract, per household.
GRAINS = {
    "person", "party", "population", "document", "agreement", "place", "event", "goods", "machine", "vehicle",
    "receptacle", "living", "lot", "software", "medicine",
}  # fmt: skip
# Spans of time by which something is counted.
SPANS = {"shift", "date", "week", "month", "quarter", "term", "season", "school_year", "year", "hour"}
# The question of contrasts.txt whether a thing counts again when it comes again.
ONCE = "each once or each time"
# Between a tie and its noun: on duty and on standby.
PREPOSITIONS = ("on", "in", "at", "of", "with", "the", "von", "im", "de")
# Kinds that a rule is about as a whole: of "students on leave" the leave is what counts.
POPULATIONS = ("person", "party", "population", "agreement")
# What is done with what comes off a sum.
DEDUCTED = tables.words("deducted deduct subtracted taken abgezogen deduit deduite deduits deduites")
# Below this share of the shorter divisor's concepts in common, two shares are of two things.
OTHER_BASE = 0.6


@dataclass(frozen=True)
class Compared:
    """Two rules of counting side by side: as they are written, and what each of them says.

    `strict`: of one field whose definition was changed; what one leaves out and the other does not speak of is a
    difference then too, and so are two texts that have little in common.
    """

    one: str
    other: str
    left: Said
    right: Said
    strict: bool


def compared(one: str, other: str, *, strict: bool = False) -> Compared:
    """Two rules read side by side, so that a word which one of them spells out is known in the other."""
    left, right = said(acronyms.spelt_out(one, other)), said(acronyms.spelt_out(other, one))
    return Compared(one, other, left, right, strict)


def of_logic(one: str, other: str, *, strict: bool = False) -> str:
    """Why two rules of counting differ: what the first rule that finds a difference says of it.

    Empty where they agree or one of them is not known. `strict` as in Compared.
    """
    if not one.strip() or not other.strip() or fold(one).split() == fold(other).split():
        return ""
    two = compared(one, other, strict=strict)
    return next(filter(None, (rule(two) for rule in RULES.values())), "")


def named(two: Compared) -> set[str]:
    """The names of all rules that find a difference between the two."""
    return {name for name, rule in RULES.items() if rule(two)}


def _other_answer(left: Said, right: Said) -> str:
    against = opposed(left, right)
    return "{}: {} against {}".format(*against) if against else ""


def _other_weight(left: Said, right: Said) -> str:
    """One thing in full and in part: each as one, as a half."""
    if left.weights and right.weights and not left.weights & right.weights:
        return f"{min(left.weights):g} counted against {min(right.weights):g}"
    if (left.weighted and not right.parts) or (right.weighted and not left.parts):
        return "weighted on one side only"
    return ""


def contradicts(one: str, other: str) -> str:
    """Why two texts cannot both hold, however much of each is in the other; empty where they can."""
    left, right = said(one), said(other)
    return (
        _other_answer(left, right)
        or figures.other_figures(left, right, strict=False)
        or _other_side(left, right)
    )


def opposed(one: Said, other: Said, *, but: frozenset[str] = frozenset()) -> tuple[str, str, str] | None:
    """The question on which the two take different sides, and the two sides; None where they take none."""
    for question, left in one.answers.items():
        right = None if question in but else other.answers.get(question)
        if right and not left & right:
            return question, " and ".join(sorted(left)), " and ".join(sorted(right))
    return None


def turned(left: Said, right: Said) -> str:
    """What one takes before something and the other after it: before rework, after rework."""
    for these, those in ((left, right), (right, left)):
        for concept, side in these.order.items():
            taken_in = those.taken_in - these.taken_in - generic()
            stays = DEDUCTED & set(those.words)  # what is not deducted yet is what comes before
            if those.order.get(concept, side) != side or (
                side == "before" and concept in taken_in and not stays
            ):
                return f"before {_words({concept})} against after it"
    return ""


def _other_side(left: Said, right: Said) -> str:
    """What one leaves out, or says to be of no matter, and the other takes in."""
    if left.complement != right.complement:
        return ""
    alike = agreed(left, right)
    figures_agree = any(
        all(any(one.same(two) for two in those.quantities) for one in these.quantities)
        for these, those in ((left, right), (right, left))
    )
    for these, those in ((left, right), (right, left)):
        if figures_agree:
            for sign, phrase in these.figured:
                outright = {one for one in phrase if sign == OUT} - generic() - these.taken_in
                if outright & those.taken_in - those.left_out:
                    return f"{_words(outright & those.taken_in)} left out on one side only"
        for sign, phrase in these.groups:
            named = set(phrase) - generic()
            if sign == EITHER:
                counted = {one.measure.removeprefix("count ") for one in those.quantities}
                counted |= those.per & {"date", "month", "week", "year", "hour"}
                said_so = (those.stated | those.left_out) - those.either - those.any_of
                if (named and named <= said_so) or set(phrase) & counted:
                    return f"{_words(named or phrase)} of no matter on one side only"
            if sign not in (OUT, OFF) or not named or (sign == OFF and these.ends and those.ends):
                continue
            special = {one for one in named if lexicon().kinds.get(one) not in POPULATIONS} or named
            if any(opposite(one) in those.stated - named for one in named):
                continue
            outright = special & (those.taken_in | those.either) - those.left_out - these.taken_in
            plain = named <= those.stated and not named <= these.stated
            if outright or (plain and not named & (those.left_out | these.taken_in | alike)):
                return f"{_words(outright or named)} left out on one side only"
    return ""


def agreed(left: Said, right: Said) -> set[str]:
    """The concepts with which both give the same answer to one question: net, and without VAT."""
    return {
        concept
        for question, answers in left.answers.items()
        if answers & right.answers.get(question, set())
        for concept in left.of_answers[question] | right.of_answers[question]
    }


def _left_out(left: Said, right: Said, *, strict: bool) -> str:
    """What one leaves out of what the other takes whole: all orders against orders without test orders."""
    alike = agreed(left, right)
    for these, those in ((left, right), (right, left)):
        if these.ends and those.ends:
            continue
        phrases = [set(phrase) - generic() for sign, phrase in these.groups if sign == OUT]
        out = set().union(*phrases)
        known = those.concepts | {token.concept for token in those.tokens} | alike
        new = {one for one in out - known if one in lexicon().scenes and opposite(one) not in known}
        if not new or any(sign in (OUT, IN) for sign, _ in those.groups):
            continue
        rest = these.concepts - {opposite(one) for one in out} - out
        shared = len(rest & those.concepts)
        if (those.all_of_it and shared) or (
            strict and shared >= MOSTLY * max(1, min(len(rest), len(those.concepts)))
        ):
            return f"{_words(new)} left out on one side only"
    return ""


def _limited(left: Said, right: Said) -> str:
    """Whether one is limited to something and the other is not: only active ones against all."""
    alike = agreed(left, right)
    for these, those in ((left, right), (right, left)):
        limit = these.only - generic()
        wider = those.taken_in - these.concepts - alike
        if these.only and wider and not those.only and those.concepts & these.concepts:
            return f"{_words(wider)} taken in against only {_words(these.only)}"
        if not limit or those.only & limit:
            continue
        if limit & those.either:
            return f"only {_words(limit & those.either)} against either"
        if any(opposite(one) in those.stated - these.concepts for one in limit if opposite(one) != one):
            return f"only {_words(limit)} against its opposite too"
        if those.all_of_it and limit - those.stated:
            return f"only {_words(limit)} against all"
        extra = those.stated - these.concepts
        if limit & those.stated and extra and _joined(those, extra, limit):
            return f"only {_words(limit)} against {_words(extra)} too"
        others = those.only - generic()
        if others - these.concepts and limit - those.concepts and _all_known(limit | others):
            return f"only {_words(limit)} against only {_words(others)}"
    return ""


def _any_of(left: Said, right: Said) -> str:
    """Whether one takes any of what the other takes of one sort only: any contract, permanent contracts."""
    kinds = lexicon().kinds
    for these, those in ((left, right), (right, left)):
        limited = {
            concept
            for one in those.quantities
            if one.limit
            for concept in those.between(one.at - 3, one.end + 2)
        } - generic()
        unlimited = not any(one.limit for one in these.quantities)
        if unlimited and limited & these.any_of - those.any_of:
            return f"any {_words(limited & these.any_of)} against a limit"
        same = these.same_of & (those.any_of - these.any_of)
        if same:
            return f"the same {_words(same)} against any"
        if (
            "once" in these.answers.get(ONCE, set())
            and those.any_of & these.concepts
            and not those.answers.get(ONCE)
        ):
            return "each once against all of them"
        for token in those.tokens:
            last = lexicon().concept((those.words[token.end - 1],)) if token.end - token.at > 1 else ""
            if token.sign == OUT and last in these.any_of and token.concept not in these.concepts:
                return f"{_words({token.concept})} left out on one side only"
        for at, token in enumerate(these.tokens[1:]):
            before = these.tokens[at]
            sort = before.known and before.end >= token.at - 1 and before.concept not in generic()
            last = lexicon().concept((these.words[token.end - 1],)) if token.end - token.at > 1 else ""
            if last in those.any_of - these.any_of - generic() and token.concept not in those.concepts:
                return f"{_words({token.concept})} against any"
            if token.concept not in those.any_of - these.any_of - generic() or not sort:
                continue
            if before.concept not in those.concepts and kinds.get(before.concept) in (None, "event"):
                return f"{_words({before.concept})} against any"
    return ""


def _other_count(left: Said, right: Said) -> str:
    """Whether both are a number of things, and of other things: of orders, of customers."""
    kinds = {lexicon().kinds.get(left.counted), lexicon().kinds.get(right.counted)}
    if len(kinds) < 2 or None in kinds or left.counted in right.concepts or right.counted in left.concepts:
        return ""
    return f"{_words({left.counted})} counted against {_words({right.counted})}"


def _substituted(left: Said, right: Said) -> str:
    """Whether all is said alike but one thing, in whose place stands another known one of the same kind."""
    mine, theirs = left.concepts - right.concepts, right.concepts - left.concepts
    if len(mine) != 1 or len(theirs) != 1 or not left.concepts & right.concepts:
        return ""
    denied = mine <= left.left_out and theirs <= right.left_out
    if not denied and (not mine <= left.stated or not theirs <= right.stated):
        return ""
    (one,), (other,) = mine, theirs
    if (mine | theirs) & markers("light") or near(mine, theirs) or interchangeable(one, other):
        return ""
    kinds = lexicon().kinds
    if any(kinds.get(concept, "measure") in ("measure", "time") for concept in (one, other)):
        return ""
    return f"{_words(mine)} against {_words(theirs)}"


def interchangeable(one: str, other: str) -> bool:
    """Whether the two stand for one another often enough."""
    return bool(_near_groups().get(one, set()) & _near_groups().get(other, set()))


@functools.cache
def _near_groups() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for at, line in enumerate(tables.lines("near")):
        for concept in line.split(","):
            found.setdefault(concept.strip().replace(" ", "_"), set()).add(at)
    return found


def _other_ends(left: Said, right: Said) -> str:
    """Whether the two are measured between other moments that are known."""
    if not (left.ends and right.ends):
        return ""
    for mine, theirs in zip(left.ends, right.ends, strict=True):
        one, other = set(mine) - generic(), set(theirs) - generic()
        if one & other or not _any_known(one) or not _any_known(other):
            continue
        if _any_known(one - right.concepts) and _any_known(other - left.concepts):
            return "from another moment to another"
    return ""


def _other_start(left: Said, right: Said) -> str:
    """Whether both are counted from an event on, and it is another one: from the referral, from the decision."""
    new, old = left.start - right.concepts, right.start - left.concepts
    if not (new and old) or left.start & right.start:
        return ""
    return f"from {_words(new)} against from {_words(old)}"


def _other_ratio(left: Said, right: Said) -> str:
    """Whether both are one figure by another, and by something else, or one figure has more in it."""
    if not (left.ratio and right.ratio):
        return ""
    mine, theirs = left.ratio[1], right.ratio[1]
    new, old = mine - theirs, theirs - mine
    if left.ratio[0] != right.ratio[0]:
        new, old = new - right.concepts, old - left.concepts
    if _things(new) and _things(old) and len(mine & theirs) < OTHER_BASE * min(len(mine), len(theirs)):
        return "divided by something else"
    for these, those in ((left, right), (right, left)):
        extra = set(those.ratio[0] - these.ratio[0])
        if these.ratio[0] < those.ratio[0] and _any_known(extra) and _joined(those, extra, these.ratio[0]):
            return f"{_words(extra)} counted on one side only"
    return ""


def _things(concepts) -> bool:
    """Whether one of these is known and no time, which says when and not what."""
    kinds = lexicon().kinds
    return any(
        kinds.get(concept, "time") != "time" and concept not in ("start", "end") for concept in concepts
    )


def _other_moment(left: Said, right: Said) -> str:
    """Whether both go by the day of an event, and it is another one: by ship date, by invoice date."""
    if not (left.anchors and right.anchors) or left.anchors & right.anchors or (left.ends and right.ends):
        return ""
    if left.anchors & right.concepts or right.anchors & left.concepts:
        return ""
    return f"by {_words(left.anchors)} against {_words(right.anchors)}"


def _other_grain(left: Said, right: Said) -> str:
    """Whether both say what they count by, and it is another known thing: per contract against per person."""
    kinds = lexicon().kinds
    mine, theirs = left.per & SPANS, right.per & SPANS
    if mine and theirs and not mine & theirs:
        return f"by the {_words(mine)} against by the {_words(theirs)}"
    mine = {one for one in left.per if kinds.get(one) in GRAINS}
    theirs = {one for one in right.per if kinds.get(one) in GRAINS}
    if not (mine and theirs) or mine == theirs:
        return ""
    new, old = mine - theirs - right.concepts, theirs - mine - left.concepts
    if not mine & theirs and (new or old):
        return f"counted by {_words(mine)} against {_words(theirs)}"
    if mine & theirs and (new or old):
        text, more = (left, new) if new else (right, old)
        return f"counted by {_words(more)} too on one side" if _joined(text, more, mine & theirs) else ""
    return ""


def _joined(text: Said, extra: set[str], base) -> bool:
    """Whether one of these is tied with an "and" or "plus" to one of those: by recipe and can size."""
    if not any(token.concept in base for token in text.tokens):
        return False
    ties = markers("ties") - {"minus", "less", "moins", "abzuglich", "or", "oder", "ou"}
    before = {token.at: text.words[max(0, token.at - 2) : token.at] for token in text.tokens}
    return any(
        token.concept in extra
        and (
            (before[token.at][-1:] and before[token.at][-1] in ties)
            or (
                len(before[token.at]) == 2
                and before[token.at][0] in ties
                and before[token.at][1] in PREPOSITIONS
            )
            or (text.words[token.end : token.end + 1] and text.words[token.end] in ties)
        )
        for token in text.tokens
    )


def _more(left: Said, right: Said) -> str:
    """What one takes in beside all that the other says: "paid entries" against "paid entries and free ones"."""
    for these, those in ((left, right), (right, left)):
        off = those.left_out - these.left_out
        same = these.stated == those.stated and these.left_out and these.left_out < those.left_out
        if same and _joined(those, off, these.left_out):
            return f"{_words(off)} left out on one side only"
        extra = those.concepts - these.concepts - generic()
        if not these.concepts < those.concepts or not extra or those.left_out & extra:
            continue
        if these.quantities or len(extra) > 3:
            continue
        whole = any(sign == IN and set(phrase) - generic() <= extra for sign, phrase in those.groups)
        if _joined(those, extra, these.concepts) or (whole and those.taken_in & extra):
            return f"{_words(extra)} counted on one side only"
    return ""


def _nothing_in_common(two: Compared) -> str:
    """Whether nothing of the two is alike; what cannot be told of a foreign text is alike."""
    left, right = two.left, two.right
    if not two.strict or left.concepts & right.concepts or near(left.concepts, right.concepts):
        return ""
    if left.answers.keys() & right.answers.keys():
        return ""
    if any(
        one.measure == two.measure and one.same(two) for one in left.quantities for two in right.quantities
    ):
        return ""
    enough = all(
        len({token.concept for token in text.tokens if token.known} - generic()) >= SAYS_ENOUGH
        for text in (left, right)
    )
    return "another rule" if enough and not untranslated(two.one, left, two.other, right) else ""


def near(mine: set[str], theirs: set[str]) -> int:
    """How many words are one word with another ending: "insure" and "insurance"."""
    left = set(theirs - mine)
    found = 0
    for word in mine - theirs:
        match = next((one for one in left if len(word) > 4 and len(one) > 4 and word[:5] == one[:5]), None)
        if match:
            left.discard(match)
            found += 1
    return found


def untranslated(one: str, left: Said, other: str, right: Said) -> bool:
    """Whether the two are in two languages, and of one of them too little is understood."""
    languages = {language(one), language(other)} - {""}
    if len(languages) < 2:
        return False
    return any(sum(token.known for token in text.tokens) * 2 < len(text.tokens) for text in (left, right))


def _any_known(concepts: set[str]) -> bool:
    return any(concept in lexicon().scenes for concept in concepts)


def _all_known(concepts: set[str]) -> bool:
    return all(concept in lexicon().scenes for concept in concepts)


def _words(concepts) -> str:
    return " and ".join(sorted(concept.replace("_", " ") for concept in concepts))


# The rules by name, in the order in which they are asked for words: what is said outright comes first.
RULES: dict[str, Callable[[Compared], str]] = {
    "another answer": lambda two: _other_answer(two.left, two.right),
    "another weight": lambda two: _other_weight(two.left, two.right),
    "codes exchanged": lambda two: wordwise.swapped(two.one, two.other),
    "one alternative more": lambda two: wordwise.or_else(two.left, two.right),
    "before and after": lambda two: turned(two.left, two.right),
    "other figures": lambda two: figures.other_figures(two.left, two.right, strict=two.strict),
    "taken in and left out": lambda two: _other_side(two.left, two.right),
    "left out of the whole": lambda two: _left_out(two.left, two.right, strict=two.strict),
    "another limit": lambda two: _limited(two.left, two.right),
    "other moments": lambda two: _other_ends(two.left, two.right),
    "another start": lambda two: _other_start(two.left, two.right),
    "another quotient": lambda two: _other_ratio(two.left, two.right),
    "the day of another event": lambda two: _other_moment(two.left, two.right),
    "other units": lambda two: figures.other_units(two.left, two.right),
    "another grain": lambda two: _other_grain(two.left, two.right),
    "any against one sort": lambda two: _any_of(two.left, two.right),
    "a number of something else": lambda two: _other_count(two.left, two.right),
    "one thing more": lambda two: _more(two.left, two.right),
    "one thing in the place of another": lambda two: _substituted(two.left, two.right),
    "nothing in common": _nothing_in_common,
}
