"""`manage.py backup`: one consistent copy of everything, taken while people work."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from psycopg import Error

from governance.operations import heartbeats
from governance.runtime import child_processes
from governance.storage import backup, backup_schedule, restore


class Command(BaseCommand):
    """Write a backup, or report what prevents one."""

    help = (
        "Copy the database, the files of evidence and the reports of systems into a new folder. People can "
        "continue to work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder to write to, and the way to a key."""
        parser.add_argument(
            "folder",
            type=Path,
            metavar="DIR",
            nargs="?",
            help="a new folder. Without it: a new backup in PLUMBLINE_BACKUPS, encrypted, and old ones are removed",
        )
        parser.add_argument(
            "--new-key", type=Path, metavar="FILE", help="only write a new private key to this file"
        )

    def handle(self, *args: Any, folder: Path | None, new_key: Path | None, **options: Any) -> None:
        """Take the backup. Raises CommandError without a backup, or if it lacks what storage has lost."""
        began = time.monotonic()
        try:
            if new_key:
                public = backup_schedule.new_key(new_key)
                self.stdout.write(f"PLUMBLINE_BACKUP_KEY={public}\nKeep {new_key} away from this host.")
                return
            recorded = recorded_as(heartbeats.BACKUP) if folder is None else contextlib.nullcontext()
            with child_processes.orderly_end(), recorded:
                if folder is None:
                    folder, manifest, fingerprint = backup_schedule.take(tell=self.stdout.write)
                else:
                    folder = folder.absolute()
                    manifest = backup.take(folder, tell=self.stdout.write)
                    fingerprint = backup.fingerprint_of(folder)
        except backup.BackupTrouble as trouble:
            raise CommandError(f"No backup was taken: {trouble}") from None
        except (DatabaseError, Error) as trouble:
            raise CommandError(f"No backup was taken: {restore.trouble_of_database(trouble)}") from trouble
        size = sum(file["size"] for file in manifest["files"].values())
        self.stdout.write(
            f"The backup is complete ({folder}, {size / 1e6:.1f} MB, {time.monotonic() - began:.1f} "
            f"s).\nSHA-256 of the manifest: {fingerprint}\nThe backup has no secrets. "
            "Keep the secret key and the signing key elsewhere. Copy the keys of interactions with "
            "`manage.py interaction_keys --backup`, apart from this backup."
        )
        if told := backup.gaps(manifest):
            raise CommandError(
                f"The backup is complete, but {told}. Put the right files back, and take another backup."
            )


@contextlib.contextmanager
def recorded_as(name: str) -> Iterator[None]:
    """Have *Status* show when this last succeeded, or why it failed."""
    try:
        yield
    except Exception as trouble:
        heartbeats.failed(name, trouble)
        raise
    heartbeats.done(name)
