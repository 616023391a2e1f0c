"""A file thrown away before anything of it is live, and an import undone while nobody works on what it brought."""

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.people import cooling_off
from governance.people.permissions import may_import
from governance.permission_result import Answer, all_of, no
from governance.vocabulary import Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ImportBatch, Initiative, RoleAssignment, StageChange
from initiatives.models.stage_machine import REPORT_WITHDRAWN, make_move, offered
from initiatives.portfolio.imports.inventories.actions import one_import_at_a_time

# What stands around an initiative by its import alone, or is worked out from the rest: fields that point at the
# initiative.
OF_THE_IMPORT = {
    "StageChange.initiative",
    "SupportedStage.initiative",
    "SupportedStagePeriod.initiative",
    "PastSupportedStage.initiative",
    "ImportRow.initiative",
    "BusinessCase.initiative",
    "InitiativeVisit.initiative",  # whoever looked at it has not worked on it
}
NAMED = 5  # initiatives that a refusal names


def may_discard(batch: ImportBatch, person: User) -> Answer:
    """Throw a file away: whoever imports, while nothing of it is live."""
    if batch.discarded_at:
        return no("This file was thrown away already.")
    if batch.runs.under_way().exists():
        return no("The file is being worked on.", "Cancel that first, on the page of imports.", "/imports/")
    if batch.confirmed_at or batch.rows.filter(done_at__isnull=False).exists():
        return no("Rows of this file are live.", "Undo the import instead.", f"/imports/{batch.pk}/undo/")
    return all_of(may_import(person), cooling_off.may_lift(person))


def may_undo(batch: ImportBatch, person: User) -> Answer:
    """Undo an import: whoever imports, while nobody works on anything that it brought."""
    answer = all_of(may_import(person), cooling_off.may_lift(person))
    if not answer:
        return answer
    if batch.undone_at:
        return no("This import was undone already.")
    if not batch.confirmed_at:
        return no("Nothing of this file is live.", "Throw it away instead.", f"/imports/{batch.pk}/discard/")
    if batch.runs.under_way().exists():
        return no("The file is being worked on.", "Cancel that first, on the page of imports.", "/imports/")
    busy = worked_on(brought_by(batch))
    if busy:
        named = "; ".join(f"{ref}: {', '.join(words)}" for ref, words in list(busy.items())[:NAMED])
        more = f"; and {len(busy) - NAMED} more" if len(busy) > NAMED else ""
        return no(
            f"People work on {len(busy)} of the initiatives that it brought ({named}{more}).",
            "Stop or withdraw those that are wrong one by one.",
        )
    return answer


def brought_by(batch: ImportBatch) -> QuerySet:
    """The initiatives that the batch registered: not those that it found here already."""
    rows = batch.rows.filter(decision="import", done_at__isnull=False, initiative__isnull=False)
    return Initiative.objects.filter(pk__in=rows.values("initiative"))


def worked_on(initiatives: QuerySet) -> dict[str, list[str]]:
    """Which of the initiatives are more than their import left, by reference, and what stands there.

    Every row that points at an initiative counts, of whichever app, but for what the import itself writes, and roles
    that nobody accepted.
    """
    keys = list(initiatives.values_list("pk", flat=True))
    found: dict[int, list[str]] = defaultdict(list)
    for relation in Initiative._meta.related_objects:
        model, field = relation.related_model, relation.field
        if f"{model.__name__}.{field.name}" in OF_THE_IMPORT or not relation.field.concrete:
            continue
        rows = model._base_manager.filter(**{f"{field.name}__in": keys})
        if model is RoleAssignment:
            rows = rows.filter(accepted_at__isnull=False)
        for pk in rows.order_by().values_list(field.attname, flat=True).distinct():
            found[pk].append(str(model._meta.verbose_name))
    for pk in initiatives.filter(contract__isnull=False).values_list("pk", flat=True):
        found[pk].append("contract")
    for pk in initiatives.exclude(tier="").values_list("pk", flat=True):
        found[pk].append("risk tier confirmed")
    moved = StageChange.objects.filter(initiative__in=keys).exclude(basis="import").order_by()
    for pk in moved.values_list("initiative", flat=True).distinct():
        found[pk].append("stage decided here")
    refs = {
        initiative.pk: initiative.ref
        for initiative in Initiative.objects.filter(pk__in=found).order_by("number")
    }
    return {refs[pk]: sorted(set(found[pk])) for pk in refs}


def discard_batch(*, batch: ImportBatch, by: User) -> ImportBatch:
    """Throw an uploaded file away: its rows are deleted, that it was here stays. Raises Refused once rows are live."""
    with act("discard import", by=by, reason=f"Thrown away: {batch.file_name}"):
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        may_discard(batch, by).or_refuse()
        rows = batch.rows.count()
        batch.rows.all().delete()
        batch.discarded_by, batch.discarded_at = by, clock.now()
        batch.save()
        entries.record(
            EntryKind.IMPORT_DISCARDED, batch=batch.pk, file=batch.file_name, sha256=batch.sha256, rows=rows
        )
    return batch


def undo_batch(*, batch: ImportBatch, reason: str, by: User) -> int:
    """Undo an import: each reported stage and each initiative is withdrawn, at once. Returns how many.

    Entries, numbers and rows stay; the same file can be imported again. Raises ValidationError without a reason,
    Refused where somebody works on one of them.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why, for whoever finds one of them withdrawn."})
    with act("undo import", by=by, reason=f"Import undone: {reason.strip()}"):
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        keys = list(brought_by(batch).values_list("pk", flat=True))
        initiatives = Initiative.objects.all_locked(keys)
        may_undo(batch, by).or_refuse()
        _end_proposals(keys)
        _withdraw(
            batch,
            [initiative for initiative in initiatives if initiative.stage != Stage.PROPOSED],
            reason.strip(),
            by,
        )
        now = clock.now()
        row_history.update_where(
            Initiative, keys, withdrawn_at=now, withdrawn_reason=f"Import undone: {reason.strip()}"
        )
        entries.record_many(
            EntryKind.WITHDRAWN,
            [(initiative, {"joined_to": None, "batch": batch.pk}) for initiative in initiatives],
        )
        withdrawn = list(Initiative.objects.filter(pk__in=keys))
        if withdrawn:
            supported_stage_rows.rewrite_alike(withdrawn)
        batch.undone_by, batch.undone_at, batch.undone_reason = by, now, reason.strip()
        batch.save()
        entries.record(
            EntryKind.IMPORT_UNDONE, batch=batch.pk, file=batch.file_name, initiatives=len(initiatives)
        )
    return len(initiatives)


def _end_proposals(keys: list[int]) -> None:
    """Roles that nobody answered end with what they were asked for."""
    waiting = list(
        RoleAssignment.objects.waiting().filter(initiative__in=keys).select_related("initiative", "person")
    )
    row_history.update_where(
        RoleAssignment,
        [role.pk for role in waiting],
        ended_at=clock.now(),
        ended_reason="The import was undone",
    )
    entries.record_many(
        EntryKind.ROLE_ENDED,
        [(role.initiative, {"role": role.role, "person": role.person.full_name}) for role in waiting],
    )


def _withdraw(batch: ImportBatch, initiatives: list[Initiative], reason: str, by: User) -> None:
    """Each reported stage back to an idea, with all that the audit log asks of a move."""
    if not initiatives:
        return
    now, why = clock.now(), f"The import of {batch.file_name} was undone: {reason}"
    moves_written = entries.record_many(
        EntryKind.STAGE_CHANGED,
        [
            (
                initiative,
                {
                    "from": initiative.stage,
                    "to": Stage.PROPOSED,
                    "basis": "import undone",
                    "why": why,
                    "batch": batch.pk,
                },
            )
            for initiative in initiatives
        ],
    )
    StageChange.objects.bulk_create(
        [
            StageChange(
                initiative=initiative,
                from_stage=initiative.stage,
                to_stage=Stage.PROPOSED,
                basis="import undone",
                reason=why,
                by=by,
                at=now,
                entry_id=entry.pk,
            )
            for initiative, entry in zip(initiatives, moves_written, strict=True)
        ],
        batch_size=1000,
    )
    for initiative in initiatives:
        make_move(initiative, offered(initiative, kind=REPORT_WITHDRAWN))
        initiative.basis, initiative.since = "import undone", now
    row_history.update_alike(Initiative, initiatives, ["stage", "basis", "since"])
