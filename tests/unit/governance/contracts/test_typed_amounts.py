"""Amounts as people type them, and the words of a sentence that changed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from iso4217 import Currency

from governance.authorization.decision import InitiativeCondition, Version, decide
from governance.contracts.cedar_policies import Policies, Rule
from governance.contracts.clauses import Terms, problems
from governance.contracts.wording import Piece, major_units, marked, minor_units

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
AUDIENCE = Rule(2, "audience", Terms(audience=("staff",)))
SUBJECT = {"type": "user", "id": "iris", "properties": {"groups": ["staff"]}}


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


@pytest.mark.parametrize(
    ("typed", "currency", "remedy"),
    [
        ("0.005", "EUR", "2 decimals"),
        ("50.000", "EUR", "50.00"),
        ("1.5", "JPY", "for example 1."),
        ("50.000", "JPY", "50 or 50000"),
        ("50.000", "RWF", "50 or 50000"),
        ("1.0001", "BHD", "3 decimals"),
        ("5", "ABC", "ISO 4217"),
        ("5", "XAU", "ISO 4217"),
    ],
)
def test_an_amount_that_the_currency_cannot_have_is_refused_with_what_to_type(typed, currency, remedy):
    with pytest.raises(ValueError, match=remedy):
        minor_units(Decimal(typed), currency)


def test_every_currency_of_iso_4217_is_read_back_and_binds_to_its_smallest_unit():
    """Each code: an amount typed, shown as it was typed, and one unit above it refused by the contract."""
    codes = [one for one in Currency if one.exponent is not None]
    assert len(codes) >= 160
    for one in codes:
        typed = Decimal(50_000).scaleb(-one.exponent)
        assert minor_units(typed, one.code) == 50_000, one.code
        assert Decimal(major_units(50_000, one.code)) == typed, one.code
        assert not problems("autonomy", Terms(action="refund", up_to=50_000, currency=one.code)), one.code
        rule = Rule(1, "autonomy", Terms(action="refund", up_to=50_000, currency=one.code))
        version = Version(1, "d" * 64, NOW - timedelta(days=1), None, Policies((rule, AUDIENCE)))
        for amount, outcome in ((50_000, "allow"), (50_001, "deny")):
            said = {"name": "refund", "properties": {"amount": amount, "currency": one.code}}
            asked = {
                "subject": SUBJECT,
                "action": said,
                "resource": {"type": "order", "id": "1"},
                "context": {},
            }
            assert decide(version, InitiativeCondition("production"), asked, NOW).outcome == outcome, one.code


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
