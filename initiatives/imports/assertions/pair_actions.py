"""Pairs by name: a person says which case a row speaks of, or that it is another system. Never taken silently."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.ledger import record
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act
from initiatives.imports.assertions.asserted_moves import BY_NAME, BY_PERSON, OTHER, SAME, asserted_move
from initiatives.imports.assertions.permissions import may_decide_moves
from initiatives.imports.inventories import batch_rows, import_batch
from initiatives.imports.inventories.actions import one_import_at_a_time
from initiatives.imports.inventories.claims import import_rows
from initiatives.imports.inventories.inventory_sources import newcomer, source_for
from initiatives.models import ImportBatch, ImportRow, Initiative


def answer_pairs(*, rows: list[ImportRow], same: bool, reason: str, by: User) -> list[ImportRow]:
    """Confirm that each row speaks of the one case that has its name, or say that each is another system.

    Confirmed, it is tied to the case, and its move waits to be decided; another system becomes a case of its own where
    its stage is known and its file was confirmed, and stays set aside where it is not. Raises ValidationError without a
    reason or where several cases have the name (`answer_pair` names one), Conflict where somebody was first.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say how you know, so that others can follow it."})
    unsure = [row for row in rows if same and len(row.mapped.get("candidates", ())) != 1]
    if unsure:
        raise ValidationError(
            {
                "rows": f"Line {unsure[0].line}: several initiatives have this name. Open the line and choose one."
            }
        )
    chosen = {row.pk: row.mapped["candidates"][0] if same else None for row in rows}
    return _answer(chosen, reason.strip(), by)


def answer_pair(*, row: ImportRow, case: Initiative | None, reason: str, by: User) -> ImportRow:
    """Say which of the cases of this name the row speaks of, or None for another system. Raises as `answer_pairs`."""
    if not reason.strip():
        raise ValidationError({"reason": "Say how you know, so that others can follow it."})
    if case is not None and case.pk not in row.mapped.get("candidates", ()):
        raise ValidationError({"case": "Choose one of the initiatives of this name."})
    return _answer({row.pk: case.pk if case else None}, reason.strip(), by)[0]


def _answer(chosen: dict[int, int | None], reason: str, by: User) -> list[ImportRow]:
    with act("answer pairs by name", by=by, reason=f"Pairs by name: {reason}"):
        may_decide_moves(by).or_refuse()
        one_import_at_a_time()
        rows = list(
            ImportRow.objects.select_for_update(of=("self",))
            .filter(pk__in=chosen)
            .select_related("batch")
            .order_by("batch_id", "line")
        )
        for one in {row.batch_id: row.batch for row in rows}.values():
            batch_rows.still_standing(one)
        for row in rows:
            if row.paired_by != BY_NAME or row.decision != "triage":
                raise Conflict(f"Line {row.line} is answered already. Nothing was changed: look at it again.")
        cases = {case.pk: case for case in Initiative.objects.filter(pk__in=filter(None, chosen.values()))}
        asserted = _asserted(rows)
        batches: dict[int, list[ImportRow]] = {}
        for row in rows:
            batches.setdefault(row.batch_id, []).append(row)
        for batch in batches.values():
            _tie_or_part(batch, chosen, asserted, reason, by)
        for batch_id, some in batches.items():
            batch_rows.count_again(batch_id)
            record.record_many(
                EntryKind.PAIR_ANSWERED,
                [
                    (
                        cases.get(chosen[row.pk]) or row.initiative,
                        {
                            "batch": batch_id,
                            "line": row.line,
                            "same": chosen[row.pk] is not None,
                            "move": row.move,
                            "why": reason,
                        },
                    )
                    for row in some
                ],
            )
    return rows


def _tie_or_part(rows, chosen, asserted, reason: str, by: User) -> None:
    """Rows of one batch: those of a case tied to it, the others cases of their own where they may be."""
    batch, now, others = rows[0].batch, clock.now(), []
    backfill = bool(batch.reading.get("backfill"))
    taken = set(
        batch.rows.filter(initiative__in=[pk for pk in chosen.values() if pk])
        .exclude(decision="merge")
        .values_list("initiative", flat=True)
    )
    for row in rows:
        pk = chosen[row.pk]
        row.problems.append(
            {"kind": "decided", "text": f"Decided by {by.full_name}: {reason}", "column": "", "value": ""}
        )
        if pk is None:
            row.paired_by, row.move, row.stage_before = OTHER, "", ""
            known = row.mapped["stage"] and row.mapped["organisation"]
            if known and not backfill:
                row.decision = "import"
                others.append(row)
            continue
        if pk in taken:
            raise Conflict(f"Line {row.line}: another line of this file speaks of that initiative already.")
        taken.add(pk)
        row.paired_by, row.initiative_id = BY_PERSON, pk
        before, after = asserted.get(pk, ""), row.mapped["stage"]
        if backfill:
            before, after = after, before
        row.stage_before, row.move = before, asserted_move(before, after)
        row.decision = "unchanged" if row.move == SAME or backfill else "triage"
    # Of a file that waits to be confirmed, the other systems come in with it.
    import_rows(batch, [row for row in others if row.done_at], by)
    ImportRow.objects.bulk_update(
        rows,
        ["decision", "initiative", "problems", "paired_by", "move", "stage_before"],
        batch_size=500,
    )
    _join(batch, rows, now)


def _join(batch: ImportBatch, rows: list[ImportRow], now) -> None:
    """Lines that repeat one of these to the last letter belong to its case."""
    for row in rows:
        if row.initiative_id and row.group:
            batch.rows.filter(raw_digest=row.raw_digest, decision="merge").update(
                initiative=row.initiative_id
            )


def _asserted(rows: list[ImportRow]) -> dict[int, str]:
    """By case, what the newest list before asserts of it."""
    found: dict[int, str] = {}
    for batch in {row.batch_id: row.batch for row in rows}.values():
        earlier = import_batch.earlier_of(source_for(batch.source) or newcomer(batch.source), but=batch)
        for known in earlier.by_name.values():
            found |= {pk: one.asserted for pk, one in known.items()}
    return found
