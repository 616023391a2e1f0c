"""A sample as it was sent, made ready to be measured: told apart by content, decoded, its header and separator found.

Everything is bounded here: a file that is packed, endless in one line, or of a million columns comes no further.
"""

import codecs
import io
import os
import re
import stat
import struct
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.core.exceptions import ValidationError

from governance.tables.columns import LOOKED_AT, columns_of, header_of
from governance.tables.encodings import LOOKED_AT as LOOKED_AT_BYTES
from governance.tables.encodings import CodePageUnsure, decode, is_text, looks_like_a_page
from governance.tables.reader import delimiter_of, records_of

CHUNK = 1 << 20
HEAD = 400_000  # characters among which header and separator are looked for
MAX_LINE = 1 << 20  # bytes of one row
MAX_NAME = 120  # characters of the name of a column
FOOTER = 16 << 20  # bytes; the description at the end of a Parquet file
LOOKED_AT_FIRST = 4096  # bytes by which what is no table is told
SHOWN = 2 << 20  # bytes of lines that decide on the code page
PACKED = {
    b"PK\x03\x04": "a zip archive or a workbook",
    b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"SQLite format 3": "a database",
    b"%PDF": "a PDF",
}


NO_TABLE = "The file is not text, nor Parquet. Send the table as CSV or Parquet."


class Trouble(Exception):
    """A sample that cannot be measured: words that say why and how to mend it, and code pages to choose from."""

    def __init__(self, words: str, ask: list | None = None):
        self.ask = ask or []
        super().__init__(words)


@dataclass(frozen=True)
class Opened:
    """A sample ready for measuring: `path` is a table without header in UTF-8, or a Parquet file."""

    kind: str
    path: Path
    names: list[str] = field(default_factory=list)
    encoding: str = ""
    delimiter: str = ""
    remarks: list[str] = field(default_factory=list)


def no_sample(start: bytes) -> str:
    """Why a file that begins with these bytes is no sample, in words; "" for what may be one."""
    if start[:4] == b"PAR1":
        return ""
    for mark, words in PACKED.items():
        if start.startswith(mark):
            return f"The file is {words}. Send the table inside it as CSV or Parquet, not packed."
    return "" if _wide(start) or is_text(start) else NO_TABLE


def _wide(start: bytes) -> bool:
    """Whether a file begins like UTF-16, of which every second byte is zero where the letters are Latin ones."""
    return start[:2] in (b"\xff\xfe", b"\xfe\xff") or start.count(0) > len(start) // 5


def open_sample(path: Path, folder: Path, *, encoding: str = "", most: int = 0) -> Opened:
    """Make the sample at `path` ready, with its working copy in `folder`. `most`: bytes it may have, 0 for any number.

    Raises Trouble: not a plain file, empty, too large, packed, no text, no header, a code page that cannot be told.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise Trouble("The sample is not there any more, or is no plain file. Upload it again.") from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise Trouble("The sample is no plain file. Upload a CSV or Parquet file.")
    with open(descriptor, "rb") as file:
        if facts.st_size == 0:
            raise Trouble("The file is empty. Send one with a header row and rows below it.")
        if most and facts.st_size > most:
            raise Trouble(f"The file is larger than {most >> 20} MB. Send fewer rows or columns.")
        start = file.read(LOOKED_AT_FIRST)
        file.seek(0)
        if words := no_sample(start):
            raise Trouble(words)
        if start[:4] == b"PAR1":
            return _parquet(file, facts.st_size, folder)
        try:
            return _separated(file, folder, encoding)
        except ValidationError as wrong:
            raise Trouble(" ".join(wrong.messages)) from None


def _parquet(file, size: int, folder: Path) -> Opened:
    """A Parquet file under a name of ours, once its two ends agree; what it describes is not believed yet."""
    file.seek(max(0, size - 8))
    end = file.read(8)
    if size < 12 or end[4:] != b"PAR1":
        raise Trouble("The Parquet file is cut off: its end is missing. Write or send it again.")
    length = struct.unpack("<I", end[:4])[0]
    if not 0 < length <= size - 12:
        raise Trouble("The Parquet file is damaged: its description lies outside of it. Write it again.")
    if length > FOOTER:
        raise Trouble(
            "The Parquet file describes far more than a sample holds. Write fewer columns and row groups."
        )
    path = folder / "sample.parquet"
    file.seek(0)
    with open(path, "xb") as copy:
        while chunk := file.read(CHUNK):
            copy.write(chunk)
    return Opened("parquet", path)


def _separated(file, folder: Path, choice: str) -> Opened:
    name = _encoding(file, choice)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8" if name == "ascii" else name, newline=None)
    try:
        head = text.read(HEAD).removeprefix("\ufeff")
        more = text.read(1)
        if "\x00" in head or not is_text(head[:LOOKED_AT_BYTES].encode("utf-8", "replace")):
            raise Trouble(NO_TABLE)
        if head.lstrip()[:1] in ("<", "{") or looks_like_a_page(head[:200].encode("utf-8", "replace")):
            raise Trouble(
                "This is not a table but a web page, XML, JSON or a script. Send it as CSV or Parquet."
            )
        delimiter, skip, names, remarks = _header(head, whole=not more)
        path = folder / "sample.csv"
        with open(path, "x", encoding="utf-8", newline="") as copy:
            lines = io.StringIO(head, newline="")
            for _ in range(skip):
                lines.readline()
            _copy(copy, lines.read() + more)
            while chunk := text.read(CHUNK):
                _copy(copy, chunk)
        if path.stat().st_size == 0:
            raise Trouble("The file has no rows below its header.")
    except UnicodeDecodeError:
        raise Trouble(
            f"The file is not {name}: some bytes have no meaning there. Choose another code page."
        ) from None
    return Opened("csv", path, names, name, delimiter, remarks)


def _copy(copy, chunk: str) -> None:
    if "\x00" in chunk:
        raise Trouble("The file is not text: it holds zero bytes. Send the table as CSV or Parquet.")
    copy.write(chunk)


def _encoding(file, choice: str) -> str:
    """The encoding of the whole file. Raises Trouble with code pages to choose from where the bytes allow several."""
    start = file.read(LOOKED_AT_FIRST)
    file.seek(0)
    wide = _wide(start)
    if not wide:
        reader, plain = codecs.getincrementaldecoder("utf-8")(), True
        try:
            while chunk := file.read(CHUNK):
                plain = plain and chunk.isascii()
                reader.decode(chunk)
            reader.decode(b"", final=True)
            escapes = b"\x1b$" in start or b"\x1b(" in start
            return _choose(start, choice) if escapes else "ascii" if plain else "utf-8"
        except UnicodeDecodeError:
            pass
    return _choose(_foreign(file) if not wide else start[: len(start) // 4 * 4], choice)


def _choose(sample: bytes, choice: str) -> str:
    try:
        return decode(sample, choice)[1]
    except CodePageUnsure as unsure:
        raise Trouble(
            "The code page of the file cannot be told from its bytes. Choose the one whose lines read right.",
            [list(candidate) for candidate in unsure.candidates],
        ) from None
    except ValidationError as wrong:
        # What tables of inventories are told of their file names forms that no sample has.
        raise Trouble(NO_TABLE if "file" in wrong.error_dict else " ".join(wrong.messages)) from None


def _foreign(file) -> bytes:
    """The beginning of the file, and lines with bytes that are not ASCII from all of it."""
    file.seek(0)
    found, size = [file.read(4096).rpartition(b"\n")[0]], 0
    file.seek(0)
    while size < SHOWN and (line := file.readline(CHUNK)):
        if not line.isascii():
            found.append(line[:4000].rstrip(b"\n"))
            size += len(found[-1])
    return b"\n".join(found)


def _header(head: str, *, whole: bool) -> tuple[str, int, list[str], list[str]]:
    """Separator, lines above the first row, names of the columns, remarks. Raises Trouble where there is no header."""
    if not whole:
        head = head.rpartition("\n")[0]
    if not head or max(map(len, head.split("\n")[:LOOKED_AT])) > MAX_LINE // 4:
        raise Trouble(
            "One line of the file is longer than a table's. Look for a quotation mark that never ends."
        )
    delimiter = delimiter_of(head)
    records = list(islice(records_of(head, delimiter), LOOKED_AT * 4))
    if not records:
        raise Trouble("The file is empty. Send one with a header row and rows below it.")
    if len(records) < 2:
        raise Trouble("The file has no rows below its header.")
    place = header_of(records)
    header = records[place][1]
    width = max(len(record) for _, record in records[place:])
    names, remarks = columns_of(header, width, [True] * width)
    if place:
        remarks.append(f"{place} line(s) above the header were left out.")
    if place + 1 == len(records):
        raise Trouble("The file has no rows below its header.")
    return (
        delimiter,
        records[place + 1][0] - 1,
        tidy([name or f"Column {i + 1}" for i, name in enumerate(names)]),
        remarks,
    )


def tidy(names: list[str]) -> list[str]:
    """Names of columns as they are kept: short, printable, each once."""
    found: list[str] = []
    for place, name in enumerate(names):
        name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()[:MAX_NAME]
        name, number = name or f"Column {place + 1}", 2
        while name in found:
            name, number = f"{name[: MAX_NAME - 8]} ({number})", number + 1
        found.append(name)
    return found
