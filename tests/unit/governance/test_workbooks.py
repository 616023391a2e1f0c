"""Workbooks as a person sees them."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment

from governance.tables.reader import read_table
from tests.support.input.hostile_files import archive as archive_of
from tests.support.paths import FAULTY_FILES


def test_durations_over_a_day_are_read_in_hours():
    table = read_table((FAULTY_FILES / "13-hours-over-a-day" / "05-hours.xlsx").read_bytes())
    assert [line.cells["Time spent"] for line in table.lines] == [
        "30:30:00",
        "7:45:00",
        "24:00:00",
        "0:15:00",
    ]


def saved(workbook: openpyxl.Workbook) -> bytes:
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def a_portfolio() -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Portfolio"
    for row in (
        ["Initiative", "Vendor", "Budget"],
        ["One", "Acme", 1],
        ["Two", "Bolt", 2],
        ["Three", "Core", 3],
    ):
        sheet.append(row)
    return workbook


def refusal_of(content: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        read_table(content)
    (said,) = refused.value.messages
    return said


def remarks_of(workbook: openpyxl.Workbook) -> str:
    return " ".join(read_table(saved(workbook)).remarks)


def test_formulas_without_a_saved_result_are_named_and_not_imported_as_empty():
    content = (FAULTY_FILES / "10-formulas" / "01-formulas.xlsx").read_bytes()
    refusal = refusal_of(content)
    assert refusal.values == ("Portfolio", "E2, A3")
    assert "save it and upload it again" in refusal


def test_saved_results_of_formulas_are_read():
    content = (FAULTY_FILES / "10-formulas" / "01-formulas.xlsx").read_bytes()
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[sheet] = parts[sheet].replace(b"<f>40000*3</f>", b"<f>40000*3</f><v>120000</v>")
    parts[sheet] = (
        parts[sheet]
        .replace(b'triage"</f>', b'triage"</f><v>Mailroom triage</v>')
        .replace(b'<c r="A3">', b'<c r="A3" t="str">')
    )
    lines = read_table(archive_of(parts)).lines
    assert [(line.cells["Initiative"], line.cells["Budget"]) for line in lines] == [
        ("Claims letter helper", "120000"),
        ("Mailroom triage", "80000"),
        ("Depot forecast", "55000"),
    ]


def test_a_result_of_zero_that_no_program_counted_is_none():
    workbook = a_portfolio()
    workbook.active["C2"] = "=1+1"
    content = saved(workbook)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = (
        parts[sheet]
        .replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>0</v>")
        .replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>0</v>")
    )
    assert b"<v>0</v>" in parts[sheet]
    assert refusal_of(archive_of(parts)).values == ("Portfolio", "C2")


def test_a_sheet_of_formulas_alone_is_refused_for_them():
    workbook = openpyxl.Workbook()
    workbook.active.append(["Initiative", "Budget"])
    workbook.active.append(["=1", "=2"])
    assert refusal_of(saved(workbook)).values[1] == "A2, B2"


def test_hidden_rows_and_columns_are_said():
    workbook = a_portfolio()
    workbook.active.row_dimensions[3].hidden = True
    workbook.active.column_dimensions["B"].hidden = True
    workbook.active.column_dimensions["G"].hidden = True  # without a cell
    said = remarks_of(workbook)
    assert "rows were read: 3." in said
    assert "columns were read: B." in said


def test_cells_with_an_error_are_said():
    workbook = a_portfolio()
    workbook.active["C3"] = "#DIV/0!"
    workbook.active["C3"].data_type = "e"
    assert "C3 (#DIV/0!)" in remarks_of(workbook)


def test_comments_pictures_and_other_sheets_are_said():
    workbook = a_portfolio()
    assert remarks_of(workbook) == ""
    workbook.active["A2"].comment = Comment("Stopped in May", "Ada")
    chart = BarChart()
    chart.add_data(Reference(workbook.active, min_col=3, min_row=1, max_row=4))
    workbook.active.add_chart(chart, "F2")
    workbook.create_sheet("Notes").append(["Only one line"])
    workbook.create_sheet("Empty")
    said = remarks_of(workbook)
    assert "Comments" in said
    assert "charts" in said
    assert "and not Notes." in said


def test_a_number_that_rows_share_is_left_out_by_name_and_words_and_days_are_those_of_each_row():
    workbook = a_portfolio()
    sheet = workbook.active
    sheet["B2"], sheet["C2"] = "Acme", 90_000
    sheet.append(["Four", "Dorn", datetime(2026, 3, 4)])
    sheet.append(["Five", "Ekko", None])
    for area in ("B2:B4", "C2:C4", "C5:C6"):
        sheet.merge_cells(area)
    table = read_table(saved(workbook))
    assert [(line.cells["Vendor"], line.cells["Budget"]) for line in table.lines] == [
        *[("Acme", "")] * 3,
        ("Dorn", "2026-03-04 00:00:00"),
        ("Ekko", "2026-03-04 00:00:00"),
    ]
    assert any("C2" in remark for remark in table.remarks)
