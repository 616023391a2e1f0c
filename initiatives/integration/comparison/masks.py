"""Masks: how an identifier is written, character by character.

9 is a digit, A a capital, a a small letter, X a letter or a digit, h a hexadecimal digit; other signs stand for
themselves, letters and digits only between quotation marks: "C-"9{6}. {6} is six of what stands before, {2,4} two to
four, + one or more; # is another way to write 9. Data profiles write patterns alike (measurement/patterns.py), with
letters and digits that stand for themselves as A, a and 9.
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
    "Write 9 for a digit, A for a capital, a for a small letter, X for either, h for a hexadecimal digit; letters and "
    'digits that are always the same between quotation marks; {6} for six of them: "C-"9{6}.'
)


class Unreadable(ValueError):
    """That a text is no mask; the text says how to fix it."""


@dataclass(frozen=True)
class Piece:
    """So many characters of one class, or (`literal`) one that stands for itself. `most` None: any number."""

    kind: str
    least: int
    most: int | None
    literal: bool = False


def read(text: str) -> tuple[Piece, ...]:
    """The pieces of a mask, neighbours of one class as one. Raises Unreadable."""
    text, at, found = text.strip(), 0, []
    if not text or len(text) > LONGEST:
        raise Unreadable(f"A mask has one to {LONGEST} characters. {HOW}")
    while at < len(text):
        match = PIECE.match(text, at)
        if match is None:
            raise Unreadable(f"“{text[at : at + 12]}” cannot be read as part of a mask. {HOW}")
        quoted, sign, least, most, plus = match.groups()
        kind = CLASSES.get(sign or "")
        if quoted is None and kind is None and sign.isalnum():
            raise Unreadable(f"“{sign}” is no class of characters. {HOW}")
        low = int(least) if least else 1
        high = None if plus else int(most or low)
        if not low or (high is not None and high < low):
            raise Unreadable(f"“{match[0]}” is no number of characters. {HOW}")
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
        raise Unreadable(f"An identifier has at most {MOST} characters. {HOW}")
    return tuple(joined)


def fits(mask: str, pattern: str) -> bool:
    """Whether values measured with this pattern can be written by the mask; what is too coarse to tell fits.

    Takes time in proportion to both texts, whatever they say. Raises Unreadable.
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
    """How far one more piece reaches from each of these places."""
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
    """The pattern as which the shortest identifiers of a mask would be measured. Raises Unreadable."""
    return "".join(f"{_class_of(one)}{{{one.least}}}" for one in read(mask))


def _class_of(piece: Piece) -> str:
    """The class as which the characters of a piece are measured."""
    if not piece.literal or not piece.kind.isalnum():
        return piece.kind
    return "9" if piece.kind.isdigit() else "A" if piece.kind.isupper() else "a"


def _measured_as(kind: str, letters: bool) -> str:
    """The classes as which characters of a class may have been measured. `letters`: the mask has letters too."""
    if kind in "Xh":
        return "9AaXh"
    return f"{kind}Xh" if letters and kind in "9Aa" else kind


def _order(classes: list[str]) -> str:
    return "".join(kind for kind, _ in groupby(classes))
