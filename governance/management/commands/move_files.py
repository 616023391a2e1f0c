"""`manage.py move_files`: copy all files from the former store to the present one, while people work."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from governance.storage import data_folder, moving
from governance.storage.kept_files import StoreAway


class Command(BaseCommand):
    """Copy and compare. Can be started again at any time."""

    help = "Copy all files from PLUMBLINE_STORE_FORMER to PLUMBLINE_STORE, and compare their SHA-256."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Move. Exit code 0 when the former store is no longer needed, else 1 with the reason."""
        try:
            done = moving.move(tell=self.stdout.write)
        except (ImproperlyConfigured, StoreAway, OSError) as trouble:
            raise CommandError(f"The files were not moved: {trouble}") from None
        address = data_folder.stores()[0].address
        self.stdout.write(f"{done.copied} files copied to {address}. {done.there} files were there already.")
        if done.left:
            for line in done.left:
                self.stderr.write(line)
            raise CommandError(
                f"{len(done.left)} files could not be moved. Put back their copies, or let the check of files "
                "record them as missing. Then run `manage.py move_files` again."
            )
        self.stdout.write(
            "Every file is in the present store. Remove PLUMBLINE_STORE_FORMER from the settings of all hosts, "
            "and start them again."
        )
