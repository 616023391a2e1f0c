"""Effort from a plain table: each line as it is read, all new lines at once or none, nothing twice."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.organisation.table_lines import KNOWN, NEW, WRONG
from governance.permission_result import Refused
from governance.tables.reader import read_table
from initiatives.models import Effort
from initiatives.portfolio.efforts import actions
from initiatives.portfolio.efforts.effort_table import EXAMPLE, read
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at

pytestmark = pytest.mark.django_db

HEAD = "Date,Hours,Layer,Person,Description\n"
WORK = HEAD + (
    "2024-11-04,2.5,Integration,{person},Map the customer field\n"
    "2024-11-05,1:30,policy,,Terms\n"
    "2024-11-05,1:30,policy,,Terms\n"
)


def look_of(initiative, text: str):
    return read(read_table(text.encode()), initiative)


def test_a_table_is_shown_and_each_line_enters_once(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    page, text = at("effort-import", initiative.ref), WORK.format(person=cast.lead.login)

    def send(text):
        return client.post(page, {"file": SimpleUploadedFile("work.csv", text.encode())})

    def enter(answer):
        return client.post(page, {"text": answer.context["form"]["text"].value(), "step": "enter"})

    answer = send(text)
    assert answer.context["look"].entering == 3
    assert not Effort.objects.exists(), "nothing enters before somebody says so"
    with acts() as kinds:
        assert enter(answer).status_code == 302
    assert kinds == ["efforts imported"]
    rows = list(initiative.efforts.order_by("pk"))
    assert [(row.layer, row.hours, row.worked_on, row.worked_by) for row in rows] == [
        ("integration", Decimal("2.5"), date(2024, 11, 4), cast.lead),
        ("policy", Decimal("1.5"), date(2024, 11, 5), None),
        ("policy", Decimal("1.5"), date(2024, 11, 5), None),
    ]
    assert {row.week for row in rows} == {date(2024, 11, 4)}
    assert not any(cast.lead.login in row.source_key for row in rows)
    assert all(row.history.count() == 1 for row in rows)
    again = send(text + "2024-11-06,1,model,,Prompts\n").context["look"]
    assert [line.fate for line in again.lines] == ["already exists"] * 3 + ["is added"]


def test_durations_over_a_day_in_a_workbook_are_hours(cast, as_):
    initiative, workbook = factories.make_mvp(cast), openpyxl.Workbook()
    workbook.active.append(["Day", "Hours", "Layer"])
    for row, days in enumerate((30.5 / 24, 7.75 / 24, 1, 0.25 / 24), start=2):
        workbook.active.append([date(2024, 11, row), days, "runtime"])
        workbook.active.cell(row, 2).number_format = "[h]:mm"
    written = io.BytesIO()
    workbook.save(written)
    page = at("effort-import", initiative.ref)
    answer = as_(cast.lead).post(page, {"file": SimpleUploadedFile("work.xlsx", written.getvalue())})
    form = answer.context["form"]
    as_(cast.lead).post(page, {"text": form["text"].value(), "step": "enter"})
    hours = initiative.efforts.order_by("worked_on").values_list("hours", flat=True)
    assert list(hours) == [Decimal("30.5"), Decimal("7.75"), Decimal(24), Decimal("0.25")]


def test_the_example_of_the_page_can_be_imported(cast):
    initiative = factories.make_mvp(cast)
    today = read_table(EXAMPLE.replace("2026-11", "2024-11").encode())
    assert [line.problems for line in read(today, initiative).lines] == [[], []]


def test_a_line_that_was_withdrawn_stays_withdrawn(cast):
    initiative = factories.make_mvp(cast)
    table = read_table(WORK.format(person="").encode())
    actions.import_efforts(initiative=initiative, table=table, file_name="work.csv", by=cast.lead)
    row = initiative.efforts.get(layer="integration")
    actions.withdraw_effort(effort=row, reason="Another initiative.", by=cast.lead)
    lines = actions.import_efforts(initiative=initiative, table=table, file_name="work.csv", by=cast.lead)
    assert len(lines.of(KNOWN)) == 3
    assert "withdrawn" in lines.lines[0].remarks[0]
    assert initiative.efforts.count() == 3


def test_one_wrong_line_keeps_the_table_out_and_only_members_import(cast):
    initiative = factories.make_mvp(cast)
    right, wrong = (
        read_table((HEAD + line).encode()) for line in ("2024-11-04,1,model,,\n", "x,1,model,,\n")
    )
    with pytest.raises(ValidationError):
        actions.import_efforts(initiative=initiative, table=wrong, file_name="work.csv", by=cast.lead)
    with pytest.raises(Refused):
        actions.import_efforts(initiative=initiative, table=right, file_name="work.csv", by=cast.chair)
    assert not Effort.objects.exists()


@pytest.mark.parametrize(
    ("cell", "hours"),
    [
        ("2.5", "2.5"),
        ("2,5", "2.5"),
        ("2h30", "2.5"),
        ("1h 30m", "1.5"),
        ("30:30", "30.5"),
        ("90 min", "1.5"),
        ("2d 4h", "20"),
        ("1.250", None),
        ("0", None),
        ("-3", None),
        ("NaN", None),
        ("99999999", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_hours_are_read_as_people_write_them_or_asked_about(cast, cell, hours):
    (line,) = look_of(factories.make_mvp(cast), f'{HEAD}2024-11-04,"{cell}",model,,\n').lines
    assert line.hours == (Decimal(hours) if hours else None)
    assert bool(line.problems) != bool(hours)


@pytest.mark.parametrize(
    ("heading", "cell", "hours"),
    [
        ("Duration (min)", "90", "1.5"),
        ("Aufwand (PT)", "1,5", "12"),
        ("Dauer [Std.]", "90", "90"),
        ("Duration (min)", "2 h", "2"),
        ("Duration", "2:30", None),
        ("Duration", "2:30:00", "2.5"),
        ("Duration", "90", None),
        ("Hours (min)", "90", None),
        ("Duration (min)", "1:30", None),
    ],
)
def test_the_unit_of_the_heading_is_that_of_its_numbers(cast, heading, cell, hours):
    text = f'Date,{heading},Layer\n2024-11-04,"{cell}",model\n'
    (line,) = look_of(factories.make_mvp(cast), text).lines
    assert line.hours == (Decimal(hours) if hours else None)
    assert bool(line.problems) != bool(hours)


def test_other_hours_of_the_column_do_not_decide(cast):
    lines = look_of(
        factories.make_mvp(cast), f'{HEAD}2024-11-04,"1,250",model,,\n2024-11-04,"2,5",model,,\n'
    ).lines
    assert [(line.hours, bool(line.problems)) for line in lines] == [(None, True), (Decimal("2.5"), False)]


@pytest.mark.parametrize(
    "line",
    [
        "2099-01-01,1,model,,",
        "1890-01-01,1,model,,",
        "03/04/2024,1,model,,",
        ",1,model,,",
        "2024-11-04,1,cellar,,",
        "2024-11-04,1,,,",
        "2024-11-04,1,model,nobody here,",
        "2024-11-04,1,model,,=HYPERLINK(1)",
        "2024-11-04,1,model,,a,b",
        f"2024-11-04,1,model,,{'x' * 251}",
    ],
)
def test_a_cell_that_cannot_be_kept_is_named_at_its_line(cast, line):
    lines = look_of(factories.make_mvp(cast), f"{HEAD}{line}\n2024-11-04,1,model,,fine\n")
    assert [one.state for one in lines.lines] == [WRONG, NEW]
