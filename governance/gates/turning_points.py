"""Find the moments at which a judgement changes without an act. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance import clock
from governance.gates import levels
from governance.gates.criteria import Judged, judged_from
from governance.gates.gate_inputs import ASKED, LOGGED, ContractState, DeploymentFact, Facts
from governance.gates.requirements import state_of, states_at
from governance.rulebook import ParsedRulebook


def outlook(facts: Facts, rulebook: ParsedRulebook, start: datetime) -> list[Judged]:
    """Return the judgements from `start` on, moment by moment, if only time passes.

    Each judgement holds until the moment of the next one, and the last holds for good. A requirement is judged again
    only at its own turning points.
    """
    turns: dict[datetime, set[str]] = {}
    for key, moment in _turning_points(facts, rulebook):
        if moment > start:
            turns.setdefault(moment, set()).add(key)
    for replaced, replacement in rulebook.carry.replaced_at_production.items():
        for keys in turns.values():
            if replacement in keys:
                keys.add(replaced)
    for moment in _common_turning_points(facts, rulebook):
        if moment > start:
            turns[moment] = set(rulebook.requirements)
    states = states_at(facts, rulebook, start)
    result = [judged_from(facts, rulebook, start, states)]
    for moment in sorted(turns):
        states = {**states, **{key: state_of(facts, rulebook, key, moment) for key in turns[moment]}}
        result.append(judged_from(facts, rulebook, moment, states))
    return result


def turning_points(facts: Facts, rulebook: ParsedRulebook) -> Iterator[datetime]:
    """Yield each past or future moment at which a judgement may change by itself."""
    yield from _common_turning_points(facts, rulebook)
    yield from (moment for _, moment in _turning_points(facts, rulebook))


def _turning_points(facts: Facts, rulebook: ParsedRulebook) -> Iterator[tuple[str, datetime]]:
    """Yield each requirement with the moments at which it alone may change."""
    asked = rulebook.requirements
    for item in facts.items:
        renews = facts.renewed_by(item) is not None
        for key in item.covers:
            if key not in asked:
                continue
            if renews:
                yield key, levels.renewal_ends(item)
            if days := asked[key].days(facts.tier):
                yield key, clock.midnight_after(facts.first_day(item) + timedelta(days=days))
            yield from ((key, void.at) for void in item.voids.get(key, ()))
            yield from ((key, said.at) for said in item.verifications.get(key, ()))
    for one in facts.requirement_findings:
        if one.requirement in asked:
            yield one.requirement, one.since
            if one.until is not None:
                yield one.requirement, one.until
    for measured in facts.measured:
        if measured.requirement in asked:
            yield from (
                (measured.requirement, moment) for moment in (measured.since, measured.until) if moment
            )
    for drawn in facts.drawn:
        if drawn.requirement in asked:
            moments = (drawn.drawn_at, drawn.since, drawn.until)
            yield from ((drawn.requirement, moment) for moment in moments if moment is not None)
    for key, reply in facts.answers.items():
        if reply.accepted_on is not None and key in asked and (days := asked[key].days(facts.tier)):
            yield key, clock.midnight_after(reply.accepted_on + timedelta(days=days))


def _common_turning_points(facts: Facts, rulebook: ParsedRulebook) -> Iterator[datetime]:
    """Yield moments at which any requirement may change, such as the end of a waiver."""
    versions: tuple[DeploymentFact | ContractState, ...] = (*facts.deployments, *facts.contracts)
    for version in versions:
        yield version.since
        if version.until is not None:
            yield version.until
    for since, until in (*facts.described, *((one.since, one.until) for one in facts.alone)):
        yield since
        if until is not None:
            yield until
    for measured in facts.measured:
        if measured.way in (ASKED, LOGGED):
            yield from (moment for moment in (measured.since, measured.until) if moment)
    for waiver in facts.waivers:
        yield clock.midnight_after(waiver.until)
    for since, until in facts.tier_outdated:
        yield since
        if until is not None:
            yield until
        if (ends := levels.tier_grace_ends(facts, rulebook, since)) is not None:
            yield clock.midnight_after(ends)
    if facts.reattest_by is not None:
        yield clock.midnight_after(facts.reattest_by)
