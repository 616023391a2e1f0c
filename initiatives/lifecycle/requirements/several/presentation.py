"""The requirements that one form asks together, and what can show them."""

from governance.gates import requirements
from governance.gates.levels import IN_REGISTER
from governance.vocabulary import EvidenceKind, Level
from initiatives.contributions import contributed
from initiatives.lifecycle.evidence.forms import added_kinds
from initiatives.lifecycle.requirements.row_presentation import Sheet, rows_of

MOST = 8  # requirements in one form, a page of some 4,000 pixels at most; saving leads to the next
# Where a requirement takes several kinds of evidence, the one with the least to fill in.
LIGHTEST = (
    EvidenceKind.DOCUMENT,
    EvidenceKind.LOG_SAMPLE,
    EvidenceKind.DECISION_RECORD,
    EvidenceKind.USER_RESEARCH,
    EvidenceKind.TEST_REPORT,
)


def open_rows(context, sheet: Sheet) -> list[dict]:
    """Return the list's blocking requirements without a current answer.

    Requirements with another page are left out. The reader's come first. Those of others, in whose place the reader
    may answer, follow.
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


def worded(context, rows: list[dict]) -> list[dict]:
    """Return these requirements that have no answer yet and are answered in words.

    Requirements that judge a layer have another page, because a person outside that layer reads their item. Those
    that only a register, a measure or the contract answers are left out, as are those that wait for the model or the
    scope.
    """
    rulebook = context["rulebook"]
    return [
        row
        for row in rows
        if row["answer"] is None
        and row["asked"].group != "layer"
        and row["key"] not in {*requirements.ACCEPTED_IN_PERSON, *contributed.renewals}
        and row["state"].place != IN_REGISTER
        and not row["first"]
        and (EvidenceKind.ATTESTATION in row["asked"].evidence or kinds_of(rulebook, row["asked"]))
    ]


def elsewhere(rows: list[dict], here: list[dict]) -> list[dict]:
    """Return these requirements that the person answers on another page."""
    shown = {row["key"] for row in here}
    return [row for row in rows if row["mine"] and row["key"] not in shown]


def kinds_of(rulebook, asked) -> list[str]:
    """Return the kinds of evidence that people add by file, lightest first.

    If test conditions count, kinds without a condition are left out.
    """
    if asked.min_evidence:
        return [asked.min_evidence] if asked.min_evidence in LIGHTEST else []
    offered = added_kinds(rulebook).keys() & set(asked.evidence)
    if asked.min_condition:
        offered &= rulebook.condition_kinds
    return [kind for kind in LIGHTEST if kind in offered]


def shown_by(context, row: dict, gate: str) -> str:
    """Return the kind of the item that shows the requirement here, or ""."""
    asked, rulebook = row["asked"], context["rulebook"]
    level = asked.level_for(context["facts"].tier, gate) if gate else ""
    if "attestation" in asked.evidence and level in ("", Level.STATED):
        return ""
    return next(iter(kinds_of(rulebook, asked)), "")
