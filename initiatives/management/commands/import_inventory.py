"""Import an inventory from a file: preview, show how it is understood, ask, confirm, say what came of it."""

import json
import sys
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from governance.models import User
from governance.permission_result import Refused
from governance.tables.encodings import CodePageUnsure
from governance.vocabulary import Stage
from initiatives.models import ImportBatch
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.inventories.inventory_columns import PROBLEMS
from initiatives.portfolio.imports.inventories.inventory_sources import FIELDS, KNOWN

SYSTEM = "import_inventory"
# What sets a row aside; its other problems are only said.
SETS_ASIDE = ("no stage", "unknown stage", "no organisation", "moved", "known")
FIRST_LINES = 5


class Command(BaseCommand):
    """`manage.py import_inventory FILE --source us-2025`."""

    help = "Import an inventory of AI systems as reported stages. Nothing is signed, decided, shown or due by it."

    def add_arguments(self, parser):
        """The file, its source, and how to run."""
        parser.add_argument("file", type=Path, help="csv or xlsx")
        parser.add_argument("--source", required=True, help=f"{', '.join(KNOWN)}, or a name of your own")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument("--yes", action="store_true", help="confirm what was read without asking")
        parser.add_argument("--sheet", default="", help="of a workbook, where it is not the one told")
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

    def handle(self, *args, **options):
        """Upload and confirm as the page does. Raises CommandError with a sentence that says how to fix it."""
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
                own=options["own"],
                sheet=options["sheet"],
                **who,
            )
            for remark in batch.reading.get("remarks", []):
                self.stdout.write(remark)
            self.say_mapping(batch)
            self.say_why_set_aside(batch)
            if batch.repeats_id:
                self.stdout.write(f"The same file as batch {batch.repeats_id}, by its SHA-256.")
            if options["dry_run"]:
                counts = batch.counts
                transaction.set_rollback(True)
            elif self.agreed(batch, options):
                counts = inventory_actions.confirm_batch(batch=batch, **who)
            else:
                raise CommandError("Nothing was imported.")
        for word, count in counts.items():
            self.stdout.write(f"{word}: {count}")
        return counts

    def say_mapping(self, batch: ImportBatch) -> None:
        """Print which column is taken for which field, and each word for a stage with its meaning."""
        columns, read = batch.reading.get("columns", {}), batch.reading
        self.stdout.write("How its columns are understood:")
        for role, words in FIELDS.items():
            fixed = read.get("fixed", {}).get(role) or (
                read.get("organisation") if role == "organisation" else ""
            )
            self.stdout.write(f"  {words}: {columns.get(role) or fixed or '(no column)'}")
        stages = read.get("stages", {})
        if stages:
            self.stdout.write("How its words for stages are understood:")
        for word, (stage, sureness, _) in stages.items():
            meaning = Stage(stage).label if stage else "nothing known: set aside"
            doubt = ", in doubt" if stage and sureness == "low" else ""
            self.stdout.write(f"  {word[:80]}: {meaning}{doubt}")

    def say_why_set_aside(self, batch: ImportBatch) -> None:
        """Print why rows are set aside, counted by reason, with the first lines of each."""
        aside = (batch.repeats or batch).rows.filter(decision="triage").order_by("line")
        reasons: Counter[str] = Counter()
        lines: dict[str, list[int]] = defaultdict(list)
        for line, problems in aside.values_list("line", "problems").iterator():
            why = [each["kind"] for each in problems if each["kind"] in SETS_ASIDE] or ["no name"]
            for kind in dict.fromkeys(why):
                reasons[kind] += 1
                if len(lines[kind]) < FIRST_LINES:
                    lines[kind].append(line)
        if reasons:
            self.stdout.write("Set aside, for a person to decide:")
        for kind, count in reasons.most_common():
            first = ", ".join(map(str, lines[kind])) + (", \u2026" if count > FIRST_LINES else "")
            self.stdout.write(f"  {PROBLEMS[kind]}: {count} (line {first})")

    def agreed(self, batch: ImportBatch, options: dict[str, Any]) -> bool:
        """Whether somebody says yes; without a terminal somebody has to have said so before."""
        if options["yes"] or batch.repeats_id:
            return True
        if not sys.stdin.isatty():
            raise CommandError(
                "Nothing was imported: nobody is here to say whether it is understood rightly. Look at the lines "
                "above, then run it again with --yes; or correct it on the page of the imports."
            )
        counts = batch.counts
        self.stdout.write(f"{counts['imported']} of {counts['rows']} rows would become initiatives.")
        return input("Import them, understood so? [y/N] ").strip().casefold() in ("y", "yes")

    def person(self, login: str) -> User:
        """The admin of that login."""
        found = User.objects.active().filter(login__iexact=login).first()
        if found is None:
            raise CommandError(f"Nobody active signs in as {login}.")
        return found
