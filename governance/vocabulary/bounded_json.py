"""Bounds on JSON from outside: its values and levels are counted before it is read.

Three bytes of JSON become an object of 60 to 200 bytes, and code that walks nested values stops at about 1,000
levels. The length of a request bounds neither the memory nor the levels.
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
    """The JSON holds too many values or levels. The text of the error names the limit."""


class TooDeep(TooMuch):
    """The JSON holds more levels of values than are read."""


def measured(body: bytes, *, most: int = MOST_VALUES, deepest: int = DEEPEST) -> int:
    """Return the count of values in `body`, or a few more. Raise TooMuch above a limit.

    Text that is not JSON is counted too.
    """
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
        raise TooDeep(f"it is nested more than {deepest} levels deep")
    return values


def _structure(body: bytes) -> bytes:
    """Return `body` without its texts, or only its brackets and commas."""
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
