"""Counts of requirements that are open for the approved stage or the next.

One requirement is open for a gate if the gate asks it, it can block, and it is not met, waived or accepted as not
applicable. Advice, and what may follow after the move, is not counted. Holds and obligations are not requirements.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from governance.gates import criteria
from governance.gates.criteria import Judged
from governance.models import Rulebook
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.facts.supported_stage import next_gate

APPROVED, NEXT = "approved", "next"
FOR = (APPROVED, NEXT)
ROLE_OF = {"business_owner": Role.OWNER}
LEADING = frozenset({Role.OWNER, Role.DEPUTY})

ByRole = Mapping[str, Mapping[str, int]]


def open_keys(judged: Judged, judged_next: Judged) -> dict[str, list[str]]:
    """Return the open requirements of both counts. `judged_next` is the result of `by_rulebook_in_force`."""
    ahead = next_gate(judged_next)
    return {
        APPROVED: criteria.gaps_to(judged, judged.facts.approved_stage),
        NEXT: criteria.open_at(judged_next, ahead.key) if ahead is not None else [],
    }


def turn(judged: Judged, key: str) -> str:
    """Return the role whose turn an open requirement is; "" while a seat, or somebody else, has to act first.

    The owner takes the turn of a role that nobody has accepted.
    """
    state, asked = judged.states[key], judged.rulebook.requirements[key]
    measured = state.state == "register" and key in contributed.renewals  # the team measures again
    if state.state == "waiting" or (state.fixed_by and not measured):
        return ""
    role = ROLE_OF.get(asked.answered_by, asked.answered_by)
    return role if role in judged.facts.people else Role.OWNER


def by_role(judged: Judged, judged_next: Judged) -> ByRole:
    """Return both counts by the role whose turn it is, as `SupportedStagePeriod.open_requirements` keeps them."""
    found = open_keys(judged, judged_next)
    return {
        APPROVED: Counter(turn(judged, key) for key in found[APPROVED]),
        NEXT: Counter(turn(judged_next, key) for key in found[NEXT]),
    }


def by_rulebook_in_force(judged: Judged) -> Judged:
    """Return the same facts, judged at the same moment by the rulebook in force. The next gate takes that rulebook."""
    rulebook = Rulebook.objects.current().parsed.at_tier(judged.facts.tier)
    return judged if rulebook == judged.rulebook else criteria.judge(judged.facts, rulebook, judged.at)


def total(counts: ByRole | None, which: str) -> int:
    """Return how many are open."""
    return sum((counts or {}).get(which, {}).values())


def yours(counts: ByRole | None, which: str, roles: Collection[str]) -> int:
    """Return how many of them are the turn of somebody with these roles."""
    turns = turns_of(roles)
    return sum(count for role, count in (counts or {}).get(which, {}).items() if role in turns)


def turns_of(roles: Collection[str]) -> frozenset[str]:
    """Return the roles whose turns somebody with these roles takes: a deputy takes those of the owner."""
    return frozenset(roles) | (LEADING if LEADING & set(roles) else frozenset())


def words(counts: ByRole | None, which: str, roles: Collection[str] = ()) -> str:
    """Return one count in words: "3 open for its approved stage, of which 2 yours"."""
    mine = yours(counts, which, roles)
    count = total(counts, which)
    text = (
        phrase("{} open for its approved stage", count)
        if which == APPROVED
        else phrase("{} open for the next gate", count)
    )
    return phrase("{}, of which {} yours", text, mine) if mine else text


def told(counts: ByRole | None, roles: Collection[str] = ()) -> Iterator[str]:
    """Yield the counts that are not zero, in words."""
    yield from (words(counts, which, roles) for which in FOR if total(counts, which))
