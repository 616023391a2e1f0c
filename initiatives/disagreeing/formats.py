"""How identifiers are written: a typed description or a measured sample read as a shape.

What is not understood is left open.
"""

import functools
import re

from initiatives.disagreeing import notations, wordings
from initiatives.disagreeing.named import KINDS
from initiatives.disagreeing.shapes import LETTERS, MANY, Segment, Shape, joined, length_of
from initiatives.disagreeing.vocabulary import NUMBERS, fold

NAMED_LENGTH = re.compile(r"'([^']*)'|([DAXH*])(\d+)(?:-(\d+))?")
MEASURED = re.compile(r"([9AaXx#*])\{(\d+)(?:,(\d*))?\}|(.)", re.DOTALL)
# A pattern rarer than this among the filled rows is dirt.
NOISE = 0.05


def named_shape(name: str) -> tuple[Segment, ...]:
    """The segments that a standard gives an identifier of this kind."""
    return tuple(
        Segment("literal", len(literal), len(literal), literal)
        if literal
        else Segment(kind, int(least), int(most or least))
        for literal, kind, least, most in NAMED_LENGTH.findall(KINDS[name][1])
    )


class _Reading:
    """One description while it is read: what of it is understood so far, piece by piece, and which letters are not."""

    def __init__(self, text: str):
        folded = fold(text)
        self.text = text if len(folded) == len(text) else folded
        self.folded, self.starts = folded, ""
        if begins := wordings.STARTS.search(folded):
            rest = wordings.FIRST.match(self.text[begins.end() :])
            self.starts = rest.group(1) if rest else ""
            self.text, self.folded = self.text[: begins.start()], folded[: begins.start()]
        self.taken = [False] * len(self.text)
        self.found: list[tuple[int, int, tuple[Segment, ...]]] = []
        self.example = self.single = False
        self.name = _name(self.folded)
        self._take_masks()
        self._take_counts()
        self._take_signs()
        self.found.sort(key=lambda one: one[0])

    def _take(self, start: int, end: int, *segments: Segment) -> None:
        if not any(self.taken[start:end]):
            self.taken[start:end] = [True] * (end - start)
            self.found.append((start, end, segments))

    def _take_masks(self) -> None:
        """Patterns and masks; where there are none, an example that was typed instead of a description."""
        for mask in wordings.BRACED.finditer(self.text):
            if mask.group():
                self._take(mask.start(), mask.end(), *_braced(mask.group()))
        for mask in wordings.MASK.finditer(self.text):
            word = mask.group().rstrip(".,:+")
            small = {letter for letter in word if letter.islower()}
            if word not in wordings.NOT_A_MASK and not small - wordings.MASK_LETTERS:
                self._take(mask.start(), mask.start() + len(word), *_masked(word))
        example = None if self.found or self.name else _example(self.text)
        if example and not any(pattern.search(self.folded) for _, pattern in wordings.COUNTED):
            self._take(example[0], example[1], *example[2])
            self.example = True

    def _take_counts(self) -> None:
        """So many digits, letters, characters."""
        for kind, pattern in wordings.COUNTED:
            for match in pattern.finditer(self.folded):
                numbers = [_number(one) for one in match.groups()[1:3] if one]
                if numbers and None not in numbers and not _refused(self.folded, match.start()):
                    least = 1 if match.group("upto") else min(numbers)
                    cased = _cased(kind, match.group())
                    self._take(match.start(), match.end(), Segment(cased, least, max(numbers)))
        for pattern in (wordings.GERMAN, wordings.STELLIG):
            for match in pattern.finditer(self.folded):
                count = _number(match.group(1))
                if count is not None:
                    kind = "*" if match.group(2) == "stellig" else "D"
                    self._take(match.start(), match.end(), Segment(kind, count, count))

    def _take_signs(self) -> None:
        """Separators, single letters and digits, what is always the same; a running number where nothing else is."""
        for literal, pattern in wordings.SEPARATORS:
            for match in pattern.finditer(self.folded):
                after = self.folded[match.end() : match.end() + 16]
                within = _contained(self.folded, match.start()) and any(
                    one.kind in "X*" for _, _, several in self.found for one in several
                )
                if not _refused(self.folded, match.start()) and "middle" not in after and not within:
                    self._take(match.start(), match.end(), Segment("literal", 1, 1, literal))
        for kind, pattern in wordings.SINGLE:
            for match in pattern.finditer(self.folded):
                if not _refused(self.folded, match.start()) and not _contained(self.folded, match.start()):
                    self.single = True
                    self._take(match.start(), match.end(), Segment(kind, 1, 1))
        for match in wordings.LITERAL.finditer(self.text):
            literal = match.group(1)
            if literal.strip("-/_.") not in wordings.NO_PREFIX:
                self._take(
                    match.start(), match.end(), Segment("literal", len(literal), len(literal), literal)
                )
        if self.found:
            for match in wordings.APART.finditer(self.text):
                self._take(match.start(), match.end(), Segment("literal", 1, 1, match.group()))
        if not self.found and wordings.RUNNING.search(self.folded) and not self.name:
            self.found.append((0, 0, (Segment("D", 1, 18),)))

    def whole(self) -> bool:
        """Whether what was understood is all there is, but for words that name the thing."""
        if self.found and _open_part(self.folded, self.taken):
            return False
        if self.found and self.found[0][1] == 0:
            return bool(wordings.FIGURES_ALONE.fullmatch(self.folded))
        if not self.found or not _strange(self.folded, self.taken) or self.example:
            return bool(self.found)
        alone = len(self.found) == 1 and self.found[0][1] > 0 and not self.single
        return alone and not wordings.JOINER.search(self.folded)


@functools.lru_cache(maxsize=4_000)
def described(text: str) -> Shape:
    """The shape that a typed description gives; of an empty one nothing is known."""
    if not text.strip():
        return Shape()
    read = _Reading(notations.in_words(text.strip()))
    folded, name = read.folded, read.name
    segments, least, most = _totals([several for _, _, several in read.found])
    whole = read.whole()
    if _open_part(folded, read.taken):
        most = MANY
    if wordings.SPREAD.search(folded) and not any(one.kind == "literal" for one in segments):
        whole, most = False, min(MANY, most + 6)
    if name and not (whole and any(one.kind in ("literal", "D", *LETTERS) for one in segments)):
        segments, whole = list(named_shape(name)), True
        least, most = length_of(segments)
    return Shape(
        tuple(joined(segments)),
        whole,
        least,
        most,
        name,
        _said(folded, wordings.CASE_MATTERS, wordings.CASE_IGNORED),
        _said(folded, wordings.ZEROS, wordings.NO_ZEROS),
        read.starts,
        "ymd" if name.startswith("ISO date") else _order(folded),
        _check(folded),
        _all_cased(folded),
    )


def _said(folded: str, yes: re.Pattern, no: re.Pattern) -> bool | None:
    """Whether it says that it is so, that it is not, or neither."""
    return False if no.search(folded) else True if yes.search(folded) else None


def _number(word: str) -> int | None:
    return int(word) if word.isdigit() else NUMBERS.get(word)


def _check(folded: str) -> bool | None:
    """Whether a check digit is among its characters, where that is said."""
    found = re.search(r"check ?\W*digit|prufziffer|cle de controle", folded)
    if found is None:
        return None
    return not _refused(folded, found.start()) and not re.search(
        r"(?:without|ohne|sans|no|dropped)[\w ]*\W*$", folded[: found.start()]
    )


def _all_cased(folded: str) -> str:
    """Whether its letters are all capital or all small, where that is said of all."""
    upper = bool(re.search(r"upper ?-?case|all capitals|in capitals|grossbuchstaben|majuscules", folded))
    lower = bool(re.search(r"lower ?-?case|kleinbuchstaben|minuscules", folded))
    return "" if upper == lower else "capital" if upper else "small"


def _example(text: str) -> tuple[int, int, tuple[Segment, ...]] | None:
    """An example that was typed instead of a description (12 O 345/23): its composition, lengths left open."""
    bare = wordings.EG.sub("", text).strip(" .,:()")
    for match in wordings.EXAMPLE.finditer(text):
        word = match.group()
        alone = word == bare and len(re.findall(r"\d", word)) > 3
        if alone or (
            len(re.findall(r"[A-Z]+|\d+|[^A-Z\d]+", word)) > 2
            and sum(letter.isdigit() for letter in word) > 3
        ):
            segments = tuple(
                Segment("D", 1, MANY)
                if run[0].isdigit()
                else Segment("A", 1, MANY)
                if run[0].isalpha()
                else Segment("literal", len(run), len(run), run)
                for run in re.findall(r"[A-Z]+|\d+|[^A-Z\d]+", word)
            )
            return match.start(), match.end(), segments
    return None


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


def _cased(kind: str, words: str) -> str:
    """Letters that are said to be capital or small ones."""
    if kind != "A":
        return kind
    if re.search(r"capital|upper|gross|majuscule", words):
        return "U"
    return "l" if re.search(r"lower|klein|minuscule", words) else "A"


def _name(folded: str) -> str:
    for name, pattern in wordings.NAMES:
        for match in pattern.finditer(folded):
            if not _refused(folded, match.start()):
                return name
    return ""


def _refused(folded: str, at: int) -> bool:
    """Whether what stands there is said not to be there: "without check digit", "no blanks"."""
    before = folded[max(0, at - 24) : at]
    return bool(
        re.search(
            r"(?:^|\W)(?:without|no|not|ohne|kein[a-z]*|sans|excluding|minus)(?: (?:a|the|last|"
            r"any|eine?[nmr]?|de|la|le))*\W*$",
            before,
        )
    )


def _contained(folded: str, at: int) -> bool:
    """Whether what stands there is said to be among what was counted already: "incl. check digit"."""
    return bool(
        re.search(
            r"(?:incl|including|inkl|with|mit|avec|dont)\.? (?:a |one )?$", folded[max(0, at - 16) : at]
        )
    )


def _masked(word: str) -> tuple[Segment, ...]:
    """A mask such as C-nnnnnn, AAAA9999999 or YYYY-MM-DD, as segments."""
    segments, at = [], 0
    dates = bool(re.search(r"[yY]{2}", word)) and not re.search(
        r"[b-gi-ln-rt-vB-GI-LN-RUV]", re.sub(r"n+|N+|D|T|H|h|d", "", word)
    )
    runs = [(run.group(0)[0], len(run.group(0))) for run in re.finditer(r"(.)\1*", word)]
    digits = any((letter in "n9#0" and count > 1) or letter == "n" for letter, count in runs)
    for place, (letter, count) in enumerate(runs):
        if (
            letter in "n#"
            or (letter == "9" and digits)
            or (letter == "0" and count > 2)
            or (letter == "N" and count > 1)
        ) or (
            (letter in "yY" and count in (2, 4))
            or (letter in "mMdDwWhHsS" and count == 2 and (dates or "yy" in word.lower()))
        ):
            segments.append(Segment("D", count, count))
        elif letter == "A" and count > 1:
            segments.append(Segment("A", count, count))
        elif letter in "xX" and count > 1:
            segments.append(Segment("X", count, count))
        elif letter == "c" and place == len(runs) - 1 and digits:
            segments.append(Segment("X", 1, 1))
        else:
            segments.append(Segment("literal", count, count, letter * count))
        at += count
    return tuple(segments)


def _braced(text: str) -> tuple[Segment, ...]:
    """A pattern such as 9{10} or [A-Z]{2}\\d{6}, as segments."""
    segments = []
    for match in re.finditer(
        r"(\[[^\]]+\]|\\d|\\w|[9AaX](?=\{)|.)(?:\{(\d+)(?:,(\d*))?\}|([+*]))?", text.strip("^$")
    ):
        what, least, most, many = match.groups()
        if what.startswith("[") or what.startswith("\\") or (least and what in "9AaX"):
            letters, digits = (
                bool(re.search(r"[A-Za-z]", what.replace("\\d", "").replace("\\w", "a"))),
                bool(re.search(r"\d|\\d|\\w", what)),
            )
            kind = (
                "D"
                if what in ("9", "\\d") or (digits and not letters)
                else "X"
                if letters and digits
                else "A"
            )
            if "a-f" in what.lower() and "a-z" not in what.lower():
                kind = "H"
            low = int(least) if least else 0 if many == "*" else 1
            high = MANY if many or (least and most == "" and "," in match.group()) else int(most or low)
            segments.append(Segment("A" if what in "Aa" else kind, low, high))
        else:
            count = int(least or 1)
            segments.append(Segment("literal", count, count, what * count))
    return tuple(segments)


def _totals(pieces: list[tuple[Segment, ...]]) -> tuple[list[Segment], int, int]:
    """Without a leading or closing total ("12 chars, 8 digits letter 3 digits"), and the length of all."""
    for place in (0, -1):
        rest = [segment for piece in (pieces[1:] if place == 0 else pieces[:-1]) for segment in piece]
        if len(rest) < 2 or len(pieces[place]) > 1:
            continue
        total = pieces[place][0]
        if total.kind in "X*D" and length_of(rest) == (total.least, total.most) and total.most > 4:
            return rest, *length_of(rest)
    segments = [segment for piece in pieces for segment in piece]
    if len(segments) == 2 and segments[0].kind in "X*" and length_of(segments[:1]) == length_of(segments[1:]):
        segments = segments[1:]
    return segments, *length_of(segments)


def _strange(folded: str, taken: list[bool]) -> bool:
    """Whether words are left over that were not understood."""
    rest = "".join(" " if used else letter for letter, used in zip(folded, taken, strict=False))
    return any(word not in wordings.HARMLESS for word in re.findall(r"[a-z]{2,}|\d+", rest))


def _open_part(folded: str, taken: list[bool]) -> bool:
    """Whether one of the parts that are joined has a name and no length: "site code + 6 digits"."""
    rest = "".join("#" if used else letter for letter, used in zip(folded, taken, strict=False))
    pieces = wordings.JOINED.split(rest)
    return len(pieces) > 1 and any(
        "#" not in piece and re.search(r"[a-z]{3}", piece) and not wordings.ASIDE.search(piece)
        for piece in pieces
    )


def measured(profile: dict | None) -> list[tuple[Shape, float]]:
    """The shapes that a profile measured, each with its share of the filled rows; rare ones are dirt and left out."""
    if not profile:
        return []
    patterns = {str(key): float(share or 0) for key, share in (profile.get("patterns") or {}).items()}
    filled = max(1.0 - float(profile.get("blank_share") or 0), 0.0001)
    if sum(patterns.values()) / filled < 0.5:
        least, most = profile.get("min_length"), profile.get("max_length")
        if not least or not most:
            return []
        digits = bool(patterns) and all(not re.search(r"[AaXx]", key) for key in patterns)
        return [(Shape((Segment("D" if digits else "*", least, most),), True, least, most), 1.0)]
    found = []
    integer = str(profile.get("type") or "") in ("integer", "int", "bigint")
    for pattern, share in patterns.items():
        if share / filled >= NOISE:
            segments = _pattern(pattern)
            least, most = length_of(segments)
            found.append(
                (Shape(tuple(segments), True, least, most, zeros=False if integer else None), share / filled)
            )
    return found


def _pattern(pattern: str) -> list[Segment]:
    segments = []
    for kind, least, most, literal in MEASURED.findall(pattern):
        if literal:
            segments.append(Segment("literal", 1, 1, literal))
        else:
            high = int(most) if most else int(least)
            segments.append(
                Segment({"9": "D", "#": "D", "A": "U", "a": "l"}.get(kind, "*"), int(least), high)
            )
    return joined(segments)
