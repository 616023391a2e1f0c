"""Permission to read a whole selection, given by a second person."""

from collections.abc import Iterator

from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.interaction_log import reading
from governance.models import User
from governance.notifications.notify import notify
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.interactions.permissions import may_read_interactions
from initiatives.interactions.selections.actions import members
from initiatives.lifecycle.access.initiative_lookup import of_initiative
from initiatives.lifecycle.consents.consent_kinds import Kind, Part, holds_risk_seat, is_auditor
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.reviews.forms import ReasonOfActForm
from initiatives.models import BulkReading, Initiative, InteractionSelection
from initiatives.models.interactions.selections import DONE
from initiatives.models.reviews import ConsentState

PAGE = 100  # interactions that are decrypted at a time


def _subject(person: User, key: int) -> InteractionSelection:
    """Return the selection for its readers, and for those who answer a request on it."""
    rows = InteractionSelection.objects.select_related("initiative__unit", "initiative__contract")
    selection = of_initiative(rows, person, key)
    initiative, asked = selection.initiative, BULK_READINGS.rows().filter(selection=selection)
    if not any(BULK_READINGS.may_refuse(row, initiative, person) for row in asked):
        may_read_interactions(initiative, person).or_refuse()
    return selection


def _form(request, selection: InteractionSelection, context: dict, rows: list[BulkReading]):
    mine = any(row.requested_by_id == request.user.pk and row.state != ConsentState.PAST for row in rows)
    if mine or selection.state != DONE or not selection.found:
        return None
    return ReasonOfActForm(sent(request), label="Reason for reading all interactions at once")


def _wrong(row: BulkReading) -> dict[str, str]:
    """Raise Conflict if nothing is left to read, or the person has permission already."""
    selection = InteractionSelection.objects.select_for_update().get(pk=row.selection_id)
    if selection.state != DONE or not selection.found:
        raise Conflict("There is nothing to read: the selection is empty, not ready, or has ended.")
    if any(is_open(other) for other in selection.bulk_readings.filter(requested_by=row.requested_by)):
        raise Conflict(
            "You already have permission to read all interactions at once.",
            "Open the selection and download the file.",
        )
    return {}


def _what(row: BulkReading) -> str:
    until = f"until {clock.moment_in_words(row.ends_at)}" if row.ends_at else f"for {row.OPEN.days} days"
    found, purpose = row.selection.found, row.selection.purpose
    return (
        f"{row.requested_by} can read all {found:,} interactions selected for “{purpose}”, in clear, {until}."
    )


def _file(row: BulkReading, person: User) -> dict | None:
    if person.pk != row.requested_by_id:
        return None
    return {
        "address": reverse("bulk-reading-file", args=[row.pk]),
        "verb": "Download all interactions (JSON lines)",
        "words": "The file is readable, and only for you. Each download is recorded.",
    }


def is_open(row: BulkReading) -> bool:
    """Return True if the permission was given and has not expired."""
    return row.state == ConsentState.RUNNING


def _tell(row: BulkReading, initiative: Initiative) -> None:
    notify(
        row.requested_by,
        "selection of interactions",
        f"bulk-reading:{row.pk}",
        subject=f"Permission to read the selection at once was {'refused' if row.refused_at else 'granted'}",
        text=row.refused_reason or _what(row),
        link=row.get_absolute_url(),
        initiative_ref=initiative.ref,
    )


BULK_READINGS = Kind(
    model=BulkReading,
    entries=(
        EntryKind.BULK_READING_REQUESTED,
        EntryKind.BULK_READING_APPROVED,
        EntryKind.BULK_READING_REFUSED,
    ),
    slug="bulk-reading",
    one="reading all interactions at once",
    title="Reading all interactions at once",
    introduction=(
        "You can ask for all interactions of the selection in one readable file. You need no permission to "
        f"read interactions one at a time. The permission is valid for {BulkReading.OPEN.days} days, only for "
        "the person who asked. Each download of the file is recorded."
    ),
    section="api-access",
    signature="reading",
    danger=True,
    parts=(
        Part(
            "second",
            "second person",
            "an auditor or the risk seat",
            lambda initiative, person: is_auditor(initiative, person) or holds_risk_seat(initiative, person),
        ),
    ),
    subject=_subject,
    form=_form,
    wrong=_wrong,
    facts=lambda row: {
        "reading": row.pk,
        "selection": row.selection_id,
        "purpose": row.selection.purpose,
        "found": row.selection.found,
        "whose": str(row.requested_by),
        "why": row.reason,
    },
    what=_what,
    follows="The person who asked is notified, and can download the file now. No one else can download the file.",
    instead="The person who asked can still read the interactions one at a time.",
    may_ask=may_read_interactions,
    use=_file,
    after=_tell,
)


def read_all(*, request: BulkReading, by: User) -> Iterator[list[reading.Opened]]:
    """Record that the person reads a whole selection, then yield it page by page.

    Raises NoMaster, Refused for anyone but the person who asked, and Conflict without a current permission.
    """
    with act("read selection", by=by, initiative=request.initiative_id) as initiative:
        row = BulkReading.objects.select_related("selection__initiative").get(pk=request.pk)
        may_read_interactions(initiative, by).or_refuse()
        if by.pk != row.requested_by_id:
            no(
                "Only the person who asked has permission to read all interactions at once.",
                "Ask for permission yourself.",
            ).or_refuse()
        if not is_open(row):
            raise Conflict("The permission was not granted, or has ended.", "Ask again, with a reason.")
        entries.record(
            EntryKind.INTERACTIONS_READ_IN_BULK,
            initiative=initiative,
            reading=row.pk,
            selection=row.selection_id,
            found=row.selection.found,
            purpose=row.selection.purpose,
        )
    return _pages(row.selection)


def _pages(selection: InteractionSelection) -> Iterator[list[reading.Opened]]:
    for start in range(0, selection.found, PAGE):
        yield reading.opened_of(members(selection, slice(start, start + PAGE)))
