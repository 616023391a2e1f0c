"""Test subjects of a prototype: names (type:id) with * for any characters. Pure.

A prototype may act for no one else, so a pattern that fits everyone of a type is refused.
"""

from collections.abc import Iterable

MOST = 100  # entries of one scope: each request at prototype is compared with all of them
LONGEST = 200  # characters: a type and an id of the decision API, each 100 at most
HOW = (
    "Write a test subject as type:id, such as user:tester-1. Use * for any characters of the id, as in "
    "user:test-*."
)


def wrong_with(patterns: Iterable[str]) -> str:
    """Return the fault of declared test subjects and how to fix it, or ""."""
    patterns = list(patterns)
    if len(patterns) > MOST:
        return (
            f"You entered {len(patterns)} test subjects, but at most {MOST} are possible. Combine similar "
            "test subjects with *."
        )
    for one in patterns:
        kind, _, name = one.partition(":")
        if len(one) > LONGEST:
            return f"“{one[:40]}…” is longer than {LONGEST} characters."
        if not kind or not name or "*" in kind or not one.isprintable():
            return f"“{one}” is not a subject. {HOW}"
        if not name.strip("*"):
            return f"“{one}” matches everyone. Add a part of the id, as in user:test-*."
    return ""


def fits(patterns: Iterable[str], name: str) -> bool:
    """Return True if a pattern fits the subject ("user:tester-1"), in linear time."""
    return any(one == name or ("*" in one and _fits(one, name)) for one in patterns)


def _fits(pattern: str, name: str) -> bool:
    first, *between, last = pattern.split("*")
    if not name.startswith(first):
        return False
    place = len(first)
    for part in between:
        found = name.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(name) - len(last) >= place and name.endswith(last)
