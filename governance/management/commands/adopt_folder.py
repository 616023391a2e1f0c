"""`manage.py adopt_folder`: this folder or bucket is from here on the one that belongs to the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.audit_log import entries
from governance.database.row_history import acting
from governance.storage import data_folder
from governance.storage.kept_files import StoreAway
from governance.vocabulary.entry_kinds import EntryKind


class Command(BaseCommand):
    """Mark the folder and name it in the database, if `migrate` and `restore` did not. The act is recorded."""

    help = (
        "Connect the folder of files in PLUMBLINE_DATA, or the bucket in PLUMBLINE_STORE, with this database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option to accept missing files."""
        parser.add_argument(
            "--although-files-are-missing",
            action="store_true",
            help="adopt the folder even if most of the recorded files are missing",
        )

    def handle(self, *args: Any, although_files_are_missing: bool, **options: Any) -> None:
        """Adopt it. Raises CommandError where it does not hold the recorded files, or cannot be written."""
        address = data_folder.stores()[0].address
        if not data_folder.wrong():
            self.stdout.write(f"{address} is already the folder of this database.")
            return
        try:
            seen = data_folder.sample()
        except StoreAway as trouble:
            raise CommandError(f"{trouble}. Check PLUMBLINE_STORE.") from None
        if not (seen.fits or although_files_are_missing):
            raise CommandError(
                f"The folder was not adopted: {seen.found} of {seen.looked} recorded files are in "
                f"{address}. Mount the right folder. If the files are lost, add "
                "--although-files-are-missing."
            )
        try:
            with acting(system="adopt_folder", reason="An operator named the folder of files"):
                data_folder.take()
                entries.record(EntryKind.FOLDER_ADOPTED, looked=seen.looked, found=seen.found)
        except (OSError, StoreAway) as trouble:
            raise CommandError(data_folder.cannot_be_marked(trouble)) from None
        self.stdout.write(
            f"{address} is the folder of this database. {seen.found} of {seen.looked} checked "
            "files are in it."
        )
