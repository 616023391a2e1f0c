"""Units from a table: read line by line, added all or none, read again without a change."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from governance.models import Entry, Unit
from governance.organisation import actions, unit_import
from governance.organisation.table_lines import KNOWN
from governance.permission_result import Refused
from governance.tables.reader import Table, read_table

pytestmark = pytest.mark.django_db
TABLE = """Name;Code;Part of
Field service;field;Operations
Operations;ops;
North;;field
Sales & service;;
"""


def table_of(text: str) -> Table:
    return read_table(text.encode())


def problems(text: str) -> dict[int, str]:
    """What is wrong, by line."""
    return {
        line.number: " ".join(line.problems)
        for line in unit_import.read(table_of(text)).lines
        if line.problems
    }


def test_units_come_in_below_each_other_whatever_their_order(cast):
    table = actions.add_units(table=table_of(TABLE), by=cast.admin)
    assert table.changes == 4
    found = Unit.objects.filter(code__in=["ops", "field", "north", "sales-service"])
    assert dict(found.values_list("code", "path")) == {
        "ops": "/ops/",
        "field": "/ops/field/",
        "north": "/ops/field/north/",
        "sales-service": "/sales-service/",
    }
    assert Entry.objects.filter(kind="unit added", actor_id=cast.admin.pk).count() >= 4
    again = actions.add_units(table=table_of(TABLE), by=cast.admin)
    assert (again.changes, len(again.of(KNOWN))) == (0, 4)


def test_a_table_may_go_below_what_is_here(cast):
    actions.add_units(table=table_of(f"name,parent\nThird line,{cast.unit.code}\n"), by=cast.admin)
    assert Unit.objects.get(name="Third line").parent == cast.unit


def test_a_wrong_line_says_how_it_is_fixed_and_nothing_is_added(cast):
    before = Unit.objects.count()
    text = (
        "name,code,parent\n"
        "One,one,two\n"
        "Two,two,one\n"
        ",empty,\n"
        "=Sum,sum,\n"
        "Other,bad code,\n"
        "Lost,lost,nowhere\n"
        f"Another name,{cast.unit.code},\n"
        "Twice,twice,\n"
        "Twice again,twice,\n"
        "Below,below,lost\n"
    )
    found = problems(text)
    assert "circle" in found[2]
    assert "circle" in found[3]
    assert "name is missing" in found[4]
    assert "begins with '='" in found[5]
    assert "to use the name" in found[6]
    assert "Unit 'nowhere' does not exist" in found[7]
    assert "Choose another code" in found[8]
    assert 9 not in found
    assert "Line 9 already has the same unit" in found[10]
    assert "line 7. First fix that line" in found[11]
    with pytest.raises(ValidationError, match="No line was imported"):
        actions.add_units(table=table_of(text), by=cast.admin)
    assert Unit.objects.count() == before


def test_no_table_is_no_table(cast):
    for text in ("name,code\n", "code,parent\na,b\n", "name,unit\na,b\n"):
        with pytest.raises(ValidationError):
            unit_import.read(table_of(text))
    with pytest.raises(Refused):
        actions.add_units(table=table_of(TABLE), by=cast.chair)


def test_the_page_shows_first_and_takes_a_workbook(cast, as_):
    client, url = as_(cast.admin), reverse("units-from-table")
    assert client.get(reverse("units")).content.decode().count(url) == 1
    assert as_(cast.chair).get(url).status_code == 403
    workbook = Workbook()
    workbook.active.append(["Name", "Parent"])
    workbook.active.append(["Repairs", "Depots"])
    workbook.active.append(["Depots", None])
    content = io.BytesIO()
    workbook.save(content)
    shown = client.post(url, {"file": SimpleUploadedFile("units.xlsx", content.getvalue()), "step": "look"})
    assert "The table can be imported." in shown.content.decode()
    assert not Unit.objects.filter(name="Repairs").exists()
    text = shown.context["form"].initial["text"]
    assert client.post(url, {"text": text, "step": "enter"}).status_code == 302
    assert Unit.objects.get(name="Repairs").parent.name == "Depots"
    wrong = client.post(url, {"text": "name,parent\nA,nowhere\n", "step": "enter"})
    assert "One line needs fixing" in wrong.content.decode()
    assert "A,nowhere" in wrong.content.decode()


def test_a_cell_with_a_hidden_character_is_refused_with_the_character(cast):
    found = problems("Name;Code;Part of\nField\u200b service;field;\nNorth;no\u202erth;\n")
    assert (
        "The name cannot be used. The text contains a character that readers cannot see: U+200B" in found[2]
    )
    assert "The code cannot be used." in found[3]


def test_a_chain_of_units_is_ordered_however_long_it_is(cast):
    text = "name,parent\n" + "".join(f"Level {n},Level {n + 1}\n" for n in range(1_500)) + "Level 1500,\n"
    ordered = unit_import.read(table_of(text)).in_order()
    assert [line.name for line in ordered] == [f"Level {n}" for n in reversed(range(1_501))]


def test_two_columns_that_say_the_same_are_refused_by_name(cast):
    with pytest.raises(ValidationError, match="“Unit” and “Department” mean the same"):
        unit_import.read(table_of("Unit,Department,Code\nSales,Retail,sales\n"))
