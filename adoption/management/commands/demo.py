"""`manage.py demo`: a company with a year of initiatives behind it, made through the acts that the pages call."""

import json
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection, transaction
from django.db.models import F

from adoption.demo import inventory, people, stories
from governance import clock
from governance.audit_log import entries
from governance.database import database_roles
from governance.database.row_history import acting
from governance.models import Entry, Notification, User
from governance.operations import preparing
from governance.runtime.secret_files import kept
from governance.storage import data_folder, embedded_postgres
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Initiative

FOUNDED = timedelta(days=460)
READ_AFTER = timedelta(days=4)  # people have read older notifications by now


class Command(BaseCommand):
    """Build the demo, each day of each initiative in its own transaction. An interrupted demo is built anew."""

    help = "Fill an empty database with a demo company. --reset builds an earlier demo again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options that choose what happens to an existing demo."""
        parser.add_argument(
            "--keep", action="store_true", help="do nothing if the database has people already"
        )
        parser.add_argument("--reset", action="store_true", help="drop the demo and build it again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse or reset, build, write the logins down.

        Raises CommandError if the data are not a demo's, or if the login to the database may not simulate time.
        """
        if User._meta.db_table not in connection.introspection.table_names():
            raise CommandError("The database has no tables yet. Run `manage.py migrate` first.")
        earlier = User.objects.exists()
        if earlier and not self.demanded_anew(options):
            return
        own = embedded_postgres.in_use()
        if not own and (why := data_folder.wrong()):
            raise CommandError(f"The demo needs the data folder of the web server: {why}")
        try:
            # The owner of the embedded database may simulate time at any moment.
            with nullcontext() if own else database_roles.clock_granted(connection):
                if earlier:
                    drop_everything()
                try:
                    self.fill()
                finally:
                    preparing.end()
        except database_roles.ClockRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def demanded_anew(self, options: dict[str, Any]) -> bool:
        """Return True if the demo of this database is to be replaced, False if it is to be kept.

        Raises CommandError if the data are not a demo's, and for a whole demo without `--reset`.
        """
        kinds = set(
            Entry.objects.acts()
            .filter(kind__in=[EntryKind.DEMO_FOUNDED, EntryKind.DEMO_TOLD])
            .values_list("kind", flat=True)
        )
        unfinished = kinds == {EntryKind.DEMO_FOUNDED}
        if options["keep"] and not unfinished:
            return False
        if not kinds:
            raise CommandError(
                "This database has people and was not made by `demo`, so it is unchanged. Set "
                "DATABASE_URL or PLUMBLINE_DATA to an empty place to build the demo there."
            )
        if not (options["reset"] or unfinished):
            raise CommandError("The demo exists already. Run `demo --reset` to drop it and build it again.")
        return True

    def fill(self) -> None:
        """Write the logins down, build the demo in an empty database, and seal it."""
        began = time.monotonic()
        password = settings.DEMO_PASSWORD or kept(settings.DATA_DIR, "demo-password", size=9)
        write_logins(settings.DATA_DIR, password)  # people sign in before the demo is complete
        build(password, partial(preparing.begin, self.stdout))
        sealing.seal()
        with connection.cursor() as cursor:  # so that the first pages are not planned by guesses
            cursor.execute("ANALYZE")
        self.stdout.write(
            f"The demo is ready: {User.objects.count()} people, {Initiative.objects.count()} initiatives, "
            f"{time.monotonic() - began:.0f} s. Logins: {settings.DATA_DIR / 'logins.txt'}"
        )


def build(password: str, report: Callable[..., None] = lambda *step, **more: None) -> people.Company:
    """Found the company, tell its stories, import the extract, put the notifications of the past away.

    `report(percent, step, next step)` is called before each step, with `people=True` when people can sign in.
    """
    report(10, "Create the people of the demo", "Build the initiatives of the demo")
    with clock.simulated(clock.now() - FOUNDED):
        with acting(system="demo", reason="A demonstration. No person or initiative in it is real."):
            entries.record(EntryKind.DEMO_FOUNDED, company=people.COMPANY)
        company = people.found(password)
    stories.tell(company, report)
    report(95, "Import an inventory, and draft a change of the rulebook", "Start the worker")
    inventory.bring_in(company)
    people.try_rulebooks(company)
    old = Notification.objects.filter(created_at__lt=clock.now() - READ_AFTER)
    old.update(read_at=F("created_at") + timedelta(days=1))
    with acting(system="demo", reason="People act from here on"):
        entries.record(EntryKind.DEMO_TOLD, company=people.COMPANY)
    return company


def drop_everything() -> None:
    """Drop the schema of a demo and make it anew.

    The audit log refuses to be emptied. Raises CommandError if someone else holds the tables for ten seconds.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    except OperationalError as trouble:
        raise CommandError(
            "The demo is in use and cannot be dropped now. Stop Plumbline (Ctrl-C), then try again."
        ) from trouble
    call_command("migrate", interactive=False, verbosity=0)
    database_roles.grant(connection)


def write_logins(folder: Path, password: str) -> None:
    """Write the logins of people (logins.txt) and of programs (logins.json). Only their owner may read the files."""
    listed = people.logins()
    wide = max(len(person.login) for person in listed)
    name_wide = max(len(person.name) for person in listed)
    lines = [f"Sign in as one of these people. The password of all is {password}", ""]
    lines += [f"  {person.login:{wide}}  {person.name:{name_wide}}  {person.first}" for person in listed]
    _write(folder / "logins.txt", "\n".join(lines) + "\n")
    rows = [{"login": person.login, "name": person.name, "first": person.first} for person in listed]
    _write(folder / "logins.json", json.dumps({"password": password, "logins": rows}, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
