"""`manage.py restore DIR`: a backup into an empty database, whole or not at all."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from psycopg import Error

from governance.storage import backup, restore


class Command(BaseCommand):
    """Restore, or say what stands in the way."""

    help = "Put a backup into the empty database and the empty data folder of this installation."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, and what was erased since."""
        parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that `backup` wrote")
        parser.add_argument(
            "--erasures",
            type=Path,
            metavar="FILE",
            help="the log of erasures (erasures.jsonl): those the backup does not know are done again",
        )

    def handle(self, *args: Any, folder: Path, erasures: Path | None = None, **options: Any) -> None:
        """Restore. Raises CommandError, with nothing restored, when the backup or the place is not fit for it."""
        began, folder = time.monotonic(), folder.absolute()
        try:
            manifest = restore.restore(folder, erasures=erasures, tell=self.stdout.write)
        except backup.BackupTrouble as trouble:
            raise CommandError(f"Nothing was restored: {trouble}") from None
        except (DatabaseError, Error) as trouble:
            raise CommandError(f"Nothing was restored: {restore.trouble_of_database(trouble)}") from trouble
        self.stdout.write(
            f"Restored as of {manifest['made_at']}, {time.monotonic() - began:.1f} s. Everybody signs in anew.\n"
            "`manage.py verify_audit_log` proves the audit log."
        )
        if unknown := backup.unknown_keys(manifest):
            self.stdout.write(
                "The audit log was signed with a key that is not here. Set the one that was in use "
                f"(PLUMBLINE_SIGNING_KEY); or, to go on with a new one, PLUMBLINE_FORMER_KEYS='{' '.join(unknown)}'"
            )
        if told := backup.gaps(manifest):
            self.stderr.write(f"When the backup was taken, {told}.")
