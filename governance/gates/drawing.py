"""Draw the requirements to be verified at minimal risk, in their order. Pure.

The gate to production asks an initiative of minimal risk for documents. The rulebook sets how many of its requirements
must also be verified. The seed of the audit log draws these. The seed is the root of the first checkpoint after
submission, which no one knows earlier. The rows and the checkpoint give the same draw again (docs/adr/0056).
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
from governance.vocabulary.phrases import phrase

# Days before production is to be accepted again on which the requirements of that acceptance are drawn.
DAYS_AHEAD = 30
BY_ITSELF = phrase("Wait for the next checkpoint. The worker then draws within seconds.")


@dataclass(frozen=True)
class Draw:
    """A requirement to be drawn next, and the refused or changed one that it replaces."""

    requirement: str
    in_place_of: str = ""


def drawn_from(due: date) -> datetime:
    """Return when checkpoints begin to draw for the acceptance of production due then."""
    return clock.midnight_before(due - timedelta(days=DAYS_AHEAD))


def ticket(root: bytes, ref: str, round: str, requirement: str) -> str:
    """Return the rank of a requirement, lowest first. `root` is the seed's."""
    return hashlib.sha256("\n".join((root.hex(), ref, round, requirement)).encode()).hexdigest()


def in_order(root: bytes, ref: str, round: str, requirements: Iterable[str]) -> list[str]:
    """Return the requirements in the order in which this round draws them."""
    return sorted(requirements, key=lambda requirement: ticket(root, ref, round, requirement))


def draws_due(judged: Judged) -> list[str]:
    """Return the draws that the current round still needs, one entry each.

    An entry is the refused or changed requirement that the draw replaces, or "". The rulebook sets the number of first
    draws. There are at most as many entries as requirements that are left.
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
    """Return the requirements to be drawn now in the current round, in order."""
    order = in_order(root, judged.facts.ref, judged.facts.round, left(judged))
    return [Draw(key, place) for key, place in zip(order, draws_due(judged), strict=False)]


def left(judged: Judged) -> list[str]:
    """Return what may still be drawn in the current round, in the rulebook's order."""
    drawn = {one.requirement for one in judged.facts.of_round()}
    return [key for key in drawable(judged.facts, judged.rulebook, judged.states) if key not in drawn]


def offered(facts: Facts, rulebook: ParsedRulebook, requirement: str) -> frozenset[int]:
    """Return the keys of the team's items that are neither withdrawn nor superseded."""
    asked = rulebook.requirements[requirement]
    return frozenset(
        item.id
        for item in facts.items_for(requirement)
        if item.withdrawn_at is None and item.superseded_by is None and not from_outside(asked, item)
    )


def brings_another(facts: Facts, rulebook: ParsedRulebook, drawn: Drawn) -> bool:
    """Return True if a drawn requirement was refused, or changed before verification.

    Without this rule a team could fix only what was drawn.
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
    """Return what was drawn in the current round and waits to be verified, in order."""
    keys = [one.requirement for one in judged.facts.of_round() if one.requirement in judged.states]
    return [key for key in keys if not vouched_for(judged.states[key])]


def waits(judged: Judged) -> Reason | None:
    """Return why nothing is decided yet while draws are due, or None."""
    places = draws_due(judged)
    if not places:
        return None
    if "" in places:
        return Reason(
            "The requirements to verify are drawn at random after the next checkpoint of the audit log.",
            BY_ITSELF,
        )
    return Reason(
        "A new requirement is drawn, because a drawn requirement was rejected or changed.", BY_ITSELF
    )
