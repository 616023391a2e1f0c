"""Behind PgBouncer in transaction mode: every page whole, the time limit by the role. Runs where one is installed."""

import json
import os
import pwd
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from governance.database import database_roles
from tests.acceptance.operations.test_run_command import free_port, program
from tests.support import factories, plugin

PGBOUNCER = program("pgbouncer")
READERS = """
import json, os, threading
import django
django.setup()
from django.db import connection
from django.test import Client
from governance.models import User
found = {}
def read(path):
    try:
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(login="owner"))
        for _ in range(2):
            answer = client.get(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            found.setdefault(path, []).append([answer.status_code, len(body)])
    except Exception as trouble:
        found.setdefault(path, []).append([0, str(trouble)[:200]])
    finally:
        connection.close()
threads = [threading.Thread(target=read, args=[path]) for path in json.loads(os.environ["PATHS"]) * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    found["limit"] = cursor.fetchone()[0]
print(json.dumps(found))
"""


@pytest.fixture
def pooled(application_url: str) -> Iterator[str]:
    """The address of the test's database for the application, through a pooler of two connections."""
    if PGBOUNCER is None:
        pytest.skip("no PgBouncer on this machine; on Debian: apt-get install pgbouncer")
    there, port = urlsplit(application_url), free_port()
    host = settings.DATABASES["default"]["HOST"]
    with tempfile.TemporaryDirectory(prefix="plumbline-pooler-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "users.txt").write_text(f'"{there.username}" "{there.password}"\n')
        (place / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={host} port={settings.DATABASES['default']['PORT'] or 5432}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
            f"auth_file = {place}/users.txt\npool_mode = transaction\ndefault_pool_size = 2\n"
        )
        who = ["-u", pwd.getpwnam("nobody").pw_name] if os.geteuid() == 0 else []
        log = open(place / "log", "w")  # noqa: SIM115
        pooler = subprocess.Popen([PGBOUNCER, *who, str(place / "pgbouncer.ini")], stderr=log, stdout=log)
        try:
            until = time.monotonic() + 10
            while time.monotonic() < until:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert pooler.poll() is None, (place / "log").read_text()
                time.sleep(0.05)
            login = there.netloc.rpartition("@")[0]
            yield urlunsplit(("postgresql", f"{login}@127.0.0.1:{port}", there.path, "", ""))
        finally:
            pooler.terminate()
            pooler.wait()
            log.close()


def read(url: str, paths: list[str], folder: Path, **variables: str) -> tuple[dict, str]:
    """What a process of the application finds behind this address; what it said besides."""
    told = {
        "DATABASE_URL": url,
        "PLUMBLINE_DATA": str(folder),
        "PLUMBLINE_HOSTS": "testserver",
        "PLUMBLINE_STATEMENT_SECONDS": "60",
        "PLUMBLINE_DEBUG": "1",  # style sheets need not be collected
        "DJANGO_SETTINGS_MODULE": "governance.settings",
        "PATHS": json.dumps(paths),
    }
    done = subprocess.run(
        [sys.executable, "-c", READERS],
        cwd=settings.BASE_DIR,
        env=dict(os.environ) | told | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return json.loads(done.stdout) if done.returncode == 0 else {}, done.stderr


@pytest.mark.django_db(transaction=True)
def test_every_page_is_whole_behind_a_pooler(pooled, cast, tmp_path, settings, capsys):
    initiative = factories.make_prototype(cast)
    paths = ["/", "/initiatives/", "/initiatives/export.csv", f"/initiatives/{initiative.ref}/", "/reviews/"]
    _, said = read(pooled, paths, tmp_path)
    assert "unsupported startup parameter" in said, "without the setting there is not even a connection"
    settings.POOLER = "transaction"
    names = plugin.LOGINS
    try:
        call_command(
            "database_roles",
            "--apply",
            *(f"--{part}={getattr(names, part)}" for part in database_roles.Names.__annotations__),
        )
        found, said = read(pooled, paths, tmp_path, PLUMBLINE_POOLER="transaction")
    finally:
        with connection.cursor() as cursor:
            reset = sql.SQL("ALTER ROLE {} RESET statement_timeout").format(sql.Identifier(names.application))
            cursor.execute(reset)
    assert found.pop("limit") == "1min", "which the pooler let nobody set"
    assert set(found) == set(paths), said
    for path, answers in found.items():
        assert len(answers) == 4, path
        assert {status for status, _ in answers} == {200}, (path, answers, said[-2000:])
        assert len({size for _, size in answers if path.endswith("csv")}) <= 1, "cut off in the middle"


@pytest.mark.django_db
def test_the_time_limit_is_printed_where_a_pooler_is_named(settings, capsys):
    call_command("database_roles")
    assert "statement_timeout" not in capsys.readouterr().out
    settings.POOLER = "transaction"
    call_command("database_roles")
    assert "ALTER ROLE \"plumbline_app\" SET statement_timeout = '60s';" in capsys.readouterr().out
    settings.STATEMENT_SECONDS = 20
    call_command("database_roles")
    assert "ALTER ROLE \"plumbline_app\" SET statement_timeout = '20s';" in capsys.readouterr().out


@pytest.mark.django_db
def test_an_owner_who_may_not_set_it_is_told_who_may(settings, monkeypatch):
    settings.POOLER = "transaction"
    names = plugin.LOGINS
    nobody = database_roles.Names(application="nobody_of_that_name")
    monkeypatch.setattr(
        database_roles, "limits", lambda _, seconds, real=database_roles.limits: real(nobody, seconds)
    )
    with pytest.raises(
        CommandError, match=r"grants were applied, but the time limit was not .* as a superuser, or as"
    ):
        call_command(
            "database_roles",
            "--apply",
            *(f"--{part}={getattr(names, part)}" for part in database_roles.Names.__annotations__),
        )
