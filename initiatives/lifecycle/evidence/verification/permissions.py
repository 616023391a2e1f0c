"""Who may verify: a seat that signs for the requirement, outside the team, as for a sign-off."""

from governance.gates.separation_of_duties import said, why_barred
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, no
from governance.rulebook import ParsedRulebook
from governance.vocabulary import Seat
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.signers import accounts_of, signer_of, team_members_of
from initiatives.models import Evidence, Initiative

SOMEBODY_ELSE = "Another reviewer in its seat opens it and says so."


def seat_to_verify_in(
    initiative: Initiative, rulebook: ParsedRulebook, requirement: str, person: User
) -> str:
    """The seat in which this person verifies evidence for the requirement; "" where they hold none that asks for it."""
    held = initiative_permissions.seats_of(initiative, person)
    return next(
        (seat for seat in rulebook.at_tier(initiative.tier).seats_asking(requirement) if seat in held), ""
    )


def may_verify(
    initiative: Initiative, item: Evidence, rulebook: ParsedRulebook, requirement: str, person: User
) -> Answer:
    """Say whether this item shows the answer to this requirement (docs/domain.md, invariant 4)."""
    if item.author_id in accounts_of(person):
        return no("You added this item yourself.", SOMEBODY_ELSE)
    if item.unverified:
        return no(
            "What a bare link shows can change after it was read.",
            "Have its page captured, or the file attached.",
        )
    seat = seat_to_verify_in(initiative, rulebook, requirement, person)
    if not seat:
        named = " or ".join(
            Seat.word(one) for one in rulebook.at_tier(initiative.tier).seats_asking(requirement)
        )
        return no(f"Only the seat {named} verifies this.", "Its holder opens it and says so.")
    team_members = team_members_of(initiative)
    if barred := why_barred(signer_of(person, now=True), seat, team_members, approving=True):
        return no(said(barred), SOMEBODY_ELSE)
    if initiative.withdrawn_at or initiative.closed:
        return no("This initiative no longer changes.")
    readable = initiative_permissions.may_open_file(initiative, person)
    return readable and cooling_off.may_lift(
        person, initiative_permissions.memberships_on(initiative, person, (seat,))
    )
