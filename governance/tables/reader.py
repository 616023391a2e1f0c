"""Bytes to rows, for csv and xlsx, within bounds. The right character or a question; never a silently wrong one."""

import csv
import io
import json
import os
import statistics
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from governance.tables import workbook
from governance.tables.columns import columns_of, expected_in, header_of
from governance.tables.encodings import decode, looks_like_a_page, wrong

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 500
MAX_CELLS = 4_000_000
MAX_CELL = 200_000  # characters
MAX_TEXT = 50_000_000  # characters in all cells together
MAX_UNPACKED = 300 * 1024 * 1024  # bytes; a workbook that unpacks to more is a bomb
MAX_PARTS = 5_000
RATIO = 300  # times; only bombs are packed that tightly
WORTH_A_LOOK = 8 * 1024 * 1024  # unpacked bytes below which the ratio of one part does not matter
SECONDS = 40  # for a workbook
MEMORY = 1 << 30  # bytes of address space for a workbook, of which about a quarter is ever used
DELIMITERS = ",;\t|"
csv.field_size_limit(MAX_CELL)  # of the whole process
FAR_MORE = "The workbook holds far more than its rows could need. Save the one sheet as csv."


@dataclass(frozen=True)
class Line:
    """One row of the file: the number of the line it starts on, its cells by column, what was odd about it."""

    number: int
    cells: dict[str, str]
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """What was read: columns in their order, rows, and how it was read."""

    columns: list[str]
    lines: list[Line]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_line: int = 1
    remarks: list[str] = field(default_factory=list)


def read_table(content: bytes, *, encoding: str = "", expected: tuple[str, ...] = ()) -> Table:
    """Read a csv or xlsx file, told apart by content, not by name.

    `encoding` is somebody's choice, or what a known source always uses; `expected` are headers a known source has.
    Raises CodePageUnsure when a choice is needed, ValidationError (on "file") for what cannot be read.
    """
    if not content:
        raise wrong("The file is empty. Send one with a header row and at least one row below it.")
    if len(content) > MAX_BYTES:
        raise wrong(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it, or save it as csv.")
    if content.startswith(b"PK\x03\x04"):
        return _workbook(content, expected)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise wrong(
            "This is an old Excel file (.xls) or a protected one. Save it as .xlsx or .csv and send that."
        )
    if content.startswith(b"%PDF"):
        raise wrong("This is a PDF. Ask its publisher for the table as csv or xlsx.")
    text, name = decode(content, encoding)
    if text.lstrip()[:1] in ("<", "{") or looks_like_a_page(text[:200].encode()):
        raise wrong(
            "This is not a table but a web page, XML, JSON or a script. Send the table as csv or xlsx."
        )
    delimiter = delimiter_of(text)
    return _table(list(records_of(text, delimiter)), expected, encoding=name, delimiter=delimiter)


class _Size:
    """How large a table is so far; `add` raises ValidationError once it is too large."""

    def __init__(self) -> None:
        self.rows = self.cells = self.letters = 0

    def add(self, record: list[str]) -> None:
        """One row more."""
        self.rows, self.cells = self.rows + 1, self.cells + len(record)
        self.letters += sum(map(len, record))
        if self.rows > MAX_ROWS or self.cells > MAX_CELLS or len(record) > MAX_COLUMNS:
            raise wrong(
                f"The table is too large (at most {MAX_ROWS:,} rows, {MAX_COLUMNS} columns, {MAX_CELLS:,} cells). "
                "Split it."
            )
        if self.letters > MAX_TEXT:
            raise wrong("The cells of the table hold far more text than a table needs. Leave columns out.")
        if max(map(len, record), default=0) > MAX_CELL:
            raise wrong(
                f"A cell holds more than {MAX_CELL:,} characters. Shorten it, or leave its column out."
            )


# Text to rows


def records_of(text: str, delimiter: str = "") -> Iterator[tuple[int, list[str]]]:
    """The rows of a text, each with the number of the line it starts on; blank ones are left out.

    Raises ValidationError on "file" for what is too large, or a quotation mark that is never closed.
    """
    size, start = _Size(), 1
    reader = csv.reader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter or delimiter_of(text)
    )
    try:
        for record in reader:
            size.add(record)
            if any(cell.strip() for cell in record):
                yield start, record
            start = reader.line_num + 1
    except csv.Error as error:
        raise wrong(
            f"Line {reader.line_num} cannot be read ({error}). Look there for a quotation mark that is never closed."
        ) from None


def delimiter_of(text: str) -> str:
    """The delimiter with which the first rows agree best on a number of columns above one."""
    head = text[:200_000]
    best, score = ",", 0.0
    for candidate in DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(head, newline=""), delimiter=candidate)
            widths = [len(row) for row in islice(reader, 60) if any(row)]
        except csv.Error:
            continue
        if not widths:
            continue
        usual = statistics.mode(widths)
        agree = widths.count(usual) / len(widths)
        if usual > 1 and agree * min(usual, 12) > score:
            best, score = candidate, agree * min(usual, 12)
    return best


# Workbooks to rows


def _workbook(content: bytes, expected: tuple[str, ...]) -> Table:
    """The visible sheet that looks most like an inventory; the others are named in the remarks, not read."""
    _check_archive(content)
    sheets, hidden = _sheets(content)
    filled = {title: records for title, records in sheets.items() if len(records) > 1}
    if not filled:
        raise wrong("No sheet of the workbook has a header row and a row below it.")
    title = max(filled, key=lambda name: (max(expected_in(filled[name], expected)), _filled(filled[name])))
    table = _table(filled[title], expected, sheet=title)
    others = [name for name in filled if name != title] + [f"{name} (hidden)" for name in hidden]
    if others:
        table.remarks.append(f"Read from the sheet \u201c{title}\u201d; not read: {', '.join(others)}.")
    return table


def _filled(records: list[tuple[int, list[str]]]) -> int:
    return sum(1 for _, record in records for cell in record if cell.strip())


def _check_archive(content: bytes) -> None:
    """Refuse what is no workbook, or says that it unpacks to a bomb, before anything is unpacked."""
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
        raise wrong("The workbook unpacks to far more than it should. Save the one sheet as csv.")
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise wrong("This is an archive, not an xlsx workbook. Send the csv or xlsx file inside it.")


def _sheets(content: bytes) -> tuple[dict[str, list[tuple[int, list[str]]]], list[str]]:
    """The rows of the visible sheets by name, and the names of hidden ones."""
    sheets: dict[str, list[tuple[int, list[str]]]] = {}
    hidden, title, size = [], "", _Size()
    for line in _said(content).splitlines():
        said = json.loads(line)
        if isinstance(said, list):
            number, record = said
            size.add(record)
            sheets[title].append((number, record))
        elif "wrong" in said:
            raise wrong(f"The workbook cannot be read ({said['wrong']}). Save it again as .xlsx or .csv.")
        elif said["hidden"]:
            hidden.append(said["sheet"])
        else:
            title = said["sheet"]
            sheets[title], size.rows = [], 0
    return sheets, hidden


def _said(content: bytes) -> bytes:
    """What the program `workbook` says of a workbook, in a process with its own bounds and without our secrets."""
    most = {
        "memory": MEMORY,
        "seconds": SECONDS,
        "rows": MAX_ROWS,
        "columns": MAX_COLUMNS,
        "cells": MAX_CELLS,
        "cell": MAX_CELL,
        "letters": MAX_TEXT,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(Path(workbook.__file__)), json.dumps(most)],
            input=content,
            stdout=subprocess.PIPE,
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
    return done.stdout


# Rows to a table


def _table(filled: list[tuple[int, list[str]]], expected: tuple[str, ...], **how: Any) -> Table:
    if len(filled) < 2:
        raise wrong("The file has no rows below its header.")
    place = header_of(filled, expected)
    header_line, header = filled[place]
    width = max(len(record) for _, record in filled[place:])
    used = [any(i < len(r) and r[i].strip() for _, r in filled[place + 1 :]) for i in range(width)]
    columns, remarks = columns_of(header, width, used)
    if place:
        banner = " / ".join(cell.strip() for cell in filled[0][1] if cell.strip())[:120]
        remarks.append(f"{place} line(s) above the header were left out, beginning \u201c{banner}\u201d.")
    lines = []
    for number, record in filled[place + 1 :]:
        odd = []
        if how.get("delimiter") and len(record) != len(header):
            odd.append(f"The row has {len(record)} cells, the header {len(header)}: cells may be shifted.")
        cells = {
            name: (record[i] if i < len(record) else "") for i, name in enumerate(columns) if name is not None
        }
        if any("\ufffd" in cell for cell in cells.values()):
            odd.append("The source itself lost a character here: it wrote the replacement character.")
        lines.append(Line(number, cells, tuple(odd)))
    return Table([name for name in columns if name], lines, header_line=header_line, remarks=remarks, **how)
