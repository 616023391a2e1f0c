"""`manage.py backup DIR`: one consistent copy of everything, taken while people work."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from psycopg import Error

from governance.storage import backup, restore


class Command(BaseCommand):
    """Write a backup, or say what stands in its way."""

    help = "Copy the database, the files of evidence and what systems reported into a new folder, while people work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that is not there yet")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        """Take the backup. Raises CommandError without one; or with one that lacks what storage has lost."""
        began, folder = time.monotonic(), folder.absolute()
        try:
            manifest = backup.take(folder, tell=self.stdout.write)
        except backup.BackupTrouble as trouble:
            raise CommandError(f"No backup was taken: {trouble}") from None
        except (DatabaseError, Error) as trouble:
            raise CommandError(f"No backup was taken: {restore.trouble_of_database(trouble)}") from trouble
        size = sum(file["size"] for file in manifest["files"].values())
        self.stdout.write(
            f"The backup is complete: {folder}, {size / 1e6:.1f} MB, {time.monotonic() - began:.1f} s.\n"
            f"SHA-256 of its manifest: {backup.fingerprint_of(folder)}\n"
            "Secrets are not in it: keep the secret key and the signing key elsewhere, and the keys of interactions by "
            "`manage.py interaction_keys --backup`, apart from this."
        )
        if told := backup.gaps(manifest):
            raise CommandError(
                f"The backup is complete, but {told}. Put the right files back, and take another."
            )
