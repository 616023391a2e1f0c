"""`manage.py interaction_keys`: copy or restore only the interaction log's keys."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.interaction_retention import key_copies


class Command(BaseCommand):
    """`manage.py interaction_keys --backup DIR`, `manage.py interaction_keys --restore DIR`."""

    help = (
        "Copy the keys of the interaction log into a new folder apart from every backup, or restore a copy."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder to copy to or to restore from."""
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--backup", type=Path, metavar="DIR", help="a new folder")
        way.add_argument("--restore", type=Path, metavar="DIR", help="a folder that --backup wrote")

    def handle(self, *args: Any, backup: Path | None, restore: Path | None, **options: Any) -> None:
        """Copy or restore the keys. Raises CommandError with the fix."""
        try:
            if backup is not None:
                count = key_copies.take(backup.absolute())
                self.stdout.write(
                    f"{count} files are copied. Keep this copy apart from every backup of the database. "
                    "Destroy the earlier copy, because it still contains destroyed master keys."
                )
            elif restore is not None:
                count, again = key_copies.put(restore.absolute())
                self.stdout.write(f"{count} files are restored, {again} keys destroyed again.")
        except key_copies.KeyCopyTrouble as trouble:
            raise CommandError(str(trouble)) from None
