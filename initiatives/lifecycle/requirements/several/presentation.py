"""Which requirements one form asks together, and what can show each of them."""

from governance import clock
from governance.gates import requirements
from governance.gates.levels import CLAUSES, IN_REGISTER
from governance.models import Clause
from governance.vocabulary import ClauseKind, EvidenceKind, Level
from initiatives.lifecycle.evidence.forms import added_kinds
from initiatives.lifecycle.requirements.row_presentation import Sheet, rows_of
from initiatives.lifecycle.requirements.several.actions import Cited

MOST = 8  # requirements in one form, a page of some 4,000 pixels at most; saving leads to the next
# Where a requirement takes several kinds of evidence, the one with the least to fill in.
LIGHTEST = (
    EvidenceKind.DOCUMENT,
    EvidenceKind.LOG_SAMPLE,
    EvidenceKind.DECISION_RECORD,
    EvidenceKind.USER_RESEARCH,
    EvidenceKind.TEST_REPORT,
)
CLAUSE_KINDS = CLAUSES | {"int.residency": ClauseKind.RESIDENCY}


def open_rows(context, sheet: Sheet) -> list[dict]:
    """The requirements of the list that have no current answer, can block, and are not another page's.

    Those of whoever looks come first, then those that wait for others, whom they may stand in for.
    """
    rulebook = context["rulebook"]
    rows = [
        row
        for row in rows_of(context, sheet)
        if row["group"] != "met"
        and not row["later"]
        and row["state"].state != "waiting"
        and rulebook.requirements[row["key"]].blocking
        and row["key"] not in requirements.GENERATED_ONLY
    ]
    return sorted(rows, key=lambda row: not row["mine"])


def cited(context, rows: list[dict]) -> list[Cited]:
    """What the contract in force answers of these requirements; nothing where clauses of the kind are cited already."""
    initiative = context["initiative"]
    version = initiative.contract.in_force_at(clock.now()) if initiative.contract_id else None
    wanted = [
        row
        for row in rows
        if row["key"] in CLAUSE_KINDS and EvidenceKind.CONTRACT_CLAUSE in row["asked"].evidence
    ]
    if version is None or not wanted:
        return []
    by_kind: dict[str, list[Clause]] = {}
    for clause in version.clauses.all():
        by_kind.setdefault(clause.kind, []).append(clause)
    found = []
    for row in wanted:
        clauses = by_kind.get(CLAUSE_KINDS[row["key"]], ())
        there = any(item.kind == EvidenceKind.CONTRACT_CLAUSE for item, _ in row["items"])
        if clauses and not there:
            worded = row["answer"] is not None or row["key"] in requirements.ACCEPTED_IN_PERSON
            found.append(Cited(row["key"], row["asked"].question, tuple(clauses), worded))
    return found


def worded(context, rows: list[dict]) -> list[dict]:
    """Of these requirements, those that nobody answered yet and that are answered in words.

    What a layer is judged by has a page of its own: its item is read by somebody from outside that layer.
    """
    return [
        row
        for row in rows
        if row["answer"] is None
        and row["asked"].group != "layer"
        and row["key"] not in requirements.ACCEPTED_IN_PERSON
        and (kinds_of(context["rulebook"], row["asked"]) or _in_words(context, row))
    ]


def _in_words(context, row: dict) -> bool:
    """Whether words alone may do: somebody's word counts as evidence, or a register brings the evidence."""
    asked = row["asked"]
    registers = context["rulebook"].register_kinds - {EvidenceKind.CONTRACT_CLAUSE}
    return (
        "attestation" in asked.evidence
        or bool(registers & set(asked.evidence))
        or (row["state"].place == IN_REGISTER)
    )


def kinds_of(rulebook, asked) -> list[str]:
    """The kinds of evidence for a requirement that people add by a file, the lightest first.

    Where conditions of the test count, a kind that carries none would show nothing.
    """
    if asked.min_evidence:
        return [asked.min_evidence] if asked.min_evidence in LIGHTEST else []
    offered = added_kinds(rulebook).keys() & set(asked.evidence)
    if asked.min_condition:
        offered &= rulebook.condition_kinds
    return [kind for kind in LIGHTEST if kind in offered]


def shown_by(context, row: dict, gate: str) -> str:
    """The kind of evidence that one item on the page brings for the requirement; "" where a word or a register does."""
    asked, rulebook = row["asked"], context["rulebook"]
    level = asked.level_for(context["facts"].tier, gate) if gate else ""
    if "attestation" in asked.evidence and level in ("", Level.STATED):
        return ""
    return next(iter(kinds_of(rulebook, asked)), "")
