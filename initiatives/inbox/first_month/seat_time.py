"""What each seat of a board costs in time, by the rulebook: an estimate, and worked out by figures that are shown."""

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
    """What a seat does for one initiative at one gate: answers it reads, those that have to be verified, minutes."""

    title: str
    must: bool
    answers: int
    verified: int

    @property
    def minutes(self) -> int:
        """About how long it takes: at most, for seats that ask for the same answer share its verification."""
        return SIGNING + READING * self.answers + VERIFYING * self.verified


@dataclass(frozen=True)
class SeatTime:
    """A seat with the gates that it signs, for one initiative each."""

    seat: str
    gates: tuple[GateTime, ...]

    @property
    def minutes(self) -> int:
        """For one initiative through all of these gates."""
        return sum(gate.minutes for gate in self.gates)


def seat_times(rulebook: ParsedRulebook, tier: str) -> list[SeatTime]:
    """What each seat does for one initiative of a tier ("" while none is confirmed), at every gate that it signs."""
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
    """How many answers the seat reads at the gate, and how many of them somebody has to verify."""
    keys = dict.fromkeys(key for row in rulebook.criteria_of(gate, seat) for key in row.requirements)
    rows = [row for key in keys if (row := rulebook.requirements[key]).level_for(tier, gate.key)]
    return len(rows), sum(_verified(row, tier, gate.key) for row in rows)


def _verified(asked: Requirement, tier: str, gate: str) -> bool:
    """Whether somebody has to open the evidence; what registers and acceptances answer needs nobody."""
    return asked.level_for(tier, gate) == Level.VERIFIED and not NEEDS_NOBODY & {*asked.ways}


def verifications(rulebook: ParsedRulebook, approved_stage: str, tier: str) -> int:
    """How many answers have to be verified before the evidence of an initiative supports its approved stage."""
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
    """About how long it takes to read every requirement of the rulebook and what counts for it."""
    texts = [text for row in rulebook.requirements.values() for text in (row.question, row.counts)]
    texts += [row.question for row in rulebook.criteria.values()]
    words = sum(len(text.split()) for text in texts)
    return max(1, round(words / words_a_minute))
