"""Text that people read or sign: its allowed characters, and the showing of others.

A character that changes what a reader sees, and is not seen itself, gives one signed text two readings. Forms and
APIs refuse it (`refusal`, `ReadableText`). Text that is already stored is shown with the character spelled out
(`shown`). Logs of what happened keep the report and replace what a database cannot store (`storable`).

Sources: Unicode Standard Annex 44 (general categories), Unicode Default_Ignorable_Code_Point, RFC 5892 appendix A
(where joiners are needed).
"""

import hashlib
import re
import unicodedata
from argparse import ArgumentTypeError
from functools import lru_cache
from typing import Literal

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible

REPLACEMENT = "\ufffd"
LINES = "\t\n\r"
# Categories that no reader sees: control, format, private use, half a character, line and paragraph separators.
# Unassigned characters (Cn) are taken, since a phone sends emoji that this Python does not know yet.
UNSEEN = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
# Signs of category Cf that a reader does see: they enclose the digits that follow.
ENCLOSING = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# Default_Ignorable_Code_Point outside category Cf, without the emoji selectors: fillers, joiners, variation selectors
# and reserved places; besides, noncharacters.
FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0000-\U000e0fff\u2065\ufff0-\ufff8\ufdd0-\ufdef\ufffe\uffff]"
)
SELECTORS = frozenset("\ufe0e\ufe0f")  # text or emoji presentation of the symbol before them
JOINERS = frozenset("\u200c\u200d")
# Scripts whose spelling needs a joiner between two letters: Arabic to Thaana, Indic, Myanmar, Khmer, Mongolian.
JOINED = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\ua840-\ua877\ufb50-\ufdff\ufe70-\ufefc]"
)
EMOJI = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
# What has to be looked at: not the letters of Latin, Greek, Cyrillic and Hebrew, nor the usual punctuation and signs.
SUSPECT = re.compile(
    "[^\t\n\r -~\u00a0-\u00ac\u00ae-\u034e\u0350-\u05ff\u2010-\u2027\u202f-\u205f\u20a0-\u27ff]"
)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def sentence_key(text: str) -> str:
    """Return the letters, marks and digits of `text` in lower case, equal for equal words.

    "" for a text of spaces and punctuation alone.
    """
    letters = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] in "LMN")


def hidden(text: str) -> list[int]:
    """Return the positions of the characters in `text` that a reader does not see, in order."""
    return [found.start() for found in SUSPECT.finditer(text) if _is_hidden(text, found.start())]


def _is_hidden(text: str, place: int) -> bool:
    letter = text[place]
    if letter in ENCLOSING:
        return False
    before, after = text[place - 1] if place else "", text[place + 1 : place + 2]
    if letter in SELECTORS:
        return not (EMOJI.fullmatch(before) or (before in "#*0123456789" and before and after == "\u20e3"))
    if letter in JOINERS:
        if JOINED.fullmatch(before) and (letter == "\u200d" or JOINED.fullmatch(after)):
            return False
        emoji = (EMOJI.fullmatch(before) or (before in SELECTORS and before)) and EMOJI.fullmatch(after)
        return not (letter == "\u200d" and emoji)
    return unicodedata.category(letter) in UNSEEN or _is_filler(letter)


def _is_filler(letter: str) -> bool:
    return FILLERS.fullmatch(letter) is not None or ord(letter) & 0xFFFE == 0xFFFE


def name_of(letter: str) -> str:
    """Return a hidden character by its name, such as "U+202E (right-to-left override)"."""
    name = unicodedata.name(letter, "")
    if not name and unicodedata.category(letter) == "Cs":
        name = "half of a character"
    return f"U+{ord(letter):04X}" + (f" ({name.lower()})" if name else "")


def refusal(text: str) -> str:
    """Return why `text` is refused and how to fix it, or "" if all of it is visible."""
    places = hidden(text)
    if not places:
        return ""
    first = places[0]
    near = "".join(shown(text[max(0, first - 12) : first]).split("\n")[-1:])
    where = f", after “{near}”" if near.strip() else ", at the start"
    more = f" {len(places)} such characters were found." if len(places) > 1 else ""
    return (
        f"The text contains a character that readers cannot see: {name_of(text[first])}{where}.{more}"
        " Delete the character, or type the text again."
    )


def shown(text: str) -> str:
    """Return `text` with every hidden character spelled out, for instance "[U+202E]"."""
    places = hidden(text)
    if not places:
        return text
    letters = list(text)
    for place in places:
        letters[place] = f"[U+{ord(letters[place]):04X}]"
    return "".join(letters)


def argument(text: str) -> str:
    """Return `text`, an argument of a command. Raises ArgumentTypeError with `refusal`."""
    if why := refusal(text):
        raise ArgumentTypeError(why)
    return text


def storable(text: str) -> str:
    """Return `text` with U+FFFD for what a database cannot store: U+0000 and surrogates."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def storable_name(text: str, longest: int | None = None) -> str:
    """Return the `storable` form of a name, with a digest of the original if it changed.

    Two names that differ only in what was replaced stay two names. With `longest` (characters) the text before the
    digest is cut to fit.
    """
    fit = storable(text)
    if fit == text:
        return text
    mark = "~" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return fit[: longest - len(mark)] + mark if longest else fit + mark


@deconstructible
class ReadableText:
    """A validator of fields. Raises ValidationError "hidden_character" with `refusal`."""

    code = "hidden_character"

    def __call__(self, value: object) -> None:
        """Raise ValidationError if `value` holds a character that readers cannot see."""
        if isinstance(value, str) and (why := refusal(value)):
            raise ValidationError(why, code=self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReadableText)

    def __hash__(self) -> int:
        return hash(ReadableText)


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return `text` in a Unicode normal form, with at most 30 marks on one letter.

    Further marks are left out. Python sorts the marks of a letter in quadratic time. 30 is the limit of stream-safe
    text (UAX 15).
    """
    return text if text.isascii() else unicodedata.normalize(form, _many_marks().sub(r"\1", text))


def one_spelling(text: str) -> str:
    """Return `text` with one form of accents (NFC) and of line ends (LF), so that equal texts compare as equal.

    Browsers end lines with CR LF, and some systems store accents apart from their letter.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return normalized("NFC", text)


@lru_cache(maxsize=1)
def _many_marks() -> re.Pattern:
    marks = re.escape("".join(chr(code) for code in range(0x20000) if unicodedata.combining(chr(code))))
    return re.compile(f"([{marks}]{{30}})[{marks}]+")
