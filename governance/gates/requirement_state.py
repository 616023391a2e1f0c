"""The state of one requirement at one moment, and where a fault is fixed. Pure.

Source of every rule: docs/domain.md, "What counts as evidence".
"""

from dataclasses import dataclass
from datetime import date

from governance.gates.gate_inputs import Item
from governance.rulebook import Requirement
from governance.vocabulary.phrases import phrase

# Met only by the person's own acceptance of the role (docs/domain.md, "Attestation").
ACCEPTED_IN_PERSON = {
    "mvp.owner": "owner",
    "mvp.duty": "support_owner",
    "prod.q01_outcome_owner": "owner",
    "prod.q02_support": "support_owner",
}
GENERATED_ONLY = frozenset({"prod.q07_governance_evidence"})
# The places of a fix that is neither an answer nor evidence added to the requirement (`State.place`).
IN_DECLARATION, BY_ACCEPTANCE, BY_GENERATING = "declaration", "acceptance", "index"
BY_VERIFYING, IN_REGISTER, IN_DEPLOYMENTS = "verification", "register", "deployments"
# A value in `State.below`: the draw for the next acceptance of production is not verified. No gate asks it yet.
NEXT_ACCEPTANCE = "next acceptance"
ITS_SEAT = "The reviewer"
# States that need no act.
SATISFIED_STATES = frozenset({"met", "as_decided", "not_asked", "not_applicable", "waived"})


@dataclass(frozen=True)
class State:
    """The state of one requirement at one moment.

    `last_day` is the last day on which it holds if nothing changes. `level` is one of `Level`, or "". `below` has the
    gates that ask a higher level. `verifiers` has the keys of who verified its items. `renewed` has those who verified
    what the items renew, while that counts. `fixed_by` is who can fix it, if not the one who answers. `place` is where
    it is fixed, if not at the requirement.
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
        """Return True if evidence, a decision or an exception satisfies every gate."""
        return self.state in SATISFIED_STATES

    def satisfies(self, gate: str) -> bool:
        """Return True if this gate is satisfied. It may ask less than a later gate."""
        return self.satisfied or (self.state == "below" and gate not in self.below)


def in_words(key: str) -> str:
    """Return a key of the rulebook as words."""
    return key.replace("_", " ")


def elsewhere(key: str, kinds: tuple[str, ...]) -> tuple[str, str] | None:
    """Return what fixes a requirement without answer or upload, and where, or None."""
    if key in GENERATED_ONLY:
        return phrase("Generate the index."), BY_GENERATING
    if key in ACCEPTED_IN_PERSON and kinds == ("attestation",):
        return phrase(
            "Ask the {} to accept the role in person.", in_words(ACCEPTED_IN_PERSON[key])
        ), BY_ACCEPTANCE
    return None


def fix_of(requirement: Requirement, usual: str) -> tuple[str, str]:
    """Return the fix of the requirement and its place, `usual` if it has no other."""
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
    """Return a state that does not meet the requirement. `place` None: the usual one."""
    if place is None:
        fix, place = fix_of(requirement, fix)
    return State(requirement.key, state, words, fix, items, None, version, place=place)
