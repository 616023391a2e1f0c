"""Permissions on roles: to answer a proposal, and to hand over."""

from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.roles_and_seats import active
from initiatives.models import RoleAssignment


def may_accept_role(assignment: RoleAssignment, person: User) -> Answer:
    """Allow the proposed person to accept, or accept again. The acceptance is evidence and closes holds."""
    return all_of(may_answer_role(assignment, person), cooling_off.may_lift(person))


def may_hand_over(leaver: User, person: User) -> Answer:
    """Allow a person, or an admin, to hand over what the person holds. The successors answer themselves."""
    if person.is_active and (person.pk == leaver.pk or person.is_admin):
        return yes()
    who_may = phrase("Only {} or an admin can hand over the roles and tasks of {}.", leaver, leaver)
    return no(who_may, "Ask an admin.")


def may_answer_role(assignment: RoleAssignment, person: User) -> Answer:
    """Allow only the proposed person to answer (docs/domain.md, invariant 6)."""
    if assignment.person_id != person.pk:
        return no(
            phrase("Only {} can answer this.", assignment.person),
            phrase("Ask {} to answer, or ask the owner to propose someone else.", assignment.person),
        )
    return active(person)
