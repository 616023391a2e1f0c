"""`manage.py erase_person PERSON`: erase a person's data that need not be kept."""

import json
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction

from governance.models import User
from governance.permission_result import Refused
from governance.privacy import erasure, erasure_log
from governance.vocabulary import readable_text
from initiatives.portfolio.units import leaving


class Command(BaseCommand):
    """`manage.py erase_person dana.whitfield --why ... --duty "GDPR, Article 17" --by admin`."""

    help = (
        "Erase a person's data from rows, history, the audit log's bodies, named evidence and the "
        "mailbox. Digests are kept, so the audit log can still be verified. The command runs as the owner of "
        "the tables. All other requests wait some seconds."
    )

    def add_arguments(self, parser):
        """Add the options: the person, the reason, the admin, and what else to erase."""
        parser.add_argument("person", nargs="?", help="the login of the person")
        parser.add_argument(
            "--why",
            type=readable_text.argument,
            default="",
            help="the reason, without the name of the person",
        )
        parser.add_argument(
            "--duty",
            type=readable_text.argument,
            default="",
            help="the legal duty, for example 'GDPR, Article 17'",
        )
        parser.add_argument("--by", default="", help="the login of the admin who erases")
        parser.add_argument(
            "--also", action="append", default=[], metavar="WORDS", help="another name of the person"
        )
        parser.add_argument(
            "--evidence",
            action="append",
            type=int,
            default=[],
            metavar="ITEM",
            help="an evidence item that is erased too",
        )
        parser.add_argument(
            "--deactivate", action="store_true", help="deactivate the account first, if it is still active"
        )
        parser.add_argument(
            "--override-retention",
            type=readable_text.argument,
            default="",
            metavar="DUTY",
            help="the legal duty that overrides retention",
        )
        parser.add_argument(
            "--and-auditor", default="", help="the login of the auditor who agrees to the override"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would be erased and kept, and change nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
        parser.add_argument(
            "--erasures-log",
            type=Path,
            metavar="FILE",
            help="write the log of all erasures for a restore, and stop",
        )

    def handle(self, *args, **options):
        """Erase, and print the result. Raises CommandError with a sentence that shows how to fix it."""
        if options["erasures_log"]:
            added = erasure_log.write_log(options["erasures_log"])
            self.stdout.write(f"{added} erasures added to {options['erasures_log']}.")
            return
        try:
            done = self.erase(options)
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except ProgrammingError as trouble:
            raise CommandError(
                f"The database refuses ({str(trouble).strip().splitlines()[0]}). Run this command "
                f"as the owner of the tables, not as {settings.DATABASES['default'].get('USER')}."
            ) from trouble
        self.tell(done, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))

    def erase(self, options) -> erasure.Done:
        """Deactivate the account if asked, then erase in one transaction. Frees the space after it."""
        person, by = self.person(options["person"], "a person"), self.person(options["by"], "--by")
        override = None
        if options["override_retention"]:
            auditor = self.person(options["and_auditor"], "--and-auditor")
            override = erasure.Override(options["override_retention"], auditor)
        with transaction.atomic():
            if person.is_active and options["deactivate"]:
                person = leaving.deactivate(person=person, reason=options["why"], by=by)
            done = erasure.erase(
                person=person,
                why=options["why"],
                duty=options["duty"],
                evidence=options["evidence"],
                also=options["also"],
                override=override,
                by=by,
            )
            transaction.set_rollback(options["dry_run"])
        if not options["dry_run"] and not connection.in_atomic_block:
            erasure_log.give_space_back(done.rows)
        return done

    def tell(self, done: erasure.Done, *, dry_run: bool) -> None:
        """Print what is erased, what is kept and how long, and where the name remains."""
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"The words of {done.entries} entries {would}erased, {sum(done.rows.values())} rows {would}marked."
        )
        for table, count in {**done.rows, **done.removed}.items():
            self.stdout.write(f"  {table}: {count}")
        for kept in done.kept:
            when = f"erasable from {kept['from']} on" if kept["from"] else "no end date is known yet"
            self.stdout.write(f"Kept: {kept['count']}. {kept['why']} ({when}).")
        for table, count in done.left.items():
            self.stdout.write(f"Still named in {table}: {count}")
        if not dry_run:
            self.stdout.write(
                f"Entry {done.act} of the audit log records this erasure. The log for a restore is "
                f"{erasure_log.log_path()}."
            )

    def person(self, login: str | None, what: str) -> User:
        """Return the person with this login. Raises CommandError."""
        found = User.objects.filter(login__iexact=login or "").first()
        if found is None:
            raise CommandError(f"No one signs in as {login!r}. Give the login of {what}.")
        return found
