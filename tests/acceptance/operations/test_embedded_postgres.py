"""The embedded database: it starts anywhere, survives being killed, and the application cannot touch the audit log."""

import os
import signal
import stat
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from governance.database import database_roles
from governance.runtime.secret_files import kept
from governance.storage import embedded_postgres
from tests.support import plugin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose path is too long for a socket and holds what shells and libpq trip over."""
    return tmp_path / ("a deep, 'quoted' \"folder\" " + "x" * 80) / "database"


@pytest.mark.django_db
def test_the_database_answers_in_utc_and_utf8():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('TimeZone'), current_setting('server_encoding')")
        assert cursor.fetchone() == ("UTC", "UTF8")


def test_starts_stops_and_starts_again_in_a_folder_with_an_awkward_path(folder):
    modes = {step: stat.S_IMODE(step.stat().st_mode) for step in folder.parents if step.exists()}
    server = embedded_postgres.Server(folder, durable=False)
    server.start()
    try:
        with psycopg.connect(server.url()) as owner:
            query = "SELECT current_user, pg_has_role(session_user, 'plumbline_clock', 'member')"
            assert owner.execute(query).fetchone() == ("plumbline", True)
        with psycopg.connect(server.url(database_roles.APPLICATION)) as login:
            assert login.execute(query).fetchone() == ("plumbline_app", False)
            assert login.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
                False,
            )
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url().replace(server.password("plumbline"), "wrong"))
        assert server.socket_folder.parent == Path("/tmp")
    finally:
        server.stop()
    assert not server.running()
    assert not server.socket_folder.exists()
    assert modes == {step: stat.S_IMODE(step.stat().st_mode) for step in modes}

    with server.attached():
        assert server.running()
    assert not server.running()


def test_the_last_one_to_leave_stops_it(tmp_path):
    mine, yours = (embedded_postgres.Server(tmp_path / "database", durable=False) for _ in range(2))
    with mine.attached():
        with yours.attached():
            pass
        assert mine.running()
    assert not mine.running()


def test_survives_being_killed_and_a_process_id_that_became_somebody_elses(tmp_path):
    server = embedded_postgres.Server(tmp_path / "database", durable=False)
    server.start()
    try:
        os.kill(server._pid(), signal.SIGKILL)
        server._process.wait()
        # Its number now belongs to this very test, as it soon does in a container.
        for trace in (server.cluster / "postmaster.pid", server.socket_folder / ".s.PGSQL.5432.lock"):
            lines = trace.read_text().split("\n")
            trace.write_text("\n".join([str(os.getpid()), *lines[1:]]))
        server.start()
        assert server.running()
    finally:
        server.stop()


def test_a_cluster_made_by_another_version_is_refused_in_words(tmp_path):
    server = embedded_postgres.Server(tmp_path / "database", durable=False)
    server.cluster.mkdir(parents=True)
    (server.cluster / "PG_VERSION").write_text("13\n")
    with pytest.raises(embedded_postgres.DatabaseTrouble, match="made by PostgreSQL 13"):
        server.start()


def test_an_interrupted_first_start_is_begun_again(tmp_path):
    server = embedded_postgres.Server(tmp_path / "database", durable=False)
    (tmp_path / "database" / "cluster.new" / "base").mkdir(parents=True)
    with server.attached():
        assert server.running()


def test_what_is_kept_is_private_and_made_once(tmp_path):
    first = kept(tmp_path, "secret")
    assert len(first) > 30
    assert kept(tmp_path, "secret") == first
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_log_is_private_and_quotes_no_statement_and_no_value(tmp_path):
    """Also in a folder that an earlier start left open to everybody."""
    server, secret = embedded_postgres.Server(tmp_path / "database", durable=False), "pbkdf2_sha256$secret"
    server.folder.mkdir(mode=0o755)
    server.log.touch(mode=0o644)
    with server.attached(), server.connect() as owner:
        assert stat.S_IMODE(server.log.stat().st_mode) == 0o600
        assert stat.S_IMODE(server.folder.stat().st_mode) & 0o067 == 0
        owner.execute("CREATE TABLE person (hash text UNIQUE, number int)")
        owner.execute("INSERT INTO person VALUES (%s)", [secret])
        failing = (
            ("INSERT INTO person VALUES (%s)", psycopg.errors.UniqueViolation),
            ("INSERT INTO person (number) SELECT %s::text::int", psycopg.errors.InvalidTextRepresentation),
            (f"INSERT INTO nowhere VALUES ('{secret}', %s)", psycopg.errors.UndefinedTable),
        )
        for statement, error in failing:
            with pytest.raises(error):
                owner.execute(statement, [secret])
    said = server.log.read_text()
    assert "ready to accept connections" in said
    assert "secret" not in said
    assert "STATEMENT" not in said
    assert "DETAIL" not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_started_as_root_only_the_user_of_the_server_may_pass_the_folder(tmp_path):
    server = embedded_postgres.Server(tmp_path / "database", durable=False)
    with server.attached():
        seen = server.folder.stat()
        assert (stat.S_IMODE(seen.st_mode), seen.st_gid) == (0o710, server.cluster.stat().st_gid)
        assert server.cluster.stat().st_uid != 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time_through", [1, 2])
def test_a_test_with_real_transactions_leaves_nothing_to_the_next(time_through):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (id int)")


def test_a_start_that_hangs_ends_in_words(tmp_path, monkeypatch):
    server = embedded_postgres.Server(tmp_path / "database", durable=False)
    monkeypatch.setattr(server, "running", lambda: False)
    monkeypatch.setattr(server, "_spawn", lambda tied: None)
    with pytest.raises(embedded_postgres.DatabaseTrouble, match="did not start in time"):
        server.start(patience=0.3)


@pytest.mark.skipif(not settings.EMBEDDED, reason="the server in DATABASE_URL is not ours")
def test_the_template_follows_the_migrations(django_db_modify_db_settings, monkeypatch, tmp_path):
    assert settings.DATABASES["default"]["TEST"]["TEMPLATE"].endswith(plugin.state_of_migrations())
