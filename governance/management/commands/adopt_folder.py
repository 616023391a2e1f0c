"""`manage.py adopt_folder`: this folder of files is from here on the one that belongs to the database."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit_log import entries
from governance.database.row_history import acting
from governance.storage import data_folder
from governance.vocabulary.entry_kinds import EntryKind


class Command(BaseCommand):
    """Mark the folder and name it in the database, where `migrate` and `restore` did not; it stands in the audit
    log.
    """

    help = "Make the folder of files in PLUMBLINE_DATA the one that belongs to this database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether files may be missing."""
        parser.add_argument(
            "--although-files-are-missing",
            action="store_true",
            help="adopt it although most of the recorded files are not in it",
        )

    def handle(self, *args: Any, although_files_are_missing: bool, **options: Any) -> None:
        """Adopt it. Raises CommandError where it does not hold the recorded files, or cannot be written."""
        if not data_folder.wrong():
            self.stdout.write(f"{settings.MEDIA_ROOT} is the folder of this database already.")
            return
        seen = data_folder.sample()
        if not (seen.fits or although_files_are_missing):
            raise CommandError(
                f"Of {seen.looked} recorded files {seen.found} are in {settings.MEDIA_ROOT}: it was not adopted. Mount "
                "the right folder; or, if the files are lost, say so with --although-files-are-missing."
            )
        try:
            with acting(system="adopt_folder", reason="An operator named the folder of files"):
                data_folder.take()
                entries.record(EntryKind.FOLDER_ADOPTED, looked=seen.looked, found=seen.found)
        except OSError as trouble:
            raise CommandError(f"{data_folder.place()} cannot be written ({trouble.strerror}).") from None
        self.stdout.write(
            f"{settings.MEDIA_ROOT} is the folder of this database; {seen.found} of {seen.looked} recorded files that "
            "were looked for are there."
        )
