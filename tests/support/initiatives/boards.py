"""Boards beside that of the cast, with their seats filled."""

from governance.models import Board, Unit, User
from governance.organisation import actions as organisation_actions
from governance.vocabulary import BoardRole
from initiatives.portfolio.units import actions as unit_actions


def waiting_board(cast, unit: Unit, name: str, *, chair: User) -> Board:
    """A board with this chair and the seats of the cast. It waits, if another board decides for the unit."""
    board = organisation_actions.add_board(name=name, unit=unit, by=cast.admin)
    for seat, person in {**cast.seats, BoardRole.CHAIR: chair}.items():
        organisation_actions.appoint(board=board, person=person, seat=seat, by=cast.admin)
    return board


def make_board(cast, unit: Unit, name: str, *, chair: User) -> Board:
    """The same board, which decides for the unit."""
    board = waiting_board(cast, unit, name, chair=chair)
    if board.decides_from is None:
        unit_actions.take_over(board=board, reason="Its seats are filled.", by=cast.admin)
    return Board.objects.get(pk=board.pk)
