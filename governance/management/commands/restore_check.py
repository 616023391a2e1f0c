"""`manage.py restore_check DIR`: prove a backup by restoring it into a database that is thrown away afterwards."""

import base64
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg import sql

from governance.operations import heartbeats
from governance.runtime import child_processes
from governance.storage import backup, backup_schedule, embedded_postgres

# What would lead from the throw-away installation to the real one, also as the name of a file (_FILE).
NOT_HERE = {
    "PLUMBLINE_SEALER_URL",
    "PLUMBLINE_REPLICA_URL",
    "PLUMBLINE_TIMESTAMP_URL",
    "CELERY_BROKER_URL",
    "DJANGO_SETTINGS_MODULE",
    "PLUMBLINE_INTERACTION_KEYS",
}


class Command(BaseCommand):
    """Restore, verify, throw away."""

    help = "Restore a backup into a separate database, verify the audit log there, and drop the database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder of the backup and the output format."""
        parser.add_argument("folder", type=Path, metavar="DIR", nargs="?", help="what `backup` wrote")
        parser.add_argument(
            "--newest",
            action="store_true",
            help="check the newest backup in PLUMBLINE_BACKUPS, and have Status show it",
        )
        parser.add_argument("--key", type=Path, metavar="FILE", help="the private key of an encrypted backup")
        parser.add_argument("--json", action="store_true", help="print only a JSON object")

    def handle(self, *args: Any, folder: Path | None, newest: bool, key: Path | None, **options: Any) -> None:
        """Prove the copy. Exit code 0 when it can be restored and its audit log verifies, else 1 with the reason."""
        if (folder is None) is not newest:
            raise CommandError("Name a backup, or give --newest.")
        try:
            with child_processes.orderly_end():
                found = checked((folder or backup_schedule.newest()).absolute(), key)
        except backup.BackupTrouble as trouble:
            found = {"ok": False, "trouble": str(trouble)}
        if newest:
            _record(found)
        if options["json"]:
            self.stdout.write(json.dumps(found))
            if not found["ok"]:
                sys.exit(1)
        elif not found["ok"]:
            raise CommandError(f"The backup is not good: {found['trouble']}")
        else:
            self.stdout.write(
                f"The backup of {found['made_at']} is good: {found['rows']} rows and {found['evidence']} files "
                f"restored in {found['restored_seconds']} s, the audit log verified in {found['verified_seconds']} s."
            )
            for unknown in found["unknown_keys"]:
                self.stdout.write(
                    f"The backup is signed with a key that this installation does not know: {unknown}"
                )


def _record(found: dict[str, Any]) -> None:
    with contextlib.nullcontext() if not settings.EMBEDDED else settings.EMBEDDED_DATABASE.attached():
        if found["ok"]:
            heartbeats.done(heartbeats.RESTORE_CHECK)
        else:
            heartbeats.failed(heartbeats.RESTORE_CHECK, backup.BackupTrouble(found["trouble"]))


def checked(path: Path, key: Path | None = None) -> dict[str, Any]:
    """Restore the backup in a separate place and verify it. The result has "ok", or "trouble" with the reason."""
    found: dict[str, Any] = {"ok": False, "backup": str(path)}
    try:
        with backup_schedule.opened(path, key) as folder:
            return found | _checked(folder)
    except (backup.BackupTrouble, embedded_postgres.DatabaseTrouble) as trouble:
        return found | {"trouble": str(trouble)}


def _checked(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        manifest = backup.check(folder)
        found |= {
            "made_at": manifest["made_at"],
            "manifest_sha256": backup.fingerprint_of(folder),
            "rows": sum(table["rows"] for table in manifest["tables"].values()),
            "evidence": len(manifest["evidence"]),
            "checkpoint": manifest["checkpoint"] and manifest["checkpoint"]["size"],
            "unknown_keys": backup.unknown_keys(manifest),
        }
        with throw_away(manifest["keys"]) as told:
            began = time.monotonic()
            call(["restore", str(folder)], told)
            found["restored_seconds"] = round(time.monotonic() - began, 1)
            began = time.monotonic()
            held = head_of(manifest, Path(told["PLUMBLINE_DATA"]))
            found["verified"] = json.loads(call(["verify_audit_log", "--json", *held], told))
            found["verified_seconds"] = round(time.monotonic() - began, 1)
        if gaps := backup.gaps(manifest):
            raise backup.BackupTrouble(f"when it was taken, {gaps}.")
    except (backup.BackupTrouble, embedded_postgres.DatabaseTrouble) as trouble:
        return found | {"ok": False, "trouble": str(trouble)}
    return found | {"ok": True}


@contextlib.contextmanager
def throw_away(known_keys: list[str]) -> Iterator[dict[str, str]]:
    """Yield the environment of an empty installation, and remove it at the end. Raises BackupTrouble."""
    with tempfile.TemporaryDirectory(prefix="plumbline-check-") as place, contextlib.ExitStack() as held:
        os.chmod(
            place, 0o755
        )  # the embedded server may run as another user; what is private has folders of its own
        if settings.EMBEDDED:
            server = held.enter_context(
                embedded_postgres.Server(Path(place) / "database", durable=False).attached()
            )
            url = server.url()
        else:
            url = held.enter_context(spare_database(settings.DATABASE_URL))
        own = {
            "DATABASE_URL": url,
            "PLUMBLINE_DATA": place,
            "PLUMBLINE_SECRET_KEY": settings.SECRET_KEY,
            "PLUMBLINE_SIGNING_KEY": base64.b64encode(
                secrets.token_bytes(32)
            ).decode(),  # nothing is signed there
            "PLUMBLINE_ADDRESS": settings.ADDRESS,
            "PLUMBLINE_FORMER_KEYS": " ".join([*known_keys, *settings.FORMER_KEYS]),
        }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name.removesuffix("_FILE") not in NOT_HERE | own.keys()
            and not name.startswith("PLUMBLINE_STORE")  # the copy's files lie in its folder
        }
        yield inherited | own


def head_of(manifest: dict[str, Any], place: Path) -> list[str]:
    """Return the options to compare the copy with its source's newest checkpoint."""
    if manifest["checkpoint"] is None:
        return []
    path = place / "checkpoint.txt"
    path.write_bytes(manifest["checkpoint"]["note"].encode())
    return ["--checkpoint", str(path)]


@contextlib.contextmanager
def spare_database(url: str) -> Iterator[str]:
    """Yield the address of a new database on the same server, and drop it at the end. Raises BackupTrouble."""
    name = f"plumbline_check_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
    except psycopg.errors.InsufficientPrivilege:
        raise backup.BackupTrouble(
            "the login in DATABASE_URL may not create a database for the check. Give the login CREATEDB, or "
            "run the check without DATABASE_URL, in an embedded database."
        ) from None
    except psycopg.OperationalError as trouble:
        raise backup.BackupTrouble(f"the database server does not answer ({str(trouble).strip()}).") from None
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def call(command: list[str], told: dict[str, str]) -> str:
    """Return the output of a `manage.py` command in a new process. Raises BackupTrouble with its last words."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=told,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or f"ended with {done.returncode}").splitlines()
        last = ([line for line in words if "Error: " in line] or words)[-1]
        raise backup.BackupTrouble(f"{command[0]} says: {last.removeprefix('CommandError: ')}")
    return done.stdout
