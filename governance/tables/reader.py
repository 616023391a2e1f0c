"""Read csv and xlsx bytes to rows, within bounds and without wrong characters."""

import csv
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from django.core.exceptions import ValidationError

from governance.tables import foreign_files, workbook
from governance.tables.columns import LOOKED_AT, columns_of, expected_in, header_of, is_a_total, whole_header
from governance.tables.delimited import MAX_CELL, BrokenRow, delimiter_of, rows_of
from governance.tables.encodings import decode, looks_like_a_page, wrong
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import one_spelling

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 50_000  # below the header; the lines above it are counted apart
MAX_COLUMNS = 500
MAX_CELLS = 4_000_000
MAX_TEXT = 50_000_000  # characters in all cells together
MAX_UNPACKED = 300 * 1024 * 1024  # bytes; a workbook that unpacks to more is a bomb
MAX_PARTS = 5_000
RATIO = 300  # times; only bombs are packed that tightly
WORTH_A_LOOK = 8 * 1024 * 1024  # unpacked bytes below which the ratio of one part does not matter
SECONDS = 40  # for a workbook
MEMORY = 1 << 30  # bytes of address space for a workbook, of which about a quarter is ever used
MARK = "\ufeff"  # of the order of bytes, which some programs write before the first cell
FAR_MORE = "The workbook holds far more data than its rows. Save only the sheet with the table as csv."


@dataclass(frozen=True)
class Line:
    """A row of the file: the number of its first line, its cells, and why they may not be those of their columns."""

    number: int
    cells: dict[str, str]
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """The result: columns in their order, rows, and how they were read.

    `sheets` has the visible sheets of a workbook with a table, each with its number of rows below the first.
    `since_1904` is True if serial days are counted from 1904.
    """

    columns: list[str]
    lines: list[Line]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_line: int = 1
    remarks: list[str] = field(default_factory=list)
    sheets: tuple[tuple[str, int], ...] = ()
    since_1904: bool = False


Records = Callable[[], Iterator[tuple[int, list[str]]]]


@dataclass(frozen=True)
class TableFile:
    """A table whose rows are read again on each request, so memory never has them all."""

    table: Table
    names: list[str | None]
    width: int  # cells of a whole row
    below: int
    rows: int
    records: Records
    left_out: frozenset[int]

    def lines(self) -> Iterator[Line]:
        """Yield the rows, from the first."""
        for number, record in islice(self.records(), self.below, None):
            if number in self.left_out:
                continue
            odd = []
            if self.table.delimiter and len(record) != self.width:
                odd.append(
                    f"The row has {len(record)} cells, but the header has {self.width}. Check whether cells are "
                    "shifted. If a cell contains the sign between cells, put the cell in quotes."
                )
            elif self.table.delimiter and _holds_rows(record, self.table.delimiter):
                odd.append(
                    "One cell of the row contains what looks like whole rows. Look for a quotation mark without its "
                    "closing mark, or write the cell on one line."
                )
            cells = {
                name: (record[i] if i < len(record) else "")
                for i, name in enumerate(self.names)
                if name is not None
            }
            if any("\ufffd" in cell for cell in cells.values()):
                odd.append(
                    "The source file has a replacement character here, so a character was lost before the "
                    "import."
                )
            yield Line(number, cells, tuple(odd))


class SheetUnsure(Exception):
    """Several sheets hold tables: `sheets` are (title, rows), `likely` is a title."""

    def __init__(self, sheets: tuple[tuple[str, int], ...], likely: str):
        self.sheets, self.likely = sheets, likely
        super().__init__("The workbook has several sheets. Choose one.")


def read_table(
    content: bytes, *, encoding: str = "", expected: tuple[str, ...] = (), sheet: str = ""
) -> Table:
    """Read a csv or xlsx file, recognised by its content. See `open_table`."""
    opened = open_table(content, encoding=encoding, expected=expected, sheet=sheet)
    return replace(opened.table, lines=list(opened.lines()))


def open_table(
    content: bytes, *, encoding: str = "", expected: tuple[str, ...] = (), sheet: str = ""
) -> TableFile:
    """Open a csv or xlsx file: read its header and go once through its rows.

    `encoding` is a person's choice, or what a known source always uses. `expected` has headers of a known source.
    `sheet` is the title of the wanted sheet. Raises CodePageUnsure if a choice is needed, and ValidationError (on
    "file", "encoding" or "sheet") for an unreadable file.
    """
    if not content:
        raise wrong("The file is empty. Send a file with a header row and at least one row below the header.")
    if len(content) > MAX_BYTES:
        raise wrong(
            f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split the file, or save it as csv."
        )
    if content.startswith(foreign_files.OLD_OFFICE):
        raise wrong(
            "The file is an old Excel file (.xls) or is protected. Save it as .xlsx or .csv and send the "
            "new file."
        )
    is_workbook = content.startswith(foreign_files.ARCHIVE)
    if (kind := foreign_files.told(content)) and kind not in (foreign_files.PACKED, foreign_files.MACROS):
        raise wrong(phrase("The file is {}. Send the table as csv or xlsx.", kind.name))
    if is_workbook:
        return _workbook(content, expected, sheet)
    if content.startswith(b"%PDF"):
        raise wrong("The file is a PDF. Ask its publisher for the table as csv or xlsx.")
    text, name = decode(content, encoding)
    if text.lstrip()[:1] in ("<", "{") or looks_like_a_page(text[:200].encode()):
        raise wrong(
            "The file is not a table but a web page, XML, JSON or a script. Send the table as csv or xlsx."
        )
    delimiter = delimiter_of(text)
    del text  # read again piece by piece: whole, its letters take four bytes each

    def records() -> Iterator[tuple[int, list[str]]]:
        text = io.TextIOWrapper(io.BytesIO(content), name, newline="")
        if text.read(1) != MARK:
            text.seek(0)
        return _records(text, delimiter)

    return _opened(records, expected, encoding=name, delimiter=delimiter)


def _too_large() -> ValidationError:
    return wrong(
        f"The table is too large (at most {MAX_ROWS:,} rows below the header, {MAX_COLUMNS} columns, "
        f"{MAX_CELLS:,} cells). Split it."
    )


class _Size:
    """The size of a table so far. `add` raises ValidationError if it is too large."""

    def __init__(self) -> None:
        self.rows = self.cells = self.letters = 0

    def add(self, record: list[str]) -> None:
        """Count one more row."""
        self.rows, self.cells = self.rows + 1, self.cells + len(record)
        self.letters += sum(map(len, record))
        if self.rows > MAX_ROWS + LOOKED_AT or self.cells > MAX_CELLS or len(record) > MAX_COLUMNS:
            raise _too_large()
        if self.letters > MAX_TEXT:
            raise wrong("The cells of the table contain too much text. Remove columns.")
        if max(map(len, record), default=0) > MAX_CELL:
            raise wrong(
                f"A cell has more than {MAX_CELL:,} characters. Shorten the cell, or remove its column."
            )


# Text to rows


def records_of(text: str, delimiter: str = "") -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text that are not blank, each with its first line's number.

    Raises ValidationError on "file" for a text that is too large, or a quotation mark without its closing mark.
    """
    yield from _records(io.StringIO(text.removeprefix(MARK), newline=""), delimiter or delimiter_of(text))


def _records(text: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    size = _Size()
    try:
        for start, record in rows_of(text, delimiter):
            size.add(record)
            if any(cell.strip() for cell in record):
                yield start, record
    except BrokenRow as broken:
        raise wrong(
            f"The row that begins on line {broken.line} cannot be read ({broken}). Look there for a quotation mark "
            "without its closing mark, and write a quotation mark inside a quoted cell twice."
        ) from None


# Workbooks to rows


@dataclass
class _Sheet:
    """A sheet in the output of `workbook`: the place, number and start of its rows."""

    title: str
    hidden: bool
    merged: int
    begins: int
    rows: int = 0
    filled: int = 0
    first: list[tuple[int, list[str]]] = field(default_factory=list)
    own: list[list[str]] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)

    def refuse_uncounted(self) -> None:
        """Refuse a sheet with formulas that have no saved result, because their cells would be blank."""
        cells, count = self.seen.get("formulas", ((), 0))
        if count:
            raise wrong(
                phrase(
                    "The sheet “{}” has formulas without a saved result, in {}. Open the file in its program, save it "
                    "and upload it again.",
                    self.title,
                    _listed(cells, count),
                )
            )

    def remarks(self) -> Iterator[str]:
        """Yield what a person sees of the sheet and is not read, or the other way round."""
        if self.merged:
            yield (
                f"Merged cells ({self.merged} areas) were filled with the value of their first cell."
                if self.merged > 1
                else "Merged cells (one area) were filled with the value of their first cell."
            )
        again = "Then save the file and upload it again."
        for what, said in (
            ("errors", f"Cells with an error were read as blank: {{}}. Correct their formulas. {again}"),
            (
                "rows",
                f"Hidden or filtered rows were read: {{}}. Delete the rows that must not be imported. {again}",
            ),
            (
                "shared",
                f"Numbers in cells that are merged over several rows were left out: {{}}. Write the number of each "
                f"row into its own cell. {again}",
            ),
            (
                "columns",
                f"Hidden columns were read: {{}}. Delete the columns that must not be imported. {again}",
            ),
        ):
            cells, count = self.seen.get(what, ((), 0))
            if count:
                yield said.format(_listed(cells, count))
        if self.seen.get("comments"):
            yield f"Comments on cells were not read. Copy what you need into cells. {again}"
        if self.seen.get("drawings"):
            yield f"Pictures, charts and text boxes were not read. Copy what you need into cells. {again}"


def _listed(names: Sequence[str], count: int) -> str:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{', '.join(names)}{more}"


def _workbook(content: bytes, expected: tuple[str, ...], wanted: str) -> TableFile:
    """Return the wanted sheet, or the one most like an inventory. Remarks name others."""
    _check_archive(content)
    said = _said(content)
    sheets, since_1904 = _sheets(said)
    filled = [sheet for sheet in sheets if sheet.rows > 1]
    for sheet in sheets:
        if not filled or sheet.title == wanted:
            sheet.refuse_uncounted()
    if not filled:
        raise wrong("No sheet of the workbook has a header row and a row below it.")
    titles = {sheet.title: sheet for sheet in filled}
    if wanted and wanted not in titles:
        there = ", ".join(f"\u201c{title}\u201d" for title in titles)
        raise ValidationError(
            {
                "sheet": phrase(
                    "The sheet “{}” has no table or is hidden. Choose one of {}.", wanted[:80], there
                )
            }
        )
    chosen = titles.get(wanted) or max(
        filled, key=lambda sheet: (max(expected_in(sheet.first, expected)), sheet.filled)
    )

    chosen.refuse_uncounted()

    def records() -> Iterator[tuple[int, list[str]]]:
        said.seek(chosen.begins)
        for line in said:
            row = json.loads(line)
            if isinstance(row, dict):
                return
            yield row[0], row[1]

    opened = _opened(
        records,
        expected,
        chosen.own,
        sheet=chosen.title,
        since_1904=since_1904,
        sheets=tuple((sheet.title, sheet.rows - 1) for sheet in filled),
    )
    remarks = opened.table.remarks
    others = [sheet.title for sheet in sheets if sheet.rows and sheet is not chosen]
    others += [f"{sheet.title} (hidden)" for sheet in sheets if sheet.hidden]
    if others:
        remarks.append(f"Plumbline read the sheet \u201c{chosen.title}\u201d and not {', '.join(others)}.")
    remarks += chosen.remarks()
    return opened


def _check_archive(content: bytes) -> None:
    """Refuse, before unpacking, a file that is not a workbook or declares a huge size."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError):
        raise wrong("The workbook is damaged or protected. Save it again without a password.") from None
    large = [part for part in parts if part.file_size > WORTH_A_LOOK]
    if (
        len(parts) > MAX_PARTS
        or sum(part.file_size for part in parts) > MAX_UNPACKED
        or any(part.file_size > RATIO * part.compress_size for part in large)
    ):
        raise wrong(
            "The workbook unpacks to far more data than allowed. Save only the sheet with the table as csv."
        )
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise wrong("The file is an archive, not an xlsx workbook. Send the csv or xlsx file inside it.")


def _sheets(said: BinaryIO) -> tuple[list[_Sheet], bool]:
    """Return the sheets of a workbook, and True if its days are counted from 1904."""
    sheets: list[_Sheet] = []
    since_1904, size, at = False, _Size(), 0
    said.seek(0)
    for line in said:
        at += len(line)
        row = json.loads(line)
        if isinstance(row, list):
            number, record, own = row
            size.add(record)
            sheet = sheets[-1]
            sheet.rows += 1
            sheet.filled += sum(1 for cell in record if cell.strip())
            if len(sheet.first) < LOOKED_AT:
                sheet.first.append((number, record))
                sheet.own.append(record if own is None else [record[place] for place in own])
        elif "wrong" in row:
            raise wrong(f"The workbook cannot be read ({row['wrong']}). Save it again as .xlsx or .csv.")
        elif "seen" in row:
            sheets[-1].seen = row["seen"]
        elif "since_1904" in row:
            since_1904 = row["since_1904"]
        else:
            sheets.append(_Sheet(row["sheet"], row["hidden"], row["merged"], begins=at))
            size.rows = 0
    return sheets, since_1904


def _said(content: bytes) -> BinaryIO:
    """Return the output of `workbook`, run in a bounded process without secrets."""
    most = {
        "memory": MEMORY,
        "seconds": SECONDS,
        "rows": MAX_ROWS + LOOKED_AT,
        "first": LOOKED_AT,
        "columns": MAX_COLUMNS,
        "cells": MAX_CELLS,
        "cell": MAX_CELL,
        "letters": MAX_TEXT,
    }
    out = tempfile.TemporaryFile()  # noqa: SIM115 - read as long as its table is
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(Path(workbook.__file__)), json.dumps(most)],
            input=content,
            stdout=out,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", "")},
            timeout=2 * SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise wrong(FAR_MORE) from None
    if done.returncode < 0 or done.returncode == workbook.TOO_MUCH:  # ended by its bounds
        raise wrong(FAR_MORE)
    if done.returncode:
        raise wrong("The workbook cannot be read. Save it again as .xlsx or .csv.")
    return out


# Rows to a table


def _spelled(records: Records) -> Records:
    """Return the same records, in which each text has one spelling (`one_spelling`)."""

    def spelled() -> Iterator[tuple[int, list[str]]]:
        for number, record in records():
            yield number, [one_spelling(cell) for cell in record]

    return spelled


def _opened(
    records: Records, expected: tuple[str, ...], own: list[list[str]] | None = None, **how: Any
) -> TableFile:
    """Find the header, then read all rows once for their width and the filled columns."""
    records = _spelled(records)
    first = list(islice(records(), LOOKED_AT))
    header, top, last = whole_header(first, header_of(first, expected, own)) if len(first) > 1 else ([], 0, 0)
    width, rows, used = len(header), 0, [False] * len(header)
    again, totals = [], []
    widths: Counter[int] = Counter()
    heading = _evened(first[last][1]) if first else []
    for number, record in islice(records(), last + 1, None):
        if _evened(record) == heading:
            again.append(number)
            continue
        if (
            len(filled := _told_once(record)) > 1
            and 2 * len(filled) > len(heading)
            and set(filled) <= set(heading)
        ):
            raise wrong(
                phrase(
                    "Line {} repeats the header in another order. Send each table in its own file.", number
                )
            )
        if is_a_total(record):
            totals.append(number)
            continue
        rows, width = rows + 1, max(width, len(record))
        widths[len(record)] += 1
        used += [False] * (width - len(used))
        for place, cell in enumerate(record):
            used[place] = used[place] or bool(cell.strip())
    if rows + len(again) + len(totals) > MAX_ROWS:
        raise _too_large()
    if not rows:
        raise wrong("The file has no rows below its header.")
    names, remarks = columns_of(header, width, used)
    if top:
        banner = " / ".join(_told_once(first[0][1]))[:120]
        remarks.append(f"{top} line(s) above the header were left out. The first is \u201c{banner}\u201d.")
    if last > top:
        joined = next(name for name, below in zip(header, first[last][1], strict=False) if name != below)
        remarks.append(f"The header has two rows, which are read together, as in \u201c{joined}\u201d.")
    for numbers, why in ((again, "repeat the header"), (totals, "contain totals")):
        if numbers:
            shown = _listed([str(number) for number in numbers[:10]], len(numbers))
            remarks.append(f"These lines {why} and were left out: {shown}.")
    table = Table([name for name in names if name], [], header_line=first[last][0], remarks=remarks, **how)
    usual, count = widths.most_common(1)[0]
    # Some programs end each row with a delimiter, but not the header.
    ended = usual > len(header) and 2 * count > rows and not any(used[len(header) :])
    whole = usual if ended else len(header)
    return TableFile(table, names, whole, last + 1, rows, records, frozenset((*again, *totals)))


def _evened(record: list[str]) -> list[str]:
    return [cell.strip() for cell in record]


def _holds_rows(record: list[str], delimiter: str) -> bool:
    """Return True if each line of the row has as many cells as the row: a quotation mark has swallowed rows."""
    lines = delimiter.join(record).splitlines()
    return (
        len(record) > 2 and len(lines) > 1 and all(line.count(delimiter) + 1 == len(record) for line in lines)
    )


def _told_once(record: list[str]) -> list[str]:
    return list(dict.fromkeys(cell.strip() for cell in record if cell.strip()))


def as_text(table: Table) -> str:
    """Return the table as lines of text that can be read again."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([[line.cells.get(name, "") for name in table.columns] for line in table.lines])
    return written.getvalue()
