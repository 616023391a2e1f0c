"""Regular expressions as segments: ^45\\d{8}$, [A-HJ-NPR-Z0-9]{17}, (DE|AT)[0-9]{9}.

Only what people type to describe identifiers is read: classes, counts, groups, alternatives and fixed text.
"""

import re

from initiatives.disagreeing.shapes import MANY, Segment

# A word of a text that is a regular expression: it has a class or a count in braces, and is no other notation.
EXPRESSION = re.compile(
    r"\^?(?=[^\s]*(?:\[[^\]\s]+\]|\\d|\\w|[\]\w)]\{\d))(?:\[[^\]]*\]|\([^()]*\)|\\.|\{\d+(?:,\d*)?\}|[A-Za-z0-9./_:?*+|^$-])+"
)
ATOM = re.compile(
    r"(?P<group>\((?:\?:)?(?P<inner>[^()]*)\))|(?P<set>\[[^\]]*\])|\\(?P<escaped>.)|(?P<any>\.)|(?P<plain>[^\^$?*+{}])"
)
COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}|([?*+])")
# More alternatives than these are left out: no description needs them.
MOST = 8


def alternatives(text: str) -> list[tuple[Segment, ...]]:
    """The segments of each way to fulfil the expression; empty where it is not understood."""
    found: list[tuple[Segment, ...]] = []
    for branch in _branches(text.strip("^$")):
        found += _sequence(branch)
    return found[:MOST]


def _branches(text: str) -> list[str]:
    """The alternatives between bars that stand in no group."""
    depth, branches = 0, [""]
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and not depth:
            branches.append("")
        else:
            branches[-1] += letter
    return branches


def _sequence(text: str) -> list[tuple[Segment, ...]]:
    ways: list[tuple[Segment, ...]] = [()]
    at = 0
    while at < len(text):
        atom = ATOM.match(text, at)
        if atom is None:
            at += 1
            continue
        at = atom.end()
        count = COUNT.match(text, at)
        least = most = 1
        if count:
            at = count.end()
            least, most = _counts(count)
        if atom["group"]:
            inner = [way for branch in _branches(atom["inner"]) for way in _sequence(branch)]
            options = [way * times for way in inner for times in {least, min(most, least + 1)}]
        else:
            options = [(_segment(atom, least, most),)]
        ways = [way + option for way in ways for option in options][: MOST * 2]
    return ways


def _counts(count: re.Match) -> tuple[int, int]:
    least, comma, most, sign = count.groups()
    if sign:
        return {"?": (0, 1), "*": (0, MANY), "+": (1, MANY)}[sign]
    return int(least), int(most) if most else MANY if comma else int(least)


def _segment(atom: re.Match, least: int, most: int) -> Segment:
    if atom["set"]:
        return Segment(_kind_of_set(atom["set"]), least, most)
    if atom["any"]:
        return Segment("literal", 1, 1, ".") if (least, most) == (1, 1) else Segment("*", least, most)
    if atom["escaped"] and atom["escaped"] in "dDwW":
        return Segment("D" if atom["escaped"] == "d" else "X", least, most)
    letter = atom["escaped"] or atom["plain"]
    if letter in "9AaX" and least > 1:
        return Segment("A" if letter in "Aa" else "D" if letter == "9" else "X", least, most)
    return Segment("literal", least, least, letter * least)


def _kind_of_set(said: str) -> str:
    letters = bool(re.search(r"[A-Za-z]", said.replace("\\d", "").replace("\\w", "")) or "\\w" in said)
    digits = bool(re.search(r"\d|\\d|\\w", said))
    if "a-f" in said.lower() and "a-z" not in said.lower():
        return "H"
    if letters and digits:
        return "X"
    if letters:
        upper, lower = bool(re.search(r"[A-Z]", said)), bool(re.search(r"[a-z]", said))
        return "A" if upper == lower else "U" if upper else "l"
    return "D" if digits else "*"
