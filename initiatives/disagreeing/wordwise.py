"""What two rules of counting say word by word: codes with what each stands for, and one alternative more."""

import re

from initiatives.disagreeing.speaking import Said
from initiatives.disagreeing.vocabulary import words_of

# A code with what it stands for: A = total loss.
CODED = re.compile(r"(?<!\w)([A-Za-z0-9]{1,3}) ?[=:] ?([^,;=/]+?)(?=[,;/]|$)")
OR = {"or", "oder", "ou"}


def swapped(one: str, other: str) -> str:
    """What a code stands for on one side, where another code stands for it on the other: A = total, B = total."""
    told = [
        {code.upper(): frozenset(words_of(sense)) for code, sense in CODED.findall(text)}
        for text in (one, other)
    ]
    for code, sense in told[0].items():
        there = told[1].get(code)
        if there and not sense & there and any(sense & told[1][late] for late in told[1] if late != code):
            return f"{code} stands for another thing"
    return ""


def or_else(left: Said, right: Said) -> str:
    """What one takes as well, where all other words are the same: a purchase, and a purchase or a login."""
    for these, those in ((left, right), (right, left)):
        more = len(those.words) - len(these.words)
        at = next(
            (at for at, (a, b) in enumerate(zip(these.words, those.words, strict=False)) if a != b),
            len(these.words),
        )
        added = those.words[at : at + more]
        if 1 < more <= 6 and {added[0], added[-1]} & OR and those.words[at + more :] == these.words[at:]:
            said = " ".join(word for word in added if word not in OR)
            return f"{said} taken in on one side only"
    return ""
