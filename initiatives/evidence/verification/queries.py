"""What waits to be verified by a person on one case."""

from collections.abc import Collection

from governance.gates.gate_inputs import Item
from governance.gates.requirements import BY_VERIFYING, State
from governance.models import User
from governance.rulebook import Book
from initiatives.access import permissions as case_permissions
from initiatives.evidence.verification.permissions import seats_asking
from initiatives.models import Initiative


def item_to_verify(state: State, book: Book, seats: Collection[str], person: int) -> Item | None:
    """The item of this state that waits for a person, by key, who holds these seats; None where none does.

    Not what they added, nor a bare link; and nothing once they verified something for the question.
    """
    if (
        state.place != BY_VERIFYING
        or person in state.verifiers
        or not set(seats) & set(seats_asking(book, state.key))
    ):
        return None
    return next((item for item in state.items if item.author_id != person and not item.unverified), None)


def waiting_for(
    case: Initiative, book: Book, states: dict[str, State], person: User
) -> list[tuple[str, int]]:
    """Requirements that ask to be verified and that this person's seat signs for, each with the key of the item.

    In the order of the rulebook, without items that the person added or verified already. Asks nothing of who is party
    to the case: `may_verify` does.
    """
    seats = case_permissions.seats_of(case, person)
    found = ((key, item_to_verify(state, book, seats, person.pk)) for key, state in states.items())
    return [(key, item.id) for key, item in found if item is not None]
