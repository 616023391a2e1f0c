"""The table of defences says what the source says: a defence that moved would otherwise be tried nowhere."""

import pytest

from tests.mutants import MUTANTS, ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_defence_stands_where_the_table_says(mutant):
    assert mutant.defence
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.defence) == 1
    assert mutant.instead != mutant.defence


def test_names_are_told_apart():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20
