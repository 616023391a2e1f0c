"""Decode bytes to text, or ask with lines that show how the code pages differ."""

import codecs
import re

from charset_normalizer import from_bytes
from django.core.exceptions import ValidationError

from governance.vocabulary.phrases import phrase

# Offered if a file is not Unicode and its code page is uncertain: name, words.
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
# Text encodings of Python in which no table is written: escapes, names of hosts, what hides letters in ASCII.
NO_CODE_PAGES = {"utf-7", "idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "charmap"}
NAMED = re.compile(r"[A-Za-z0-9_ .:-]{1,40}")
NO_TEXT = "The file is not text. Send the table as csv or xlsx."
NOT_UNICODE = [page for page in CODE_PAGES if not page.startswith("utf")]
WINDOWS = [page for page in CODE_PAGES if page.startswith("cp125")]
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The beginnings of files that are not plain text, after spaces and a byte order mark.
OTHER = re.compile(
    rb"(?:<\s*(?:!doctype|html|head|body|script|iframe|svg|object|embed|math)\b|<\?(?:php|xml)|<%|#!|\{\\rtf|%!PS|%PDF-"
    rb"|@echo\b|\x7fELF|MSCF|Rar!|GIF8|PK\x03\x04|RIFF|\xd0\xcf\x11\xe0|\xca\xfe\xba\xbe)",
    re.IGNORECASE,
)
LOOKED_AT = 65_536  # bytes
# Control characters that are not in text. Escape and form feed are in logs.
CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
FEW, MOST_CONTROL = 4, 0.005  # a terminal's title or bell, and their share in what is longer
# Quotation marks around words and dashes between spaces, as every Windows code page writes them.
PUNCTUATION = re.compile(rb"[\s(,]\x93\w[^\x93\x94]*\x94|\s[\x96\x97]\s|[\s(,]\x91\w|\w\x92s\b")
# A mark gives their order of bytes. Without one the usual order applies.
MARKED = ("utf-16", "utf-32")


class CodePageUnsure(Exception):
    """Several `candidates` (encoding, words, lines) fit the bytes, likeliest first."""

    def __init__(self, candidates: list[tuple[str, str, list[str]]]):
        self.candidates = candidates
        super().__init__("The code page of the file cannot be detected.")


def wrong(text: str) -> ValidationError:
    """Return the refusal of a file, from a text that explains how to fix it."""
    return ValidationError({"file": text})


def code_page_named(name: str) -> str:
    """Return the code page of this name. Raises ValidationError on "encoding"."""
    bare = name.strip()
    try:
        found = codecs.lookup(bare) if NAMED.fullmatch(bare) else None
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding or found.name in NO_CODE_PAGES:
        words = f"Code page \u201c{bare[:40]}\u201d does not exist. Use a name such as cp1252, koi8_u or big5hkscs."
        raise ValidationError({"encoding": words})
    known = found.name.replace("-", "_")
    return known if known in CODE_PAGES else found.name


def is_text(content: bytes) -> bool:
    """Return True if these bytes are text of any kind, such as a page or a script."""
    head = content[:LOOKED_AT]
    return b"\x00" not in content and len(CONTROL.findall(head)) <= FEW + MOST_CONTROL * len(head)


def looks_like_a_page(content: bytes) -> bool:
    """Return True if a text begins like a web page or a script."""
    return bool(OTHER.match(content[:LOOKED_AT].removeprefix(codecs.BOM_UTF8).lstrip()))


def decode(content: bytes, choice: str = "") -> tuple[str, str]:
    """Return the text and its encoding. Raises CodePageUnsure or ValidationError.

    The `choice` of a person or a known source applies only if the bytes are not Unicode.
    """
    if choice:
        choice = code_page_named(choice)
    unicode = _unicode_of(content)
    name = unicode or choice or _told(content)
    if not unicode and name.replace("_", "-") in MARKED:
        name = f"{name}-le"
    try:
        text = content.decode(name).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError):
        if unicode:
            raise wrong("The file is marked as Unicode, but its bytes are damaged. Save it again.") from None
        words = CODE_PAGES.get(name, name)
        raise ValidationError(
            {
                "encoding": phrase(
                    "The file is not {}: some bytes do not exist in it. Choose another encoding.", words
                )
            }
        ) from None
    if "\x00" in text or not is_text(text[:LOOKED_AT].encode("utf-8", "replace")):
        raise wrong(NO_TEXT)
    return text, name


def _unicode_of(content: bytes) -> str:
    """Return the Unicode encoding that the bytes show, or "".

    Signs are a mark, zeros in every second byte, or UTF-8 beyond ASCII, which no other code page produces by chance.
    """
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return name
    head = content[:4000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 5 and max(even, odd) > 4 * min(even, odd):
        return "utf_16_le" if odd > even else "utf_16_be"
    try:
        return "" if content.isascii() else content.decode("utf-8") and "utf-8"
    except UnicodeDecodeError:
        return ""


def _told(content: bytes) -> str:
    """Return the encoding of bytes without signs of Unicode, if it is certain."""
    if not is_text(content):
        raise wrong(NO_TEXT)
    if b"\x1b$" in content or b"\x1b(" in content:
        raise CodePageUnsure(_candidates(content, "iso2022_jp"))
    if content.isascii():
        return "utf-8"
    if _windows_punctuation(content):
        return "cp1252"
    raise CodePageUnsure(_candidates(content))


def _windows_punctuation(content: bytes) -> bool:
    """Return True if the non-ASCII bytes are punctuation in every Windows code page.

    On a Mac or in DOS these bytes are letters, which charset-normalizer alone takes for punctuation.
    """
    high = bytes(byte for byte in set(content) if byte > 127)
    readings = {high.decode(page, "replace") for page in WINDOWS}
    if len(readings) > 1 or any(letter.isalpha() or letter == "\ufffd" for letter in readings.pop()):
        return False
    return bool(PUNCTUATION.search(content))


def _candidates(content: bytes, first: str = "") -> list[tuple[str, str, list[str]]]:
    """Return possible code pages, likeliest first, each with up to five telling lines."""
    likely = [first] if first else []
    for match in from_bytes(content[:200_000], cp_isolation=NOT_UNICODE):
        likely += [match.encoding, *match.could_be_from_charset]
    lines = _telling_lines(content)
    found, seen = [], set()
    for page in dict.fromkeys([page for page in likely if page in NOT_UNICODE] + NOT_UNICODE):
        try:
            text = content.decode(page)
        except UnicodeDecodeError:
            continue
        if text in seen or any("\x80" <= letter <= "\x9f" for letter in set(text)):
            continue
        seen.add(text)
        found.append((page, CODE_PAGES[page], [_near(line, page) for line in lines]))
    return found[:8]


def _telling_lines(content: bytes, most: int = 5) -> list[bytes]:
    """Return lines with as many different foreign bytes as possible."""
    lines = [(line, {b for b in line if b > 127 or b == 27}) for line in content[:2_000_000].splitlines()]
    chosen: list[bytes] = []
    shown: set[int] = set()
    while lines and len(chosen) < most:
        line, foreign = max(lines, key=lambda pair: len(pair[1] - shown))
        if not foreign - shown:
            break
        chosen.append(line)
        shown |= foreign
    return chosen


def _near(line: bytes, page: str, width: int = 90) -> str:
    """Return the part of a line around its first foreign character, in this code page."""
    text = line.decode(page, "replace")
    foreign = [i for i, letter in enumerate(text) if ord(letter) > 127]
    at = next((i for i in foreign if text[i].isalpha()), foreign[0] if foreign else 0)
    return text[max(0, at - width // 2) : at + width // 2].strip()
