"""The time of every pattern, and of every function that bounds its text, grows no faster than the text.

It measures time, so a busy machine can make it fail. A change in governance/tables, governance/files or another module
with a regular expression asks for it.
"""

import io
import re
import zipfile

import pytest

from governance.audit_log import csv_export
from governance.files import upload_policy
from governance.rulebook import source_positions
from governance.tables import cell_values, columns, workbook
from governance.tables.numbers import read_amount
from initiatives.portfolio.efforts.effort_cells import clocked
from initiatives.portfolio.imports.inventories import inventory_columns, stage_words
from initiatives.portfolio.imports.portfolio import people_matching
from tests.support.input.growing import MOST, SUFFIXES, growth, texts_of
from tests.support.input.patterns_in_use import found

# Patterns that are not linear, whose text the function that uses them bounds: that function is tried instead.
BOUNDED = {
    "initiatives/portfolio/efforts/effort_cells.py::clocked": clocked,
    "initiatives/portfolio/imports/inventories/stage_words.py::PILOT_NOT_BEGUN": stage_words.guess_stage,
}
# Functions that put a pattern together from parts, and why that is linear. Those of a module are seen at run time.
PUT_TOGETHER = {
    "adoption/postmortems/blame_check.py::_name": "words of a person's name, escaped",
    "governance/organisation/people_import.py::_check_cells": "a set of letters of ours",
    "governance/privacy/personal_data.py::spans": "words of a person, escaped, with blanks between",
    "governance/rulebook/source_positions.py::path_of": "a constant of the module, tried as a part of _NAMES",
    "governance/runtime/redaction.py::__init__": "own secrets, escaped",
    "governance/tables/columns.py::_likeness": "a word of ours, escaped",
    "governance/tables/columns.py::guess_columns": "patterns of ours, on a header",
    "governance/tables/columns.py::parse_date": "patterns of WRITTEN: parse_date is tried below",
    "governance/vocabulary/readable_text.py::_many_marks": "one set of marks, escaped: folded is tried below",
    "governance/web/form_fields.py::clean": "a set of separators",
    "initiatives/integration/pipelines/platforms.py::wrong_with": "a pattern of a platform's field, in this module",
    "initiatives/portfolio/imports/inventories/import_batch.py::_speaks_of": "a word of a cell, escaped",
}


@pytest.fixture(scope="module")
def patterns():
    """All patterns, and the places that put one together."""
    return found()


def _used(pattern, use: str):
    """The function that uses a pattern in this way, on one text, to its end."""
    if use in ("sub", "subn"):
        return lambda text: getattr(pattern, use)(text[:0], text)
    if use == "finditer":
        return lambda text: sum(1 for _ in pattern.finditer(text))
    return getattr(pattern, use)


def test_every_pattern_grows_at_most_linearly_with_its_text(patterns):
    worst, slow, tried, functions = (0.0, ""), [], 0, set()
    for one in patterns[0]:
        pattern = one.compiled()
        by_function = BOUNDED.get(one.place)
        for use in sorted(one.uses):
            call = _used(pattern, use)
            for begin, pump in texts_of(one.source, pattern.flags):
                for end in SUFFIXES:
                    parts = [begin, pump, end]
                    if isinstance(one.source, bytes):
                        parts = [part.encode("latin-1", "replace") for part in parts]
                    factor, tried = growth(call, *parts), tried + 1
                    if factor > MOST and by_function:
                        functions.add(one.place)
                        factor = growth(by_function, *parts)
                    worst = max(worst, (factor, f"{one.place} {use} {parts}"))
                    if factor > MOST:
                        slow.append(f"{one.place} {use} {parts}: {factor:.0f} times")
                        break
                if factor > MOST:
                    break
    print(
        f"{len(patterns[0])} patterns, {tried} texts; worst for eight times the text: {worst[0]:.1f} ({worst[1]})"
    )
    assert len(patterns[0]) > 150
    assert not slow, "\n".join(slow)
    assert functions == set(BOUNDED), "a pattern that is linear needs no bound: take it out of the list"


def test_every_pattern_that_is_put_together_is_looked_at(patterns):
    assert {place for place in patterns[1] if not place.endswith("::")} == set(PUT_TOGETHER)


def test_the_measure_finds_what_is_not_linear():
    assert growth(re.compile(r"x+@").search, "", "x", "y") > MOST
    assert growth(re.compile(r"(x|xx)+@").search, "", "x", "y") == float("inf")
    assert growth(re.compile(r"(?<!x)x+@").search, "", "x", "y") <= MOST
    assert ("", "x") in texts_of(r"x+@", 0)


MARKS = ("\u0301\u0323", "\u0323\u0301\u0334", "a\u0301", "\uac00\u0301")
FUNCTIONS = {
    "cell of an export": (csv_export.safe, ("\n", ";\t", '\r\n "', "' ")),
    "cell of our export read back": (csv_export.unquoted, ("\n'", ";'\t'", ";'", "' ")),
    "person of a cell": (people_matching.Directory([]).match, ("x", "x@", "@", "a.", "<")),
    "date": (columns.parse_date, ("T", " ", "1", "jan ", "1-")),
    "contact": (lambda text: inventory_columns._contact(text, "", []), ("x", "x@", "a.", "@")),
    "word of a cell": (cell_values.folded, MARKS),
    "name of an upload": (upload_policy.tidy_name, MARKS),
    "words of a name": (people_matching.words_of, MARKS),
    "stage": (stage_words.guess_stage, ("no ", "kein", "- ", "x", "a)")),
    "place in a rulebook": (source_positions.spans_of, ('"\\', '"', "a=[", "'", '"""', "a=1\n", "# \n")),
    "amount": (read_amount, (" ", "1,", "EUR ", "a")),
    "time spent": (clocked, (" ", "1", "1h")),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_functions_that_take_text_apart_are_linear(name):
    function, pumps = FUNCTIONS[name]
    for begin in ("", "a = ") if name == "place in a rulebook" else ("", "x"):
        for pump in pumps:
            for end in ("", "\0", "="):
                factor = growth(function, begin, pump, end)
                assert factor <= MOST, (begin, pump, end, factor)


@pytest.mark.parametrize("pump", [b"<", b"<workbookPr ", b"workbookPr date1904=", b"<w:workbookPr x=", b" "])
def test_the_head_of_a_workbook_is_read_in_linear_time(pump):
    def since(content: bytes) -> bool:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("xl/workbook.xml", content)
        return workbook._describes(held.getvalue(), workbook.SINCE_1904)

    assert growth(since, b"<", pump, b">") <= MOST
    assert since(b"<workbook><workbookPr codeName='x' date1904='1'/></workbook>")
    assert since(b'<x:workbook><x:workbookPr date1904="true"/></x:workbook>')
    assert not since(b"<workbook><workbookPr date1904='0'/><other date1904='1'/></workbook>")
