"""Acronyms of one text that the other one spells out: RPK, and revenue passenger km."""

import re

ACRONYM = re.compile(r"\b[A-Z]{2,5}\b")
# Words that most acronyms leave out.
SMALL = ("of", "the", "and", "for", "to", "in", "de", "du", "des", "la", "der", "die", "und", "et")
WORDS = re.compile(r"[^\W\d_]+")


def spelt_out(text: str, other: str) -> str:
    """The text with its acronyms in the words that the other text, or it itself, uses for them."""
    if not (found := set(ACRONYM.findall(text))):
        return text
    said = {acronym: phrase for acronym in found if (phrase := _phrase(acronym, f"{other}; {text}"))}
    return ACRONYM.sub(lambda match: said.get(match.group(), match.group()), text)


def _phrase(acronym: str, text: str) -> str:
    """The words of a text that begin with the letters of the acronym, in their order; empty where there are none."""
    words = WORDS.findall(text)
    for at in range(len(words) - len(acronym) + 1):
        phrase = words[at : at + len(acronym)]
        if all(
            word[0].upper() == letter and word != acronym
            for word, letter in zip(phrase, acronym, strict=True)
        ):
            return " ".join(phrase)
    return ""


def same(one: str, other: str) -> bool:
    """Whether one of two names is the acronym of the other, whose small words it may leave out."""
    return any(
        len(short) > 2
        and short.isupper()
        and short == "".join(word[0].upper() for word in WORDS.findall(long) if word.lower() not in SMALL)
        for short, long in ((one.strip(), other), (other.strip(), one))
    )
