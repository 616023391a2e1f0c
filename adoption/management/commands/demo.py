"""`manage.py demo`: a company with a year of initiatives behind it, made through the acts that the pages call."""

import json
import os
import time
from datetime import timedelta
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
from governance.runtime.secret_files import kept
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Initiative

FOUNDED = timedelta(days=460)
READ_AFTER = timedelta(days=4)  # what people were told before that, they have read by now


class Command(BaseCommand):
    """Build the demo, each day of each initiative in a transaction of its own; one that was interrupted is built
    anew.
    """

    help = "Fill an empty database with a demo company; --reset makes an earlier demo anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do where a demo is."""
        parser.add_argument("--keep", action="store_true", help="do nothing where people are already")
        parser.add_argument(
            "--reset", action="store_true", help="drop the demo that is there, and build it anew"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse or reset, build, write the logins down. Raises CommandError where the data are not a demo's."""
        began = time.monotonic()
        if User.objects.exists():
            kinds = set(
                Entry.objects.acts()
                .filter(kind__in=[EntryKind.DEMO_FOUNDED, EntryKind.DEMO_TOLD])
                .values_list("kind", flat=True)
            )
            unfinished = kinds == {EntryKind.DEMO_FOUNDED}
            if options["keep"] and not unfinished:
                return
            if not kinds:
                raise CommandError(
                    "This database has people in it and was not made by `demo`; it is left as it is. Set DATABASE_URL "
                    "or PLUMBLINE_DATA to an empty place to build the demo there."
                )
            if not (options["reset"] or unfinished):
                raise CommandError("The demo is there already; `demo --reset` drops it and builds it anew.")
            drop_everything()
        password = settings.DEMO_PASSWORD or kept(settings.DATA_DIR, "demo-password", size=9)
        if options["keep"]:
            self.stdout.write("Building the demo (once) ...")
        build(password)
        sealing.seal()
        with connection.cursor() as cursor:  # so that the first pages are not planned by guesses
            cursor.execute("ANALYZE")
        write_logins(settings.DATA_DIR, password)
        self.stdout.write(
            f"The demo is ready: {User.objects.count()} people, {Initiative.objects.count()} initiatives, "
            f"{time.monotonic() - began:.0f} s. Logins: {settings.DATA_DIR / 'logins.txt'}"
        )


def build(password: str) -> people.Company:
    """Found the company, tell its stories, import the extract, put the notifications of the past away."""
    with clock.simulated(clock.now() - FOUNDED):
        with acting(system="demo", reason="A demonstration; no person or initiative in it is real"):
            entries.record(EntryKind.DEMO_FOUNDED, company=people.COMPANY)
        company = people.found(password)
    stories.tell(company)
    inventory.bring_in(company)
    people.try_rulebooks(company)
    old = Notification.objects.filter(created_at__lt=clock.now() - READ_AFTER)
    old.update(read_at=F("created_at") + timedelta(days=1))
    with acting(system="demo", reason="From here on, people act"):
        entries.record(EntryKind.DEMO_TOLD, company=people.COMPANY)
    return company


def drop_everything() -> None:
    """Drop the schema of a demo and make it anew. The audit log refuses to be emptied, so there is no gentler way.

    Raises CommandError when somebody else holds the tables for ten seconds.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    except OperationalError as trouble:
        raise CommandError(
            "The demo is in use and cannot be dropped now; stop Plumbline (Ctrl-C), then try again."
        ) from trouble
    call_command("migrate", interactive=False, verbosity=0)
    database_roles.grant(connection)


def write_logins(folder: Path, password: str) -> None:
    """Write who can sign in, for people (logins.txt) and for programs (logins.json); only their owner may read them."""
    listed = people.logins()
    wide = max(len(person.login) for person in listed)
    name_wide = max(len(person.name) for person in listed)
    lines = [f"Sign in as one of these; the password of all is {password}", ""]
    lines += [f"  {person.login:{wide}}  {person.name:{name_wide}}  {person.first}" for person in listed]
    _write(folder / "logins.txt", "\n".join(lines) + "\n")
    rows = [{"login": person.login, "name": person.name, "first": person.first} for person in listed]
    _write(folder / "logins.json", json.dumps({"password": password, "logins": rows}, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
