"""`manage.py erase_person PERSON`: erase what the audit log holds about a person, but what must be kept."""

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
        "Erase a person's data from rows, history, the audit log's bodies, named evidence and the mailbox. Digests "
        "stay, "
        "so the audit log still verifies. Runs as the owner of the tables; everybody else waits some seconds."
    )

    def add_arguments(self, parser):
        """Whose, why, by whom, and what more."""
        parser.add_argument("person", nargs="?", help="the login of the person")
        parser.add_argument(
            "--why", type=readable_text.argument, default="", help="why, without naming the person"
        )
        parser.add_argument(
            "--duty",
            type=readable_text.argument,
            default="",
            help="which duty asks for it, such as 'GDPR, Article 17'",
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
            help="an item of evidence that goes too",
        )
        parser.add_argument(
            "--deactivate", action="store_true", help="deactivate the account first, where it is still active"
        )
        parser.add_argument(
            "--override-retention",
            type=readable_text.argument,
            default="",
            metavar="DUTY",
            help="the duty that goes before retention",
        )
        parser.add_argument("--and-auditor", default="", help="the login of the auditor who agrees to that")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go and what is kept, change nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="end with one line that holds one JSON object"
        )
        parser.add_argument(
            "--erasures-log",
            type=Path,
            metavar="FILE",
            help="write the log of all erasures for a restore, and end",
        )

    def handle(self, *args, **options):
        """Erase and say what came of it. Raises CommandError with a sentence that says how to fix it."""
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
                f"The database refuses ({str(trouble).strip().splitlines()[0]}); run this as the owner of the tables, "
                f"not as {settings.DATABASES['default'].get('USER')}."
            ) from trouble
        self.tell(done, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))

    def erase(self, options) -> erasure.Done:
        """Deactivate the account where asked, then erase: one transaction, and the space given back after it."""
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
        """What is gone, what is kept and until when, where the person is still named."""
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"The words of {done.entries} entries {would}erased, {sum(done.rows.values())} rows {would}marked."
        )
        for table, count in {**done.rows, **done.removed}.items():
            self.stdout.write(f"  {table}: {count}")
        for kept in done.kept:
            when = (
                f"from {kept['from']} on it can be erased"
                if kept["from"]
                else "nobody can say yet until when"
            )
            self.stdout.write(f"Kept: {kept['count']}. {kept['why']} ({when}).")
        for table, count in done.left.items():
            self.stdout.write(f"Still named in {table}: {count}")
        if not dry_run:
            self.stdout.write(
                f"It is entry {done.act} of the audit log. The log for a restore is {erasure_log.log_path()}."
            )

    def person(self, login: str | None, what: str) -> User:
        """The person of that login."""
        found = User.objects.filter(login__iexact=login or "").first()
        if found is None:
            raise CommandError(f"Nobody signs in as {login!r}; name the login of {what}.")
        return found
