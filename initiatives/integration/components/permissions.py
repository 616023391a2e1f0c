"""Permissions to change the component register and to evaluate models."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access.roles_and_seats import holds_architecture_seat
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative


def may_keep_components(person: User) -> Answer:
    """Allow admins and architecture seats of any board to keep the component register."""
    if person.is_active and (person.is_admin or holds_architecture_seat(person)):
        return yes()
    return no(
        "Only admins and the architecture seat can change the register of components.",
        "Ask the architecture seat. Owners and technical leads can add a missing component when they "
        "record a version.",
    )


def may_evaluate(initiative: Initiative, person: User) -> Answer:
    """Allow people who work on the initiative to evaluate its models."""
    return initiative_permissions.may_collaborate(initiative, person)
