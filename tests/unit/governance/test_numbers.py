"""Numbers and amounts of tables: read back exactly, or asked about; never another number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.tables.numbers import currency_of, read_amount, read_number, unit_of


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("120000", "120000", ""),
        ("0.375m", "375000", ""),
        ("1,625 Mio. EUR", "1625000", "EUR"),
        ("USD 0.750m", "750000", "USD"),
        ("TEUR 45", "45000", "EUR"),
        ("2.4 Mrd", "2400000000", ""),
        ("1.2bn", "1200000000", ""),
        ("0.5 MEUR", "500000", "EUR"),
        ("0.120", "0.12", ""),
        ("€ 120k", "120000", "EUR"),
        ("EUR 1.2m", "1200000", "EUR"),
        ("1,2 Mio CHF", "1200000", "CHF"),
        ("120,000.50", "120000.50", ""),
        ("120.000,50 €", "120000.50", "EUR"),
        ("$1,250,000", "1250000", "USD"),
        ("A$ 5", "5", "AUD"),
        ("95'000", "95000", ""),
        ("80 000", "80000", ""),
        ("1\u202f250\u00a0000", "1250000", ""),
        ("12,34,567.50", "1234567.50", ""),
        ("12.5", "12.50", ""),
        ("350 Tsd.", "350000", ""),
        ("12 duizend", "12000", ""),
        ("1,5 millions d'euros", None, ""),
        ("1,5 millions euros", "1500000", "EUR"),
        ("3 millones", "3000000", ""),
        ("2 mila", "2000", ""),
        ("4 milhões", "4000000", ""),
        ("12 lakh", "1200000", ""),
        ("500,-", "500", ""),
        ("Fr. 1'500.-", "1500", "CHF"),
        ("(1,250.50)", "-1250.50", ""),
        ("\u2212500", "-500", ""),
        ("500- EUR", "-500", "EUR"),
    ],
)
def test_an_amount_is_read_with_its_currency(text, amount, currency):
    found = read_amount(text)
    assert (found.value, found.currency) == (None if amount is None else Decimal(amount), currency)


@pytest.mark.parametrize(
    "text", ["ca. 30k", "~30k", "~ 30 000", "approx. 30k", "rund 30 Tsd", "about 30,000.00"]
)
def test_an_approximation_is_read_and_told(text):
    found = read_amount(text)
    assert (found.value, found.about) == (30000, True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "tbd",
            "50-80k",
            "50 - 80 k",
            "12 FTE",
            "",
            "1.2.3",
            "k",
            "M 45",
            "12 %",
            "3 x 40k",
            ">100k",
            "1e5",
        ),
        *(
            "100000000000000",
            "-100000000000000",
            "100000000 Mio",
            "9" * 40,
            "120.000\u00b9",
            "2026 500",
            "012.345",
        ),
        *(
            "\u00bd",
            "5 mil",
            "kr 50",
            "EUR 5 USD",
            "5k k",
            "Rs.500",
            "12\u2026",
            "(-5)",
            "EUR",
            "\u0661\u0662",
        ),
    ],
)
def test_what_is_no_plain_amount_is_not_guessed(text):
    found = read_amount(text)
    assert (found.value, found.either) == (None, ())


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1.500k", "1500", "1500000"),
        ("1.500", "1.50", "1500"),
        ("1,500", "1500", "1.50"),
        ("TEUR 1.500", "1500", "1500000"),
    ],
)
def test_two_meanings_are_asked_about(text, point, comma):
    assert read_amount(text).value is None
    assert set(read_amount(text).either) == {Decimal(point), Decimal(comma)}
    sign = read_amount(text).mark
    assert read_amount(text, {sign: "."}).value == Decimal(point)
    assert read_amount(text, {sign: ","}).value == Decimal(comma)


@pytest.mark.parametrize(
    ("heading", "times", "currency"),
    [
        *(
            ("Budget (TEUR)", 1_000, "EUR"),
            ("Run cost (k$)", 1_000, "USD"),
            ("Cost in Mio. CHF", 1_000_000, "CHF"),
        ),
        *(
            ("Budget k€", 1_000, "EUR"),
            ("Budget [m]", 1_000_000, ""),
            ("Budget (in 1.000 EUR)", 1_000, "EUR"),
        ),
        *(("Costs ($000)", 1_000, "USD"), ("Budget 2026 (EUR m)", 1_000_000, "EUR"), ("Cost, USD", 1, "USD")),
        *(("Budget", 1, ""), ("Budget (approved)", 1, ""), ("Kosten/Jahr", 1, ""), ("Team", 1, "")),
    ],
)
def test_a_heading_gives_a_unit_and_a_currency(heading, times, currency):
    assert unit_of(heading) == (times, currency)


def test_a_sign_of_several_currencies_means_that_of_the_file():
    assert read_amount("$ 5", currency="CAD").currency == "CAD"
    assert read_amount("$ 5", currency="EUR").currency == "USD"
    assert read_amount("50 kr", currency="SEK").currency == "SEK"
    assert [currency_of(word) for word in ("euro", "€", "usd", "kr", "gold")] == ["EUR", "EUR", "USD", "", ""]


@pytest.mark.parametrize(
    ("text", "most", "number"),
    [
        ("7.250", 2000, "7.25"),  # more than seven thousand hours are in no line
        ("1.500", 2000, None),
        ("1.500", None, None),
        ("1500", None, "1500"),
        ("0,125", None, "0.125"),
        ("-2.5", None, "-2.5"),
        ("1 2", None, None),
        ("5 EUR", None, None),
    ],
)
def test_a_number_that_can_be_two_is_not_read(text, most, number):
    assert read_number(text, most=most).value == (None if number is None else Decimal(number))


def grouped(whole: str, mark: str, sizes=(3,)) -> str:
    """The digits in groups from the right; the last size goes on."""
    parts, place = [], 0
    while whole:
        size = sizes[min(place, len(sizes) - 1)]
        parts, whole, place = [whole[-size:], *parts], whole[:-size], place + 1
    return mark.join(parts)


GROUPINGS = {
    "plain": ("", "."),
    "plain comma": ("", ","),
    "comma": (",", "."),
    "dot": (".", ","),
    "space": (" ", ","),
    "no-break space": ("\u00a0", ","),
    "narrow no-break space": ("\u202f", "."),
    "apostrophe": ("'", "."),
    "typographic apostrophe": ("\u2019", "."),
    "Indian": (",", "."),
}
AROUND = {
    "bare": ("{}", "", 1),
    "code before": ("EUR {}", "EUR", 1),
    "code behind": ("{} CHF", "CHF", 1),
    "sign before": ("£{}", "GBP", 1),
    "sign behind": ("{} €", "EUR", 1),
    "minus": ("-{}", "", -1),
    "true minus": ("\u2212{} EUR", "EUR", -1),
    "brackets": ("({})", "", -1),
    "brackets with code": ("(USD {})", "USD", -1),
    "circa": ("ca. {}", "", 1),
    "tilde": ("~{} EUR", "EUR", 1),
    "thousand": ("{}k", "", 1_000),
    "thousand euros": ("{} TEUR", "EUR", 1_000),
    "million": ("{} Mio. EUR", "EUR", 1_000_000),
    "million letter": ("€{}m", "EUR", 1_000_000),
    "billion": ("{} bn", "", 1_000_000_000),
}


@given(
    whole=st.integers(0, 9_999_999),
    decimals=st.text("0123456789", max_size=3),
    grouping=st.sampled_from(sorted(GROUPINGS)),
    around=st.sampled_from(sorted(AROUND)),
)
def test_amounts_written_in_many_ways_are_read_back_or_asked(whole, decimals, grouping, around):
    mark, point = GROUPINGS[grouping]
    pattern, currency, times = AROUND[around]
    digits = grouped(str(whole), mark, (3, 2) if grouping == "Indian" else (3,))
    text = pattern.format(digits + (point + decimals if decimals else ""))
    meant = Decimal(f"{whole}.{decimals or 0}") * times
    found = read_amount(text)
    groups = digits.count(mark) if mark else 0
    if abs(times) >= 1_000_000 and mark in (".", ",") and not decimals and groups == 1:
        meant /= 1_000  # one separator before a unit of a million is decimal
    if currency and abs(times) == 1 and len(decimals) == 3:
        return  # no amount of these currencies has three decimals
    if abs(meant) >= Decimal(10) ** 14:
        assert found.value is None
    elif found.either:
        assert meant.quantize(Decimal("0.01")) in found.either
        assert found.value is None
        assert read_amount(text, {found.mark: point}).value == meant.quantize(Decimal("0.01"))
    else:
        assert found.value == meant.quantize(Decimal("0.01"))
        assert found.currency == currency
