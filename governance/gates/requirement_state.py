"""The state of one requirement at one moment, and where what is missing is fixed. Pure.

Source of every rule: docs/domain.md, "What counts as evidence".
"""

from dataclasses import dataclass
from datetime import date

from governance.gates.gate_inputs import Item
from governance.rulebook import Requirement

# Met only by the person's own acceptance of the role (docs/domain.md, "Attestation").
ACCEPTED_IN_PERSON = {
    "mvp.owner": "owner",
    "mvp.duty": "support_owner",
    "prod.q01_outcome_owner": "owner",
    "prod.q02_support": "support_owner",
}
GENERATED_ONLY = frozenset({"prod.q07_governance_evidence"})
# Where something is fixed that neither an answer to the requirement nor evidence added there fixes (`State.place`).
IN_DECLARATION, BY_ACCEPTANCE, BY_GENERATING = "declaration", "acceptance", "index"
BY_VERIFYING, IN_REGISTER = "verification", "register"
# Of `State.below`: what is drawn for the next acceptance of production waits to be verified; no gate asks it yet.
NEXT_ACCEPTANCE = "next acceptance"
ITS_SEAT = "Its reviewer"
# States in which nobody has to do anything.
SATISFIED_STATES = frozenset({"met", "as_decided", "not_asked", "not_applicable", "waived"})


@dataclass(frozen=True)
class State:
    """The state of one requirement at one moment. `last_day`: the last on which it stands, if nothing changes.

    `level`: one of `Level`, "" where it has none; `below`: the gates that ask a higher one.
    `verifiers`: keys of who verified what it stands on; `renewed`: of who verified what that renews, while it still
    counts. `fixed_by`: who can fix it, where that is nobody who
    answers for it. `place`: where, when not at the requirement.
    """

    key: str
    state: str
    words: str
    fix: str = ""
    items: tuple[Item, ...] = ()
    last_day: date | None = None
    answer_version: int = 0
    fixed_by: str = ""
    place: str = ""
    level: str = ""
    below: frozenset[str] = frozenset()
    verifiers: frozenset[int] = frozenset()
    renewed: frozenset[int] = frozenset()

    @property
    def satisfied(self) -> bool:
        """Whether every gate that asks it is satisfied: by evidence, a current decision or an accepted exception."""
        return self.state in SATISFIED_STATES

    def satisfies(self, gate: str) -> bool:
        """Whether this gate is satisfied; a gate may ask a lower level than a later one does."""
        return self.satisfied or (self.state == "below" and gate not in self.below)


def in_words(key: str) -> str:
    """A key of the rulebook as words."""
    return key.replace("_", " ")


def elsewhere(key: str, kinds: tuple[str, ...]) -> tuple[str, str] | None:
    """What fixes a requirement that no answer and no upload meets, and where; None for all others."""
    if key in GENERATED_ONLY:
        return "Generate the index.", BY_GENERATING
    if key in ACCEPTED_IN_PERSON and kinds == ("attestation",):
        return f"Have the {in_words(ACCEPTED_IN_PERSON[key])} accept it in person.", BY_ACCEPTANCE
    return None


def fix_of(requirement: Requirement, usual: str) -> tuple[str, str]:
    """What fixes it, and where: `usual`, at the requirement, unless it is fixed elsewhere."""
    return elsewhere(requirement.key, requirement.evidence) or (usual, "")


def lacking(
    requirement: Requirement,
    version: int,
    state: str,
    words: str,
    fix: str,
    items: tuple[Item, ...] = (),
    place: str | None = None,
) -> State:
    """A state that does not meet it. `place`: where it is fixed, None for where the requirement usually is."""
    if place is None:
        fix, place = fix_of(requirement, fix)
    return State(requirement.key, state, words, fix, items, None, version, place=place)
