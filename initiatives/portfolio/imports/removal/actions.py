"""Acts that discard a file without live rows, or undo an import not yet in use."""

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
from governance.vocabulary.phrases import phrase
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
    """Discard a file: an importer, while no row of the file is live."""
    if batch.discarded_at:
        return no("This file was already discarded.")
    if batch.runs.under_way().exists():
        return no("The file is being processed.", "Cancel the processing on the page Imports.", "/imports/")
    if batch.confirmed_at or batch.rows.filter(done_at__isnull=False).exists():
        return no(
            "Rows of this file are imported.", "Undo the import instead.", f"/rows/imports/{batch.pk}/undo/"
        )
    return all_of(may_import(person), cooling_off.may_lift(person))


def may_undo(batch: ImportBatch, person: User) -> Answer:
    """Undo an import: an importer, while no one works on its initiatives."""
    answer = all_of(may_import(person), cooling_off.may_lift(person))
    if not answer:
        return answer
    if batch.undone_at:
        return no("This import was already undone.")
    if not batch.confirmed_at:
        return no(
            "No row of this file is imported.",
            "Open the page of the file and discard it.",
            f"/rows/imports/{batch.pk}/discard/",
        )
    if batch.runs.under_way().exists():
        return no("The file is being processed.", "Cancel the processing on the page Imports.", "/imports/")
    busy = worked_on(brought_by(batch))
    if busy:
        named = "; ".join(f"{ref}: {', '.join(words)}" for ref, words in list(busy.items())[:NAMED])
        more = f", and {len(busy) - NAMED} more" if len(busy) > NAMED else ""
        return no(
            phrase("People work on {} initiatives of this import ({}{}).", len(busy), named, more),
            "Stop or withdraw the wrong initiatives one by one.",
        )
    return answer


def brought_by(batch: ImportBatch) -> QuerySet:
    """Return the initiatives that the batch registered, without those it found here."""
    rows = batch.rows.filter(decision="import", done_at__isnull=False, initiative__isnull=False)
    return Initiative.objects.filter(pk__in=rows.values("initiative"))


def worked_on(initiatives: QuerySet) -> dict[str, list[str]]:
    """Return the initiatives that changed since their import, each with reasons.

    Each row of any app that points at an initiative is a reason. Rows that the import writes and roles without an
    acceptance are not. The key is the reference.
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
    """Discard an uploaded file: delete its rows and keep its upload. Raises Refused once rows are live."""
    with act("discard import", by=by, reason=f"Discarded: {batch.file_name}"):
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
    """Undo an import: withdraw its reported stages and initiatives at once. Return how many.

    Entries, numbers and rows stay, and the same file can be imported again. Raises ValidationError without a reason,
    and Refused if someone works on one of the initiatives.
    """
    if not reason.strip():
        raise ValidationError(
            {"reason": "Give the reason. People who open a withdrawn initiative can read the reason."}
        )
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
    """End the roles that no one answered."""
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
    """Move each initiative with a reported stage back to an idea, with its entries."""
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
