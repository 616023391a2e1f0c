"""Feasibility of a review before it opens: missing and waiting people."""

from dataclasses import dataclass, replace

from governance import clock
from governance.gates import criteria
from governance.people import cooling_off
from governance.permission_result import Reason
from governance.rulebook import ParsedRulebook
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.signers import EligibleSigners, eligible_signers_of
from initiatives.lifecycle.initiative.review_state import seat_states
from initiatives.models import Initiative


@dataclass(frozen=True)
class Feasibility:
    """The reviewers that a board has for a gate.

    `never` has the reasons why they cannot decide as it is, and `today` those that pass with time. `waits` has in
    words the people who are away or cannot sign yet, with their first moment.
    """

    seats: dict[str, criteria.SeatState]
    never: tuple[Reason, ...]
    today: tuple[Reason, ...]
    waits: tuple[str, ...]


def feasibility(initiative: Initiative, gate: str, rulebook: ParsedRulebook) -> Feasibility:
    """Return the feasibility with the present board, without the people on the team."""
    eligible_signers = eligible_signers_of(initiative)
    seats = seat_states(eligible_signers)
    chair, why = initiative_permissions.acting_chair(initiative, list(eligible_signers.members))
    nobody = (
        ()
        if chair is not None or not eligible_signers.members
        else (
            Reason(phrase("No one can decide: {}.", why), "Ask an admin to appoint a chair or deputy chair."),
        )
    )
    never = criteria.reach(rulebook, gate, initiative.tier, seats)
    waiting = _waiting(eligible_signers, rulebook.at_tier(initiative.tier).gates[gate].seats)
    there = replace(
        eligible_signers, members=tuple(one for one in eligible_signers.members if one.pk not in waiting)
    )
    today = (
        ()
        if never
        else criteria.reach(rulebook, gate, initiative.tier, seat_states(there))
        if waiting
        else ()
    )
    return Feasibility(seats, (*never, *nobody), today, tuple(dict.fromkeys(waiting.values())))


def _waiting(eligible_signers: EligibleSigners, seats: tuple[str, ...]) -> dict[int, str]:
    """Return by key of the membership why its person in these seats cannot sign now."""
    now, found = clock.now(), {}
    for member in eligible_signers.members:
        if member.seat not in seats:
            continue
        why = (
            f"{member.person} is away" if member.away else cooling_off.why_waits(member.person, [member], now)
        )
        if why:
            found[member.pk] = why
    return found
