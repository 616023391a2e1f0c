"""`manage.py interaction_keys`: copy the keys of the interaction log by themselves, and put such a copy back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.interaction_retention import key_copies


class Command(BaseCommand):
    """`manage.py interaction_keys --backup DIR`, `manage.py interaction_keys --restore DIR`."""

    help = (
        "Copy the keys of the interaction log into a new folder, apart from every backup; or put a copy back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which way."""
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--backup", type=Path, metavar="DIR", help="a folder that is not there yet")
        way.add_argument("--restore", type=Path, metavar="DIR", help="a folder that --backup wrote")

    def handle(self, *args: Any, backup: Path | None, restore: Path | None, **options: Any) -> None:
        """Copy, or put back. Raises CommandError with a sentence that says what to do."""
        try:
            if backup is not None:
                count = key_copies.take(backup.absolute())
                self.stdout.write(
                    f"{count} files are copied. Keep this copy apart from every backup of the database, and destroy "
                    "the copy before it: masters that were destroyed since are still in that one."
                )
            elif restore is not None:
                count, again = key_copies.put(restore.absolute())
                self.stdout.write(f"{count} files are put back, {again} keys destroyed again.")
        except key_copies.KeyCopyTrouble as trouble:
            raise CommandError(str(trouble)) from None
