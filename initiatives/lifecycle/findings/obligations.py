"""Rows of obligations, opened and completed in an act with an entry each."""

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Obligation


def write_obligations(new: list[Obligation]) -> None:
    """Save new obligations of one or many initiatives, with an entry each."""
    for obligation in new:
        obligation.opened_at = clock.now()
    row_history.insert_many(Obligation, new)
    entries.record_many(
        EntryKind.OBLIGATION_OPENED,
        [
            (
                obligation.initiative,
                {
                    "obligation": obligation.pk,
                    "obligation_kind": obligation.kind,
                    "text": obligation.text,
                    "due": obligation.due,
                    "responsible": obligation.responsible.full_name if obligation.responsible else None,
                },
            )
            for obligation in new
        ],
    )


def complete_row(obligation: Obligation, *, by: User | None, note: str) -> None:
    """Mark an obligation completed inside the running act."""
    obligation.completed_at, obligation.completed_by, obligation.completed_note = clock.now(), by, note
    obligation.save()
    entries.record(
        EntryKind.OBLIGATION_COMPLETED,
        initiative=obligation.initiative,
        obligation=obligation.pk,
        text=obligation.text,
        note=note,
    )
