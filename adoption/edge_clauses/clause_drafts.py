"""Draft of an edge clause from an incident, in the vocabulary of the initiative's contract."""

from adoption.models import Incident
from governance.contracts.clauses import ASK, REFUSE, Terms
from governance.models import Clause, ContractVersion
from initiatives.contracts.documents.actions import Written

# Failures by the words of an incident. The first match counts, and `failure_of` decides without a match.
SAID = (
    ("personal_data", ("personal data", "privacy", "confidential", "leak")),
    (
        "model_unavailable",
        ("timeout", "time-out", "no answer", "did not answer", "model down", "outage of the model"),
    ),
    (
        "source_unavailable",
        ("unavailable", "unreachable", "cannot be reached", "was down", "outage", "offline"),
    ),
    ("sources_conflict", ("contradict", "conflict", "two values", "differ")),
    ("low_confidence", ("not sure", "uncertain", "made up", "invented", "hallucinat", "wrong answer")),
)


def failure_of(incident: Incident) -> str:
    """Return the failure of the contract's vocabulary that the incident was. The default is an unexpected input."""
    told = f"{incident.title} {incident.words}".lower()
    for failure, words in SAID:
        if any(word in told for word in words):
            return failure
    if incident.wrong_output:
        return "low_confidence"
    return "unexpected_input"


def drafted(incident: Incident, failure: str = "") -> Written:
    """Return the clause that would have applied. It refuses if people were harmed, else it asks a person."""
    then = REFUSE if incident.severity == 1 or failure == "personal_data" else ASK
    return Written("edge_policy", terms=Terms(failure=failure or failure_of(incident), then=then))


def in_force(initiative, failure: str = "") -> list[Clause]:
    """Return the edge clauses of the contract in force. They apply when something goes wrong."""
    if initiative.contract_id is None:
        return []
    rows = Clause.objects.filter(
        version__contract=initiative.contract_id,
        version__state=ContractVersion.IN_FORCE,
        kind="edge_policy",
    ).order_by("position", "id")
    return [row for row in rows if not failure or row.terms.get("failure") == failure]
