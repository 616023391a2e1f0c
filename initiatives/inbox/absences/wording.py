"""Absences in words, and what separation of duties keeps from a delegate: shown before anybody is asked."""

from datetime import datetime, timedelta

from governance import clock
from governance.models import Absence, Membership, User
from governance.people.boards import units_of_board
from governance.templatetags.plumbline import day as in_words
from governance.vocabulary import RUNNING_STAGES
from initiatives.models import Initiative, RoleAssignment

NAMED = 5  # initiatives that a sentence names before it counts the rest


def days_of(absence: Absence) -> str:
    """The days of an absence, in words: "from 3 December to 10 December 2026"."""
    return days_between(absence.starts_at, absence.ends_at)


def days_between(starts_at: datetime, ends_at: datetime) -> str:
    """The same for a time that ends at the first moment which is no longer part of it."""
    last = clock.local_day(max(ends_at - timedelta(microseconds=1), starts_at))
    return f"from {in_words(starts_at)} to {in_words(last)}"


def keeps_from_roles(person: User, delegate: User) -> list[str]:
    """What standing in for the roles of `person` gives the delegate, and what it takes from them meanwhile."""
    rows = RoleAssignment.objects.in_force().filter(person=person, initiative__stage__in=RUNNING_STAGES)
    initiatives = list(
        Initiative.objects.live().filter(pk__in=rows.values("initiative")).select_related("unit")
    )
    seated = Membership.objects.held_at(clock.now()).filter(person=delegate).select_related("board__unit")
    said = [
        f"{delegate} answers, adds evidence and acts as {person} does on {_named(initiatives)}. "
        f"What only {person} can say, "
        "such as accepting a role, waits."
    ]
    own = [
        initiative
        for initiative in initiatives
        if any(units_of_board(member.board).filter(pk=initiative.unit_id).exists() for member in seated)
    ]
    if own:
        said.append(
            f"Meanwhile {delegate} signs and decides nothing on {_named(own)}: nobody stands on both sides of "
            f"an initiative."
        )
    return said


def keeps_from_seat(membership: Membership, delegate: User) -> list[str]:
    """On which initiatives of the board the delegate could not sign, because they are team members of them."""
    initiatives = Initiative.objects.live().filter(
        unit__in=units_of_board(membership.board), stage__in=RUNNING_STAGES
    )
    roles = RoleAssignment.objects.open().filter(person=delegate)
    team_member = list(initiatives.filter(pk__in=roles.values("initiative")))
    seat = f"{membership.get_seat_display()}, {membership.board}"
    holder = membership.person
    said = [
        f"{seat}: {delegate} signs beside {holder}, as delegate; each sign-off names both. It counts while {delegate} "
        f"holds the seat: what is not decided when {holder} is back is signed anew."
    ]
    if team_member:
        said.append(f"{delegate} works on {_named(team_member)} and cannot sign there.")
    others = Membership.objects.held_at(clock.now()).filter(board=membership.board, person=delegate)
    if others.exists():
        said.append(
            f"{delegate} holds another seat of that board already, and signs for one of them in each review."
        )
    return said


def _named(initiatives: list[Initiative]) -> str:
    if not initiatives:
        return "no running initiative"
    names = [initiative.ref for initiative in initiatives[:NAMED]]
    more = len(initiatives) - NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
