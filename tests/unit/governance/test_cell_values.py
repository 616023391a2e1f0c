"""Cells that say nothing, lists, and days told by their number."""

import pytest

from governance.tables.cell_values import is_blank, list_as_text, serial_day
from governance.tables.reader import read_table


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "N/A", "n.a.", "[blank]", "(blank)", "Redacted", "[redacted]", "Not applicable", "---", "?", "…"),
        *("Nicht zutreffend", "keine Angabe", "k.A.", "n.v.t.", "s/o", "non applicable", "sin datos", "no aplica"),
        *("Não aplicável", "<NULL>"),
    ],
)  # fmt: skip
def test_what_hides_a_blank_is_one(text):
    assert is_blank(text)
    assert is_blank(text.upper())


@pytest.mark.parametrize(
    "text", ["0", "C", "No", "None", "unknown", "N/A - see below", "NASA", "ß", "[blank] form", "画"]
)
def test_what_says_something_is_none(text):
    assert not is_blank(text)


def test_lists_are_read_as_their_items():
    assert list_as_text('["a", "b, c", "N/A"]') == "a; b, c"
    assert list_as_text("['a', 'b']") == "a; b"
    assert list_as_text('["a", 2]') == "a; 2"
    for other in ("[draft] a", "[1, [2]]", '{"a": 1}', "[" * 50_000 + "]" * 50_000, "__import__('os')"):
        assert list_as_text(other) == other


def test_days_by_their_number():
    assert serial_day("45292") == serial_day("45292.75") == "2024-01-01"
    assert serial_day("43830", since_1904=True) == "2024-01-01"
    for other in ("2024", "4529", "99999", "452920", "45292 users", ""):
        assert serial_day(other) == ""


def test_cells_of_a_table_have_one_spelling():
    """The same words with accents apart, and a cell of two lines as Windows writes it."""
    table = read_table('Unit,Note\nZu\u0308rich,"a\r\nb"\nBern,c\n'.encode())
    assert list(table.lines[0].cells.values()) == ["Z\u00fcrich", "a\nb"]
