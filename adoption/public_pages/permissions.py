"""Who makes the public page of a case and withdraws it, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.access import permissions as case_permissions
from initiatives.models import Initiative


def may_publish(case: Initiative, person: User) -> Answer:
    """Make its public page, word it and withdraw it: the owner, or an admin."""
    if case_permissions.is_owner(case, person) or (person.is_active and person.is_admin):
        return yes()
    return no("Only the owner or an admin makes or withdraws the public page.", "Ask one of them.")


def may_be_public(case: Initiative) -> Answer:
    """Whether a case may have a public page at all: none that is confidential, none that is over."""
    if case.confidential:
        return no(
            "A confidential initiative has no public page.", "Its details say whether it is confidential."
        )
    if case.closed:
        return no("This initiative is over: nobody uses it any more.")
    return yes()
