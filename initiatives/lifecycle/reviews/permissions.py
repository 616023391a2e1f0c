"""Permissions on a review: to ask on a criterion, and to withdraw a sign-off."""

from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access.roles_and_seats import holds_seat, sits_on_board
from initiatives.models import Review, SignOff


def may_withdraw_sign_off(row: SignOff, person: User) -> Answer:
    """Allow the signer, or a present holder of the seat, to withdraw a sign-off."""
    if row.person_id == person.pk or holds_seat(row.review.initiative, person, row.seat):
        return yes()
    return no(
        "Only the signer, or the current holder of the seat, can withdraw a sign-off.",
        "Ask the signer or the holder of the seat.",
    )


def may_ask(review: Review, person: User) -> Answer:
    """Allow board members to ask on a criterion while the review is open."""
    if not review.is_open:
        return no("This review has ended.")
    if sits_on_board(review.initiative, person):
        return yes()
    return no(
        "Only members of the board can ask questions here.", "Ask a member of the board to ask for you."
    )
