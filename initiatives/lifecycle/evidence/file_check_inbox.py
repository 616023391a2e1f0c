"""Tasks about files of evidence: many are missing, or one differs from its item."""

from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.gates import remarks
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.evidence.file_checks import doubted_files
from initiatives.lifecycle.facts import initiative_rows

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

COUNTS = phrase(
    "The title or the form gives a count that differs from the file. Add an item with a count that "
    "agrees with the file."
)
NAMES = phrase(
    "The initiative did not record this data set. Record its profile, or add an item about a recorded "
    "data set."
)


def tasks(person: User) -> list[InboxTask]:
    """Return an admin's task to confirm or restore files that seem to be gone."""
    if not (person.is_admin and person.is_active) or not (keys := doubted_files()):
        return []
    files = "1 file of evidence is" if len(keys) == 1 else phrase("{} files of evidence are", len(keys))
    return [
        InboxTask(
            "see",
            phrase("{} missing or changed", files),
            reverse("files-gone"),
            phrase("Show the files"),
            phrase(
                "Storage is probably not available, because many files are missing at once. Plumbline changed "
                "nothing. Check storage, or confirm that the files are gone."
            ),
            since=clock.today(),
        )
    ]


def remarked(look: "Look") -> list[InboxTask]:
    """Return tasks on the person's items whose count or data set differs.

    Only the newest item of its kind counts.
    """
    found = look.rows("stated")
    known = initiative_rows.known_names_of_each({row.initiative_id: row.initiative for row in found})
    told = [
        (
            row,
            remarks.stated_beside_found(row.kind, row.title, row.details),
            remarks.other_data_set(row.details, known[row.initiative_id]),
        )
        for row in found
    ]
    return [
        InboxTask(
            "refresh",
            phrase("“{}”: {}", row.title, "; ".join(filter(None, (counts, names)))),
            f"{reverse('evidence-add', args=[row.initiative.ref])}?kind={row.kind}&supersedes={row.pk}",
            phrase("Add the right item"),
            COUNTS if counts else NAMES,
            ref=row.initiative.ref,
            since=clock.local_day(row.added_at),
            matter="stated counts",  # one line, however many items
        )
        for row, counts, names in told
        if counts or names
    ]
