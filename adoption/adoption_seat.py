"""The adoption seat of a case's board: it confirms post-mortems, hears of behaviour reports and answers lessons."""

from governance.models import User
from governance.people.boards import board_for, members_now, seat_holders
from initiatives.access import permissions as case_permissions
from initiatives.models import Initiative

SEAT = "adoption_change"


def confirmers(case: Initiative) -> list[User]:
    """Who holds the adoption seat of the case's board and is not party to the case."""
    return [
        member.person
        for member in seat_holders(members_now(board_for(case.unit)), SEAT)
        if not case_permissions.barred_from_signing(case, member.person)
    ]
