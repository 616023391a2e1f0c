"""Items of one initiative that wait for verification by a person."""

from collections.abc import Collection

from governance.gates.gate_inputs import Item
from governance.gates.requirements import BY_VERIFYING, State
from governance.models import User
from governance.rulebook import ParsedRulebook
from governance.vocabulary.readable_text import sentence_key
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.models import Evidence, Initiative, Verification


def other_item_with_words(person: User, words: str, fingerprint: str) -> Evidence | None:
    """Return the first item of another content that the person verified with the same words; None without one.

    The same content may be verified with the same words for another requirement or on another initiative.
    """
    said = Verification.objects.filter(verifier__in=accounts_of(person)).exclude(fingerprint=fingerprint)
    key = sentence_key(words)
    pairs = said.order_by("pk").values_list("evidence", "words")
    found = next((item for item, earlier in pairs if sentence_key(earlier) == key), None)
    return found and Evidence.objects.select_related("initiative").get(pk=found)


def item_to_verify(
    state: State, rulebook: ParsedRulebook, seats: Collection[str], person: int
) -> Item | None:
    """Return the item of this state that this person (a key) can verify, or None.

    Their own item, a bare link, and an item offered only for the requirement that replaced this one are left out. A
    person who verified an item for the requirement has no further item.
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
    """Return requirements that wait for this person's verification, with item keys.

    They are in the order of the rulebook, without items that the person added or already verified. The second looks
    that the person may take follow. The caller checks team members with `may_verify`.
    """
    seats = roles_and_seats.seats_of(initiative, person)
    found = ((key, item_to_verify(state, rulebook, seats, person.pk)) for key, state in states.items())
    waiting = [(key, item.id) for key, item in found if item is not None]
    looks = [(key, item) for item, key in second_looks.open_for(initiative, person)]
    return [*waiting, *(one for one in looks if one not in waiting)]
