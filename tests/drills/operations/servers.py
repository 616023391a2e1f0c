"""The servers of an installation on several machines, each started as its unit or container says and started anew
when it ends.

A host is a data folder of its own, and a mount and a host name of its own where this process may make them: then the
folders of the other hosts are not there for its processes. All listen on 127.0.0.1.
"""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from governance.storage import embedded_postgres
from tests.support.paths import ROOT

BIN = Path(sys.executable).parent
UNITS = "/srv/plumbline/app/.venv/bin"  # the programs in the units of deploy/
ADDRESS = "https://plumbline.example.org"  # as deploy/plumbline.env says
BUCKET = "plumbline"
PATIENCE = 300  # seconds until a server answers
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in PATH gives up root and its own settings
KEPT = ("HOME", "LANG")
# Only its own folder of those in hosts/, and its own name, which Celery tells workers apart by.
APART = 'hostname "$1" && for other in $2; do mount -t tmpfs -o size=1m hidden "$other"; done && shift 2 && exec "$@"'


class Missing(Exception):
    """A server that is not on this machine. The text names it."""


def free_port() -> int:
    """A port of this machine that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def plain() -> dict[str, str]:
    """The environment that each server begins with."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"PATH": f"{BIN}:{os.environ['PATH']}"}


class Part:
    """One process group that is started anew, some seconds after it ended, until it is stopped."""

    def __init__(
        self,
        name: str,
        command: list[str],
        told: dict[str, str],
        log: Path,
        *,
        restart: float = 2,
        user=None,
        code: Path = ROOT,
    ):
        self.name, self.command, self.told, self.log, self.restart = name, command, told, log, restart
        self.code = code
        self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        self.ended: list[float] = []  # moments at which it ended without being told to
        self._killed = False
        self._stopped, self._lock = threading.Event(), threading.Lock()
        self._begin()
        self._watcher = threading.Thread(target=self._watch, name=name, daemon=True)
        self._watcher.start()

    def _begin(self) -> None:
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                self.command, env=self.told, cwd=self.code, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.user,
            )  # fmt: skip

    def _watch(self) -> None:
        while True:
            self._process.wait()
            if self._stopped.is_set():
                return
            if not self._killed:
                self.ended.append(time.time())
            self._killed = False
            self._signal(signal.SIGKILL)  # what is left of the group, as systemd does
            if self._stopped.wait(self.restart):
                return
            with self._lock:
                if self._stopped.is_set():
                    return
                self._begin()

    def kill(self) -> None:
        """End every process of the group at once, without a word."""
        self._killed = self._process.poll() is None
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the group for good: first asked, then killed."""
        with self._lock:
            self._stopped.set()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._watcher.join()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _kept(running: ExitStack, part: Part) -> Part:
    """Have a part stopped at the end, however the drill ends."""
    running.callback(part.stop)
    return part


def answers(port: int) -> Callable[[], bool]:
    """Whether something takes connections on a port."""

    def asked() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    return asked


def wait_until(what: str, true: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Return after how many seconds it was true. Ends the drill if that takes too long."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > patience:
            raise SystemExit(f"{what}: not within {patience:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - began


# --- What the hosts use -----------------------------------------------------------------------------------------------


@dataclass
class Database:
    """A server of PostgreSQL with the three logins of an installation."""

    port: int
    version: str
    words: dict[str, str]
    part: Part

    def url(self, login: str) -> str:
        """The address of the database for one of the logins."""
        return f"postgresql://plumbline_{login}:{self.words[login]}@127.0.0.1:{self.port}/plumbline"


def postgres(root: Path, which: str, running: ExitStack) -> Database:
    """A new cluster: by the programs of this machine in that version, or by those of the embedded PostgreSQL."""
    programs = (
        embedded_postgres.programs() if which == "embedded" else Path("/usr/lib/postgresql") / which / "bin"
    )
    if not (programs / "postgres").exists():
        raise Missing(f"PostgreSQL {which}")
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    folder, port = root / "database", free_port()
    told = {"PATH": f"{programs}:{os.defpath}", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    words = {login: secrets.token_hex(16) for login in ("owner", "app", "sealer")}
    (root / "secrets").mkdir(mode=0o700)
    for login, word in words.items():
        (root / "secrets" / f"{login}_password").write_text(word)
    folder.mkdir(mode=0o700)
    first = folder / "first-password"
    first.write_text(words["owner"])
    if user:
        for path in (folder, first):
            os.chown(path, user.pw_uid, user.pw_gid)
    cluster = folder / "cluster"
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    subprocess.run(
        [programs / "initdb", f"--pgdata={cluster}", "--username=plumbline_owner", f"--pwfile={first}",
         "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"],
        env=told, cwd="/", check=True, capture_output=True, **as_user,
    )  # fmt: skip
    first.unlink()
    command = [str(programs / "postgres"), "-D", str(cluster), "-c", f"port={port}"]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    part = _kept(running, Part("database", command, told, root / "logs" / "database", user=user))
    database = Database(port, _of(programs / "postgres"), words, part)
    wait_until("the database", answers(port))
    _logins(database, told, root)
    return database


def _of(program: Path) -> str:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return re.sub(r"postgres \(PostgreSQL\) ", "PostgreSQL ", told).split(" (")[0].strip()


def _logins(database: Database, told: dict[str, str], root: Path) -> None:
    """Run deploy/logins.sh as the image of PostgreSQL does, in a new database."""
    by = told | {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(database.port),
        "PGPASSWORD": database.words["owner"],
        "POSTGRES_USER": "plumbline_owner",
        "POSTGRES_DB": "plumbline",
    }
    made = ["psql", "-qd", "postgres", "-U", by["POSTGRES_USER"], "-c", "CREATE DATABASE plumbline"]
    wait_until("a new database", lambda: not subprocess.run(made, env=by, capture_output=True).returncode)
    script = (ROOT / "deploy" / "logins.sh").read_text().replace("/run/secrets", str(root / "secrets"))
    subprocess.run(["sh", "-c", script], env=by, check=True, stdout=subprocess.DEVNULL)


def broker(root: Path, which: str, running: ExitStack) -> tuple[str, Part]:
    """Redis as deploy/compose.yaml has it, or RabbitMQ; its address, and its process group."""
    folder, port = root / "broker", free_port()
    folder.mkdir()
    if which == "redis":
        if shutil.which("redis-server") is None:
            raise Missing("Redis")
        command = ["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        command += ["--port", str(port), "--dir", str(folder)]
        address, told = f"redis://127.0.0.1:{port}/0", plain()
    else:
        if not RABBITMQ.exists():
            raise Missing("RabbitMQ")
        command, between, names = [str(RABBITMQ)], free_port(), free_port()
        address = f"amqp://guest:guest@127.0.0.1:{port}//"
        told = plain() | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"drill{port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(between),
            "RABBITMQ_MNESIA_BASE": str(folder),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(names),
        }
        (folder / "plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{port}\n")
        # The register of nodes: RabbitMQ would start one that outlives it.
        register = ["epmd", "-port", str(names), "-address", "127.0.0.1"]
        _kept(running, Part("names", register, plain(), root / "logs" / "names"))
        wait_until("the register of nodes", answers(names))
    part = _kept(running, Part("broker", command, told, root / "logs" / "broker"))
    wait_until("the broker", answers(port))
    return address, part


def store(root: Path, which: str, running: ExitStack) -> dict[str, str]:
    """The settings of the store of evidence, which is started. A folder needs none: `Host` has it."""
    if which == "folder":
        return {}
    program = BIN / "moto_server"
    if not program.exists():
        raise Missing("moto_server")
    import boto3

    port = free_port()
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    _kept(running, Part("store", command, plain(), root / "logs" / "store"))
    wait_until("the store", answers(port))
    given = {
        "PLUMBLINE_STORE": f"s3://{BUCKET}/evidence",
        "PLUMBLINE_STORE_ENDPOINT": f"http://127.0.0.1:{port}",
        "PLUMBLINE_STORE_REGION": "eu-central-1",
        "PLUMBLINE_STORE_KEY_ID": "drill",
        "PLUMBLINE_STORE_SECRET": secrets.token_hex(16),
    }
    client = boto3.client(
        "s3",
        endpoint_url=given["PLUMBLINE_STORE_ENDPOINT"],
        region_name=given["PLUMBLINE_STORE_REGION"],
        aws_access_key_id=given["PLUMBLINE_STORE_KEY_ID"],
        aws_secret_access_key=given["PLUMBLINE_STORE_SECRET"],
    )
    client.create_bucket(
        Bucket=BUCKET,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": given["PLUMBLINE_STORE_REGION"]},
    )
    return given


# --- Hosts ------------------------------------------------------------------------------------------------------------


@cache
def may_be_apart() -> bool:
    """Whether this process may give others mounts and a host name of their own."""
    made = ["unshare", "--mount", "--uts", "sh", "-c", "mount -t tmpfs none /mnt && hostname drill"]
    try:
        return not subprocess.run(made, capture_output=True).returncode
    except FileNotFoundError:
        return False


def unit(name: str) -> tuple[list[str], float]:
    """The command of a unit of deploy/, with the programs of this project, and the seconds until it starts anew."""
    text = (ROOT / "deploy" / f"plumbline-{name}.service").read_text()
    command = re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)[1]
    return command.replace(UNITS, str(BIN)).split(), float(
        re.search(r"^RestartSec=(\d+)$", text, re.MULTILINE)[1]
    )


def settings_of_units() -> dict[str, str]:
    """The settings of deploy/plumbline.env, those that an operator replaces among them."""
    lines = (ROOT / "deploy" / "plumbline.env").read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: value.strip('"') for name, value in pairs}


@dataclass
class Host:
    """One machine: its settings, its folders, its port, and its process groups by name."""

    name: str
    root: Path
    common: dict[str, str]
    shared: Path | None = None  # the folder of files, where it is one
    code: Path = ROOT  # the folder of the version that it starts
    port: int = field(default_factory=free_port)
    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make its folders: the data folder for itself, the files shared or for itself."""
        self.data.mkdir(parents=True)
        if self.shared:
            self.shared.mkdir(exist_ok=True, mode=0o700)
            (self.data / "uploads").symlink_to(self.shared)

    @property
    def folder(self) -> Path:
        """Everything that is on this machine alone."""
        return self.root / "hosts" / self.name

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def told(self) -> dict[str, str]:
        """The environment of its processes."""
        own = {
            "PLUMBLINE_DATA": str(self.data),
            "PLUMBLINE_INTERACTION_KEYS": str(self.folder / "interaction-keys"),
        }
        return plain() | self.common | own

    def waiting(self) -> int:
        """Bytes of decisions and interactions that wait in its files."""
        found = [*(self.data / "decisions").glob("*"), *(self.data / "interactions" / "waiting").glob("*")]
        size = 0
        for path in found:
            with contextlib.suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    def start(self, kind: str, **more: str) -> None:
        """Start web, worker or beat as its unit does, where the folders of other hosts are not."""
        command, restart = unit(kind)
        command = [f"127.0.0.1:{self.port}" if word.startswith("127.0.0.1:") else word for word in command]
        if may_be_apart():
            others = [str(path) for path in self.folder.parent.iterdir() if path != self.folder]
            command = [
                "unshare",
                "--mount",
                "--uts",
                "sh",
                "-c",
                APART,
                "sh",
                self.name,
                " ".join(others),
                *command,
            ]
        name = f"{kind} of {self.name}"
        log = self.root / "logs" / name.replace(" ", "-")
        self.parts[name] = Part(name, command, self.told | more, log, restart=restart, code=self.code)

    def manage(self, *command: str, **more: str) -> subprocess.CompletedProcess:
        """Run a command of manage.py on this host; what it said, and its exit code."""
        return subprocess.run(
            [BIN / "python", "manage.py", *command],
            env=self.told | more,
            cwd=self.code,
            capture_output=True,
            text=True,
        )


def common_settings(database: Database, broker_url: str, kept_files: dict[str, str]) -> dict[str, str]:
    """The settings that are the same on every host: those of deploy/plumbline.env, filled in."""
    given = settings_of_units()
    arguments = re.sub(r"--workers \d+", "--workers 2", given["GUNICORN_CMD_ARGS"])
    return given | kept_files | {
        "DATABASE_URL": database.url("app"),
        "CELERY_BROKER_URL": broker_url,
        "PLUMBLINE_SECRET_KEY": secrets.token_urlsafe(48),
        "PLUMBLINE_SIGNING_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "PLUMBLINE_ADDRESS": ADDRESS,
        "EMAIL_URL": "dummymail://",
        "GUNICORN_CMD_ARGS": arguments,
    }  # fmt: skip


def prepare(host: Host, database: Database) -> None:
    """Run `deploy/start prepare` on a host, by the owner of the tables."""
    told = host.told | {"DATABASE_URL": database.url("owner")}
    done = subprocess.run(
        ["sh", "deploy/start", "prepare"], env=told, cwd=host.code, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"deploy/start prepare failed: {done.stderr.strip()[-600:]}")
