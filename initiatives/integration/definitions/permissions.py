"""Permissions to use and name terms, to define fields, and to decide conflicts."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.integration.systems.permissions import may_change_system
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.roles_and_seats import holds_architecture_seat, whom_to_ask
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative, System


def may_use_terms(initiative: Initiative, person: User) -> Answer:
    """Allow the owner and accepted working roles to use terms in a running initiative."""
    if initiative.closed or initiative.withdrawn_at:
        return no(
            "This initiative has ended, so it uses no terms.",
            "Ask the chair to reopen the initiative if it was stopped.",
        )
    return initiative_permissions.may_collaborate(initiative, person)


def may_name_terms(person: User) -> Answer:
    """Allow the architecture seat and admins to name business terms and their meaning."""
    if person.is_active and (person.is_admin or holds_architecture_seat(person)):
        return yes()
    return no(
        "Only the architecture seat and admins can add business terms.",
        whom_to_ask(),
    )


def may_define(system: System, person: User) -> Answer:
    """Allow people who may change a system to define its fields."""
    return may_change_system(system, person)


def may_decide_conflict(initiative: Initiative, person: User) -> Answer:
    """Allow the initiative's data steward, or who acts for them, to decide a conflict."""
    if initiative.closed or initiative.withdrawn_at:
        return no("This initiative has ended, so its conflicts need no decision.")
    if Role.DATA_STEWARD in roles_and_seats.roles_of(initiative, person):
        return yes()
    steward = roles_and_seats.accepted(initiative, Role.DATA_STEWARD)
    return no(
        "Only the data steward of the initiative can decide this conflict.",
        phrase("Ask {}.", steward.person)
        if steward
        else "Ask the owner to propose a data steward under People.",
    )
