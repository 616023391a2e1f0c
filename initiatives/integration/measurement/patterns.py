"""Patterns of values: `A{2}9{8}` is two capitals and eight digits. Read from masks, in which each character is a class.

In a mask a digit is 9, a capital A, a small letter a, and all else stands for itself. In patterns X is a letter or a
digit (codes that mix them), h a hexadecimal digit, and + any number; text with no form of its own is "text".
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import groupby

TEXT, OTHER, BLANK, LONG = "text", "other", "blank", "\u2026"
MOST = 6  # patterns told of a column
LEVELS = (0, 1, 2)  # exact; codes that mix letters and digits as one; runs of any length
ENOUGH = 0.8  # the share of values that so many patterns have to cover at a level
UUID = re.compile(r"[9Aa]{8}(-[9Aa]{4}){3}-[9Aa]{12}")
ISO = re.compile(r"9999-99-99([A ]99:99.*)?|9999/99/99|9999\.99\.99")
OTHER_DATES = re.compile(
    r"9{1,2}([/.-])9{1,2}\1(9999|99)( 9{1,2}:99.*)?|9{1,2}[- ]A(aa|AA)[- ]9999|A(aa|a+) 9{1,2}, 9999"
)
WHOLE = re.compile(r"[+-]?9{1,18}")
DECIMAL = re.compile(
    r"[+-]?[$€£¥]? ?(9+|9{1,3}(,999)+|9{1,3}(\.999)+|9{1,3}([ '\u00a0]999)+)([.,]9+)?(A[+-]?9+|a[+-]?9+)?( ?[%$€£¥])?"
)
CODE = re.compile(r"[9Aa]+")
PIECE = re.compile(r"(.)(?:\{(\d+)\}|(\+))?", re.DOTALL)


@lru_cache(maxsize=50_000)
def tidied(mask: str) -> str:
    """The mask with letters of every script as A or a, and control characters as spaces."""
    if mask.isascii() and mask.isprintable():
        return mask
    kinds = {"Lu": "A", "Nd": "9"}
    return "".join(
        letter
        if letter.isascii() and letter.isprintable()
        else kinds.get(
            kind := unicodedata.category(letter),
            "a" if kind[0] in "LM" else " " if kind[0] in "ZC" else letter,
        )
        for letter in mask
    )


def pattern_of(mask: str, level: int = 0) -> str:
    """The pattern of a mask at a level (`LEVELS`)."""
    if mask in (BLANK, OTHER):
        return mask
    if mask.startswith(LONG):
        return TEXT
    mask = tidied(mask)
    if UUID.fullmatch(mask):
        return "h{8}-h{4}-h{4}-h{4}-h{12}"
    if level == 2:
        return (
            "".join(f"{kind}+" if kind in "9Aa" else kind for kind, _ in groupby(mask))
            if len(mask.split()) <= 3
            else TEXT
        )
    return CODE.sub(lambda found: _code(found[0], level), mask) if level == 1 or _mixed(mask) else _runs(mask)


def _mixed(mask: str) -> bool:
    """Whether letters and digits change so often that which stands where is chance."""
    return any(len(list(groupby(token))) >= 5 for token in CODE.findall(mask))


def _code(token: str, level: int) -> str:
    kinds = set(token)
    both = "9" in kinds and len(kinds) > 1
    if both and (level == 1 or len(list(groupby(token))) >= 5):
        return f"X{{{len(token)}}}"
    return _runs(token)


def _runs(mask: str) -> str:
    parts = []
    for kind, letters in groupby(mask):
        count = len(list(letters))
        parts.append(f"{kind}{{{count}}}" if kind in "9AaX" or count > 3 else kind * count)
    return "".join(parts)


def level_of(masks: Counter) -> int | None:
    """The finest level at which few patterns cover most values; None where the values have no form: text."""
    total = sum(count for mask, count in masks.items() if mask != BLANK)
    for level in LEVELS:
        seen = Counter()
        for mask, count in masks.items():
            if mask not in (BLANK, OTHER):
                seen[pattern_of(mask, level)] += count
        del seen[TEXT]
        if total and sum(count for _, count in seen.most_common(MOST)) >= ENOUGH * total:
            return level
    return None


def type_of(mask: str) -> str:
    """The type of a value with this mask: integer, decimal, date, timestamp or text."""
    if mask.startswith(LONG):
        return "text"
    mask = tidied(mask)
    if WHOLE.fullmatch(mask):
        return "integer"
    if ISO.fullmatch(mask) or OTHER_DATES.fullmatch(mask):
        return "timestamp" if ":" in mask else "date"
    return "decimal" if DECIMAL.fullmatch(mask) else "text"


def pieces(pattern: str) -> list[tuple[str, int | None]]:
    """The classes of a pattern and how many of each; None for any number."""
    return [
        (kind, int(count) if count else None if plus else 1) for kind, count, plus in PIECE.findall(pattern)
    ]


def grown(before: str, after: str) -> bool:
    """Whether a pattern is another with one run of digits longer by one: a counter went on, nothing changed."""
    one, other = pieces(before), pieces(after)
    if [kind for kind, _ in one] != [kind for kind, _ in other]:
        return False
    steps = [
        (kind, (there or 0) - (here or 0))
        for (kind, here), (_, there) in zip(one, other, strict=True)
        if here != there
    ]
    return len(steps) == 1 and steps[0] == ("9", 1)


def coarser(pattern: str, level: int) -> str:
    """A pattern as it would read at a coarser level, so that two profiles can be compared."""
    if pattern in (TEXT, OTHER, BLANK) or pattern.startswith("h{"):
        return pattern
    mask = "".join(kind * (count or 1) for kind, count in pieces(pattern))
    if level < 2:
        return pattern if "X" in mask else pattern_of(mask, level)
    return "".join(f"{kind}+" if kind in "9AaX" else kind for kind, _ in groupby(mask))
