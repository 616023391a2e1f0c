"""Leave to read all of a selection at once: asked for with a reason, given by a second person, used on record."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.interaction_log import reading
from governance.ledger import record
from governance.models import User
from governance.notices.owe import owe
from governance.people import cooling_off
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act
from initiatives.interactions.permissions import may_approve_bulk, may_read_interactions
from initiatives.interactions.selections.actions import members
from initiatives.models import BulkReading, Initiative, InteractionSelection
from initiatives.models.interactions.selections import DONE

PAGE = 100  # interactions that are decrypted at a time


def request_bulk_reading(*, selection: InteractionSelection, reason: str, by: User) -> BulkReading:
    """Ask for leave to read all of a selection at once. Raises Refused, ValidationError, Conflict."""
    with act("request bulk reading", by=by, case=selection.initiative_id, reason=reason) as case:
        may_read_interactions(case, by).or_refuse()
        if not reason.strip():
            raise ValidationError({"reason": "Say why one at a time is not enough: it stays in the record."})
        selection = InteractionSelection.objects.select_for_update().get(pk=selection.pk)
        if selection.state != DONE or not selection.found:
            raise Conflict("There is nothing to read: the selection is empty, not ready, or has ended.")
        open_ones = selection.bulk_readings.filter(requested_by=by, refused_at__isnull=True)
        if any(row.approved_at is None or is_open(row) for row in open_ones):
            raise Conflict("You have asked for that already.")
        row = BulkReading(
            initiative=case,
            selection=selection,
            reason=reason.strip(),
            requested_by=by,
            requested_at=clock.now(),
        )
        row.save()
        record.record(
            EntryKind.BULK_READING_REQUESTED,
            case=case,
            reading=row.pk,
            selection=selection.pk,
            purpose=selection.purpose,
            found=selection.found,
            reason=row.reason,
        )
    return row


def is_open(row: BulkReading) -> bool:
    """Whether leave was given and has not run out."""
    until = ends_at(row)
    return until is not None and row.selection.state == DONE and clock.now() < until


def approve_bulk_reading(*, request: BulkReading, by: User) -> BulkReading:
    """Give leave as the second person. Raises Refused, and Conflict where it was answered or the selection ended."""
    with act("approve bulk reading", by=by, case=request.initiative_id) as case:
        row = _unanswered(request)
        may_approve_bulk(case, by, row.requested_by_id).or_refuse()
        cooling_off.may_lift(by).or_refuse()
        if row.selection.state != DONE:
            raise Conflict("The selection has ended: there is nothing to read any more.")
        row.approved_by, row.approved_at = by, clock.now()
        row.save()
        _answered(EntryKind.BULK_READING_APPROVED, row, case)
        until = clock.moment_in_words(row.approved_at + timedelta(days=BulkReading.OPEN))
        _tell(row, "You may read the selection at once", f"Until {until}, on its page.")
    return row


def refuse_bulk_reading(*, request: BulkReading, reason: str, by: User) -> BulkReading:
    """Refuse leave as the second person, with the reason. Raises Refused, ValidationError, Conflict."""
    with act("refuse bulk reading", by=by, case=request.initiative_id, reason=reason) as case:
        row = _unanswered(request)
        may_approve_bulk(case, by, row.requested_by_id).or_refuse()
        if not reason.strip():
            raise ValidationError({"reason": "Say why: whoever asked reads it."})
        row.refused_by, row.refused_at, row.refused_reason = by, clock.now(), reason.strip()
        row.save()
        _answered(EntryKind.BULK_READING_REFUSED, row, case, reason=row.refused_reason)
        _tell(row, "Reading the selection at once was refused", row.refused_reason)
    return row


def ends_at(row: BulkReading) -> datetime | None:
    """Until when leave holds, by its days alone; None while it was not given."""
    return row.approved_at + timedelta(days=BulkReading.OPEN) if row.approved_at else None


def _unanswered(request: BulkReading) -> BulkReading:
    row = BulkReading.objects.select_related("selection", "requested_by").get(pk=request.pk)
    if row.approved_at or row.refused_at:
        raise Conflict("This was answered already.")
    return row


def _answered(kind: EntryKind, row: BulkReading, case: Initiative, **more) -> None:
    facts = {
        "reading": row.pk,
        "selection": row.selection_id,
        "whose": str(row.requested_by),
        "why": row.reason,
    }
    record.record(kind, case=case, found=row.selection.found, **facts, **more)


def _tell(row: BulkReading, subject: str, text: str) -> None:
    owe(
        row.requested_by,
        "selection of interactions",
        f"bulk-reading:{row.pk}",
        subject=subject,
        text=text,
        link=row.selection.get_absolute_url(),
        case_ref=row.initiative.ref,
    )


def read_all(*, request: BulkReading, by: User) -> Iterator[list[reading.Opened]]:
    """Record that the person reads all of a selection, before a word of it leaves; its interactions, page by page.

    Raises Refused for everybody but who asked, Conflict where leave was not given or has run out, NoMaster.
    """
    with act("read selection", by=by, case=request.initiative_id) as case:
        row = BulkReading.objects.select_related("selection__initiative").get(pk=request.pk)
        may_read_interactions(case, by).or_refuse()
        if by.pk != row.requested_by_id:
            no("Leave is of one person: whoever asked for it.", "Ask for leave of your own.").or_refuse()
        if not is_open(row):
            raise Conflict("Leave was not given, or has run out.", "Ask again, with the reason.")
        record.record(
            EntryKind.INTERACTIONS_READ_IN_BULK,
            case=case,
            reading=row.pk,
            selection=row.selection_id,
            found=row.selection.found,
            purpose=row.selection.purpose,
        )
    return _pages(row.selection)


def _pages(selection: InteractionSelection) -> Iterator[list[reading.Opened]]:
    for start in range(0, selection.found, PAGE):
        yield reading.opened_of(members(selection, slice(start, start + PAGE)))
