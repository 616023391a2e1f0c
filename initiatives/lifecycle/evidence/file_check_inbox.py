"""Task of the admins' inbox: many files missing at once, which a person must confirm."""

from django.urls import reverse

from governance.models import User
from governance.notifications.inbox import InboxTask
from initiatives.lifecycle.evidence.file_checks import doubted_files


def tasks(person: User) -> list[InboxTask]:
    """That files of evidence seem to be gone, and that somebody confirms it or brings them back."""
    if not (person.is_admin and person.is_active) or not (keys := doubted_files()):
        return []
    files = "1 file of evidence is" if len(keys) == 1 else f"{len(keys)} files of evidence are"
    return [
        InboxTask(
            "see",
            f"{files} not as recorded",
            reverse("files-gone"),
            "See which",
            "Too many at once to believe it, so nothing was written. See that the folder of files is whole, or confirm "
            "that they are gone.",
        )
    ]
