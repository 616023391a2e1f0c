"""Print the sheets of a workbook as JSON lines, as a separate program.

`reader` runs this program, which imports nothing of Plumbline. The library keeps a sheet as a rectangle from first to
last cell. A file of three kilobytes with a cell in each corner makes it ask for half a terabyte and end its process,
so it gets little memory and time. Formulas have their saved values, cells with an error are blank, and merged cells
have the value of their first cell. A row with only such filled cells is left out. The library does not show which
cells are hidden or have a formula without a saved value, so the XML of a sheet is read for them.
"""

import contextlib
import io
import json
import posixpath
import re
import resource
import sys
import zipfile
from datetime import date, datetime, timedelta
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

HEAD = 100_000  # bytes of the part that describes the workbook
SINCE_1904 = re.compile(rb"<(?:[\w.-]{1,40}:)?workbookPr\b[^<>]*?\bdate1904=[\"'](?:1|true)[\"']")
ALWAYS = re.compile(rb"\bfullCalcOnLoad=[\"'](?:1|true)[\"']")  # no program has saved the results of formulas
# What makes a sheet worth reading twice: something hidden, a formula or an error.
TELLING = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']|<(?:[\w.-]{1,40}:)?f[\s>/]|\bt=[\"']e[\"']")
CHUNK, OVERLAP = 1 << 20, 64  # bytes
NAMED = 10  # cells, rows and columns that are named; others are counted
TOO_MUCH = 2  # how the process ends where Python itself runs out of memory


def main(content: bytes, most: dict[str, int]) -> None:
    """Print the workbook: a line for each sheet, and one for each filled row below it.

    `most`: memory, seconds, rows, columns, cells, cell (letters of one) and letters (of all). Output stops just beyond
    a bound, so that `reader` sees that it is exceeded.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (most["seconds"], most["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (most["memory"], most["memory"]))
    cells = letters = 0
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    _say({"since_1904": _describes(content, SINCE_1904)})
    parts, uncounted = _parts(content), _describes(content, ALWAYS)
    for sheet in workbook.sheets_metadata:
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        hidden = sheet.visible is not SheetVisibleEnum.Visible
        held = None if hidden else workbook.get_sheet_by_name(sheet.name)
        merged = _Merged(held.merged_cell_ranges or [] if held else [])
        _say({"sheet": sheet.name, "hidden": hidden, "merged": merged.count})
        if held is None:
            continue
        rows, filled = 0, set()
        for number, row in enumerate(held.iter_rows(), start=1):
            record = [_text(value)[: most["cell"] + 1] for value in row]
            own = [place for place, cell in enumerate(record) if cell.strip()]
            merged.fill(number - 1, record, row)
            while record and not record[-1]:
                record.pop()
            own = [place for place in own if place < len(record)]
            if not own:
                continue
            filled.update(own)
            rows, cells, letters = rows + 1, cells + len(record), letters + sum(map(len, record))
            _say(
                [
                    number,
                    record[: most["columns"] + 1],
                    own if merged.count and rows <= most["first"] else None,
                ]
            )
            over = rows > most["rows"] or len(record) > most["columns"] or cells > most["cells"]
            if over or letters > most["letters"]:
                return
        seen = _Seen(uncounted).of(content, parts.get(sheet.name, ""), filled)
        _say({"seen": seen | {"shared": [merged.shared[:NAMED], len(merged.shared)]}})


class _Merged:
    """The merged areas of a sheet: (first row, column), (last row, column), from 0."""

    def __init__(self, ranges: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        self.count = len(ranges)
        self._later = sorted(ranges, reverse=True)
        self._open: list[tuple[int, int, int, str]] = []
        self.shared: list[str] = []  # cells with a number that several rows have in common

    def fill(self, number: int, record: list[str], row: list[Any]) -> None:
        """Fill the other cells of each area in this row from its first cell. Blank a number of several rows."""
        self._open = [area for area in self._open if area[0] >= number]
        while self._later and self._later[-1][0][0] <= number:
            (top, left), (bottom, right) = self._later.pop()
            shared = isinstance(row[left], (float, int, timedelta)) if left < len(row) else False
            if bottom > top == number and shared and not isinstance(row[left], bool):
                self.shared.append(f"{_letters(left)}{top + 1}")
                record[left] = ""
            if top == number and left < len(record) and record[left]:
                self._open.append((bottom, left, right, record[left]))
        for _, left, right, text in self._open:
            for place in range(left, min(right + 1, len(record))):
                record[place] = record[place] or text


class _Seen:
    """The cells that a person sees and the library does not, or the other way round.

    `uncounted` is True if no program has counted the formulas, so that a result of zero is none.
    """

    def __init__(self, uncounted: bool) -> None:
        self.uncounted = uncounted
        self.found: dict[str, list[str]] = {"formulas": [], "errors": [], "rows": [], "columns": []}
        self.hidden: list[tuple[int, int]] = []
        self.row = self.column = 0
        self.row_hidden = self.formula = self.reading = False
        self.cell = self.kind = self.value = ""

    def of(self, content: bytes, part: str, filled: set[int]) -> dict[str, Any]:
        """Return the names and number of such cells, filled rows and columns, and what else the part shows."""
        beside = posixpath.join(posixpath.dirname(part), "_rels", f"{posixpath.basename(part)}.rels")
        shows = {kind.rpartition("/")[2] for kind in _relations(content, beside, "Type")}
        if _tells(content, part):
            _parse(content, part, self._start, self._end, self._text)
        for first, last in self.hidden:
            self.found["columns"] += [
                _letters(place) for place in sorted(filled) if first <= place + 1 <= last
            ]
        told: dict[str, Any] = {name: [cells[:NAMED], len(cells)] for name, cells in self.found.items()}
        return told | {
            "comments": bool(shows & {"comments", "threadedComment"}),
            "drawings": "drawing" in shows,
        }

    def _start(self, tag: str, values: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "c":
            self.column += 1
            self.cell = values.get("r", "") or f"{_letters(self.column - 1)}{self.row}"
            self.kind, self.value, self.formula = values.get("t", ""), "", False
        elif tag == "f":
            self.formula = True
        elif tag in ("v", "t"):
            self.reading = True
        elif tag == "row":
            self.row, self.column = int(values.get("r") or self.row + 1), 0
            self.row_hidden = values.get("hidden") in ("1", "true")
        elif tag == "col" and values.get("hidden") in ("1", "true"):
            self.hidden.append((int(values.get("min", 0)), int(values.get("max", 0))))

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in ("v", "t"):
            self.reading = False
        elif tag == "c":
            nothing = not self.value.strip() or (self.uncounted and self.value == "0")
            if self.formula and nothing and self.kind != "str":
                self.found["formulas"].append(self.cell)
            elif self.kind == "e":
                self.found["errors"].append(f"{self.cell} ({self.value[:20]})")
            rows = self.found["rows"]
            if self.row_hidden and self.value.strip() and (not rows or rows[-1] != str(self.row)):
                rows.append(str(self.row))

    def _text(self, words: str) -> None:
        if self.reading and len(self.value) < NAMED:
            self.value += words


def _letters(place: int) -> str:
    """Return the letters of a column, counted from 0."""
    return (_letters(place // 26 - 1) if place > 25 else "") + chr(65 + place % 26)


def _parts(content: bytes) -> dict[str, str]:
    """Return the name of the part of each sheet, by its title."""
    targets = dict(
        zip(
            _relations(content, "xl/_rels/workbook.xml.rels", "Id"),
            _relations(content, "xl/_rels/workbook.xml.rels", "Target"),
            strict=True,
        )
    )
    found: dict[str, str] = {}

    def start(tag: str, values: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "sheet":
            key = next((value for name, value in values.items() if name.rpartition(":")[2] == "id"), "")
            found[values.get("name", "")] = posixpath.join("/xl", targets.get(key, "")).lstrip("/")

    _parse(content, "xl/workbook.xml", start)
    return found


def _relations(content: bytes, part: str, what: str) -> list[str]:
    """Return one attribute of each relation in a part of relations."""
    found: list[str] = []

    def start(tag: str, values: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            found.append(values.get(what, ""))

    _parse(content, part, start)
    return found


def _tells(content: bytes, part: str) -> bool:
    """Return True if a part has something hidden, a formula or an error. Much faster than to parse it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if part not in archive.namelist():
            return False
        with archive.open(part) as stream:
            rest = b""
            while chunk := stream.read(CHUNK):
                if TELLING.search(rest + chunk):
                    return True
                rest = chunk[-OVERLAP:]
    return False


def _parse(content: bytes, part: str, start: Any, end: Any = None, text: Any = None) -> None:
    """Read an XML part, if there is one. A damaged part ends the reading, which the library refuses anyway."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if part in archive.namelist():
            with archive.open(part) as stream, contextlib.suppress(expat.ExpatError, ValueError):
                parser.ParseFile(stream)


def _describes(content: bytes, pattern: re.Pattern[bytes]) -> bool:
    """Return True if the part that describes the workbook has this pattern."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("xl/workbook.xml") as part:
        return bool(pattern.search(part.read(HEAD)))


def _say(what: dict[str, Any] | list[Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")


def _text(value: object) -> str:
    """Return a cell as text: whole numbers without a point, days as their midnight, durations in hours."""
    if isinstance(value, str):
        return value.replace("\r", "").replace("\x00", "")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"{value.isoformat()} 00:00:00"  # rows are known again by their text, which has long been this
    if isinstance(value, timedelta):
        return _hours(value)
    return str(value)


def _hours(value: timedelta) -> str:
    """Return a duration as a sheet shows it, such as 30:30:00 for a day and six and a half hours."""
    seconds = round(abs(value.total_seconds()))
    sign = "-" if value < timedelta() else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


if __name__ == "__main__":
    try:
        main(sys.stdin.buffer.read(), json.loads(sys.argv[1]))
    except MemoryError:
        sys.exit(TOO_MUCH)
    except CalamineError as trouble:
        _say({"wrong": type(trouble).__name__})
