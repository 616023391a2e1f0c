"""The command that imports an inventory, with a preview and a confirmation."""

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
SETS_ASIDE = ("no stage", "unknown stage", "no organisation", "moved", "known", "repeated")
FIRST_LINES = 5


class Command(BaseCommand):
    """The command `manage.py import_inventory FILE --source us-2025`."""

    help = (
        "Import an inventory of AI systems as reported stages. The import signs and decides nothing, "
        "and creates no obligations."
    )

    def add_arguments(self, parser):
        """Add the file, its source, and the options of the run."""
        parser.add_argument("file", type=Path, help="csv or xlsx")
        parser.add_argument(
            "--source", required=True, help=f"{', '.join(KNOWN)}, or your own name for the source"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would happen, and change nothing"
        )
        parser.add_argument("--yes", action="store_true", help="confirm the result without asking")
        parser.add_argument("--sheet", default="", help="the sheet of a workbook, if it is not the usual one")
        parser.add_argument("--json", action="store_true", help="end with one line that has one JSON object")
        parser.add_argument("--by", default="", help="the login of the admin who imports")
        parser.add_argument(
            "--encoding", default="", help="the code page, if it cannot be detected, for example cp1252"
        )
        parser.add_argument(
            "--organisation", default="", help="the organisation of the inventory, if no column names it"
        )
        parser.add_argument(
            "--own", action="store_true", help="the inventory lists systems of your own organisation"
        )
        parser.add_argument(
            "--published-on", type=date.fromisoformat, default=None, help="for example 2026-04-13"
        )

    def handle(self, *args, **options):
        """Upload and confirm as the page does. Raises CommandError with the way to fix it."""
        try:
            counts = self.run(options)
        except CodePageUnsure as unsure:
            for page, words, lines in unsure.candidates:
                self.stderr.write(f"--encoding {page}  ({words})")
                for line in lines:
                    self.stderr.write(f"    {line}")
            raise CommandError(
                "The code page of the file cannot be detected. In the list above, find the code page "
                "with readable lines, and choose it with --encoding."
            ) from None
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        if options["json"]:
            self.stdout.write(json.dumps(counts))

    def run(self, options) -> dict[str, int]:
        """Run one import, or its preview in a transaction that is rolled back."""
        path = options["file"]
        if not path.is_file():
            raise CommandError(f"{path} is not a file. Check the path.")
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
                self.stdout.write(f"This file has the same SHA-256 as the file of batch {batch.repeats_id}.")
            if options["dry_run"]:
                counts = batch.counts
                transaction.set_rollback(True)
            elif self.agreed(batch, options):
                counts = inventory_actions.confirm_batch(batch=batch, **who)
            else:
                raise CommandError("The import was cancelled.")
        for word, count in counts.items():
            self.stdout.write(f"{word}: {count}")
        return counts

    def say_mapping(self, batch: ImportBatch) -> None:
        """Print the column of each field, and the meaning of each word for a stage."""
        columns, read = batch.reading.get("columns", {}), batch.reading
        self.stdout.write("Columns:")
        for role, words in FIELDS.items():
            fixed = read.get("fixed", {}).get(role) or (
                read.get("organisation") if role == "organisation" else ""
            )
            self.stdout.write(f"  {words}: {columns.get(role) or fixed or '(no column)'}")
        stages = read.get("stages", {})
        if stages:
            self.stdout.write("Stages:")
        for word, (stage, sureness, _) in stages.items():
            meaning = Stage(stage).label if stage else "unknown, set aside"
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
            self.stdout.write("Rows that a person must decide:")
        for kind, count in reasons.most_common():
            first = ", ".join(map(str, lines[kind])) + (", \u2026" if count > FIRST_LINES else "")
            self.stdout.write(f"  {PROBLEMS[kind]}: {count} (line {first})")

    def agreed(self, batch: ImportBatch, options: dict[str, Any]) -> bool:
        """Return True if someone confirms. Without a terminal, the option --yes is needed."""
        if options["yes"] or batch.repeats_id:
            return True
        if not sys.stdin.isatty():
            raise CommandError(
                "The import must be confirmed, but this command runs without a terminal. Check the lines "
                "above. If they are right, run the command again with --yes. If not, correct the import on "
                "the page of the imports."
            )
        counts = batch.counts
        self.stdout.write(f"{counts['imported']} of {counts['rows']} rows would become initiatives.")
        return input("Import them with this mapping? [y/N] ").strip().casefold() in ("y", "yes")

    def person(self, login: str) -> User:
        """Return the admin with that login."""
        found = User.objects.active().filter(login__iexact=login).first()
        if found is None:
            raise CommandError(f"No active person signs in as {login}. Check the login.")
        return found
