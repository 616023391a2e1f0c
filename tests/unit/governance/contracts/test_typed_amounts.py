"""Amounts as people type them, and the words of a sentence that changed."""

from decimal import Decimal

import pytest

from governance.contracts.wording import Piece, major_units, marked, minor_units


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("50.00", "EUR", 5000),
        ("50", "EUR", 5000),
        ("0.01", "USD", 1),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
    ],
)
def test_an_amount_is_kept_in_minor_units_and_shown_as_it_was_typed(typed, currency, minor):
    assert minor_units(Decimal(typed), currency) == minor
    assert Decimal(major_units(minor, currency)) == Decimal(typed)


@pytest.mark.parametrize(("typed", "currency"), [("0.005", "EUR"), ("1.5", "JPY"), ("1.0001", "BHD")])
def test_what_is_finer_than_the_currency_is_refused(typed, currency):
    with pytest.raises(ValueError, match="after the point"):
        minor_units(Decimal(typed), currency)


def test_the_words_that_changed_are_marked_and_the_others_stay():
    assert marked("at most 50 at a time", "at most 20 at a time, on Mondays") == [
        Piece("same", "at most"),
        Piece("gone", "50"),
        Piece("new", "20"),
        Piece("same", "at a"),
        Piece("gone", "time"),
        Piece("new", "time, on Mondays"),
    ]


@pytest.mark.parametrize(
    ("before", "after"), [("a b c", "a c"), ("", "a"), ("a", ""), ("a b", "a b"), ("a", "b c")]
)
def test_both_sentences_can_be_read_from_the_marks(before, after):
    pieces = marked(before, after)
    assert " ".join(one.words for one in pieces if one.how != "new") == before
    assert " ".join(one.words for one in pieces if one.how != "gone") == after
