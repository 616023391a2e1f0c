"""Three people erased from the whole demo, and every trace looked for: `python -m tests.drills.audit_log.erasure`.

The first two keep what retention keeps, and the drill says what that is. The third goes altogether, by a duty that an
admin and an auditor name: no trace may be left in any table, file, mail or export made after.

A change in governance/privacy, governance/storage or a model with personal data asks for it.
"""

import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.drills.company import place


def main() -> int:
    """Build, erase, look, verify; returns how many traces were left where none may be."""
    with place.database():
        from django.conf import settings
        from django.db import transaction

        from adoption.management.commands import demo
        from governance.models import Entry, User
        from governance.notifications import daily_mail
        from governance.privacy import erasure, erasure_log, erasure_replay
        from governance.transparency_log import sealing

        with TemporaryDirectory() as folder:
            settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
            settings.EMAIL_FILE_PATH = folder
            settings.DATA_DIR = Path(folder) / "data"
            settings.DATA_DIR.mkdir()
            began = time.monotonic()
            with transaction.atomic():
                demo.build("not asked for here")
            daily_mail.deliver()
            sealing.seal()
            print(f"demo: {Entry.objects.count()} entries, {time.monotonic() - began:.0f} s")
            admin, auditor = User.objects.get(login="admin"), User.objects.get(login="auditor")
            override = erasure.Override("Order of a court", auditor)
            bad = 0
            for login, duty in (("lead", None), ("seat-value", None), ("seat-risk", override)):
                person = User.objects.get(login=login)
                names = [person.full_name, person.email] + ([login] if "-" in login else [])
                print(f"{login}: before {found(names)}")
                end(person, admin)
                said = {"why": "Asked", "duty": "GDPR, Article 17", "override": duty, "by": admin}
                with transaction.atomic():  # and once more from the log, as a restore does it
                    tried = erasure.erase(person=User.objects.get(pk=person.pk), **said)
                    lines = [json.dumps(line) for line in erasure_log.lines()][-1:]
                    transaction.set_rollback(True)
                with transaction.atomic():
                    erasure_replay.replay(lines)
                    again = found(names)
                    transaction.set_rollback(True)
                began = time.monotonic()
                done = erasure.erase(person=User.objects.get(pk=person.pk), **said)
                took = time.monotonic() - began
                left = found(names) | outside(names, Path(folder), admin)
                print(
                    f"  {done.entries} entries, {sum(done.rows.values())} rows in {len(done.rows)} tables, "
                    f"{took:.1f} s; log line of {len(lines[0])} bytes"
                )
                for kept in done.kept:
                    print(f"  kept: {kept}")
                print(f"  left: told {done.left}, found {left}; by replay {again} (tried {tried.left})")
                bad += sum(left.values()) + sum(again.values()) if duty else len(left.keys() - expected(done))
                bad += check(done)
            return bad


def end(person, admin) -> None:
    """The account ends as it does in life."""
    from initiatives.portfolio.units import leaving

    leaving.deactivate(person=person, reason="Left the company", by=admin)


def expected(done) -> set[str]:
    """Where the audit log says that it still names her: bodies and rows of decisions, and so their export."""
    return {*done.left, "governance_entrybody", "export"}


def found(names: list[str]) -> dict[str, int]:
    """By table, how many rows have one of the names in any column."""
    from tests.acceptance.audit_log.test_erasure import traces

    return traces(*names)


def outside(names: list[str], mails: Path, admin) -> dict[str, int]:
    """By place, how many files name her: evidence, mails, an export of everything made now."""
    from django.conf import settings

    from adoption.audit_log_export import audit_log_export

    counts = {}
    wanted = [name.lower().encode() for name in names]
    for place_of, folder in (("evidence", Path(settings.MEDIA_ROOT)), ("mail", mails)):
        files = [path for path in folder.rglob("*") if path.is_file()]
        counts[place_of] = sum(any(name in path.read_bytes().lower() for name in wanted) for path in files)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "export.zip"
        audit_log_export.export(out=file, scope=audit_log_export.Scope(), with_files=True, by=admin)
        with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
            parts = [archive.read(name).lower() for name in archive.namelist()]
            archive.extractall(folder)
        script = next(Path(folder).rglob("verify.py"))
        done = subprocess.run(
            [sys.executable, script.name, "."], cwd=script.parent, capture_output=True, text=True
        )
        print(
            f"  export verified offline: exit {done.returncode}, {(done.stdout or done.stderr).splitlines()[:1]}"
        )
    counts["export"] = sum(any(name in part for name in wanted) for part in parts)
    return {name: count for name, count in counts.items() if count}


def check(done) -> int:
    """Seal, verify, and make sure that what was erased says so; returns the number of findings."""
    from governance.models import Entry
    from governance.privacy import erasure_log
    from governance.transparency_log import sealing, verification

    sealing.seal()
    report = verification.verify()
    act = Entry.objects.get(pk=done.act)
    gone = Entry.objects.filter(pk__in=act.facts["facts"]["entries"]).select_related("body")
    said = erasure_log.words_for(gone)
    silent = [entry.pk for entry in gone if "Erased on" not in said.get(entry.pk, "")]
    print(
        f"  verified: {report.leaves} leaves, {report.erased} erased, findings {report.findings[:3]}; silent {silent}"
    )
    return len(report.findings) + len(silent)


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)
