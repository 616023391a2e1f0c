"""Print the sheets of a workbook as JSON lines, as a separate program.

`reader` runs this program, which imports nothing of Plumbline. The library keeps a sheet as a rectangle from first to
last cell. A file of three kilobytes with a cell in each corner makes it ask for half a terabyte and end its process,
so it gets little memory and time. Formulas have their saved values, cells with an error are blank, and merged cells
have the value of their first cell. A row with only such filled cells is left out.
"""

import io
import json
import re
import resource
import sys
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

HEAD = 100_000  # bytes of the part that describes the workbook
SINCE_1904 = re.compile(rb"<(?:[\w.-]{1,40}:)?workbookPr\b[^<>]*?\bdate1904=[\"'](?:1|true)[\"']")
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
    _say({"since_1904": _since_1904(content)})
    for sheet in workbook.sheets_metadata:
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        hidden = sheet.visible is not SheetVisibleEnum.Visible
        held = None if hidden else workbook.get_sheet_by_name(sheet.name)
        merged = _Merged(held.merged_cell_ranges or [] if held else [])
        _say({"sheet": sheet.name, "hidden": hidden, "merged": merged.count})
        if held is None:
            continue
        rows = 0
        for number, row in enumerate(held.iter_rows(), start=1):
            record = [_text(value)[: most["cell"] + 1] for value in row]
            own = [place for place, cell in enumerate(record) if cell.strip()]
            merged.fill(number - 1, record)
            while record and not record[-1]:
                record.pop()
            if not own:
                continue
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


class _Merged:
    """The merged areas of a sheet: (first row, column), (last row, column), from 0."""

    def __init__(self, ranges: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        self.count = len(ranges)
        self._later = sorted(ranges, reverse=True)
        self._open: list[tuple[int, int, int, str]] = []

    def fill(self, number: int, record: list[str]) -> None:
        """Fill the other cells of each area in this row from its first cell."""
        self._open = [area for area in self._open if area[0] >= number]
        while self._later and self._later[-1][0][0] <= number:
            (top, left), (bottom, right) = self._later.pop()
            if top == number and left < len(record) and record[left]:
                self._open.append((bottom, left, right, record[left]))
        for _, left, right, text in self._open:
            for place in range(left, min(right + 1, len(record))):
                record[place] = record[place] or text


def _since_1904(content: bytes) -> bool:
    """Return True if the workbook counts its days from 1904."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("xl/workbook.xml") as part:
        return bool(SINCE_1904.search(part.read(HEAD)))


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
