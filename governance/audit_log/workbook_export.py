"""The same tables as workbooks: cells are what the CSV file holds, typed, and no formula ever."""

import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import openpyxl
from django.http import HttpResponse
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from governance.audit_log import csv_export

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_OF_A_CELL = 32_767  # letters that a cell of a workbook holds


def workbook(
    name: str, heading: Iterable[str], rows: Iterable[Iterable], *, of: str = "", by
) -> HttpResponse:
    """Return a workbook of one sheet, taken by `by`. `name` becomes the file's and the sheet's."""
    csv_export.taken(name, of=of, by=by)
    xlsx = openpyxl.Workbook(write_only=True)
    sheet = xlsx.create_sheet(name)
    sheet.freeze_panes = "A2"
    for row in (heading, *rows):
        sheet.append([_cell(sheet, value) for value in row])
    written = io.BytesIO()
    xlsx.save(written)
    response = HttpResponse(written.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = csv_export.file_name(name, "xlsx")
    response["Cache-Control"] = "private, no-store"
    return response


def _cell(sheet, value):
    """Return a number or a day unchanged, and others as the text in the CSV file."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    if type(value) is date:
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", str(csv_export.safe(value)))[:MOST_OF_A_CELL])
    cell.data_type = "s"
    return cell
