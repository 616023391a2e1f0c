"""Bytes to text to rows, for csv and xlsx. The right character or a question; never a silently wrong one."""

import csv
import io
import re
import statistics
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice

from django.core.exceptions import ValidationError

from initiatives.contents import NotTaken, office
from initiatives.contents.text import looks_like_a_page
from initiatives.importing.code_pages import decode, wrong

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 500
MAX_CELLS = 4_000_000
MAX_CELL = 200_000  # characters
MAX_UNPACKED = 300 * 1024 * 1024  # bytes; a workbook that unpacks to more is a bomb
# Marks ("<") in the parts of a workbook: what its reader builds in memory grows with them, not with bytes.
MOST_MARKS = {"xl/worksheets/": 20_000_000, "xl/sharedStrings.xml": 6_000_000, "": 1_000_000}
MOST_MARKS_UNSIZED = (
    3_000_000  # of a sheet that does not say its size: its reader goes through all of it first
)
MOST_MARKS_IN_A_ROW = 500_000
LONGEST_TEXT_BYTES = 2 * 1024 * 1024  # without a mark: longer than any cell may be
LOOKED_AT = 25  # lines among which the header is looked for
DELIMITERS = ",;\t|"


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
    return _separated(text, name, expected)


# Text to rows


def _separated(text: str, encoding: str, expected) -> Table:
    delimiter = delimiter_of(text)
    records: list[tuple[int, list[str]]] = []
    before = csv.field_size_limit(MAX_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        start, cells = 1, 0
        for record in reader:
            cells += len(record)
            records.append((start, record))
            start = reader.line_num + 1
            _bound(len(records), len(record), cells)
    except csv.Error as error:
        raise wrong(
            f"Line {reader.line_num} cannot be read ({error}). Look there for a quotation mark that is never closed."
        ) from None
    finally:
        csv.field_size_limit(before)
    return _table(records, expected, encoding=encoding, delimiter=delimiter)


def _bound(rows: int, columns: int, cells: int) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS or cells > MAX_CELLS:
        raise wrong(
            f"The table is too large (at most {MAX_ROWS:,} rows, {MAX_COLUMNS} columns, {MAX_CELLS:,} cells). Split it."
        )


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


def _workbook(content: bytes, expected) -> Table:
    """The sheet that looks most like an inventory; the others are named in the remarks, not read."""
    from openpyxl import load_workbook

    _check_archive(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: _sheet(sheet) for sheet in book.worksheets}
    except ValidationError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML layers raise
        raise wrong(
            f"The workbook cannot be read ({type(error).__name__}). Save it again as .xlsx or .csv."
        ) from None
    filled = {title: records for title, records in sheets.items() if len(records) > 1}
    if not filled:
        raise wrong("No sheet of the workbook has a header row and a row below it.")
    title = max(filled, key=lambda name: (_known(filled[name], expected), _size(filled[name])))
    table = _table(filled[title], expected, sheet=title)
    others = [name for name in filled if name != title]
    if others:
        table.remarks.append(f"Read from the sheet \u201c{title}\u201d; not read: {', '.join(others)}.")
    return table


def _check_archive(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > 5000 or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise wrong("The workbook unpacks to far more than it should. Save the one sheet as csv.")
            if not any(entry.filename == "xl/workbook.xml" for entry in entries):
                raise wrong("This is an archive, not an xlsx workbook. Send the csv or xlsx file inside it.")
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    with archive.open(entry) as part:
                        _count_marks(entry.filename, part)
                    with archive.open(entry) as part:
                        office.read_xml(part)
    except NotTaken as trouble:
        raise wrong(f"The workbook cannot be read: {trouble}") from None
    except office.BROKEN:
        raise wrong("The workbook is damaged or protected. Save it again without a password.") from None


def _count_marks(name: str, part) -> None:
    """Go through one part of a workbook, and refuse what its reader would build far too much of."""
    most = next(limit for start, limit in MOST_MARKS.items() if name.startswith(start))
    chunk = part.read(office.CHUNK)
    if name.startswith("xl/worksheets/") and b"dimension" not in chunk:
        most = MOST_MARKS_UNSIZED
    marks = in_row = without = 0
    while chunk:
        marks += chunk.count(b"<")
        without = 0 if b"<" in chunk else without + len(chunk)
        if without > LONGEST_TEXT_BYTES:
            raise wrong(
                f"A cell holds more than {MAX_CELL:,} characters. Shorten it, or leave its column out."
            )
        first, *others = chunk.split(b"<row")  # cut by the end of a chunk, a row only looks longer
        in_row += first.count(b"<")
        longest = in_row
        for piece in others:
            in_row = piece.count(b"<")
            longest = max(longest, in_row)
        if marks > most or longest > MOST_MARKS_IN_A_ROW:
            raise wrong("The workbook holds far more than its rows could need. Save the one sheet as csv.")
        chunk = part.read(office.CHUNK)


def _sheet(sheet) -> list[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # what a file says about its own size is not believed
    records, cells = [], 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        record = [_cell(value) for value in row]
        while record and not record[-1]:
            record.pop()
        cells += len(record)
        _bound(number if record else len(records), len(record), cells)
        if number > 20 * MAX_ROWS:
            raise wrong(
                f"The sheet {sheet.title} has far more empty rows than an inventory has. Save it as csv."
            )
        records.append((number, record))
    return records


def _cell(value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value)
    if len(text) > MAX_CELL:
        raise wrong(f"A cell holds more than {MAX_CELL:,} characters. Shorten it, or leave its column out.")
    return text.replace("_x000D_", "").replace("\x00", "")


def _size(records) -> int:
    return sum(1 for _, record in records for cell in record if cell.strip())


def _known(records, expected) -> int:
    names = {plain(name) for name in expected}
    return max((sum(plain(cell) in names for cell in record) for _, record in records[:LOOKED_AT]), default=0)


def plain(text: str) -> str:
    """A header as it is compared: lower case, one space, no punctuation at its ends."""
    return re.sub(r"[\s_]+", " ", text).strip(" :*?.\u00a0").casefold()


def header_of(records, expected) -> int:
    """The place of the header: the row that holds the expected headers, else the first that is as wide as any."""
    head = records[:LOOKED_AT]
    names = {plain(name) for name in expected}
    hits = [sum(plain(cell) in names for cell in record) for _, record in head]
    if names and max(hits, default=0) >= max(2, len(names) // 2):
        return hits.index(max(hits))
    widths = [sum(bool(cell.strip()) for cell in record) for _, record in head]
    most = max(widths, default=0)
    for place, width in enumerate(widths):
        cells = [cell.strip() for cell in head[place][1] if cell.strip()]
        if width >= max(1, 0.7 * most) and not any(re.fullmatch(r"[\d.,/: -]+", cell) for cell in cells):
            return place
    raise wrong(
        "No header row was found. The file needs one row with the names of its columns above the rows."
    )


def _table(records, expected, **how) -> Table:
    filled = [(number, record) for number, record in records if any(cell.strip() for cell in record)]
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


def columns_of(header: list[str], width: int, used: list[bool]) -> tuple[list[str | None], list[str]]:
    """Names of columns, each once: repeated ones are numbered, nameless ones that hold something named by place."""
    names: list[str | None] = []
    remarks, seen = [], {}
    for i in range(width):
        name = re.sub(r"\s+", " ", header[i]).strip() if i < len(header) else ""
        if not name:
            names.append(f"Column {i + 1}" if used[i] else None)
            if used[i]:
                remarks.append(f"Column {i + 1} has no name in the header.")
            continue
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            remarks.append(
                f"The header \u201c{name[:80]}\u201d stands more than once; number {seen[name]} is kept apart."
            )
            name = f"{name} ({seen[name]})"
        names.append(name)
    return names, remarks
