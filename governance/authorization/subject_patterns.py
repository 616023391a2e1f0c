"""The test subjects of a prototype: names of subjects (type:id) in which * stands for any characters. Pure.

A prototype may act for nobody else, so a pattern that would fit everybody of a type declares nobody and is refused.
"""

from collections.abc import Iterable

MOST = 100  # entries of one scope: each request at prototype is compared with all of them
LONGEST = 200  # characters: a type and an id of the decision API, each 100 at most
HOW = "Write it as type:id, such as user:tester-1; * stands for any characters of the id, as in user:test-*."


def wrong_with(patterns: Iterable[str]) -> str:
    """What is wrong with declared test subjects, and how to fix it; empty when nothing is."""
    patterns = list(patterns)
    if len(patterns) > MOST:
        return f"These are {len(patterns)} test subjects, and {MOST} are taken. Put those alike into one, with *."
    for one in patterns:
        kind, _, name = one.partition(":")
        if len(one) > LONGEST:
            return f"“{one[:40]}…” is longer than {LONGEST} characters."
        if not kind or not name or "*" in kind or not one.isprintable():
            return f"“{one}” names no subject. {HOW}"
        if not name.strip("*"):
            return f"“{one}” fits everybody, so it bounds nothing. Give a part of the id beside the *."
    return ""


def fits(patterns: Iterable[str], name: str) -> bool:
    """Whether a subject ("user:tester-1") is one of those declared; exact but for *, in time linear in its length."""
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
