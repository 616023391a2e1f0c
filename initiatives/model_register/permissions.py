"""Who keeps the model register, and who says how a model did."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.access import permissions as case_permissions
from initiatives.integration.systems.permissions import holds_architecture_seat
from initiatives.models import Initiative


def may_keep_models(person: User) -> Answer:
    """Add a model, and change or confirm what is said of it: admins, and who sits for architecture on any board."""
    if person.is_active and (person.is_admin or holds_architecture_seat(person)):
        return yes()
    return no(
        "Only admins and the architecture seat keep the model register.",
        "Owners and technical leads name a model that is missing while they record the version that runs.",
    )


def may_evaluate(case: Initiative, person: User) -> Answer:
    """Declare an evaluation of a model in this case, record its result, withdraw it: whoever works on the case."""
    return case_permissions.may_collaborate(case, person)
