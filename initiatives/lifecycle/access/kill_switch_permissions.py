"""Permissions to press and to release the kill switch of an initiative."""

from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.permissions import is_any_chair, is_owner, memberships_on
from initiatives.models import Initiative


def may_switch(initiative: Initiative, person: User) -> Answer:
    """Allow those who may stop the initiative to deny all its systems' requests."""
    if initiative.closed:
        return no(
            phrase("Plumbline already denies every request of an initiative that is {}.", initiative.stage)
        )
    if is_owner(initiative, person) or is_any_chair(initiative, person):
        return yes()
    return no(
        "Only the owner or the chair can use the kill switch.",
        "Put the initiative on hold: a hold denies requests as well.",
    )


def may_switch_on(initiative: Initiative, person: User) -> Answer:
    """Allow those who may press the switch, if cooled off, to release it."""
    seats = (
        ()
        if is_owner(initiative, person)
        else memberships_on(initiative, person, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR))
    )
    return all_of(may_switch(initiative, person), cooling_off.may_lift(person, seats))
