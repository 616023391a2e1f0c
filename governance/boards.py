"""Which board a unit answers to, and who sits on it at a moment."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from governance import clock
from governance.models import Absence, Board, Membership, Unit, User
from governance.models.people import CHAIR, DEPUTY_CHAIR
from governance.reading import once


def boards() -> list[Board]:
    """Every board with its unit: there are few, and each question about one needs its place among the others."""
    return once(("boards",), lambda: list(Board.objects.select_related("unit")))


def board_for(unit: Unit) -> Board | None:
    """The nearest board up the unit tree, the unit's own first; None where no unit above has one."""
    codes = unit.ancestor_codes()
    above = [board for board in boards() if board.unit.code in codes]
    return min(above, key=lambda board: codes.index(board.unit.code), default=None)


def units_of_board(board: Board) -> QuerySet:
    """Keys of the units whose nearest board this is, as a query to filter by."""
    path = board.unit.path
    units = Unit.objects.filter(path__startswith=path)
    for other in boards():
        if other.pk != board.pk and other.unit.path.startswith(path):
            units = units.exclude(path__startswith=other.unit.path)
    return units.order_by().values("pk")


def members_at(board: Board | None, moment) -> list[Membership]:
    """Everybody who holds a seat of the board at `moment`, with the person, and whether they are `away` then."""
    return _seated(board.memberships.all(), moment) if board is not None else []


def _seated(rows: QuerySet, moment) -> list[Membership]:
    held = rows.held_at(moment).annotate(away=away(moment))
    return list(held.select_related("person", "delegate_of__person").order_by("delegate_of_id", "id"))


def away(moment, person: str = "person") -> Exists:
    """Whether that person of a row is away at `moment`, to annotate or filter by."""
    return Exists(Absence.objects.at(moment).filter(person=OuterRef(person)))


def members_now(board: Board | None) -> list[Membership]:
    """Everybody who holds a seat of the board now, with the person."""
    if board is None:
        return []
    return once(("members", board.pk), lambda: members_at(board, clock.now()))


def read_members(boards: Iterable[Board | None]) -> None:
    """Read now who sits on all these boards, for the running look: what `members_now` then gives."""
    keys = {board.pk for board in boards if board is not None}
    if not keys:
        return
    seated: dict[int, list[Membership]] = {key: [] for key in keys}
    for row in _seated(Membership.objects.filter(board__in=keys), clock.now()):
        seated[row.board_id].append(row)
    for key, rows in seated.items():
        once(("members", key), lambda rows=rows: rows)


def seats_held(person: User) -> list[Membership]:
    """The seats, chair and deputy chair among them, that the person holds now on any board; `away`: whether now."""

    def read() -> list[Membership]:
        now = clock.now()
        held = Membership.objects.held_at(now).filter(person=person).annotate(away=away(now))
        return list(held.select_related("board__unit", "delegate_of__person"))

    return once(("seats", person.pk), read)


def seat_holders(members: list[Membership], seat: str) -> list[Membership]:
    """Who holds the seat: its holder first, then delegates."""
    return [member for member in members if member.seat == seat]


def holder_stood_in_for(members: list[Membership], seat: str, person: User) -> User | None:
    """Whose seat it is, where the person holds it as a delegate only; else None."""
    mine = [member for member in seat_holders(members, seat) if member.person_id == person.pk]
    if not mine or any(member.delegate_of_id is None for member in mine):
        return None
    return mine[0].delegate_of.person


def chairs(members: list[Membership]) -> tuple[list[Membership], list[Membership]]:
    """The chair and the deputy chair, each as a list that may be empty."""
    return seat_holders(members, CHAIR), seat_holders(members, DEPUTY_CHAIR)
