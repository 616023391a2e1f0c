"""Lines of a table that are added in one act, all or none: what each does, what is wrong with it, in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from governance.audit_log.csv_export import BEGINS
from governance.tables.columns import required
from governance.tables.encodings import wrong
from governance.tables.importing import Look, ShownLine
from governance.tables.reader import Table
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import refusal

MAX_ROWS = 2000
NEW, KNOWN, WRONG, OUT = "new", "known", "wrong", "out"


@dataclass
class Line:
    """One line of the table, with its problems and remarks.

    `odd` is True if its cells may not be those of their columns. `known` is the row that exists already. `above` is the
    line of the table that is added before this one. An `out` line stays out, and its remarks have the reason.
    """

    number: int
    cells: dict[str, str]
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    odd: bool = False
    known: Model | None = None
    above: "Line | None" = None
    out: bool = False

    @property
    def state(self) -> str:
        """Return if the line is new, known, wrong or left out."""
        if self.out:
            return OUT
        return WRONG if self.problems else KNOWN if self.known else NEW

    @property
    def changes(self) -> int:
        """Return the number of rows that the line adds."""
        return int(self.state == NEW)


L = TypeVar("L", bound=Line)


@dataclass(frozen=True)
class Lines(Generic[L]):
    """Every line read, in the order of the file."""

    lines: list[L]

    def of(self, state: str) -> list[L]:
        """Return the lines in this state."""
        return [line for line in self.lines if line.state == state]

    @property
    def changes(self) -> int:
        """Return the number of rows that the table adds."""
        return sum(line.changes for line in self.lines)

    def in_order(self) -> list[L]:
        """Return the new lines, each after the one above it where that is new too."""
        ordered: dict[int, L] = {}
        for line in self.of(NEW):
            chain = [line]
            while (above := chain[-1].above) is not None and above.number not in ordered:
                chain.append(above)
            for one in reversed(chain):
                ordered.setdefault(one.number, one)
        return list(ordered.values())

    def refuse_wrong(self) -> None:
        """Raise ValidationError when a line is wrong."""
        if count := len(self.of(WRONG)):
            lines = "One line needs" if count == 1 else f"{count} lines need"
            raise ValidationError(phrase("{} fixing. No line was imported.", lines))

    def look(self, cells_of: Callable[[L], tuple[str, ...]]) -> Look:
        """Return the effect of each line for its page. `cells_of` returns the shown cells of a line."""
        states = {
            WRONG: ("to fix", "bad"),
            NEW: ("is added", "ok"),
            KNOWN: ("already exists", ""),
            OUT: ("left out", ""),
        }
        words = {WRONG: "to fix", NEW: "new", KNOWN: "here already", OUT: "left out"}
        return Look(
            [
                ShownLine(
                    line.number,
                    cells_of(line),
                    *states[line.state],
                    tuple(line.problems or line.remarks),
                )
                for line in self.lines
            ],
            len(self.lines),
            {words[state]: len(found) for state in states if (found := self.of(state))},
            entering=sum(line.changes > 0 for line in self.lines),
            stops=len(self.of(WRONG)),
        )


def read_lines(
    table: Table,
    kind: type[L],
    columns: dict[str, tuple[str, ...]],
    needed: Sequence[str],
    *,
    unique: bool = True,
) -> list[L]:
    """Return the lines by field with evened spaces.

    Raises ValidationError on "file" without a needed column, or with two columns of one meaning if `unique`.
    """
    if len(table.lines) > MAX_ROWS:
        raise wrong(f"The table has more than {MAX_ROWS:,} lines. Split it.")
    found = required(table.columns, columns, needed, unique=unique)
    lines = []
    for row in table.lines:
        cells = {name: " ".join(row.cells.get(found.get(name, ""), "").split()) for name in columns}
        line = kind(row.number, cells, [*row.odd], odd=bool(row.odd))
        for name, cell in cells.items():
            line.problems += _odd(columns[name][0], cell)
        lines.append(line)
    return lines


def _odd(words: str, cell: str) -> list[str]:
    found = [f"The {words} cannot be used. {why}"] if (why := refusal(cell)) else []
    if BEGINS.match(cell):
        found.append(
            f"The {words} begins with {cell[0]!r}, which a spreadsheet reads as a formula or a quote. "
            "Remove that sign."
        )
    return found


def refuse_twice(lines: Iterable[Line], name: str, words: str) -> None:
    """Add a problem to each line with the cell of an earlier line. `words` name the cell."""
    first: dict[str, int] = {}
    for line in lines:
        cell = line.cells[name].lower()
        if cell and first.setdefault(cell, line.number) != line.number:
            line.problems.append(
                f"Line {first[cell]} already has the same {words}. Keep one of the two lines."
            )


def refuse_circles(lines: Iterable[Line], words: str) -> None:
    """Add a problem to each line above itself, and cut its `above`. `words` describe the circle."""
    for line in [line for line in lines if _in_a_circle(line)]:
        line.problems.append(f"{words} Empty one of the cells.")
        line.above = None


def _in_a_circle(line: Line) -> bool:
    met, at = {line.number}, line.above
    while at is not None and at is not line and at.number not in met:
        met.add(at.number)
        at = at.above
    return at is line
