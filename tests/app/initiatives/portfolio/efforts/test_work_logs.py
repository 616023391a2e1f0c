"""Work logs of an issue tracker, and what its tables leave open: asked once per file, never guessed silently."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from governance import clock
from governance.tables.reader import delimiter_of, read_table
from initiatives.models import Effort, SystemImportMapping
from initiatives.portfolio.efforts.effort_cells import log_of
from initiatives.portfolio.efforts.effort_import import (
    GUIDE,
    How,
    guessed,
    headers_of,
    log_columns,
    questions,
    read,
)
from tests.app.initiatives.portfolio.efforts.test_effort_views import enter, send, states
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of
from tests.support.paths import EFFORTS

pytestmark = pytest.mark.django_db

JIRA = (EFFORTS / "jira_work_logs.csv").read_text()
TODAY = date(2026, 11, 25)
EXPECTED = [
    ("AB-1", "a.lund", "6 October 2026", "3"),
    ("AB-1", "b.roth", "7 October 2026", "2"),
    ("AB-1", "a.lund", "14 October 2026", "1.50"),
    ("AB-2", "c.vega (unknown)", "21 October 2026", "4"),
    ("AB-3", "", "20 November 2026", "2"),
]


def table_of(rows: list[list[str]]):
    """The table of these rows, written as trackers write theirs."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return read_table(text.getvalue().encode())


@pytest.fixture
def crew():
    """Two of the three authors of the export; c.vega has no account here."""
    return [
        factories.make_person(login, full_name=name)
        for login, name in (("a.lund", "Ada Lund"), ("b.roth", "Bo Roth"))
    ]


@pytest.fixture
def later():
    """A day after the days of the export."""
    with clock.simulated(max(clock.now(), clock.now().replace(year=2027))):
        yield


def test_each_work_log_is_one_entry_with_its_author_day_and_time(later, cast, as_, crew):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    answer = send(client, initiative, JIRA)
    lines = [line.cells for line in answer.context["look"].lines]
    assert [(what[:4], author, day, hours) for day, author, _, hours, *_, what in lines] == EXPECTED
    assert states(answer) == {"new": 5}
    text = text_of(answer)
    assert "1 without a work log (week guessed from the day of the last change)" in text
    assert "The week is guessed from “Updated”, the day of the last change." in text
    assert "“c.vega” does not clearly match an account. Choose the person." in text
    assert "“a.lund” does not clearly match an account" not in text
    assert 'value="enter"' not in answer.content.decode(), "no button leads to a refusal"

    refused = enter(client, initiative, answer, author_0="")
    assert not Effort.objects.exists()
    assert "“c.vega” does not clearly match an account. Choose the person." in text_of(refused)
    assert "matches no active person, or several" in text_of(
        enter(client, initiative, answer, author_0="stranger")
    )
    assert enter(client, initiative, answer, author_0="-").status_code == 302
    rows = initiative.efforts.order_by("pk").values_list("worked_by__login", "worked_on", "hours")
    assert list(rows) == [
        ("a.lund", date(2026, 10, 6), Decimal(3)),
        ("b.roth", date(2026, 10, 7), Decimal(2)),
        ("a.lund", date(2026, 10, 14), Decimal("1.5")),
        (None, date(2026, 10, 21), Decimal(4)),
        (None, None, Decimal(2)),
    ]
    assert [
        week.isoformat() for week in initiative.efforts.order_by("pk").values_list("week", flat=True)
    ] == [*("2026-10-05", "2026-10-05", "2026-10-12", "2026-10-19", "2026-11-16")]
    assert initiative.efforts.filter(words__contains="week guessed from “Updated”").count() == 1
    assert not any("vega" in str(kept.columns) for kept in SystemImportMapping.objects.all()), (
        "who it is, is not kept"
    )

    again = send(client, initiative, JIRA)
    assert states(again) == {"same": 5}
    enter(client, initiative, again)
    assert initiative.efforts.count() == 5


def test_a_guess_and_the_work_logs_of_its_issue_never_count_both(later, cast, as_, crew):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    head, first, _, third = JIRA.splitlines(keepends=True)
    enter(client, initiative, send(client, initiative, head + third), unit="seconds")
    moved = third.replace("20/Nov/26", "02/Dec/26")
    assert states(send(client, initiative, head + moved)) == {"differs": 1}, (
        "a later change is not another piece of work"
    )
    logged = third.replace(",7200,,,", ",7200,;20/Oct/26 9:00 AM;b.roth;7200,,")
    answer = send(client, initiative, head + logged)
    assert states(answer) == {"differs": 1}
    enter(client, initiative, answer, replace="on")
    assert initiative.efforts.current().get().worked_on == date(2026, 10, 20)
    assert states(send(client, initiative, head + third)) == {"withdrawn": 1}
    other = third.replace("7200", "9000")
    assert states(send(client, initiative, head + other + first)) == {"wrong": 1, "new": 3}
    assert "The work logs of this issue were imported earlier" in text_of(
        send(client, initiative, head + other)
    )


def test_who_an_author_is_can_be_said(later, cast, as_, crew):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    enter(client, initiative, send(client, initiative, JIRA), author_0=cast.steward.full_name)
    assert initiative.efforts.get(hours=4).worked_by == cast.steward


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        (";06/Oct/26 10:00 AM;a.lund;10800", ("", "06/Oct/26 10:00 AM", "a.lund", 10800)),
        ('a; b; "c"\nd;2026-10-06 09:12;x y;60', ('a; b; "c" d', "2026-10-06 09:12", "x y", 60)),
        ("06.10.2026 09:12;557058:ab-c;60", ("", "06.10.2026 09:12", "557058:ab-c", 60)),
        (";;" * 1000 + ";1/2/26;x;5", (";;" * 1000, "1/2/26", "x", 5)),
        ("no log", None),
        ("a;b;c;d", None),
        (";06/Oct/26;;60", None),
        (";06/Oct/26;x;-60", None),
        (f";06/Oct/26;x;{'9' * 40}", None),
    ],
)
def test_a_work_log_is_taken_apart_from_the_right(cell, parts):
    log = log_of(cell)
    assert (log and (log.comment, log.day, log.author, log.seconds)) == parts


def test_semicolons_quotes_and_line_breaks_of_comments_survive_the_file():
    comment = 'first; "second",\nthird'
    logs = [f"{comment};2026-10-0{day} 09:12;a.lund;3600" for day in (1, 2, 3)]
    rows = [["Summary", "Issue key", "Time Spent", *["Log Work"] * 3]]
    rows += [["Do it", f"AB-{number}", "10800", *logs] for number in range(9)]
    table = table_of(rows)
    assert log_columns(table) == ["Log Work", "Log Work (2)", "Log Work (3)"]
    found = read(table, guessed(table), TODAY)
    assert len(found) == 27
    assert {line.hours for line in found} == {Decimal(1)}
    assert found[0].words == 'AB-0: Do it: first; "second", third'
    assert headers_of(table) == headers_of(table_of([row[:-1] for row in rows]))


def test_marks_inside_cells_part_no_columns():
    row = "Do it,AB-1,{},;2026-10-01;a;60,;2026-10-02;a;60,;2026-10-03;a;60"
    text = "\n".join(["Summary,Key,Time,Log Work,Log Work,Log Work", *(row.format(n) for n in range(50))])
    assert delimiter_of(text) == ","


@pytest.mark.parametrize("days", [("03/04/2026", "05/06/2026"), ("3/4/26 9:12 AM", "5/6/26 1:00 PM")])
def test_days_that_can_mean_two_things_are_asked_once(later, cast, as_, days):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    text = "Summary,Key,Log Work,Log Work\n" + f"Do,A-1,;{days[0]};x;3600,;{days[1]};x;3600\n"
    answer = send(client, initiative, text)
    first = days[0].removesuffix(" 9:12 AM")
    assert f"{first}" in answer.context["look"].asked[0]
    assert "can be 4 March 2026 or 3 April 2026. Choose" in answer.context["look"].asked[0]
    assert states(answer) == {"wrong": 2}
    refused = enter(client, initiative, answer)
    assert "Choose the date format of this file" in refused.context["look"].mapping.errors["dates"][0]
    assert not Effort.objects.exists()
    enter(client, initiative, answer, dates="dmy")
    assert set(initiative.efforts.values_list("worked_on", flat=True)) == {date(2026, 4, 3), date(2026, 6, 5)}


def test_one_day_beyond_doubt_answers_for_the_file():
    text = "Summary,Key,Log Work,Log Work\nDo,A-1,;3/4/2026 9:12;x;3600,;13/4/2026 9:12;x;3600\n"
    table = read_table(text.encode())
    how = guessed(table)
    assert (how.dates, questions(table, how)) == ("dmy", {})
    assert [line.day for line in read(table, how, TODAY)] == [date(2026, 4, 3), date(2026, 4, 13)]


def test_a_unit_and_a_decimal_mark_that_nothing_tells_are_asked(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.lead)
    text = "Key,Date,Time Spent,Cost,Currency\nA-1,2024-11-04,2,1.250,EUR\nA-2,2024-11-04,3,7,EUR\n"
    answer = send(client, initiative, text)
    assert set(questions(read_table(text.encode()), guessed(read_table(text.encode())))) == {
        "unit",
        "decimals",
    }
    refused = enter(client, initiative, answer, unit="days")
    assert set(refused.context["look"].mapping.errors) == {"decimals"}
    assert "“1.250” can be 1.25 or 1,250" in text_of(refused)
    enter(client, initiative, answer, unit="days", decimals=",")
    assert [(row.hours, row.money) for row in initiative.efforts.order_by("pk")] == [(16, 1250), (24, 7)]


def test_time_spent_counts_in_seconds_only_if_work_logs_prove_it():
    row = "Do,A-{},2024-11-04,{},{}\n"
    head = "Summary,Key,Updated,Time Spent,Log Work\n"
    for spent, unit in (("3600", "seconds"), ("60", ""), ("1h", "")):
        table = read_table((head + row.format(1, spent, ";2024-11-04;x;3600")).encode())
        assert guessed(table).unit == unit
    table = read_table((head + row.format(1, "7200", ";2024-11-04;x;3600")).encode())
    how = How(guessed(table).columns, unit="seconds")
    assert "2.00 h, but its work logs add up to 1.00 h" in read(table, how, TODAY)[0].remarks[0]


@pytest.mark.parametrize(
    ("text", "unit", "author"),
    [
        ("Issue Key,Hours,Work date,Full name\nA-1,1.5,2024-11-04,X Y\n", "hours", "X Y"),  # Tempo
        ("Date,Client,Task,Notes,Hours,Currency\n2024-11-04,C,T,N,1.5,EUR\n", "hours", ""),  # Harvest
        ("User,Description,Start date,Duration\nX Y,N,2024-11-04,01:30:00\n", "", "X Y"),  # Toggl
    ],
)
def test_other_exports_are_read_without_a_question_where_nothing_is_open(text, unit, author):
    table = read_table(text.encode())
    how = guessed(table)
    assert (how.unit, questions(table, how)) == (unit, {})
    (line,) = read(table, how, TODAY)
    assert (line.hours, line.day, line.problems) == (Decimal("1.5"), date(2024, 11, 4), ())
    assert line.author == author


@pytest.mark.parametrize(
    ("header", "cells", "field"),
    [
        ("Cost team", ["Retail", "Logistics"], "money"),
        ("Date code", ["waits for legal", "waits for sales"], "date"),
    ],
)
def test_a_column_is_not_guessed_if_its_cells_are_something_else(header, cells, field):
    table = table_of([["Key", "Hours", header], *[[f"A-{n}", "2", cell] for n, cell in enumerate(cells)]])
    assert GUIDE.guess(table.columns, {})[field] == header, "by its header it would be"
    assert field not in guessed(table).columns
