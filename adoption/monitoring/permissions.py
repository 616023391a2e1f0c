"""Permission to set interval and mapping, as answers with their reasons."""

from governance.models import User
from governance.permission_result import Answer
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative


def may_set_monitoring(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may set up monitoring. The owner and the technical lead may, as for keys."""
    return initiative_permissions.may_manage_keys(initiative, person)
