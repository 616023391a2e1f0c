"""The adoption seat, which confirms post-mortems, gets behaviour reports and answers lessons, and roles at work."""

from governance.models import User
from governance.people.boards import board_for, members_now, seat_holders
from governance.vocabulary import Role
from initiatives.lifecycle.access import signers
from initiatives.models import Initiative

SEAT = "adoption_change"
TREATING = (Role.OWNER, Role.DEPUTY, Role.SUPPORT_OWNER)  # who treats a problem of users
OPERATING = (*TREATING, Role.TECHNICAL_LEAD)  # who treats an incident


def confirmers(initiative: Initiative) -> list[User]:
    """Return the holders of the board's adoption seat who are not on the team."""
    return [
        member.person
        for member in seat_holders(members_now(board_for(initiative.unit)), SEAT)
        if not signers.barred_from_signing(initiative, member.person)
    ]
