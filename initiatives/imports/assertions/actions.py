"""What a person makes of asserted moves: a newer claim taken in the place of an imported one, or left."""

from django.core.exceptions import ValidationError

from governance.ledger import record
from governance.models import User
from governance.permission_result import Conflict, no
from governance.vocabulary import Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act, settle_standing
from initiatives.imports.assertions.permissions import may_decide_moves, may_take
from initiatives.imports.inventories import batch_rows
from initiatives.models import ImportRow, Initiative
from initiatives.models.stage_machine import CLAIM, CORRECTION, offered
from initiatives.stages.actions import change_stage


def decide_move(*, row: ImportRow, stage: str, reason: str, by: User) -> ImportRow:
    """Take the stage that a newer list asserts, or one chosen by hand, as the claim of its case; "" leaves the claim.

    Nothing but an imported claim is changed, and no case is made. Raises ValidationError on `reason` or `stage`,
    Refused where the stage was decided here, Conflict where somebody decided before or a newer list says otherwise.
    """
    wrong = {}
    if not reason.strip():
        wrong["reason"] = "Say how you know, so that others can follow it."
    if stage and stage not in Stage:
        wrong["stage"] = "Choose one of the stages, or leave the claim as it is."
    if wrong:
        raise ValidationError(wrong)
    why = f"Asserted by its source; decided by hand: {reason.strip()}"
    with act("decide asserted move", by=by, case=row.initiative_id, reason=why) as case:
        may_decide_moves(by).or_refuse()
        row = ImportRow.objects.select_for_update(of=("self",)).select_related("batch").get(pk=row.pk)
        batch_rows.still_standing(row.batch)
        if row.decision != "triage" or row.initiative_id != case.pk or not row.paired_by:
            raise Conflict(f"This row is decided already: {row.get_decision_display().lower()}.")
        if not row.done_at:
            no(
                "This file is not confirmed: nothing of it is live.",
                "Confirm it first; its moves wait for you afterwards.",
                f"/imports/{row.batch_id}/confirm/",
            ).or_refuse()
        before = case.stage
        if stage and stage != before:
            _refuse_outdated(row)
            may_take(case, row).or_refuse()
            correct_claim(case, row, stage, f"Newer claim taken: {reason.strip()}", by)
        row.decision = "taken" if stage else "left"
        row.mapped["by_hand"] = reason.strip()
        if stage:
            row.mapped["taken"] = stage
        row.problems.append(
            {
                "kind": "decided",
                "text": f"Decided by {by.full_name}: {reason.strip()}",
                "column": "",
                "value": "",
            }
        )
        row.save()
        record.record(
            EntryKind.ASSERTED_MOVE_DECIDED,
            case=case,
            batch=row.batch_id,
            line=row.line,
            move=row.move,
            asserted=[row.stage_before, row.mapped["stage"]],
            claim=[before, case.stage],
            decision=row.decision,
            why=reason.strip(),
        )
    return row


def _refuse_outdated(row: ImportRow) -> None:
    """Raises Conflict where a newer list of the case asserts another stage than this one."""
    newer = (
        row.initiative.import_rows.filter(done_at__isnull=False, batch_id__gt=row.batch_id)
        .filter(batch__undone_at__isnull=True)
        .exclude(decision__in=("merge", "reject"))
        .exclude(batch__reading__backfill=True)
        .select_related("batch")
        .order_by("-batch_id")
        .first()
    )
    if newer is not None and newer.mapped["stage"] != row.mapped["stage"]:
        raise Conflict(
            f"A newer list, {newer.batch.file_name}, says otherwise of this system: decide there, and leave this one."
        )


def correct_claim(case: Initiative, row: ImportRow, stage: str, reason: str, by: User) -> None:
    """Move the claim of a case to this stage, inside the running act. Raises Refused where no move leads there."""
    raw = row.mapped["stage_raw"][:200]
    why = f"Asserted by source {row.batch.source}, line {row.line}: \u201c{raw}\u201d. {reason}"
    if stage != row.mapped["stage"]:
        why = f"Stage chosen by hand beside source {row.batch.source}, line {row.line}: \u201c{raw}\u201d. {reason}"
    move = offered(case, kind=CORRECTION, target=stage) or offered(case, kind=CLAIM, target=stage)
    if move is None:
        no(f"No list moves {case.ref} from {case.stage} to {stage}.", "Leave the claim as it is.").or_refuse()
    change_stage(case, move, reason=why, by=by)
    settle_standing(case)
