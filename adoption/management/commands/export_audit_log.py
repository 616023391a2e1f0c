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
    """The command that writes one .zip, and an entry of the audit log about it."""

    help = "Export the audit log as a .zip that python3 verify.py checks offline. First read index.html in the .zip."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options for the scope and the file."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--initiative", metavar="REF", help="one initiative, for example AI-0042")
        what.add_argument(
            "--from", dest="first", metavar="DATE", help="entries recorded from this day on ..."
        )
        what.add_argument("--all", action="store_true", help="the whole audit log")
        parser.add_argument(
            "--to",
            action="append",
            default=[],
            metavar="DATE|FILE",
            help="... to this day (default: today), or the .zip file to write",
        )
        parser.add_argument("--out", metavar="FILE", help="the file to write")
        parser.add_argument("--with-files", action="store_true", help="include the evidence files")
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint that the receiver has. The export then includes the consistency proof "
            "from that checkpoint",
        )
        parser.add_argument(
            "--by",
            metavar="LOGIN",
            help="the person who requested the export. The audit log records the name",
        )

    def handle(self, *args, first: str | None, to: list[str], out: str | None, **options) -> None:
        """Write the export. Raises CommandError with advice."""
        files = [text for text in to if text.endswith(".zip")] + ([out] if out else [])
        days = [text for text in to if not text.endswith(".zip")]
        if len(files) != 1:
            raise CommandError("Give one file to write, for example --to plumbline-export-2026.zip.")
        if len(days) > 1 or (days and not first):
            raise CommandError(
                "--to can have one date, and only together with --from. Add --from with the first day."
            )
        target = Path(files[0])
        if target.exists():
            raise CommandError(f"{target} exists already. Give a different file name.")
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
            raise CommandError(f"This file is not a checkpoint of this audit log: {why}") from None
        except audit_log_export.NothingSealed:
            raise CommandError("The audit log has no entries yet.") from None
        except OSError as trouble:
            raise CommandError(f"{trouble.filename or target}: {trouble.strerror}.") from None
        self.stdout.write(
            f"{target}: {scope}, {done.entries} entries of {done.size}, {done.evidence} pieces of "
            "evidence. Unpack the file and run: python3 verify.py ."
        )
        for line in done.missing:
            self.stderr.write(
                f"WRONG  not included, because the file is missing or differs from the recorded file: {line}"
            )


def scope_of(ref: str | None, first: str | None, last: str | None) -> audit_log_export.Scope:
    """Return the scope that the options ask for. Raises CommandError."""
    if ref:
        number = ref.removeprefix("AI-")
        found = Initiative.objects.filter(number=number).first() if number.isdecimal() else None
        if found is None or found.ref != ref:
            raise CommandError(f"Initiative {ref} does not exist. Write the reference like AI-0042.")
        return audit_log_export.Scope(initiative=found)
    if first:
        begins, ends = day_of(first), day_of(last) if last else clock.today()
        if ends < begins:
            raise CommandError(f"{ends} is before {begins}. Exchange the two days.")
        return audit_log_export.Scope(first=begins, last=ends)
    return audit_log_export.Scope()


def day_of(text: str) -> date:
    """Return the day that the text names. Raises CommandError."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text!r} is not a day. Use YYYY-MM-DD, for example 2026-11-09.")
    return found


def person_of(login: str | None) -> User | None:
    """Return the active person with this login, or None without a login. Raises CommandError."""
    if login is None:
        return None
    found = User.objects.filter(login=login, is_active=True).first()
    if found is None:
        raise CommandError(f"No active person signs in as {login}. Check the login.")
    return found
