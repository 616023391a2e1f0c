"""Forty crashes while people write: `python -m tests.bench.crash [CYCLES]`.

Four writers register cases and note each one as soon as they were told that it is kept; a sealer seals all the time.
Then something dies: the database (every process of it, SIGKILL), the writers, the sealer, or the disk is full. After
a new start everything noted must be there, everything that is there must be whole, and the record must verify.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

WRITERS = 4
KINDS = ("database", "writers", "sealer", "disk")
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
    os.environ.update({"PLUMBLINE_DATA": str(root / "data"), "DJANGO_SETTINGS_MODULE": "governance.settings"})
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()


def found() -> None:
    """Tables, and an organisation."""
    from django.core.management import call_command

    from tests import factories

    call_command("migrate", interactive=False, verbosity=0)
    factories._make_cast()


# --- One cycle ------------------------------------------------------------------------------------------------------


def cycle(root: Path, kind: str, seconds: float) -> str:
    """Write for some time, let something die, start again; what happened, in words."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    before = len(noted(root))
    parts = [part("write", root, str(number)) for number in range(WRITERS)]
    sealer = part("seal", root)
    until = time.monotonic() + 60
    while len(noted(root)) == before and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(seconds)
    if kind == "writers":
        kill(parts)
    elif kind == "sealer":
        kill([sealer])
        time.sleep(0.3)  # the others go on
    elif kind == "disk" and (root / "mounted").read_text() == "True":
        fill(root)
        time.sleep(1)
        (root / "filler").unlink()
    else:
        kill_database(root)
    kill([*parts, sealer])
    settings.EMBEDDED_DATABASE._process = None
    settings.EMBEDDED_DATABASE.start()
    return f"{len(noted(root)) - before} cases noted"


def part(*arguments: str | Path) -> subprocess.Popen:
    """This program again, in another part."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.crash", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(parts: list[subprocess.Popen]) -> None:
    """At once, without a word."""
    for process in parts:
        process.kill()
    for process in parts:
        process.wait()


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
    """The references of all cases that somebody was told are kept. A line that was cut short was told to nobody."""
    found = set()
    for path in (root / "notes").glob("*"):
        found |= {line.strip() for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")}
    return found


HALF = """
SELECT plumbline_reference(i.number) FROM initiatives_initiative i
 WHERE NOT EXISTS (SELECT 1 FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
                    WHERE e.case_ref = plumbline_reference(i.number) AND e.kind = 'registered')
    OR NOT EXISTS (SELECT 1 FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
                    WHERE e."table" = 'initiatives_initiative' AND e.key = i.id::text AND e.operation = '+')
    OR NOT EXISTS (SELECT 1 FROM initiatives_historicalinitiative h WHERE h.id = i.id)
    OR NOT EXISTS (SELECT 1 FROM initiatives_roleassignment r WHERE r.initiative_id = i.id)
    OR NOT EXISTS (SELECT 1 FROM initiatives_standing s WHERE s.initiative_id = i.id)
"""


def check(root: Path) -> list[str]:
    """Nothing noted is lost, nothing is there by half, and the record verifies, sealed and unsealed."""
    from django.db import connection

    from governance import seals, verification
    from initiatives.models import Initiative

    connection.close()
    wrong = [f"lost: {ref}" for ref in noted(root) - {case.ref for case in Initiative.objects.all()}]
    with connection.cursor() as cursor:
        cursor.execute(HALF)
        wrong += [f"half there: {ref}" for (ref,) in cursor.fetchall()]
    wrong += [str(finding) for finding in verification.verify().findings]
    seals.seal()
    wrong += [str(finding) for finding in verification.verify().findings]
    return wrong


# --- The parts ------------------------------------------------------------------------------------------------------


def write(root: Path, number: str) -> None:
    """Register one case after the other; note each when the act has returned."""
    from governance.models import Unit, User
    from initiatives import actions

    owner, unit = User.objects.get(login="owner"), Unit.objects.get(code="accounts")
    (root / "notes").mkdir(exist_ok=True)
    with open(root / "notes" / number, "a") as notes:
        while True:
            case = actions.register(
                title=f"Case of writer {number} at {time.time()}",
                unit=unit,
                problem="That something may crash.",
                owner=owner,
                by=owner,
            )
            notes.write(f"{case.ref}\n")
            notes.flush()


def seal() -> None:
    """Seal without a pause."""
    from governance import seals

    while True:
        seals.seal()
        time.sleep(0.02)


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        django_on(Path(sys.argv[2]))
        write(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["seal"]:
        django_on(Path(sys.argv[2]))
        seal()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
