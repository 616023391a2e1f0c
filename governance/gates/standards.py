"""The nine standards of a stage, each met or not: the words are the rulebook's, what shows them is a requirement.

Source: S2-4.1 to S2-4.9, matters that go wrong where stages do not match their evidence. The rulebook words what each
stage may expect; which requirements show it stands in rulebook/pairings.toml.
"""

from dataclasses import dataclass
from datetime import datetime

from governance import clock
from governance.gates.gate_inputs import Facts
from governance.gates.requirements import State
from governance.rulebook import ParsedRulebook
from governance.rulebook.pairings import PAIRINGS, REATTESTED

MET, NOT_MET, NOTHING_ASKED = "met", "not met", "nothing asked"
SHOWN_BY = PAIRINGS["standards"]  # matter: stage: keys


@dataclass(frozen=True)
class Standard:
    """What one stage may expect on one matter: its words, whether it is met now, and which keys are open or shown."""

    stage: str
    words: str
    mark: str
    shown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""


def standard_of(
    facts: Facts, rulebook: ParsedRulebook, states: dict[str, State], matter: str, stage: str, at: datetime
) -> Standard:
    """One standard at `at`. A waived requirement shows nothing; where the rulebook asks nothing, nothing is marked."""
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
        return Standard(stage, words, NOTHING_ASKED, note="Asked once it is in production.")
    day = f"{facts.reattest_by:%-d %B %Y}"
    if clock.local_day(at) > facts.reattest_by:
        return Standard(stage, words, NOT_MET, note=f"It had to be accepted again by {day}.")
    return Standard(stage, words, MET, note=f"To be accepted again by {day}.")
