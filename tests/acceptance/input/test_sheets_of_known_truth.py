"""Sheets of known truth: each cell is read right, asked about or left out, and never read wrong."""

import random
from collections import Counter
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from governance.tables.columns import named, parse_date
from governance.tables.numbers import read_amount, unit_of
from governance.tables.reader import read_table
from initiatives.portfolio.imports.inventories import header_synonyms
from initiatives.portfolio.imports.portfolio import portfolio_columns
from initiatives.portfolio.imports.systems import systems_table
from tests.support import factories
from tests.support.input.importers_of_truth import IMPORTERS
from tests.support.input.sheets_with_truth import judge, made

ROWS = 200
HABITS = (("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("'", "."))
CURRENCIES = ("", "EUR", "USD", "CHF", "JPY")
HEADINGS = (("Budget", 1), ("Budget (TEUR)", 1_000), ("Kosten in Mio. CHF", 1_000_000), ("Cost (k$)", 1_000))
DAYS = ("{0}-{1:02}-{2:02}", "{2:02}.{1:02}.{0}", "{3:02}-{1:02}-{2:02}", "{2}/{1}/{0}", "{1}/{2}/{0}")


def written(value: Decimal, group: str, point: str) -> str:
    whole, _, part = f"{value:f}".partition(".")
    whole = f"{int(whole):,}".replace(",", group)
    return f"{whole}{point}{part}" if part else whole


@pytest.mark.parametrize("seed", range(8))
def test_no_cell_is_read_wrong(seed):
    dice = random.Random(seed)
    heading, times = dice.choice(HEADINGS)
    rows, truth = [f"Title;{heading};Day"], []
    for place in range(ROWS):
        currency = dice.choice(CURRENCIES) if times == 1 else ""
        part = dice.choice((0, 0, 1, 2)) if currency != "JPY" else 0
        value = Decimal(dice.choice((7, 90, 1250, 30_000, 75_000, 1_250_000))) + Decimal(
            dice.randrange(1, 9)
        ).scaleb(-part) * bool(part)
        day = (dice.randrange(2001, 2029), dice.randrange(1, 13), dice.randrange(1, 29))
        cell = f"{currency} {written(value, *dice.choice(HABITS))}".strip()
        rows.append(f"Row {place};{cell};{dice.choice(DAYS).format(*day, day[0] % 100)}")
        truth.append((value * times, "{}-{:02}-{:02}".format(*day)))
    right = asked = 0
    wrong = []
    for line, (value, day) in zip(read_table("\n".join(rows).encode()).lines, truth, strict=True):
        amount = read_amount(line.cells[heading], heading=unit_of(heading))
        read = (amount.value, value), (parse_date(line.cells["Day"]) or None, day)
        right += sum(found == meant for found, meant in read)
        asked += sum(found is None for found, _ in read)
        wrong += [(line.cells, found, meant) for found, meant in read if found not in (None, meant)]
    print(f"seed {seed}: {right} right, {asked} asked, {len(wrong)} wrong")
    assert not wrong
    assert right > ROWS


TWO_NAMES = ("{} / {}", "{} ({})", "{}|{}", "{} [{}]", "{} - {}")
NOTES = ("{} (see the notes)", "{} [k€]", "{} / Sarake")


every_importer = pytest.mark.parametrize(
    ("find", "headers"),
    [
        (lambda columns: portfolio_columns.GUIDE.guess(columns, {}), portfolio_columns.HEADERS),
        (lambda columns: header_synonyms.GUIDE.guess(columns, {}), header_synonyms.ALIASES),
        (lambda columns: named(columns, systems_table.COLUMNS), systems_table.COLUMNS),
    ],
    ids=["portfolio", "inventory", "systems"],
)


@pytest.mark.parametrize("seed", range(8))
@every_importer
def test_no_heading_in_two_languages_is_read_wrong(find, headers, seed):
    dice = random.Random(seed)
    # A name that two fields have is no truth.
    own = {
        role: [name for name in known if sum(name in other for other in headers.values()) == 1]
        for role, known in headers.items()
    }
    truth = {}
    for role, names in own.items():
        if len(names) > 1:
            form = dice.choice(TWO_NAMES + NOTES)
            truth[form.format(*dice.sample(names[:12], 2))] = role
    found = {column: role for role, column in find(list(truth)).items()}
    wrong = [(column, role, truth[column]) for column, role in found.items() if truth[column] != role]
    print(f"seed {seed}: {len(found)} right of {len(truth)}")
    assert not wrong
    assert found.keys() == truth.keys()


@pytest.mark.parametrize("seed", range(8))
@every_importer
def test_a_heading_that_a_line_break_divides_is_found(find, headers, seed):
    dice = random.Random(seed)
    truth = {}
    for role, known in headers.items():
        own = [
            name for name in known if sum(name in other for other in headers.values()) == 1 and len(name) > 5
        ]
        if own:
            name = dice.choice(own)
            gap = next((place for place, letter in enumerate(name) if letter in " -"), 0)
            divided = (
                f"{name[:gap]}{name[gap].strip()}\n{name[gap + 1 :]}" if gap else f"{name[:3]}-\n{name[3:]}"
            )
            truth[role] = divided
    text = ";".join(f'"{heading}"' for heading in truth.values())
    columns = read_table(f"{text}\n{';'.join('x' for _ in truth)}\n".encode()).columns
    found = find(columns)
    assert {role: columns[place] for place, role in enumerate(truth)} == found


def test_a_heading_of_two_fields_is_asked_about():
    assert not named(["Owner / Vendor"], systems_table.COLUMNS)


@pytest.mark.parametrize("heading", ["Is it approved (yes/no)", "Approved? [Ja / No]"])
def test_the_answers_in_a_heading_are_no_field(heading):
    assert not portfolio_columns.GUIDE.guess([heading], {})
    assert not header_synonyms.GUIDE.guess([heading], {})


@pytest.mark.django_db
@pytest.mark.parametrize("name", IMPORTERS)
def test_no_cell_of_a_damaged_sheet_is_imported_wrong(cast, name, rounds):
    """Twelve small sheets an importer, or fifty of 200 rows with `--rounds 50`. What is wrong names its seed."""
    one, counts, wrong = IMPORTERS[name], Counter(), []
    if name == "effort":
        factories.make_initiative(cast)
    for seed in range(max(rounds, 12)):
        sheet = made(seed, one.fields(cast), ROWS if rounds >= 50 else 25, key=one.key)
        with transaction.atomic():
            try:
                found = one.read(cast, sheet.content)
            except ValidationError:
                counts["refused"] += 1
                continue
            finally:
                transaction.set_rollback(True)
        told, faults = judge(sheet, found)
        counts += told
        wrong += faults
    print(f"{name}: {dict(counts)}, {len(wrong)} wrong")
    assert not wrong, "\n".join(map(str, wrong[:20]))
    assert counts["right"] > 200
