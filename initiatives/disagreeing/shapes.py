"""How an identifier is written, as far as that is known, and why two of them cannot be matched by equality.

What is open contradicts nothing.
"""

import functools
from dataclasses import dataclass

MANY = 10_000
# D digits, A letters (U capital, l small ones, where that is known), H hexadecimal, X letters or digits, * anything.
LETTERS = {"A", "U", "l"}
# Kinds of one family: which of them it is shows in the length alone.
ARTICLE_NUMBERS = {"EAN-13", "EAN-8", "GTIN", "GTIN-14", "UPC", "ISBN-13"}
# Kinds that a machine or a register gives out whole: nobody puts them together of parts.
GIVEN = {"UUID", "ULID", "MD5", "SHA-256", "e-mail address", "DOI"}
# Of a mixture, from which share on what has no counterpart is a difference and no dirt.
DIFFERENT = 0.25


@dataclass(frozen=True)
class Segment:
    """So many characters of one class, or one text that is always the same (`literal`)."""

    kind: str
    least: int
    most: int
    literal: str = ""


@dataclass(frozen=True)
class Shape:
    """What is known of how an identifier is written. `whole`: the segments are all there is; `others`: in other ways.

    `spread`: whether there are signs between its groups, where that is said; `lettered`: its examples hold letters;
    `sides`: what it says to be one way or the other; `parts`: it is put together of parts that are named.
    """

    segments: tuple[Segment, ...] = ()
    whole: bool = False
    least: int = 0
    most: int = MANY
    name: str = ""
    case_matters: bool | None = None
    zeros: bool | None = None
    starts: str = ""
    order: str = ""
    check: bool | None = None
    prefix: bool | None = None
    suffix: bool | None = None
    cased: str = ""
    spread: bool | None = None
    lettered: bool = False
    others: tuple[tuple[Segment, ...], ...] = ()
    sides: frozenset[tuple[str, bool]] = frozenset()
    parts: bool = False

    @property
    def known(self) -> bool:
        """Whether anything at all is known."""
        return bool(
            self.segments
            or self.name
            or self.least
            or self.most < MANY
            or self.starts
            or self.cased
            or self.order
            or self.zeros is not None
            or self.check is not None
            or self.prefix is not None
            or self.suffix is not None
            or self.case_matters is not None
            or self.spread is not None
            or self.sides
            or self.parts
        )

    @property
    def ways(self) -> tuple[tuple[Segment, ...], ...]:
        """All the ways in which it is written."""
        return (self.segments, *self.others)


def length_of(segments) -> tuple[int, int]:
    """The least and the greatest length of these segments together; of none, any."""
    if not segments:
        return 0, MANY
    return sum(one.least for one in segments), min(MANY, sum(one.most for one in segments))


def joined(segments) -> list[Segment]:
    """Neighbours of one class as one segment."""
    joined: list[Segment] = []
    for one in segments:
        last = joined[-1] if joined else None
        if last and last.kind == one.kind and one.kind != "literal":
            joined[-1] = Segment(one.kind, last.least + one.least, min(MANY, last.most + one.most))
        elif last and last.kind == one.kind == "literal":
            joined[-1] = Segment(
                "literal", last.least + one.least, last.most + one.most, last.literal + one.literal
            )
        else:
            joined.append(one)
    return joined


@functools.lru_cache(maxsize=20_000)
def clash(one: Shape, other: Shape) -> str:
    """Why two shapes cannot be matched by equality; empty where they can, or where too little is known."""
    if not one.known or not other.known:
        return ""
    if one.name and other.name and one.name != other.name and not {one.name, other.name} <= ARTICLE_NUMBERS:
        return "another kind of identifier"
    for what, side in sorted(one.sides):
        if (what, not side) in other.sides:
            return what
    if one.order and other.order and one.order != other.order:
        return "order of day, month and year"
    if (
        one.case_matters is not None
        and other.case_matters is not None
        and one.case_matters != other.case_matters
    ):
        return "upper and lower case"
    if one.check is not None and other.check is not None and one.check != other.check:
        return "check digit"
    if one.prefix is not None and other.prefix is not None and one.prefix != other.prefix:
        return "how it starts"
    if one.suffix is not None and other.suffix is not None and one.suffix != other.suffix:
        return "how it ends"
    if one.cased and other.cased and one.cased != other.cased:
        return "upper and lower case"
    if one.most < other.least or other.most < one.least:
        return "length"
    if one.spread is not None and other.spread is not None and one.spread != other.spread:
        return "separators"
    if one.name and one.name == other.name and not (one.whole and other.whole):
        return ""
    for left, right in ((one, other), (other, one)):
        if left.name in GIVEN and right.segments and not (right.name or right.whole) and _counts_out(right):
            return "another kind of identifier"
        if left.starts and right.whole and _cannot_start(right, left.starts):
            return "how it starts"
        if left.zeros is True and right.zeros is False:
            return "leading zeros"
    for left, right in ((one, other), (other, one)):
        if (
            right.spread
            and left.whole
            and all(part.kind in ("D", *LETTERS) for way in left.ways for part in way)
        ):
            return "separators"
        if right.spread is False and left.whole and all(any(map(_separator, way)) for way in left.ways):
            return "separators"
    if any(left.parts and _one_run(right) for left, right in ((one, other), (other, one))):
        return "put together of parts on one side only"
    if any(left.lettered and _only_digits(right) for left, right in ((one, other), (other, one))):
        return "digits against letters or separators"
    if one.whole and other.whole:
        if any(_same(_begun(left, one), _begun(right, other)) for left in one.ways for right in other.ways):
            return ""
        return _in_what(one, other)
    for left, right in ((one, other), (other, one)):
        if _only_digits(left) and (_needs_more(right) or right.lettered):
            return "digits against letters or separators"
    return ""


def _separator(part: Segment) -> bool:
    return part.kind == "literal" and any(not letter.isalnum() and letter != "+" for letter in part.literal)


def _counts_out(shape: Shape) -> bool:
    """Whether a few digits or letters are counted out: an own key, put together of parts."""
    return any(one.kind in ("D", *LETTERS) and one.most < 20 for one in shape.segments)


def _cannot_start(shape: Shape, starts: str) -> bool:
    first = shape.segments[0] if shape.segments else None
    if first is None:
        return False
    if first.kind == "literal":
        return not (first.literal.startswith(starts) or starts.startswith(first.literal))
    return (first.kind == "D" and not starts[0].isdigit()) or (first.kind in LETTERS and starts[0].isdigit())


def _begun(segments: tuple[Segment, ...], shape: Shape) -> tuple[Segment, ...]:
    """The segments with the letters that the identifier is said to start with in their place."""
    first = segments[0] if segments else None
    count = len(shape.starts)
    if not count or first is None or first.kind == "literal" or first.most < count:
        return segments
    rest = Segment(first.kind, max(0, first.least - count), first.most - count)
    return (Segment("literal", count, count, shape.starts), rest, *segments[1:])


def _only_digits(shape: Shape) -> bool:
    return shape.whole and bool(shape.segments) and all(one.kind == "D" for one in shape.segments)


def _one_run(shape: Shape) -> bool:
    """Whether it is in one piece, but for what it starts with, or given out as one."""
    return shape.name in GIVEN or (
        shape.whole
        and bool(shape.segments)
        and not any(_separator(part) for way in shape.ways for part in way[1:])
    )


def _needs_more(shape: Shape) -> bool:
    return any(one.kind in ("literal", *LETTERS) and not one.literal.isdigit() for one in shape.segments)


def _in_what(one: Shape, other: Shape) -> str:
    if (one.least, one.most) != (other.least, other.most):
        return "length and composition"
    return "composition"


def fits(one: tuple[Segment, ...], other: tuple[Segment, ...]) -> bool:
    """Whether one text could be written under both."""
    return _same(one, other)


def _same(left: tuple[Segment, ...], right: tuple[Segment, ...]) -> bool:
    """Whether one text could be written under both: the segments walked side by side."""
    return _walk(_units(left), _units(right))


def _units(segments) -> list[Segment]:
    """Literals letter by letter, so that a fixed letter can meet a class of letters."""
    return [
        part
        for one in segments
        for part in (
            [Segment("literal", 1, 1, letter) for letter in one.literal] if one.kind == "literal" else [one]
        )
    ]


def _walk(left: list[Segment], right: list[Segment], left_used: int = 0, right_used: int = 0) -> bool:
    """Whether the two lists can describe one text, by trying characters one after the other, with memory."""
    seen: set[tuple[int, int, int, int]] = set()
    open_states = [(0, 0, 0, 0)]
    steps = 0
    while open_states and steps < 20_000:
        steps += 1
        state = open_states.pop()
        if state in seen:
            continue
        seen.add(state)
        i, used_i, j, used_j = state
        done_left, done_right = i == len(left), j == len(right)
        if done_left and done_right:
            return True
        if not done_left and used_i >= left[i].least:
            open_states.append((i + 1, 0, j, used_j))
        if not done_right and used_j >= right[j].least:
            open_states.append((i, used_i, j + 1, 0))
        if (
            not done_left
            and not done_right
            and used_i < left[i].most
            and used_j < right[j].most
            and _meet(left[i], right[j])
        ):
            open_states.append(
                (i, min(used_i + 1, 64 + left[i].least), j, min(used_j + 1, 64 + right[j].least))
            )
    return False


def _meet(one: Segment, other: Segment) -> bool:
    """Whether one character fits both."""
    if one.kind == other.kind == "literal":
        return one.literal == other.literal
    for left, right in ((one, other), (other, one)):
        if left.kind == "literal":
            letter = left.literal
            return (
                right.kind == "*"
                or (right.kind in "DXH" and letter.isdigit())
                or (right.kind in "AX" and letter.isalpha())
                or (right.kind == "U" and letter.isupper())
                or (right.kind == "l" and letter.islower())
                or (right.kind == "H" and letter in "abcdefABCDEF")
            )
    kinds = {one.kind, other.kind}
    if kinds <= LETTERS:
        return len(kinds) == 1 or "A" in kinds
    return len(kinds) == 1 or "*" in kinds or "X" in kinds or "H" in kinds


def compare(one: Shape, of_one, other: Shape, of_other) -> str:
    """Why two fields' identifiers differ: as measured where they were measured, else as described."""
    left = of_one or [(one, 1.0)]
    right = of_other or [(other, 1.0)]
    if of_one and of_other and not one.known and not other.known:
        return _mixed(left, right)
    if one.known and other.known and not of_one and not of_other:
        return clash(one, other)
    declared = clash(one, other)
    found = _mixed(left, right)
    if found:
        return found
    return (
        declared
        if declared in ("another kind of identifier", "upper and lower case", "leading zeros")
        and not (of_one and of_other)
        else ""
    )


def _mixed(left, right) -> str:
    """Of mixtures: how much of one finds no counterpart in the other; more than DIFFERENT is a difference."""
    for these, those in ((left, right), (right, left)):
        lost = [
            (shape, share, [clash(shape, those_shape) for those_shape, _ in those]) for shape, share in these
        ]
        share = sum(share for _, share, why in lost if all(why))
        if share > DIFFERENT * sum(one for _, one in these):
            return next(why[0] for _, _, why in lost if all(why))
    return ""
