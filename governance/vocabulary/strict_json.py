"""JSON that a machine sends, read strictly: one meaning for one text, bounded in depth. Pure.

RFC 8259 leaves open what a reader does with a repeated name, a very deep text or a byte order mark. Two programs that
decide it differently read two requests. I-JSON (RFC 7493) closes these gaps; this module follows it.
"""

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from governance.vocabulary import bounded_json, readable_text

DEEPEST = 64  # values within values; no API here needs more than 32


class NotJson(ValueError):
    """The text is not readable JSON. The message contains what is wrong and how to fix it."""


def finite(text: str) -> float:
    """Return the number that `text` writes. Raises ValueError if it is larger than a float holds."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is out of range")
    return number


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"The body contains {name}, which is not JSON. Send a number or null.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise NotJson(
            f"An object in the body has the name {readable_text.shown(twice[:60])!r} twice. Use it once."
        )
    return found


def reader(number: Callable[[str], float] = finite) -> Callable[[bytes], Any]:
    """Return a function that reads a body. `number` reads numbers with point or exponent."""
    decoder = json.JSONDecoder(parse_float=number, parse_constant=_no_constant, object_pairs_hook=_unique)

    def read_body(body: bytes) -> Any:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise NotJson(
                f"The body is not JSON: byte {wrong.start + 1} is not UTF-8. Send the text as UTF-8."
            ) from None
        if not text.strip():
            raise NotJson("The body is empty, which is not JSON. Send a JSON object.")
        try:
            if text.count("[") + text.count("{") > DEEPEST:
                bounded_json.measured(body, deepest=DEEPEST)
            found = decoder.decode(text)
            return found if text.isascii() and "\\u" not in text else _spelled(found)
        except NotJson:
            raise
        except bounded_json.TooDeep:
            raise NotJson(
                f"The body is nested more than {DEEPEST} levels deep. Send a body with fewer levels."
            ) from None
        except bounded_json.TooMuch as much:
            raise NotJson(f"The body is too large: {much}. Send it in smaller parts.") from None
        except json.JSONDecodeError as wrong:
            raise NotJson(
                f"The body is not JSON: {wrong.msg} at line {wrong.lineno}, column {wrong.colno}."
            ) from None
        except ValueError:
            raise NotJson("The body cannot be read: a number is too large. Send a smaller number.") from None

    return read_body


read = reader()


def _spelled(found: Any) -> Any:
    """Return the values with texts in one form of accents. Line ends of a machine stay as they are."""
    if isinstance(found, str):
        return readable_text.normalized("NFC", found)
    if isinstance(found, list):
        return [_spelled(one) for one in found]
    if isinstance(found, dict):
        return {name: _spelled(one) for name, one in found.items()}
    return found


def hidden_text(found: Any, place: str = "") -> tuple[str, str] | None:
    """Return the place of a hidden character in `found` and why it is refused, or None.

    The place is written as SCIM writes paths, for instance `emails[0].value`. Names are checked too.
    """
    if isinstance(found, str):
        why = readable_text.refusal(found)
        return (place, why) if why else None
    inner: list[tuple[str, Any]] = []
    if isinstance(found, dict):
        for name, one in found.items():
            if why := readable_text.refusal(name):
                return place, f"The name of an attribute is refused. {why}"
            inner.append((f"{place}.{name}" if place else name, one))
    elif isinstance(found, list):
        inner = [(f"{place}[{number}]", one) for number, one in enumerate(found)]
    return next((said for where, one in inner if (said := hidden_text(one, where))), None)
