"""Recipients of reminders: roles, board, chair and admins, read once."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import cached_property

from governance.models import User
from governance.notifications.due import Due
from governance.people.boards import board_for, chairs, members_now, seat_holders
from governance.vocabulary import Seat
from initiatives.models import Initiative, RoleAssignment

CHAIR_AFTER, BOARD_AFTER = 7, 14  # days after something was due: escalation (docs/domain.md, "Beat")
WHY_YOU = {
    f"chair{CHAIR_AFTER}d": "You receive this because the task has been waiting for a week.",
    f"board{BOARD_AFTER}d": "You receive this because the task has been waiting for two weeks.",
}


class Circle:
    """The people around some initiatives at this moment. Initiatives must come with their unit."""

    def __init__(self, initiatives: Iterable[Initiative]):
        keys = {initiative.pk for initiative in initiatives}
        self._open: dict[int, list[RoleAssignment]] = {}
        rows = RoleAssignment.objects.open().filter(initiative__in=keys).select_related("person")
        for row in rows.order_by("id"):
            self._open.setdefault(row.initiative_id, []).append(row)
        self._members: dict[int, list] = {}

    def role(self, initiative: Initiative, role: str) -> User | None:
        """Return the holder of the role in force, or None."""
        return next(
            (
                row.person
                for row in self._open.get(initiative.pk, ())
                if row.role == role and row.accepted_at and row.person.is_active
            ),
            None,
        )

    def roles(self, initiative: Initiative) -> dict[str, User]:
        """Return the holder of each role in force."""
        rows = self._open.get(initiative.pk, ())
        return {row.role: row.person for row in rows if row.accepted_at and row.person.is_active}

    def team_member(self, initiative: Initiative, person: User) -> bool:
        """Return True if the person holds or is proposed for any role on the initiative."""
        return any(row.person_id == person.pk for row in self._open.get(initiative.pk, ()))

    def members(self, initiative: Initiative) -> list:
        """Return the present members of the initiative's board."""
        if initiative.unit_id not in self._members:
            self._members[initiative.unit_id] = members_now(board_for(initiative.unit))
        return self._members[initiative.unit_id]

    def chair(self, initiative: Initiative) -> User | None:
        """Return the person who decides now: the chair, or the deputy.

        The deputy decides if the chair is away or a team member.
        """
        for members in chairs(self.members(initiative)):
            for member in members:
                if not member.away and not self.team_member(initiative, member.person):
                    return member.person
        return None

    def holders(self, initiative: Initiative, seat: str) -> list[User]:
        """Return the holders of the seat who are not team members of the initiative."""
        return [
            member.person
            for member in seat_holders(self.members(initiative), seat)
            if not self.team_member(initiative, member.person)
        ]

    def board(self, initiative: Initiative) -> list[User]:
        """Return the signing members of the initiative's board."""
        return [member.person for member in self.members(initiative) if member.seat in Seat]

    def owner(self, initiative: Initiative) -> User | None:
        """Return the accepted owner."""
        return self.role(initiative, "owner")

    @cached_property
    def admins(self) -> list[User]:
        """Return everyone who administers this installation."""
        return list(User.objects.active().filter(is_admin=True))

    def in_charge(self, initiative: Initiative) -> list[User]:
        """Return the owner. Without an owner, return the sponsor and the chair."""
        owner = self.owner(initiative)
        return [owner] if owner else _people([self.role(initiative, "sponsor"), self.chair(initiative)])

    def escalated(self, initiative: Initiative, start: date, today: date) -> tuple[str, list[User]]:
        """Return who else gets a reminder of a task open since `start`. The chair is first, then board and sponsor."""
        waited = (today - start).days
        if waited >= BOARD_AFTER:
            people = [self.chair(initiative), self.role(initiative, "sponsor"), *self.board(initiative)]
            return f"board{BOARD_AFTER}d", _people(people)
        if waited >= CHAIR_AFTER:
            return f"chair{CHAIR_AFTER}d", _people([self.chair(initiative)])
        return "", []


def _people(people: Iterable[User | None]) -> list[User]:
    """Return the people who are not None, each once."""
    return list({person.pk: person for person in people if person is not None}.values())


def told(
    told: Iterable[User | None],
    period: str,
    make: Callable[..., Due],
    escalation: tuple[str, list[User]] = ("", []),
) -> list[Due]:
    """Return a message for each person at `period`, and for the escalation."""
    first = _people(told)
    dues = [make(person, period=period) for person in first if period]
    higher, people = escalation
    besides = [make(person, period=higher) for person in people if person not in first]
    return dues + [
        replace(due, text=f"{due.text.rstrip()} {WHY_YOU.get(higher, '')}".strip()) for due in besides
    ]
