"""Estimates, from the rulebook, of the time each seat needs. Pages show the figures behind them."""

from dataclasses import dataclass

from governance.gates.levels import NEEDS_NOBODY
from governance.rulebook import ParsedRulebook
from governance.rulebook.parsed_rulebook import Gate, Requirement
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, Level, Stage

# Minutes, as far as anybody can say before a board has met often: shown beside what they make.
READING = 2  # one answer with what shows it, read for a signature
VERIFYING = 10  # one item of evidence opened and held against the answer
SIGNING = 5  # one statement read and signed


@dataclass(frozen=True)
class GateTime:
    """The work of a seat for an initiative at a gate: answers, verifications, minutes."""

    title: str
    must: bool
    answers: int
    verified: int

    @property
    def minutes(self) -> int:
        """Estimate the minutes at most. Seats that need the same answer share its verification."""
        return SIGNING + READING * self.answers + VERIFYING * self.verified


@dataclass(frozen=True)
class SeatTime:
    """A seat with the gates that it signs, for one initiative each."""

    seat: str
    gates: tuple[GateTime, ...]

    @property
    def minutes(self) -> int:
        """Return the minutes for one initiative through all of these gates."""
        return sum(gate.minutes for gate in self.gates)


def seat_times(rulebook: ParsedRulebook, tier: str) -> list[SeatTime]:
    """Return each seat's work at its gates for one initiative. `tier` is "" until confirmed."""
    at = rulebook.at_tier(tier)
    found = []
    for seat in at.seats:
        gates = tuple(
            GateTime(gate.title, seat in gate.must_include, *_asked(at, gate, seat, tier))
            for gate in sorted(at.gates.values(), key=lambda gate: list(Stage).index(Stage(gate.to)))
            if seat in gate.seats
        )
        if gates:
            found.append(SeatTime(seat, gates))
    return found


def _asked(rulebook: ParsedRulebook, gate: Gate, seat: str, tier: str) -> tuple[int, int]:
    """Return the number of answers the seat reads at the gate, and of those to verify."""
    keys = dict.fromkeys(key for row in rulebook.criteria_of(gate, seat) for key in row.requirements)
    rows = [row for key in keys if (row := rulebook.requirements[key]).level_for(tier, gate.key)]
    return len(rows), sum(_verified(row, tier, gate.key) for row in rows)


def _verified(asked: Requirement, tier: str, gate: str) -> bool:
    """Return True if a person must open the evidence. Registers and acceptances need no one."""
    return asked.level_for(tier, gate) == Level.VERIFIED and not NEEDS_NOBODY & {*asked.ways}


def verifications(rulebook: ParsedRulebook, approved_stage: str, tier: str) -> int:
    """Return how many answers must be verified to support the approved stage."""
    found: set[str] = set()
    for stage in RUNNING_STAGES[1 : STAGE_RANK[approved_stage] + 1]:
        gate = rulebook.gate_to(stage)
        later = rulebook.deferred(gate)
        found |= {
            key
            for key in gate.requirements()
            if key not in later and _verified(rulebook.requirements[key], tier, gate.key)
        }
    return len(found)


def reading_minutes(rulebook: ParsedRulebook, words_a_minute: int = 200) -> int:
    """Estimate the minutes to read every requirement and what counts for it."""
    texts = [text for row in rulebook.requirements.values() for text in (row.question, row.counts)]
    texts += [row.question for row in rulebook.criteria.values()]
    words = sum(len(text.split()) for text in texts)
    return max(1, round(words / words_a_minute))
