"""What another name, other details or a confirmed tier would end, said before it is saved."""

from governance.models import User
from governance.people.boards import board_for, members_now, seat_holders
from initiatives.access import permissions as case_permissions
from initiatives.cases.impact_preview import LEFT_OPEN, preview
from initiatives.models import Initiative
from initiatives.registration import actions


def of_name(case: Initiative, *, by: User) -> list[str]:
    """What giving the case another name ends: the approvals whose statements name it."""
    return preview(
        case,
        lambda case: actions.rename(case=case, title="another name", reason=LEFT_OPEN, by=by),
        by=by,
    )


def of_details(case: Initiative, *, by: User) -> list[str]:
    """What another problem ends; another platform or confidentiality ends the same approvals."""

    def run(case):
        actions.change_details(
            case=case, problem=LEFT_OPEN, platform=case.platform, confidential=case.confidential, by=by
        )

    return preview(case, run, by=by)


def of_tier(case: Initiative, tier: str, *, by: User | None = None) -> list[str]:
    """What confirming this risk tier ends. Where nobody sits who could confirm it, nothing happens."""
    holders = seat_holders(members_now(board_for(case.unit)), "risk_compliance")
    able = [m.person for m in holders if not case_permissions.barred_from_signing(case, m.person)]
    by = by or next(iter(able), None)
    if by is None:
        return []

    def run(case):
        case.proposed_tier = tier
        case.save()
        actions.confirm_tier(case=case, tier=tier, by=by)

    return preview(case, run, by=by)
