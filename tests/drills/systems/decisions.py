"""What the API of decisions carries: `python -m tests.drills.systems.decisions [SECONDS] [--contracts N]`.

Web server and worker run as `make run` starts them: two web processes, the log of decisions on, the worker sealing. The
systems of so many initiatives, each with its own contract and key, ask over connections that stay open. In the same run
are measured: a bare Django view behind its middleware; decisions one by one, then at a thousand a second, then in
batches; reports of what came of decisions; the pages of governance with and without that load; how long after the press
of the switch, and after a contract was superseded, the old answer was last given by either web process; and what is
answered while the database is away.

A change in governance/authorization or initiatives/contracts/enforcement asks for it.
"""

import argparse
import contextlib
import http.cookiejar
import itertools
import json
import os
import random
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from tests.drills.audit_log import crash
from tests.drills.company import memory

CONNECTIONS = 12
PACE = 1_000  # decisions a second while pages are measured
PAGES = ("/", "/initiatives/", "/reviews/", "/decisions/")
ACTIONS = tuple(f"act_{n}" for n in range(8))


def main(seconds: float, contracts: int) -> None:
    """Found, measure, judge; exit code 1 when a bound is missed."""
    with tempfile.TemporaryDirectory(prefix="plumbline-decisions-") as folder:
        Path(folder).chmod(0o755)
        crash.django_on(Path(folder))
        os.environ["PLUMBLINE_DECISION_RATE"] = "1000000"
        from django.conf import settings

        settings.EMBEDDED_DATABASE.start()
        try:
            crash.tables()
            asking = founded(contracts)
            with open(Path(folder) / "complaints", "w") as complaints:
                parts = memory.started(complaints)
                try:
                    missed = measured(asking, seconds)
                finally:
                    for part in parts.values():
                        crash.kill(part)
                    said = (Path(folder) / "complaints").read_text().splitlines()
                    print(f"the parts complained in {len(said)} lines; the last:", *said[-3:], sep="\n")
        finally:
            settings.EMBEDDED_DATABASE.stop()
    print(f"missed: {', '.join(missed) or 'nothing'}")
    sys.exit(bool(missed))


# --- Who asks --------------------------------------------------------------------------------------------------------


@dataclass
class Asking:
    """One initiative whose system asks: its key in full, and the requests it may put, ready to be sent."""

    initiative: object
    team: object
    token: str
    requests: list[bytes] = field(default_factory=list)


def founded(count: int) -> list[Asking]:
    """So many prototypes with contracts of twenty clauses in force, each with a key."""
    from governance import clock
    from initiatives.contracts.enforcement import system_keys
    from initiatives.lifecycle.scope import actions as scope_actions
    from initiatives.models import Initiative
    from tests.drills.company import thousands

    company = thousands.found(count * 4, people=40, units=10)
    began, found, chance = time.monotonic(), [], random.Random(count)
    for initiative in Initiative.objects.filter(stage="prototype", basis="import").order_by("pk")[:count]:
        owner = initiative.roles.get(role="owner").person
        team = replace(company.cast.team, owner=owner)
        in_force(initiative, team, clauses(chance.randint(10, 90)))
        scope_actions.record_scope(
            initiative=initiative, users="Testers", user_count=500, test_subjects=["user:u-*"], by=owner
        )
        initiative = Initiative.objects.select_related("unit", "contract").get(pk=initiative.pk)
        _, token = system_keys.make_key(
            initiative=initiative,
            system="drill",
            scopes=["evaluate", "approvals"],
            principal=owner,
            expires_at=clock.now() + timedelta(days=1),
            by=owner,
        )
        found.append(Asking(initiative, team, token.text))
        found[-1].requests = [sent(token.text, evaluation_request(chance)) for _ in range(40)]
    print(
        f"{len(found)} contracts of {len(clauses(1))} clauses in force after {time.monotonic() - began:.0f} s"
    )
    return found


def clauses(limit: int) -> list:
    """A contract that allows, asks and refuses."""
    from governance.contracts.clauses import FAILURES, Terms, Test
    from initiatives.contracts.documents.actions import Written

    who = ("clerks",)
    return [
        *(
            Written("autonomy", terms=Terms(action=action, resource="order", audience=who, up_to=limit * 100,
                                            currency="EUR", tests=(Test("resource", "status", "equals", "open"),)))
            for action in ACTIONS
        ),
        *(
            Written("human_approval", terms=Terms(action=f"{action}_for_good", approvers=("owner",), minutes=60))
            for action in ACTIONS[:4]
        ),
        *(Written("edge_policy", terms=Terms(failure=failure, then="refuse")) for failure in FAILURES),
        Written("record_owner"),
        Written("audience", terms=Terms(audience=who)),
    ]  # fmt: skip


def in_force(initiative, team, written: list) -> None:
    """The contract is written, sent and approved by its two seats."""
    from adoption.demo import initiative_acts

    if not initiative.roles.in_force().filter(role="record_owner").exists():
        initiative_acts.staff(initiative, team, ("record_owner",))
    initiative_acts.contract(initiative_acts.fresh(initiative), team, written, ())


def evaluation_request(chance: random.Random, action: str = "") -> dict:
    """A request that is allowed three times in four."""
    allowed = chance.random() < 0.75
    return {
        "subject": {
            "type": "user",
            "id": f"u-{chance.randint(1, 500)}",
            "properties": {"groups": ["clerks"]},
        },
        "action": {
            "name": action or chance.choice(ACTIONS),
            "properties": {"amount": 500, "currency": "EUR"},
        },
        "resource": {
            "type": "order",
            "id": f"o-{chance.randint(1, 90_000)}",
            "properties": {"status": "open" if allowed else "closed"},
        },
        "context": {"channel": "chat"},
    }


def sent(token: str, body: dict, path: str = "/access/v1/evaluation") -> bytes:
    """A whole HTTP request as bytes."""
    data = json.dumps(body).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    ).encode() + data


# --- Load ------------------------------------------------------------------------------------------------------------


class Connection:
    """One kept-alive connection that sends, and reads whole answers."""

    def __init__(self):
        from django.conf import settings

        self.place = ("127.0.0.1", settings.PORT)
        self.socket = None
        self.left = b""

    def open(self) -> None:
        """Connect, if that is not done."""
        if self.socket is None:
            self.socket = socket.create_connection(self.place, timeout=10)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.left = b""

    def close(self) -> None:
        """Hang up."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send and wait for the answer; connects anew when the server hung up."""
        for once_more in (True, False):
            self.open()
            try:
                self.socket.sendall(request)
                return self.read()
            except (OSError, EOFError):
                self.close()
                if not once_more:
                    raise
        raise AssertionError

    def read(self) -> tuple[int, bytes]:
        """The next answer: its status and body."""
        while b"\r\n\r\n" not in self.left:
            self._more()
        head, _, rest = self.left.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.left = rest
        while len(self.left) < length:
            self._more()
        body, self.left = self.left[:length], self.left[length:]
        return int(head[9:12]), body

    def _more(self) -> None:
        part = self.socket.recv(65536)
        if not part:
            raise EOFError("the server hung up")
        self.left += part


@dataclass
class Run:
    """What a load saw: how long each answer took, and how many were of which outcome."""

    seconds: float
    times: list[float]
    outcomes: dict[str, int]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def at(self, share: float) -> float:
        """The time, in milliseconds, within which this share of answers came."""
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * share))] * 1000

    def told(self, name: str) -> str:
        """One line of figures."""
        outcomes = ", ".join(f"{key} {count}" for key, count in sorted(self.outcomes.items()))
        return (
            f"{name:<34} {self.rate:7.0f}/s  p50 {self.at(0.5):5.1f}  p95 {self.at(0.95):5.1f}"
            f"  p99 {self.at(0.99):5.1f} ms  ({outcomes})"
        )


def load(
    pick, seconds: float, *, connections: int = CONNECTIONS, pace: float | None = None, stop=None
) -> Run:
    """Send what `pick()` gives over so many connections: as fast as answers come, or at an even pace.

    At a pace a time begins when the request was due, so that waiting in line counts.
    """
    waiting = selectors.DefaultSelector()
    free, due_of = [], {}
    for _ in range(connections):
        one = Connection()
        one.open()
        waiting.register(one.socket, selectors.EVENT_READ, one)
        free.append(one)
    times, outcomes = [], {}
    began = time.perf_counter()
    asked = 0
    while (now := time.perf_counter()) - began < seconds and not (stop and stop.is_set()):
        while free and (pace is None or asked / pace <= now - began):
            one = free.pop()
            due_of[one] = now if pace is None else began + asked / pace
            one.socket.sendall(pick())
            asked += 1
        pause = 0.5 if pace is None or not free else max(0.0, asked / pace - (now - began))
        for key, _ in waiting.select(min(pause, 0.5)):
            one = key.data
            try:
                status, body = one.read()
            except EOFError:
                waiting.unregister(one.socket)
                one.close()
                one.open()
                waiting.register(one.socket, selectors.EVENT_READ, one)
                one.socket.sendall(pick())
                continue
            times.append(time.perf_counter() - due_of[one])
            word = outcome_of(status, body)
            outcomes[word] = outcomes.get(word, 0) + 1
            free.append(one)
    took = time.perf_counter() - began
    for key in list(waiting.get_map().values()):
        key.data.close()
    return Run(took, times, outcomes)


def outcome_of(status: int, body: bytes) -> str:
    """One word for an answer, cheaply."""
    if status != 200:
        return str(status)
    if b'"reported_at"' in body:
        return "reported"
    if b'"decision": true' in body[:24]:
        return "allow"
    return "needs_approval" if b'"needs_approval"' in body else "deny" if b'"decision"' in body else "page"


# --- What is measured ------------------------------------------------------------------------------------------------


def measured(asking: list[Asking], seconds: float) -> list[str]:
    """Every figure in turn; the names of the bounds that were missed."""
    chance = random.Random(1)
    requests = [request for one in asking for request in one.requests]
    chance.shuffle(requests)

    def pick() -> bytes:
        return chance.choice(requests)

    bare = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    load(pick, 3)  # every contract is read, every thread warm
    missed = []
    print(load(lambda: bare, seconds).told("bare view, as fast as it goes"))
    fast = load(pick, seconds)
    print(fast.told("decisions, as fast as they go"))
    few = load(pick, seconds, connections=4)
    print(few.told("decisions over 4 connections"))
    paced = load(pick, seconds, pace=PACE)
    print(paced.told(f"decisions at {PACE} a second"))
    batch = [
        sent(
            one.token,
            {"evaluations": [evaluation_request(chance) for _ in range(20)]},
            "/access/v1/evaluations",
        )
        for one in asking
    ]
    boxed = load(lambda: chance.choice(batch), seconds, connections=4)
    print(boxed.told("batches of 20") + f": {boxed.rate * 20:.0f} decisions a second")
    print(reported(asking, seconds).told("outcomes of decisions"))
    if max(fast.rate, paced.rate) < 1000:
        missed.append("1,000 decisions a second")
    if paced.at(0.99) > 20:
        missed.append("p99 under 20 ms at 1,000 a second")
    missed += pages(pick, seconds)
    missed += switched(asking[0])
    missed += superseded(asking[1])
    missed += away(asking[2])
    return missed


def reported(asking: list[Asking], seconds: float) -> Run:
    """What came of decisions, as fast as it is taken: each report is of another decision while they last."""
    chance, connection, requests = random.Random(2), Connection(), []
    for one in asking:
        body = {"evaluations": [evaluation_request(chance) for _ in range(200)]}
        _, answer = connection.ask(sent(one.token, body, "/access/v1/evaluations"))
        requests += [
            sent(one.token, {"decision": told["context"]["id"], "outcome": "done"}, "/access/v1/outcomes")
            for told in json.loads(answer)["evaluations"]
            if told["decision"]
        ]
    connection.close()
    chance.shuffle(requests)
    rest = itertools.cycle(requests)
    return load(lambda: next(rest), seconds)


def signed_in(login: str):
    """A browser, as urllib has it, of somebody who signed in."""
    from tests.support import factories

    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{memory.place()}/sign-in/").read().decode()
    form = {"username": login, "password": factories.PASSWORD, "csrfmiddlewaretoken": memory.token_of(page)}
    browser.open(f"{memory.place()}/sign-in/", urllib.parse.urlencode(form).encode())
    return browser


def pages(pick, seconds: float) -> list[str]:
    """The pages of governance, read by one person after another, without and with a thousand decisions a second."""
    browser = signed_in("chair")

    def round_trip(until: float) -> list[float]:
        times = []
        while time.perf_counter() < until:
            for page in PAGES:
                began = time.perf_counter()
                browser.open(f"{memory.place()}{page}").read()
                times.append(time.perf_counter() - began)
                time.sleep(0.05)
        return times

    round_trip(time.perf_counter() + 3)
    quiet = round_trip(time.perf_counter() + seconds)
    stop, found = threading.Event(), []
    other = threading.Thread(target=lambda: found.append(load(pick, 600, pace=PACE, stop=stop)))
    other.start()
    time.sleep(1)
    busy = round_trip(time.perf_counter() + seconds)
    stop.set()
    other.join()
    p95 = [statistics.quantiles(times, n=20)[18] * 1000 for times in (quiet, busy)]
    print(f"pages: p95 {p95[0]:.0f} ms without, {p95[1]:.0f} ms with the load (at most {2 * p95[0]:.0f})")
    print(found[0].told("  decisions meanwhile"))
    return ["pages under load"] if p95[1] > 2 * p95[0] else []


def watched(one: Asking, act, old: str) -> tuple[float, int]:
    """Seconds from the end of `act` to the last answer that was still the old one, over both web processes.

    Four connections ask without a pause before, during and two seconds after; returns with it how many answers came
    after the act. `old` is found in old answers.
    """
    chance = random.Random(3)
    request = sent(one.token, evaluation_request(chance, ACTIONS[0]) | {"resource": {
        "type": "order", "id": "o-1", "properties": {"status": "open"}}})  # fmt: skip
    seen, stop = [], threading.Event()

    def asking() -> None:
        connection = Connection()
        while not stop.is_set():
            _, body = connection.ask(request)
            seen.append((time.perf_counter(), old.encode() in body))
            connection.close()  # a new one each time: either process answers

    threads = [threading.Thread(target=asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    act()
    done = time.perf_counter()
    time.sleep(2.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert any(was for at, was in seen if at < done), "the old answer was never given"
    last = max((at for at, was in seen if was), default=done)
    return last - done, sum(at > done for at, _ in seen)


def switched(one: Asking) -> list[str]:
    """From the press of the switch to the last allow."""
    from initiatives.contracts.enforcement import kill_switch

    def press() -> None:
        kill_switch.switch_off(initiative=one.initiative, reason="A drill", by=one.team.owner)

    last, count = watched(one, press, '"decision": true')
    print(f"switch: the last allow {last:.2f} s after the press (at most 1), {count} answers after it")
    kill_switch.switch_on(initiative=one.initiative, reason="The drill is over", by=one.team.owner)
    return ["switch within a second"] if last > 1 else []


def superseded(one: Asking) -> list[str]:
    """From the commit of the next version to the last decision by the old one; and what the log says of it."""
    from governance import clock
    from governance.models import PolicyDecision

    told = {}

    def next_version() -> None:
        in_force(one.initiative, one.team, clauses(95))
        told["at"] = clock.now()

    last, count = watched(one, next_version, '"version": 1')
    time.sleep(2)
    rows = PolicyDecision.objects.filter(initiative_number=one.initiative.number)
    late = rows.filter(at__gt=told["at"] + timedelta(seconds=1)).exclude(version_number=2).count()
    unnamed = rows.filter(version_number=None).count()
    print(
        f"superseded: the last decision by version 1 {last:.2f} s after the commit (at most 1), {count} answers"
        f" after it; in the log {late} by version 1 later than a second, {unnamed} without a version"
    )
    return ["superseded within a second"] if last > 1 or late or unnamed else []


def away(one: Asking) -> list[str]:
    """The database stops, and comes back."""
    from django.conf import settings
    from django.db import connections

    request = one.requests[0]
    connection = Connection()
    connections.close_all()
    assert connection.ask(request)[0] == 200
    settings.EMBEDDED_DATABASE.stop()
    stopped, slowest, words, allowed = time.perf_counter(), 0.0, {}, 0.0
    while time.perf_counter() - stopped < 4:
        began = time.perf_counter()
        status, body = connection.ask(request)
        slowest = max(slowest, time.perf_counter() - began)
        answer = json.loads(body)
        if status == 200 and answer["decision"]:
            allowed = time.perf_counter() - stopped
        words[status, answer if isinstance(answer, str) else answer["context"]["code"]] = True
        time.sleep(0.02)
    settings.EMBEDDED_DATABASE.start()
    back = time.perf_counter()
    while time.perf_counter() - back < 20:
        status, body = connection.ask(request)
        if status == 200 and json.loads(body)["context"]["code"] not in ("unavailable", "error"):
            break
        time.sleep(0.05)
    again = time.perf_counter() - back
    with contextlib.suppress(Exception):
        connections.close_all()
    print(
        f"database away: the last allow {allowed:.2f} s after it stopped (at most 1), the slowest answer"
        f" {slowest * 1000:.0f} ms, answers {sorted(map(str, words))}; {again:.2f} s after it was back it decided again"
    )
    return ["database away"] if allowed > 1 or slowest > 2 or again > 15 else []


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("seconds", nargs="?", type=float, default=10)
    options.add_argument("--contracts", type=int, default=100)
    given = options.parse_args()
    main(given.seconds, given.contracts)
