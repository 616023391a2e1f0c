"""docs/asvs.md answers every requirement of OWASP ASVS 5.0.0, levels 1 and 2, and what it names is there."""

import ast
import re
from collections import Counter
from functools import cache

import pytest

from tests.support.paths import ROOT

TABLE = ROOT / "docs" / "asvs.md"
ANSWERS = {"met", "partly", "not met", "not applicable", "operator"}
# By section the numbers of the requirements of levels 1 and 2; those of level 3 are left out.
BOTH = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2
4.1:1-3 4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3
6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1 8.4:1 9.1:1-3 9.2:1-4 10.1:1-2
10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1 11.6:1
12.1:1-3 12.2:1-2 12.3:1-4 13.1:1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3
15.3:1-7 16.1:1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 17.3:1-2
"""
FIRST = """
1.2:1-5 1.3:1-2 1.5:1 2.1:1 2.2:1-2 2.3:1 3.2:1-2 3.3:1 3.4:1-2 3.5:1-3 4.1:1 4.4:1 5.2:1-2 5.3:1-2 6.1:1
6.2:1-8 6.3:1-2 6.4:1-2 7.2:1-4 7.4:1-2 8.1:1 8.2:1-2 8.3:1 9.1:1-3 9.2:1 10.4:1-5 11.3:1-2 11.4:1 12.1:1
12.2:1-2 13.4:1 14.2:1 14.3:1 15.1:1 15.2:1 15.3:1
"""


def ids_of(listed: str) -> list[str]:
    """The ids that a list of ranges stands for, in order."""
    found = []
    for part in listed.split():
        section, _, numbers = part.partition(":")
        for span in numbers.split(","):
            first, _, last = span.partition("-")
            found += [f"V{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def rows() -> list[tuple[str, ...]]:
    """The rows of the table: id, level, what it asks for, answer, what shows it."""
    lines = re.findall(r"^\| (V[\d.]+) \|(.*)\|$", TABLE.read_text(), re.MULTILINE)
    return [(number, *(cell.strip() for cell in rest.split("|"))) for number, rest in lines]


@cache
def names_in(path: str) -> set[str]:
    """The functions of a module."""
    return {
        node.name
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def test_the_lists_are_those_of_the_standard():
    assert len(ids_of(BOTH)) == 253
    assert len(ids_of(FIRST)) == 70
    assert set(ids_of(FIRST)) <= set(ids_of(BOTH))


def test_every_id_is_answered_once_and_in_order():
    assert [row[0] for row in rows()] == ids_of(BOTH)


def test_levels_are_those_of_the_standard():
    assert {row[0] for row in rows() if row[1] == "1"} == set(ids_of(FIRST))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_an_answer_is_shown_by_what_is_there(row):
    number, _, asks, answer, shown = row
    assert asks
    assert answer in ANSWERS, number
    assert shown, f"{number} is {answer}, and nothing says why"
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.\w+)(?:::(\w+))?`", shown)
    for path, function in named:
        assert (ROOT / path).is_file(), path
        assert not function or function in names_in(path), f"{path} has no {function}"
    if answer in ("partly", "not met", "not applicable", "operator"):
        assert re.search(r"[a-z]", re.sub(r"`[^`]*`", "", shown)), f"{number}: say why it is {answer}"


def test_what_is_not_met_is_told_in_security_md():
    """Whoever reads docs/SECURITY.md learns of every open requirement."""
    told = (ROOT / "docs" / "SECURITY.md").read_text()
    open_ones = [row[0] for row in rows() if row[3] in ("not met", "partly")]
    assert [number for number in open_ones if number not in told] == []
    assert Counter(row[3] for row in rows())["not met"] <= 3
