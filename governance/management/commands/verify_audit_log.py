"""`manage.py verify_audit_log`: derive the audit log from its bytes, and compare."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.database import database_roles
from governance.offline.verify import Rejected, kept_lines
from governance.storage import data_folder, file_fingerprints
from governance.storage.kept_files import StoreAway
from governance.transparency_log import verification


class Command(BaseCommand):
    """Reads only. Exit 0 when all is right, 1 with the first bad place when it is not."""

    help = (
        "Verify the entries, hash tree and signatures of the audit log. Also compare the history with the current "
        "rows, and check that each act was allowed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the first position, the checkpoints to compare with, and the output format."""
        parser.add_argument(
            "--since", type=int, default=0, metavar="N", help="verify only from position N of the tree"
        )
        parser.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a checkpoint handed out earlier (repeatable)",
        )
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="a public key that may have signed, in addition to the keys of the settings (repeatable)",
        )
        for name in ("application", "sealer", "auditor"):
            default = getattr(database_roles.Names, name)
            parser.add_argument(
                f"--{name}", default=default, help=f"login of the {name} (default: {default})"
            )
        parser.add_argument(
            "--files",
            action="store_true",
            help="hash the files of evidence too, and compare them with the audit log",
        )
        parser.add_argument("--json", action="store_true", help="print only a JSON object")

    def handle(self, *args, since: int, checkpoint: list[Path], key: list[str], **options) -> None:
        """Verify and say. Raises CommandError (exit 1) with the first bad place."""
        if since < 0:
            raise CommandError("--since must be a position: 0 or more.")
        try:
            held = [kept_lines(path.read_bytes()) for path in checkpoint]
            names = database_roles.Names(*(options[name] for name in ("application", "sealer", "auditor")))
            report = verification.verify(since=since, held=held, trusted=key, names=names)
            looked = file_fingerprints.verify(report) if options["files"] else None
        except OSError as trouble:
            raise CommandError(f"{trouble.filename} cannot be read: {trouble.strerror}.") from None
        except (data_folder.WrongFolder, StoreAway) as why:
            raise CommandError(f"The files cannot be verified: {why}") from None
        except Rejected as why:
            raise CommandError(f"The file cannot be compared with the audit log: {why}") from None
        if options["json"]:
            files = {"files": looked.files, "files_missing": looked.missing} if looked else {}
            self.stdout.write(json.dumps(report.as_dict() | files))
        else:
            if looked:
                self.stdout.write(
                    f"{looked.files} files hashed. {looked.missing} of them are missing, as the audit log "
                    "records."
                )
            for line in words(report):
                self.stdout.write(line)
        if not report.ok:
            raise CommandError(f"The audit log does not verify. First: {report.findings[0]}")


def _of_judging(report: verification.Report) -> list[str]:
    lines = [
        f"{report.judged} acts were judged for permission: sign-offs, approvals, decisions, contracts in "
        "force and stage changes."
    ]
    if report.unjudged:
        lines.append(
            f"{report.unjudged} could not be judged, because entries that they depend on were erased."
        )
    return lines


def words(report: verification.Report) -> list[str]:
    """Return what was checked as lines, with one line for each fault."""
    lines = [
        f"{report.leaves} sealed entries from position {report.since} on, {report.checkpoints} checkpoints, "
        f"{report.erased} bodies erased by an act."
    ]
    for key, (count, size) in report.cosigned.items():
        lines.append(f"{count} checkpoints are cosigned by {key.partition('+')[0]}, the last of size {size}.")
    for key, (count, size) in report.cosigned_by_unknown.items():
        lines.append(
            f"{count} checkpoints are cosigned with the key {key}, the last of size {size}. PLUMBLINE_WITNESSES does "
            "not name this key, so these cosignatures prove nothing."
        )
    if report.batches:
        lines.append(f"{report.batches} batches of decisions that systems received.")
    if report.held:
        lines.append(f"Compared with {report.held} checkpoint{'s' if report.held > 1 else ''} that you hold.")
    if report.unsealed:
        late = (
            f", {report.overdue} of them for more than a minute. Check that the worker runs."
            if report.overdue
            else "."
        )
        lines.append(f"{report.unsealed} entries wait to be sealed{late}")
    if not report.replayed:
        lines.append("The rows were not compared, and no act was judged.")
    else:
        lines += _of_judging(report)
    lines += [f"WRONG  {found}" for found in report.findings]
    if report.full:
        lines.append("There are more faults. Only the first hundred are listed.")
    lines.append("The audit log has faults." if report.findings else "Everything is as recorded.")
    return lines
