"""Masks: the form of an identifier, character by character.

9 is a digit, A a capital, a a small letter, X a letter or a digit, h a hexadecimal digit, and # is the same as 9.
Other signs are literal. Letters and digits are literal between quotation marks, as in "C-"9{6}. A count follows its
character: {6} is six, {2,4} is two to four, and + is one or more. Data profiles write patterns in the same way
(measurement/patterns.py), with literal letters and digits as A, a and 9.
"""

import re
from dataclasses import dataclass
from itertools import groupby

from initiatives.integration.measurement import patterns

CLASSES = {"9": "9", "#": "9", "A": "A", "a": "a", "X": "X", "h": "h"}
LONGEST = 80  # characters of a mask
MOST = 999  # characters of an identifier
PIECE = re.compile(r"""(?:"([^"]+)"|([^"{}+]))(?:\{(\d{1,3})(?:,(\d{1,3}))?\}|(\+))?""")
HOW = (
    "Write 9 for a digit, h for a hexadecimal digit, and X for a letter or a digit. Write A for a capital "
    "letter and a for a small letter. Put letters and digits that never change between quotation marks. "
    'Write {6} to repeat a sign six times, for example "C-"9{6}.'
)


class Unreadable(ValueError):
    """A text that is not a mask. The message contains the remedy."""


@dataclass(frozen=True)
class Piece:
    """A run of characters of one class, or of one character if `literal`. `most` None: any number."""

    kind: str
    least: int
    most: int | None
    literal: bool = False


def read(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a mask, with neighbours of one class joined. Raises Unreadable."""
    text, at, found = text.strip(), 0, []
    if not text or len(text) > LONGEST:
        raise Unreadable(f"A mask must have one to {LONGEST} characters. {HOW}")
    while at < len(text):
        match = PIECE.match(text, at)
        if match is None:
            raise Unreadable(f"“{text[at : at + 12]}” cannot be read as part of a mask. {HOW}")
        quoted, sign, least, most, plus = match.groups()
        kind = CLASSES.get(sign or "")
        if quoted is None and kind is None and sign.isalnum():
            raise Unreadable(f"The mask has an unknown sign, “{sign}”. {HOW}")
        low = int(least) if least else 1
        high = None if plus else int(most or low)
        if not low or (high is not None and high < low):
            raise Unreadable(f"“{match[0]}” in the mask is not a valid number of characters. {HOW}")
        signs = [kind] if kind else list(quoted or sign)
        for one in signs[:-1]:
            found.append(Piece(one, 1, 1, True))
        found.append(Piece(signs[-1], low, high, kind is None))
        at = match.end()
    joined = []
    for _, group in groupby(found, key=lambda one: (one.kind, one.literal)):
        same = list(group)
        ends = [one.most for one in same if one.most is not None]
        most = sum(ends) if len(ends) == len(same) else None
        joined.append(Piece(same[0].kind, sum(one.least for one in same), most, same[0].literal))
    if sum(one.least for one in joined) > MOST:
        raise Unreadable(f"The mask is too long: an identifier has at most {MOST} characters. {HOW}")
    return tuple(joined)


def fits(mask: str, pattern: str) -> bool:
    """Return True if the mask can write values that were measured with this pattern.

    A pattern that is too coarse to tell fits. The time is in proportion to both texts. Raises Unreadable.
    """
    pieces, seen = read(mask), patterns.pieces(pattern)
    classes = [_class_of(one) for one in pieces]
    runs = [(kind, count) for kind, count in seen if count is not None]
    if len(runs) < len(seen):  # runs of any length: only the order of classes is known
        return _order(classes) == _order([kind for kind, _ in seen])
    length = sum(count for _, count in runs)
    if length > MOST:
        return False
    measured = "".join(kind * count for kind, count in runs)
    letters = bool({"A", "a", "X", "h"} & set(classes))
    reached = [True] + [False] * length  # how far the pieces so far can reach
    for kind, piece in zip(classes, pieces, strict=True):
        reached = _after(reached, measured, _measured_as(kind, letters), piece)
    return reached[length]


def _after(reached: list[bool], measured: str, kinds: str, piece: Piece) -> list[bool]:
    """Return the places that one more piece can reach from the reached places."""
    length = len(measured)
    run = [0] * (length + 1)  # how many of these classes follow from here
    for at in range(length - 1, -1, -1):
        run[at] = run[at + 1] + 1 if measured[at] in kinds else 0
    steps = [0] * (length + 2)
    for at in range(length + 1):
        last = run[at] if piece.most is None else min(run[at], piece.most)
        if reached[at] and last >= piece.least:
            steps[at + piece.least] += 1
            steps[at + last + 1] -= 1
    here, found = 0, []
    for at in range(length + 1):
        here += steps[at]
        found.append(here > 0)
    return found


def shortest(mask: str) -> str:
    """Return the pattern of the shortest identifiers of a mask. Raises Unreadable."""
    return "".join(f"{_class_of(one)}{{{one.least}}}" for one in read(mask))


def _class_of(piece: Piece) -> str:
    """Return the class as which the characters of a piece are measured."""
    if not piece.literal or not piece.kind.isalnum():
        return piece.kind
    return "9" if piece.kind.isdigit() else "A" if piece.kind.isupper() else "a"


def _measured_as(kind: str, letters: bool) -> str:
    """Return the classes as which a class may be measured. `letters`: the mask has letters too."""
    if kind in "Xh":
        return "9AaXh"
    return f"{kind}Xh" if letters and kind in "9Aa" else kind


def _order(classes: list[str]) -> str:
    return "".join(kind for kind, _ in groupby(classes))
