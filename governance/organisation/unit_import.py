"""Reading units from a table: what each line will do, or what is wrong with it. Writes nothing.

A unit that is here already stays as it is; the same table read again after it was taken changes nothing.
"""

import csv
import io
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from governance.ledger.csv_export import STARTERS
from governance.models import Unit
from governance.organisation import people_import
from governance.tables.columns import plain
from governance.tables.reader import read_table, records_of
from governance.vocabulary.readable_text import refusal

MAX_BYTES = people_import.MAX_BYTES
MAX_ROWS = 2000
# Each column by the headings people give it; the first is ours.
COLUMNS = {
    "name": ("name", "unit", "department", "unit name"),
    "code": ("code", "unit code", "id", "key"),
    "parent": ("parent", "above", "part of", "parent unit", "parent code"),
}
EXAMPLE = "name,code,parent\nOperations,ops,\nField service,field,ops\nSales,sales,\n"
NEW, KNOWN, WRONG = "new", "known", "wrong"
LONGEST_NAME, LONGEST_CODE = (Unit._meta.get_field(name).max_length for name in ("name", "code"))


@dataclass
class Line:
    """One line of the table: the unit, where it goes, and what is wrong with it.

    `unit`: it is here already; `above`: what stands here that it goes below; `below`: the line of its parent.
    """

    number: int
    name: str
    code: str
    parent: str
    problems: list[str] = field(default_factory=list)
    unit: Unit | None = None
    above: Unit | None = None
    below: "Line | None" = None

    @property
    def state(self) -> str:
        """Whether the unit is new, here already, or the line wrong."""
        return WRONG if self.problems else KNOWN if self.unit else NEW

    @property
    def place(self) -> str:
        """What the unit goes below, in words; empty at the top."""
        return self.below.name if self.below else self.above.name if self.above else ""


@dataclass(frozen=True)
class Table:
    """Every line read, in the order of the file."""

    lines: list[Line]

    def of(self, state: str) -> list[Line]:
        """The lines in this state."""
        return [line for line in self.lines if line.state == state]

    @property
    def changes(self) -> int:
        """How many units are added."""
        return len(self.of(NEW))

    def parents_first(self) -> list[Line]:
        """The new units, each after the one that it goes below."""
        ordered: dict[int, Line] = {}

        def take(line: Line) -> None:
            if line.below is not None and line.below.number not in ordered:
                take(line.below)
            if line.state == NEW:
                ordered.setdefault(line.number, line)

        for line in self.of(NEW):
            take(line)
        return list(ordered.values())


def decode(content: bytes) -> str:
    """The lines of an uploaded file as text; of a workbook those of its sheet.

    Raises ValidationError, on "file", with what to do.
    """
    if content[:4] != b"PK\x03\x04" or len(content) > MAX_BYTES:
        return people_import.decode(content)
    table = read_table(content, expected=COLUMNS["name"])
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(table.columns)
    writer.writerows([[line.cells.get(name, "") for name in table.columns] for line in table.lines])
    return written.getvalue()


def read(text: str) -> Table:
    """Read the table against the units that are here now.

    Raises ValidationError where it is no table at all; what is wrong with a line stands on the line.
    """
    lines = _lines(text)
    own = list(Unit.objects.living().order_by("pk"))
    _check_names(lines, own)
    _check_twice(lines)
    _check_parents(lines, [unit for unit in own if not unit.imported])
    for line in lines:
        if line.below is not None and line.below.problems:
            line.problems.append(f"It goes below line {line.below.number}, which needs fixing first.")
    return Table(lines)


def _lines(text: str) -> list[Line]:
    try:
        records = [(number, [" ".join(cell.split()) for cell in cells]) for number, cells in records_of(text)]
    except ValidationError as trouble:
        raise ValidationError(trouble.messages) from None
    if len(records) < 2:
        raise ValidationError(
            "There is no unit in it. The first line names the columns, each further line one unit."
        )
    if len(records) > MAX_ROWS + 1:
        raise ValidationError(f"The table has more than {MAX_ROWS} units. Split it.")
    by_heading = {heading: name for name, headings in COLUMNS.items() for heading in headings}
    columns = [by_heading.get(plain(cell), "") for cell in records[0][1]]
    known = [name for name in columns if name]
    if len(known) != len(set(known)):
        raise ValidationError("Two columns have the same heading; keep one of them.")
    if "name" not in known:
        raise ValidationError(
            "The first line names no column “name”. The columns are: name, code, parent; the first is needed."
        )
    lines = []
    for number, cells in records[1:]:
        said = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
        lines.append(Line(number, said.get("name", ""), said.get("code", ""), said.get("parent", "")))
    return lines


def _check_names(lines: list[Line], units: list[Unit]) -> None:
    by_code = {unit.code.lower(): unit for unit in units}
    by_name = {unit.name.casefold(): unit for unit in reversed(units) if not unit.imported}
    every = set(Unit.objects.values_list("code", flat=True)) | {
        line.code.lower() for line in lines if line.code
    }
    for line in lines:
        for name in ("name", "code", "parent"):
            cell = getattr(line, name)
            if why := refusal(cell):
                line.problems.append(f"The {name} cannot be taken. {why}")
            if cell and (cell[0] in STARTERS or cell[0] == "'"):
                line.problems.append(f"The {name} begins with {cell[0]!r}. Take that sign away.")
        if not line.name or len(line.name) > LONGEST_NAME:
            line.problems.append(
                f"The name is longer than {LONGEST_NAME} letters; shorten it."
                if line.name
                else "The name is missing."
            )
            continue
        if line.code and (slugify(line.code) != line.code.lower() or len(line.code) > LONGEST_CODE):
            line.problems.append(
                f"The code {line.code[:60]!r} does not work. Use letters, digits and - only, at most {LONGEST_CODE}; "
                "or leave it empty, and it is made of the name."
            )
            continue
        line.unit = by_code.get(line.code.lower()) if line.code else by_name.get(line.name.casefold())
        if line.unit is not None and line.code and line.unit.name.casefold() != line.name.casefold():
            line.problems.append(f"The code {line.code} is that of {line.unit}. Choose another code.")
            line.unit = None
        elif line.unit is not None and line.unit.imported:
            line.problems.append(line.unit.taken_over_first)
        elif line.unit is None and line.code and line.code in every - {one.code for one in lines}:
            line.problems.append(f"The code {line.code} was a unit's that is merged. Choose another code.")
        line.code = line.unit.code if line.unit else line.code or _code(line.name, every)


def _code(name: str, taken: set[str]) -> str:
    """A code nobody has, made of the name."""
    stem = code = slugify(name)[: LONGEST_CODE - 4].strip("-") or "unit"
    number = 1
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    taken.add(code)
    return code


def _check_twice(lines: list[Line]) -> None:
    first: dict[str, int] = {}
    for line in lines:
        if line.code and first.setdefault(line.code.lower(), line.number) != line.number:
            line.problems.append(f"Line {first[line.code.lower()]} has that unit already. Keep one of them.")


def _check_parents(lines: list[Line], own: list[Unit]) -> None:
    here: dict[str, list[Line | Unit]] = {}
    for line in lines:
        for word in {line.code.lower(), line.name.casefold()} - {""}:
            here.setdefault(word, []).append(line)
    there: dict[str, list[Unit]] = {}
    for unit in own:
        for word in {unit.code.lower(), unit.name.casefold()}:
            there.setdefault(word, []).append(unit)
    for line in lines:
        if not line.parent or line.unit is not None:
            continue
        word = line.parent.casefold()
        of_table = [one for one in here.get(word, []) if one.unit is None]
        found = of_table or there.get(word, [])
        if not found:
            line.problems.append(
                f"There is no unit {line.parent[:60]!r}, here or in the table. Write the code or name of another."
            )
        elif len(found) > 1:
            codes = ", ".join(one.code for one in found)
            line.problems.append(f"Several units are called {line.parent[:60]!r}. Write a code: {codes}.")
        elif of_table:
            line.below = of_table[0]
        else:
            line.above = found[0]
    for line in [line for line in lines if _in_a_circle(line)]:
        line.problems.append("The parents lead round in a circle, back to this unit. Empty one of the cells.")
        line.below = None


def _in_a_circle(line: Line) -> bool:
    met, at = {line.number}, line.below
    while at is not None and at is not line and at.number not in met:
        met.add(at.number)
        at = at.below
    return at is line
