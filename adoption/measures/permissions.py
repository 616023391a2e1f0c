"""Permissions on measures and measurements, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative


def may_declare(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may declare a measure, move its goal and end it. The owner may."""
    if not roles_and_seats.is_owner(initiative, person):
        return no("Only the owner can declare measures and set targets.", "Ask the owner.")
    return initiative_permissions.may_collaborate(initiative, person)


def may_read(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may send and correct measurements. The owner and accepted working roles may."""
    return initiative_permissions.may_collaborate(initiative, person)
