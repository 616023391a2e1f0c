"""How identifiers are written: a typed description or a measured sample read as a shape.

What is not understood is left open. An example decides between two readings of one description.
"""

import functools
import re
from dataclasses import replace

from initiatives.disagreeing import examples, notations, regexes, wordings
from initiatives.disagreeing.reading import Reading, name_of, named_shape, refused
from initiatives.disagreeing.shapes import LETTERS, MANY, Segment, Shape, fits, joined, length_of
from initiatives.disagreeing.vocabulary import fold

MEASURED = re.compile(r"([9AaXx#*h])(?:\{(\d+)(?:,(\d*))?\}|(\+))|(.)", re.DOTALL)
# What a profile calls values without a form of their own.
FORMLESS = ("text", "other", "blank", "\u2026", "")
# A pattern rarer than this among the filled rows is dirt.
NOISE = 0.05
# What is said in brackets, and standards that are named by a number.
ASIDE = re.compile(r"\([^()]*\)")
STANDARD = re.compile(
    r"\b(?:DIN|EN|ISO(?:/IEC)?|RFC|ANSI|NF|BS|mod|Mod|modulo)(?: ?(?:EN|ISO))?[ -]?\d+(?:-\d+)?\b|\bE\.164\b"
)
# Brackets that hold the length of what stands before them.
COUNTED_ASIDE = re.compile(
    r"^\((?:\d{1,2}|\d{1,2} ?(?:digits?|letters?|chars?|characters?|ziffern|buchstaben|stellen|chiffres|lettres))\)$"
)
# Short examples after an "e.g.": DE, FR.
LISTED = re.compile(
    r"(?i:\be\. ?g\.?|\bz\. ?b\.|\bex\.|\blike\b|\bsuch as\b|\bwie\b)[ ,:]*"
    r"(?-i:[A-Z]{1,5}(?: ?, ?[A-Z]{1,5})*)(?![\w-])"
)
# What is said of an example that stands before a colon: RE-2023-000123: RE, year, counter.
EXPLAINED = re.compile(r"^\s{4,}:.*$")
# Codes of one letter or figure, each with what it stands for or without: A, B or C; 1 = male, 2 = female; Y/N.
CODE = r"(?:^|(?<=[,/|;])|(?<=\bor)|(?<=\boder)|(?<=\bou)) ?([A-Za-z0-9])(?=$|[ ,/|;=])"
CODES = re.compile(
    r"[A-Za-z0-9](?: ?=[^,/|;=]+)?(?:(?: ?[,/|;] ?| or | oder | ou )[A-Za-z0-9](?: ?=[^,/|;=]+)?)+"
)
# A letter of a mask explained: A=letter.
LEGEND = re.compile(r"\b[A-Za-z9#] ?= ?(?:a )?[a-z]+(?: or [a-z]+)?")


@functools.lru_cache(maxsize=4_000)
def described(text: str) -> Shape:
    """The shape that a typed description gives; of an empty one nothing is known."""
    if not text.strip() or wordings.FIGURES.search(fold(text)):
        return Shape(sides=_sides(fold(text)))
    if address := wordings.WEB_ADDRESS.match(text.strip()):
        return Shape(starts=address.group())
    if wordings.IN_WORDS.fullmatch(fold(text.strip())):
        name = (Segment("A", 1, 1), Segment("*", 3, 200))  # four characters or more: it may not be a code
        return Shape(name, True, *length_of(name))
    if not text.isupper() and _of_parts(fold(text.strip())):  # EUR, USD are codes
        return Shape(parts=True, sides=_sides(fold(text)))
    if codes := _codes(text):
        return Shape(codes[0], True, 1, 1, others=tuple(codes[1:]))
    text = re.sub(r"(?i)\bw/o\b", "without", text.strip())
    text = re.sub(r"(?i)\bw/ ", "with ", text)
    typed = examples.told(text)
    rest = text
    for start, end, _ in reversed(typed):
        rest = rest[:start] + " " * (end - start) + rest[end:]
    rest = EXPLAINED.sub(" ", LISTED.sub(" ", rest))
    name = name_of(fold(notations.in_words(rest)))
    rest = STANDARD.sub(" ", LEGEND.sub(" ", rest))
    expressions = [
        way for match in regexes.EXPRESSION.finditer(rest) for way in regexes.alternatives(match.group())
    ]
    if expressions:
        return _shape(fold(text), expressions, whole=True, name="", starts="")
    bare = Reading(notations.in_words(ASIDE.sub(" ", rest)), name)
    full = Reading(_unfolded(notations.in_words(rest)), name)
    counted = any(COUNTED_ASIDE.search(aside) for aside in ASIDE.findall(rest))
    read = bare if (bare.whole() and not counted) or not full.found else full
    ways = [tuple(joined(way)) for way in read.ways()]
    if notations.BARE_COUNT.search(rest):
        ways += [tuple(joined(way)) for way in Reading(notations.in_words(rest, counted=True), name).ways()]
    whole = read.whole()
    total = wordings.TOTAL.match(fold(rest.strip()))
    if total and ways:
        outer = Reading(notations.in_words(total.group()), name)
        if length_of(outer.ways()[0]) != length_of(ways[0]):
            ways, whole = [tuple(joined(way)) for way in outer.ways()], True
    if name and any(_contradicts(name, way) for way in ways) and not read.open:
        name = ""
    if read.starts[:1].isalpha():
        first = Segment("literal", len(read.starts), len(read.starts), read.starts)
        ways = [(first, *way) if way and way[0].kind == "D" else way for way in ways]
    whole, ways = _by_example([word for _, _, word in typed], ways, whole=whole, read=read, name=name)
    if name and not (whole and any(one.kind in ("literal", "D", *LETTERS) for way in ways for one in way)):
        ways, whole = [named_shape(name)], True
    found = _shape(fold(text), ways, whole=whole, name=name, starts=read.starts, read=read)
    letters = [word for _, _, word in typed if re.search(r"[A-Za-z]", word)]
    if (
        letters
        and len(letters) == len(typed)
        and any(fits(examples.literal(letters[0]), way) for way in found.ways)
    ):
        found = replace(found, lettered=True)
    if found.zeros is None and any(re.fullmatch(r"0+[1-9]\d*", word) for _, _, word in typed):
        return replace(found, zeros=True)
    if name.startswith("E.164"):
        return replace(found, zeros=False)  # no country code begins with one
    return found


def _codes(text: str) -> list[tuple[Segment, ...]]:
    """The codes of one letter or figure that a description lists, with what each stands for or without."""
    listed = CODES.fullmatch(text.strip())
    letters = re.findall(CODE, text.strip()) if listed else []
    return [(Segment("literal", 1, 1, letter),) for letter in letters]


def _unfolded(text: str) -> str:
    """The text with what stands in brackets said in the open."""
    return text.replace("(", " ").replace(")", " ")


def _contradicts(name: str, way: tuple[Segment, ...]) -> bool:
    """Whether what is counted out cannot be of the kind that is named: EAN, 18 digits."""
    least, most = length_of(way)
    low, high = length_of(named_shape(name))
    return most < low or least > high


def _by_example(typed: list[str], ways: list, *, whole: bool, read: Reading, name: str) -> tuple[bool, list]:
    """Which reading the examples bear out: the description's where they fit it, else their own."""
    if not typed:
        return whole, ways
    if any(fits(examples.literal(word), way) for way in ways for word in typed):
        return True, ways
    own = [examples.shape_of(word) for word in typed]
    if name and not ways:
        return whole, ways
    if whole:
        return True, ways + own
    return True, own


def _shape(
    folded: str, ways: list, *, whole: bool, name: str, starts: str, read: Reading | None = None
) -> Shape:
    lengths = [length_of(way) for way in ways] or [(0, MANY)]
    least, most = min(one for one, _ in lengths), max(one for _, one in lengths)
    if read is not None and read.open and not whole:
        most = MANY
    if wordings.GROUPED.search(folded) and not any(one.kind == "literal" for way in ways for one in way):
        whole, most = False, min(MANY, most + 6)
    first = tuple(ways[0]) if ways else ()
    return Shape(
        first,
        whole and bool(ways),
        least,
        most,
        name,
        _said(folded, wordings.CASE_MATTERS, wordings.CASE_IGNORED),
        _said(folded, wordings.ZEROS, wordings.NO_ZEROS),
        starts,
        "ymd" if name.startswith("ISO date") else _order(folded),
        _check(folded),
        _said(folded, wordings.PREFIX, wordings.NO_PREFIX_SAID),
        _said(folded, wordings.SUFFIX, wordings.NO_SUFFIX),
        _all_cased(folded),
        _spread(folded),
        others=tuple(tuple(way) for way in ways[1:]),
        sides=_sides(folded),
    )


def _of_parts(folded: str) -> bool:
    """Whether it is put together of parts that are named and not counted out: machine, spindle; plate and time."""
    if wordings.NO_PART.search(folded) or name_of(folded) not in ("", "licence plate"):
        return False
    parts = re.split(r" ?[/+_,.] ?|-| (?:plus|and|und|et) ", folded)
    return bool(
        wordings.SIGNED_PARTS.fullmatch(folded)
        or (wordings.NAMED_PARTS.fullmatch(folded) and not all(map(wordings.IN_DIGITS.fullmatch, parts)))
    )


def _sides(folded: str) -> frozenset[tuple[str, bool]]:
    """On which questions it takes the first side or the other: UTC or local time, decimal comma or point."""
    found = set()
    for what, (one, other) in wordings.SIDES.items():
        said = bool(one.search(folded)), bool(other.search(folded))
        if said[0] != said[1]:
            found.add((what, said[0]))
    return frozenset(found)


def _said(folded: str, yes: re.Pattern, no: re.Pattern) -> bool | None:
    """Whether it says that it is so, that it is not, or neither."""
    return False if no.search(folded) else True if yes.search(folded) else None


def _spread(folded: str) -> bool | None:
    """Whether signs stand between the groups, where one of the two is said in so many words."""
    return _said(folded, wordings.SPREAD, wordings.NOT_SPREAD)


def _check(folded: str) -> bool | None:
    """Whether a check digit is among its characters, where that is said."""
    found = re.search(r"check\W{0,2} ?\W*digit|check ?sum|control digit|prufziffer|cle de controle", folded)
    if found is None:
        return None
    before, after = folded[: found.start()], folded[found.end() : found.end() + 40]
    return not (
        refused(folded, found.start())
        or re.search(r"(?:without|ohne|sans|no|dropped)[\w ]*\W*$", before)
        or wordings.TAKEN_AWAY.match(after)
    )


def _all_cased(folded: str) -> str:
    """Whether its letters are all capital or all small, where that is said of all."""
    upper = bool(re.search(r"upper ?-?case|all capitals|in capitals|grossbuchstaben|majuscules", folded))
    lower = bool(re.search(r"lower ?-?case|kleinbuchstaben|minuscules", folded))
    return "" if upper == lower else "capital" if upper else "small"


def _order(folded: str) -> str:
    """In which order a date is written, where its mask shows it: dmy, mdy, ymd."""
    mask = re.search(
        r"(?<![a-z])(yyyy|yy|jjjj|aaaa|dd|tt|jj|mm)[-./ ]?(yyyy|mm|dd|tt|jj)[-./ ]?(yyyy|yy|"
        r"jjjj|aaaa|jj|dd|tt|mm)(?![a-z])",
        folded,
    )
    if mask is None:
        return ""
    letter = {"yyyy": "y", "yy": "y", "jjjj": "y", "aaaa": "y", "dd": "d", "tt": "d", "jj": "d", "mm": "m"}
    order = "".join(letter[one] for one in mask.groups())
    return order if len(set(order)) == 3 else ""


def measured(profile: dict | None) -> list[tuple[Shape, float]]:
    """The shapes that a profile measured, each with its share of the filled rows; rare ones are dirt and left out."""
    if not profile:
        return []
    if str(profile.get("type") or "").lower() in ("uuid", "uniqueidentifier"):
        return [(described("UUID"), 1.0)]
    patterns = {str(key): float(share or 0) for key, share in (profile.get("patterns") or {}).items()}
    patterns = {key: share for key, share in patterns.items() if key not in FORMLESS}
    filled = max(1.0 - float(profile.get("blank_share") or 0), 0.0001)
    if sum(patterns.values()) / filled < 0.5:
        least, most = profile.get("min_length"), profile.get("max_length")
        if not least or not most:
            return []
        digits = bool(patterns) and all(not re.search(r"[AaXxh]", key) for key in patterns)
        return [(Shape((Segment("D" if digits else "*", least, most),), True, least, most), 1.0)]
    found = []
    integer = str(profile.get("type") or "").lower() in ("integer", "int", "bigint", "smallint", "number")
    for pattern, share in patterns.items():
        if share / filled >= NOISE:
            segments = _pattern(pattern)
            least, most = length_of(segments)
            shape = Shape(tuple(segments), True, least, most, zeros=False if integer else None)
            found.append((shape, share / filled))
    return found


def _pattern(pattern: str) -> list[Segment]:
    """A measured pattern, with its counts in braces or each class as often as it stands there."""
    counted = "{" in pattern or re.search(r"[9AaX]\+", pattern)
    segments = []
    for kind, least, most, many, literal in MEASURED.findall(pattern):
        if literal:
            known = not counted and literal in "9Aa"
            segments.append(Segment(_class(literal), 1, 1) if known else Segment("literal", 1, 1, literal))
        elif many:
            segments.append(Segment(_class(kind), 1, MANY))
        else:
            segments.append(Segment(_class(kind), int(least), int(most) if most else int(least)))
    return joined(segments)


def _class(kind: str) -> str:
    return {"9": "D", "#": "D", "A": "U", "a": "l", "X": "X", "x": "X", "h": "H"}.get(kind, "*")
