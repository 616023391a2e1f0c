"""`manage.py run`: ready, told, and gone without a trace, however it ends. And what /healthz and /readyz say."""

import base64
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import psutil
import psycopg
import pytest
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from governance.management.commands import run
from governance.operations import preparing, readiness, static_files, versions
from tests.support import plugin

SIGNING_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def spare_database(django_db_modify_db_settings: None) -> Iterator[str]:
    """The address of a migrated database of its own."""
    name = f"test_plumbline_{os.environ['PLUMBLINE_TEST_RUN']}_run_{os.getpid()}"
    template = settings.DATABASES["default"]["TEST"]["TEMPLATE"]
    with plugin.server() as at:
        at.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    yield plugin.url_of(name)
    with plugin.server() as at:
        at.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def program(name: str) -> str | None:
    """Where a program of the system lies; servers may not be on everybody's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Started:
    """A run in a process of its own."""

    def __init__(self, url: str, folder: Path, **variables: str) -> None:
        self.port = free_port()
        plugin.mark_folder(folder / "data" / "uploads")
        self.out = folder / f"out-{self.port}"
        told = {
            "DATABASE_URL": url,
            "PLUMBLINE_DATA": str(folder / "data"),
            "PLUMBLINE_SECRET_KEY": settings.SECRET_KEY,
            "PLUMBLINE_SIGNING_KEY": SIGNING_KEY,
            "PLUMBLINE_ADDRESS": f"http://127.0.0.1:{self.port}",
            "PLUMBLINE_PORT": str(self.port),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        with open(self.out, "w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--no-demo"],
                cwd=settings.BASE_DIR,
                env=inherited | told | variables,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def said(self) -> str:
        """All it printed so far."""
        return self.out.read_text()

    def wait_until_ready(self) -> list[psutil.Process]:
        """Until it says so; its processes."""
        until = time.monotonic() + 60
        while "is ready" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def start(spare_database: str, tmp_path: Path) -> Iterator[type[Started]]:
    """Start a run; whatever is left of it afterwards is killed."""
    begun: list[Started] = []

    def start(**variables: str) -> Started:
        begun.append(Started(spare_database, tmp_path, **variables))
        return begun[-1]

    yield start
    for one in begun:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(20)


def all_gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Do all of them end in time?"""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def test_a_worker_is_started_again_and_ctrl_c_leaves_no_process(start, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "logins.txt").write_text("owner  Marta Lindqvist\n")
    running = start()
    processes = running.wait_until_ready()
    assert len(processes) >= 4  # two of the web server and its master, the worker with its beat
    assert f"http://localhost:{running.port}/" in running.said()
    until = time.monotonic() + 10  # what it prints next
    while "Ctrl-C stops Plumbline" not in running.said() and time.monotonic() < until:
        time.sleep(0.05)
    assert "owner  Marta Lindqvist" in running.said()

    second = start()
    assert second.process.wait(30) == 1
    assert "already runs" in second.said()

    next(one for one in processes if "celery" in one.cmdline()).kill()
    deadline = time.monotonic() + 20
    while "is started again." not in running.said():
        assert time.monotonic() < deadline, running.said()
        time.sleep(0.2)
    assert running.process.poll() is None

    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 0
    assert all_gone(processes, 3), "the beat of the first worker too"


def test_a_killed_run_takes_its_parts_along(start):
    running = start()
    processes = running.wait_until_ready()
    running.process.kill()
    running.process.wait()
    assert all_gone(processes, 15)


def test_a_worker_that_keeps_ending_stops_the_rest(monkeypatch):
    parts = {
        "web server": SimpleNamespace(poll=lambda: None),
        "worker": SimpleNamespace(poll=lambda: 3, returncode=3),
    }
    monkeypatch.setattr(run, "begin", lambda command, told: parts["worker"])
    monkeypatch.setattr(run, "end", lambda parts: None)
    monkeypatch.setattr(run.time, "sleep", lambda seconds: None)
    said = []
    with pytest.raises(run.CommandError, match=r"The worker stopped unexpectedly \(code 3\)"):
        run.watch(parts, said.append)
    assert len(said) == run.MOST_ENDS - 1


def test_a_signal_while_an_object_is_finalized_is_not_lost(monkeypatch):
    class Finalized:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.setattr(run, "ignore_signals", lambda: None)
    monkeypatch.setattr(run, "stop_asked", threading.Event())
    monkeypatch.setattr(run.time, "sleep", lambda seconds: pytest.fail("it goes on"))
    earlier = signal.signal(signal.SIGUSR1, run.stop)
    try:
        with mock.patch("sys.unraisablehook"):
            Finalized()
        with pytest.raises(run.Stopped):
            run.watch({"worker": SimpleNamespace(poll=lambda: None)}, print)
    finally:
        signal.signal(signal.SIGUSR1, earlier)


def test_a_web_server_that_ends_by_itself_stops_the_rest(start):
    running = start()
    processes = running.wait_until_ready()
    next(one for one in processes if "gunicorn" in one.cmdline()).kill()
    assert running.process.wait(20) == 1
    assert "The web server stopped unexpectedly" in running.said()
    assert "Traceback" not in running.said()
    assert all_gone(processes, 3)


def test_a_database_that_does_not_answer_is_told_in_words(tmp_path):
    running = Started("postgresql://nobody:secret@127.0.0.1:1/none", tmp_path)
    assert running.process.wait(30) == 1
    assert "The database does not answer" in running.said()
    assert "DATABASE_URL" in running.said()
    assert "Traceback" not in running.said()
    assert "secret" not in running.said()


def test_the_parts_give_memory_back_unless_told_otherwise(monkeypatch):
    for name in run.MEMORY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    told = run.environment()
    assert {name: told[name] for name in run.MEMORY} == run.MEMORY | {"MALLOC_ARENA_MAX": "4"}


def test_what_fails_in_a_child_is_told_in_words(capfd):
    def fail():
        raise CommandError("The day is too short.")

    run.in_a_child(lambda: None)
    with pytest.raises(CommandError, match="See the last lines above"):
        run.in_a_child(fail)
    assert "The day is too short." in capfd.readouterr().err


def test_a_child_has_its_own_process(tmp_path):
    """What the demo takes of memory, 600 MB, is free again once it is there."""
    built = tmp_path / "built"
    with run.child(lambda: built.write_text(f"{os.getpid()} {os.getppid()}")) as process:
        process.join()
    child, parent = built.read_text().split()
    assert parent == str(os.getpid()) != child


class TestPreparing:
    """The first start: its page, its progress, and the time between the first people and the end of the demo."""

    @pytest.fixture(autouse=True)
    def empty(self, tmp_path, settings):
        settings.DATA_DIR = tmp_path

    def tell(self, **more) -> str:
        out = StringIO()
        preparing.begin(out, 40, "Build the demo", "Start the worker", **more)
        return out.getvalue()

    def test_progress_ends_with_the_start_or_with_its_process(self, tmp_path):
        assert preparing.read() is None
        assert self.tell().split()[:2] == ["40", "%"]
        assert preparing.read() == preparing.Progress(
            40, "Build the demo", "Start the worker", process=os.getpid()
        )
        gone = subprocess.Popen(["true"])
        gone.wait()
        told = json.loads((tmp_path / "preparing.json").read_text()) | {"process": gone.pid}
        (tmp_path / "preparing.json").write_text(json.dumps(told))
        assert preparing.read() is None
        self.tell()
        long_ago = time.time() - preparing.LONGEST - 1
        os.utime(tmp_path / "preparing.json", (long_ago, long_ago))
        assert preparing.read() is None, "another process may have the id of one that was killed"
        self.tell()
        assert preparing.read() is not None
        preparing.end()
        assert preparing.read() is None

    def test_every_address_shows_the_page_until_the_web_server_takes_over(self):
        self.tell()
        port = free_port()
        with run.listen(port) as listening:
            with run.child(lambda: preparing.serve(listening)):
                with pytest.raises(urllib.error.HTTPError) as answer:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/initiatives/", timeout=10)
                assert (answer.value.code, answer.value.headers["Retry-After"]) == (503, "2")
                page = answer.value.read().decode()
                assert 'value="40"' in page
                assert 'http-equiv="refresh"' in page
                for address in re.findall(r'(?:href|src)="(/[^"]+)"', page):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{address}", timeout=10) as file:
                        assert file.headers["Content-Type"] == preparing.FILES[address]
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                pass  # it waits for the web server and is not refused

    def test_people_sign_in_before_the_demo_is_complete(self):
        released = multiprocessing.get_context("fork").Event()

        def build() -> None:
            self.tell(people=True)
            released.wait(20)

        with run.child(build) as demo:
            assert run.people_before_the_end_of(demo)
            released.set()
            demo.join()
            assert not run.people_before_the_end_of(demo)

    @pytest.mark.parametrize("fails", [False, True])
    def test_the_worker_starts_when_the_demo_is_complete(self, monkeypatch, fails):
        """The worker would remind and mail about half a demo. A demo that fails ends the start."""
        begun: list[str] = []
        complete = multiprocessing.get_context("fork").Event()

        def build() -> None:
            self.tell(people=True)
            complete.wait(20)
            if fails:
                raise CommandError("The day is too short.")

        def begin(command: list[str], told: dict, listening: socket.socket | None = None) -> SimpleNamespace:
            begun.append(
                ("demo is complete, " if complete.is_set() else "") + command[command.index("-m") + 1]
            )
            return SimpleNamespace(poll=lambda: None)

        def stop(parts: dict, tell: object, backups: object) -> None:
            raise run.Stopped

        for name, stub in {
            "build_demo": build,
            "begin": begin,
            "end": lambda parts: None,
            "ignore_signals": lambda: None,
            "environment": dict,
            "demand_room": lambda folder: None,
            "watch": stop,
        }.items():
            monkeypatch.setattr(run, name, stub)
        monkeypatch.setattr(run.signal, "signal", lambda *given: None)
        monkeypatch.setattr(run.child_processes, "adopt_orphans", lambda: None)
        monkeypatch.setattr(run.Command, "prepare", lambda *given, **more: None)
        monkeypatch.setattr(run.Command, "wait_until_ready", lambda *given: None)
        monkeypatch.setattr(run.Command, "tell", lambda *given: complete.set())
        monkeypatch.setattr(run.settings, "PORT", free_port())
        told = pytest.raises(CommandError, match="See the last lines above") if fails else nullcontext()
        with told:
            run.Command(stdout=StringIO()).handle(no_demo=False)
        assert begun == ["gunicorn"] + ["demo is complete, celery"] * (not fails)
        assert preparing.read() is None

    @pytest.mark.django_db
    def test_pages_can_be_read_and_forms_are_refused_meanwhile(self, client):
        self.tell(people=True)
        page = client.get("/sign-in/")
        assert page.context["preparing"].percent == 40
        assert client.post("/sign-in/", {"username": "x", "password": "y"}).status_code == 200
        refused = client.post("/initiatives/register/", {"title": "x"})
        assert (refused.status_code, refused["Retry-After"]) == (503, "60")
        preparing.end()
        assert client.post("/initiatives/register/", {"title": "x"}).status_code == 302


def test_a_taken_port_is_told_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} is taken.*PLUMBLINE_PORT"), run.listen(port):
            pass


@pytest.mark.parametrize(("first", "needed"), [(True, run.FIRST_ROOM), (False, run.ROOM)])
def test_a_full_disk_is_told_in_words(tmp_path, settings, monkeypatch, first, needed):
    settings.EMBEDDED = True
    if not first:
        (tmp_path / "database" / "cluster").mkdir(parents=True)
    for free in (needed - 1, needed):
        monkeypatch.setattr(
            run.shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free * 1_000_000)
        )
        told = (
            pytest.raises(CommandError, match=f"has {free} MB left.*needs {needed} MB.*PLUMBLINE_DATA")
            if free < needed
            else nullcontext()
        )
        with told:
            run.demand_room(tmp_path)


def test_one_run_a_folder(tmp_path):
    with (
        run.only_one(tmp_path),
        pytest.raises(CommandError, match=f"already runs .*process {os.getpid()}"),
        run.only_one(tmp_path),
    ):
        pass
    with run.only_one(tmp_path):
        pass


class TestStaticFiles:
    """Collected once for a version; without a collection pages work with the files of the packages."""

    @pytest.fixture(autouse=True)
    def empty(self, tmp_path, settings):
        settings.STATIC_ROOT = tmp_path / "static"
        settings.STORAGES = settings.STORAGES | {
            "staticfiles": {"BACKEND": "governance.operations.static_files.StaticFiles"}
        }

    def test_they_are_collected_only_when_they_changed(self, settings, monkeypatch):
        calls = []
        collect = run.call_command
        monkeypatch.setattr(run, "call_command", lambda *a, **k: (calls.append(a), collect(*a, **k)))
        run.collect_static()
        run.collect_static()
        assert len(calls) == 1
        assert static_files.condition() == static_files.OK
        modes = {path.stat().st_mode & 0o777 for path in settings.STATIC_ROOT.rglob("*")}
        assert modes == {0o755, 0o644}, "another user may read them"
        assert (
            static_files.StaticFiles().url("governance/plumbline.css") != "/static/governance/plumbline.css"
        )

    @pytest.mark.parametrize("state", ["none", "of an earlier version"])
    def test_without_a_fitting_collection_names_have_no_hash(self, settings, state):
        if state != "none":
            run.collect_static()
            manifest = settings.STATIC_ROOT / static_files.StaticFiles.manifest_name
            os.utime(manifest, (1, 1))
        assert "collectstatic" in static_files.condition()
        assert (
            static_files.StaticFiles().url("governance/plumbline.css") == "/static/governance/plumbline.css"
        )
        (advice,) = static_files.check_collected(None)
        assert "collectstatic" in advice.msg


# --- Health ------------------------------------------------------------------------------------------------


def test_healthz_asks_nothing_of_the_database(client):
    answer = client.get("/healthz")  # without a database this test may not touch one
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert client.post("/healthz").status_code == 405


@pytest.fixture(autouse=True)
def _readiness_of_no_other_test() -> None:
    readiness.readiness.forget()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered_by_the_address_of_the_machine(client, path, monkeypatch):
    """A load balancer asks by address, which is in no list of hosts."""
    monkeypatch.setattr(readiness, "CHECKS", [])
    answer = client.get(path, headers={"host": "10.1.2.3:8000"})
    assert answer.status_code == 200
    assert client.get("/help/", headers={"host": "10.1.2.3:8000"}).status_code == 400


@pytest.mark.django_db
def test_readyz_says_that_all_is_well(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "version": settings.VERSION,
        "schema": versions.schema(),
        "database": "ok",
        "migrations": "ok",
        "clock": "ok",
        "folder": "ok",
        "broker": "ok",
        "static": mock.ANY,  # whether the files were collected where the tests run
        "interaction keys": "ok",
    }


@pytest.mark.django_db
def test_readyz_names_a_database_that_does_not_answer(client, monkeypatch):
    def fail(connection) -> None:
        raise DatabaseError("password of plumbline is secret")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "DATABASE_URL" in answer.json()["database"]
    assert "not known" in answer.json()["migrations"]
    assert "secret" not in answer.content.decode()


@pytest.mark.django_db
def test_readyz_counts_missing_migrations(client, monkeypatch):
    monkeypatch.setattr(readiness.MigrationExecutor, "migration_plan", lambda *a: [1, 2, 3])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "3 not applied. Run `manage.py migrate`"


@pytest.mark.django_db
def test_a_broker_that_is_away_takes_no_host_away(client, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["broker"] == "away"


def test_what_hangs_holds_nobody_up_and_is_asked_once(monkeypatch):
    """One thread hangs with it, whoever asks; the others say what they know, and it is asked anew once it is back."""
    hanging, asked = threading.Event(), []

    def hang() -> str:
        asked.append(1)
        hanging.wait(30)
        return "ok"

    monkeypatch.setattr(readiness, "PATIENCE", 0.2)
    monkeypatch.setattr(readiness, "KEPT", 0.0)
    monkeypatch.setattr(
        readiness, "CHECKS", [readiness.Check("folder", hang), readiness.Check("other", lambda: "ok")]
    )
    for _ in range(20):
        found = readiness.ready()
        assert found[0] is False
        assert "does not answer within" in found[1]["folder"]
        assert found[1]["other"] == "ok"
    assert len(asked) == 1
    hanging.set()
    until = time.monotonic() + 5
    while not readiness.ready()[0] and time.monotonic() < until:
        pass
    assert readiness.ready()[0]


def test_what_was_found_is_kept_for_two_seconds(monkeypatch):
    asked = []
    monkeypatch.setattr(readiness, "CHECKS", [readiness.Check("it", lambda: asked.append(1) or "ok")])
    assert all(readiness.ready()[0] for _ in range(50))
    assert len(asked) == 1
    monkeypatch.setattr(readiness, "KEPT", 0.0)
    readiness.ready()
    assert len(asked) == 2
    assert readiness.Readiness().conditions() == {"it": "ok"}


def test_a_check_that_breaks_is_not_ready(monkeypatch):
    monkeypatch.setattr(readiness, "CHECKS", [readiness.Check("it", lambda: 1 / 0)])
    assert readiness.ready() == (False, {"it": "unknown. See the log of Plumbline"})


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "amqp://guest:secret@127.0.0.1:1//"])
def test_a_broker_that_does_not_answer_is_named_soon(settings, address):
    settings.CELERY_BROKER_URL = address
    assert "CELERY_BROKER_URL" in readiness.broker()


@pytest.mark.django_db
def test_a_queue_folder_that_is_gone_is_named(settings, tmp_path):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "gone")}
    assert "PLUMBLINE_DATA" in readiness.broker()


def test_the_template_database_is_there(spare_database):
    with psycopg.connect(spare_database) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM django_migrations").fetchone() == (True,)
