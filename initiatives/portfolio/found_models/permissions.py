"""Permissions of found models: to read which were found, and to answer them."""

from django.db.models import Q, QuerySet

from governance.models import Board, Unit, User
from governance.people.boards import board_for, chair_now, seats_held, units_of_board
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole, FoundAnswer
from governance.vocabulary.phrases import phrase
from initiatives.models import FoundModel

LEADING = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


def _led(person: User) -> list[Board]:
    """Return the boards with the person as chair or deputy chair now."""
    if not person.is_active:
        return []
    return list({seat.board_id: seat.board for seat in seats_held(person) if seat.seat in LEADING}.values())


def _admin(person: User) -> bool:
    return person.is_active and person.is_admin


def may_look(person: User) -> Answer:
    """Read which models were found: admins and chairs."""
    if _admin(person) or _led(person):
        return yes()
    return no("Only admins and chairs can see found models.", "Ask an admin or a chair.")


def found_for(person: User) -> QuerySet[FoundModel]:
    """Return the found models that the person reads. A chair reads those of the board's units."""
    units = Unit.objects.own()
    if not _admin(person):
        mine = Q(pk__in=[])
        for board in _led(person):
            mine |= Q(pk__in=units_of_board(board))
        units = units.filter(mine)
    return FoundModel.objects.filter(unit__in=units.order_by().values("pk"))


def may_answer(found: FoundModel, person: User) -> Answer:
    """Answer for a found model: the chair of its unit's board, or the deputy."""
    if found.answer != FoundAnswer.WAITING:
        return no(phrase("{} is already answered.", found), "Read the answer on the page of the model.")
    chair = chair_now(board_for(found.unit))
    if chair is not None and chair.pk == person.pk and person.is_active:
        return yes()
    return no(
        phrase("Only the chair of the board of {} can answer for {}.", found.unit, found),
        phrase("Ask {}.", chair) if chair else "Ask an admin to fill the seat of the chair.",
    )
