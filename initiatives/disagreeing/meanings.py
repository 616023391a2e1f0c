"""What two texts say against each other: how a thing is counted, what is in and out, whether it is one thing at all.

Unknown is no difference; the same in other words is none.
"""

from initiatives.disagreeing import lexicon
from initiatives.disagreeing.lexicon import words
from initiatives.disagreeing.speaking import Said, counted_thing, said
from initiatives.disagreeing.vocabulary import (
    FIELDS_OF,
    GENERIC,
    KIND_OF,
    KINDS_ALIKE,
    KNOWN,
    STOPPED,
    fold,
    stem,
)

# Below this share of the shorter text's concepts in common, two rules are two rules.
ALIKE = 0.5
# Below this share of the shorter divisor's concepts in common, two shares are of two things.
OTHER_BASE = 0.6
# From this share of all concepts in common on, two meanings are one.
ONE_THING = 0.6
PARTIES = lexicon.PARTIES
PERSONS = {"person", "party", "population"}
# Questions that a meaning answers by the way ("who joined us"), while a rule of counting answers them on purpose.
LOOSE = frozenset(
    (
        "coming or going",
        "opened or closed",
        "first or last",
        "bought or used",
        "stays or goes",
        "at one moment or over a time",
        "how it is summed up",
        "which weekday is first",
    )
)
# Questions to which silence is an answer too: a figure is in ones unless it says so.
ONE_SIDED = ("scale",)
TIES = ("and", "und", "et", "plus", "+", "minus", "less", "moins", "abzuglich", "zuzuglich", "nebst", "sowie")
RELATIVE = {"who", "that", "which", "der", "die", "das", "wer", "qui", "que", "where"}
JOINS = RELATIVE | words("""
of with in on at for from to in mit fur von im in an de du des d avec pour dans , ; . by we you he she
they under per without our i wir sie ohne aus bei durch unter nous ils sans sur par where
""")
WHO = words("who whoever someone somebody anybody wer jemand qui quiconque")
DONE = words("""
paid sold made given sent lent held kept bought taken done born left won lost drawn written spent built put
set seen known let run
""")
LANGUAGES = {
    "de": words("""
der die das und mit ist nicht im von fur je eine ein einer den dem ohne aus bei wer
"""),
    "fr": words("le la les des du une et avec pour dans sans par qui un au aux"),
    "en": words("""
the of a an and with who that is are for to in we our by on without per each
"""),
}


def language(text: str) -> str:
    """The language that its small words are of; empty where none shows."""
    words = set(fold(text).split())
    counted = {key: len(words & small) for key, small in LANGUAGES.items()}
    best = max(counted, key=counted.get)
    return best if counted[best] else ""


def opposed(one: Said, other: Said, *, but: frozenset[str] = frozenset()) -> tuple[str, str, str] | None:
    """The question on which the two take different sides, and the two sides; None where they take none."""
    for question in ONE_SIDED:
        if one.sides.get(question, set()) != other.sides.get(question, set()):
            sides = one.sides.get(question), other.sides.get(question)
            return question, *(" and ".join(sorted(side)) if side else "not said" for side in sides)
    for question, left in one.sides.items():
        right = None if question in but else other.sides.get(question)
        if right and not left & right:
            return question, " and ".join(sorted(left)), " and ".join(sorted(right))
    return None


def of_logic(one: str, other: str, *, strict: bool = False) -> str:
    """Why two rules of counting differ; empty where they agree or one of them is not known.

    Named is what is recognised: two sides of one question, two figures of one measure, what one takes in and the other
    leaves out. That the words differ is no difference; `strict`, of one field whose definition was changed, it is.
    """
    if not one.strip() or not other.strip():
        return ""
    if fold(one).split() == fold(other).split():
        return ""
    left, right = said(one), said(other)
    if against := opposed(left, right):
        question, mine, theirs = against
        return f"{question}: {mine} against {theirs}"
    if bool(left.weights) != bool(right.weights):
        return "weighted on one side only"
    if _other_ratio(left, right):
        return "divided by something else"
    agreed = {
        concept
        for question in left.sides.keys() & right.sides.keys()
        for concept in left.of_sides[question] | right.of_sides[question]
    }
    return (
        _other_figures(left, right, strict=strict)
        or _other_ends(left, right)
        or _left_out(left, right, agreed, strict=strict)
        or _other_grain(left, right)
        or _other_thing(left, right)
        or _more(left, right)
        or ("another rule" if strict and _another_rule(one, left, other, right, agreed) else "")
    )


def _other_figures(left: Said, right: Said, *, strict: bool) -> str:
    """Another span, share or threshold on one measure: 12 months against 24, under 16 against under 18."""
    if left.figures and left.figures == right.figures and left.measures & right.measures:
        return ""
    for measure in {*left.numbers} | {*right.numbers}:
        mine, theirs = left.numbers.get(measure, set()), right.numbers.get(measure, set())
        if mine and theirs and not mine & theirs:
            return f"another number of {measure.replace('_', ' ')}s"
        if strict and mine != theirs and measure == "date":
            return f"another number of {measure.replace('_', ' ')}s"
    if (
        left.limits
        and right.limits
        and not left.limits & right.limits
        and (left.numbers.keys() <= right.numbers.keys() or right.numbers.keys() <= left.numbers.keys())
    ):
        return "another limit"
    return ""


def _other_ends(left: Said, right: Said) -> str:
    """Whether the two are measured between other moments that are known."""
    if not (left.ends and right.ends):
        return ""
    for mine, theirs in zip(left.ends, right.ends, strict=True):
        if mine & KNOWN and theirs & KNOWN and not mine & theirs:
            return "from another moment to another"
    return ""


def _left_out(left: Said, right: Said, agreed: set[str], *, strict: bool) -> str:
    """What one leaves out and the other takes in."""
    for these, those in ((left, right), (right, left)):
        if why := _narrower(these, those):
            return why
        if left.ends and right.ends:
            continue
        qualified = {
            phrase[-1]
            for phrase in these.phrases
            if len(phrase) > 1 and not set(phrase) <= those.stated - those.left_out
        }
        clash = (these.left_out - these.taken_in - agreed - qualified) & (
            those.stated - those.left_out
        ) - these.stated
        if clash:
            return f"{_words(clash)} left out on one side only"
        new = these.left_out - GENERIC - agreed
        if not (these.firm and new) or these.left_out & (those.left_out | those.concepts):
            continue
        rest = these.concepts - these.left_out
        if strict or those.all_of_it or (rest and rest == those.concepts):
            return f"{_words(these.left_out)} left out on one side only"
    return ""


def _other_grain(left: Said, right: Said) -> str:
    """Whether both say what they count by, and it is another known thing: per contract against per person."""
    if not (left.per and right.per) or left.per == right.per or _one_grain(left, right):
        return ""
    shared = left.per & right.per
    if not shared and (not left.per & KNOWN or not right.per & KNOWN):
        return ""
    mine, theirs = left.per - shared - right.concepts, right.per - shared - left.concepts
    if shared and not _joined(left, mine) and not _joined(right, theirs):
        return ""
    if not shared and left.per & right.concepts and right.per & left.concepts:
        return ""
    return f"counted by {_words(left.per)} against {_words(right.per)}"


def _other_thing(left: Said, right: Said) -> str:
    """Whether both are a number of things, of kinds that cannot be one: of orders, of customers."""
    mine, theirs = counted_thing(left), counted_thing(right)
    kinds = {KIND_OF.get(mine), KIND_OF.get(theirs)}
    if len(kinds) < 2 or None in kinds or left.concepts & right.concepts:
        return ""
    return f"{_words({mine})} counted against {_words({theirs})}"


def _another_rule(one: str, left: Said, other: str, right: Said, agreed: set[str]) -> bool:
    return _unlike(left, right, agreed) and not _untranslated(one, left, other, right)


def _other_ratio(left: Said, right: Said) -> bool:
    """Whether both are one figure by another, and by something else."""
    below = []
    for text in (left, right):
        at = next(
            (
                at
                for at, word in enumerate(text.words)
                if word == "/"
                or text.words[at : at + 2] in (["divided", "by"], ["geteilt", "durch"], ["divise", "par"])
            ),
            None,
        )
        if at is None:
            return False
        below.append({token.concept for token in text.tokens if token.at > at} - GENERIC - {"divide"})
    if not below[0] & below[1] and not (below[0] & KNOWN and below[1] & KNOWN):
        return False
    return bool(below[0] and below[1]) and len(below[0] & below[1]) < OTHER_BASE * min(
        len(below[0]), len(below[1])
    )


def _narrower(these: Said, those: Said) -> str:
    """Whether one is limited to something and the other is not: only active ones against all."""
    limit = these.only - GENERIC
    if not limit or those.only & limit:
        return ""
    if those.all_of_it and limit - those.stated:
        return f"only {_words(limit)} against all"
    extra = those.stated - these.concepts
    if limit & those.stated and extra and _joined(those, extra):
        return f"only {_words(limit)} against {_words(extra)} too"
    return ""


def _one_grain(left: Said, right: Said) -> bool:
    """Whether one counts by what the other counts by too, said with more words around it."""
    mine, theirs = left.per, right.per
    if mine <= theirs or theirs <= mine:
        extra = (mine | theirs) - (mine & theirs)
        smaller, larger = (left, right) if mine <= theirs else (right, left)
        return (bool(mine & theirs) and extra <= smaller.concepts) or not _joined(larger, extra)
    return False


def _joined(text: Said, concepts: set[str]) -> bool:
    """Whether one of these is tied on with an "and": by recipe and can size."""
    for token in text.tokens:
        if token.concept in concepts and token.at and text.words[token.at - 1] in TIES:
            return True
        if (
            token.concept in concepts
            and text.words[token.at + 1 : token.at + 2]
            and text.words[token.at + 1] in TIES
        ):
            return True
        if token.concept in concepts and token.at > 1 and text.words[token.at - 2] in TIES:
            return True
    return False


def _more(left: Said, right: Said) -> str:
    """What one takes in beside all that the other says: "paid entries" against "paid entries and free ones"."""
    for these, those in ((left, right), (right, left)):
        if these.concepts < those.concepts:
            extra = those.concepts - these.concepts
            if extra - GENERIC and (_joined(those, extra) or those.taken_in & extra):
                return f"{_words(extra)} counted on one side only"
    return ""


def _unlike(left: Said, right: Said, agreed: set[str]) -> bool:
    """Whether too little of the two is alike; what they say of a question on which they agree counts as one thing."""
    mine, theirs = left.concepts - agreed, right.concepts - agreed
    shared = len(mine & theirs) + _near(mine - theirs, theirs - mine)
    alike = bool(agreed) + bool(
        left.figures & right.figures or (left.numbers and left.numbers == right.numbers)
    )
    shared, fewer = shared + alike, min(len(mine), len(theirs)) + alike
    if (not mine and not theirs) or not fewer:
        return False
    if shared / fewer < ALIKE:
        return True
    return fewer == 2 and shared == 1 and not alike


def likeness(left: Said, right: Said, *, of_all: bool = False) -> float:
    """Which share of the concepts the two have in common: of the shorter text's, or of all of them."""
    mine, theirs = left.concepts, right.concepts
    if not mine or not theirs:
        return 1.0
    shared = len(mine & theirs) + _near(mine - theirs, theirs - mine)
    return shared / (len(mine | theirs) if of_all else min(len(mine), len(theirs)))


def _near(mine: set[str], theirs: set[str]) -> int:
    """How many words are one word with another ending: "insure" and "insurance"."""
    left = set(theirs)
    found = 0
    for word in mine:
        match = next((one for one in left if len(word) > 4 and len(one) > 4 and word[:5] == one[:5]), None)
        if match:
            left.discard(match)
            found += 1
    return found


def _untranslated(one: str, left: Said, other: str, right: Said) -> bool:
    """Whether the two are in two languages, and of one of them too little is understood."""
    languages = {language(one), language(other)} - {""}
    if len(languages) < 2:
        return False
    return any(sum(token.known for token in text.tokens) * 2 < len(text.tokens) for text in (left, right))


def head(text: Said) -> str:
    """The concept that the text is about: the first noun phrase's last word before a relative clause or preposition."""
    if text.words[:1] and text.words[0] in WHO:
        return "person"
    first = text.tokens[0].at if text.tokens else 0
    limit = next(
        (at for at, word in enumerate(text.words) if at and (word in JOINS or (at > first and _done(word)))),
        len(text.words),
    )
    before = [token.concept for token in text.tokens if token.at < limit]
    real = [concept for concept in before if concept not in GENERIC or concept == "person"]
    if real:
        return real[-1]
    after = [token.concept for token in text.tokens if token.concept not in GENERIC]
    return after[0] if after else (before[0] if before else "")


def _done(word: str) -> bool:
    """Whether the word is a participle, with which after a noun something new begins: "person trained in"."""
    return word in DONE or (len(word) > 4 and word.endswith("ed"))


def of_meaning(one: str, other: str) -> str:
    """Why two meanings count differently although both are about the same sort of thing; empty where they do not."""
    if not one.strip() or not other.strip():
        return ""
    left, right = said(one), said(other)
    if against := opposed(left, right, but=LOOSE):
        question, mine, theirs = against
        return f"{question}: {mine} against {theirs}"
    mine, theirs = head(left), head(right)
    parties = PARTIES - {"person"}
    if mine != theirs and mine in parties and theirs in parties and not left.concepts & right.concepts:
        return f"{mine.replace('_', ' ')} against {theirs.replace('_', ' ')}"
    return ""


def other_kind(one: str, other: str, *, beside: tuple[str, str] = ("", ""), term: str = "") -> bool:
    """Whether two meanings are of two kinds of thing: their heads are of kinds that cannot be one, or they lie in
    two fields of life.

    `beside`: the two rules of counting, which may show that both speak of one thing; `term`: whose meanings they are.
    """
    if not one.strip() or not other.strip():
        return False
    left, right = said(one), said(other)
    if likeness(left, right) >= ALIKE or head(left) == head(right) or _untranslated(one, left, other, right):
        return False
    if all(beside) and said(beside[0]).concepts & said(beside[1]).concepts:
        return False
    named = said(term).concepts
    if named & left.concepts and named & right.concepts:
        return False
    kinds = {KIND_OF.get(head(left)), KIND_OF.get(head(right))}
    apart = not left.concepts & right.concepts
    if apart and None not in kinds and len(kinds) == 2 and frozenset(kinds) not in KINDS_ALIKE:
        return True
    fields = _fields(left), _fields(right)
    return all(fields) and not fields[0] & fields[1] and not kinds <= PERSONS


def _fields(text: Said) -> set[str]:
    """The fields of life that its words belong to."""
    return {name for concept in text.concepts for name in FIELDS_OF.get(concept, ())}


def one_thing(one: str, other: str) -> bool:
    """Whether two meanings are one, said in two ways."""
    left, right = said(one), said(other)
    mine, theirs = left.concepts, right.concepts
    if not mine or not theirs or opposed(left, right):
        return False
    if KIND_OF.get(head(left)) != KIND_OF.get(head(right)) or not _same_head(left, right):
        return False
    if likeness(left, right, of_all=True) >= ONE_THING:
        return True
    shorter = min(mine, theirs, key=len)
    return len(shorter) >= 2 and likeness(left, right) == 1.0 and _tail_only(left, right)


def _same_head(left: Said, right: Said) -> bool:
    mine, theirs = head(left), head(right)
    return mine == theirs or (
        mine in right.concepts and theirs in left.concepts and KIND_OF.get(mine) == "person"
    )


def _tail_only(left: Said, right: Said) -> bool:
    """Whether what one says more stands behind a "that" or "which" that the other lacks."""
    short, long = sorted((left, right), key=lambda text: len(text.tokens))
    where = next((at for at, word in enumerate(long.words) if word in RELATIVE and at), None)
    return where is not None and not any(
        token.concept not in short.concepts for token in long.tokens if token.at < where
    )


def same_term(one: str, other: str) -> bool:
    """Whether two terms are one, whatever their endings."""
    return [stem(word) for word in fold(one).split()] == [stem(word) for word in fold(other).split()]


def synonyms(one: str, other: str) -> bool:
    """Whether two terms are one in the lexicon: Kunde and customer."""
    left, right = said(one), said(other)
    known = all(token.known for token in (*left.tokens, *right.tokens))
    return bool(left.concepts) and known and left.concepts == right.concepts


def _words(concepts: set[str]) -> str:
    return " and ".join(sorted(concept.replace("_", " ") for concept in concepts if concept not in STOPPED))
