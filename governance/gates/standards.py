"""Judge the nine standards of a stage and the three scale tests.

Source: S2-4.1 to S2-4.9, matters that go wrong if stages do not match their evidence. The rulebook words what each
stage may expect. The file rulebook/pairings.toml lists the requirements that show it.
"""

from dataclasses import dataclass
from datetime import datetime

from governance import clock
from governance.gates.gate_inputs import Facts
from governance.gates.requirements import State
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.rulebook.pairings import PAIRINGS, REATTESTED
from governance.vocabulary import ScaleTestOutcome as Outcome
from governance.vocabulary import Seat

MET, NOT_MET, NOTHING_ASKED = "met", "not met", "nothing asked"
# The scale test that passes only if a running system shows it, by its requests and its log.
SHOWN_BY_RUNNING = "governance"
SHOWN_BY = PAIRINGS["standards"]  # matter: stage: keys


@dataclass(frozen=True)
class Standard:
    """The words of a stage on a matter, and the keys that show or do not show them."""

    stage: str
    words: str
    mark: str
    shown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""


def standard_of(
    facts: Facts, rulebook: ParsedRulebook, states: dict[str, State], matter: str, stage: str, at: datetime
) -> Standard:
    """Return one standard at `at`. A waived requirement does not show a standard."""
    words = rulebook.standards.get(matter, {}).get(stage, "")
    wanted = SHOWN_BY.get(matter, {}).get(stage, ())
    if REATTESTED in wanted:
        return _reattestation(facts, stage, words, at)
    keys = [key for key in wanted if key in states]
    if not keys:
        return Standard(stage, words, NOTHING_ASKED)
    shown = tuple(key for key in keys if states[key].satisfied and states[key].state != "waived")
    missing = tuple(key for key in keys if key not in shown)
    return Standard(stage, words, NOT_MET if missing else MET, shown, missing)


def _reattestation(facts: Facts, stage: str, words: str, at: datetime) -> Standard:
    if facts.approved_stage != stage or facts.reattest_by is None:
        return Standard(
            stage,
            words,
            NOTHING_ASKED,
            note="The next acceptance has a day when the initiative is in production.",
        )
    day = f"{facts.reattest_by:%-d %B %Y}"
    if clock.local_day(at) > facts.reattest_by:
        return Standard(stage, words, NOT_MET, note=f"The next acceptance was due by {day}.")
    return Standard(stage, words, MET, note=f"Next acceptance due by {day}.")


def scale_tests(rulebook: ParsedRulebook, states: dict[str, State]) -> dict[str, bool]:
    """Return for each scale test whether its items are met.

    No one can set the result and no item can be waived (docs/domain.md, invariant 10).
    """
    return {
        key: all(states[item].satisfies("production") for item in test.items)
        for key, test in rulebook.scale_tests.items()
    }


def contested(facts: Facts, rulebook: ParsedRulebook) -> dict[str, tuple[str, ...]]:
    """Return the open objections and unmet conditions against each scale test."""
    found = {}
    for key, test in rulebook.scale_tests.items():
        rests_on_it = {
            one.key for one in rulebook.criteria.values() if set(test.items) & set(one.requirements)
        }
        seats = {one.seat for one in rulebook.criteria.values() if one.scale_test == key}
        objections = (
            ended(f"{Seat.word(one.seat)} objects: {one.reason}")
            for one in facts.objections
            if rests_on_it & one.criteria
        )
        conditions = (
            ended(f"Condition of {Seat.word(one.seat)}, due {one.due:%-d %B %Y}: {one.text}")
            for one in facts.conditions
            if one.seat in seats
        )
        found[key] = (*objections, *conditions)
    return found


def outcomes(
    met: dict[str, bool], against: dict[str, tuple[str, ...]], without: tuple[str, ...]
) -> dict[str, Outcome]:
    """Return the outcome of each scale test: its items, objections, runtime gaps."""
    found = {}
    for key, passed in met.items():
        documented = key == SHOWN_BY_RUNNING and without
        reached = Outcome.DOCUMENTED if documented else Outcome.PASSES
        found[key] = Outcome.NOT_YET if not passed or against[key] else reached
    return found
