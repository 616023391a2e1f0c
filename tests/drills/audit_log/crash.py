"""Forty crashes while people write: `python -m tests.drills.audit_log.crash [CYCLES]`.

The web server and the worker with its beat run as `make run` starts them. Four people register initiatives through the
form and note each one as soon as the answer says that it is kept; the worker seals. Then something dies, without a
word: the database, the web server, the worker (every process of it, SIGKILL), or the disk is full. After a new start
everything noted must be there, everything that is there must be whole, and the audit log must verify.

A change in governance/operations, governance/runtime, governance/queue or governance/transparency_log asks for it.
"""

import contextlib
import http.cookiejar
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil

WRITERS = 4
KINDS = ("database", "web", "worker", "disk")
DISK = 400  # megabytes
KEEP = 3  # seconds of writing on average before something dies


def main(cycles: int) -> None:
    """Run the cycles; a line of figures each, and what was wrong at the end (exit code 1)."""
    with place() as root:
        django_on(root)
        from django.conf import settings

        settings.EMBEDDED_DATABASE.start()
        try:
            found()
            wrong, chance = [], random.Random(cycles)
            for number in range(cycles):
                kind = KINDS[number % len(KINDS)]
                told = cycle(root, kind, chance.uniform(0.5, 1.5) * KEEP / 2)
                missing = check(root)
                wrong += missing
                print(f"{number + 1:>3} {kind:<9} {told}; wrong: {missing or 'nothing'}", flush=True)
        finally:
            settings.EMBEDDED_DATABASE.stop()
    print(f"{cycles} cycles, {len(wrong)} things wrong")
    sys.exit(1 if wrong else 0)


@contextlib.contextmanager
def place():
    """A folder on a small disk of its own, so that it can be filled."""
    with tempfile.TemporaryDirectory(prefix="plumbline-crash-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        mounted = not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}m,mode=755", "tmpfs", folder], capture_output=True
        ).returncode
        if not mounted:
            print("no small disk can be mounted here: 'disk' kills the database instead")
        (root / "mounted").write_text(str(mounted))
        try:
            yield root
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", folder], check=False)


def django_on(root: Path) -> None:
    """Django, set up on the embedded database in the folder, as durable as for people."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    os.environ |= {
        "PLUMBLINE_DATA": str(root / "data"),
        "PLUMBLINE_PORT": port,
        "DJANGO_SETTINGS_MODULE": "governance.settings",
    }
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()


def tables() -> None:
    """Tables, roles, style sheets."""
    from django.core.management import call_command
    from django.db import connection

    from governance.database import database_roles
    from governance.management.commands.run import collect_static

    call_command("migrate", interactive=False, verbosity=0)
    database_roles.grant(connection)
    collect_static()


def found() -> None:
    """Tables and all that, and an organisation."""
    from tests.support import factories

    tables()
    factories._make_cast()


# --- One cycle ------------------------------------------------------------------------------------------------------


def cycle(root: Path, kind: str, seconds: float) -> str:
    """Write for some time, let something die, start again; what happened, in words."""
    from django.conf import settings
    from django.db import connections

    from governance.management.commands import run

    connections.close_all()
    before = len(noted(root))
    (root / "notes").mkdir(exist_ok=True)
    parts = {name: begun(command, run.environment()) for name, command in run.commands().items()}
    stopped = threading.Event()
    writers = [threading.Thread(target=write, args=(root, str(n), stopped)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    until = time.monotonic() + 60
    while len(noted(root)) == before and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(seconds)
    if kind == "web":
        kill(parts["web server"])
        time.sleep(0.3)  # the others go on
    elif kind == "worker":
        kill(parts["worker"])
        time.sleep(0.3)
    elif kind == "disk" and (root / "mounted").read_text() == "True":
        fill(root)
        time.sleep(1)
        (root / "filler").unlink()
    else:
        kill_database(root)
    stopped.set()
    for part in parts.values():
        kill(part)
    for writer in writers:
        writer.join()
    settings.EMBEDDED_DATABASE._process = None
    settings.EMBEDDED_DATABASE.start()
    return f"{len(noted(root)) - before} initiatives noted"


def begun(command: list[str], told: dict[str, str], complains=subprocess.DEVNULL) -> subprocess.Popen:
    """One part as `make run` starts it; what it complains of, with its database dead, is no news."""
    return subprocess.Popen(
        command, env=told, start_new_session=True, stdout=subprocess.DEVNULL, stderr=complains
    )


def kill(part: subprocess.Popen) -> None:
    """All processes of it at once, without a word."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, signal.SIGKILL)
    part.wait()


def kill_database(root: Path) -> None:
    """The server and all its children, at once."""
    pid = int((root / "data" / "database" / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])
    server = psutil.Process(pid)
    for process in [server, *server.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def fill(root: Path) -> None:
    """Not a byte is left."""
    with contextlib.suppress(OSError), open(root / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 65536)


# --- What must hold -------------------------------------------------------------------------------------------------


def noted(root: Path) -> set[str]:
    """The references of all initiatives that somebody was told are kept.

    A line that was cut short was told to nobody.
    """
    found = set()
    for path in (root / "notes").glob("*"):
        found |= {line.strip() for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")}
    return found


HALF = """
SELECT plumbline_reference(i.number) FROM initiatives_initiative i
 WHERE NOT EXISTS (SELECT 1 FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
                    WHERE e.initiative_ref = plumbline_reference(i.number) AND e.kind = 'registered')
    OR NOT EXISTS (SELECT 1 FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
                    WHERE e."table" = 'initiatives_initiative' AND e.key = i.id::text AND e.operation = '+')
    OR NOT EXISTS (SELECT 1 FROM initiatives_historicalinitiative h WHERE h.id = i.id)
    OR NOT EXISTS (SELECT 1 FROM initiatives_roleassignment r WHERE r.initiative_id = i.id)
    OR NOT EXISTS (SELECT 1 FROM initiatives_supportedstage s WHERE s.initiative_id = i.id)
"""


def check(root: Path) -> list[str]:
    """Nothing noted is lost, nothing is there by half, and the audit log verifies, sealed and unsealed."""
    from django.db import connection

    from governance.transparency_log import sealing, verification
    from initiatives.models import Initiative

    connection.close()
    wrong = [
        f"lost: {ref}" for ref in noted(root) - {initiative.ref for initiative in Initiative.objects.all()}
    ]
    with connection.cursor() as cursor:
        cursor.execute(HALF)
        wrong += [f"half there: {ref}" for (ref,) in cursor.fetchall()]
    wrong += [str(finding) for finding in verification.verify().findings]
    sealing.seal()
    wrong += [str(finding) for finding in verification.verify().findings]
    return wrong


# --- People ---------------------------------------------------------------------------------------------------------


class Told(urllib.request.HTTPRedirectHandler):
    """A redirect is the answer; nobody follows it."""

    def redirect_request(self, *_):
        """Nowhere."""


def write(root: Path, number: str, stopped: threading.Event) -> None:
    """Sign in and register one initiative after the other through the form; note each whose page the answer points
    to.
    """
    from django.conf import settings

    from tests.support import factories

    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies, Told())
    place = f"http://127.0.0.1:{settings.PORT}"
    signed_in = False
    with open(root / "notes" / number, "a") as notes:
        while not stopped.is_set():
            try:
                if not signed_in:
                    who = {"username": "owner", "password": factories.PASSWORD}
                    signed_in = bool(send(browser, f"{place}/sign-in/", who))
                    continue
                title = f"Initiative of writer {number} at {time.time()}"
                words = {
                    "title": title,
                    "problem": "That something may crash.",
                }
                said = words | whose()
                if found := re.fullmatch(
                    r"/initiatives/(AI-\d+)/", send(browser, f"{place}/initiatives/register/", said)
                ):
                    notes.write(f"{found[1]}\n")
                    notes.flush()
            except OSError:  # no server yet, or no more, or one that says what is wrong
                time.sleep(0.1)


def whose() -> dict[str, str]:
    """Unit and owner, as the form asks for them; keys of the cast, which a crash does not change."""
    if not _whose:
        from governance.models import Unit, User

        _whose["unit"] = str(Unit.objects.get(code="accounts").pk)
        _whose["owner"] = str(User.objects.get(login="owner").pk)
    return _whose


_whose: dict[str, str] = {}


def send(browser: urllib.request.OpenerDirector, address: str, fields: dict[str, str]) -> str:
    """Fill the form at the address and send it; where the answer points to. Raises OSError when none comes."""
    with browser.open(address, timeout=20) as page:
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.read().decode())
    data = urllib.parse.urlencode(dict(hidden) | fields).encode()
    try:
        browser.open(address, data, timeout=20).close()
    except urllib.error.HTTPError as answer:
        if answer.code not in (302, 303):
            raise
        return urllib.parse.urlsplit(answer.headers["Location"]).path
    return ""


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
