"""`manage.py export_audit_log`: an initiative, some days or everything, as a file that verifies without Plumbline."""

from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date

from adoption.audit_log_export import audit_log_export
from governance import clock
from governance.models import User
from governance.offline.verify import Rejected
from initiatives.models import Initiative


class Command(BaseCommand):
    """Writes one .zip; that it was taken is an entry of the audit log."""

    help = "Export the audit log as a .zip that python3 verify.py checks offline; see index.html in it."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, and where to."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--initiative", metavar="REF", help="one initiative, such as AI-0042")
        what.add_argument(
            "--from", dest="first", metavar="DATE", help="what was recorded from this day on ..."
        )
        what.add_argument("--all", action="store_true", help="the whole audit log")
        parser.add_argument(
            "--to",
            action="append",
            default=[],
            metavar="DATE|FILE",
            help="... to this day (today, if left out); or, ending in .zip, the file to write",
        )
        parser.add_argument("--out", metavar="FILE", help="the file to write")
        parser.add_argument("--with-files", action="store_true", help="put the files of the evidence in")
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint that the receiver holds; the consistency proof that the audit log goes on from it "
            "is put in",
        )
        parser.add_argument("--by", metavar="LOGIN", help="on whose behalf; recorded with the export")

    def handle(self, *args, first: str | None, to: list[str], out: str | None, **options) -> None:
        """Export. Raises CommandError with advice."""
        files = [text for text in to if text.endswith(".zip")] + ([out] if out else [])
        days = [text for text in to if not text.endswith(".zip")]
        if len(files) != 1:
            raise CommandError("Name one file to write, such as --to plumbline-export-2026.zip.")
        if len(days) > 1 or (days and not first):
            raise CommandError("--to with a date needs one --from before it.")
        target = Path(files[0])
        if target.exists():
            raise CommandError(f"{target} is there already; name another file.")
        scope = scope_of(options["initiative"], first, days[0] if days else None)
        try:
            held = audit_log_export.held_notes(path.read_bytes() for path in options["checkpoint"])
            done = audit_log_export.export(
                out=target,
                scope=scope,
                with_files=options["with_files"],
                held=held,
                by=person_of(options["by"]),
                system="export_audit_log",
            )
        except Rejected as why:
            raise CommandError(f"What you hold is not a checkpoint of this audit log: {why}") from None
        except audit_log_export.NothingSealed:
            raise CommandError("Nothing is in the audit log yet.") from None
        except OSError as trouble:
            raise CommandError(f"{trouble.filename or target}: {trouble.strerror}.") from None
        self.stdout.write(
            f"{target}: {scope}, {done.entries} entries of {done.size}, {done.evidence} pieces of evidence. Unpack it "
            "and run: python3 verify.py ."
        )
        for line in done.missing:
            self.stderr.write(f"WRONG  not included, gone or not the file that was recorded: {line}")


def scope_of(ref: str | None, first: str | None, last: str | None) -> audit_log_export.Scope:
    """What is asked for. Raises CommandError."""
    if ref:
        number = ref.removeprefix("AI-")
        found = Initiative.objects.filter(number=number).first() if number.isdecimal() else None
        if found is None or found.ref != ref:
            raise CommandError(f"There is no initiative {ref}; write it like AI-0042.")
        return audit_log_export.Scope(initiative=found)
    if first:
        begins, ends = day_of(first), day_of(last) if last else clock.today()
        if ends < begins:
            raise CommandError(f"{ends} is before {begins}.")
        return audit_log_export.Scope(first=begins, last=ends)
    return audit_log_export.Scope()


def day_of(text: str) -> date:
    """The day. Raises CommandError."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text!r} is not a day; write it like 2026-11-09.")
    return found


def person_of(login: str | None) -> User | None:
    """The person with this login, if one is named. Raises CommandError."""
    if login is None:
        return None
    found = User.objects.filter(login=login, is_active=True).first()
    if found is None:
        raise CommandError(f"Nobody active signs in as {login}.")
    return found
