"""Cells of a sheet of one's own: amounts, days of go-live, tiers, and who is meant."""

from datetime import date
from decimal import Decimal

import pytest

from governance.tables.columns import guess_columns
from initiatives.imports.portfolio.people_matching import Directory, Known
from initiatives.imports.portfolio.portfolio_columns import (
    FIELDS,
    HEADERS,
    parse_amount,
    parse_go_live,
    parse_tier,
)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("120000", "120000.00", ""),
        ("€ 120k", "120000.00", "EUR"),
        ("EUR 1.2m", "1200000.00", "EUR"),
        ("1,2 Mio CHF", "1200000.00", "CHF"),
        ("120.000", "120000.00", ""),
        ("120,000.50", "120000.50", ""),
        ("120.000,50 €", "120000.50", "EUR"),
        ("$1,250,000", "1250000.00", "USD"),
        ("95'000", "95000.00", ""),
        ("80 000", "80000.00", ""),
        ("12.5", "12.50", ""),
        ("350 Tsd.", "350000.00", ""),
        ("500,-", "500.00", ""),
        ("99 Mio", "99000000.00", ""),
    ],
)
def test_an_amount_is_read_with_its_currency(text, amount, currency):
    assert parse_amount(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        *("tbd", "50-80k", "about 100", "12 FTE", "", "ca. 1m", "1.2.3", "k"),
        *("100000000000000", "-100000000000000", "100000000 Mio", "9" * 40),
    ],
)
def test_what_is_no_plain_amount_is_not_guessed(text):
    assert parse_amount(text)[0] is None


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2027-03-14", "", date(2027, 3, 14)),
        ("14.03.2027", "", date(2027, 3, 14)),
        ("03/14/2027", "", date(2027, 3, 14)),
        ("03/04/2027", "dmy", date(2027, 4, 3)),
        ("Q3 2026", "", date(2026, 9, 30)),
        ("2026-Q4", "", date(2026, 12, 31)),
        ("Feb 2028", "", date(2028, 2, 29)),
        ("2027", "", date(2027, 12, 31)),
    ],
)
def test_a_go_live_is_the_last_day_that_was_said(text, order, day):
    assert parse_go_live(text, order) == day


@pytest.mark.parametrize("text", ["03/04/2027", "soon", "Q5 2026", "31.02.2027", "after summer"])
def test_a_day_that_could_be_another_is_not_guessed(text):
    assert parse_go_live(text) is None


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("High", "high"),
        ("high-risk (Annex III)", "high"),
        ("mittel", "limited"),
        ("low / medium", "limited"),
        ("gering", "minimal"),
        ("to be assessed", ""),
    ],
)
def test_a_tier_is_read_by_its_words_and_the_higher_of_two(text, tier):
    assert parse_tier(text) == tier


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            ["Initiative", "Owner", "Department", "Status", "Vendor", "Budget", "Go-live", "Ticket"],
            ["title", "owner", "unit", "stage", "vendor", "budget", "go_live_on", "ticket"],
        ),
        (
            ["Projekt", "Verantwortlich", "Abteilung", "Projektstatus", "Anbieter", "Kosten", "Währung"],
            ["title", "owner", "unit", "stage", "vendor", "budget", "currency"],
        ),
        (
            ["Nom", "Responsable", "Département", "Statut", "Fournisseur", "Mise en service"],
            ["title", "owner", "unit", "stage", "vendor", "go_live_on"],
        ),
    ],
)
def test_columns_are_guessed_by_their_headers(headers, expected):
    found = guess_columns(headers, HEADERS)
    assert {found[role]: role for role in found} == dict(zip(headers, expected, strict=True))
    assert HEADERS.keys() == FIELDS.keys()


PEOPLE = Directory(
    [
        Known(1, "Robert Miller", "rmiller", "robert.miller@corp.example"),
        Known(2, "Ana Ruiz", "ana", "ana@corp.example"),
        Known(3, "Zoë Großmann", "zg", ""),
        Known(4, "Jan Smit", "jsmit", "jan@corp.example"),
        Known(5, "Jan Smit", "jsmit2", "jan.smit@corp.example"),
    ]
)


@pytest.mark.parametrize(
    ("cell", "person", "how"),
    [
        ("robert.miller@corp.example", 1, "address"),
        ("Bob <Robert.Miller@corp.example>", 1, "address"),
        ("rmiller", 1, "login"),
        ("Ana Ruiz", 2, "name"),
        ("RUIZ, Ana", 2, "name"),
        ("Dr. Zoe Grossmann", 3, "name"),
    ],
)
def test_who_is_certain(cell, person, how):
    found = PEOPLE.match(cell)
    assert (found.person, found.how) == (person, how)


@pytest.mark.parametrize(
    ("cell", "candidates"),
    [
        ("Bob Miller", [1]),
        ("R. Miller", [1]),
        ("Anna Ruiz", [2]),
        ("Jan Smit", [4, 5]),
        ("Jan", [4, 5]),
        ("Marketing team", []),
        ("", []),
        ("Robert Miller <bob@elsewhere.example>", [1]),
    ],
)
def test_who_is_not_certain_is_asked_about(cell, candidates):
    found = PEOPLE.match(cell)
    assert found.person is None
    assert found.candidates == candidates
