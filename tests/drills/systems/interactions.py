"""What the interaction log takes: `python -m tests.drills.systems.interactions [SECONDS] [--rate R] [--kills N]`.

Web server and worker run as `make run` starts them: two web processes, the worker loading and sealing. The systems of
ten initiatives send spans at an even pace, in batches that were encoded before, while others ask for decisions and
somebody reads pages: first without the spans, then with them. Then processes are killed, one after the other, while
spans are sent, each batch again until it is acknowledged: whatever was acknowledged is there afterwards, once.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil

from tests.drills.audit_log import crash
from tests.drills.company import memory
from tests.drills.systems import decisions, interaction_spans

BATCH = 200  # spans
INITIATIVES = 10
TEMPLATES = 40  # batches with texts of their own
PERSONS = 1_000  # groups of four persons that the batches are about
DECISIONS = 100  # a second
ACKNOWLEDGED, SLOWER = 100, 1.5  # milliseconds, and times: what is asked
WHILE_KILLED = 5  # batches a second
PATIENCE = 60  # seconds


def main(seconds: float, rate: int, kills: int) -> None:
    """Found, measure, kill, judge; exit code 1 when a bound is missed."""
    with tempfile.TemporaryDirectory(prefix="plumbline-interactions-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        crash.django_on(root)
        os.environ |= {"PLUMBLINE_DECISION_RATE": "1000000", "PLUMBLINE_INTERACTION_RATE": "1000000"}
        from django.conf import settings
        from django.db import connections

        settings.EMBEDDED_DATABASE.start()
        try:
            crash.tables()
            asking = decisions.founded(INITIATIVES)
            tokens = [(one.initiative.number, key_of(one)) for one in asking]
            connections.close_all()
            file = Batches(root / "batches", tokens, int(seconds * rate / BATCH) + kills * 40)
            with open(root / "complaints", "w") as complaints:
                parts = memory.started(complaints)
                try:
                    missed = measured(file, asking, parts, seconds, rate)
                    missed += killed(file, parts, kills, complaints) if kills else []
                finally:
                    for part in parts.values():
                        crash.kill(part)
            said = (root / "complaints").read_text().splitlines()
            print(f"the parts complained in {len(said)} lines; the last:", *said[-3:], sep="\n")
        finally:
            settings.EMBEDDED_DATABASE.stop()
    print(f"missed: {', '.join(missed) or 'nothing'}")
    sys.exit(bool(missed))


def key_of(one: decisions.Asking) -> str:
    """A key for the interactions of this initiative."""
    from governance import clock
    from initiatives.contracts.enforcement import system_keys

    _, token = system_keys.make_key(
        initiative=one.initiative,
        system="drill",
        scopes=["interactions"],
        principal=one.team.owner,
        expires_at=clock.now() + timedelta(days=1),
        by=one.team.owner,
    )
    return token.text


class Batches:
    """Requests that are ready to be sent, in a file: the next one is handed out by `next`, also among threads."""

    def __init__(self, path: Path, tokens: list[tuple[int, str]], count: int):
        self.tokens, self.at = tokens, 0
        templates = [interaction_spans.encoded(BATCH, seed) for seed in range(TEMPLATES)]
        began, self.places = time.monotonic(), []
        with open(path, "wb") as file:
            for number in range(count):
                body = interaction_spans.packed(templates[number % TEMPLATES], number, PERSONS)
                request = (
                    "POST /otlp/v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n"
                    f"Content-Encoding: gzip\r\nAuthorization: Bearer {self._of(number)[1]}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n"
                ).encode() + body
                self.places.append((file.tell(), len(request)))
                file.write(request)
        self._file = os.open(path, os.O_RDONLY)
        size = sum(size for _, size in self.places) / count
        print(
            f"{count} batches of {BATCH} spans, {len(templates[0]) >> 10} KiB each, {size / 1024:.0f} packed, encoded "
            f"in {time.monotonic() - began:.0f} s"
        )

    def _of(self, number: int) -> tuple[int, str]:
        return self.tokens[number % len(self.tokens)]

    def initiative_of(self, number: int) -> int:
        """The number of the initiative that a batch is of."""
        return self._of(number)[0]

    def request(self, number: int) -> bytes:
        """The whole request of a batch."""
        place, size = self.places[number]
        return os.pread(self._file, size, place)


# --- At a pace --------------------------------------------------------------------------------------------------------


def apart(work: Callable, *given) -> Callable:
    """Have it done in a process of its own; what is returned waits for what came of it."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(work(*given)))
    process.start()
    theirs.close()  # so that `recv` ends with the process

    def result():
        found = ours.recv()
        process.join()
        return found

    return result


def paced(request: Callable[[int], bytes], pace: float, seconds: float, connections: int) -> decisions.Run:
    """Send `request(0)`, `request(1)` ... at an even pace; a time begins when the request was due, waiting included."""
    times, outcomes, lock = [], Counter(), threading.Lock()
    numbers = iter(range(int(pace * seconds)))
    began = time.perf_counter() + 0.1

    def send() -> None:
        one = decisions.Connection()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return one.close()
            content, due = request(number), began + number / pace
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                status, body = one.ask(content)
                word = "taken" if status == 200 and not body else decisions.outcome_of(status, body)
            except OSError:
                word = "no answer"
            with lock:
                times.append(time.perf_counter() - due)
                outcomes[word] += 1

    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return decisions.Run(time.perf_counter() - began, times, dict(outcomes))


def read_pages(seconds: float) -> decisions.Run:
    """The pages of governance, read by one person, one a second."""
    browser, times = decisions.signed_in("chair"), []
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        browser.open(f"{memory.place()}{decisions.PAGES[len(times) % len(decisions.PAGES)]}").read()
        times.append(time.perf_counter() - began)
        time.sleep(max(0.0, 1 - times[-1]))
    return decisions.Run(seconds, times, {"page": len(times)})


def measured(
    file: Batches, asking: list[decisions.Asking], parts: dict, seconds: float, rate: int
) -> list[str]:
    """Decisions and pages without spans, then with them; the names of the bounds that were missed."""
    chance = random.Random(1)
    requests = [request for one in asking for request in one.requests]
    chance.shuffle(requests)

    def question(number: int) -> bytes:
        return requests[number % len(requests)]

    def both(seconds: float) -> tuple[Callable, Callable]:
        return apart(paced, question, DECISIONS, seconds, 8), apart(read_pages, seconds)

    for warm in both(5):
        warm()
    quiet, pages = (run() for run in both(min(seconds, 120)))
    print(load_of_machine())
    print(quiet.told(f"decisions at {DECISIONS} a second"), pages.told("pages"), sep="\n")
    asked, read = both(seconds)
    worked = cpu_seconds(parts)
    spans = apart(paced, file.request, rate / BATCH, seconds, 6)
    started, most = time.monotonic(), 0
    while (left := started + seconds - time.monotonic()) > 0:
        time.sleep(min(left, 1))
        most = max(most, waiting())
    sent, busy, seen = spans(), asked(), read()
    file.at = len(sent.times)
    print(load_of_machine())
    print(sent.told(f"batches, {rate} spans a second"))
    print(busy.told("  decisions meanwhile"), seen.told("  pages meanwhile"), sep="\n")
    began = time.monotonic()
    brought_over()
    took = {name: used - worked[name] for name, used in cpu_seconds(parts).items()}
    told = ", ".join(f"{name} {used / seconds:.2f}" for name, used in took.items())
    print(f"cores at work, until all is in the database: {told}, together {sum(took.values()) / seconds:.2f}")
    print(
        f"in the database {time.monotonic() - began:.0f} s after the last; most that waited: {most / 2**20:.0f} MiB; "
        f"{rows()} rows in {batches()} batches"
    )
    missed = []
    if sent.outcomes.get("taken", 0) != len(sent.times) or rows() != BATCH * len(sent.times):
        missed.append("every span taken and kept")
    if sent.rate * BATCH < 0.98 * rate:
        missed.append(f"{rate} spans a second")
    if sent.at(0.99) > ACKNOWLEDGED:
        missed.append(f"acknowledged within {ACKNOWLEDGED} ms (p99)")
    if busy.at(0.99) > SLOWER * quiet.at(0.99):
        missed.append(f"decisions' p99 within {SLOWER} of without ({busy.at(0.99) / quiet.at(0.99):.2f})")
    return missed


def cpu_seconds(parts: dict) -> dict[str, float]:
    """Seconds of a processor that the parts and the database have used, with those of processes that ended."""
    from django.conf import settings

    cluster = settings.DATA_DIR / "database" / "cluster" / "postmaster.pid"
    mains = {name: part.pid for name, part in parts.items()}
    mains["database"] = int(cluster.read_text().split("\n", 1)[0])
    found = dict.fromkeys(mains, 0.0)
    for name, pid in mains.items():
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                found[name] += sum(process.cpu_times()[:4])
    return found


def load_of_machine() -> str:
    """What runs here beside the drill."""
    ours = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    others = [one for one in psutil.process_iter(["pid", "nice"]) if one.pid not in ours and one.info["nice"]]
    told = f"load {os.getloadavg()[0]:.1f} over a minute on {os.cpu_count()} cores"
    return f"{told}; {len(others)} processes of others, with nice"


# --- What came of it --------------------------------------------------------------------------------------------------


def waiting() -> int:
    """Bytes that wait to be brought over."""
    from django.conf import settings

    from governance.runtime import spool_files

    return spool_files.waiting(Path(settings.INTERACTIONS_DIR) / "waiting").size


def brought_over() -> None:
    """Return once nothing waits any more."""
    until = time.monotonic() + 600
    while waiting():
        if time.monotonic() > until:
            raise SystemExit("what waits is not brought over")
        time.sleep(0.5)
    time.sleep(1)


def rows() -> int:
    """How many interactions the database has."""
    from governance.models import Interaction

    return Interaction.objects.count()


def batches() -> int:
    """In how many batches they came over."""
    from governance.models import InteractionBatch

    return InteractionBatch.objects.count()


# --- Killed -----------------------------------------------------------------------------------------------------------


def killed(file: Batches, parts: dict, kills: int, complaints) -> list[str]:
    """Kill a process of web server or worker again and again while batches are sent; what was lost or doubled."""
    stop, lock = threading.Event(), threading.Lock()
    numbers: Iterator[int] = iter(range(file.at, len(file.places)))
    acknowledged, again = set(range(file.at)), Counter()

    def send() -> None:
        one = decisions.Connection()
        while not stop.is_set():
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            while not stop.is_set():
                began, status = time.monotonic(), 0
                with contextlib.suppress(OSError, EOFError):
                    one.open()
                    one.socket.sendall(file.request(number))
                    status, _ = one.read()
                if status == 200:
                    acknowledged.add(number)
                    time.sleep(max(0.0, 4 / WHILE_KILLED - (time.monotonic() - began)))
                    break
                one.close()
                again[status] += 1
                time.sleep(0.2)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    chance, died = random.Random(kills), Counter()
    seen = {name: at_work(name, acknowledged) for name in parts}
    for _ in range(kills):
        name = chance.choice(list(parts))
        until = time.monotonic() + PATIENCE
        while at_work(name, acknowledged) == seen[name] and time.monotonic() < until:
            time.sleep(0.2)  # what has not done anything since it was begun is not killed
        time.sleep(chance.uniform(0, 4))
        died[kill_one(name, parts, chance, complaints)] += 1
        seen[name] = at_work(name, acknowledged)
    time.sleep(2)
    stop.set()
    for sender in senders:
        sender.join()
    brought_over()
    told = ", ".join(f"{name} {count}" for name, count in sorted(died.items()))
    print(
        f"{kills} kills ({told}); {len(acknowledged) - file.at} batches acknowledged meanwhile, {sum(again.values())} "
        "sendings had no answer or a refusal and were repeated"
    )
    for part in parts.values():
        crash.kill(part)
    return compared(file, acknowledged)


def at_work(name: str, acknowledged: set[int]) -> int:
    """What a part has done: batches that the web server took, or that the worker brought over."""
    return len(acknowledged) if name == "web server" else batches()


def kill_one(name: str, parts: dict, chance: random.Random, complaints) -> str:
    """Kill a process of this part at random, and start the part anew where it is gone by it; what it was."""
    from governance.management.commands import run

    main = psutil.Process(parts[name].pid)
    inner = main.children()
    if inner and chance.random() < 0.75:
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(inner).send_signal(signal.SIGKILL)
        return f"a process of the {name}"
    crash.kill(parts[name])
    parts[name] = crash.begun(run.commands()[name], run.environment(), complaints)
    return f"the whole {name}"


def compared(file: Batches, acknowledged: set[int]) -> list[str]:
    """Every span of what was acknowledged is there once, with its body; the audit log and its batches verify."""
    from django.db import connection

    from governance.interaction_log import keys, reading
    from governance.models import Interaction, InteractionBody
    from governance.transparency_log import sealing, verification

    with connection.cursor() as cursor:
        cursor.execute("SELECT initiative_number, call FROM governance_interaction")
        kept = Counter((initiative, bytes(call)) for initiative, call in cursor.fetchall())
    lost = 0
    for number in acknowledged:
        initiative, trace = file.initiative_of(number), interaction_spans.trace_of(number).hex()
        for span in range(BATCH):
            call = keys.pseudonym("call", str(initiative), trace, f"{span + 1:016x}")
            lost += (initiative, call) not in kept
    doubled = sum(1 for count in kept.values() if count > 1)
    laid = InteractionBody.objects.count()
    sample = list(Interaction.objects.select_related("batch").order_by("digest")[:2_000])
    read, wrong = reading.bodies_of(sample)
    sealing.seal()
    began = time.monotonic()
    findings = [str(finding) for finding in verification.verify().findings]
    print(
        f"{len(acknowledged) * BATCH} spans acknowledged: {lost} lost, {doubled} doubled; {sum(kept.values())} rows, "
        f"{laid} bodies, {len(read)} of {len(sample)} drawn bodies read and as sealed; the audit log verified in "
        f"{time.monotonic() - began:.0f} s with {len(findings)} findings",
        *findings[:3],
        sep="\n  ",
    )
    right = laid == sum(kept.values()) and len(read) == len(sample) and not wrong and not findings
    return [
        *(["nothing acknowledged is lost or doubled"] if lost or doubled else []),
        *([] if right else ["whole"]),
    ]


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("seconds", type=float, nargs="?", default=600)
    asked.add_argument("--rate", type=int, default=2_000, help="spans a second")
    asked.add_argument(
        "--kills", type=int, default=40, help="processes killed afterwards, one after the other"
    )
    given = asked.parse_args()
    main(given.seconds, given.rate, given.kills)
