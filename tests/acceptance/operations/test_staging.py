"""The demo on a server: by an owner who may make roles, on a database without people, and never with a role left."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from adoption.management.commands import demo
from governance import clock
from governance.audit_log import entries
from governance.database import database_roles
from governance.database.row_history import acting
from governance.models import Entry, User
from governance.operations import status_inbox
from governance.storage import embedded_postgres
from governance.vocabulary.entry_kinds import EntryKind
from tests.support import factories
from tests.support.database.restored_copies import installed_in

pytestmark = pytest.mark.django_db(transaction=True)

OWNER, PASSWORD = "plumbline_owner", "not a secret"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A server of its own with a migrated database, as docs/operate/install.md says. The owner is no superuser."""
    folder = tmp_path_factory.mktemp("staging")
    server = embedded_postgres.Server(folder / "server", durable=False)
    with server.attached(), server.connect() as at:
        at.execute(f"DROP ROLE {database_roles.CLOCK}")  # which no one has made on a new server
        at.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
        at.execute(f"CREATE DATABASE staging OWNER {OWNER}")
        told = {
            "DJANGO_SETTINGS_MODULE": "governance.settings",
            "DATABASE_URL": f"postgresql://{OWNER}:{PASSWORD}@/staging?host={server.socket_folder}",
            "PLUMBLINE_DATA": str(folder / "data"),
            "PLUMBLINE_DEBUG": "1",  # the secrets are kept in the data folder
        }
        for command in (["migrate"], ["database_roles", "--apply"]):
            subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=settings.BASE_DIR,
                env=dict(os.environ) | told,
                check=True,
                capture_output=True,
            )
        yield SimpleNamespace(server=server, at=at, data=folder / "data")


@pytest.fixture
def staging(migrated, transactional_db, monkeypatch) -> Iterator[SimpleNamespace]:
    """Django works as the owner in a copy of that database, and the demo is one act at a simulated moment."""
    migrated.at.execute(f"CREATE DATABASE demo TEMPLATE staging OWNER {OWNER}")
    monkeypatch.setattr(demo, "build", found)
    login = {"USER": OWNER, "PASSWORD": PASSWORD, "HOST": str(migrated.server.socket_folder)}
    try:
        with (
            installed_in("demo", migrated.data / "uploads", **login),
            override_settings(DATA_DIR=migrated.data, DEMO_PASSWORD="correct horse battery staple"),
        ):
            yield migrated
    finally:
        migrated.at.execute("DROP DATABASE demo WITH (FORCE)")
        migrated.at.execute(f"DROP ROLE IF EXISTS {database_roles.CLOCK}")
        migrated.at.execute(f"ALTER ROLE {OWNER} CREATEROLE")


def found(password: str, report: Callable[..., None]) -> None:
    """Stand in for minutes of building: the first act of the demo, a person, and the last act."""
    with clock.simulated(clock.now() - timedelta(days=400)), acting(system="demo", reason="Begun"):
        entries.record(EntryKind.DEMO_FOUNDED)
    factories.make_person("admin", is_admin=True)
    with acting(system="demo", reason="Ended"):
        entries.record(EntryKind.DEMO_TOLD)


def run(**options: bool) -> str:
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def roles(staging: SimpleNamespace) -> tuple[bool, list[str]]:
    """Whether the role of the clock is on the server, and its members."""
    there = staging.at.execute("SELECT to_regrole(%s) IS NOT NULL", [database_roles.CLOCK]).fetchone()[0]
    return there, database_roles.clock_members(connection)


def tasks_of_admin() -> set[str]:
    return {task.text for task in status_inbox.tasks(User.objects.get(login="admin"))}


def test_the_owner_builds_the_demo_and_keeps_no_right(staging: SimpleNamespace):
    assert "The demo is ready: 1 people" in run()
    begun = Entry.objects.get(kind=EntryKind.DEMO_FOUNDED)
    assert begun.simulated
    assert begun.recorded_at < clock.now() - timedelta(days=399)
    assert roles(staging) == (False, [])
    assert "correct horse battery staple" in (staging.data / "logins.txt").read_text()


def test_a_whole_demo_is_replaced_only_when_asked(staging: SimpleNamespace):
    run()
    with pytest.raises(CommandError, match="Run `demo --reset`"):
        run()
    first = Entry.objects.get(kind=EntryKind.DEMO_FOUNDED).at
    run(reset=True)
    assert Entry.objects.get(kind=EntryKind.DEMO_FOUNDED).at > first
    assert roles(staging) == (False, [])


def test_after_a_failure_no_right_is_left(staging: SimpleNamespace, monkeypatch):
    def cut(password: str, report: Callable[..., None]) -> None:
        assert roles(staging) == (True, [OWNER])
        with psycopg.connect(staging.server.url(name="demo")) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [OWNER]
            )
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "build", cut)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert roles(staging) == (False, [])


@pytest.mark.parametrize("options", [{}, {"reset": True}])
def test_a_database_with_people_is_refused_unchanged(staging: SimpleNamespace, options: dict[str, bool]):
    factories.make_person("someone")
    with pytest.raises(
        CommandError, match=r"has people and was not made by `demo`, so it is unchanged\. Set"
    ):
        run(**options)
    assert [person.login for person in User.objects.all()] == ["someone"]
    assert roles(staging) == (False, [])


def test_an_owner_without_the_right_is_told_the_sql(staging: SimpleNamespace):
    staging.at.execute(f"ALTER ROLE {OWNER} NOCREATEROLE")
    with pytest.raises(CommandError, match="Run this SQL as a superuser, then try again: ") as refusal:
        run()
    assert not User.objects.exists()
    staging.at.execute(str(refusal.value).partition("try again: ")[2])
    with pytest.raises(
        CommandError, match=r"may still simulate time\. Run this SQL as a superuser: "
    ) as refusal:
        run()
    assert User.objects.count() == 1
    assert roles(staging) == (True, [OWNER])
    assert f"The database login {OWNER} may simulate time" in tasks_of_admin()
    staging.at.execute(str(refusal.value).partition("superuser: ")[2])
    assert roles(staging) == (False, [])
    assert f"The database login {OWNER} may simulate time" not in tasks_of_admin()


def test_other_members_keep_the_role(staging: SimpleNamespace):
    staging.at.execute(f"CREATE ROLE {database_roles.CLOCK}")
    staging.at.execute(f"GRANT {database_roles.CLOCK} TO {OWNER} WITH ADMIN OPTION")
    staging.at.execute(f"GRANT {database_roles.CLOCK} TO plumbline")
    with pytest.raises(CommandError, match=f'Run this SQL as a superuser: REVOKE "{database_roles.CLOCK}"'):
        run()


def test_another_login_and_an_empty_database_are_refused_in_words(staging: SimpleNamespace, tmp_path: Path):
    with override_settings(MEDIA_ROOT=tmp_path / "uploads"), pytest.raises(CommandError, match="no mark"):
        run()
    login = {"USER": database_roles.APPLICATION, "PASSWORD": staging.server.password("plumbline_app")}
    connection.close()
    connection.settings_dict.update(login)
    with pytest.raises(
        CommandError, match="Run this as the owner of the tables, as you run migrate, not as plu"
    ):
        run()
    connection.close()
    connection.settings_dict.update({"USER": OWNER, "PASSWORD": PASSWORD})
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    with pytest.raises(CommandError, match=r"Run `manage\.py migrate` first"):
        run()
