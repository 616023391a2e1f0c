"""Preview of a role taken or ended: what it would end."""

from governance.models import User
from initiatives.lifecycle.initiative.act import rewrite_supported_stage
from initiatives.lifecycle.initiative.impact_preview import LEFT_OPEN, preview, somebody
from initiatives.lifecycle.roles import actions
from initiatives.models import Initiative, RoleAssignment


def of_role(initiative: Initiative, role: str, person: User, *, accepted: bool = True) -> list[str]:
    """What this person in this role ends once they accepted; with `accepted` False, already while they are asked."""

    def run(initiative):
        waiting = initiative.roles.waiting().filter(role=role, person=person).first()
        if waiting is None:
            waiting = actions.create_role(initiative, role, person, somebody(initiative) or person)
        if accepted:
            actions.accept_role(assignment=waiting, by=person)
        rewrite_supported_stage(initiative)

    return preview(initiative, run, by=person)


def of_role_end(assignment: RoleAssignment, *, by: User) -> list[str]:
    """What the end of a role, or of a proposal, ends with it."""
    return preview(
        assignment.initiative,
        lambda _: actions.revoke_role(assignment=assignment, reason=LEFT_OPEN, by=by),
        by=by,
    )
