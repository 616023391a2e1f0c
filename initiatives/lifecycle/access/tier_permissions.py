"""Permissions of the risk seat on a proposed risk tier: to confirm it, or to refuse it."""

from governance.gates.separation_of_duties import said, why_reports
from governance.models import User
from governance.permission_result import Answer, no
from governance.vocabulary import Seat
from initiatives.lifecycle.access.permissions import may_accept_exception
from initiatives.lifecycle.access.signers import signer_of, team_members_of, why_lowers_no_tier
from initiatives.models import Initiative


def may_confirm_tier(initiative: Initiative, person: User) -> Answer:
    """Allow the board's risk seat, on no team, to confirm the tier. Lower: no one who reports to the owner."""
    if not initiative.proposed_tier:
        return no("No one has proposed a risk tier yet.", "Ask the owner to propose a risk tier.")
    if reports := why_lowers_no_tier(initiative, person):
        return no(said(reports), "Ask another holder of the seat to confirm the lower risk tier.")
    return may_accept_exception(initiative, [Seat.RISK_COMPLIANCE], person)


def may_refuse_tier(initiative: Initiative, person: User) -> Answer:
    """Allow the board's risk seat, on no team, to refuse a proposed tier. No one who reports to the owner may."""
    if initiative.proposed_tier == initiative.tier:
        return no("No other risk tier is proposed.", "Ask the owner to propose a risk tier.")
    if reports := why_reports(signer_of(person, now=True), team_members_of(initiative)):
        return no(said(reports), "Ask another holder of the seat to refuse the risk tier.")
    return may_accept_exception(initiative, [Seat.RISK_COMPLIANCE], person)
