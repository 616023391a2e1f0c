"""Permissions to verify: a signing seat outside the team, as for a sign-off."""

from governance.gates.separation_of_duties import said, why_barred
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, no
from governance.rulebook import ParsedRulebook
from governance.vocabulary import Seat
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats, visibility
from initiatives.lifecycle.access.signers import accounts_of, signer_of, team_members_of
from initiatives.models import Evidence, Initiative

SOMEBODY_ELSE = "Ask another holder of the seat to verify the evidence."


def seat_to_verify_in(
    initiative: Initiative, rulebook: ParsedRulebook, requirement: str, person: User
) -> str:
    """Return the seat in which this person verifies for the requirement, or ""."""
    held = roles_and_seats.seats_of(initiative, person)
    return next(
        (seat for seat in rulebook.at_tier(initiative.tier).seats_asking(requirement) if seat in held), ""
    )


def may_verify(
    initiative: Initiative, item: Evidence, rulebook: ParsedRulebook, requirement: str, person: User
) -> Answer:
    """Allow the person to verify this item for it (docs/domain.md, invariant 4)."""
    if item.author_id in accounts_of(person):
        return no("You added this item, so you cannot verify it.", SOMEBODY_ELSE)
    if item.unverified:
        return no(
            "This item is a link without a captured page, so its content can change.",
            "Ask the owner to capture the page or to attach the file.",
        )
    seat = seat_to_verify_in(initiative, rulebook, requirement, person)
    if not seat:
        named = " or ".join(
            Seat.word(one) for one in rulebook.at_tier(initiative.tier).seats_asking(requirement)
        )
        return no(phrase("Only the seat {} can verify this.", named), "Ask the person who holds the seat.")
    team_members = team_members_of(initiative)
    if barred := why_barred(signer_of(person, now=True), seat, team_members, approving=True):
        return no(said(barred), SOMEBODY_ELSE)
    if initiative.withdrawn_at or initiative.closed:
        return no("This initiative can no longer change, so its evidence cannot be verified.")
    readable = visibility.may_open_file(initiative, person)
    return readable and cooling_off.may_lift(
        person, roles_and_seats.memberships_on(initiative, person, (seat,))
    )
