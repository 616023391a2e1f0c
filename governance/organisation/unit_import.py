"""Reading units from a table: the effect of each line, or its problems. Writes nothing.

An existing unit stays unchanged. The same table read again after the import changes nothing.
"""

from dataclasses import dataclass

from django.utils.text import slugify

from governance.models import Unit
from governance.organisation import table_lines
from governance.organisation.table_lines import Lines, read_lines, refuse_circles, refuse_twice
from governance.tables.reader import Table

# Each column by the headings people give it; the first is ours.
COLUMNS = {
    "name": ("name", "unit", "department", "unit name"),
    "code": ("code", "unit code", "id", "key"),
    "parent": ("parent", "above", "part of", "parent unit", "parent code"),
}
EXAMPLE = "name,code,parent\nOperations,ops,\nField service,field,ops\nSales,sales,\n"
NEEDED = ("name",)
LONGEST_NAME, LONGEST_CODE = (Unit._meta.get_field(name).max_length for name in ("name", "code"))


@dataclass
class Line(table_lines.Line):
    """One line of the table: the unit and its place. `parent` is a unit that exists already."""

    known: Unit | None = None
    above: "Line | None" = None
    parent: Unit | None = None

    @property
    def name(self) -> str:
        """Return the name of the unit."""
        return self.cells["name"]

    @property
    def code(self) -> str:
        """Return its code: of the unit that is here, as written, or made of its name."""
        return self.cells["code"]

    @property
    def place(self) -> str:
        """Return the name of the parent, or "" for a unit at the top."""
        return self.above.name if self.above else self.parent.name if self.parent else ""


def read(table: Table) -> Lines[Line]:
    """Read the table against the current units.

    Raises ValidationError if it is not a table of units. Each line has its own problems.
    """
    lines = read_lines(table, Line, COLUMNS, NEEDED)
    own = list(Unit.objects.living().order_by("pk"))
    _check_names(lines, own)
    refuse_twice(lines, "code", "unit")
    _check_parents(lines, [unit for unit in own if not unit.imported])
    for line in lines:
        if line.above is not None and line.above.problems:
            line.problems.append(f"The parent is in line {line.above.number}. First fix that line.")
    return Lines(lines)


def _check_names(lines: list[Line], units: list[Unit]) -> None:
    by_code = {unit.code.lower(): unit for unit in units}
    by_name = {unit.name.casefold(): unit for unit in reversed(units) if not unit.imported}
    every = set(Unit.objects.values_list("code", flat=True)) | {
        line.code.lower() for line in lines if line.code
    }
    for line in lines:
        if not line.name or len(line.name) > LONGEST_NAME:
            line.problems.append(
                f"The name is longer than {LONGEST_NAME} letters. Shorten it."
                if line.name
                else "The name is missing."
            )
            continue
        if line.code and (slugify(line.code) != line.code.lower() or len(line.code) > LONGEST_CODE):
            line.problems.append(
                f"The code {line.code[:60]!r} is not valid. Use at most {LONGEST_CODE} letters, digits and "
                "-, or leave the cell empty to use the name."
            )
            continue
        line.known = by_code.get(line.code.lower()) if line.code else by_name.get(line.name.casefold())
        if line.known is not None and line.code and line.known.name.casefold() != line.name.casefold():
            line.problems.append(f"The code {line.code} belongs to {line.known}. Choose another code.")
            line.known = None
        elif line.known is not None and line.known.imported:
            line.problems.append(line.known.taken_over_first)
        elif line.known is None and line.code and line.code in every - {one.code for one in lines}:
            line.problems.append(
                f"The code {line.code} belonged to a unit that was merged. Choose another code."
            )
        line.cells["code"] = line.known.code if line.known else line.code or _code(line.name, every)


def _code(name: str, taken: set[str]) -> str:
    """Return a free code, made of the name."""
    stem = code = slugify(name)[: LONGEST_CODE - 4].strip("-") or "unit"
    number = 1
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    taken.add(code)
    return code


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
        if not line.cells["parent"] or line.known is not None:
            continue
        wanted = line.cells["parent"]
        word = wanted.casefold()
        of_table = [one for one in here.get(word, []) if one.known is None]
        found = of_table or there.get(word, [])
        if not found:
            line.problems.append(
                f"Unit {wanted[:60]!r} does not exist, in Plumbline or in the table. Write the code or name "
                "of another unit."
            )
        elif len(found) > 1:
            codes = ", ".join(one.code for one in found)
            line.problems.append(f"Several units are called {wanted[:60]!r}. Write a code: {codes}.")
        elif of_table:
            line.above = of_table[0]
        else:
            line.parent = found[0]
    refuse_circles(lines, "The parents form a circle back to this unit.")
