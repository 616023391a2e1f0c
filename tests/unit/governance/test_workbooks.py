"""Workbooks as a person sees them."""

from governance.tables.reader import read_table
from tests.support.paths import FAULTY_FILES


def test_durations_over_a_day_are_read_in_hours():
    table = read_table((FAULTY_FILES / "13-hours-over-a-day" / "05-hours.xlsx").read_bytes())
    assert [line.cells["Time spent"] for line in table.lines] == [
        "30:30:00",
        "7:45:00",
        "24:00:00",
        "0:15:00",
    ]
