"""Who may declare, move and end measures, and who may send measurements, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def may_declare(initiative: Initiative, person: User) -> Answer:
    """Declare a measure, move its goal, end it: the owner, who answers for what success means."""
    if not initiative_permissions.is_owner(initiative, person):
        return no("Only the owner says what is measured and against which target.", "Ask the owner.")
    return initiative_permissions.may_collaborate(initiative, person)


def may_read(initiative: Initiative, person: User) -> Answer:
    """Send measurements and correct them: the owner, and whoever accepted a working role."""
    return initiative_permissions.may_collaborate(initiative, person)
