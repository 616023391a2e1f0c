"""What waits to be verified by a person on one initiative."""

from collections.abc import Collection

from governance.gates.gate_inputs import Item
from governance.gates.requirements import BY_VERIFYING, State
from governance.models import User
from governance.rulebook import ParsedRulebook
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def item_to_verify(
    state: State, rulebook: ParsedRulebook, seats: Collection[str], person: int
) -> Item | None:
    """The item of this state that waits for a person, by key, who holds these seats; None where none does.

    Not what they added, nor a bare link, nor what is offered for the requirement alone that took this one's place; and
    nothing once they verified something for the requirement.
    """
    if (
        state.place != BY_VERIFYING
        or person in state.verifiers
        or not set(seats) & set(rulebook.seats_asking(state.key))
    ):
        return None
    offered = (item for item in state.items if state.key in item.covers and not item.unverified)
    return next((item for item in offered if item.author_id != person), None)


def waiting_for(
    initiative: Initiative, rulebook: ParsedRulebook, states: dict[str, State], person: User
) -> list[tuple[str, int]]:
    """Requirements that ask to be verified and that this person's seat signs for, each with the key of the item.

    In the order of the rulebook, without items that the person added or verified already. Asks nothing of team members
    to the initiative: `may_verify` does.
    """
    seats = initiative_permissions.seats_of(initiative, person)
    found = ((key, item_to_verify(state, rulebook, seats, person.pk)) for key, state in states.items())
    return [(key, item.id) for key, item in found if item is not None]
