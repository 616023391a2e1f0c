#!/usr/bin/env python
"""Plumbline's commands: `manage.py run` starts everything, `manage.py help` lists the rest."""

import contextlib
import os
import sys

# These need no database, or see to it themselves.
WITHOUT_DATABASE = {
    *("check", "collectstatic", "diffsettings", "help", "makemigrations", "restore_check", "run", "version"),
}


def main() -> None:
    """Run one command; with the embedded database, have it up meanwhile."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import ManagementUtility, execute_from_command_line

    from governance.operations.startup import refuse
    from governance.storage.embedded_postgres import DatabaseTrouble

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    needless = command in WITHOUT_DATABASE or command.startswith("-") or "--help" in sys.argv
    try:
        attached = (
            contextlib.nullcontext()
            if needless or not settings.EMBEDDED
            else settings.EMBEDDED_DATABASE.attached()
        )
        with attached:
            if command == "version":  # of which Django would print its own
                django.setup()
                ManagementUtility(sys.argv).fetch_command(command).run_from_argv(sys.argv)
            else:
                execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DatabaseTrouble) as reason:
        refuse(reason)


if __name__ == "__main__":
    main()
