"""Damaged tables: refused with the line, left out by name, or marked at the row. No row is lost in silence."""

import pytest
from django.core.exceptions import ValidationError

from governance.tables.reader import read_table

HEAD = "Title,Owner,Status,Note\n"
ROWS = [
    "Route planner,Ana Ruiz,Live,three",
    "Fault triage,Bo Lind,Pilot,second",
    "Stock notes,Ana Ruiz,Live,last",
]


def table_of(*rows: str):
    return read_table((HEAD + "\n".join(rows) + "\n").encode())


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("line", range(3))
@pytest.mark.parametrize("closed", ["never", "by the next quoted cell"])
def test_a_mark_that_is_not_closed_is_refused_with_its_line(line, place, closed):
    rows = [row.split(",") for row in ROWS] + [["Last one", "Bo Lind", "Idea", "end"]]
    rows[line][place] = '"' + rows[line][place]
    if closed != "never":
        rows[3][1] = '"Bo Lind"'
    with pytest.raises(ValidationError, match=f"line {line + 2} cannot be read"):
        table_of(*map(",".join, rows))


def test_a_mark_that_closes_some_rows_later_is_told_at_its_row():
    swallowed = ROWS[0].replace("three", '"three') + "\n" + ROWS[1] + '"'
    one, other = table_of(swallowed, ROWS[2]).lines
    assert (one.number, bool(one.odd)) == (2, True)
    assert (other.number, other.odd) == (4, ())
    (fine,) = table_of('Route planner,Ana Ruiz,Live,"three\ndepots, and a yard"').lines
    assert not fine.odd


def test_a_second_header_and_totals_are_left_out_by_line():
    table = table_of(
        ROWS[0],
        HEAD.strip(),
        ROWS[1],
        "Total,,,2",
        "Total quality,Ana Ruiz,Live,",
        "Summe:,,,",
        "Gesamt,,,1.5",
    )
    assert [line.number for line in table.lines] == [2, 4, 6]
    assert [remark.rpartition(": ")[2] for remark in table.remarks] == ["3.", "5, 7, 8."]


@pytest.mark.parametrize(
    ("rows", "odd"),
    [
        (("a,b,c,d,e", "a,b,c", "a,b,c,d", "a,b,c,d,"), [True, True, False, True]),
        (("a,b,c,d,", "a,b,c,d,", "a,b,c,d"), [False, False, True]),
        (("a,b", "a,b"), [True, True]),
    ],
)
def test_a_row_with_more_or_fewer_cells_than_the_others_may_be_shifted(rows, odd):
    assert [bool(line.odd) for line in table_of(*rows).lines] == odd


@pytest.mark.parametrize("header", ["{1},{0},{2},{3}", "{3},{2},{1},", "{1},{0},,{2}"])
def test_a_second_header_in_another_order_is_refused_with_its_line(header):
    second = header.format(*HEAD.strip().split(","))
    with pytest.raises(ValidationError, match="Line 3"):
        table_of(ROWS[0], second, ROWS[1])
