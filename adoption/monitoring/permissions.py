"""Who says how often the monitoring is heard of and what alerts count as, as answers with their reasons."""

from governance.models import User
from governance.permission_result import Answer
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def may_set_monitoring(initiative: Initiative, person: User) -> Answer:
    """Promise how often it is heard of, say what alerts count as: the owner and the technical lead, as for keys."""
    return initiative_permissions.may_manage_keys(initiative, person)
