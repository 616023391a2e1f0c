"""Where two definitions disagree: how well the finder does on the labelled pairs, and what each reading must keep."""

import pytest

from initiatives.disagreeing import formats, meanings, shapes
from tests.labelled.__main__ import READ, score

# What people write for ten digits, two letters and six digits, K- and six digits, and days.
ONE_FORMAT = (
    ("10 digits", r"^\d{10}$"),
    ("10 digits", "NUMC10"),
    ("10 digits", "zehnstellige Nummer"),
    ("10 digits", "dix chiffres"),
    ("10 digits", "4 digits office and 6 digits running number"),
    ("10 digits", "between 8 and 12 digits"),
    ("10 digits", "varchar(20)"),
    ("10 digits", "z.B. 4711000815"),
    ("10 digits", "see handbook"),
    ("2 letters + 6 digits", "[A-Z]{2}[0-9]{6}"),
    ("2 letters + 6 digits", "deux lettres suivies de six chiffres"),
    ("2 letters + 6 digits", "country code + 6 digits"),
    ("2 letters + 6 digits", "DE123456"),
    ("K-nnnnnn", "letter K, hyphen, six digits"),
    ("K-nnnnnn", "8 characters"),
    ("YYYY-MM-DD", "AAAA-MM-JJ"),
    ("YYYYMMDD", "8 digits yyyymmdd"),
    ("UUID", "8-4-4-4-12 hex"),
    ("3 letters", "EUR, USD, GBP"),
    ("5 digits", "00000-99999"),
    ("nnn-nnn-nnn", r"(\d{3}-){2}\d{3}"),
    ("EAN-13", "GTIN"),
)
OTHER_FORMATS = (
    ("10 digits", "CHAR(8)"),
    ("10 digits", "e-mail address"),
    ("10 digits", "K-nnnnnnnn"),
    ("10 digits", "starts with letter C"),
    ("10 digits", "3-3-4 with dashes"),
    ("2 letters + 6 digits", "bigint"),
    ("K-nnnnnn", "C-nnnnnn"),
    ("YYYY-MM-DD", "TT.MM.JJJJ"),
    ("UUID", "UUID without dashes, 32 hex"),
    ("DE, AT, CH", "DEU, AUT, CHE"),
    ("leading zeros kept", "leading zeros stripped"),
    ("S1234567", "1234567"),
)
ONE_RULE = (
    ("one per policy", "je Police ein Satz"),
    ("without VAT", "netto"),
    ("cancelled orders are excluded", "orders, not counting cancellations"),
    ("excluding staff", "employees left out"),
    ("last 12 months", "rolling year"),
    ("fiscal year April to March", "Geschäftsjahr April bis März"),
    ("manually maintained by the sales team", "imported from the ERP every night"),
    ("excludes intercompany sales", "only sales to third parties"),
    ("sold tickets minus refunds", "tickets sold net of refunds"),
    ("counted once a day at 6 am", "daily count in the morning"),
)
OTHER_RULES = (
    ("net of VAT", "with VAT"),
    ("per household", "per person"),
    ("Vollzeitäquivalente", "Köpfe"),
    ("Kalenderjahr", "exercice fiscal"),
    ("last 12 months", "last 24 months"),
    ("excluding trainees", "including trainees"),
    ("under 18", "under 21"),
    ("by ship date", "by delivery date"),
    ("unique visitors", "page views"),
    ("number of orders", "number of customers"),
)


@pytest.mark.parametrize("half", READ)
def test_on_the_labelled_pairs_that_may_be_read_few_are_missed_and_few_are_named_for_nothing(half):
    result = score(half)
    assert result.precision() >= 0.95, result.misses
    assert result.recall() >= 0.95, result.misses


@pytest.mark.parametrize(("one", "other"), ONE_FORMAT)
def test_one_format_in_two_notations_is_no_conflict(one, other):
    assert shapes.clash(formats.described(one), formats.described(other)) == ""


@pytest.mark.parametrize(("one", "other"), OTHER_FORMATS)
def test_two_formats_that_nothing_fits_both_of_are_one(one, other):
    assert shapes.clash(formats.described(one), formats.described(other))


@pytest.mark.parametrize(("one", "other"), ONE_RULE)
def test_one_rule_in_other_words_is_no_conflict_nor_are_two_that_speak_of_different_things(one, other):
    assert meanings.of_logic(one, other) == meanings.of_logic(other, one) == ""


@pytest.mark.parametrize(("one", "other"), OTHER_RULES)
def test_two_answers_to_one_question_are_a_conflict(one, other):
    assert meanings.of_logic(one, other)
    assert meanings.of_logic(other, one)
