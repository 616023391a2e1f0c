"""Who may press and release the kill switch of an initiative."""

from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import BoardRole
from initiatives.lifecycle.access.permissions import is_any_chair, is_owner, memberships_on
from initiatives.models import Initiative


def may_switch(initiative: Initiative, person: User) -> Answer:
    """Deny everything that its systems ask: those who may stop, at any stage."""
    if initiative.closed:
        return no(f"An initiative that is {initiative.stage} is denied everything already.")
    if is_owner(initiative, person) or is_any_chair(initiative, person):
        return yes()
    return no("Only the owner or the chair presses this switch.", "Put it on hold: a hold denies as well.")


def may_switch_on(initiative: Initiative, person: User) -> Answer:
    """Let its systems ask again: those who may press the switch, and who cooled off."""
    seats = (
        ()
        if is_owner(initiative, person)
        else memberships_on(initiative, person, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR))
    )
    return all_of(may_switch(initiative, person), cooling_off.may_lift(person, seats))
