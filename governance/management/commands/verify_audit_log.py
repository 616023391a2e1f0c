"""`manage.py verify_audit_log`: everything the audit log says derived again from its bytes, and compared."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.database import database_roles
from governance.offline.verify import Rejected
from governance.storage import data_folder, file_fingerprints
from governance.transparency_log import verification


class Command(BaseCommand):
    """Reads only. Exit 0 when all is right, 1 with the first bad place when it is not."""

    help = "Verify the audit log: entries, tree, signatures, history, the rows as they stand, and what was allowed."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, against what, and how to say it."""
        parser.add_argument(
            "--since", type=int, default=0, metavar="N", help="only from position N of the tree on"
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint handed out earlier; may be given several times",
        )
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="a public key that may have signed, beside those of the settings; may be given several times",
        )
        for name in ("application", "sealer", "auditor"):
            default = getattr(database_roles.Names, name)
            parser.add_argument(f"--{name}", default=default, help=f"its login (default: {default})")
        parser.add_argument(
            "--files",
            action="store_true",
            help="hash the files of evidence too, and compare them with the audit log",
        )
        parser.add_argument("--json", action="store_true", help="print nothing but the object")

    def handle(self, *args, since: int, checkpoint: list[Path], key: list[str], **options) -> None:
        """Verify and say. Raises CommandError (exit 1) with the first bad place."""
        if since < 0:
            raise CommandError("--since is a position: 0 or more.")
        try:
            held = [path.read_bytes() for path in checkpoint]
            names = database_roles.Names(*(options[name] for name in ("application", "sealer", "auditor")))
            report = verification.verify(since=since, held=held, trusted=key, names=names)
            looked = file_fingerprints.verify(report) if options["files"] else None
        except OSError as trouble:
            raise CommandError(f"{trouble.filename} cannot be read: {trouble.strerror}.") from None
        except data_folder.WrongFolder as why:
            raise CommandError(f"The files cannot be verified: {why}") from None
        except Rejected as why:
            raise CommandError(f"This cannot be compared with the audit log: {why}") from None
        if options["json"]:
            files = {"files": looked.files, "files_missing": looked.missing} if looked else {}
            self.stdout.write(json.dumps(report.as_dict() | files))
        else:
            if looked:
                self.stdout.write(
                    f"{looked.files} files hashed; {looked.missing} of them are gone, which the audit log knows."
                )
            for line in words(report):
                self.stdout.write(line)
        if not report.ok:
            raise CommandError(f"The audit log does not verify. First: {report.findings[0]}")


def _of_judging(report: verification.Report) -> list[str]:
    lines = [
        f"{report.judged} sign-offs, approvals, decisions, contracts in force and stage changes were judged: "
        "whether they were allowed."
    ]
    if report.unjudged:
        lines.append(f"{report.unjudged} could not be judged, as what they rest on was erased.")
    return lines


def words(report: verification.Report) -> list[str]:
    """What was looked at, in lines; what is wrong, one line each."""
    lines = [
        f"{report.leaves} sealed entries from position {report.since} on, {report.checkpoints} checkpoints, "
        f"{report.erased} bodies erased by an act."
    ]
    if report.batches:
        lines.append(f"{report.batches} batches of decisions that systems were told.")
    if report.held:
        lines.append(f"Compared with {report.held} checkpoint{'s' if report.held > 1 else ''} that you hold.")
    if report.unsealed:
        late = (
            f"; {report.overdue} of them for more than a minute: does the worker run?"
            if report.overdue
            else "."
        )
        lines.append(f"{report.unsealed} entries wait to be sealed{late}")
    if not report.replayed:
        lines.append("The rows were not compared, and nothing was judged.")
    else:
        lines += _of_judging(report)
    lines += [f"WRONG  {found}" for found in report.findings]
    if report.full:
        lines.append("More is wrong; only the first hundred places are named.")
    lines.append("Something is wrong." if report.findings else "All is as it was recorded.")
    return lines
