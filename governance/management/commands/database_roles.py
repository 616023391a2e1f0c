"""Print, or apply, what each login to the database may do."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction
from psycopg import sql

from governance.database import database_roles

BEHIND_A_POOLER = 60  # seconds for a statement, as the web server has without one


class Command(BaseCommand):
    """`manage.py database_roles [--apply]`."""

    help = (
        "Print the grants for application, sealer and auditor as SQL. With --apply, apply the grants. "
        "Run this command as the owner of the tables, after every migration."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        """Add the option to apply the grants, and the names of the logins."""
        parser.add_argument("--apply", action="store_true", help="apply the grants")
        for name in ("application", "sealer", "auditor"):
            default = getattr(database_roles.Names, name)
            parser.add_argument(
                f"--{name}", default=default, help=f"login of the {name} (default: {default})"
            )

    def handle(self, *, apply, application, sealer, auditor, **_):
        """Say what is missing and how to make it, print the grants, apply them if asked."""
        names = database_roles.Names(application, sealer, auditor)
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [list(names)])
            known = [name for (name,) in cursor.fetchall()]
            missing = [name for name in names if name not in known]
            for name in missing:
                self.stdout.write(f"-- {name} does not exist yet. Create it with your own password:")
                self.stdout.write(f"CREATE ROLE {name} LOGIN PASSWORD '...';")
            for statement in database_roles.statements(cursor, names, known if apply else list(names)):
                self.stdout.write(f"{statement.as_string(cursor.connection)};")
            limits = [f"{one.as_string(cursor.connection)};" for one in self.limits(names)]
            self.stdout.writelines(f"{line}\n" for line in limits)
        if not apply:
            return
        if missing:
            raise CommandError(
                f"The grants were not applied. Create {', '.join(missing)} first, as shown above."
            )
        try:
            with transaction.atomic():
                database_roles.grant(connection, names)
        except ProgrammingError as trouble:
            raise CommandError(
                f"The database refuses ({str(trouble).strip().splitlines()[0]}). Run this as the owner of "
                f"the tables, not as {settings.DATABASES['default'].get('USER')}."
            ) from trouble
        self.stdout.write(f"-- applied for {', '.join(known)}")
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for statement in self.limits(names):
                    cursor.execute(statement)
        except ProgrammingError as trouble:
            raise CommandError(
                f"The grants were applied, but the time limit was not ({str(trouble).strip().splitlines()[0]}). "
                f"Run this as a superuser, or as {application} itself: {' '.join(limits)}"
            ) from trouble

    def limits(self, names: database_roles.Names) -> list[sql.Composed]:
        """Return the statements for the login's time limit, if a pooler needs them."""
        return (
            database_roles.limits(names, settings.STATEMENT_SECONDS or BEHIND_A_POOLER)
            if settings.POOLER
            else []
        )
