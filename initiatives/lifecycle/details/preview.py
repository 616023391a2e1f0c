"""Preview of another title, other details or a confirmed tier: what it would end."""

from governance.models import User
from governance.people.boards import board_for, members_now, seat_holders
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.details import actions
from initiatives.lifecycle.initiative.impact_preview import LEFT_OPEN, preview
from initiatives.models import Initiative


def of_name(initiative: Initiative, *, by: User) -> list[str]:
    """What giving the initiative another name ends: the approvals whose statements name it."""
    return preview(
        initiative,
        lambda initiative: actions.rename(
            initiative=initiative, title="another name", reason=LEFT_OPEN, by=by
        ),
        by=by,
    )


def of_details(initiative: Initiative, *, by: User) -> list[str]:
    """What another problem ends; another platform or confidentiality ends the same approvals."""

    def run(initiative):
        actions.change_details(
            initiative=initiative,
            problem=LEFT_OPEN,
            platform=initiative.platform,
            confidential=initiative.confidential,
            by=by,
        )

    return preview(initiative, run, by=by)


def of_tier(initiative: Initiative, tier: str, *, by: User | None = None) -> list[str]:
    """What confirming this risk tier ends. Where nobody sits who could confirm it, nothing happens."""
    holders = seat_holders(members_now(board_for(initiative.unit)), "risk_compliance")
    able = [m.person for m in holders if not initiative_permissions.barred_from_signing(initiative, m.person)]
    by = by or next(iter(able), None)
    if by is None:
        return []

    def run(initiative):
        initiative.proposed_tier = tier
        initiative.save()
        actions.confirm_tier(initiative=initiative, tier=tier, by=by)

    return preview(initiative, run, by=by)
