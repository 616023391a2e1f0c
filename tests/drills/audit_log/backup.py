"""How long a backup takes while people write, and a restore of it: `python -m tests.drills.audit_log.backup [ENTRIES]`.

On the demo, with so many entries more. It is restored into an empty data folder, and into a database of a server by an
owner who is no superuser; in both the audit log must be the same to the byte, and verify.

A change in governance/operations, governance/storage or governance/audit_log asks for it.
"""

import base64
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from governance.storage import embedded_postgres
from tests.drills.company import place

WRITERS = 4
# By table, the column that names its entry; the tree's other tables are compared whole.
AUDIT_LOG = {
    "entry": "id",
    "entrybody": "entry_id",
    "leaf": "entry_id",
    "node": "",
    "checkpoint": "",
    "sealing": "",
}
KEPT = ("PATH", "HOME", "LANG")
PASSWORD = "of a plain owner"


def main(entries: int) -> None:
    """Build, back up under load, restore twice, compare, verify; a line of figures each."""
    with tempfile.TemporaryDirectory(prefix="plumbline-drill-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        os.environ.update(
            {"PLUMBLINE_DATA": str(root / "source"), "DJANGO_SETTINGS_MODULE": "governance.settings"}
        )
        import django
        from django.conf import settings

        django.setup()
        with settings.EMBEDDED_DATABASE.attached():
            head = build(entries)
            copy = root / "copy"
            seconds, acts = under_load(copy)
            size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
            print(f"backup: {seconds:.1f} s, {size / 1e6:.0f} MB, while {acts} initiatives were registered")
            for name, made in (("an empty folder", empty_folder), ("a server database", server_database)):
                with made(root) as told:
                    told["PLUMBLINE_FORMER_KEYS"] = head
                    seconds = timed(lambda told=told: manage(["restore", str(copy)], told))
                    same = audit_log(told["url"]) == audit_log(settings.DATABASE_URL, as_in=told["url"])
                    verified = timed(lambda told=told: manage(["verify_audit_log"], told))
                    print(
                        f"restore into {name}: {seconds:.1f} s ({seconds / 60:.1f} minutes),"
                        f" audit log byte-equal: {same},"
                        f" verified in {verified:.1f} s"
                    )
            seconds = timed(
                lambda: manage(["restore_check", str(copy)], {"PLUMBLINE_DATA": str(root / "source")})
            )
            print(f"restore_check: {seconds:.1f} s")


def build(entries: int) -> str:
    """The demo with so many more entries, sealed; the key it is signed with."""
    from django.core.management import call_command

    from governance.storage import backup
    from governance.transparency_log import sealing, signing_keys

    call_command("migrate", interactive=False, verbosity=0)
    call_command("demo")
    place.fill(entries)
    print(f"the source: {(sealing.seal() or sealing.newest()).size} entries")
    return " ".join(backup.public_keys(signing_keys.origin()))


def under_load(copy: Path) -> tuple[float, int]:
    """Take the backup while others register initiatives and the audit log is sealed; the seconds, and how many
    initiatives.
    """
    from django.db import connection

    from governance.models import User
    from governance.storage import backup
    from governance.transparency_log import sealing
    from initiatives.portfolio.registration import actions as registration_actions

    stopped, done = threading.Event(), []
    owner = User.objects.exclude(unit=None).order_by("pk").first()

    def write() -> None:
        while not stopped.is_set():
            done.append(
                registration_actions.register(
                    title="Idea", unit=owner.unit, problem="-", owner=owner, by=owner
                ).ref
            )
        connection.close()

    def seal() -> None:
        while not stopped.wait(1):
            sealing.seal()
        connection.close()

    at_work = [threading.Thread(target=work) for work in [*[write] * WRITERS, seal]]
    for thread in at_work:
        thread.start()
    try:
        time.sleep(2)  # until all of them are at it
        before = len(done)
        seconds = timed(lambda: backup.take(copy))
        return seconds, len(done) - before
    finally:
        stopped.set()
        for thread in at_work:
            thread.join()


@contextlib.contextmanager
def empty_folder(root: Path) -> Iterator[dict[str, str]]:
    """The environment of a new installation with its own database."""
    server = embedded_postgres.Server(root / "new" / "database")
    with server.attached():
        yield {"PLUMBLINE_DATA": str(root / "new"), "url": server.url()}


@contextlib.contextmanager
def server_database(root: Path) -> Iterator[dict[str, str]]:
    """The environment of a new installation on a server, where the owner of the database may do nothing special."""
    server = embedded_postgres.Server(root / "server" / "database")
    with server.attached():
        with server.connect() as at:
            at.execute(f"CREATE ROLE plain LOGIN NOSUPERUSER PASSWORD '{PASSWORD}'")
            at.execute("CREATE DATABASE theirs OWNER plain")
        own, url = server.url(), server.url("plain", "theirs").replace(server.password("plain"), PASSWORD)
        yield {
            "PLUMBLINE_DATA": str(root / "elsewhere"),
            "PLUMBLINE_SECRET_KEY": "a key for drills, known to everybody",
            "PLUMBLINE_SIGNING_KEY": base64.b64encode(bytes(32)).decode(),
            "PLUMBLINE_ADDRESS": "https://plumbline.example.org",
            "DATABASE_URL": url.replace(" ", "%20"),
            "url": own.replace(f"/{embedded_postgres.NAME}?", "/theirs?"),
        }


def manage(command: list[str], told: dict[str, str]) -> None:
    """Run a command of ours as an operator would; ends the drill when it fails."""
    own = {name: value for name, value in os.environ.items() if name in KEPT}
    subprocess.run(
        [sys.executable, "manage.py", *command],
        env=own | {name: value for name, value in told.items() if name.isupper()},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def audit_log(url: str, *, as_in: str = "") -> dict[str, str]:
    """The SHA-256 of each table of the audit log; of the source, as far as the copy reaches."""
    with psycopg.connect(as_in or url) as copied:
        ids, checkpoint = copied.execute(
            "SELECT array_agg(id), (SELECT max(id) FROM governance_checkpoint) FROM governance_entry"
            " WHERE kind <> 'restored'"
        ).fetchone()
    found = {}
    with psycopg.connect(url) as at:
        at.execute("CREATE TEMPORARY TABLE known AS SELECT unnest(%s::bigint[]) AS id", [ids])
        (size,) = at.execute("SELECT size FROM governance_checkpoint WHERE id = %s", [checkpoint]).fetchone()
        for name, key in AUDIT_LOG.items():
            where = {
                "leaf": f"position < {size}",
                "node": f'(("index" + 1) << level) <= {size}',
                "checkpoint": f"id <= {checkpoint}",
                "sealing": f"checkpoint_id <= {checkpoint}",
            }.get(name, f"{key} IN (SELECT id FROM known)")
            seen = hashlib.sha256()
            with at.cursor().copy(
                f"COPY (SELECT * FROM governance_{name} WHERE {where} ORDER BY 1) TO STDOUT"
            ) as out:
                for block in out:
                    seen.update(block)
            found[name] = seen.hexdigest()
    return found


def timed(work: Callable[[], object]) -> float:
    """How many seconds it takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 0)
