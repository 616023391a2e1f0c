"""Asserted history: what the source of an imported case says, shown beside our findings, never counted."""

import re
from dataclasses import dataclass, field

from governance.tables.cell_values import is_blank
from initiatives.imports.assertions.asserted_moves import SAME
from initiatives.imports.inventories.inventory_sources import FIELDS, newcomer, source_for
from initiatives.models import ImportRow, Initiative

NOT_REPORTED = "not reported"


@dataclass(frozen=True)
class Asserted:
    """Where a case came from and what its source says; `earlier` are older files, `shared` perhaps the same system."""

    row: ImportRow
    source: str
    fields: list[tuple[str, str]]
    answers: list[tuple[str, str, str]]
    problems: list[dict] = field(default_factory=list)
    earlier: list[ImportRow] = field(default_factory=list)
    shared: list[tuple[Initiative, str]] = field(default_factory=list)
    moves: list[ImportRow] = field(default_factory=list)


def word_of(raw: str | None) -> str:
    """How an answer of a source is called here. "In progress", "no", "not applicable" and nothing are four things."""
    if raw is None:
        return NOT_REPORTED
    bare = re.sub(r"[\[\]'\"]", "", raw).strip()
    bare = re.sub(r"^[a-z]\)\s*", "", bare).casefold()
    if not bare:
        return NOT_REPORTED
    if "waived" in bare:
        return "waived by its source"
    if re.search(r"\bin[- ]progr?ess\b", bare):
        return "in progress, which is not yes"
    if re.match(r"(not applicable|n/?a)\b", bare):
        return "not applicable, says its source"
    if bare in ("unknown", "not available", "tbd", "to be determined"):
        return "not known to its source"
    if is_blank(bare):
        return NOT_REPORTED
    if re.match(r"no\b(?! \w)", bare):
        return "no"
    if re.match(r"yes\b", bare):
        return "yes, asserted"
    return "asserted"


def row_of(case: Initiative) -> ImportRow | None:
    """The newest row that speaks of the case, left aside what older files were asked for history only."""
    rows = case.import_rows.filter(done_at__isnull=False).exclude(decision__in=["merge", "triage", "reject"])
    for row in rows.select_related("batch").order_by("-batch_id"):
        if not row.batch.reading.get("backfill"):
            return row
    return None


def asserted_answers(case: Initiative) -> list[tuple[str, str, str]]:
    """The questions of the source, what it answered, letter for letter, and the word for that answer.

    A column the source did not publish, and a cell it left empty, read "not reported".
    """
    row = row_of(case)
    return _answers(row) if row else []


def _answers(row: ImportRow) -> list[tuple[str, str, str]]:
    source = source_for(row.batch.source) or newcomer(row.batch.source)
    answers = row.mapped.get("answers", {})
    order = list(source.questions) or [name for name in row.batch.columns if name in answers]
    return [
        (source.questions.get(name, name), answers.get(name) or "", word_of(answers.get(name)))
        for name in order
    ]


def asserted(case: Initiative) -> Asserted | None:
    """Everything the source says of the case; None for cases registered here."""
    row = row_of(case) if case.imported or case.brought_in else None
    if row is None:
        return None
    source = source_for(row.batch.source) or newcomer(row.batch.source)
    said = row.mapped | {"stage": row.mapped.get("stage_raw", "")}
    earlier = case.import_rows.filter(done_at__isnull=False, batch__reading__backfill=True)
    lines = {hint["line"]: hint["text"] for hint in row.mapped.get("suggestions", ())}
    shared = [
        (other.initiative, lines[other.line])
        for other in row.batch.rows.filter(
            line__in=lines, initiative__isnull=False, initiative__confidential=False
        ).select_related("initiative")
        if other.initiative_id != case.pk
    ]
    return Asserted(
        row=row,
        source=source.words,
        fields=[(words, said.get(name) or "") for name, words in FIELDS.items()],
        answers=_answers(row),
        problems=row.problems,
        earlier=list(earlier.select_related("batch").order_by("-batch__published_on")),
        shared=shared,
        moves=list(
            case.import_rows.filter(done_at__isnull=False)
            .exclude(move__in=("", SAME))
            .select_related("batch")
            .order_by("-batch_id")
        ),
    )
