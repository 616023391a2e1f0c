"""Examples and masks in a description of identifiers: which words of it are one, and the shape that each shows."""

import re

from initiatives.disagreeing import wordings
from initiatives.disagreeing.shapes import MANY, Segment

# What comes before an example.
TOLD = re.compile(
    r"(?i)(?:\be\. ?g\.?,?|\bz\. ?b\.?|\bex\.|\bp\. ?ex\.|\blike\b|\bwie\b|\bsuch as\b|\bexamples?:?|\bbeispiel:?|"
    r"\bfor instance\b|\bzum beispiel\b|\bpar exemple\b|\bexemple ?:?|\bfor example\b)[ :]*"
)
# One identifier as it is typed: capital letters and figures with signs between, at least one figure or four letters.
TYPED = re.compile(r"[A-Za-z0-9+][A-Za-z0-9@+]*(?:[-./:_#@ ][A-Za-z0-9]+)*")
BARE = re.compile(
    r"[A-Z0-9]+(?:[-./:_#][A-Za-z0-9]+)*|[a-z]+[0-9]+(?:[.-][a-z0-9]+)+|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{6,}"
)
RUN = re.compile(r"[A-Z]+|[a-z]+|\d+|[^A-Za-z\d]+")
# Words that are a mask: only letters that stand for a class, each class at least twice, or once beside a figure's.
FILLERS = re.compile(r"9{2,}|0{3,}|#{2,}|n{2,}|N{2,}|x{2,}|X{2,}|A{2,}|a{2,}|[yY]{2}|D{3,}|d{3,}")
# A part of an example is one of these as often as another: a year, a number that grows.
GROWING = (" ", "/")


def is_mask(word: str) -> bool:
    """Whether a word stands for others by its letters: K-nnnnnn, 99/99999/AAA, AAA9999, DExxLI9999999999."""
    if not FILLERS.search(word):
        return False
    digits = set(re.findall(r"\d", word))
    literal = re.sub(r"9+|0+|#+|n+|x+|X+|A+|N+|a+|y+|Y+|[-./:_ +]+", "", word)
    if digits - {"9", "0"}:
        # figures that stand for themselves beside a long run of another class: 756.9999.9999.99, 7xxxx
        return (
            bool(re.search(r"9{3,}|x{3,}|X{3,}|n{3,}|#{3,}", word))
            and len(digits - {"9"}) <= 3
            and "9" not in literal
        )
    return True


def told(text: str) -> list[tuple[int, int, str]]:
    """The examples of a text, each with where it stands: what follows an "e.g.", and words that are nothing else."""
    found: list[tuple[int, int, str]] = []
    for intro in TOLD.finditer(text):
        rest = text[intro.end() :]
        for chunk in re.finditer(r"(?:(?! or | oder | ou | and | und )[^,;()])+", rest):
            if rest[: chunk.start()].strip(" ,"):
                break
            typed = TYPED.match(chunk.group().strip(" \"'\u201c\u201d"))
            if typed and _is_code(typed.group()):
                start = (
                    intro.end()
                    + chunk.start()
                    + (len(chunk.group()) - len(chunk.group().lstrip(" \"'\u201c")))
                )
                found.append((intro.start(), start + len(typed.group()), typed.group()))
            break
    for chunk in re.finditer(
        r"(?:^|(?<=[,;:(\u2192])|(?<=\d\.)) *(?P<word>[^\s,;()]+) *(?=[,;)(]|$|(?<=\w: ))", text
    ):
        word = chunk["word"].rstrip(".:")
        lettered = re.fullmatch(r"[A-Z]{2,6}", word) and re.search(
            rf"\b{len(word)}[ -](?:capital )?letter", text
        )
        if BARE.fullmatch(word) and _is_code(word) and not is_mask(word) and (_alone(word) or lettered):
            start = chunk.start("word")
            if not any(one <= start < end for one, end, _ in found):
                found.append((start, start + len(word), word))
    last = re.search(r"(?<=[a-z] )(\S+)$", text)
    if (
        not found
        and last
        and not re.search(r"\d ?(?:digit|letter|char|ziffer|stell|chiffre|lettre)|\+", text)
    ):
        word = last.group(1)
        if BARE.fullmatch(word) and _is_code(word) and _alone(word):
            found.append((last.start(), last.end(), word))
    return found


def _is_code(word: str) -> bool:
    """Whether it looks like an identifier: with a figure in it, or three capital letters, and no word of a language."""
    if is_mask(word) or re.search(r"[A-Z\d]-?[a-z]{4,}$|^\d(?:-\d)+$", word):
        return False
    if re.match(r"(?:ISO|DIN|EN|RFC|NUMC|CHAR|VARCHAR|INT)\b|(?:ISO|DIN|NUMC|CHAR|VARCHAR)[-/]?\d", word):
        return False
    if any(pattern.fullmatch(word.lower()) for _, pattern in wordings.NAMES):
        return False
    if re.search(r"\d", word):
        return len(re.findall(r"[A-Za-z0-9]", word)) >= 2
    return bool(re.fullmatch(r"[A-Z]{3,}(?:[-./][A-Z]+)*|[A-Z]{1,4}(?:-[A-Z]{1,4})+|\S+@\S+\.\S+", word))


def _alone(word: str) -> bool:
    """Whether a word without an "e.g." can be nothing but an example: long enough, with letters beside figures."""
    figures, letters = len(re.findall(r"\d", word)), len(re.findall(r"[A-Za-z]", word))
    if not figures:
        apart = re.fullmatch(r"[A-Z]{1,4}(?:-[A-Z]{1,4})+", word)
        return bool(apart)
    return (figures >= 3 and len(word) >= 4) or (letters >= 2 and figures >= 2)


def shape_of(example: str) -> tuple[Segment, ...]:
    """The runs of an example; their lengths are open where a number may grow, between slashes and spaces."""
    growing = any(sign in example for sign in GROWING)
    return tuple(
        Segment("literal", len(run), len(run), run)
        if not run[0].isalnum()
        else Segment(
            "D" if run[0].isdigit() else "U" if run[0].isupper() else "l",
            1 if growing else len(run),
            MANY if growing else len(run),
        )
        for run in RUN.findall(example)
    )


def literal(example: str) -> tuple[Segment, ...]:
    """The example as the one text that it is."""
    return (Segment("literal", len(example), len(example), example),)
