"""Permissions for an initiative's public page, as answers that carry their reasons."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def may_publish(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may make, reword and withdraw the public page. The owner or an admin may."""
    if initiative_permissions.is_owner(initiative, person) or (person.is_active and person.is_admin):
        return yes()
    return no(
        "Only the owner or an admin can make or withdraw the public page.", "Ask the owner or an admin."
    )


def may_be_public(initiative: Initiative) -> Answer:
    """Return whether an initiative may have a public page. A confidential or ended one may not."""
    if initiative.confidential:
        return no(
            "A confidential initiative cannot have a public page.",
            "Check on its details page whether it must be confidential.",
        )
    if initiative.closed:
        return no("This initiative has ended, so no one uses it now.")
    return yes()
