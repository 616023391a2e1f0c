"""Who makes an intake link, reads what came by it and answers it, as answers that carry their reasons."""

from django.db.models import Q, QuerySet

from governance.models import Board, Unit, User
from governance.people.boards import board_for, chair_now, seats_held, units_of_board
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole, IntakeState
from initiatives.models import IntakeRequest

LEADING = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


def _led(person: User) -> list[Board]:
    """The boards on which the person is chair or deputy chair now."""
    if not person.is_active:
        return []
    return list({seat.board_id: seat.board for seat in seats_held(person) if seat.seat in LEADING}.values())


def _admin(person: User) -> bool:
    return person.is_active and person.is_admin


def units_for(person: User) -> QuerySet:
    """The units for which the person makes intake links: all for admins, those of their board for chairs."""
    return _of_units(Unit.objects.own(), "pk", person)


def requests_for(person: User) -> QuerySet:
    """The requests that the person reads: all for admins, those to the units of their board for chairs."""
    return _of_units(IntakeRequest.objects.all(), "unit", person)


def _of_units(rows: QuerySet, column: str, person: User) -> QuerySet:
    if _admin(person):
        return rows
    mine = Q(pk__in=[])
    for board in _led(person):
        mine |= Q(**{f"{column}__in": units_of_board(board)})
    return rows.filter(mine)


def may_look(person: User) -> Answer:
    """The page of links and requests: admins and chairs."""
    if _admin(person) or _led(person):
        return yes()
    return no("Admins and chairs make intake links and read what comes by them.", "Ask one of them.")


def may_open(unit: Unit, person: User) -> Answer:
    """Make the intake link of a unit, and end it: an admin, chair or deputy chair of the unit's board."""
    board = board_for(unit)
    if _admin(person) or board in _led(person):
        return yes()
    return no(f"Only an admin or the chair of the board of {unit} does this.", "Ask one of them.")


def chair_of(unit: Unit) -> User | None:
    """Who answers what people wrote to a unit: the chair of its board, or the deputy while no chair is there."""
    return chair_now(board_for(unit))


def may_answer(request: IntakeRequest, person: User) -> Answer:
    """Make an idea of a request or decline it: the chair of the unit's board, or the deputy in their place."""
    if request.state != IntakeState.WAITING:
        return no("This request is answered already.")
    chair = chair_of(request.unit)
    if chair is not None and chair.pk == person.pk and person.is_active:
        return yes()
    return no(
        f"The chair of the board of {request.unit} answers this.",
        f"Ask {chair}." if chair else "An admin can fill the seat of the chair.",
    )


def may_compare_ideas(person: User) -> Answer:
    """See waiting ideas side by side: whoever sits on a board, of the ideas of that board's units."""
    if person.is_active and seats_held(person):
        return yes()
    return no("Ideas are compared by the boards they wait for.", "Ask a member of your board.")
