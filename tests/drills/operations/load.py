"""The load of the drill of two hosts: systems and people who write, and note what was acknowledged."""

import argparse
import hashlib
import json
import os
import queue
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

from tests.drills.operations.balancer import Answer, Balancer, Broken, Browser, form_of
from tests.drills.operations.servers import Database, Host, Part

# The share of all requests, and how many requests one act has.
SHARES = {
    "decision": (0.50, 1),
    "interaction": (0.20, 1),
    "measurement": (0.14, 1),
    "upload": (0.06, 2),
    "signature": (0.06, 2),
    "page": (0.04, 1),
}
SYSTEMS, PILES = 3, 3  # initiatives whose systems ask, and initiatives that evidence is uploaded to
LINES, ROWS = 5, 3  # interactions and measurements in one request
AGAIN = 0.05  # of these requests, once more later, as a sender does that is not sure
SENDERS = 24  # threads
MOST_ERRORS = 0.001  # of all requests
PACE_KEPT = 0.95  # of the rate that was asked for
PAGES = ("/", "/initiatives/", "/reviews/", "/search/?q=summary")
JSON = {"Content-Type": "application/json"}


# --- Who sends --------------------------------------------------------------------------------------------------------


@dataclass
class System:
    """The system of one initiative: its key, and the measure that it sends."""

    initiative: int
    token: str
    measure: int


@dataclass
class World:
    """Who writes, and where."""

    systems: list[System]
    piles: list[str]  # references of initiatives
    uploaders: list[str]
    review: int
    signers: list[tuple[str, str]]  # login and seat
    password: str


def founded(host: Host, database: Database) -> World:
    """Initiatives by real acts, as the owner of the tables; and the keys of the interaction log on this host."""
    os.environ |= host.told | {
        "DATABASE_URL": database.url("owner"),
        "DJANGO_SETTINGS_MODULE": "governance.settings",
    }
    import django

    django.setup()
    from django.db import connections

    from adoption.demo import initiative_acts
    from governance.interaction_log import keys
    from initiatives.lifecycle.reviews import actions as review_actions
    from tests.support import factories

    began = time.monotonic()
    cast = factories.make_cast()
    systems = []
    for number in range(SYSTEMS):
        initiative = factories.make_mvp(cast, title=f"System {number}")
        measure = factories.make_measure(cast, initiative)
        scopes = ["evaluate", "interactions", "measurements"]
        _, token = factories.make_key(cast, initiative, scopes=scopes)
        systems.append(System(initiative.number, token.text, measure.pk))
    piles = [factories.make_prototype(cast, title=f"Pile {number}") for number in range(PILES)]
    for pile in piles:
        initiative_acts.staff(pile, cast.team)
    reviewed = factories.make_prototype(cast, title="Reviewed")
    initiative_acts.staff(reviewed, cast.team)
    initiative_acts.contract(initiative_acts.fresh(reviewed), cast.team)
    initiative_acts.plan_scope(reviewed, cast.team)
    initiative_acts.ground_gate(reviewed, "mvp", cast.team)
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(reviewed), cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(reviewed), by=cast.owner)
    asked = [seat for seat in cast.seats if review.parsed_rulebook.criteria_of(review.gate, seat)]
    signers = [(cast.seats[seat].login, str(seat)) for seat in asked]
    keys.current()
    keys.pseudonym("call", "the key of pseudonyms is made")
    connections.close_all()
    print(f"founded in {time.monotonic() - began:.0f} s", flush=True)
    uploaders = [cast.owner.login, cast.lead.login, cast.steward.login]
    return World(systems, [pile.ref for pile in piles], uploaders, review.pk, signers, factories.PASSWORD)


def words_of(answer: Answer) -> str:
    """What an answer that is no acknowledgement says: of a page the errors of its form."""
    text = answer.body.decode(errors="replace")
    if "<html" in text:
        told = re.search(r'role="alert".*?</ul>', text, re.DOTALL)
        text = told[0] if told else "a page without an error"
    return " ".join(re.sub(r"<[^>]*>|^[^<]*>", " ", text).split())


# --- The load ---------------------------------------------------------------------------------------------------------


class Journal:
    """What was acknowledged, a line each, written before the next request of its sender."""

    def __init__(self, path: Path):
        self._path, self._lock = path, threading.Lock()

    def note(self, kind: str, *marks: str) -> None:
        """Write these down."""
        with self._lock, open(self._path, "a") as file:
            file.writelines(json.dumps([kind, mark]) + "\n" for mark in marks)


@dataclass
class Signer:
    """A seat before the review. `own`: its sign-off, "" for none, None where it does not know."""

    browser: Browser
    seat: str
    own: str | None = None


@dataclass
class Load:
    """Everything that is sent, at an even pace."""

    hosts: list[Host]
    world: World
    options: argparse.Namespace
    journal_at: Path
    refused: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """People and systems before the balancer."""
        self.balancer, self.journal = Balancer(self.hosts), Journal(self.journal_at)
        self.chance, self.sent = random.Random(self.options.seed), 0
        self.lock = threading.Lock()
        self.earlier: dict[str, list[tuple[System, bytes, list[str]]]] = {
            "interaction": [],
            "measurement": [],
        }
        self.uploaders: queue.Queue[Browser] = queue.Queue()
        self.signers: queue.Queue[Signer] = queue.Queue()
        self.acts: dict[str, Callable[[], None]] = {
            "decision": self.decide,
            "interaction": self.report,
            "measurement": self.measure,
            "upload": self.upload,
            "signature": self.sign,
            "page": self.look,
        }

    def run(self, victims: dict[str, Part]) -> list[tuple[float, str]]:
        """Send for so many minutes and kill meanwhile; the moments, in seconds from the start, and what was killed.

        Without victims nothing is killed.
        """
        self._sign_in()
        acts: queue.Queue[str | None] = queue.Queue()
        senders = [threading.Thread(target=self._send, args=[acts]) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        began, killed, order = time.monotonic(), [], []
        self.began = began
        until, due, next_kill = began + self.options.minutes * 60, began, began + self.options.every
        weights = [share / cost for share, cost in SHARES.values()]
        while (now := time.monotonic()) < until:
            if victims and now >= next_kill:
                order = order or self.chance.sample(sorted(victims), len(victims))
                name = order.pop()
                victims[name].kill()
                killed.append((now - began, name))
                print(f"{now - began:>6.0f} s  killed: {name}", flush=True)
                next_kill += self.options.every
            if now >= due:
                kind = self.chance.choices(list(SHARES), weights)[0]
                acts.put(kind)
                due += SHARES[kind][1] / self.options.rate
            time.sleep(max(0.0, min(due, until, next_kill if victims else until) - time.monotonic()))
        for _ in senders:
            acts.put(None)
        for sender in senders:
            sender.join()
        self.seconds = time.monotonic() - began
        return killed

    def _sign_in(self) -> None:
        for login in self.world.uploaders * 2:
            self.uploaders.put(self._person(login))
        for login, seat in self.world.signers:
            self.signers.put(Signer(self._person(login), seat))

    def _person(self, login: str) -> Browser:
        browser = Browser(self.balancer, login, self.world.password)
        browser.sign_in()
        return browser

    def _send(self, acts: queue.Queue) -> None:
        while (kind := acts.get()) is not None:
            try:
                self.acts[kind]()
            except Broken:
                continue  # counted by the balancer
            except LookupError as trouble:
                self._refuse(kind, str(trouble))

    def _refuse(self, kind: str, words: str) -> None:
        with self.lock:
            self.refused[f"{kind}: {words[:120]}"] += 1

    def _mark(self) -> str:
        with self.lock:
            self.sent += 1
            return f"drill-{self.sent}"

    def _by(self, system: System) -> dict[str, str]:
        return JSON | {"Authorization": f"Bearer {system.token}"}

    # --- Systems

    def decide(self) -> None:
        """Ask for one decision. To ask twice is to get two decisions: only the one that was heard is noted."""
        from tests.support import factories

        system = self.chance.choice(self.world.systems)
        action = {"name": self.chance.choice(("summarise", "summarise", "delete"))}
        asked = factories.make_evaluation_request(action=action, context={"mark": self._mark()})
        answer = self.balancer.ask(
            "decision",
            "POST",
            "/access/v1/evaluation",
            json.dumps(asked).encode(),
            repeat=True,
            **self._by(system),
        )
        if answer.status != 200:
            return self._unless_error("decision", answer)
        found = json.loads(answer.body)["context"]
        if "id" not in found:  # it was denied because it could not be kept
            with self.balancer.seen.lock:
                self.balancer.seen.errors["decision"] += 1
                self.balancer.seen.first.append(f"decision {found['code']}: {found['reason']}")
            return None
        return self.journal.note("decision", f"{system.initiative} {found['id']}")

    def report(self) -> None:
        """Report interactions, or some that were reported earlier."""
        system, marks = self.chance.choice(self.world.systems), [self._mark() for _ in range(LINES)]
        at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
        said = [
            {"id": mark, "at": at, "model": "m-4", "subject": f"customer {number}", "input": f"Ask {mark}",
             "output": f"So it is, says {mark}."}
            for number, mark in enumerate(marks)
        ]  # fmt: skip
        body = "\n".join(map(json.dumps, said)).encode()
        self._take_in("interaction", "/access/v1/interactions", system, body, marks)

    def measure(self) -> None:
        """Send measurements of the last week, or some that were sent earlier."""
        system, marks = self.chance.choice(self.world.systems), [self._mark() for _ in range(ROWS)]
        days = {"from": str(date.today() - timedelta(days=6)), "to": str(date.today())}
        rows = [days | {"key": mark, "measure": system.measure, "hits": 8, "n": 10} for mark in marks]
        body = json.dumps({"measurements": rows}).encode()
        self._take_in("measurement", "/adoption/v1/measurements", system, body, marks)

    def _take_in(self, kind: str, path: str, system: System, body: bytes, marks: list[str]) -> None:
        earlier = self.earlier[kind]
        if earlier and self.chance.random() < AGAIN:
            system, body, marks = self.chance.choice(earlier)
        answer = self.balancer.ask(kind, "POST", path, body, repeat=True, **self._by(system))
        if answer.status != 200:
            return self._unless_error(kind, answer)
        found = json.loads(answer.body)
        if found["kept"] != len(marks):
            return self._refuse(kind, answer.body.decode())
        self.journal.note(kind, *(f"{system.initiative} {mark}" for mark in marks))
        return earlier.append((system, body, marks))

    def _unless_error(self, kind: str, answer: Answer) -> None:
        if answer.status < 500:
            self._refuse(kind, f"{answer.status} {words_of(answer)}")

    # --- People

    def upload(self) -> None:
        """Add a file with content of its own as evidence."""
        browser = self.uploaders.get()
        try:
            mark = self._mark()
            content = f"{mark}\n".encode() + self.chance.randbytes(20_000).hex().encode()
            file = BytesIO(content)
            file.name = f"{mark}.txt"
            path = f"/initiatives/{self.chance.choice(self.world.piles)}/evidence/add/?kind=document"
            page = browser.open("upload", path)
            covers = form_of(path, page, "covers").fields["covers"][:1]
            today = str(date.today())
            said = {"title": f"Evidence {mark}", "observed_on": today, "covers": covers, "file": file}
            answer = browser.send("upload", path, page, **said)
            if answer.status == 302:
                self.journal.note("upload", hashlib.sha256(content).hexdigest())
            else:
                self._unless_error("upload", answer)
        finally:
            self.uploaders.put(browser)

    def sign(self) -> None:
        """Sign as a seat, or withdraw that."""
        signer = self.signers.get()
        own, signer.own = signer.own, None  # not known until an answer says so
        try:
            if own is None:
                self._look_up(signer)
            elif own:
                path = f"/rows/sign-offs/{own}/withdraw/"
                page = signer.browser.open("signature", path)
                answer = signer.browser.send("signature", path, page, "reason", reason="Looked at it again.")
                if b'name="confirmed"' in answer.body:  # the page says what follows, and asks again
                    answer = signer.browser.send("signature", path, answer, "confirmed")
                if answer.status == 302:
                    self.journal.note("withdrawal", own)
                    signer.own = ""
                else:
                    self._unless_error("signature", answer)
            else:
                path = f"/reviews/{self.world.review}/sign/{signer.seat}/?verdict=approve"
                page = signer.browser.open("signature", path)
                answer = signer.browser.send(
                    "signature", path, page, "statement", password=self.world.password
                )
                if answer.status == 302 and answer.location.startswith("/sign-offs/"):
                    signer.own = answer.location.split("/")[2]
                    self.journal.note("signature", signer.own)
                else:
                    self._unless_error("signature", answer)
        finally:
            self.signers.put(signer)

    def _look_up(self, signer: Signer) -> None:
        page = signer.browser.open("signature", f"/reviews/{self.world.review}/").body.decode()
        found = re.search(r"/rows/sign-offs/(\d+)/withdraw/", page)
        signer.own = found[1] if found else ""

    def look(self) -> None:
        """Read a page as one of the uploaders."""
        browser = self.uploaders.get()
        try:
            answer = browser.open("page", self.chance.choice(PAGES))
            if answer.status != 200:
                self._unless_error("page", answer)
        finally:
            self.uploaders.put(browser)

    # --- What was seen

    def told(self, killed: list[tuple[float, str]]) -> list[str]:
        """Print the table of requests; what of it is wrong."""
        seen, total, errors = self.balancer.seen, 0, 0
        print(
            f"\n{'kind':<14}{'requests':>9}{'repeated':>9}{'errors':>7}{'share':>9}{'p50 ms':>8}{'p99 ms':>8}"
        )
        for kind, count in sorted(seen.requests.items()):
            wrong = seen.errors[kind]
            total, errors = total + count, errors + wrong
            print(
                f"{kind:<14}{count:>9}{seen.repeated[kind]:>9}{wrong:>7}{wrong / count:>9.3%}"
                f"{seen.at(kind, 0.5):>8.0f}{seen.at(kind, 0.99):>8.0f}"
            )
        rate, share = total / self.seconds, errors / max(total, 1)
        print(f"together {total} requests, {rate:.1f} a second, {errors} errors ({share:.3%})")
        print(
            "kills:",
            ", ".join(f"{name} {count}" for name, count in Counter(name for _, name in killed).items()),
        )
        for line in [
            *seen.first[:20],
            *(f"refused {often} times: {what}" for what, often in self.refused.items()),
        ]:
            print(f"  {line}")
        wrong = [f"{share:.3%} errors"] if share > MOST_ERRORS else []
        wrong += [f"{sum(self.refused.values())} requests refused"] if self.refused else []
        return wrong + (
            [f"only {rate:.1f} requests a second"] if rate < PACE_KEPT * self.options.rate else []
        )
