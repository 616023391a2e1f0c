"""`manage.py migrate`, which never makes a version that serves wait long for a lock."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

LOCK_SECONDS = 2


class Command(migrate.Command):
    """Django's command with a time limit for locks. Whoever waits for a lock makes all later statements wait too."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. Raises CommandError if a lock was not free in time."""
        connection = connections[options["database"]]
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_SECONDS}s"])
        try:
            super().handle(*args, **options)
        except OperationalError as trouble:
            if not isinstance(trouble.__cause__, LockNotAvailable):
                raise
            raise CommandError(
                f"A table was in use for more than {LOCK_SECONDS} seconds, so its migration was undone. Run `manage.py "
                "migrate` again."
            ) from trouble
        finally:
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")
