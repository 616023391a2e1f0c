"""Who keeps the register of components, and who says how a model did."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.permissions import holds_architecture_seat
from initiatives.models import Initiative


def may_keep_components(person: User) -> Answer:
    """Add a component, and change or confirm what is said of it: admins, and who sits for architecture on any board."""
    if person.is_active and (person.is_admin or holds_architecture_seat(person)):
        return yes()
    return no(
        "Only admins and the architecture seat keep the register of components.",
        "Owners and technical leads name what is missing while they record the version that runs.",
    )


def may_evaluate(initiative: Initiative, person: User) -> Answer:
    """Declare an evaluation of a model in this initiative, record its result, withdraw it: whoever works on the
    initiative.
    """
    return initiative_permissions.may_collaborate(initiative, person)
