"""One description of an identifier read piece by piece: masks, counted characters, signs and fixed letters."""

import re

from initiatives.disagreeing import wordings
from initiatives.disagreeing.named import KINDS
from initiatives.disagreeing.shapes import LETTERS, Segment, length_of
from initiatives.disagreeing.vocabulary import NUMBERS, fold

NAMED_LENGTH = re.compile(r"'([^']*)'|([DAXH*])(\d+)(?:-(\d+))?")


def named_shape(name: str) -> tuple[Segment, ...]:
    """The segments that a standard gives an identifier of this kind."""
    return tuple(
        Segment("literal", len(literal), len(literal), literal)
        if literal
        else Segment(kind, int(least), int(most or least))
        for literal, kind, least, most in NAMED_LENGTH.findall(KINDS[name][1])
    )


class Reading:
    """One description while it is read: what of it is understood so far, piece by piece, and which letters are not."""

    def __init__(self, text: str, name: str = ""):
        folded = fold(text)
        self.text = text if len(folded) == len(text) else folded
        self.folded, self.starts = folded, ""
        self.taken = [False] * len(self.text)
        self._take_start()
        self.found: list[tuple[int, int, tuple[Segment, ...]]] = []
        self.or_else: list[tuple[Segment, ...]] = []
        self.name = name
        self._take_masks()
        self._take_counts()
        self._take_signs()
        self.found.sort(key=lambda one: one[0])
        self.open = self._open_part()

    def _take_start(self) -> None:
        """The letters that it is said to start with; they are read once, whatever follows."""
        begins = wordings.STARTS.search(self.folded)
        rest = wordings.FIRST.match(self.text[begins.end() :]) if begins else None
        if rest:
            self.starts = rest.group(1)
            end = begins.end() + rest.end()
            self.taken[begins.start() : end] = [True] * (end - begins.start())

    def _take(self, start: int, end: int, *segments: Segment) -> None:
        if not any(self.taken[start:end]):
            self.taken[start:end] = [True] * (end - start)
            self.found.append((start, end, segments))

    def _take_masks(self) -> None:
        """Masks, with the blanks between their groups, and masks that are told as alternatives of the first."""
        close = wordings.NOT_SPREAD.search(self.folded)
        for groups in wordings.SPACED.finditer(self.text):
            parts = groups.group().split(" ")
            blank = () if close else (Segment("literal", 1, 1, " "),)
            segments = [one for part in parts for one in (*blank, *masked(part, alone=False))][len(blank) :]
            self._take(groups.start(), groups.end(), *segments)
        for named in wordings.PREFIXED.finditer(self.text):
            letters, digits = named.groups()
            if letters not in wordings.NO_PREFIX and not name_of(letters.lower()):
                first = Segment("literal", len(letters), len(letters), letters)
                self._take(named.start(), named.end(), first, Segment("*", 0, 1), *masked(digits))
        for mask in wordings.MASK.finditer(self.text):
            word = mask.group().rstrip(".,:+")
            small = {letter for letter in word if letter.islower()}
            if word in wordings.NOT_A_MASK or (small - wordings.MASK_LETTERS and not _fixed_parts(word)):
                continue
            alternative = self.found and re.search(r"\b(?:or|oder|ou)\s*$", self.text[: mask.start()])
            if alternative and not any(self.taken[mask.start() : mask.start() + len(word)]):
                self.or_else.append(masked(word))
                self.taken[mask.start() : mask.start() + len(word)] = [True] * len(word)
            else:
                self._take(mask.start(), mask.start() + len(word), *masked(word))

    def _take_counts(self) -> None:
        """So many digits, letters, characters."""
        for kind, pattern in wordings.COUNTED:
            for match in pattern.finditer(self.folded):
                numbers = [number(one) for one in match.groups()[1:3] if one]
                if numbers and None not in numbers and not refused(self.folded, match.start()):
                    least = 1 if match.group("upto") else min(numbers)
                    figures = (
                        kind == "*" and "stellig" in match.group() and wordings.NUMERIC.search(self.folded)
                    )
                    cased = "D" if figures else _cased(kind, match.group())
                    self._take(match.start(), match.end(), Segment(cased, least, max(numbers)))
        for pattern in (wordings.GERMAN, wordings.STELLIG):
            for match in pattern.finditer(self.folded):
                count = number(match.group(1))
                if count is not None:
                    kind = (
                        "*"
                        if match.group(2) == "stellig" and not wordings.NUMERIC.search(self.folded)
                        else "D"
                    )
                    self._take(match.start(), match.end(), Segment(kind, count, count))

    def _take_signs(self) -> None:
        """Separators, single letters and digits, what is always the same; a running number where nothing else is."""
        for literal, pattern in wordings.SEPARATORS:
            for match in pattern.finditer(self.folded):
                after = self.folded[match.end() : match.end() + 16]
                within = _contained(self.folded, match.start()) and any(
                    one.kind in "X*" for _, _, several in self.found for one in several
                )
                if not refused(self.folded, match.start()) and "middle" not in after and not within:
                    self._take(match.start(), match.end(), Segment("literal", 1, 1, literal))
        for kind, pattern in wordings.SINGLE:
            for match in pattern.finditer(self.folded):
                gone = wordings.TAKEN_AWAY.match(self.folded[match.end() : match.end() + 40])
                if gone or refused(self.folded, match.start()) or _contained(self.folded, match.start()):
                    continue
                self._take(match.start(), match.end(), Segment(kind, 1, 1))
        for match in wordings.LITERAL.finditer(self.text):
            literal = match.group(1)
            short = len(literal) <= 2 or not literal[-1].isalnum()
            if self.text[match.end() : match.end() + 1] == "," and (self.name or not short):
                continue
            if literal.strip("-/_.") not in wordings.NO_PREFIX and not name_of(literal.lower()):
                self._take(
                    match.start(), match.end(), Segment("literal", len(literal), len(literal), literal)
                )
        if self.found:
            for match in wordings.APART.finditer(self.text):
                self._take(match.start(), match.end(), Segment("literal", 1, 1, match.group()))
        if not self.found and wordings.RUNNING.search(self.folded) and not self.name:
            self.found.append((0, 0, (Segment("D", 1, 18),)))

    def ways(self) -> list[list[Segment]]:
        """The segments that were read, in each of the ways that are told."""
        first = totals([several for _, _, several in self.found])
        if all(one.kind == "literal" and not one.literal.isalnum() for one in first):
            first = []
        return [list(first), *(list(other) for other in self.or_else)] if first or self.or_else else []

    def whole(self) -> bool:
        """Whether what was understood is all there is, but for words that name the thing."""
        if self.found and self.open:
            return False
        if self.found and self.found[0][1] == 0:
            alone = wordings.FIGURES_ALONE.fullmatch(self.folded.strip())
            return bool(alone or wordings.NO_LETTERS.search(self.folded))
        return bool(self.found)

    def _rest(self, mark: str) -> str:
        """What was not understood, with a mark for what was."""
        return "".join(
            mark if used else letter for letter, used in zip(self.folded, self.taken, strict=False)
        )

    def _open_part(self) -> bool:
        """Whether one of the parts that are joined has a name and no length: "site code + 6 digits"."""
        rest = self._rest("#")
        pieces = wordings.JOINED.split(rest)
        joined = [piece.split(",")[-1 if at == 0 else 0] for at, piece in enumerate(pieces)]
        if len(pieces) > 1 and any(
            "#" not in piece and re.search(r"[a-z]{3}", piece) and not wordings.ASIDE.search(piece)
            for piece in joined
        ):
            return True
        pieces = [piece.strip(" .") for piece in re.split(r"[,;/]| - ", rest)]
        after = next((at for at, piece in enumerate(pieces) if "#" in piece), len(pieces))
        return any(
            wordings.PART.fullmatch(piece) for piece in pieces[after:] if not wordings.ASIDE.search(piece)
        )


def number(word: str) -> int | None:
    """The value of a figure or of a number word."""
    return int(word) if word.isdigit() else NUMBERS.get(word)


def refused(folded: str, at: int) -> bool:
    """Whether what stands there is said not to be there: "without check digit", "no blanks"."""
    before = folded[max(0, at - 24) : at]
    return bool(
        re.search(
            r"(?:^|\W)(?:without|no(?!\.)|not|ohne|kein[a-z]*|sans|excluding|minus)(?: (?:a|the|last|"
            r"any|eine?[nmr]?|de|la|le))*\W*$",
            before,
        )
    )


def _contained(folded: str, at: int) -> bool:
    """Whether what stands there is said to be among what was counted already: "incl. check digit"."""
    return bool(
        re.search(
            r"(?:incl|including|inkl|with|mit|avec|dont)\.? (?:a |one |luhn |final |last )?$",
            folded[max(0, at - 20) : at],
        )
    )


def name_of(folded: str) -> str:
    """The standard that is named, unless it is named as what it is not; empty where none is."""
    named = [
        (match.end() - match.start(), name)
        for name, pattern in wordings.NAMES
        for match in pattern.finditer(folded)
        if not refused(folded, match.start())
    ]
    return max(named, key=lambda one: one[0])[1] if named else ""


def _cased(kind: str, words: str) -> str:
    """Letters that are said to be capital or small ones."""
    if kind != "A":
        return kind
    if re.search(r"capital|upper|gross|majuscule", words):
        return "U"
    return "l" if re.search(r"lower|klein|minuscule", words) else "A"


def masked(word: str, *, alone: bool = True) -> tuple[Segment, ...]:
    """A mask such as C-nnnnnn, AAAA9999999 or YYYY-MM-DD, as segments.

    `alone`: no group of a longer mask, in which a single 9 or A is a class too.
    """
    if _fixed_parts(word) and not wordings.RUN.fullmatch(word):
        return tuple(
            segment
            for part in wordings.PARTS.findall(word)
            for segment in (
                masked(part)
                if wordings.RUN.fullmatch(part)
                else (Segment("literal", len(part), len(part), part),)
            )
        )
    segments = []
    dates = bool(re.search(r"[yY]{2}", word)) and not re.search(
        r"[b-gi-ln-rt-vB-GI-LN-RUV]", re.sub(r"n+|N+|D|T|H|h|d", "", word)
    )
    runs = [(run.group(0)[0], len(run.group(0))) for run in re.finditer(r"(.)\1*", word)]
    digits = any((letter in "n9#0N" and count > 1) or letter == "n" for letter, count in runs)
    small = any(letter in "nx" and count > 1 for letter, count in runs)
    for place, (letter, count) in enumerate(runs):
        if (
            letter in "n#"
            or (letter == "9" and digits and not (small and count == 1))
            or (letter == "0" and count > 2)
            or (letter == "N" and count > 1)
            or (letter == "9" and not alone)
        ) or (
            (letter in "yYJ" and count in (2, 4))
            or (letter in "mMdDwWhHsS" and count == 2 and (dates or "yy" in word.lower()))
        ):
            segments.append(Segment("D", count, count))
        elif (letter in "Aa" and (count > 1 or not alone)) or (letter == "L" and count > 1 and digits):
            segments.append(Segment("A", count, count))
        elif letter in "xX" and count > 1:
            segments.append(Segment("X", count, count))
        elif letter == "c" and place == len(runs) - 1 and digits:
            segments.append(Segment("X", 1, 1))
        else:
            segments.append(Segment("literal", count, count, letter * count))
    return tuple(segments)


def _fixed_parts(word: str) -> bool:
    """Whether a mask's small letters stand between its signs for themselves: de:nnnnn:nnnn, Crew-nn."""
    parts = [part for part in wordings.BETWEEN.split(word) if part]
    runs = [part for part in parts if wordings.RUN.fullmatch(part)]
    rest = [part for part in parts if part not in runs]
    return any("n" in part for part in runs) and all(wordings.FIXED.fullmatch(part) for part in rest)


def _sign(segment: Segment) -> bool:
    """Whether it is a separator or a fixed letter, which no number of digits holds."""
    return segment.kind == "literal" and not segment.literal.isdigit()


def totals(pieces: list[tuple[Segment, ...]]) -> list[Segment]:
    """The segments without a leading or closing total: "12 chars, 8 digits letter 3 digits"."""
    for place in (0, -1):
        rest = [segment for piece in (pieces[1:] if place == 0 else pieces[:-1]) for segment in piece]
        if not rest or len(pieces) < 2 or len(pieces[place]) > 1:
            continue
        total = pieces[place][0]
        if total.kind == "D" and any(one.kind in LETTERS or _sign(one) for one in rest):
            continue
        if total.kind in "X*D" and length_of(rest) == (total.least, total.most) and total.most > 3:
            return rest
    segments = [segment for piece in pieces for segment in piece]
    if len(segments) == 2 and segments[0].kind in "X*" and length_of(segments[:1]) == length_of(segments[1:]):
        segments = segments[1:]
    return segments
