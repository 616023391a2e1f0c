"""What changed between two samples: each kind planted, found and named; samples of one population raise no alarm."""

import copy
import csv
import io
import random
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from initiatives.integration.measurement.column_profile import measure
from initiatives.integration.measurement.drift import KINDS, drift
from tests.support.paths import EXTRACTS

TAKEN = date(2026, 3, 2)


def table(name: str, encoding: str = "utf-8") -> list[dict]:
    """A small extract of a public inventory."""
    return list(csv.DictReader(io.StringIO((EXTRACTS / name).read_bytes().decode(encoding), newline="")))


def halves(rows: list[dict], seed: int = 1) -> tuple[list[dict], list[dict]]:
    """Two samples of the same population."""
    draw = random.Random(seed)
    mixed = draw.sample(rows, len(rows))
    return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]


def orders(count: int, seed: int) -> list[dict]:
    """Rows of a shop that does not exist."""
    draw = random.Random(seed)
    return [
        {
            "order_no": f"ORD-{draw.randrange(10**8):08}",
            "customer": f"{draw.randrange(10**10):010}",
            "opened": (date(2024, 3, 1) + timedelta(draw.randrange(730))).isoformat(),
            "amount": f"{draw.lognormvariate(4, 0.8):.2f}",
            "weight_kg": f"{draw.gauss(20, 4):.1f}",
            "region": draw.choice(["north", "south", "south", "east"]),
            "mail": "" if draw.random() < 0.05 else f"p{draw.randrange(10**6)}@example.org",
            "items": str(draw.randint(1, 40)),
        }
        for _ in range(count)
    ]


def profile(
    folder: Path, rows: list[dict], *, encoding: str = "utf-8", separator: str = ",", taken_on=TAKEN
) -> dict:
    """Write the rows and measure them; what was measured before is known, for most tests begin from the same rows."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    content = written.getvalue().encode(encoding)
    if (content, taken_on) not in _known:
        path = folder / "rows.csv"
        path.write_bytes(content)
        _known[content, taken_on] = measure(path, taken_on=taken_on, folder=folder)
    return copy.deepcopy(_known[content, taken_on]) | {"taken_on": taken_on}


_known: dict[tuple[bytes, date], dict] = {}


def kinds(found: list[dict]) -> set[tuple[str, str]]:
    return {(one["kind"], one["column"]) for one in found}


@cache
def _made() -> tuple[list[dict], list[dict]]:
    return orders(3000, 1), orders(3000, 2)


def _each(rows, **changes) -> list[dict]:
    """The rows with columns written anew: functions of the value before."""
    return [row | {name: change(row[name]) for name, change in changes.items()} for row in rows]


def _without(rows, name) -> list[dict]:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


def _named(rows, old, new) -> list[dict]:
    return [{new if key == old else key: value for key, value in row.items()} for row in rows]


def _some(share: float, seed: int = 5):
    draw = random.Random(seed)
    return lambda: draw.random() < share


def _blanked(rows, name, share):
    hit = _some(share)
    return [row | {name: "" if hit() else row[name]} for row in rows]


def _american(text: str) -> str:
    return f"{text[5:7]}/{text[8:10]}/{text[:4]}" if text[4:5] == "-" else text


def _repeated(rows, share):
    hit = _some(share)
    return [row for row in rows for _ in range(2 if hit() else 1)]


def _times(factor):
    return lambda text: f"{float(text) * factor:.2f}"


# What is planted: kind, column, and how later rows become from rows of the same population.
MADE = [
    ("added", "channel", lambda rows: [row | {"channel": "web"} for row in rows]),
    ("dropped", "region", lambda rows: _without(rows, "region")),
    ("renamed", "customer, customer_number", lambda rows: _named(rows, "customer", "customer_number")),
    ("renamed", "amount, betrag", lambda rows: _named(rows, "amount", "betrag")),
    ("retyped", "items", lambda rows: _each(rows, items=lambda text: f"about {text}")),
    ("format", "customer", lambda rows: _each(rows, customer=lambda text: f"C{text[2:]}")),
    ("format", "customer", lambda rows: _each(rows, customer=lambda text: text.lstrip("0")[:7])),
    ("format", "opened", lambda rows: _each(rows, opened=_american)),
    ("null_rate", "mail", lambda rows: _blanked(rows, "mail", 0.1)),
    ("range", "items", lambda rows: _each(rows, items=lambda text: str(int(text) + 25))),
    ("category", "region", lambda rows: _each(rows, region=lambda text: text.replace("east", "overseas"))),
    ("duplicates", "order_no", lambda rows: _repeated(rows, 0.02)),
    ("volume", "", lambda rows: rows[:1000]),
    ("volume", "", lambda rows: [row for row in rows if row["opened"][:7] != "2025-04"]),
    ("late", "opened", lambda rows: [row for row in rows if row["opened"] < "2026-01-10"]),
    ("unit", "amount", lambda rows: _each(rows, amount=_times(100))),
    ("unit", "amount", lambda rows: _each(rows, amount=_times(0.001 * 1000 / 1000 * 1000 * 1000))),
    ("unit", "amount", lambda rows: _each(rows, amount=_times(1.37))),
    ("unit", "weight_kg", lambda rows: _each(rows, weight_kg=_times(2.20462))),
]


@pytest.mark.parametrize(("kind", "column", "plant"), MADE)
def test_planted_in_made_rows_it_is_found_and_named(tmp_path, kind, column, plant):
    before, after = _made()
    found = drift(profile(tmp_path, before), profile(tmp_path, plant(after)))
    assert (kind, column) in kinds(found), found
    others = {one["kind"] for one in found} - {kind}
    assert others <= {"volume", "range", "duplicates"}, found
    assert all(one["words"].endswith((".", "?")) and one["severity"] in ("breaks", "watch") for one in found)


REAL = [
    ("added", "reviewer", lambda rows: [row | {"reviewer": "none yet"} for row in rows]),
    ("dropped", "have_ato", lambda rows: _without(rows, "have_ato")),
    ("renamed", "topic_area, subject", lambda rows: _named(rows, "topic_area", "subject")),
    (
        "retyped",
        "operational_date",
        lambda rows: _each(rows, operational_date=lambda t: t and f"since {t[:4]}"),
    ),
    ("format", "operational_date", lambda rows: _each(rows, operational_date=lambda t: t and f"{t[:4]}/Q1")),
    ("null_rate", "contracting_usage", lambda rows: _blanked(rows, "contracting_usage", 0.3)),
    ("category", "has_pii", lambda rows: _each(rows, has_pii=lambda t: {"Yes": "1", "No": "0"}.get(t, t))),
    (
        "category",
        "development_stage",
        lambda rows: _each(rows, development_stage=lambda t: t.replace("Pilot", "Trial")),
    ),
    ("duplicates", "", lambda rows: _repeated(rows, 0.1)),
    ("volume", "", lambda rows: rows[:250]),
]


@pytest.mark.parametrize(("kind", "column", "plant"), REAL)
def test_planted_in_a_public_inventory_it_is_found_and_named(tmp_path, kind, column, plant):
    before, after = halves(table("drift_2025.csv"))
    found = drift(profile(tmp_path, before), profile(tmp_path, plant(after)))
    assert (kind, column) in kinds(found) or (
        kind in ("format", "retyped")
        and column in {one["column"] for one in found if one["kind"] in ("format", "retyped")}
    ), found


def test_another_encoding_and_another_separator_are_told(tmp_path):
    before, after = halves(table("drift_2024.csv", "cp1252"))
    accented = [row | {"bureau": f"{row['bureau']} \u2013 \u201cOffice\u201d"} for row in before]
    later = [row | {"bureau": f"{row['bureau']} \u2013 \u201cOffice\u201d"} for row in after]
    found = drift(profile(tmp_path, accented, encoding="cp1252"), profile(tmp_path, later))
    assert ("encoding", "") in kinds(found)
    found = drift(profile(tmp_path, accented), profile(tmp_path, later, separator=";"))
    assert kinds(found) == {("encoding", "")}


def test_text_read_in_the_wrong_code_page_is_told(tmp_path):
    before, after = halves(table("drift_2024.csv", "cp1252"))
    before = [row | {"bureau": "Bureau \u00c9tudes"} for row in before]
    after = [row | {"bureau": "Bureau \u00c9tudes".encode().decode("latin-1")} for row in after]
    found = drift(profile(tmp_path, before), profile(tmp_path, after))
    assert ("encoding", "bureau") in kinds(found)


CLEAN = [
    ("the inventory of 2025", lambda seed: halves(table("drift_2025.csv"), seed)),
    ("the inventory of 2024", lambda seed: halves(table("drift_2024.csv", "cp1252"), seed)),
    ("made orders", lambda seed: (orders(2000, 10 + seed), orders(2000, 20 + seed))),
    ("made orders, unlike sizes", lambda seed: (orders(1500, 30 + seed), orders(900, 40 + seed))),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "pair"), CLEAN)
def test_samples_of_one_population_raise_no_alarm(tmp_path, name, pair, seed):
    before, after = pair(seed)
    assert drift(profile(tmp_path, before), profile(tmp_path, after)) == []


def test_every_kind_is_planted_somewhere():
    planted = {kind for kind, _, _ in MADE} | {kind for kind, _, _ in REAL} | {"encoding"}
    assert planted == set(KINDS)
    assert len(KINDS) >= 12
