"""Permissions to make intake links, read requests and answer them, with reasons."""

from django.db.models import Q, QuerySet

from governance.models import Board, Unit, User
from governance.people.boards import board_for, chair_now, seats_held, units_of_board
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole, IntakeState
from governance.vocabulary.phrases import phrase
from initiatives.models import IntakeRequest

LEADING = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


def _led(person: User) -> list[Board]:
    """Return the boards with the person as chair or deputy chair now."""
    if not person.is_active:
        return []
    return list({seat.board_id: seat.board for seat in seats_held(person) if seat.seat in LEADING}.values())


def _admin(person: User) -> bool:
    return person.is_active and person.is_admin


def units_for(person: User) -> QuerySet:
    """Return the units whose intake links the person makes. Admins make all."""
    return _of_units(Unit.objects.own(), "pk", person)


def requests_for(person: User) -> QuerySet:
    """Return the requests of the units of the person's boards, or all for admins."""
    return _of_units(IntakeRequest.objects.all(), "unit", person)


def _of_units(rows: QuerySet, column: str, person: User) -> QuerySet:
    if _admin(person):
        return rows
    mine = Q(pk__in=[])
    for board in _led(person):
        mine |= Q(**{f"{column}__in": units_of_board(board)})
    return rows.filter(mine)


def may_look(person: User) -> Answer:
    """See the page of links and requests: admins and chairs."""
    if _admin(person) or _led(person):
        return yes()
    return no("Only admins and chairs can make intake links and read the ideas.", "Ask an admin or a chair.")


def may_open(unit: Unit, person: User) -> Answer:
    """Make or end a unit's intake link: an admin, or the chair or deputy of its board."""
    board = board_for(unit)
    if _admin(person) or board in _led(person):
        return yes()
    return no(
        phrase("Only an admin or the chair of the board of {} can do this.", unit),
        "Ask an admin or the chair.",
    )


def chair_of(unit: Unit) -> User | None:
    """Return who answers a unit's requests: the chair of its board, or the deputy."""
    return chair_now(board_for(unit))


def may_answer(request: IntakeRequest, person: User) -> Answer:
    """Make an idea of a request or decline it: the chair of its board, or the deputy."""
    if request.state != IntakeState.WAITING:
        return no("This request is answered already.")
    chair = chair_of(request.unit)
    if chair is not None and chair.pk == person.pk and person.is_active:
        return yes()
    return no(
        phrase("Only the chair of the board of {} can answer this.", request.unit),
        phrase("Ask {}.", chair) if chair else "Ask an admin to fill the seat of the chair.",
    )


def may_compare_ideas(person: User) -> Answer:
    """See waiting ideas side by side: members of a board, for the units of that board."""
    if person.is_active and seats_held(person):
        return yes()
    return no("Only boards can compare ideas.", "Ask a member of your board.")
