"""`manage.py run`: start the database, web server and worker, and stop them again."""

import contextlib
import fcntl
import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType
from typing import Any, cast

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from governance import clock
from governance.database import database_roles
from governance.identity.factors import second_step
from governance.operations import heartbeats, preparing, static_files
from governance.runtime import child_processes
from governance.runtime.secret_files import KEPT_SIGNING_KEY
from governance.sign_in import first_admin
from governance.storage import backup, backup_schedule, data_folder
from governance.transparency_log import signing_keys

STOP_SECONDS = 7  # how long a part may take to end by itself; the worker finishes its task and takes about 5
READY_SECONDS = 60
TOLD_ASIDE = ("ready", "version", "schema")  # what /readyz shows beside the conditions
OLDEST_POSTGRESQL = 15
ROOM, FIRST_ROOM = 50, 400  # free megabytes that a start needs; the database of the demo takes about 200
MOST_ENDS, ENDS_SECONDS = 5, 60  # a worker that ends five times in a minute is not started again
FIRST_BACKUP, BACKUP_EVERY = timedelta(hours=2), timedelta(days=1)  # a start is not slower for a backup


class Stopped(Exception):
    """Somebody pressed Ctrl-C or asked this process to end."""


# Python ignores an exception that a signal raises while an object is finalized. This mark is not lost.
stop_asked = threading.Event()


class Command(BaseCommand):
    """`manage.py run`, which is what `make run` calls."""

    help = "Start the database, the web server and the worker. Ctrl-C stops them all."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Options beside the environment's."""
        parser.add_argument("--no-demo", action="store_true", help="start without the demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, tell, wait, stop. Raises CommandError (exit code 1) when a part fails."""
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, stop)
        child_processes.adopt_orphans()
        with contextlib.ExitStack() as running:
            # Whatever happens from here on, the stack is unwound, and no second signal interrupts that.
            running.callback(ignore_signals)
            try:
                running.enter_context(only_one(settings.DATA_DIR))
                demand_room(settings.DATA_DIR)
                listening = running.enter_context(listen(settings.PORT))
                preparing.end()  # of a run that was killed
                running.callback(preparing.end)
                parts: dict[str, subprocess.Popen[bytes]] = {}
                wanted = not options["no_demo"] and "demo" in get_commands()
                with child(lambda: preparing.serve(listening)):
                    self.prepare(running, demo=wanted)
                    demo = running.enter_context(child(build_demo)) if wanted else None
                    running.callback(end, parts)
                    building = demo is not None and people_before_the_end_of(demo)
                    if not building:
                        preparing.begin(self.stdout, 99, "Start the web server and the worker", "Sign in")
                parts["web server"] = begin(commands(listening)["web server"], environment(), listening)
                self.wait_until_ready(parts)
                if demo is not None and building:
                    self.tell()
                    self.stdout.write(
                        "You can sign in now. You can read pages, but not save forms, until the demo is complete."
                    )
                    while demo.is_alive():
                        demo.join(0.3)
                        fail_if_ended(parts)
                    demand_success(demo)
                parts["worker"] = begin(commands()["worker"], environment())
                preparing.end()
                if not building:
                    self.tell()
                self.stdout.write("Ctrl-C stops Plumbline.\n")
                self.stdout.flush()
                backups = DailyBackups(clock.now()) if settings.EMBEDDED else None
                if backups is not None:
                    running.callback(lambda: end(backups.parts))
                watch(parts, self.stdout.write, backups)
            except Stopped:
                self.stdout.write("Stopping ...")
        self.stdout.write("Stopped.")

    def prepare(self, running: contextlib.ExitStack, *, demo: bool) -> None:
        """Prepare the database and static files. `demo` is True if the demo is built afterwards."""
        preparing.begin(self.stdout, 0, "Start the database", "Create or change the tables")
        if settings.EMBEDDED:
            running.callback(settings.EMBEDDED_DATABASE.stop)
            settings.EMBEDDED_DATABASE.start(tied=True)
        try:
            connection.ensure_connection()
        except OperationalError as trouble:
            raise CommandError(
                f"The database does not answer ({str(trouble).strip().splitlines()[-1]}). Check that the "
                "database runs and that DATABASE_URL is right."
            ) from None
        version = cast(DatabaseWrapper, connection).pg_version
        if version < OLDEST_POSTGRESQL * 10_000:
            raise CommandError(
                f"The database is PostgreSQL {version // 10_000}. Set DATABASE_URL to a database of version "
                f"{OLDEST_POSTGRESQL} or newer."
            )
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            following = "Create the people of the demo" if demo else "Start the web server and the worker"
            preparing.begin(self.stdout, 3, "Create or change the tables", following)
            in_a_child(migrate)
        data_folder.take_first(tell=self.stdout.write)
        if why := data_folder.wrong():
            raise CommandError(f"Plumbline does not start: {why}")
        database_roles.grant(connection)
        collect_static()
        connection.close()

    def wait_until_ready(self, parts: dict[str, subprocess.Popen[bytes]]) -> None:
        """Wait until /readyz reports ready. Raises CommandError with its words when the time is over."""
        last = "the web server does not answer"
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            fail_if_ended(parts)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{settings.PORT}/readyz", timeout=5):
                    return
            except urllib.error.HTTPError as answer:
                with contextlib.suppress(ValueError):
                    state = json.load(answer)
                    last = "; ".join(
                        f"{k}: {v}" for k, v in state.items() if k not in TOLD_ASIDE and v != "ok"
                    )
            except OSError:
                pass
            time.sleep(0.1)
        raise CommandError(f"Plumbline is not ready after {READY_SECONDS} seconds: {last}.")

    def tell(self) -> None:
        """Print the address, and who can sign in."""
        lost, logins = second_step.lost_in_words(), settings.DATA_DIR / "logins.txt"
        self.stdout.write(f"\nPlumbline is ready: http://localhost:{settings.PORT}/\n")
        if lost:
            self.stdout.write(f"{lost}\n")
        if logins.exists():
            self.stdout.write(logins.read_text().rstrip() + "\n")
        if first_admin.missing():
            self.stdout.write(
                "Plumbline has no admin yet. Make the first admin with this link. The link works for a "
                f"day, or until an admin exists.\n{first_admin.link()}\n"
            )
        connection.close()
        self.stdout.flush()


def migrate() -> None:
    """Bring the database up to date. Raises CommandError."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as trouble:
        raise CommandError(
            f"The migrations fail ({str(trouble).strip().splitlines()[0]}). Check that the user in DATABASE_URL "
            "owns the database. Run `manage.py migrate --traceback` to see the place of the fault."
        ) from trouble


def build_demo() -> None:
    """Build the demo, unless people exist already."""
    logging.disable(logging.INFO)  # the terminal shows the steps
    call_command("demo", keep=True)


@contextlib.contextmanager
def child(act: Callable[[], None]) -> Iterator[ForkProcess]:
    """Run `act` in a child of this process, so that its memory is free again. The child ends with the block."""

    def run() -> None:
        as_a_part()
        try:
            act()
        except CommandError as trouble:
            sys.exit(str(trouble))

    connection.close()  # the child has its own
    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join()


def in_a_child(act: Callable[[], None]) -> None:
    """Run `act` in a child and wait. Raises CommandError if it fails."""
    with child(act) as process:
        process.join()
        demand_success(process)


def demand_success(process: ForkProcess) -> None:
    """Raise CommandError if the child failed."""
    if process.exitcode:
        raise CommandError("The command failed. See the last lines above.")


def people_before_the_end_of(demo: ForkProcess) -> bool:
    """Wait until people of the demo can sign in (True), or the demo is complete (False). Raises CommandError."""
    while demo.is_alive():
        found = preparing.read()
        if found is not None and found.people:
            return True
        demo.join(0.1)
    demand_success(demo)
    return False


def stop(number: int, frame: FrameType | None) -> None:
    """Ask for an orderly end at the first signal, at any moment, even in the demo."""
    ignore_signals()
    stop_asked.set()
    raise Stopped


def ignore_signals() -> None:
    """Ignore further signals, because the end has begun."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this run. Raises CommandError when another run holds it."""
    with open(folder / "run.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
                f"Plumbline already runs from {folder} (process {lock.read().strip() or 'unknown'}). Stop "
                "that process, or set PLUMBLINE_DATA to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def demand_room(folder: Path) -> None:
    """Raise CommandError if the disk of the data folder has too little room for this start."""
    first = settings.EMBEDDED and not (folder / "database" / "cluster").exists()
    needed, free = FIRST_ROOM if first else ROOM, shutil.disk_usage(folder).free // 1_000_000
    if free < needed:
        raise CommandError(
            f"The disk of {folder} has {free} MB left, and this start needs {needed} MB. Free disk space, or "
            "set PLUMBLINE_DATA to a folder on another disk."
        )


@contextlib.contextmanager
def listen(port: int) -> Iterator[socket.socket]:
    """Listen at the port of this machine. Raises CommandError if the port is taken or reserved for the system."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(128)
        except PermissionError:
            raise CommandError(
                f"Port {port} is reserved for the system. Set PLUMBLINE_PORT to a number above 1023."
            ) from None
        except OSError:
            raise CommandError(
                f"Port {port} is taken by another program. Stop that program, or set PLUMBLINE_PORT to "
                "another number."
            ) from None
        yield listening


def collect_static() -> None:
    """Collect style sheets and scripts, if they changed since the last time. One process at a time does it."""
    target = Path(settings.STATIC_ROOT)
    with contextlib.suppress(OSError):  # an installation that others own: pages use the files of the packages
        target.mkdir(exist_ok=True)
        with open(target / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if static_files.condition() != static_files.OK:
                call_command("collectstatic", interactive=False, verbosity=0)


# After so many requests a web process gives way to a fresh one, each at its own moment: what libraries hold on to, and
# gaps that the allocator cannot give back, have an end however long the server runs.
REQUESTS = 4000


def commands(listening: socket.socket | None = None) -> dict[str, list[str]]:
    """Return the parts, by the name they have in messages. The web server uses the socket, if it is given."""
    bind = f"127.0.0.1:{settings.PORT}" if listening is None else f"fd://{listening.fileno()}"
    return {
        "web server": [
            *(sys.executable, "-m", "gunicorn", "governance.wsgi", "--bind", bind),
            *("--workers", "2", "--threads", "4", "--graceful-timeout", "3"),
            *("--max-requests", str(REQUESTS), "--max-requests-jitter", str(REQUESTS // 5)),
            *("--log-level", "warning", "--no-control-socket"),
        ],
        "worker": [
            # Celery warns root that a pickled task could do anything; ours are JSON, and it accepts nothing else.
            *(sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "--quiet"),
            *(
                "--app",
                "governance",
                "worker",
                "--loglevel",
                "WARNING",
                "--pool",
                "threads",
                "--concurrency",
                "4",
            ),
            *("--beat", "--without-gossip", "--without-mingle"),
        ],
    }


# For glibc. Left to itself it keeps a heap for each thread and ever larger blocks in them, and a process that answers
# from several threads grows for hours though it holds no more objects than before
# (measured by tests/drills/company/memory.py).
MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


def environment() -> dict[str, str]:
    """Return the environment of the parts. The embedded database gives them the role without audit log rights."""
    told = (
        MEMORY
        | dict(os.environ)
        | {
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "PLUMBLINE_DATA": str(settings.DATA_DIR),
            "PLUMBLINE_SECRET_KEY": settings.SECRET_KEY,
            "PLUMBLINE_ADDRESS": settings.ADDRESS,
            "PYTHONUNBUFFERED": "1",
        }
    )
    told.pop("PLUMBLINE_SECRET_KEY_FILE", None)  # the key itself is told
    if settings.SIGNING_KEY is None:
        signing_keys.signing_key()  # makes it, where it is not there yet
        told["PLUMBLINE_SIGNING_KEY_FILE"] = str(settings.DATA_DIR / KEPT_SIGNING_KEY)
    if settings.EMBEDDED:
        told["DATABASE_URL"] = settings.EMBEDDED_DATABASE.url(database_roles.APPLICATION)
        told["PLUMBLINE_SEALER_URL"] = settings.EMBEDDED_DATABASE.url(database_roles.SEALER)
    return told


def as_a_part() -> None:
    """End this child with its parent, even if that is killed (Linux). Signals work as in any program."""
    child_processes.tie(signal.SIGTERM)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)


def begin(
    command: list[str],
    told: dict[str, str],
    listening: socket.socket | None = None,
    *,
    quiet: bool = False,
) -> subprocess.Popen[bytes]:
    """Start one part in a separate process group, with the socket if it is given. `quiet`: only errors are shown."""
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=told,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
        pass_fds=[] if listening is None else [listening.fileno()],
        preexec_fn=as_a_part,
    )


def end(parts: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask all parts to end, wait, then kill the rest of their process groups."""
    for process in parts.values():
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for process in parts.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with contextlib.suppress(ChildProcessError):  # the orphans among them, which are ours now
            while True:
                os.waitpid(-process.pid, 0)


def fail_if_ended(parts: dict[str, subprocess.Popen[bytes]]) -> None:
    """Raise CommandError when a part has ended unasked."""
    for name, process in parts.items():
        if process.poll() is not None:
            raise CommandError(
                f"The {name} stopped unexpectedly (code {process.returncode}). See the last lines above."
            )


class DailyBackups:
    """One backup of the embedded database a day, which is then restored elsewhere and verified.

    The commands that timers start on servers do the work, one after the other, and record it for *Status*. A failed
    backup is not verified. The next attempt is a day later.
    """

    def __init__(self, started: datetime) -> None:
        self.folder = settings.BACKUPS or settings.DATA_DIR / "backups"
        self.key = settings.DATA_DIR / "backup-key.txt"
        newest = next(iter(backup_schedule.all_in(self.folder).values()), None)
        self.due = started + FIRST_BACKUP
        if newest is not None:
            self.due = max(self.due, newest + BACKUP_EVERY)
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.waiting: list[list[str]] = []
        self.told: dict[str, str] = {}

    def tend(self, now: datetime) -> None:
        """Begin the next command if it is due. Raises BackupTrouble or OSError if the key cannot be used."""
        if self.parts:
            code = self.parts["backup"].poll()
            if code is None:
                return
            end(self.parts)  # what it left in its process group
            self.parts.clear()
            if code:
                self.waiting.clear()
        if now >= self.due:
            self.due = now + BACKUP_EVERY
            self.told = self.environment()
            self.waiting = [["backup"], ["restore_check", "--newest", "--key", str(self.key)]]
            if settings.BACKUP_KEY and not self.key.exists():
                del self.waiting[1]  # only another host can decrypt the backup
        if self.waiting:
            command = [sys.executable, "manage.py", *self.waiting.pop(0)]
            self.parts["backup"] = begin(command, self.told, quiet=True)

    def environment(self) -> dict[str, str]:
        """Return the environment of the commands, which work as the owner of the embedded database."""
        told = environment()
        for name in ("DATABASE_URL", "PLUMBLINE_SEALER_URL"):
            del told[name]
        public = settings.BACKUP_KEY or backup_schedule.public_key(self.key)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return told | {"PLUMBLINE_BACKUPS": str(self.folder), "PLUMBLINE_BACKUP_KEY": public}


def watch(
    parts: dict[str, subprocess.Popen[bytes]],
    tell: Callable[[str], object],
    backups: DailyBackups | None = None,
) -> None:
    """Wait until someone stops the command, start a worker again that ended by itself, and have backups made.

    Raises CommandError if the web server ends, or the worker ends too often.
    """
    ends: list[float] = []
    while not stop_asked.is_set():
        if (code := parts["worker"].poll()) is not None:
            ends = [moment for moment in ends if moment > time.monotonic() - ENDS_SECONDS] + [
                time.monotonic()
            ]
            if len(ends) < MOST_ENDS:
                tell(f"The worker stopped unexpectedly (code {code}) and is started again.")
                end({"worker": parts["worker"]})  # its beat, which would tick beside that of the next worker
                parts["worker"] = begin(commands()["worker"], environment())
                continue
        fail_if_ended(parts)
        if backups is not None:
            try:
                backups.tend(clock.now())
            except (backup.BackupTrouble, OSError) as trouble:
                tell(f"No backup was made: {trouble}")
                heartbeats.failed(heartbeats.BACKUP, trouble)
                connection.close()
        time.sleep(0.3)
    raise Stopped
