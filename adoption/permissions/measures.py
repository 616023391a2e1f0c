"""Who may declare, move and end measures, and who may send readings, as answers that carry their reasons."""

from governance.answers import Answer, no
from governance.models import User
from initiatives import permissions
from initiatives.models import Initiative


def may_declare(case: Initiative, person: User) -> Answer:
    """Declare a measure, move its goal, end it: the owner, who answers for what success means."""
    if not permissions.is_owner(case, person):
        return no("Only the owner says what is measured and against which target.", "Ask the owner.")
    return permissions.may_collaborate(case, person)


def may_read(case: Initiative, person: User) -> Answer:
    """Send readings and correct them: the owner, and whoever accepted a working role."""
    return permissions.may_collaborate(case, person)
