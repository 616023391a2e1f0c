"""Bytes to text: the right character, or a question with lines that show the difference."""

import re

from charset_normalizer import from_bytes
from django.core.exceptions import ValidationError

from initiatives.contents.text import LOOKED_AT, is_text

# Offered when a file is neither Unicode nor betrays its code page: name, words.
CODE_PAGES = {
    "cp1252": "Western European (Windows)",
    "cp1250": "Central European (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "cp1253": "Greek (Windows)",
    "cp1254": "Turkish (Windows)",
    "cp1257": "Baltic (Windows)",
    "iso8859_2": "Central European (ISO)",
    "iso8859_15": "Western European (ISO)",
    "koi8_r": "Cyrillic (KOI8)",
    "mac_roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
    "cp437": "American (DOS)",
    "cp932": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)",
    "iso2022_jp": "Japanese (ISO 2022)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean",
    "utf_8": "Unicode (UTF-8)",
    "utf_16": "Unicode (UTF-16)",
    "utf_16_le": "Unicode (UTF-16, little-endian)",
    "utf_16_be": "Unicode (UTF-16, big-endian)",
}
NO_TEXT = "The file is not text. Send the table as csv or xlsx."
WINDOWS = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257")


class CodePageUnsure(Exception):
    """The bytes fit several code pages: `candidates` are (encoding, words, sample lines), the likeliest first."""

    def __init__(self, candidates: list[tuple[str, str, list[str]]]):
        self.candidates = candidates
        super().__init__("The code page of the file cannot be told from its bytes.")


def wrong(text: str) -> ValidationError:
    """The refusal of a file, saying how to mend it."""
    return ValidationError({"file": text})


def decode(content: bytes, choice: str = "") -> tuple[str, str]:
    """The text and the encoding it was read with. Raises CodePageUnsure, or ValidationError where a choice is wrong."""
    marked = _by_mark(content)
    if marked and marked != choice:
        choice = marked
    if not choice or _is_utf8(content):
        choice = _told(content)
    try:
        text = content.decode(choice)
    except (UnicodeDecodeError, LookupError):
        # What a person or a known source says wins only where the bytes allow it.
        if marked:
            raise wrong("The file says it is Unicode, yet its bytes are damaged. Save it again.") from None
        words = CODE_PAGES.get(choice, choice)
        raise ValidationError(
            {"encoding": f"The file is not {words}: some bytes have no meaning there. Choose another."}
        ) from None
    text = text.removeprefix("\ufeff")
    if "\x00" in text or not is_text(text[:LOOKED_AT].encode("utf-8", "replace")):
        raise wrong(NO_TEXT)
    return text, choice


def _is_utf8(content: bytes) -> bool:
    """Whether the bytes are UTF-8 beyond ASCII: no other code page gives such bytes by chance, whatever is chosen."""
    try:
        return not content.isascii() and bool(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _by_mark(content: bytes) -> str:
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return name
    return ""


def _told(content: bytes) -> str:
    """The encoding, where the bytes leave no doubt."""
    head = content[:4000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and odd > 4 * even:
        return "utf_16_le"
    if even > len(head) // 5 and even > 4 * odd:
        return "utf_16_be"
    if not is_text(content):
        raise wrong(NO_TEXT)
    if b"\x1b$" in content or b"\x1b(" in content:
        raise CodePageUnsure(_candidates(content, ["iso2022_jp"]))
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    if _windows_punctuation(content):
        return "cp1252"
    raise CodePageUnsure(_candidates(content))


def _windows_punctuation(content: bytes) -> bool:
    """Whether all that is not ASCII reads the same in every Windows code page, and as punctuation stands there.

    Quotation marks around words and dashes between spaces betray Windows: on a Mac or in DOS these bytes are letters.
    """
    high = {byte for byte in content if byte > 127}
    for byte in high:
        readings = set()
        for page in WINDOWS:
            try:
                readings.add(bytes([byte]).decode(page))
            except UnicodeDecodeError:
                return False
        if len(readings) > 1 or readings.pop().isalpha():
            return False
    return bool(re.search(rb"[\s(,]\x93\w[^\x93\x94]*\x94|\s[\x96\x97]\s|[\s(,]\x91\w|\w\x92s\b", content))


def _candidates(content: bytes, first: list[str] | None = None) -> list[tuple[str, str, list[str]]]:
    """Code pages the bytes allow, likeliest first, each with up to three lines that show the difference."""
    likely = list(first or [])
    for match in from_bytes(content[:200_000]):
        likely += [match.encoding, *match.could_be_from_charset]
    lines = _telling_lines(content)
    found, seen = [], set()
    ordered = [page for page in likely if page in CODE_PAGES] + list(CODE_PAGES)
    for page in dict.fromkeys(ordered):
        if page.startswith("utf"):
            continue
        try:
            text = content.decode(page)
        except (UnicodeDecodeError, LookupError):
            continue
        if text in seen or any("\x80" <= letter <= "\x9f" for letter in set(text)):
            continue
        seen.add(text)
        found.append((page, CODE_PAGES[page], [_near(line, page) for line in lines]))
    return found[:8]


def _telling_lines(content: bytes, most: int = 5) -> list[bytes]:
    """Lines that together hold as many different foreign bytes as possible: they show where code pages differ."""
    lines = [(line, {b for b in line if b > 127 or b == 27}) for line in content[:2_000_000].splitlines()]
    lines = [(line, foreign) for line, foreign in lines if foreign]
    chosen, shown = [], set()
    while lines and len(chosen) < most:
        line, foreign = max(lines, key=lambda pair: len(pair[1] - shown))
        if chosen and not foreign - shown:
            break
        chosen.append(line)
        shown |= foreign
    return chosen


def _near(line: bytes, page: str, width: int = 90) -> str:
    """The part of a line around its first foreign character, as this code page reads it."""
    text = line.decode(page, "replace")
    foreign = [i for i, letter in enumerate(text) if ord(letter) > 127]
    at = next((i for i in foreign if text[i].isalpha()), foreign[0] if foreign else 0)
    return text[max(0, at - width // 2) : at + width // 2].strip()
