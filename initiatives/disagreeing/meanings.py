"""What two meanings say against each other: whether they are of one sort of thing, and whether of one thing.

Unknown is no difference; the same in other words is none. Source of the rule: int.definitions.
"""

import re

from initiatives.disagreeing import acronyms, logic, questions
from initiatives.disagreeing.logic import near, opposed, untranslated
from initiatives.disagreeing.speaking import Said, said
from initiatives.disagreeing.tables import markers, words
from initiatives.disagreeing.vocabulary import generic, lexicon, stem, words_of

# From so many concepts on a meaning says enough to show that it has nothing to do with another one.
SAYS_ENOUGH = 2
# From this share of all concepts in common on, two meanings are one; of longer ones a smaller share is enough.
ONE_THING = 0.6
MOSTLY = 0.5
ALL_ALIKE = 0.99
# What is said by the way: in brackets, or as an example.
ASIDE = re.compile(r"\([^()]*\)")
EXAMPLE = re.compile(r"(?i),? *(?:\be\.? ?g\b|\bz\. ?b\.|\bp\. ?ex\.|\bsuch as\b|\bfor example\b).*")
# What a party is counted as: the same term under two of these is counted differently.
PARTIES = words(
    "account payer contract natural_person household couple business place subscription user branch order"
)
# Words after which a noun phrase is over.
OPENING = words("all any each every must may can is are was were not only has have had will shall should")
# What may be is not what is.
POSSIBLE = words(
    "likely potential potentially possible possibly probable probably might perhaps expected prospective"
)
DONE = words("""
paid sold made given sent lent held kept bought taken done born left won lost drawn written spent built put set seen
known let run
""")


def head(text: Said) -> str:
    """The concept that the text is about: the first noun phrase's last word before a relative clause or preposition."""
    if text.words[:1] and text.words[0] in markers("who"):
        return "person"
    first = text.tokens[0].end - 1 if text.tokens else 0
    limit = next(
        (
            at
            for at, word in enumerate(text.words)
            if at > first
            and (word in markers("joins") | markers("relative") or word in OPENING or _done(word))
        ),
        len(text.words),
    )
    before = [token.concept for token in text.tokens if token.at < limit]
    real = [concept for concept in before if concept not in generic() or concept == "person"]
    if real:
        return real[-1]
    after = [token.concept for token in text.tokens if token.concept not in generic()]
    return after[0] if after else (before[0] if before else "")


def _done(word: str) -> bool:
    """Whether the word is a participle, with which after a noun something new begins: "person trained in"."""
    return word in DONE or (len(word) > 4 and word.endswith(("ed", "ing")))


def of_meaning(one: str, other: str) -> str:
    """Why two meanings count differently although both are about the same sort of thing; empty where they do not."""
    if not one.strip() or not other.strip():
        return ""
    left, right = said(one), said(other)
    if against := opposed(left, right, but=questions.loose()):
        return "{}: {} against {}".format(*against)
    mine, theirs = head(left), head(right)
    if mine != theirs and {mine, theirs} <= PARTIES and not left.concepts & right.concepts:
        return f"{mine.replace('_', ' ')} against {theirs.replace('_', ' ')}"
    return ""


def other_kind(one: str, other: str, *, beside: tuple[str, str] = ("", ""), term: str = "") -> bool:
    """Whether two meanings are of two kinds of thing: nothing in common, and their heads or scenes are others.

    `beside`: the two rules of counting, which may show that both speak of one thing; `term`: whose meanings they are.
    """
    if not one.strip() or not other.strip():
        return False
    left, right = (said(EXAMPLE.sub(" ", ASIDE.sub(" ", text))) for text in (one, other))
    named = said(term).concepts
    mine, theirs = left.concepts - generic(), right.concepts - generic()
    if (mine & theirs) - markers("light") or near(mine, theirs) or untranslated(one, left, other, right):
        return False
    if all(beside) and said(beside[0]).concepts & said(beside[1]).concepts - generic():
        return False
    if any(logic.interchangeable(one, other) for one in mine for other in theirs):
        return False
    if head(left) == head(right) and head(left) not in generic() | named:
        return False
    kinds = {lexicon().kinds.get(head(left)), lexicon().kinds.get(head(right))}
    if None not in kinds and len(kinds) == 2 and frozenset(kinds) not in lexicon().alike:
        return True
    scenes = _scenes(mine), _scenes(theirs)
    if scenes[0] & scenes[1]:
        return False
    if all(scenes):
        return True
    of_term = _scenes(named)
    return (
        any(scenes) and not of_term & (scenes[0] | scenes[1]) and min(len(mine), len(theirs)) >= SAYS_ENOUGH
    )


def _scenes(concepts: set[str]) -> set[str]:
    """The scenes of life that these concepts belong to."""
    return {name for concept in concepts - markers("light") for name in lexicon().scenes.get(concept, ())}


def one_thing(one: str, other: str, terms: tuple[str, str]) -> bool:
    """Whether two meanings are one, said in two ways, although the terms are two.

    Two terms that the thesaurus knows as two things need all of it alike, others most of it. What stands in brackets
    is said by the way.
    """
    left, right = (said(ASIDE.sub(" ", text)) for text in (one, other))
    names = tuple(said(term) for term in terms)
    if apart_for_sure(one, other, terms):
        return False
    mine, theirs = left.concepts - generic(), right.concepts - generic()
    heads = head(left), head(right)
    if all(_person(one) for one in heads) or (
        "person" in heads and {lexicon().kinds.get(one) for one in heads} <= {"person"}
    ):
        mine, theirs = mine - {heads[0]}, theirs - {heads[1]}
    elif "person" in heads and "person" in left.concepts & right.concepts:
        return False  # one of them is about a person whom the other only speaks of
    if _roles(mine - theirs, theirs - mine):
        return False
    shared = len(mine & theirs) + near(mine, theirs) + _interchanged(mine - theirs, theirs - mine)
    alike = shared / (len(mine) + len(theirs) - shared) if mine | theirs else 0.0
    known = [text.concepts - generic() for text in names]
    apart = (
        all(known) and not known[0] & known[1] and all(token.known for text in names for token in text.tokens)
    )
    enough = ALL_ALIKE if apart else ONE_THING
    return (shared >= 3 and alike >= MOSTLY) or (shared >= 2 and alike >= enough)


def apart_for_sure(one: str, other: str, terms: tuple[str, str]) -> bool:
    """Whether something is said of one that rules out the other: likely to leave, and gone; before, and after."""
    left, right = (said(ASIDE.sub(" ", text)) for text in (one, other))
    if bool(POSSIBLE & set(left.words)) != bool(POSSIBLE & set(right.words)):
        return True
    return bool(opposed(left, right) or opposed(*map(said, terms)) or logic.turned(left, right))


def _roles(mine: set[str], theirs: set[str]) -> bool:
    """Whether each does something that the other does not: who refers a patient, and who treats him."""
    kinds = lexicon().kinds
    acts = [{one for one in half if kinds.get(one) == "event"} for half in (mine, theirs)]
    return all(acts) and not any(logic.interchangeable(one, other) for one in acts[0] for other in acts[1])


def _interchanged(mine: set[str], theirs: set[str]) -> int:
    """How many things of one stand in the other under a name that often means the same; what happens is no thing."""
    kinds = lexicon().kinds
    left = {other for other in theirs if kinds.get(other) != "event"}
    found = 0
    for one in mine:
        match = next((other for other in left if logic.interchangeable(one, other)), None)
        if match is not None and kinds.get(one) != "event":
            left.discard(match)
            found += 1
    return found


def _person(concept: str) -> bool:
    return concept in ("person", "customer", "user", "natural_person", "business", "participant", "party")


def same_term(one: str, other: str) -> bool:
    """Whether two terms are one, whatever their endings."""
    if acronyms.same(one, other):
        return True
    return [stem(word) for word in words_of(one)] == [stem(word) for word in words_of(other)]


def synonyms(one: str, other: str) -> bool:
    """Whether two terms are one in the thesaurus: Kunde and customer."""
    left, right = (said(text) for text in (one, other))
    tokens = [token for token in (*left.tokens, *right.tokens) if token.concept not in generic()]
    if opposed(left, right):
        return False
    return bool(left.concepts) and all(token.known for token in tokens) and left.concepts == right.concepts
