"""The next version and back under load: `python -m tests.drills.operations.upgrade [--minutes M] [--rate R] ...`.

Two hosts serve as in the drill of two hosts. After a third of the time they get the next version by the steps of
docs/operate/upgrade.md: migrate while the old version serves, then one host after the other is drained and started
anew, then the workers, then the beat. After two thirds they go back by the same steps, without a migration. The next
version is this one with a higher number and one more column of the evidence. No request may fail, no one may wait two
seconds for a lock, and each acknowledged write must be in the database exactly once.

A change in deploy, docs/operate/upgrade.md or governance/runtime asks for it.
"""

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg

from tests.drills.operations import load, servers, two_hosts
from tests.drills.operations.balancer import Balancer
from tests.drills.operations.servers import Database, Host
from tests.support.paths import ROOT

LONGEST_WAIT = 2.0  # seconds
FIELD = '    note = models.TextField(blank=True, default="")\n    details'
NEW_FIELD = FIELD.replace(
    "    details", '    remark = models.TextField(blank=True, db_default="")\n    details'
)


class Waits:
    """The longest wait for a lock of each kind in a database, looked up ten times a second."""

    def __init__(self, database: Database):
        self.longest: dict[str, tuple[float, float, str]] = {}  # seconds, when it was seen, the statement
        self.began = time.monotonic()
        self._url, self._ended = database.url("owner"), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        asked = (
            "SELECT locktype, extract(epoch FROM clock_timestamp() - waitstart)::float8, left(query, 80)"
            " FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype <> 'advisory' AND waitstart IS NOT NULL"
        )
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._ended.wait(0.1):
                for kind, seconds, of in connection.execute(asked):
                    if seconds > self.longest.get(kind, (0,))[0]:
                        self.longest[kind] = seconds, time.monotonic() - self.began, of

    def told(self) -> list[str]:
        """Print the longest wait of each kind; what of them is wrong."""
        self._ended.set()
        self._thread.join()
        for kind, (seconds, at, of) in sorted(self.longest.items()):
            print(f"longest wait for a lock ({kind}): {seconds:.2f} s, {at:.0f} s after the start: {of}")
        return [
            f"a wait of {seconds:.1f} s for a lock ({kind})"
            for kind, (seconds, *_) in self.longest.items()
            if seconds > LONGEST_WAIT
        ]


def next_version(folder: Path) -> Path:
    """Return the folder of the next version: a copy of the project with one more column and its migration."""
    code = folder / "next"
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", ".static", ".data")
    shutil.copytree(ROOT, code, ignore=ignored)
    (code / ".venv").symlink_to(ROOT / ".venv")
    project = code / "pyproject.toml"
    text, count = re.subn(r'(?m)^version = ".*"$', 'version = "1.0.1"', project.read_text(), count=1)
    project.write_text(text)
    models = code / "initiatives" / "models" / "evidence.py"
    text = models.read_text()
    models.write_text(text.replace(FIELD, NEW_FIELD, 1))
    if count != 1 or FIELD not in text:
        raise SystemExit("The next version cannot be made: pyproject.toml or the evidence looks different.")
    return code


def made(host: Host, database: Database, code: Path) -> None:
    """Write the migration of the next version and what it installs, and collect its static files."""
    with contextlib.ExitStack() as after:
        before, host.code = host.code, code
        after.callback(setattr, host, "code", before)
        by = {"DATABASE_URL": database.url("owner")}
        for command in (
            ["makemigrations", "initiatives", "--name", "add_remark"],
            ["collectstatic", "--no-input"],
        ):
            done = host.manage(*command, **by)
            if done.returncode:
                raise SystemExit(f"{command[0]} of the next version: {done.stderr[-600:]}")
        guards = [sys.executable, "-m", "tests.support.commands.write_guards"]
        subprocess.run(guards, cwd=code, env=servers.plain(), check=True)


class Steps(threading.Thread):
    """The steps of docs/operate/upgrade.md at a third of the time, and back at two thirds."""

    def __init__(self, found: two_hosts.Installation, balancer: Balancer, code: Path, seconds: float):
        super().__init__(name="upgrade", daemon=True)
        self.hosts, self.database, self.balancer = found.hosts, found.database, balancer
        self.code, self.seconds, self.trouble = code, seconds, ""
        self.began = time.monotonic()

    def run(self) -> None:
        """Go to the next version and back."""
        try:
            time.sleep(self.seconds / 3)
            self._migrate()
            self._exchange(self.code)
            time.sleep(max(0, self.began + self.seconds * 2 / 3 - time.monotonic()))
            self._exchange(ROOT)
        except (SystemExit, OSError) as trouble:
            self.trouble = str(trouble)

    def _told(self, words: str) -> None:
        print(f"{time.monotonic() - self.began:>6.0f} s  {words}", flush=True)

    def _migrate(self) -> None:
        first = self.hosts[0]
        before, first.code = first.code, self.code
        try:
            servers.prepare(first, self.database)
        finally:
            first.code = before
        self._told("migrated")

    def _exchange(self, code: Path) -> None:
        for host in reversed(self.hosts):
            self.balancer.drain(host)
            self._anew(host, "web", code)
            one = Balancer([host])
            servers.wait_until(f"host {host.name}", lambda one=one: two_hosts.ready(one))
            self.balancer.take_back(host)
        for host in self.hosts:
            self._anew(host, "worker", code, PLUMBLINE_SEALER_URL=self.database.url("sealer"))
        self._anew(self.hosts[0], "beat", code)
        self._told(f"both hosts run the version {host_version(code)}")

    def _anew(self, host: Host, kind: str, code: Path, **more: str) -> None:
        host.parts[f"{kind} of {host.name}"].stop()
        host.code = code
        host.start(kind, **more)


def host_version(code: Path) -> str:
    """Return the version in a folder."""
    return re.search(r'(?m)^version = "(.*)"$', (code / "pyproject.toml").read_text())[1]


def main(asked: argparse.Namespace) -> int:
    """Set up, send, go there and back, compare; how many things were wrong."""
    try:
        with two_hosts.installed(asked) as found:
            code = next_version(found.root)
            made(found.hosts[0], found.database, code)
            two_hosts.started(found.hosts, found.database)
            sending = load.Load(found.hosts, found.world, asked, found.root / "journal")
            waits = Waits(found.database)
            steps = Steps(found, sending.balancer, code, asked.minutes * 60)
            steps.start()
            wrong = sending.told(sending.run({}))
            steps.join()
            errors = sum(sending.balancer.seen.errors.values())
            wrong += [*waits.told(), steps.trouble, f"{errors} errors" if errors else ""]
            wrong += two_hosts.ended_by_themselves(found.parts)
            found.hosts[0].code = code  # the version that made the migration verifies
            wrong += two_hosts.ended(found, sending.sent)
    except servers.Missing as missing:
        print(f"skipped: {missing} is not on this machine")
        return 0
    wrong = [what for what in wrong if what]
    print(f"wrong: {'; '.join(wrong) or 'nothing'}")
    return len(wrong)


if __name__ == "__main__":
    asked = two_hosts.options()
    asked.set_defaults(minutes=6, every=0)
    sys.exit(min(main(asked.parse_args()), 1))
