"""The roles and seats that a person has on an initiative, and who decides there."""

from django.db.models import Q

from governance import clock
from governance.contracts.wording import listed
from governance.models import Membership, User
from governance.people.boards import board_for, chairs, members_now, seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import BoardRole, Role, Seat
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.signers import ever_owned, why_not_decide
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative, RoleAssignment

ARCHITECTURE = "architecture_integration"
COLLABORATORS = (Role.OWNER, Role.DEPUTY, Role.SUPPORT_OWNER, Role.TECHNICAL_LEAD, Role.DATA_STEWARD)
MOST_NAMED = 3  # people in one refusal


def holds_architecture_seat(person: User) -> bool:
    """Return True if the person sits for architecture and integration on any board. Shared rows belong to no board."""
    return person.is_active and any(member.seat == ARCHITECTURE for member in seats_held(person))


def roles_of(initiative: Initiative, person: User) -> frozenset[str]:
    """Return the roles in force that the person accepted or stands in for. An inactive person has none."""
    if not person.is_active:
        return frozenset()
    return frozenset(
        row.role
        for row in initiative_rows.roles(initiative)
        if row.in_force and (row.person_id == person.pk or person.pk in initiative_rows.standing_in(row))
    )


def accepted(initiative: Initiative, role: str) -> RoleAssignment | None:
    """Return the assignment in force for a role, if any."""
    return next((row for row in initiative_rows.roles(initiative) if row.in_force and row.role == role), None)


def sits_on_board(initiative: Initiative, person: User) -> bool:
    """Return True if the person holds any seat of the initiative's board now."""
    return bool(_seats_on(initiative, person))


def _seats_on(initiative: Initiative, person: User) -> set[str]:
    """Return the seats, chair and deputy included, that the person holds there now."""
    return {member.seat for member in memberships_on(initiative, person)}


def memberships_on(initiative: Initiative, person: User, seats=tuple(BoardRole)) -> list[Membership]:
    """Return the person's memberships on the initiative's board in these seats. Chair and deputy are seats too."""
    board = board_for(initiative.unit)
    held = seats_held(person) if board is not None else []
    return [member for member in held if member.board_id == board.pk and member.seat in seats]


def active(person: User) -> Answer:
    """Allow everyone whose account is active."""
    return yes() if person.is_active else no("This account is no longer active.", "Ask an admin.")


def is_owner(initiative: Initiative, person: User) -> bool:
    """Return True for the accepted owner. The person who registered it counts while none ever accepted."""
    if "owner" in roles_of(initiative, person):
        return True
    return person.is_active and initiative.registered_by_id == person.pk and not ever_owned(initiative)


def acting_chair(initiative: Initiative, members: list[Membership] | None = None) -> tuple[User | None, str]:
    """Return the person who decides now, or None, and why. The deputy replaces a chair who is absent or barred."""
    members = members_now(board_for(initiative.unit)) if members is None else members
    chair, deputy = chairs(members)
    why = "the board has no chair"
    for member in chair:
        barred = why_not_decide(initiative, member.person)
        if not barred and not member.away:
            return member.person, "chair"
        why = f"{member.person} {barred or 'is away'}"
    for member in deputy:
        if not member.away and not why_not_decide(initiative, member.person):
            return member.person, f"deputy chair, because {why}"
    return None, why


def is_acting_chair(initiative: Initiative, person: User) -> bool:
    """Return True if the person decides on this initiative now."""
    chair, _ = acting_chair(initiative)
    return chair is not None and chair.pk == person.pk


def holds_seat(initiative: Initiative, person: User, seat: str) -> bool:
    """Return True if the person holds this seat of the initiative's board now."""
    return seat in _seats_on(initiative, person)


def seats_of(initiative: Initiative, person: User) -> list[str]:
    """Return the person's signing seats on the board now, in the rulebook's order."""
    held = _seats_on(initiative, person)
    return [seat for seat in Seat if seat in held]


def is_any_chair(initiative: Initiative, person: User) -> bool:
    """Return True for the board's chair, even if away, or who decides in their place."""
    return BoardRole.CHAIR in _seats_on(initiative, person) or is_acting_chair(initiative, person)


def whom_to_ask(owner: User | None = None, seats: tuple[str, ...] = (ARCHITECTURE,)) -> str:
    """Return a sentence with names and email addresses: the active owner, else holders of the seats, else admins."""
    people = [owner] if owner is not None and owner.is_active else []
    held = Membership.objects.held_at(clock.now()).filter(seat__in=seats)
    for others in (Q(pk__in=held.values("person")), Q(is_admin=True)):
        people = people or list(
            User.objects.filter(others, is_active=True).order_by("full_name")[:MOST_NAMED]
        )
    named = [f"{one} ({one.email})" if one.email else f"{one}" for one in people]
    return phrase("Ask {}.", listed(named or ["an admin"], "or"))
