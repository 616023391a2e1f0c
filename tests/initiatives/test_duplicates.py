"""Duplicates at registration: how well the rules tell them on the labelled pairs, without a database.

What the page offers over the whole portfolio is measured by `python -m tests.labelled.duplicates`.
"""

import pytest

from tests.labelled import duplicates

LEAST = 0.8
OLD = ("tuning", "held_out")
# Of the pairs found by reading, what the rules reach now; which of the held-out ones they miss nobody may read.
FRESH = {
    ("fresh_learning", True): (0.94, 0.45),
    ("fresh_learning", False): (0.95, 0.85),
    ("fresh_held_out", True): (0.7, 0.4),
    ("fresh_held_out", False): (0.75, 0.5),
}


@pytest.fixture(scope="module")
def offered():
    return duplicates.by_words()


@pytest.mark.parametrize("half", OLD)
def test_probably_the_same_is_right_and_complete_in_four_of_five(half, offered):
    score = duplicates.score(half, offered)
    assert score.precision() >= LEAST, score.misses
    assert score.recall() >= LEAST, score.misses


@pytest.mark.parametrize(("half", "argued"), FRESH)
def test_pairs_in_other_words_are_told_no_worse_than_they_were(half, argued, offered):
    score = duplicates.score(half, offered, argued)
    precision, recall = FRESH[half, argued]
    assert score.precision() >= precision, score.misses
    assert score.recall() >= recall, score.misses


def test_every_pair_has_two_rows_of_the_portfolio_and_a_reason():
    rows = {row.line: row for row in duplicates.portfolio.rows()}
    everything = [pair for half in duplicates.HALVES for pair in duplicates.pairs(half)]
    assert len(everything) == 500
    assert len({frozenset((pair["one"]["line"], pair["other"]["line"])) for pair in everything}) == 500
    for pair in everything:
        assert pair["why"]
        for which in ("one", "other"):
            assert pair[which]["title"] == rows[pair[which]["line"]].title
            assert pair[which]["problem"] == rows[pair[which]["line"]].problem
