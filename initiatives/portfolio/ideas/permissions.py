"""Permissions to compare ideas, with reasons."""

from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes


def may_compare_ideas(person: User) -> Answer:
    """See waiting ideas side by side: members of a board, for the units of that board."""
    if person.is_active and seats_held(person):
        return yes()
    return no("Only boards can compare ideas.", "Ask a member of your board.")
