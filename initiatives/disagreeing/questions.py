"""Questions on which two texts may take different sides, read from the thesaurus: net or gross, ordered or delivered.

Each has two answers or more, and each answer the phrases that give it; thesaurus/README.md says how they are written.
"""

import functools
import re

from initiatives.disagreeing import tables
from initiatives.disagreeing.vocabulary import singular, words_of

# The files with questions; one that comes again in a later file is widened there.
FILES = ("contrasts", "moments", "measures", "quarrels", "terms")


@functools.cache
def asked() -> dict[str, tuple[dict[tuple[str, ...], str], frozenset[str]]]:
    """By question its phrases with the answer that each gives, and in which readings the question holds."""
    found: dict[str, tuple[dict[tuple[str, ...], str], frozenset[str]]] = {}
    question = ""
    for line in (line for name in FILES for line in tables.lines(name)):
        if not line.startswith("  "):
            question, *flags = line.replace(")", "").split(" (")
            found.setdefault(question, ({}, frozenset(flags)))
            continue
        answer, _, phrases = line.partition(":")
        for phrase in phrases.split(","):
            named = phrase.strip().startswith("<")
            key = (phrase.strip(),) if named else tuple(bare(word) for word in words_of(phrase))
            found[question][0].setdefault(key, answer.strip())
    return found


@functools.lru_cache(maxsize=20_000)
def bare(word: str) -> str:
    """A word without its plural, and a longer one without the endings of German adjectives."""
    word = singular(word)
    return re.sub(r"e[nrsm]?$", "", word) if len(word) > 6 else word


@functools.cache
def firsts() -> dict[str, list[tuple[str, tuple[str, ...], str]]]:
    """By their first word, the phrases of all questions, longest first: question, phrase, answer."""
    found: dict[str, list[tuple[str, tuple[str, ...], str]]] = {}
    for question, (phrases, _) in asked().items():
        for phrase, answer in phrases.items():
            found.setdefault(phrase[0], []).append((question, phrase, answer))
    for several in found.values():
        several.sort(key=lambda one: -len(one[1]))
    return found


@functools.cache
def loose() -> frozenset[str]:
    """The questions that only a rule of counting answers on purpose."""
    return frozenset(question for question, (_, flags) in asked().items() if "loose" in flags)


@functools.cache
def kept() -> frozenset[str]:
    """The questions whose answers stay what they are under a "not"."""
    return frozenset(question for question, (_, flags) in asked().items() if "kept" in flags)
