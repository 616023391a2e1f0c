"""Sheets of known truth: what each cell means is known, and the cells are written by the habits of people.

A sheet is made from a seed. It has the columns of one importer under headings that the importer knows, in one language
or two, with units. One kind of damage may be done to the file. `judge` compares what an importer read with the truth.
"""

import csv
import io
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl

NUMBERS = (("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("'", "."), ("\u202f", ","))
DAYS = (
    *("{y}-{m:02}-{d:02}", "{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{d:02}/{m:02}/{y}", "{m:02}/{d:02}/{y}"),
    *("{yy:02}-{m:02}-{d:02}", "{d}-{m}-{y}", "{d} {name} {y}", "{name} {d}, {y}", "{y}/{m}/{d}"),
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
DAMAGE = (
    *("", "", "", "open quote", "short row", "long row", "header again", "other header", "total", "merged"),
)
CURRENCIES = ("EUR", "USD", "CHF", "JPY", "GBP")
TWO = ("{} / {}", "{} ({})", "{}|{}", "{} - {}")


@dataclass(frozen=True)
class Field:
    """A column: its headings, and what writes a cell. `write` returns the cell and what it means."""

    name: str
    headings: tuple[str, ...]
    write: Callable[["Habit", int], tuple[str, Any]]
    blank: float = 0.1  # the share of empty cells
    units: Mapping[str, Decimal] = field(default_factory=dict)  # by the end of a heading, its factor


@dataclass
class Habit:
    """How one person writes numbers and days. Some cells are another's."""

    dice: random.Random
    number: tuple[str, str]
    day: str
    mixed: float
    currency: str = "EUR"  # of the row
    times: Decimal = Decimal(1)  # by the heading of the column

    def pick(self, own: Any, others: tuple) -> Any:
        return self.dice.choice(others) if self.dice.random() < self.mixed else own

    def written(self, value: Decimal) -> str:
        group, point = self.pick(self.number, NUMBERS)
        whole, _, part = f"{value:f}".partition(".")
        whole = f"{int(whole):,}".replace(",", group)
        return f"{whole}{point}{part}" if part else whole

    def day_of(self, day: date) -> str:
        form = self.pick(self.day, DAYS)
        return form.format(y=day.year, yy=day.year % 100, m=day.month, d=day.day, name=MONTHS[day.month - 1])

    def decimal(self, whole: tuple[int, ...]) -> Decimal:
        part = self.dice.choice((0, 0, 0, 1, 2, 3))
        return Decimal(self.dice.choice(whole)) + Decimal(
            self.dice.randrange(1, max(2, 10**part)) * bool(part)
        ).scaleb(-part)


@dataclass
class Sheet:
    """A file, the truth of its rows by their key, and the damage done to it."""

    content: bytes
    rows: dict[str, dict[str, Any]]
    cells: dict[str, dict[str, str]]
    damage: str
    seed: int


@dataclass
class Found:
    """A row as an importer read it. A row that waits for an answer or is left out has a reason."""

    key: str
    fields: Mapping[str, Any]
    waits: bool = False
    told: str = ""


def made(seed: int, fields: tuple[Field, ...], rows: int, *, key: str, workbook: bool | None = None) -> Sheet:
    """Return a sheet of this seed. The column `key` has a cell of its own in each row."""
    dice = random.Random(seed)
    habit = Habit(dice, dice.choice(NUMBERS), dice.choice(DAYS), dice.choice((0, 0, 0.02, 0.5)))
    damage = dice.choice(DAMAGE)
    in_workbook = damage == "merged" or dice.random() < 0.25
    used = [one for one in fields if one.name == key or one.blank == 0 or dice.random() < 0.85]
    dice.shuffle(used)
    headings, factors = [], {}
    for one in used:
        heading = dice.choice(one.headings)
        if one.units and dice.random() < 0.4:
            unit = dice.choice(list(one.units))
            heading, factors[one.name] = f"{heading} {unit}", one.units[unit]
        elif dice.random() < 0.3 and len(one.headings) > 1:
            heading = dice.choice(TWO).format(*dice.sample(one.headings, 2))
        headings.append(heading)
    table, truth, written = [], {}, {}
    currency = dice.choice(CURRENCIES)
    for place in range(rows):
        cells, meant = {}, {}
        habit.currency = habit.pick(currency, CURRENCIES)
        for one in used:
            habit.times = factors.get(one.name, Decimal(1))
            empty = bool(one.blank) and dice.random() < one.blank
            cells[one.name], meant[one.name] = ("", None) if empty else one.write(habit, place)
        if any(one.name == "currency" for one in fields):
            meant["currency"] = habit.currency
        table.append(list(cells.values()))
        truth[meant[key]], written[meant[key]] = meant, cells
    if dice.random() < 0.3:
        headings.append("Notes of the team")
        for cells in table:
            cells.append(dice.choice(("", "Ask again", "see 12.5, page 3", "12/11/2024")))
    content = _file(dice, headings, table, used, truth, written, damage, in_workbook, key)
    return Sheet(content, truth, written, damage, seed)


def _file(dice, headings, table, used, truth, written, damage, in_workbook, key) -> bytes:
    places = {one.name: place for place, one in enumerate(used)}
    at = dice.randrange(1, len(table) - 2)
    lines = [list(headings), *map(list, table)]
    if damage == "header again":
        lines.insert(at + 1, list(headings))
    elif damage == "other header":
        order = list(range(len(headings)))
        dice.shuffle(order)
        lines = lines[: at + 1] + [[line[place] for place in order] for line in [headings, *lines[at + 1 :]]]
    elif damage == "total":
        total = [""] * len(headings)
        total[places[key]] = dice.choice(("Total", "Summe", "Gesamt", "Grand total:", "Total general", "Sum"))
        for one in used:
            if one.units:
                total[places[one.name]] = "123456"
        lines.append(total)
    elif damage == "short row" and not in_workbook:
        del lines[at][dice.choice([place for place in range(len(headings)) if place != places[key]])]
    elif damage == "long row" and not in_workbook:
        lines[at].insert(dice.randrange(len(headings)), dice.choice(("12", "x", "Smith")))
    if in_workbook:
        return _workbook(lines, damage, at, places, truth, written, used, key, dice)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dice.choice(";,\t"), lineterminator=dice.choice(("\n", "\r\n")))
    writer.writerows(lines)
    text = out.getvalue()
    if damage == "open quote":
        begins = text.index(table[at][places[key]], text.index("\n"))
        text = f'{text[:begins]}"{text[begins:]}'
    return text.encode(dice.choice(("utf-8", "utf-8-sig", "utf-16")))


def _workbook(lines, damage, at, places, truth, written, used, key, dice) -> bytes:
    workbook = openpyxl.Workbook()
    for line in lines:
        workbook.active.append(line)
    if damage == "merged" and len(used) > 1:
        # What one cell says over three rows is what each of them says, unless it is a number that they share.
        one = dice.choice([one for one in used if one.name != key])
        column = places[one.name] + 1
        cell = workbook.active.cell(at + 2, column)
        if one.units:
            cell.value = 90_000
        keys = list(truth)[at : at + 3]
        for row in keys:
            truth[row][one.name] = None if one.units or not cell.value else truth[keys[0]][one.name]
            written[row][one.name] = written[keys[0]][one.name]
        workbook.active.merge_cells(start_row=at + 2, end_row=at + 4, start_column=column, end_column=column)
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def judge(sheet: Sheet, found: Iterable[Found], raw: str = "") -> tuple[Counter, list]:
    """Return how many cells are right, asked and left out by name, and each wrong one with the reason."""
    counts: Counter[str] = Counter()
    wrong: list = []
    by_key: dict[str, list[Found]] = {}
    asked_text = ""
    for one in found:
        by_key.setdefault(one.key, []).append(one)
        asked_text += one.told if one.waits else ""
        if one.key not in sheet.rows and not one.waits:
            wrong.append((sheet.seed, sheet.damage, "a row that is none", one))
    for key, meant in sheet.rows.items():
        rows = by_key.get(key, [])
        if not rows or all(row.waits for row in rows):
            told = bool(rows) or key in asked_text or key in raw
            counts["asked"] += len(meant) * told
            if not told:
                wrong.append((sheet.seed, sheet.damage, "a row is lost", key))
            continue
        if len(rows) > 1:
            wrong.append((sheet.seed, sheet.damage, "a row is doubled", key))
        (row,) = [one for one in rows if not one.waits][:1]
        for name, value in meant.items():
            if name not in row.fields:
                continue
            got = row.fields[name]
            if got in (None, "", [], ()):
                if value in (None, "", [], ()):
                    counts["right"] += 1
                elif row.told and _even(sheet.cells[key].get(name, ""))[:30] in _even(row.told):
                    counts["left out"] += 1
                else:
                    wrong.append((sheet.seed, sheet.damage, "in silence", key, name, value))
            elif got == value:
                counts["right"] += 1
            else:
                wrong.append((sheet.seed, sheet.damage, "wrong", key, name, got, value, row.told[:80]))
    counts["wrong"] = len(wrong)
    return counts, wrong


def _even(text: str) -> str:
    return " ".join(text.split()).casefold()
