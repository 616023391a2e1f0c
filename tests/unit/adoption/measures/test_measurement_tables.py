"""Figures in tables of measurements: one number, or refused with both that they can be."""

from datetime import date

import pytest

from adoption.measurements.measurement_validation import Asked, Sent, wrong_with
from adoption.measurements.table_import import read_rows
from governance.tables.reader import read_table


def rows(cells: list[tuple[str, str]]):
    lines = "".join(f'Speed,2026-01-01,2026-01-31,"{n}","{value}"\n' for n, value in cells)
    table = read_table(f"measure,from,to,n,value\n{lines}".encode())
    return read_rows(table, {1: Asked(1, "Speed", "Speed", share=False, weekly=True)})


@pytest.mark.parametrize(
    ("cells", "n", "value"),
    [
        ([("1204", "12.5")], 1204, 12.5),
        ([("1,204", "12.5")], 1204, 12.5),
        ([("1.204", "12,5")], 1204, 12.5),
        ([("30", "0.125")], 30, 0.125),
    ],
)
def test_figures_with_one_reading_are_read(cells, n, value):
    sent = rows(cells)[0].sent
    assert sent is not None
    assert (sent.n, sent.value) == (n, value)


@pytest.mark.parametrize("cells", [[("2,000", "")], [("2.000", "")], [("30", "12.345"), ("30", "1.5")]])
def test_a_figure_that_can_be_two_is_refused_with_both(cells):
    row = rows(cells)[0]
    assert row.sent is None
    assert "can mean" in row.fate.words


@pytest.mark.parametrize(("time", "state"), [(True, "wrong"), (False, None)])
def test_a_time_is_not_negative_and_a_difference_may_be(time, state):
    day = date(2026, 1, 5)
    sent = Sent(1, day, day, n=30, key="one", value=-4.5, sd=1.0)
    found = wrong_with(sent, Asked(1, "burden.time", "Time", share=False, weekly=False, time=time), day)
    assert (found and found.state) == state
