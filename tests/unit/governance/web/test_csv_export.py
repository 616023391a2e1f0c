"""Tables that a spreadsheet opens without running anything, in whatever settings it parts cells."""

import csv
import io
import itertools

import pytest

from governance.audit_log.csv_export import safe, unquoted

STARTERS = "=+-@"


def cells(text: str, separator: str) -> list[str]:
    """What a spreadsheet of other settings makes of a line: it parts at its own sign, a quote inside is a letter."""
    line = io.StringIO()
    csv.writer(line).writerow(["first", text, "last"])
    return [
        cell.strip().strip('"').strip()
        for row in line.getvalue().splitlines()
        for cell in row.split(separator)
    ]


@pytest.mark.parametrize("separator", [";", "\t", ","])
@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "x;=HYPERLINK(1)",
        "x\n=1+1",
        "x\r\n@SUM(1)",
        "x\t+1",
        'x;"=1+1',
        'x; " -2+3',
        "x;\uff1d1",
        "a;b;=c",
    ],
)
def test_no_cell_begins_like_a_formula(text, separator):
    """Attack L4: where cells end at semicolons (German, French and Swiss settings) the second half was a formula."""
    assert not [cell for cell in cells(safe(text), separator) if cell.startswith((*STARTERS, "\uff1d"))]


@pytest.mark.parametrize("text", ["a;b", "one\ntwo", "5 = 5", "a; b-c", "mail@example.org", ""])
def test_other_words_stay_as_they_are(text):
    assert safe(text) == text


def test_every_cell_of_separators_and_starters_is_read_back_as_it_was():
    for length in range(1, 6):
        for letters in itertools.product(";\t\n \"'=a", repeat=length):
            for text in ("".join(letters), f"x{''.join(letters)}"):
                assert unquoted(safe(text)) == text
