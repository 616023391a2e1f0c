"""Backups put back in this process: into another database, a copy of the template, which goes at the end."""

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import override_settings
from psycopg import sql

from governance.authorization.decision_log import FIELDS, decisions
from governance.management.commands import restore_check
from governance.models import PolicyDecision
from governance.storage import backup, restore
from tests.support import factories, plugin
from tests.support.servers.asking_systems import System, logged


@contextlib.contextmanager
def another(template: str | None = None) -> Iterator[str]:
    """The name of a database of its own: migrated and empty, or a copy of another one."""
    name = f"test_plumbline_{os.environ['PLUMBLINE_TEST_RUN']}_copy_{os.urandom(3).hex()}"
    source = template or settings.DATABASES["default"]["TEST"]["TEMPLATE"]
    with plugin.server() as at:
        at.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, source))))
    try:
        yield name
    finally:
        with plugin.server() as at:
            at.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def installed_in(name: str, uploads: Path, **login: str) -> Iterator[None]:
    """Django works in another database, with uploads, and interactions beside them, in another folder."""
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update({"NAME": name} | login)
    try:
        with override_settings(MEDIA_ROOT=uploads, INTERACTIONS_DIR=uploads.parent / "interactions"):
            yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def in_this_process(command: list[str], told: dict[str, str]) -> str:
    """Run a command where `restore_check` would start a process, in the database that it names."""
    out = StringIO()
    name = urlsplit(told["DATABASE_URL"]).path[1:]
    with installed_in(name, Path(told["PLUMBLINE_DATA"]) / "uploads"):
        try:
            call_command(*command, stdout=out)
        except CommandError as trouble:
            raise backup.BackupTrouble(f"{command[0]} says: {trouble}") from None
    return out.getvalue()


@contextlib.contextmanager
def migrated(url: str) -> Iterator[str]:
    """In place of a new database, one with every migration: they take long."""
    with another() as name:
        yield plugin.url_of(name)


def checked(folder: Path) -> dict:
    """What `restore_check --json` prints."""
    out = StringIO()
    with contextlib.suppress(SystemExit):
        call_command("restore_check", str(folder), "--json", stdout=out)
    return json.loads(out.getvalue())


def check_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on `restore_check` restores in this process, into a database that has every migration."""
    monkeypatch.setattr(settings, "EMBEDDED", False)
    monkeypatch.setattr(restore, "migrate_to", lambda state: False)
    monkeypatch.setattr(restore_check, "spare_database", migrated)
    monkeypatch.setattr(restore_check, "call", in_this_process)


def told_in_two_months(cast: factories.Cast, count: int) -> None:
    """That a system was told so many things, this month and the month before, in the log and in the database."""
    from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE

    initiative = factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)
    system = System(factories.make_key(cast, initiative)[1].text)
    system.ask("read")
    logged()
    said = PolicyDecision.objects.values(*FIELDS).get()
    before = said["at"].replace(day=1) - timedelta(days=9)
    for number in range(count - 1):
        at: datetime = (before if number < count // 2 else said["at"]) + timedelta(microseconds=number)
        decisions.write(said | {"at": at.isoformat()})
    decisions.bring_over()
