"""The reading of tables of measurements, with errors by line. A table is untrusted until it is read."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError

from adoption.measurements.measurement_validation import MOST, USERS, WRONG, Asked, Fate, Sent
from governance.tables.cell_values import yes_or_no
from governance.tables.columns import parse_date, required, why_no_day
from governance.tables.numbers import read_number, unit_of, why_no_number
from governance.tables.reader import Line, Table
from governance.vocabulary.phrases import phrase

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
    "others": ("others", "other_people"),
}
EXPECTED = ("measure", "from", "to", "n")


@dataclass(frozen=True)
class Row:
    """A line of the table: its measurement, or the reason why it has none."""

    line: int
    sent: Sent | None
    fate: Fate | None


def read_rows(table: Table, asked: dict[int, Asked]) -> list[Row]:
    """Return the rows of a table of measurements.

    Raises ValidationError on "file" if columns are missing. A row without a key gets one from its measure, period and
    team. The same file sent again then adds nothing, and a changed figure is recognised. Rows of others in one period
    are counted for their keys.
    """
    needed = ["starts_on", "ends_on", "n"]
    if len(asked) != 1:
        needed.insert(0, "measure")
    columns = required(table.columns, HEADERS, needed)
    parts: Counter[str] = Counter()
    return [_row(line, columns, asked, parts) for line in table.lines]


def _row(line: Line, columns: dict[str, str], asked: dict[int, Asked], parts: Counter[str]) -> Row:
    said = {role: line.cells.get(name, "").strip() for role, name in columns.items()}
    if line.odd:
        return Row(line.number, None, Fate(WRONG, " ".join(line.odd)))
    try:
        return Row(line.number, _sent(said, columns, asked, parts), None)
    except ValidationError as problem:
        return Row(line.number, None, Fate(WRONG, " ".join(problem.messages)))


def _sent(
    said: dict[str, str], columns: dict[str, str], asked: dict[int, Asked], parts: Counter[str]
) -> Sent:
    measure = _measure(said.get("measure", ""), asked)
    start, end = (_day(said[name], name) for name in ("starts_on", "ends_on"))
    key, others = said.get("key", ""), _others(said.get("others", ""))
    if not key:
        about = "|".join((str(measure.key), str(start), str(end), said.get("team", "").casefold()))
        if others:
            parts[about] += 1
            about = f"{about}|others {parts[about]}"
        key = f"row:{hashlib.sha256(about.encode()).hexdigest()[:40]}"
    hits, value, sd = (_number(said, name, columns, whole=name == "hits") for name in ("hits", "value", "sd"))
    return Sent(
        measure.key,
        start,
        end,
        int(_number(said, "n", columns, whole=True) or 0),
        key,
        hits=None if hits is None else int(hits),
        value=None if value is None else float(value),
        sd=None if sd is None else float(sd),
        team=said.get("team", ""),
        about=_about(said.get("about", "")),
        replaces=said.get("replaces", ""),
        others=others,
    )


def _measure(said: str, asked: dict[int, Asked]) -> Asked:
    current = [one for one in asked.values() if not one.ended]
    if not said and len(current) == 1:
        return current[0]
    for one in current:
        if said.casefold() in (str(one.key), one.instrument.casefold(), one.words.casefold()):
            return one
    names = ", ".join(one.instrument for one in current)
    raise ValidationError(
        phrase(
            "This initiative has no measure {}. Use one of these: {}.", f"{said[:60]!r}", names or "none yet"
        )
    )


def _day(said: str, name: str) -> date:
    found = parse_date(said)
    if len(found) != 10:
        raise ValidationError(phrase("{}: {}", HEADERS[name][0], why_no_day(said)))
    return date.fromisoformat(found)


def _number(
    said: dict[str, str], name: str, columns: dict[str, str], *, whole: bool = False
) -> Decimal | None:
    """Return the number of a cell in the unit of its heading, or None for an empty cell of a figure."""
    if not said.get(name) and name != "n":
        return None
    most = MOST if whole else None
    number = read_number(said[name], most=most, whole=whole, heading=unit_of(columns[name]))
    if number.value is None or (whole and number.value < 0):
        why = why_no_number(said[name], number, "1204" if whole else "12.5")
        raise ValidationError(phrase("{}: {}", name, why))
    return number.value


def _others(said: str) -> bool:
    if said and (found := yes_or_no(said)) is None:
        raise ValidationError(phrase("others: {} is not clear. Write yes or no.", f"{said[:40]!r}"))
    return bool(said and found)


def _about(said: str) -> str:
    return said.strip().casefold().replace(" ", "_") or USERS
