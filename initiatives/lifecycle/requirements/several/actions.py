"""Clauses of the contract in force, taken as answers and evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance import clock
from governance.models import Clause, User
from governance.permission_result import Conflict
from governance.vocabulary import AnswerKind, EvidenceKind
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.initiative.act import act, together
from initiatives.lifecycle.requirements.actions import answer
from initiatives.models import Initiative


@dataclass(frozen=True)
class Cited:
    """A requirement that clauses of the contract in force answer. `worded` is True if it has an answer."""

    key: str
    question: str
    clauses: tuple[Clause, ...]
    worded: bool

    @property
    def text(self) -> str:
        """Return the answer: the sentences of the clauses, each with its number."""
        return "\n".join(f"Clause {clause.number}: {clause.sentence}" for clause in self.clauses)


def cite_contract(*, initiative: Initiative, cited: Sequence[Cited], version: str, by: User) -> None:
    """Answer each of `cited` in the sentences of its clauses, as evidence.

    All answers are saved, or none. A requirement with an answer keeps it. `version` is the key of the contract
    version that was read. Raises Conflict if another one, or none, answers them now.
    """
    with act("cite contract", by=by, initiative=initiative) as initiative, together():
        if not cited or version != str(cited[0].clauses[0].version_id):
            raise Conflict(
                "The contract in force now answers a different set of requirements.",
                "Open the list of requirements again.",
            )
        for one in cited:
            if not one.worded:
                answer(
                    initiative=initiative,
                    requirement=one.key,
                    kind=AnswerKind.ANSWERED,
                    text=one.text,
                    based_on=0,
                    by=by,
                )
            for clause in one.clauses:
                add_evidence(
                    initiative=initiative,
                    kind=EvidenceKind.CONTRACT_CLAUSE,
                    title=f"Clause {clause.number}",
                    observed_on=clock.today(),
                    covers=[one.key],
                    clause=clause,
                    by=by,
                )
