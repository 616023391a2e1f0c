"""Who may declare, move and end measures, and who may send readings, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no
from initiatives.access import permissions as case_permissions
from initiatives.models import Initiative


def may_declare(case: Initiative, person: User) -> Answer:
    """Declare a measure, move its goal, end it: the owner, who answers for what success means."""
    if not case_permissions.is_owner(case, person):
        return no("Only the owner says what is measured and against which target.", "Ask the owner.")
    return case_permissions.may_collaborate(case, person)


def may_read(case: Initiative, person: User) -> Answer:
    """Send readings and correct them: the owner, and whoever accepted a working role."""
    return case_permissions.may_collaborate(case, person)
