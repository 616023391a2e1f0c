"""Reading people from a table: what each line will do, or what is wrong with it. Writes nothing.

The same text read again after it was taken finds everybody there and changes nothing: what is here already stays as it
is here.
"""

import re
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from governance import clock
from governance.ledger.csv_export import STARTERS
from governance.models import Board, Membership, Unit, User
from governance.models.people import LOGIN_HELP, LOGIN_LETTERS, LONGEST_LOGIN
from governance.tables import encodings
from governance.tables.columns import plain
from governance.tables.encodings import wrong
from governance.tables.reader import records_of
from governance.vocabulary import BoardRole
from governance.vocabulary.readable_text import refusal

MAX_BYTES = 1024 * 1024
MAX_ROWS = 2000
# Each column by the headings people give it; the first is ours.
COLUMNS = {
    "login": ("user name", "login", "username", "account"),
    "full_name": ("name", "full name"),
    "email": ("mail", "email", "e-mail", "mail address"),
    "unit": ("unit", "unit code", "department"),
    "manager": ("manager", "reports to"),
    "board": ("board",),
    "seat": ("seat",),
}
NEEDED = ("login", "full_name")
EXAMPLE = (
    "user name,name,mail,unit,manager,board,seat\n"
    "ana,Ana Ruiz,ana@example.org,sales,,,\n"
    "ben,Ben Okoye,ben@example.org,sales,ana,Sales board,Risk and compliance\n"
)
NEW, KNOWN, WRONG = "new", "known", "wrong"
SEATS_BY_WORDS = {words.lower(): key for key, words in BoardRole.choices} | {key: key for key in BoardRole}


@dataclass
class Line:
    """One line of the table: who, what becomes of it, and what is wrong with it or worth knowing."""

    number: int
    cells: dict[str, str]
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    person: User | None = None
    unit: Unit | None = None
    board: Board | None = None
    seat: str = ""
    fills_seat: bool = False

    @property
    def state(self) -> str:
        """Whether the person is new, here already, or the line wrong."""
        return WRONG if self.problems else KNOWN if self.person else NEW

    @property
    def seat_words(self) -> str:
        """The seat that will be filled, in words; empty where none is."""
        return f"{BoardRole(self.seat).label}, {self.board}" if self.fills_seat else ""


@dataclass(frozen=True)
class Table:
    """Every line read, in the order of the file."""

    lines: list[Line]

    def of(self, state: str) -> list[Line]:
        """The lines in this state."""
        return [line for line in self.lines if line.state == state]

    @property
    def changes(self) -> int:
        """How many accounts are added and seats filled."""
        return len(self.of(NEW)) + sum(line.fills_seat for line in self.lines)

    @property
    def without_mail(self) -> int:
        """How many of the new people cannot be invited, for want of an address."""
        return sum(not line.cells["email"] for line in self.of(NEW))

    def managers_first(self) -> list[Line]:
        """The new people, each after their manager where that is a new one too."""
        by_login = {line.cells["login"].lower(): line for line in self.of(NEW)}
        ordered: dict[int, Line] = {}

        def take(line: Line) -> None:
            above = by_login.get(line.cells["manager"].lower())
            if above is not None and above.number not in ordered:
                take(above)
            ordered.setdefault(line.number, line)

        for line in by_login.values():
            take(line)
        return list(ordered.values())


def decode(content: bytes) -> str:
    """The text of an uploaded file. Raises ValidationError, on "file", with what to do."""
    if len(content) > MAX_BYTES:
        raise wrong("The file is larger than 1 MB. Split it.")
    if content[:4] == b"PK\x03\x04":
        raise wrong("This is a workbook. Save its sheet as CSV (UTF-8) and choose that.")
    try:
        return encodings.decode(content)[0]
    except (encodings.CodePageUnsure, ValidationError):
        raise wrong("The file is not text in UTF-8. Save it as “CSV UTF-8” and choose it again.") from None


def read(text: str, *, by: User) -> Table:
    """Read the table against what is here now; `by` is the admin who will add the people.

    Raises ValidationError where it is no table at all; what is wrong with a line stands on the line.
    """
    lines = _lines(text)
    look = _Here()
    for line in lines:
        _check_cells(line)
        _check_person(line, look)
        _check_seat(line, look, by)
    _check_twice(lines)
    _check_managers(lines, look)
    return Table(lines)


# --- Text to lines -------------------------------------------------------------------------------------------


def _lines(text: str) -> list[Line]:
    try:
        records = [(number, [" ".join(cell.split()) for cell in cells]) for number, cells in records_of(text)]
    except ValidationError as trouble:
        raise ValidationError(trouble.messages) from None  # said of pasted lines too
    if len(records) < 2:
        raise ValidationError(
            "There is nobody in it. The first line names the columns, each further line one person."
        )
    if len(records) > MAX_ROWS + 1:
        raise ValidationError(f"The table has more than {MAX_ROWS} people. Split it.")
    columns = _columns(records[0][1])
    return [_line(number, columns, cells) for number, cells in records[1:]]


def _columns(cells: list[str]) -> list[str]:
    by_heading = {heading: name for name, headings in COLUMNS.items() for heading in headings}
    columns = [by_heading.get(plain(cell), "") for cell in cells]
    known = [name for name in columns if name]
    if len(known) != len(set(known)):
        raise ValidationError("Two columns have the same heading; keep one of them.")
    missing = [f"“{COLUMNS[name][0]}”" for name in NEEDED if name not in known]
    if missing:
        headings = ", ".join(headings[0] for headings in COLUMNS.values())
        raise ValidationError(
            f"The first line names no column {' and '.join(missing)}. The columns are: {headings}; "
            "the first two are needed, in any order."
        )
    return columns


def _line(number: int, columns: list[str], cells: list[str]) -> Line:
    line = Line(number, dict.fromkeys(COLUMNS, ""))
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        line.problems.append(
            f"It has {len(cells)} cells and the first line {len(columns)}. Put a cell that holds a comma into quotes."
        )
    line.cells |= {name: cell for name, cell in zip(columns, cells, strict=False) if name}
    return line


# --- Each line against what is here --------------------------------------------------------------------------


class _Here:
    """What is here now: people, units, boards and who sits on them, each asked for once."""

    def __init__(self):
        self.people = {
            row.login.lower(): row for row in User.objects.select_related("unit", "manager").order_by("pk")
        }
        self.units: dict[str, list[Unit]] = {}
        for unit in Unit.objects.living():  # imported ones too: they are refused by their name
            for name in {unit.code.lower(), unit.name.lower()}:
                self.units.setdefault(name, []).append(unit)
        self.boards = {board.name.lower(): board for board in Board.objects.all()}
        held = Membership.objects.held_at(clock.now())
        self.held = set(held.values_list("board_id", "seat", "person_id"))


def _check_cells(line: Line) -> None:
    for name, cell in line.cells.items():
        if why := refusal(cell):
            line.problems.append(f"The {COLUMNS[name][0]} cannot be taken. {why}")
        if cell and (cell[0] in STARTERS or cell[0] == "'"):
            line.problems.append(
                f"The {COLUMNS[name][0]} begins with {cell[0]!r}, which a spreadsheet takes for a formula or a quote. "
                "Take that sign away."
            )
    login, full_name, email = (line.cells[name] for name in ("login", "full_name", "email"))
    if not login:
        line.problems.append("The user name is missing. It is what the person signs in with.")
    elif len(login) > LONGEST_LOGIN or not re.fullmatch(f"[{LOGIN_LETTERS}]+", login):
        line.problems.append(
            f"The user name {login[:60]!r} does not work. {LOGIN_HELP[:-1]}, at most {LONGEST_LOGIN} of them."
        )
    if not full_name or len(full_name) > 120:
        line.problems.append(
            "The name is missing." if not full_name else "The name is longer than 120 letters; shorten it."
        )
    if email:
        try:
            validate_email(email)
        except ValidationError:
            line.problems.append(f"{email[:80]!r} is no mail address. Write it like ana@example.org.")


def _check_person(line: Line, here: _Here) -> None:
    wanted = line.cells["unit"]
    found = here.units.get(wanted.lower(), [])
    units = [unit for unit in found if not unit.imported] or found
    if wanted and not units:
        line.problems.append(f"There is no unit {wanted[:60]!r}. Add it first, or write the code of another.")
    elif len(units) > 1:
        codes = ", ".join(unit.code for unit in units)
        line.problems.append(f"Several units are called {wanted[:60]!r}. Write a code: {codes}.")
    elif units and units[0].imported:
        line.problems.append(units[0].taken_over_first)
    elif units:
        line.unit = units[0]
    line.person = here.people.get(line.cells["login"].lower())
    if line.person is not None:
        line.remarks += _differences(line, line.person)


def _differences(line: Line, person: User) -> list[str]:
    """What of somebody who is here already is another in the table; it stays as it is here."""
    here = {
        "full_name": person.full_name,
        "email": person.email,
        "unit": person.unit.code if person.unit else "",
        "manager": person.manager.login if person.manager else "",
    }
    said = line.cells | {"unit": line.unit.code if line.unit else line.cells["unit"]}
    return [
        f"The {COLUMNS[name][0]} stays {value!r}; change it in Admin." if value else
        f"The {COLUMNS[name][0]} stays empty; add it in Admin."
        for name, value in here.items()
        if said[name] and said[name].lower() != value.lower()
    ]  # fmt: skip


def _check_seat(line: Line, here: _Here, by: User) -> None:
    board, seat = line.cells["board"], line.cells["seat"]
    if not board and not seat:
        return
    if not board or not seat:
        line.problems.append(
            "A seat needs both its board and its name. Fill in the other one, or empty both."
        )
        return
    line.board = here.boards.get(board.lower())
    line.seat = SEATS_BY_WORDS.get(seat.lower(), "")
    if line.board is None:
        line.problems.append(f"There is no board {board[:60]!r}. Add it first.")
    if not line.seat:
        line.problems.append(f"There is no seat {seat[:60]!r}. The seats are: {', '.join(BoardRole.labels)}.")
    if line.board is None or not line.seat:
        return
    if line.person is not None and line.person.pk == by.pk:
        line.problems.append("Nobody seats themselves. Ask another admin.")
    elif line.person is not None and not line.person.is_active:
        line.problems.append("The account has ended, so the person takes no seat. Give it back first.")
    else:
        held_by = line.person.pk if line.person else None
        line.fills_seat = (line.board.pk, line.seat, held_by) not in here.held


def _check_twice(lines: list[Line]) -> None:
    first: dict[str, int] = {}
    for line in lines:
        login = line.cells["login"].lower()
        if login and first.setdefault(login, line.number) != line.number:
            line.problems.append(f"Line {first[login]} has that user name already. Keep one of them.")


def _check_managers(lines: list[Line], here: _Here) -> None:
    by_login = {line.cells["login"].lower(): line for line in reversed(lines)}
    for line in lines:
        manager, login = line.cells["manager"].lower(), line.cells["login"].lower()
        if not manager:
            continue
        if manager == login:
            line.problems.append("Nobody is their own manager. Empty the cell, or name somebody else.")
        elif manager not in by_login and manager not in here.people:
            line.problems.append(
                f"Nobody signs in as {manager[:60]!r}. Write the user name of the manager, or add them to the table."
            )
        elif _in_a_circle(line, by_login):
            line.problems.append(
                "The managers lead round in a circle, back to this person. Empty one of the cells."
            )


def _in_a_circle(line: Line, by_login: dict[str, Line]) -> bool:
    met, at = {line.number}, by_login.get(line.cells["manager"].lower())
    while at is not None and at.person is None:
        if at.number in met:
            return at is line
        met.add(at.number)
        at = by_login.get(at.cells["manager"].lower())
    return False
