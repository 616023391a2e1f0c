"""Permission to register an initiative."""

from governance.models import Rulebook, User
from governance.models.rulebook import NoRulebook
from governance.permission_result import Answer, all_of, yes
from initiatives.lifecycle.access.roles_and_seats import active


def may_register(person: User) -> Answer:
    """Allow every signed-in person to register, once a rulebook is published."""
    return all_of(active(person), _rules())


def _rules() -> Answer:
    return yes() if Rulebook.objects.in_force() is not None else NoRulebook().answer
