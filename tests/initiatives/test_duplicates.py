"""Duplicates at registration: how well the rules tell them on the labelled pairs, without a database.

What the page offers over the whole portfolio is measured by `python -m tests.labelled.duplicates`.
"""

import pytest

from tests.labelled import duplicates

LEAST = 0.8


@pytest.fixture(scope="module")
def offered():
    return duplicates.by_words()


@pytest.mark.parametrize("half", duplicates.HALVES)
def test_probably_the_same_is_right_and_complete_in_four_of_five(half, offered):
    score = duplicates.score(half, offered)
    assert score.precision() >= LEAST, score.misses
    assert score.recall() >= LEAST, score.misses


def test_every_pair_has_two_rows_of_the_portfolio_and_a_reason():
    rows = {row.line: row for row in duplicates.portfolio.rows()}
    everything = [pair for half in duplicates.HALVES for pair in duplicates.pairs(half)]
    assert len(everything) == 300
    assert len({frozenset((pair["one"]["line"], pair["other"]["line"])) for pair in everything}) == 300
    for pair in everything:
        assert pair["why"]
        for which in ("one", "other"):
            assert pair[which]["title"] == rows[pair[which]["line"]].title
            assert pair[which]["problem"] == rows[pair[which]["line"]].problem
