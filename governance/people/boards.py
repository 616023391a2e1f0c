"""Boards: which one decides for a unit, and who sits on it at a moment."""

from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet, Value

from governance.database.batch_read import Batch, Given, Rows
from governance.models import Absence, Board, Membership, Unit, User
from governance.vocabulary import BoardRole

# What comes along of a person; a password never does.
PERSON = (
    "id",
    "login",
    "full_name",
    "email",
    "unit_id",
    "manager_id",
    "is_active",
    "is_admin",
    "is_auditor",
    "is_privacy_officer",
    "signs_from",
    "may_be_another",
)
_BOARD = tuple(one.column for one in Board._meta.concrete_fields)
_UNIT = tuple(one.column for one in Unit._meta.concrete_fields)


def away(moment, person: str = "person") -> Exists:
    """Return the expression that a row's person is away at `moment`, for queries."""
    return Exists(Absence.objects.at(moment).filter(person=OuterRef(person)))


_DELEGATE_OF = {"delegate_of": ("id", "person_id"), "delegate_of__person": PERSON}
_DECIDES = Board.objects.filter(decides_from__isnull=False)
_EVERY = Batch(boards=Rows(_DECIDES.annotate(every=Value(1)), "every", joined={"unit": _UNIT}))
_SEATED = Membership.objects.held_at(Given("now")).annotate(away=away(Given("now")))
_OF_BOARD = Batch(members=Rows(_SEATED, "board", joined={"person": PERSON} | _DELEGATE_OF))
_OF_PERSON = Batch(
    seats=Rows(_SEATED, "person", joined={"board": _BOARD, "board__unit": _UNIT} | _DELEGATE_OF)
)


def boards() -> list[Board]:
    """Return every board that decides, with its unit. They are few, and a board's place depends on the others."""
    return sorted(_EVERY.of(1, "boards"), key=lambda board: board.name)


def board_for(unit: Unit) -> Board | None:
    """Return the nearest board up the unit tree that decides, the unit's own first, or None."""
    codes = unit.ancestor_codes()
    above = [board for board in boards() if board.unit.code in codes]
    return min(above, key=lambda board: codes.index(board.unit.code), default=None)


def units_of_board(board: Board) -> QuerySet:
    """Return a query of the keys of the units for which this board decides. A board that waits decides for none."""
    if board.decides_from is None:
        return Unit.objects.none().values("pk")
    path = board.unit.path
    units = Unit.objects.filter(path__startswith=path)
    for other in boards():
        if other.pk != board.pk and other.unit.path.startswith(path):
            units = units.exclude(path__startswith=other.unit.path)
    return units.order_by().values("pk")


def members_now(board: Board | None) -> list[Membership]:
    """Everybody who holds a seat of the board now, with the person, and whether they are `away`."""
    if board is None:
        return []
    members = _OF_BOARD.of(board.pk, "members")
    return sorted(members, key=lambda member: (member.delegate_of_id is not None, member.pk))


def read_members(boards: Iterable[Board | None]) -> None:
    """Read now who sits on all these boards, for the running look: what `members_now` then gives."""
    _OF_BOARD.together({board.pk for board in boards if board is not None})


def seats_held(person: User) -> list[Membership]:
    """Return the person's current seats on any board, with chair and deputy chair. `away` is the current absence."""
    seats = _OF_PERSON.of(person.pk, "seats")
    return sorted(seats, key=lambda seat: (seat.board.name, seat.seat, seat.starts_at))


def read_seats(people: Iterable[User]) -> None:
    """Read now the seats of all these people, for the running look: what `seats_held` then gives."""
    _OF_PERSON.together({person.pk for person in people})


def seat_holders(members: Sequence[Membership], seat: str) -> list[Membership]:
    """Return the holders of the seat: its own holder first, then delegates."""
    return [member for member in members if member.seat == seat]


def holder_stood_in_for(members: Sequence[Membership], seat: str, person: User) -> User | None:
    """Return the seat's holder if the person is only a delegate, else None."""
    mine = [member for member in seat_holders(members, seat) if member.person_id == person.pk]
    if not mine or any(member.delegate_of_id is None for member in mine):
        return None
    return mine[0].delegate_of.person


def chairs(members: Sequence[Membership]) -> tuple[list[Membership], list[Membership]]:
    """Return the chair and the deputy chair, each as a list that may be empty."""
    return seat_holders(members, BoardRole.CHAIR), seat_holders(members, BoardRole.DEPUTY_CHAIR)


def chair_now(board: Board | None) -> User | None:
    """Return the chair of the board, the deputy chair if no chair is there, or None."""
    there = [member.person for seated in chairs(members_now(board)) for member in seated if not member.away]
    return there[0] if there else None
