"""Two hosts under faults: `python -m tests.drills.operations.two_hosts [--minutes M] [--rate R] [--every S] ...`.

Two hosts share a database, a broker and a store of evidence, and nothing else: each has a data folder of its own, one
web server with two processes of four threads, and one worker; the first has the beat. Their commands and settings are
those of deploy/. Systems ask for decisions and report interactions and measurements, people upload evidence, sign and
withdraw, through a balancer. Every so many seconds one process group is killed: a web server, a worker, the beat or the
broker. Each write that was acknowledged is noted in a journal, and must be in the database exactly once at the end.

A change in deploy, governance/queue, governance/storage or governance/runtime asks for it.
"""

import argparse
import contextlib
import hashlib
import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.drills.operations import load, servers
from tests.drills.operations.balancer import Balancer, Broken
from tests.drills.operations.servers import Host, Part


@dataclass
class Installation:
    """What a drill with two hosts uses."""

    root: Path
    hosts: list[Host]
    database: servers.Database
    broker: Part
    world: load.World

    @property
    def parts(self) -> dict[str, Part]:
        """The process groups of both hosts, by name."""
        return {name: part for host in self.hosts for name, part in host.parts.items()}


@contextlib.contextmanager
def installed(asked: argparse.Namespace) -> Iterator[Installation]:
    """Two hosts that are not started yet, with a database, a broker, a store of evidence and people. Raises Missing."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # what was started here ends, too
    with tempfile.TemporaryDirectory(prefix="plumbline-hosts-") as folder, contextlib.ExitStack() as running:
        root = Path(folder)
        root.chmod(0o755)
        (root / "logs").mkdir()
        database = servers.postgres(root, asked.postgres, running)
        address, broker = servers.broker(root, asked.broker, running)
        common = servers.common_settings(database, address, servers.store(root, asked.store, running))
        shared = root / "shared" if asked.store == "folder" else None
        hosts = [Host(name, root, common, shared) for name in ("one", "two")]
        servers.prepare(hosts[0], database)
        found = Installation(root, hosts, database, broker, load.founded(hosts[0], database))
        copied(hosts)
        print(told_of(asked, database), flush=True)
        running.callback(lambda: [part.stop() for part in found.parts.values()])
        yield found


def main(asked: argparse.Namespace) -> int:
    """Set up, send and kill, compare; how many things were wrong."""
    try:
        with installed(asked) as found:
            started(found.hosts, found.database)
            sending = load.Load(found.hosts, found.world, asked, found.root / "journal")
            victims = found.parts | {"broker": found.broker}
            wrong = sending.told(sending.run(victims))
            wrong += ended(found, sending.sent)
            wrong += ended_by_themselves(victims | {"database": found.database.part})
    except servers.Missing as missing:
        print(f"skipped: {missing} is not on this machine")
        return 0
    print(f"wrong: {'; '.join(wrong) or 'nothing'}")
    return len(wrong)


def told_of(options: argparse.Namespace, database: servers.Database) -> str:
    """What runs, in a sentence."""
    apart = (
        "mounts and host names of their own"
        if servers.may_be_apart()
        else "data folders and ports of their own, without mounts of their own (this needs root)"
    )
    return (
        f"{database.version}, {options.broker}, store: {options.store}; two hosts with {apart}; {options.minutes:g} "
        f"minutes at {options.rate:g} requests a second, a kill every {options.every:g} s, seed {options.seed}"
    )


def copied(hosts: list[Host]) -> None:
    """The keys of the interaction log, which no folder shares: taken on the first host, put on the others."""
    copy = hosts[0].root / "copy-of-keys"
    asked = [hosts[0].manage("interaction_keys", "--backup", str(copy))]
    asked += [host.manage("interaction_keys", "--restore", str(copy)) for host in hosts[1:]]
    for done in asked:
        if done.returncode:
            raise SystemExit(f"the keys of the interaction log: {done.stderr.strip()}")


def started(hosts: list[Host], database: servers.Database) -> None:
    """Every part of every host; returns when all web servers are ready."""
    for host in hosts:
        for kind in ("web", "worker", *(("beat",) if host is hosts[0] else ())):
            more = {"PLUMBLINE_SEALER_URL": database.url("sealer")} if kind == "worker" else {}
            host.start(kind, **more)
    for host in hosts:
        one = Balancer([host])
        servers.wait_until(f"host {host.name}", lambda one=one: ready(one))


def ready(one: Balancer) -> bool:
    """Whether this host takes requests."""
    with contextlib.suppress(Broken):
        return one.ask("readiness", "GET", "/readyz").status == 200
    return False


# --- What came of it --------------------------------------------------------------------------------------------------


def ended(found: Installation, sent: int) -> list[str]:
    """Stop both hosts when nothing waits; what is wrong with what is kept, of so many that were sent."""
    wrong = drained(found.hosts)
    for part in found.parts.values():
        part.stop()
    wrong += compared(found.root / "journal", found.world, sent)
    return wrong + verified(found.hosts[0], found.database)


def drained(hosts: list[Host]) -> list[str]:
    """Wait until no host has anything left in its files."""
    with contextlib.suppress(SystemExit):
        took = servers.wait_until(
            "what waits in files", lambda: not any(host.waiting() for host in hosts), 300
        )
        print(f"everything was brought over {took:.0f} s after the last request")
        return []
    return [f"{host.waiting()} bytes wait on host {host.name}" for host in hosts if host.waiting()]


def compared(journal: Path, world: load.World, sent: int) -> list[str]:
    """Hold the journal against the database; print and return what is lost or doubled."""
    noted: dict[str, set[str]] = {}
    for line in journal.read_text().splitlines():
        kind, mark = json.loads(line)
        noted.setdefault(kind, set()).add(mark)
    wrong = []
    print(f"\n{'kind':<14}{'acknowledged':>13}{'in database':>13}{'lost':>6}{'doubled':>9}")
    for kind, kept in in_database(world, sent).items():
        marks = noted.get(kind, set())
        lost, doubled = marks - set(kept), [mark for mark, count in kept.items() if count > 1]
        print(f"{kind:<14}{len(marks):>13}{sum(kept.values()):>13}{len(lost):>6}{len(doubled):>9}")
        wrong += [f"{len(lost)} of {kind} lost: {sorted(lost)[:3]}"] if lost else []
        wrong += [f"{len(doubled)} of {kind} doubled: {doubled[:3]}"] if doubled else []
        wrong += [] if marks else [f"nothing of {kind} was acknowledged"]
    return wrong + unread_files(noted.get("upload", set()))


def in_database(world: load.World, sent: int) -> dict[str, Counter]:
    """How often each mark of a kind is in the database, of so many that were sent."""
    from adoption.models import Measurement
    from governance.models import PolicyDecision
    from initiatives.models import Evidence, SignOff

    initiative_of = {system.measure: system.initiative for system in world.systems}
    by_seats = SignOff.objects.filter(review=world.review)
    withdrawn = by_seats.filter(verdict="withdrawn").values_list("replaces", flat=True)
    uploaded = Evidence.objects.filter(title__startswith="Evidence drill-")
    return {
        "decision": Counter(_decision_ids(PolicyDecision.objects.all())),
        "interaction": _interactions(world, sent),
        "measurement": Counter(
            f"{initiative_of[measure]} {key}"
            for measure, key in Measurement.objects.filter(key__startswith="drill-").values_list(
                "measure", "key"
            )
        ),
        "upload": Counter(uploaded.values_list("sha256", flat=True)),
        "signature": Counter(
            str(pk) for pk in by_seats.exclude(verdict="withdrawn").values_list("pk", flat=True)
        ),
        "withdrawal": Counter(map(str, withdrawn)),
    }


def _decision_ids(rows) -> list[str]:
    from governance.authorization.outcome_reports import Named, issued

    return [
        f"{row.initiative_number} {issued(row.initiative_number, named)}"
        for row in rows
        for named in [Named(row.at, bytes(row.digest), row.outcome == "allow")]
    ]


def _interactions(world: load.World, sent: int) -> Counter:
    """By the pseudonym under which the report of each mark is kept, as marks again."""
    from governance.interaction_log import keys
    from governance.models import Interaction

    kept = Counter(bytes(call) for call in Interaction.objects.values_list("call", flat=True))
    found: Counter = Counter()
    for number in {system.initiative for system in world.systems}:
        for mark in (f"drill-{one}" for one in range(1, sent + 1)):
            if often := kept[keys.pseudonym("line", str(number), mark)]:
                found[f"{number} {mark}"] = often
    return found


def unread_files(noted: set[str]) -> list[str]:
    """Every acknowledged file is in the store, with the content that was sent."""
    from initiatives.models import Evidence

    wrong = 0
    for item in Evidence.objects.filter(sha256__in=noted):
        try:
            with item.file.open() as file:
                wrong += hashlib.sha256(file.read()).hexdigest() != item.sha256
        except OSError:
            wrong += 1
    print(f"{len(noted)} acknowledged files read from the store, {wrong} missing or changed")
    return [f"{wrong} files missing or changed"] if wrong else []


def verified(host: Host, database: servers.Database) -> list[str]:
    """Seal what is left, then verify the audit log as an operator does."""
    by = {"DATABASE_URL": database.url("owner")}
    wrong = []
    for command in ("seal", "verify_audit_log"):
        done = host.manage(command, **by)
        print("\n".join(f"{command}: {line}" for line in done.stdout.strip().splitlines()))
        wrong += [f"{command}: {done.stderr.strip()[-300:]}"] if done.returncode else []
    return wrong


def ended_by_themselves(parts: dict[str, Part]) -> list[str]:
    """Parts that ended although nothing killed them; and how much the parts complained."""
    for part in parts.values():
        lines = part.log.read_text(errors="replace").splitlines()
        if lines:
            print(f"{part.name}: {len(lines)} lines in its log, the last: {lines[-1][:200]}")
    return [f"{name} ended {len(part.ended)} times by itself" for name, part in parts.items() if part.ended]


def options() -> argparse.ArgumentParser:
    """Return the parser of the options of a drill with two hosts."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--minutes", type=float, default=30)
    asked.add_argument("--rate", type=float, default=50, help="requests a second")
    asked.add_argument("--every", type=float, default=60, help="seconds between two kills")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--postgres", default="embedded", help="embedded, or a version such as 15")
    asked.add_argument("--broker", choices=["redis", "rabbitmq"], default="redis")
    asked.add_argument("--store", choices=["folder", "s3"], default="folder")
    return asked


if __name__ == "__main__":
    sys.exit(min(main(options().parse_args()), 1))
