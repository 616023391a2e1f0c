"""Permissions on the contract of an initiative."""

from governance.gates.separation_of_duties import RestsOn, said, why_barred
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, no
from governance.vocabulary import Seat
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access.roles_and_seats import holds_seat, memberships_on
from initiatives.lifecycle.access.signers import contract_authors, signer_of, team_members_of
from initiatives.models import Initiative


def may_approve_contract(initiative: Initiative, seat: str, person: User) -> Answer:
    """Allow a contract seat of the rulebook to approve. Authors and team members may not."""
    wrote = RestsOn(contract_authors=contract_authors(initiative))
    reasons = why_barred(signer_of(person, now=True), seat, team_members_of(initiative), rests_on=wrote)
    if reasons:
        return no(said(reasons), "Ask another holder of the seat to sign the contract.")
    if not holds_seat(initiative, person, seat):
        return no(
            phrase("You do not hold the seat {}.", label(Seat.word(seat))),
            "Ask the person who holds the seat to sign.",
        )
    return cooling_off.may_lift(person, memberships_on(initiative, person, (seat,)))
