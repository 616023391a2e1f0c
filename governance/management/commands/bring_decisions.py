"""Bring decisions that lie in files into the database: of processes that ended, and those that were set aside."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from governance.authorization import decision_log, decision_spool


class Command(BaseCommand):
    """`manage.py bring_decisions`."""

    help = "Bring decisions over that lie in files, also those that were set aside, once what was wrong is fixed."

    def handle(self, **_):
        """Try each line once more. Raises CommandError where some still do not fit; they stay in their files."""
        count = decision_log.bring_aside(settings.DECISIONS_DIR)
        self.stdout.write(f"{count} decision{'' if count == 1 else 's'} brought over.")
        if left := decision_spool.waiting(settings.DECISIONS_DIR).aside:
            names = ", ".join(str(path) for path in left)
            raise CommandError(
                f"Some still do not fit the database: {names}. Each holds one decision a line, as JSON; the log of "
                "this command says what is wrong."
            )
