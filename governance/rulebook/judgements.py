"""The five judgements of production, and the judgement of each requirement.

Source: S2-14 (reliability, supportability, traceability, risk, fitness). The rulebook has no column for it, so the
pairing is in pairings.toml.
"""

from governance.rulebook.pairings import PAIRINGS
from governance.rulebook.parsed_rulebook import Requirement

_PAIRED = PAIRINGS["judgements"]
# In the order of the source.
JUDGEMENTS = {key: row["title"] for key, row in _PAIRED.items()}
_OF: dict[str, str] = {name: key for key, row in _PAIRED.items() for name in row["requirements"]}
_OF_LAYER: dict[str, str] = {name: key for key, row in _PAIRED.items() for name in row.get("layers", ())}
_OF_DECLARED: dict[str, str] = {
    name: key for key, row in _PAIRED.items() for name in row.get("declared_goals", ())
}


def judgement_of(requirement: Requirement) -> str:
    """Return a requirement's judgement by its key, or by its layer for an unknown key."""
    return _OF.get(requirement.key) or _OF_LAYER.get(requirement.layer, "fitness")


def judgement_of_declared(key: str) -> str:
    """Return the judgement of a goal that is declared at the MVP gate."""
    return _OF_DECLARED.get(key, "fitness")
