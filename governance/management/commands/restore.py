"""`manage.py restore DIR`: a backup into an empty database, whole or not at all."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from psycopg import Error

from governance.identity.factors import second_step
from governance.storage import backup, backup_schedule, restore


class Command(BaseCommand):
    """Restore a backup, or report what prevents the restore."""

    help = "Put a backup into the empty database and the empty data folder of this installation."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder of the backup and the log of erasures since."""
        parser.add_argument("folder", type=Path, metavar="DIR", help="what `backup` wrote")
        parser.add_argument("--key", type=Path, metavar="FILE", help="the private key of an encrypted backup")
        parser.add_argument(
            "--erasures",
            type=Path,
            metavar="FILE",
            help="the log of erasures (erasures.jsonl). Erasures that the backup lacks are done again",
        )

    def handle(
        self, *args: Any, folder: Path, erasures: Path | None = None, key: Path | None = None, **options: Any
    ) -> None:
        """Restore. Raises CommandError, with nothing restored, when the backup or the place is not fit for it."""
        began, folder = time.monotonic(), folder.absolute()
        try:
            with backup_schedule.opened(folder, key) as opened:
                manifest = restore.restore(opened, erasures=erasures, tell=self.stdout.write)
        except backup.BackupTrouble as trouble:
            raise CommandError(f"The backup was not restored: {trouble}") from None
        except (DatabaseError, Error) as trouble:
            raise CommandError(
                f"The backup was not restored: {restore.trouble_of_database(trouble)}"
            ) from trouble
        self.stdout.write(
            f"Restored as of {manifest['made_at']}, {time.monotonic() - began:.1f} s. Everyone must sign in "
            "again.\n`manage.py verify_audit_log` proves the audit log."
        )
        if lost := second_step.lost_in_words():
            self.stdout.write(lost)
        if unknown := backup.unknown_keys(manifest):
            self.stdout.write(
                "The audit log was signed with a key that is not here. Set PLUMBLINE_SIGNING_KEY to the key that "
                f"was in use. If you want to use a new key, set PLUMBLINE_FORMER_KEYS='{' '.join(unknown)}'"
            )
        if told := backup.gaps(manifest):
            self.stderr.write(f"When the backup was taken, {told}.")
