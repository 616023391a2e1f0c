"""Whether a review could be decided at all, said before it opens: who is missing, what fixes it, who only waits."""

from dataclasses import dataclass, replace

from governance import clock
from governance.gates import criteria
from governance.people import cooling_off
from governance.permission_result import Reason
from governance.rulebook import ParsedRulebook
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.review_state import EligibleSigners, eligible_signers_of, seat_states
from initiatives.models import Initiative


@dataclass(frozen=True)
class Feasibility:
    """What a board can give a gate: `never` why it cannot as it is, `today` why it cannot now though it could later.

    `waits`: who cannot sign now and from when, in words, and who is away.
    """

    seats: dict[str, criteria.SeatState]
    never: tuple[Reason, ...]
    today: tuple[Reason, ...]
    waits: tuple[str, ...]


def feasibility(initiative: Initiative, gate: str, rulebook: ParsedRulebook) -> Feasibility:
    """Ask it of the board of the initiative as it sits now, everybody who works on the initiative barred."""
    eligible_signers = eligible_signers_of(initiative)
    seats = seat_states(eligible_signers)
    chair, why = initiative_permissions.acting_chair(initiative, list(eligible_signers.members))
    nobody = (
        ()
        if chair is not None or not eligible_signers.members
        else (Reason(f"Nobody can decide: {why}.", "An admin can appoint a chair or deputy chair."),)
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
    """By key of the membership, why its person signs nothing now that lets an initiative rise: in these seats."""
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
