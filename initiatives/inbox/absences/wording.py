"""Sentences on what separation of duties bars a delegate from."""

from governance import clock
from governance.models import Membership, User
from governance.people.boards import units_of_board
from governance.vocabulary import RUNNING_STAGES
from initiatives.models import Initiative, RoleAssignment

NAMED = 5  # initiatives that a sentence names before it counts the rest


def keeps_from_roles(person: User, delegate: User) -> list[str]:
    """Return what the delegate gains and loses by standing in for roles of `person`."""
    rows = RoleAssignment.objects.in_force().filter(person=person, initiative__stage__in=RUNNING_STAGES)
    initiatives = list(
        Initiative.objects.live().filter(pk__in=rows.values("initiative")).select_related("unit")
    )
    seated = Membership.objects.held_at(clock.now()).filter(person=delegate).select_related("board__unit")
    said = [
        (
            f"{delegate} answers, adds evidence and acts in place of {person} on {_named(initiatives)}. "
            f"Some actions must wait for {person}, such as accepting a role."
        )
    ]
    own = [
        initiative
        for initiative in initiatives
        if any(units_of_board(member.board).filter(pk=initiative.unit_id).exists() for member in seated)
    ]
    if own:
        said.append(
            f"{delegate} cannot sign or decide on {_named(own)} meanwhile, because {delegate} also acts for "
            "the team."
        )
    return said


def keeps_from_seat(membership: Membership, delegate: User) -> list[str]:
    """Return what the delegate of a seat can sign, and where they cannot."""
    initiatives = Initiative.objects.live().filter(
        unit__in=units_of_board(membership.board), stage__in=RUNNING_STAGES
    )
    roles = RoleAssignment.objects.open().filter(person=delegate)
    team_member = list(initiatives.filter(pk__in=roles.values("initiative")))
    seat = f"{membership.get_seat_display()}, {membership.board}"
    holder = membership.person
    said = [
        (
            f"{delegate} can also sign for {seat}, as delegate of {holder}. Each sign-off names both people. "
            f"If a review is still open when {holder} is back, {holder} must sign again."
        )
    ]
    if team_member:
        said.append(f"{delegate} works on {_named(team_member)} and cannot sign there.")
    others = Membership.objects.held_at(clock.now()).filter(board=membership.board, person=delegate)
    if others.exists():
        said.append(
            f"{delegate} already holds a different seat of that board, and can sign for only one of the two "
            "seats in each review."
        )
    return said


def _named(initiatives: list[Initiative]) -> str:
    if not initiatives:
        return "no running initiative"
    names = [initiative.ref for initiative in initiatives[:NAMED]]
    more = len(initiatives) - NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
