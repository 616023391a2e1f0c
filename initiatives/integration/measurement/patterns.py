"""Patterns of values: `A{2}9{8}` is two capitals and eight digits.

Patterns are read from masks. In a mask, 9 is a digit, A a capital and a a small letter, and other characters are
literal. In patterns, X is a letter or a digit (codes that mix them), h a hexadecimal digit, and + any number. Text
without a form is "text".
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import groupby
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

TEXT, BLANK, LONG = "text", "blank", "\u2026"
MOST = 6  # patterns kept for a column
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
LONGER, LONGEST = 40, 80  # characters; text with spaces, and any text, above which a value has no mask
STAND_INS = {
    *("null", "n/a", "na", "nan", "none", "nil", "-", "--", "(null)", "#n/a", "\\n", "tbd", "unknown")
}
SURE = 0.8  # the share of values of one type from which a column is of that type
CLASSES = {
    ord(letter): kind
    for letters, kind in ((digits, "9"), (ascii_uppercase, "A"), (ascii_lowercase, "a"))
    for letter in letters
}


def mask_of(value: str) -> str:
    """Return the mask of a value, or `BLANK` if it is empty or a word for no value."""
    value = value.strip()
    if not value or (len(value) < 10 and value.lower() in STAND_INS):
        return BLANK
    if len(value) > LONGEST or (len(value) > LONGER and " " in value):
        return LONG
    return value.translate(CLASSES)


def column_of(masks: Counter[str]) -> dict[str, Any]:
    """Return the type of a column and the shares of its commonest patterns, from the masks of its values.

    Blanks count for neither.
    """
    filled = masks.total() - masks[BLANK]
    if not filled:
        return {"type": "empty", "patterns": {}}
    types: Counter[str] = Counter()
    for mask, count in masks.items():
        if mask != BLANK:
            types[type_of(mask)] += count
    level, kind = level_of(masks), types.most_common(1)[0][0]
    if types["integer"] + types["decimal"] >= SURE * filled and types["decimal"]:
        kind, level = "decimal", 2 if level is not None else None
    elif types[kind] < SURE * filled:
        kind = "text"
    seen: Counter[str] = Counter()
    for mask, count in masks.items():
        if mask != BLANK:
            seen[TEXT if level is None else pattern_of(mask, level)] += count
    return {
        "type": kind,
        "patterns": {name: round(count / filled, 4) for name, count in seen.most_common(MOST)},
    }


@lru_cache(maxsize=50_000)
def tidied(mask: str) -> str:
    """Return the mask with letters of any script as A or a, and controls as spaces."""
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
    """Return the pattern of a mask at a level (`LEVELS`)."""
    if mask == BLANK:
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
    """Return True if letters and digits change so often that their places are chance."""
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
    """Return the finest level where few patterns cover most values, or None for text."""
    total = sum(count for mask, count in masks.items() if mask != BLANK)
    for level in LEVELS:
        seen = Counter()
        for mask, count in masks.items():
            if mask != BLANK:
                seen[pattern_of(mask, level)] += count
        del seen[TEXT]
        if total and sum(count for _, count in seen.most_common(MOST)) >= ENOUGH * total:
            return level
    return None


def type_of(mask: str) -> str:
    """Return the type for this mask: integer, decimal, date, timestamp or text."""
    if mask.startswith(LONG):
        return "text"
    mask = tidied(mask)
    if WHOLE.fullmatch(mask):
        return "integer"
    if ISO.fullmatch(mask) or OTHER_DATES.fullmatch(mask):
        return "timestamp" if ":" in mask else "date"
    return "decimal" if DECIMAL.fullmatch(mask) else "text"


def pieces(pattern: str) -> list[tuple[str, int | None]]:
    """Return the classes of a pattern and the count of each, None for any number."""
    return [
        (kind, int(count) if count else None if plus else 1) for kind, count, plus in PIECE.findall(pattern)
    ]


def grown(before: str, after: str) -> bool:
    """Return True if one run of digits is longer by one, as when a counter goes on."""
    one, other = pieces(before), pieces(after)
    if [kind for kind, _ in one] != [kind for kind, _ in other]:
        return False
    steps = [
        (kind, (there or 0) - (here or 0))
        for (kind, here), (_, there) in zip(one, other, strict=True)
        if here != there
    ]
    return len(steps) == 1 and steps[0] == ("9", 1)
