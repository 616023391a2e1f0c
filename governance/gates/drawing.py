"""Requirements drawn to be verified at minimal risk: which, and in what order. Pure.

The gate to production asks an initiative of minimal risk for documents. So many of its requirements as the rulebook
says are drawn by the seed of the audit log, the root of the first checkpoint after submission, which nobody knows
before: these are verified. Whoever has the rows and the checkpoint draws the same again (docs/adr/0056).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance import clock
from governance.gates.criteria import Judged
from governance.gates.gate_inputs import Drawn, Facts
from governance.gates.levels import drawable, from_outside, vouched_for
from governance.permission_result import Reason
from governance.rulebook import ParsedRulebook

# Days before production is to be accepted again on which the requirements of that acceptance are drawn.
DAYS_AHEAD = 30
BY_ITSELF = "The worker draws within seconds of the audit log's next checkpoint."


@dataclass(frozen=True)
class Draw:
    """A requirement that is to be drawn next, and the one whose refusal or change brings it; "" for none."""

    requirement: str
    in_place_of: str = ""


def drawn_from(due: date) -> datetime:
    """From when on a checkpoint draws for the acceptance of production that is due by this day."""
    return clock.midnight_before(due - timedelta(days=DAYS_AHEAD))


def ticket(root: bytes, ref: str, round: str, requirement: str) -> str:
    """What decides the place of a requirement: the lowest is drawn first. `root`: of the checkpoint that is the
    seed.
    """
    return hashlib.sha256("\n".join((root.hex(), ref, round, requirement)).encode()).hexdigest()


def in_order(root: bytes, ref: str, round: str, requirements: Iterable[str]) -> list[str]:
    """The requirements in the order in which this round of this initiative draws them."""
    return sorted(requirements, key=lambda requirement: ticket(root, ref, round, requirement))


def draws_due(judged: Judged) -> list[str]:
    """What is still to be drawn in the round that runs: one entry each, in place of which requirement, "" for none.

    So many as the rulebook says, and another for each that was refused or changed; as long as there are any left.
    """
    facts, rulebook = judged.facts, judged.rulebook
    of_round = facts.of_round()
    brought = {one.in_place_of for one in of_round}
    first = sum(not one.in_place_of for one in of_round)
    wanted = [""] * (rulebook.drawn_at(facts.tier) - first)
    wanted += [
        one.requirement
        for one in of_round
        if one.requirement not in brought and brings_another(facts, rulebook, one)
    ]
    return wanted[: len(left(judged))]


def draw(judged: Judged, root: bytes) -> list[Draw]:
    """The requirements that are to be drawn now in the round that runs, in order."""
    order = in_order(root, judged.facts.ref, judged.facts.round, left(judged))
    return [Draw(key, place) for key, place in zip(order, draws_due(judged), strict=False)]


def left(judged: Judged) -> list[str]:
    """What may still be drawn in the round that runs, in the rulebook's order."""
    drawn = {one.requirement for one in judged.facts.of_round()}
    return [key for key in drawable(judged.facts, judged.rulebook, judged.states) if key not in drawn]


def offered(facts: Facts, rulebook: ParsedRulebook, requirement: str) -> frozenset[int]:
    """Keys of the items that the team offers for a requirement and that stand; not what others than the team
    brought.
    """
    asked = rulebook.requirements[requirement]
    return frozenset(
        item.id
        for item in facts.items_for(requirement)
        if item.withdrawn_at is None and item.superseded_by is None and not from_outside(asked, item)
    )


def brings_another(facts: Facts, rulebook: ParsedRulebook, drawn: Drawn) -> bool:
    """Whether a verifier refused what was drawn, or the team changed it before anybody had verified it as drawn.

    Else a team would fix only what was drawn, and the rest would be as bad as before.
    """
    key = drawn.requirement
    if key not in rulebook.requirements:
        return False
    said = [
        (item, one)
        for item in facts.items_for(key)
        for one in item.verifications.get(key, ())
        if one.at >= drawn.drawn_at
    ]
    if any(not one.shows for _, one in said):
        return True
    if any(
        one.shows
        and item.id in drawn.items
        and one.answer_version == drawn.answer_version
        and one.fingerprint == item.fingerprint
        for item, one in said
    ):
        return False
    reply = facts.answers.get(key)
    version = reply.version if reply else 0
    return version != drawn.answer_version or offered(facts, rulebook, key) != drawn.items


def unverified(judged: Judged) -> list[str]:
    """What was drawn in the round that runs and waits to be verified, in order."""
    keys = [one.requirement for one in judged.facts.of_round() if one.requirement in judged.states]
    return [key for key in keys if not vouched_for(judged.states[key])]


def waits(judged: Judged) -> Reason | None:
    """Why nothing is decided yet: requirements are still to be drawn. None where none are."""
    places = draws_due(judged)
    if not places:
        return None
    if "" in places:
        return Reason(
            "The requirements that are verified are drawn with the audit log's next checkpoint, and "
            "nobody chooses them.",
            BY_ITSELF,
        )
    return Reason("Another requirement is drawn in place of one that was refused or changed.", BY_ITSELF)
