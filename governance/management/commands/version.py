"""`manage.py version`: which version of Plumbline this is, and of what it writes and reads."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from governance.models import Rulebook
from governance.offline import verify
from governance.operations import versions


class Command(BaseCommand):
    """Prints the version. Without a database everything but the applied schema and the rulebook is there."""

    help = "Print the version of Plumbline. With --json also of schema, rulebook and export format."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--json", action="store_true", help="print all versions for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        if not options["json"]:
            self.stdout.write(settings.VERSION)
            return
        told: dict[str, Any] = {
            "code": settings.VERSION,
            "schema": versions.newest_migrations(),
            "applied": None,
            "rulebook": None,
            "export_format": verify.EXPORT,
        }
        try:
            applied = MigrationLoader(connection).applied_migrations or {}
            told["applied"] = {app: max(name for of, name in applied if of == app) for app in versions.OURS}
            in_force = Rulebook.objects.in_force()
            told["rulebook"] = in_force and in_force.version
        except (DatabaseError, ValueError):
            pass  # no database answers, or nothing is applied yet
        self.stdout.write(json.dumps(told))
