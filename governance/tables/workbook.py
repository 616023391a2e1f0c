"""The sheets of a workbook as lines of JSON: a program of its own, which `reader` runs and which imports nothing here.

The library holds a sheet as a rectangle from its first cell to its last: a file of three kilobytes with a cell in each
corner makes it ask for half a terabyte, and the library then ends its process. So it gets one with little memory and
time. Formulas are the values that were saved with them, cells with an error are blank.
"""

import io
import json
import resource
import sys
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

TOO_MUCH = 2  # how the process ends where Python itself runs out of memory


def main(content: bytes, most: dict[str, int]) -> None:
    """Print what is in the workbook: a line for each sheet, and below it one for each row with something in it.

    `most`: memory, seconds, rows, columns, cells, cell (letters of one) and letters (of all). What passes one of the
    bounds is said just so far that `reader` sees that it does, and nothing after it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (most["seconds"], most["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (most["memory"], most["memory"]))
    cells = letters = 0
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for sheet in book.sheets_metadata:
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        hidden = sheet.visible is not SheetVisibleEnum.Visible
        _say({"sheet": sheet.name, "hidden": hidden})
        if hidden:
            continue
        rows = 0
        for number, row in enumerate(book.get_sheet_by_name(sheet.name).iter_rows(), start=1):
            record = [_text(value)[: most["cell"] + 1] for value in row]
            while record and not record[-1]:
                record.pop()
            if not any(cell.strip() for cell in record):
                continue
            rows, cells, letters = rows + 1, cells + len(record), letters + sum(map(len, record))
            _say([number, record[: most["columns"] + 1]])
            over = rows > most["rows"] or len(record) > most["columns"] or cells > most["cells"]
            if over or letters > most["letters"]:
                return


def _say(what: dict[str, Any] | list[Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")


def _text(value: object) -> str:
    """A cell as text: whole numbers without a point, days as their midnight."""
    if isinstance(value, str):
        return value.replace("\r", "").replace("\x00", "")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"{value.isoformat()} 00:00:00"  # rows are known again by their text, which has long been this
    return str(value)


if __name__ == "__main__":
    try:
        main(sys.stdin.buffer.read(), json.loads(sys.argv[1]))
    except MemoryError:
        sys.exit(TOO_MUCH)
    except CalamineError as trouble:
        _say({"wrong": type(trouble).__name__})
