"""Who reads what the portfolio costs and whom it needs."""

from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from initiatives.models import RoleAssignment


def may_read_costs(person: User) -> Answer:
    """Cost and capacity, of the initiatives that the person may open: boards, sponsors, auditors and admins."""
    if person.is_active and (
        person.is_admin
        or person.is_auditor
        or seats_held(person)
        or RoleAssignment.objects.in_force().filter(person=person, role=Role.SPONSOR).exists()
    ):
        return yes()
    return no("Boards, sponsors, auditors and admins read what the portfolio costs.", "Ask one of them.")
