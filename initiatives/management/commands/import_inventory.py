"""Import an inventory from a file: preview, confirm, say in one line what came of it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from governance.models import User
from governance.permission_result import Refused
from governance.tables.encodings import CodePageUnsure
from initiatives.imports.inventories import actions as inventory_actions
from initiatives.imports.inventories.inventory_sources import KNOWN

SYSTEM = "import_inventory"


class Command(BaseCommand):
    """`manage.py import_inventory FILE --source us-2025`."""

    help = "Import an inventory of AI systems as claims. Nothing is signed, decided, shown or due by it."

    def add_arguments(self, parser):
        """The file, its source, and how to run."""
        parser.add_argument("file", type=Path, help="csv or xlsx")
        parser.add_argument("--source", required=True, help=f"{', '.join(KNOWN)}, or a name of your own")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument(
            "--json", action="store_true", help="end with one line that holds one JSON object"
        )
        parser.add_argument("--by", default="", help="the login of the admin who imports")
        parser.add_argument(
            "--encoding", default="", help="the code page, when it cannot be told, like cp1252"
        )
        parser.add_argument(
            "--organisation", default="", help="whose inventory it is, when no column says so"
        )
        parser.add_argument(
            "--own", action="store_true", help="it lists systems of our own organisation, not of others"
        )
        parser.add_argument("--published-on", type=date.fromisoformat, default=None, help="like 2026-04-13")
        parser.add_argument(
            "--backfill", action="store_true", help="an older file: add history, move nothing"
        )

    def handle(self, *args, **options):
        """Upload and confirm as the page does. Raises CommandError with a sentence that says how to mend it."""
        try:
            counts = self.run(options)
        except CodePageUnsure as unsure:
            for page, words, lines in unsure.candidates:
                self.stderr.write(f"--encoding {page}  ({words})")
                for line in lines:
                    self.stderr.write(f"    {line}")
            raise CommandError(
                "The code page of the file cannot be told. Choose the one above whose lines read right."
            ) from None
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        if options["json"]:
            self.stdout.write(json.dumps(counts))

    def run(self, options) -> dict[str, int]:
        """One import, or its preview in a transaction that is rolled back."""
        path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        who: dict[str, Any] = {"by": self.person(options["by"])} if options["by"] else {"system": SYSTEM}
        with transaction.atomic():
            batch = inventory_actions.upload_batch(
                content=path.read_bytes(),
                file_name=path.name,
                source=options["source"],
                encoding=options["encoding"],
                organisation=options["organisation"],
                published_on=options["published_on"],
                backfill=options["backfill"],
                own=options["own"],
                **who,
            )
            for remark in batch.reading.get("remarks", []):
                self.stdout.write(remark)
            if batch.repeats_id:
                self.stdout.write(f"The same file as batch {batch.repeats_id}, by its SHA-256.")
            if options["dry_run"]:
                counts = batch.counts
                transaction.set_rollback(True)
            else:
                counts = inventory_actions.confirm_batch(batch=batch, **who)
        for word, count in counts.items():
            self.stdout.write(f"{word}: {count}")
        return counts

    def person(self, login: str) -> User:
        """The admin of that login."""
        found = User.objects.active().filter(login__iexact=login).first()
        if found is None:
            raise CommandError(f"Nobody active signs in as {login}.")
        return found
