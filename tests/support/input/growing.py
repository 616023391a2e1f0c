"""Every pattern of the product with how it is used, and texts that make a bad pattern slow."""

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as codes
from re import _parser as parser

ROOT = Path(__file__).resolve().parents[3]
APPS = ("governance", "initiatives", "adoption")
USES = ("search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split")
CATEGORIES = {
    codes.CATEGORY_DIGIT: "7",
    codes.CATEGORY_NOT_DIGIT: "x",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_SPACE: "x",
    codes.CATEGORY_WORD: "w",
    codes.CATEGORY_NOT_WORD: "-",
}
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
SUFFIXES = ("", "\0")
MOST = 30  # times longer for a text of eight times the length: between linear (8) and quadratic (64), in a busy machine
PATIENCE = 0.3  # seconds


@dataclass(frozen=True)
class Found:
    """One pattern: where it is written, its source and flags, and by which methods of `re` it is used."""

    place: str
    source: str | bytes
    flags: int
    uses: frozenset[str]

    def compiled(self) -> re.Pattern:
        """Return the pattern itself."""
        return re.compile(self.source, self.flags)


def trees() -> dict[str, ast.Module]:
    """Return each module of the three apps, but migrations, by its path from the root."""
    paths = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for path in paths
        if "migrations" not in path.parts
    }


def texts_of(text: str | bytes, flags: int) -> Iterator[tuple[str, str]]:
    """Yield pairs of a beginning and of what is repeated after it, drawn from the tree of a pattern."""
    tree = parser.parse(text, flags & ~re.DEBUG)
    pumps: dict[str, None] = {}
    begins: dict[str, None] = {"": None}
    _walk(tree, "", pumps, begins)
    letters = list(dict.fromkeys("".join(pumps)))[:10]
    pumps |= dict.fromkeys(letters)
    pumps |= dict.fromkeys(one + other for one in letters[:4] for other in letters[:4] if one != other)
    for begin in list(begins)[:6]:
        for pump in pumps:
            if pump:
                yield begin, pump


def _walk(tree, before: str, pumps: dict[str, None], begins: dict[str, None]) -> str:
    """Collect what the parts of a tree match; return one text that the whole of it matches, nearly."""
    text = ""
    for code, argument in tree:
        part = ""
        if code is codes.LITERAL:
            part = chr(argument)
        elif code is codes.NOT_LITERAL:
            part = "x" if argument != ord("x") else "y"
        elif code is codes.ANY:
            part = "z"
        elif code is codes.IN:
            members = _members(argument)
            part = members[0]
            pumps |= dict.fromkeys(members)
        elif code in REPEATS:
            least, _, body = argument
            once = _walk(body, before + text, pumps, begins)
            pumps[once] = None
            begins[before + text] = None
            begins[before + text + once] = None
            part = once * max(1, min(least, 50))
        elif code is codes.BRANCH:
            ways = [_walk(way, before + text, pumps, begins) for way in argument[1]]
            pumps |= dict.fromkeys(ways[:6])
            part = ways[0] if ways else ""
        elif code is codes.SUBPATTERN:
            part = _walk(argument[3], before + text, pumps, begins)
        elif code is codes.ATOMIC_GROUP:
            part = _walk(argument, before + text, pumps, begins)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            pumps[_walk(argument[1], before + text, pumps, begins)] = None
        pumps |= {part: None} if part else {}
        text += part
    if text:
        pumps[text] = None
    return text


def _members(argument) -> list[str]:
    """Some letters of a set; of a set that is negated, a letter that it has."""
    if argument[0][0] is codes.NEGATE:
        held = set("".join(_members(argument[1:]))) if len(argument) > 1 else set()
        return [letter for letter in "x-7 w\n\x02" if letter not in held][:3] or ["\u00e9"]
    members = []
    for code, value in argument:
        if code is codes.LITERAL:
            members.append(chr(value))
        elif code is codes.RANGE:
            members.append(chr(value[0]))
        elif code is codes.CATEGORY:
            members.append(CATEGORIES[value])
    return list(dict.fromkeys(members))[:8] or ["x"]


def growth(use: Callable[[object], object], begin, pump, end, *, size: int = 600) -> float:
    """Return how many times longer a text of 8 `size` takes than one of `size`: 8 is linear, 64 quadratic.

    A text that takes less than a millisecond is not judged: 1. What takes more than PATIENCE on the way there is
    infinity. Processor time is counted, and what looks slow is measured again, because a machine has other work.
    """

    def text(length: int):
        return begin + pump * (length // len(pump)) + end

    first = 0.0
    for length in (16, 20, 24, 28, 32, 36, 40, 64, 256, size, size * 8):
        last = seconds(use, text(length))
        if last > PATIENCE:
            return float("inf")
        first = last if length == size else first
    if last < 0.001:
        return 1.0
    found = last / max(first, 1e-6)
    if found > MOST:
        found = seconds(use, text(size * 8), 3) / max(seconds(use, text(size), 20), 1e-6)
    return found


def seconds(use: Callable[[object], object], text, tries: int = 1) -> float:
    """Return the seconds of processor time that a use of this text takes, the fewest of several tries."""
    taken = []
    for _ in range(tries):
        began = time.thread_time()
        use(text)
        taken.append(time.thread_time() - began)
    return min(taken)
