"""Reading people from a table: the effect of each line, or its problems. Writes nothing.

The same table read again after the import finds everyone and changes nothing. Existing rows stay unchanged.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from governance import clock
from governance.models import Board, Membership, Unit, User
from governance.models.people import LOGIN_HELP, LOGIN_LETTERS, LONGEST_LOGIN
from governance.organisation import table_lines
from governance.organisation.table_lines import Lines, read_lines, refuse_circles, refuse_twice
from governance.tables.cell_values import folded
from governance.tables.columns import named
from governance.tables.reader import Table
from governance.vocabulary import BoardRole

# Each column by the headings people give it; the first is ours.
COLUMNS = {
    "login": ("user name", "login", "username", "account"),
    "full_name": ("name", "full name"),
    "email": ("mail", "email", "e-mail", "mail address", "email address", "e-mail address"),
    "unit": ("unit", "unit code", "department"),
    "manager": ("manager", "reports to"),
    "board": ("board",),
    "seat": ("seat",),
}
NEEDED = ("login", "full_name")
NEEDED_HEADINGS = tuple(COLUMNS[name][0] for name in NEEDED)
EXAMPLE = (
    "user name,name,mail,unit,manager,board,seat\n"
    "ana,Ana Ruiz,ana@example.org,sales,,,\n"
    "ben,Ben Okoye,ben@example.org,sales,ana,Sales board,Risk and compliance\n"
)
SEATS_BY_WORDS = {words.lower(): key for key, words in BoardRole.choices} | {key: key for key in BoardRole}


@dataclass
class Line(table_lines.Line):
    """One line of the table: who, in which unit, and the seat that they take."""

    known: User | None = None
    unit: Unit | None = None
    board: Board | None = None
    seat: str = ""
    fills_seat: bool = False

    @property
    def changes(self) -> int:
        """Return the number of added rows: an account and a seat."""
        return super().changes + self.fills_seat

    @property
    def seat_words(self) -> str:
        """Return the seat that will be filled in words, or ""."""
        return f"{BoardRole(self.seat).label}, {self.board}" if self.fills_seat else ""


def read(table: Table, *, by: User) -> Lines[Line]:
    """Read the table against the current people. `by` is the admin who will add them.

    A table without user names has email addresses, which become the user names of new people. Raises ValidationError if
    it is not a table of people. Each line has its own problems.
    """
    by_address = {"login", "email"} & named(table.columns, COLUMNS).keys() == {"email"}
    lines = read_lines(table, Line, COLUMNS, NEEDED[1:] if by_address else NEEDED)
    look = _Here()
    for line in lines:
        if by_address:
            same = look.by_address.get(line.cells["email"].lower(), [])
            line.cells["login"] = same[0].login if len(same) == 1 else line.cells["email"].lower()
        _check_cells(line)
        _check_person(line, look)
        _check_seat(line, look, by)
    refuse_twice(lines, "login", "email address" if by_address else "user name")
    _check_managers(lines, look)
    for line in lines:
        if line.known is not None:
            line.remarks += _differences(line, line.known)
    return Lines(lines)


class _Here:
    """The current people, units, boards and members, each read once."""

    def __init__(self):
        self.people = {
            row.login.lower(): row for row in User.objects.select_related("unit", "manager").order_by("pk")
        }
        self.by_address: dict[str, list[User]] = {}
        for person in self.people.values():
            if person.email:
                self.by_address.setdefault(person.email.lower(), []).append(person)
        self.units: dict[str, list[Unit]] = {}
        for unit in Unit.objects.living():  # imported ones too: they are refused by their name
            for name in {unit.code.lower(), unit.name.lower()}:
                self.units.setdefault(name, []).append(unit)
        self.boards = {board.name.lower(): board for board in Board.objects.all()}
        held = Membership.objects.held_at(clock.now())
        self.held = set(held.values_list("board_id", "seat", "person_id"))


def _check_cells(line: Line) -> None:
    login, full_name, email = (line.cells[name] for name in ("login", "full_name", "email"))
    if not login:
        line.problems.append(
            "The user name is missing. Enter the name or the address that the person signs in with."
        )
    elif len(login) > LONGEST_LOGIN or not re.fullmatch(f"[{LOGIN_LETTERS}]+", login):
        line.problems.append(
            f"The user name {login[:60]!r} is not valid. {LOGIN_HELP} Use at most {LONGEST_LOGIN}."
        )
    if not full_name or len(full_name) > 120:
        line.problems.append(
            "The name is missing." if not full_name else "The name is longer than 120 letters. Shorten it."
        )
    if email:
        try:
            validate_email(email)
        except ValidationError:
            line.problems.append(f"{email[:80]!r} is not an email address. Use the form ana@example.org.")


def _check_person(line: Line, here: _Here) -> None:
    wanted = line.cells["unit"]
    found = here.units.get(wanted.lower(), [])
    units = [unit for unit in found if not unit.imported] or found
    if wanted and not units:
        line.problems.append(
            f"Unit {wanted[:60]!r} does not exist. Add the unit first, or write the code of another unit."
        )
    elif len(units) > 1:
        codes = ", ".join(unit.code for unit in units)
        line.problems.append(f"Several units are called {wanted[:60]!r}. Write a code: {codes}.")
    elif units and units[0].imported:
        line.problems.append(units[0].taken_over_first)
    elif units:
        line.unit = units[0]
    line.known = here.people.get(line.cells["login"].lower())
    others = here.by_address.get(line.cells["email"].lower(), []) if line.cells["email"] else []
    if line.known is None and others:
        logins = ", ".join(repr(person.login) for person in others[:3])
        line.problems.append(
            f"The mail {line.cells['email'][:80]!r} belongs to {logins}. Write that user name if it is this person, or "
            "write another address."
        )


def _differences(line: Line, person: User) -> list[str]:
    """Return the cells that differ from an existing account. The account stays unchanged."""
    here = {
        "full_name": person.full_name,
        "email": person.email,
        "unit": person.unit.code if person.unit else "",
        "manager": person.manager.login if person.manager else "",
    }
    said = line.cells | {"unit": line.unit.code if line.unit else line.cells["unit"]}
    return [
        f"The {COLUMNS[name][0]} stays {value!r}. Change it in Admin." if value else
        f"The {COLUMNS[name][0]} stays empty. Add it in Admin."
        for name, value in here.items()
        if said[name] and said[name].lower() != value.lower()
    ]  # fmt: skip


def _check_seat(line: Line, here: _Here, by: User) -> None:
    board, seat = line.cells["board"], line.cells["seat"]
    if not board and not seat:
        return
    if not board or not seat:
        line.problems.append(
            "The line names a board without a seat, or a seat without a board. Fill in the missing cell, "
            "or clear both cells."
        )
        return
    line.board = here.boards.get(board.lower())
    line.seat = SEATS_BY_WORDS.get(seat.lower(), "")
    if line.board is None:
        line.problems.append(f"Board {board[:60]!r} does not exist. First add the board.")
    if not line.seat:
        line.problems.append(
            f"Seat {seat[:60]!r} does not exist. Choose one of these seats: {', '.join(BoardRole.labels)}."
        )
    if line.board is None or not line.seat:
        return
    if line.known is not None and line.known.pk == by.pk:
        line.problems.append("You cannot give yourself a seat. Ask another admin.")
    elif line.known is not None and not line.known.is_active:
        line.problems.append(
            "The account is deactivated, so the person cannot have a seat. First reactivate the account."
        )
    else:
        held_by = line.known.pk if line.known else None
        line.fills_seat = (line.board.pk, line.seat, held_by) not in here.held


def _check_managers(lines: list[Line], here: _Here) -> None:
    """Find each manager by user name, address or name, in the table and among the accounts."""
    by_login = {line.cells["login"].lower(): line for line in reversed(lines)}
    ways: tuple[dict[str, set[str]], ...] = (defaultdict(set), defaultdict(set), defaultdict(set))
    rows = [
        (line.cells["login"], line.cells["email"], line.cells["full_name"]) for line in lines if not line.odd
    ]
    rows += [(person.login, person.email, person.full_name) for person in here.people.values()]
    for login, email, full_name in rows:
        for way, word in zip(ways, _words_for(login, email, full_name), strict=True):
            way[word].add(login.lower())
    for line in lines:
        said = line.cells["manager"]
        if not said:
            continue
        words = _words_for(said, said, said)
        found = next(
            (way[word] for way, word in zip(ways, words, strict=True) if word and word in way), set()
        )
        manager = line.cells["manager"] = next(iter(found)) if len(found) == 1 else said
        if len(found) > 1:
            logins = ", ".join(sorted(found)[:5])
            line.problems.append(f"Several people are called {said[:60]!r}. Write a user name: {logins}.")
        elif manager == line.cells["login"].lower():
            line.problems.append(
                "A person cannot be their own manager. Empty the cell, or name someone else."
            )
        elif not found:
            line.problems.append(
                f"No one signs in as {said[:60]!r} or has this address or name. Write the user name of the "
                "manager, or add the manager to the table."
            )
        elif manager in by_login and by_login[manager].known is None and line.known is None:
            line.above = by_login[manager]
    refuse_circles(lines, "The managers form a circle back to this person.")


def _words_for(login: str, email: str, full_name: str) -> tuple[str, str, str]:
    """Return the words by which a person is found. The words of a name may have any order."""
    return login.lower(), email.lower(), " ".join(sorted(re.findall(r"\w+", folded(full_name))))
