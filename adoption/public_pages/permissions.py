"""Who makes the public page of an initiative and withdraws it, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def may_publish(initiative: Initiative, person: User) -> Answer:
    """Make its public page, word it and withdraw it: the owner, or an admin."""
    if initiative_permissions.is_owner(initiative, person) or (person.is_active and person.is_admin):
        return yes()
    return no("Only the owner or an admin makes or withdraws the public page.", "Ask one of them.")


def may_be_public(initiative: Initiative) -> Answer:
    """Whether an initiative may have a public page at all: none that is confidential, none that is over."""
    if initiative.confidential:
        return no(
            "A confidential initiative has no public page.", "Its details say whether it is confidential."
        )
    if initiative.closed:
        return no("This initiative is over: nobody uses it now.")
    return yes()
