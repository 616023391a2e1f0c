"""Tables of measurements: rows to measurements, with what cannot be read said line by line. Hostile until read."""

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError

from adoption.measurements.measurement_validation import MOST, USERS, WRONG, Asked, Fate, Sent
from governance.tables.columns import parse_date, required
from governance.tables.numbers import decimal_marks, parse_number, read_amount
from governance.tables.reader import Line, Table

# By what a column holds, the headers it goes by.
HEADERS = {
    "measure": ("measure", "instrument"),
    "starts_on": ("from", "start", "starts_on", "period_from"),
    "ends_on": ("to", "end", "ends_on", "period_to", "until"),
    "team": ("team", "group", "department"),
    "about": ("about", "population"),
    "hits": ("hits", "so_many", "k", "count"),
    "n": ("n", "of", "of_so_many"),
    "value": ("value", "mean"),
    "sd": ("sd", "standard_deviation"),
    "key": ("key", "id"),
    "replaces": ("replaces", "corrects"),
}
NUMBERS = ("n", "hits", "value", "sd")
EXPECTED = ("measure", "from", "to", "n")


@dataclass(frozen=True)
class Row:
    """A line of the table: the measurement in it, or why there is none."""

    line: int
    sent: Sent | None
    fate: Fate | None


def read_rows(table: Table, asked: dict[int, Asked]) -> list[Row]:
    """The rows of a table of measurements. Raises ValidationError on "file" where columns are missing.

    A row without a key of its own gets one from what it is about (measure, period, team), so that the same file sent
    again adds nothing, and a figure that changed is seen.
    """
    needed = ["starts_on", "ends_on", "n"]
    if len(asked) != 1:
        needed.insert(0, "measure")
    columns = required(table.columns, HEADERS, needed)
    names = [columns[role] for role in NUMBERS if role in columns]
    marks = decimal_marks(line.cells.get(name, "") for line in table.lines for name in names)
    mark = marks.pop() if len(marks) == 1 else ""
    return [_row(line, columns, asked, mark) for line in table.lines]


def _row(line: Line, columns: dict[str, str], asked: dict[int, Asked], mark: str) -> Row:
    said = {role: line.cells.get(name, "").strip() for role, name in columns.items()}
    try:
        return Row(line.number, _sent(said, asked, mark), None)
    except ValidationError as problem:
        return Row(line.number, None, Fate(WRONG, " ".join(problem.messages)))


def _sent(said: dict[str, str], asked: dict[int, Asked], mark: str) -> Sent:
    measure = _measure(said.get("measure", ""), asked)
    start, end = (_day(said[name], name) for name in ("starts_on", "ends_on"))
    key = said.get("key", "")
    if not key:
        about = "|".join((str(measure.key), str(start), str(end), said.get("team", "").casefold()))
        key = f"row:{hashlib.sha256(about.encode()).hexdigest()[:40]}"
    return Sent(
        measure.key,
        start,
        end,
        _whole(said["n"], "n", mark),
        key,
        hits=_whole(said["hits"], "hits", mark) if said.get("hits") else None,
        value=_figure(said["value"], "value", mark) if said.get("value") else None,
        sd=_figure(said["sd"], "sd", mark) if said.get("sd") else None,
        team=said.get("team", ""),
        about=_about(said.get("about", "")),
        replaces=said.get("replaces", ""),
    )


def _measure(said: str, asked: dict[int, Asked]) -> Asked:
    current = [one for one in asked.values() if not one.ended]
    if not said and len(current) == 1:
        return current[0]
    for one in current:
        if said.casefold() in (str(one.key), one.instrument.casefold(), one.words.casefold()):
            return one
    names = ", ".join(one.instrument for one in current)
    raise ValidationError(f"No measure is called {said[:60]!r}. Known are: {names or 'none yet'}.")


def _day(said: str, name: str) -> date:
    found = parse_date(said)
    if len(found) != 10:
        raise ValidationError(
            f"{HEADERS[name][0]}: {said[:40]!r} is no day that cannot be mistaken; write 2026-11-16."
        )
    return date.fromisoformat(found)


def _whole(said: str, name: str, mark: str) -> int:
    number = _number(said, name, mark)
    if number is None or number != int(number) or not 0 <= number <= MOST:
        raise ValidationError(f"{name}: {said[:40]!r} is not a whole number. Write 1204.")
    return int(number)


def _figure(said: str, name: str, mark: str) -> float:
    number = _number(said, name, mark)
    if number is None:
        raise ValidationError(f"{name}: {said[:40]!r} is not a number. Write 12.5.")
    return float(number)


def _number(said: str, name: str, mark: str) -> Decimal | None:
    """The number; refused where it can be two and no other cell of the table shows which mark is decimal."""
    number = parse_number(said, mark)
    if number is None and (either := read_amount(said).either):
        less, more = (f"{value.normalize():f}" for value in either)
        raise ValidationError(f"{name}: {said[:40]!r} can mean {less} or {more}. Write one of these.")
    return number


def _about(said: str) -> str:
    return said.strip().casefold().replace(" ", "_") or USERS
