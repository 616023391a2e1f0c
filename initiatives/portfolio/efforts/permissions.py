"""Permissions on notes of effort, and on the costs of the portfolio."""

from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.roles_and_seats import active, is_acting_chair
from initiatives.models import Initiative, RoleAssignment


def may_read_costs(person: User) -> Answer:
    """Allow boards, sponsors, auditors and admins to read costs. They read those of visible initiatives."""
    sponsored = RoleAssignment.objects.in_force().filter(person=person, role=Role.SPONSOR)
    office = person.is_admin or person.is_auditor or seats_held(person)
    if person.is_active and (office or sponsored.exists()):
        return yes()
    return no("Only boards, sponsors, auditors and admins can see portfolio costs.", "Ask an admin.")


def may_withdraw_note(initiative: Initiative, note, person: User) -> Answer:
    """Allow the author of a note, or the chair, to take it back."""
    if note.by_id == person.pk or is_acting_chair(initiative, person):
        return active(person)
    return no(phrase("Only {} or the chair can withdraw this.", note.by), "Add your own note instead.")
