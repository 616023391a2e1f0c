"""Bring decisions and reports that lie in files into the database: also those that were set aside."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from governance.authorization import decision_log
from governance.interaction_log import loading
from governance.runtime import spool_files


class Command(BaseCommand):
    """`manage.py bring_decisions`."""

    help = "Load the waiting log files into the database, and the files that were set aside. First fix the fault."

    def handle(self, **_):
        """Try each line once more. Raises CommandError if some still do not fit. Those stay in their files."""
        logs = (
            (decision_log.loader, settings.DECISIONS_DIR, "decision"),
            (loading.loader, Path(settings.INTERACTIONS_DIR) / "waiting", "interaction"),
        )
        left = []
        for loader, folder, what in logs:
            count = loader.bring_aside(folder)
            self.stdout.write(f"{count} {what}{'' if count == 1 else 's'} loaded.")
            left += spool_files.waiting(folder).aside
        if left:
            names = ", ".join(str(path) for path in left)
            raise CommandError(
                f"The database still refuses lines of {names}. Find the fault in the log of this command, "
                "and correct the line (one JSON object on each line)."
            )
