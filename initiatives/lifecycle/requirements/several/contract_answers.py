"""Answers and evidence from the clauses of a contract, written when a version comes into force."""

from collections.abc import Sequence

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.gates.levels import CLAUSES
from governance.gates.requirements import ACCEPTED_IN_PERSON
from governance.models import Clause, ContractVersion, Rulebook
from governance.vocabulary import AnswerKind, ClauseKind, EvidenceKind
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.models import Answer, Initiative

# The kind of clause that answers each requirement. What a clause on regions shows is judged by its findings.
KIND_OF = CLAUSES | {"int.residency": ClauseKind.RESIDENCY}
SYSTEM = "contract"


def answer_by_contract(
    initiative: Initiative, version: ContractVersion, previous: ContractVersion | None
) -> None:
    """Answer what the clauses of this version show, inside the act that puts it in force.

    The author of the version is the author of the answers and the evidence, so the rules on authors hold. An answer
    that a person wrote stays. One that repeats the clauses of the `previous` version follows this version.
    """
    rulebook = Rulebook.objects.current().parsed
    written = {row.requirement: row for row in Answer.objects.filter(initiative=initiative)}
    now, before = _by_kind(version), _by_kind(previous) if previous is not None else {}
    # The seat that approved last signed the contract, and it is not the author of the answers.
    with row_history.acting(by=None, system=SYSTEM), entries.signed(None):
        covers: dict[Clause, list[str]] = {}
        for key, kind in KIND_OF.items():
            clauses, asked = now.get(kind, []), rulebook.requirements.get(key)
            if not clauses or asked is None or EvidenceKind.CONTRACT_CLAUSE not in asked.evidence:
                continue
            row = written.get(key)
            if key not in ACCEPTED_IN_PERSON and (row is None or row.text == _said(before.get(kind, []))):
                _answer(initiative, key, row, _said(clauses), version)
            for clause in clauses:
                covers.setdefault(clause, []).append(key)
        for clause, keys in covers.items():
            create_evidence(
                initiative,
                kind=EvidenceKind.CONTRACT_CLAUSE,
                title=f"Clause {clause.number}",
                observed_on=clock.today(),
                covers=keys,
                by=version.author,
                clause=clause,
            )


def _by_kind(version: ContractVersion) -> dict[str, list[Clause]]:
    found: dict[str, list[Clause]] = {}
    for clause in version.clauses.all():
        found.setdefault(clause.kind, []).append(clause)
    return found


def _said(clauses: Sequence[Clause]) -> str:
    """Return the sentences of the clauses, each with its number."""
    return "\n".join(f"Clause {clause.number}: {clause.sentence}" for clause in clauses)


def _answer(
    initiative: Initiative, key: str, row: Answer | None, text: str, version: ContractVersion
) -> None:
    before = {"kind": row.kind, "text": row.text} if row else None
    row = row or Answer(initiative=initiative, requirement=key, version=0)
    row.kind, row.text, row.version = AnswerKind.ANSWERED, text, row.version + 1
    row.by, row.at = version.author, clock.now()
    row.save()
    entries.record(
        EntryKind.ANSWERED,
        initiative=initiative,
        requirement=key,
        answer=row.kind,
        text=text,
        before=before,
    )
