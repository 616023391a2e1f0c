"""JSON from outside, measured before an object is built from it: how many values it holds and how deep they are nested.

Three bytes of JSON become an object of 60 to 200 bytes, and code that walks nested values stops at about 1,000 levels.
So the length of a request bounds neither the memory nor whether it can be read.
"""

import json
import re
from typing import Any

DEEPEST = 32  # lists and objects within each other
MOST_VALUES = 1_000_000  # in one request: about 200 MB of objects at most

# A text, also one that is not closed: each byte is looked at once, whatever the text holds.
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = bytes.maketrans(b"[]{}", b"()()")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_PLAIN = bytes(set(range(256)) - set(b'[]{},"'))


class TooMuch(ValueError):
    """The JSON holds more values, or more levels of them, than is read; its text says which bound."""


class TooDeep(TooMuch):
    """The JSON holds more levels of values than are read."""


def measured(body: bytes, *, most: int = MOST_VALUES, deepest: int = DEEPEST) -> int:
    """Return how many values `body` holds, at most a few too many; text that is not JSON too. Raises TooMuch."""
    structure = _structure(body)
    values = 1 + structure.count(b"[") + structure.count(b"{") + structure.count(b",")
    if values > most:
        raise TooMuch(f"it holds more than {most} values")
    left = structure.translate(_BRACKETS, _OTHERS)
    for _ in range(deepest):
        if not left:
            return values
        left = left.replace(b"()", b"")
    if b"()" in left or left.count(b"(") > deepest:  # what else is left was cut off
        raise TooDeep(f"it holds values within values, more than {deepest} deep")
    return values


def _structure(body: bytes) -> bytes:
    """Return `body` without its texts; where none of them holds a bracket or comma, its brackets and commas alone."""
    if b"\\" not in body:
        # Each run of quotes that is left is even, so each bracket and comma has an even number of them before it.
        structure = body.translate(None, _PLAIN).replace(b'""', b"")
        if b'"' not in structure:
            return structure
    return _TEXTS.sub(b"", body)


def loads(body: bytes | str, *, most: int = MOST_VALUES, deepest: int = DEEPEST, **options: Any) -> Any:
    """Return the value that `body` (UTF-8) is, read by `json.loads` with these options.

    Raises TooMuch, and ValueError for text that is not JSON.
    """
    text = body if isinstance(body, str) else body.decode("utf-8-sig")
    # So short, and with so few brackets, it cannot be too much.
    if len(text) > most or text.count("[") + text.count("{") > deepest:
        measured(text.encode("utf-8", "surrogatepass"), most=most, deepest=deepest)
    return json.loads(text, **options)
