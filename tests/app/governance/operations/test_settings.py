"""Settings: right ones are understood, wrong ones end the start with a sentence that says what to set."""

import base64
import os
import re
import runpy
import secrets
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from governance.runtime import web_server
from governance.runtime.secret_files import kept

SETTINGS = settings.BASE_DIR / "governance" / "settings.py"
URL = "postgresql://someone:secret@db.example.org:5433/plumbline"
LONG_KEY = "a long random text of many letters"
SIGNING_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
# What is demanded as soon as the database is not the embedded one.
ON_A_SERVER = {
    "DATABASE_URL": URL,
    "PLUMBLINE_SECRET_KEY": LONG_KEY,
    "PLUMBLINE_SIGNING_KEY": SIGNING_KEY,
    "PLUMBLINE_ADDRESS": "https://plumbline.example.org",
}


@pytest.fixture
def load(monkeypatch, tmp_path):
    """The settings as they come out of an environment that holds just these variables."""

    def load(**variables: str) -> dict[str, Any]:
        for name in list(os.environ):
            if name.startswith(("PLUMBLINE_", "CELERY_", "EMAIL_", "DATABASE_")):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PLUMBLINE_DATA", str(tmp_path / "data"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return load


def test_without_any_variable_everything_is_embedded_and_local(load, tmp_path):
    found = load()
    assert found["EMBEDDED"] is True
    assert found["DATABASES"]["default"]["USER"] == "plumbline"
    assert found["DATABASES"]["default"]["HOST"].startswith("/")
    assert found["CELERY_BROKER_URL"] == "filesystem://"
    assert found["CELERY_BROKER_TRANSPORT_OPTIONS"]["data_folder_in"] == str(tmp_path / "data" / "queue")
    assert found["EMAIL_FILE_PATH"] == str(tmp_path / "data" / "mail")
    assert found["ADDRESS"] == "http://localhost:8000"
    assert found["DEBUG"] is False
    assert found["DEMO_PASSWORD"] == ""
    assert found["SESSION_COOKIE_SECURE"] is False


def test_the_secret_key_is_made_once_and_private(load, tmp_path):
    first = load()["SECRET_KEY"]
    assert len(first) > 50
    assert load()["SECRET_KEY"] == first
    assert stat.S_IMODE((tmp_path / "data" / "secret-key").stat().st_mode) == 0o600
    for private in ("uploads", "mail", "queue"):
        assert stat.S_IMODE((tmp_path / "data" / private).stat().st_mode) == 0o700


def test_a_database_url_is_used_as_it_is(load):
    found = load(**ON_A_SERVER)
    assert found["EMBEDDED"] is False
    database = found["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.org", 5433, "plumbline")
    assert database["OPTIONS"]["pool"] is False
    assert database["OPTIONS"]["application_name"] == "plumbline"


def test_with_a_database_url_the_key_that_signs_is_demanded_and_the_kept_one_is_named(load, tmp_path):
    """A process that made its own would sign under the same name, and nobody knew its key."""
    url = {name: value for name, value in ON_A_SERVER.items() if name != "PLUMBLINE_SIGNING_KEY"}
    with pytest.raises(
        ImproperlyConfigured, match=r"PLUMBLINE_SIGNING_KEY is not set. .* every machine"
    ) as said:
        load(**url)
    assert "signing-key" not in str(said.value)
    assert load(**url, PLUMBLINE_DEBUG="1")["SIGNING_KEY"] is None
    assert load()["SIGNING_KEY"] is None
    file = tmp_path / "data" / "signing-key"
    text = kept(file.parent, file.name)
    with pytest.raises(ImproperlyConfigured, match="Set PLUMBLINE_SIGNING_KEY_FILE to this file") as said:
        load(**url)
    assert str(file) in str(said.value)
    found = load(**url, PLUMBLINE_SIGNING_KEY_FILE=str(file))["SIGNING_KEY"]
    assert found == base64.urlsafe_b64decode(text + "=")


def test_a_socket_folder_keeps_its_capital_letters(load):
    found = load(**ON_A_SERVER | {"DATABASE_URL": "postgresql://a:b@/plumbline?host=/Some/Folder"})
    assert found["DATABASES"]["default"]["HOST"] == "/Some/Folder"


def test_an_embeddings_service_is_asked_only_where_one_is_set(load, tmp_path):
    assert load()["EMBEDDINGS_URL"] == ""
    (tmp_path / "key").write_text("sk-4711\n")
    found = load(
        PLUMBLINE_EMBEDDINGS_URL="http://127.0.0.1:8080/v1/embeddings",
        PLUMBLINE_EMBEDDINGS_MODEL="small",
        PLUMBLINE_EMBEDDINGS_KEY_FILE=str(tmp_path / "key"),
    )
    assert found["EMBEDDINGS_KEY"] == "sk-4711"
    assert "sk-4711" in found["OWN_SECRETS"], "no log has it"


def test_files_lie_in_a_bucket_and_move_between_stores_where_that_is_set(load, tmp_path):
    place = {"here": None, "former": [], "keys": [], "encrypts": False}
    assert load()["STORAGES"]["default"]["OPTIONS"] == place
    (tmp_path / "secret").write_text("s3-4711-secret\n")
    (tmp_path / "key").write_text(base64.b64encode(b"k" * 32).decode())
    told = {
        "PLUMBLINE_STORE": "s3://files.example/plumbline/one",
        "PLUMBLINE_STORE_ENDPOINT": "https://s3.example.org",
        "PLUMBLINE_STORE_REGION": "eu-1",
        "PLUMBLINE_STORE_KEY_ID": "id",
        "PLUMBLINE_STORE_SECRET_FILE": str(tmp_path / "secret"),
        "PLUMBLINE_STORE_LOCK_DAYS": "30",
        "PLUMBLINE_STORE_ENCRYPTION_KEY_FILE": str(tmp_path / "key"),
    }
    found = load(**told)
    assert found["STORE"]["here"] == {
        "bucket_name": "files.example",
        "location": "plumbline/one",
        "endpoint_url": "https://s3.example.org",
        "region_name": "eu-1",
        "access_key": "id",
        "secret_key": "s3-4711-secret",
        "lock_days": 30,
    }
    assert (found["STORE"]["keys"], found["STORE"]["encrypts"]) == ([b"k" * 32], True)
    assert "s3-4711-secret" in found["OWN_SECRETS"], "no log has it"
    assert load(**told, PLUMBLINE_STORE_FORMER="folder")["STORE"]["former"] == [None]
    (former,) = load(
        **told, PLUMBLINE_STORE_FORMER="s3://old", PLUMBLINE_STORE_FORMER_ENDPOINT="http://10.0.0.1:9000"
    )["STORE"]["former"]
    assert (former["bucket_name"], former["location"], former["access_key"]) == ("old", "", "id")
    assert former["endpoint_url"] == "http://10.0.0.1:9000"


def test_a_bucket_without_its_client_says_what_to_install(load, monkeypatch):
    monkeypatch.setattr("governance.runtime.environment.find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"Install the libraries of requirements-s3\.lock"):
        load(PLUMBLINE_STORE="s3://files")


def test_the_web_server_alone_has_its_statements_stopped(load, monkeypatch):
    found = load(**ON_A_SERVER)
    assert found["DATABASES"]["default"]["OPTIONS"]["options"] == "-c statement_timeout=0s"
    monkeypatch.setattr("django.core.wsgi.get_wsgi_application", lambda: None)
    monkeypatch.setattr("governance.operations.startup.refuse_wrong_folder", lambda: None)
    monkeypatch.delenv("PLUMBLINE_STATEMENT_SECONDS", raising=False)
    runpy.run_path(str(settings.BASE_DIR / "governance" / "wsgi.py"))
    seconds = os.environ["PLUMBLINE_STATEMENT_SECONDS"]
    found = load(**ON_A_SERVER, PLUMBLINE_STATEMENT_SECONDS=seconds)
    assert found["DATABASES"]["default"]["OPTIONS"]["options"] == "-c statement_timeout=60s"


def test_a_secret_may_begin_with_a_dollar_sign(load):
    found = load(PLUMBLINE_SECRET_KEY="$HOME is where the heart is", PLUMBLINE_DEMO_PASSWORD="$PATH")
    assert found["SECRET_KEY"] == "$HOME is where the heart is"
    assert found["DEMO_PASSWORD"] == "$PATH"


def test_an_address_over_tls_makes_cookies_secure(load):
    found = load(PLUMBLINE_ADDRESS="https://plumbline.example.org/", PLUMBLINE_HOSTS="inside.example.org")
    assert found["ADDRESS"] == "https://plumbline.example.org"
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["CSRF_COOKIE_SECURE"] is True
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert {"inside.example.org", "plumbline.example.org", "127.0.0.1"} <= set(found["ALLOWED_HOSTS"])
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://plumbline.example.org"]
    assert found["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert found["CSRF_COOKIE_NAME"].startswith("__Host-")


def test_proxies_are_read_as_networks(load):
    found = load(PLUMBLINE_PROXIES="127.0.0.1, 10.1.2.0/24 ::1")["PROXIES"]
    assert [str(network) for network in found] == ["127.0.0.1/32", "10.1.2.0/24", "::1/128"]


def test_a_production_installation_passes_the_checks_of_the_framework(tmp_path, load):
    """`manage.py check --deploy` has nothing to say about the settings that docs/operate/settings.md asks for.

    The static files are collected when Plumbline is installed, which the place of the tests is not.
    """
    production = {
        "PLUMBLINE_DATA": str(tmp_path / "data"),
        "PLUMBLINE_SECRET_KEY": secrets.token_urlsafe(48),
        "PLUMBLINE_SIGNING_KEY": SIGNING_KEY,
        "PLUMBLINE_ADDRESS": "https://plumbline.example.org",
        "DATABASE_URL": URL,
        "CELERY_BROKER_URL": "rediss://user:secret@queue.example.org:6379/0",
        "EMAIL_URL": "smtp+tls://user:secret@mail.example.org:587",
        "GUNICORN_CMD_ARGS": "--workers 2 --threads 4",
    }
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DJANGO_"))
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"],
        cwd=settings.BASE_DIR,
        env=kept | production,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"\((\w+\.\w+)\)", done.stdout + done.stderr)) <= {"plumbline.W002"}
    assert "System check identified" in done.stdout + done.stderr
    assert load(**production)["SILENCED_SYSTEM_CHECKS"] == ["security.W008", "security.W021"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"DATABASE_URL": URL}, "PLUMBLINE_SECRET_KEY is not set. Set it to"),
        (
            {"DATABASE_URL": URL, "PLUMBLINE_SECRET_KEY": LONG_KEY},
            "PLUMBLINE_SIGNING_KEY is not set. Set it to 32 random bytes",
        ),
        (
            {name: value for name, value in ON_A_SERVER.items() if name != "PLUMBLINE_ADDRESS"},
            "PLUMBLINE_ADDRESS is not set. Set it to the address that people type",
        ),
        ({"PLUMBLINE_POOLER": "session"}, "PLUMBLINE_POOLER is 'session'. Set it to transaction"),
        (
            {"DATABASE_URL": URL, "PLUMBLINE_SECRET_KEY": "short"},
            "PLUMBLINE_SECRET_KEY is too short. Set it to",
        ),
        (
            {"DATABASE_URL": "sqlite:///x"},
            "DATABASE_URL is not the address of a PostgreSQL database. Set it to",
        ),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not the address of a PostgreSQL database. Set it to"),
        ({"DATABASE_URL": "postgresql://a:b@h:port/x"}, "DATABASE_URL cannot be read"),
        ({"PLUMBLINE_PORT": "eighty"}, "PLUMBLINE_PORT is 'eighty'. Set it to a number"),
        ({"PLUMBLINE_PORT": "70000"}, "PLUMBLINE_PORT is '70000'. Set it to a number"),
        (
            {"PLUMBLINE_RETENTION_DAYS": "729"},
            "PLUMBLINE_RETENTION_DAYS is '729'. Set it to a number of days for keeping decisions",
        ),
        (
            {"PLUMBLINE_RETENTION_DAYS": "two years"},
            "PLUMBLINE_RETENTION_DAYS is 'two years'. Set it to a number",
        ),
        ({"PLUMBLINE_TIME_ZONE": "Mars/Olympus"}, "PLUMBLINE_TIME_ZONE is 'Mars/Olympus'. Set it to a name"),
        ({"PLUMBLINE_TIME_ZONE": "/etc/passwd"}, "PLUMBLINE_TIME_ZONE is '/etc/passwd'. Set it to a name"),
        ({"PLUMBLINE_TIME_ZONE": ""}, "PLUMBLINE_TIME_ZONE is ''. Set it to a name"),
        ({"PLUMBLINE_PROXIES": "proxy.local"}, "PLUMBLINE_PROXIES names 'proxy.local'. Set it to addresses"),
        (
            {"PLUMBLINE_CAPTURE_HOSTS": "http://wiki"},
            "PLUMBLINE_CAPTURE_HOSTS names 'http://wiki'. Set it to host",
        ),
        ({"PLUMBLINE_CAPTURE_LINKS": "often"}, "PLUMBLINE_CAPTURE_LINKS is 'often'. Set it to 1 or 0"),
        (
            {"PLUMBLINE_EMBEDDINGS_URL": "http://models.example.org/v1/embeddings"},
            "PLUMBLINE_EMBEDDINGS_URL is 'http://models.example.org/v1/embeddings'. Set it to an https "
            "address",
        ),
        (
            {"PLUMBLINE_EMBEDDINGS_URL": "https://models.example.org/v1/embeddings"},
            "PLUMBLINE_EMBEDDINGS_MODEL is not set. Set it to",
        ),
        (
            {"PLUMBLINE_EMBEDDINGS_KEY": "one\ntwo"},
            "Set PLUMBLINE_EMBEDDINGS_KEY to one line",
        ),
        (
            {"PLUMBLINE_EMBEDDINGS_KEY_FILE": "/does/not/exist"},
            "Set PLUMBLINE_EMBEDDINGS_KEY to one line",
        ),
        (
            {"PLUMBLINE_EMBEDDINGS_KEY": "one", "PLUMBLINE_EMBEDDINGS_KEY_FILE": "/there"},
            "PLUMBLINE_EMBEDDINGS_KEY and PLUMBLINE_EMBEDDINGS_KEY_FILE are both set",
        ),
        (
            {"PLUMBLINE_STORE": "/mnt/files"},
            "PLUMBLINE_STORE is '/mnt/files'. Set it to folder, or to a bucket",
        ),
        ({"PLUMBLINE_STORE": "s3://files/../other"}, "PLUMBLINE_STORE is 's3://files/../other'. Set it to"),
        (
            {"PLUMBLINE_STORE": "s3://files", "PLUMBLINE_STORE_ENDPOINT": "s3.example.org"},
            "PLUMBLINE_STORE_ENDPOINT is 's3.example.org'. Set it to an address",
        ),
        (
            {"PLUMBLINE_STORE": "s3://files", "PLUMBLINE_STORE_KEY_ID": "id"},
            "Set both, or unset both to use the role of the host",
        ),
        ({"PLUMBLINE_STORE_FORMER": "folder"}, "name the same store. Unset PLUMBLINE_STORE_FORMER"),
        ({"PLUMBLINE_STORE_LOCK_DAYS": "-1"}, "PLUMBLINE_STORE_LOCK_DAYS is '-1'. Set it to days from 1"),
        (
            {"PLUMBLINE_STORE_ENCRYPTION_KEY": "short"},
            "PLUMBLINE_STORE_ENCRYPTION_KEY is not a key. Set it to 32 random bytes in Base64",
        ),
        ({"PLUMBLINE_HOSTS": "http://here"}, "PLUMBLINE_HOSTS names 'http://here'. Set it to host names"),
        (ON_A_SERVER | {"PLUMBLINE_SEALER_URL": "postgresql://s:a/b@h:1/p"}, "password as %40 %3A %2F %23"),
        ({"PLUMBLINE_ADDRESS": "plumbline"}, "PLUMBLINE_ADDRESS is 'plumbline'. Set it to the address"),
        ({"PLUMBLINE_ADDRESS": "http://[::1"}, "PLUMBLINE_ADDRESS is 'http://[::1'. Set it to the address"),
        ({"PLUMBLINE_ADDRESS": "http://a/b"}, "PLUMBLINE_ADDRESS is 'http://a/b'. Set it to the address"),
        ({"PLUMBLINE_DEBUG": "perhaps"}, "PLUMBLINE_DEBUG is 'perhaps'. Set it to 1 or 0"),
        ({"PLUMBLINE_FROM_EMAIL": "nobody"}, "PLUMBLINE_FROM_EMAIL is 'nobody'. Set it to a mail address"),
        ({"EMAIL_URL": "carrier-pigeon://"}, "EMAIL_URL is not valid. Set it to"),
        ({"EMAIL_URL": "smtp://h:port"}, "EMAIL_URL cannot be read"),
        ({"CELERY_BROKER_URL": "kafka://x"}, "CELERY_BROKER_URL is not valid. Set it to"),
        ({"PLUMBLINE_DATA": "/dev/null/data"}, "Set PLUMBLINE_DATA to a folder"),
    ],
)
def test_a_wrong_setting_says_what_to_set(load, variables, words):
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(**variables)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secret@" not in str(refusal.value)


def refused(command: list[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """What comes of a start with a wrong setting."""
    variables = {"PLUMBLINE_TIME_ZONE": "Mars/Olympus", "PLUMBLINE_DATA": str(tmp_path / "data")}
    ours = ("PLUMBLINE_", "DJANGO_", "DATABASE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "start", ["manage.py run", "-m celery --app governance worker", "-m celery --app governance beat"]
)
def test_a_start_ends_with_the_sentence_alone(tmp_path, start):
    done = refused(start.split(), tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Plumbline cannot start: PLUMBLINE_TIME_ZONE is 'Mars/Olympus'")
    assert done.stderr.count("\n") == 1


def test_gunicorn_ends_with_the_sentence_and_no_traceback(tmp_path):
    done = refused(
        ["-m", "gunicorn", "governance.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"], tmp_path
    )
    assert done.returncode != 0
    assert "Plumbline cannot start: PLUMBLINE_TIME_ZONE is 'Mars/Olympus'" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_settings_of_tests_leaves_nothing_in_the_tree(tmp_path):
    """What reads them (a type checker, an editor) would otherwise leave a folder with secrets beside the code."""
    tree = tmp_path / "tree"
    for name in ("governance", "tests"):
        copied = shutil.ignore_patterns("__pycache__", "browser", "data", "extracts", "labelled")
        shutil.copytree(settings.BASE_DIR / name, tree / name, ignore=copied)
    shutil.copy(settings.BASE_DIR / "pyproject.toml", tree)
    before = {path.name for path in tree.iterdir()}
    quiet = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import tests.settings"], cwd=tree, env=quiet, check=True)
    assert {path.name for path in tree.iterdir()} == before


def test_behind_a_pooler_nothing_is_kept_on_a_connection(load):
    found = load(**ON_A_SERVER, PLUMBLINE_POOLER="transaction", PLUMBLINE_STATEMENT_SECONDS="60")
    database = found["DATABASES"]["default"]
    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert database["OPTIONS"]["prepare_threshold"] is None
    assert "options" not in database["OPTIONS"], "a pooler refuses what is set at the start of a connection"


def test_a_replica_is_reached_like_the_database_and_given_up_sooner(load, tmp_path):
    given = "postgresql://reader:word@replica.example.org:5433/plumbline?sslmode=require"
    assert "replica" not in load(**ON_A_SERVER)["DATABASES"]
    (tmp_path / "address").write_text(given)
    for told in ({"PLUMBLINE_REPLICA_URL": given}, {"PLUMBLINE_REPLICA_URL_FILE": str(tmp_path / "address")}):
        found = load(**ON_A_SERVER, **told)
        there, here = found["DATABASES"]["replica"], found["DATABASES"]["default"]
        assert (there["HOST"], there["USER"], there["NAME"]) == ("replica.example.org", "reader", "plumbline")
        assert there["OPTIONS"]["sslmode"] == "require"
        assert there["OPTIONS"]["connect_timeout"] < here["OPTIONS"]["connect_timeout"]
        assert found["REPLICA_LAG_SECONDS"] == 10
        assert "word" in found["OWN_SECRETS"]
    assert (
        load(PLUMBLINE_REPLICA_URL="postgresql:///name?host=/Folder")["DATABASES"]["replica"]["HOST"]
        == "/Folder"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"PLUMBLINE_REPLICA_URL": "mysql://reader@replica.example.org/plumbline"},
        {"PLUMBLINE_REPLICA_URL": "postgresql://reader:a#b@replica.example.org"},
        {"PLUMBLINE_REPLICA_URL": "replica.example.org"},
        {"PLUMBLINE_REPLICA_LAG_SECONDS": "61"},
        {"PLUMBLINE_REPLICA_LAG_SECONDS": "1"},
    ],
)
def test_a_wrong_replica_ends_the_start_with_the_fix(load, wrong):
    with pytest.raises(
        ImproperlyConfigured, match=rf"{next(iter(wrong))} .*\. Set it (like DATABASE_URL|to seconds)"
    ):
        load(**ON_A_SERVER, **wrong)


def test_a_worker_outlives_any_outage_of_its_queue(load):
    assert load()["CELERY_BROKER_CONNECTION_MAX_RETRIES"] is None


def test_what_is_asked_of_redis_has_a_time_limit(load):
    found = load(CELERY_BROKER_URL="redis://queue.example.org/0")["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert 0 < found["socket_timeout"] <= 5
    assert 0 < found["socket_connect_timeout"] <= 5


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [(None, True), ("--bind :8000", True), ("--threads 4", False), ("-w 3", False), ("--workers two", True)],
)
def test_one_process_with_one_thread_is_warned_of(monkeypatch, arguments, warned):
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    monkeypatch.delenv("GUNICORN_CMD_ARGS", raising=False)
    if arguments is not None:
        monkeypatch.setenv("GUNICORN_CMD_ARGS", arguments)
    assert [found.id for found in web_server.check_server(None)] == (["plumbline.W001"] if warned else [])
    if arguments is None:
        monkeypatch.setenv("WEB_CONCURRENCY", "4")
        assert web_server.check_server(None) == []


@pytest.mark.parametrize(("threads", "processes"), [(False, False), (True, False), (False, True)])
def test_a_server_that_answers_one_at_a_time_says_so_at_its_first_request(monkeypatch, threads, processes):
    said = []
    monkeypatch.setattr(web_server.log, "warning", lambda words, **_: said.append(words))
    application = web_server.watched(lambda environ, start_response: ["answer"])
    environ = {"wsgi.multithread": threads, "wsgi.multiprocess": processes}
    for _ in range(2):
        assert application(environ, None) == ["answer"]
    assert said == ([] if threads or processes else [web_server.ALONE])
