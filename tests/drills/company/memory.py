"""What web server and worker hold under mixed work.

    python -m tests.drills.company.memory [MINUTES] [--rate R] [--tasks N]

The web server and the worker with its beat run as `make run` starts them, over the demo. Several people at once do what
people do, through HTTP: look around, on past days too, search, export, download, subscribe to a calendar, register,
answer, upload and look at what they uploaded, sign and withdraw, import, sign in and out; tasks are sent to the worker.
Each minute the memory that each process has filled itself (its anonymous pages) is noted, whether or not a process
that was forked from it still reads some of them: pages of its own (USS) become more by every reference that is counted
in one of those, which is no memory taken. At the end stands the slope over the second half for a process that lived
through it. Web processes are replaced after some thousand requests: of those stands the most that any of them held, in
the first half and in the second, both of which see whole lives where the run is longer than an hour.

People leave more and more behind, and tasks that read initiatives read more each time. With `--tasks` nobody is at
work, and the worker runs so many tasks over data that stay as they are: what it holds more at the end was left behind
by tasks.

Flat is a slope of MOST an hour, and a height that the second half passes by MOST at the most: a web process answers
some two requests a second, so that one object of Python (half a KiB with what hangs on it) left behind by each would be
3.5 MiB in an hour.

A change in governance/runtime, governance/queue or governance/web asks for it.
"""

import argparse
import collections
import contextlib
import http.cookiejar
import json
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import psutil

from tests.drills.audit_log import crash

MOST = 3.0  # MiB
MIB = 1024 * 1024
BATCH = 160  # tasks that wait at once
LINKS = 400  # addresses that a person has in mind
WORDS = ("forecast", "summary", "claims", "AI-00", "letter", "model", "board", "nothing at all")
SEATS = (
    "seat-value", "seat-risk", "seat-security", "seat-architecture", "seat-operations", "seat-adoption",
)  # fmt: skip
PEOPLE = ("owner", "lead", "steward", "chair", "auditor", "admin", *SEATS)
EXPORTS = {
    "": ("/initiatives/export.csv", "/decisions/?format=csv", "/audit-log/checkpoint/", "/audit-log/verify.py"),
    "auditor": (
        *("/audit/?format=csv", "/audit/readings/?format=csv", "/audit/sign-ins/?format=csv"),
        *("/audit/rights/?format=csv", "/audit/frameworks/?format=csv"),
    ),
    "admin": ("/accounts/?format=csv",),
}  # fmt: skip


def main(minutes: int, rate: float, tasks: int) -> None:
    """Found, load, sample, judge; exit code 1 when something grows or a request broke down."""
    with tempfile.TemporaryDirectory(prefix="plumbline-memory-") as folder:
        Path(folder).chmod(0o755)
        crash.django_on(Path(folder))
        from django.conf import settings

        settings.EMBEDDED_DATABASE.start()
        try:
            password = found()
            with open(Path(folder) / "complaints", "w") as complaints:
                parts = started(complaints)
            try:
                wrong = idle(parts, tasks) if tasks else judge(*loaded(parts, password, minutes, rate))
            finally:
                for part in parts.values():
                    crash.kill(part)
                said = (Path(folder) / "complaints").read_text().splitlines()
                print(
                    f"web server and worker complained in {len(said)} lines; the last:", *said[-5:], sep="\n"
                )
        finally:
            settings.EMBEDDED_DATABASE.stop()
    sys.exit(wrong)


def found() -> str:
    """Tables, roles, style sheets and the demo; the password of all its people."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    crash.tables()
    call_command("demo")
    connection.close()
    return json.loads((settings.DATA_DIR / "logins.json").read_text())["password"]


def started(complaints) -> dict:
    """Web server and worker; returns when the first answers."""
    from governance.management.commands import run

    told = run.environment()
    parts = {name: crash.begun(command, told, complaints) for name, command in run.commands().items()}
    for _ in range(600):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{place()}/readyz", timeout=5):
            return parts
        time.sleep(0.2)
    raise SystemExit("the web server does not answer")


def place() -> str:
    """Where it listens."""
    from django.conf import settings

    return f"http://127.0.0.1:{settings.PORT}"


# --- Samples --------------------------------------------------------------------------------------------------------


def loaded(parts: dict, password: str, minutes: int, rate: float) -> tuple[list[dict], collections.Counter]:
    """The load for so many minutes; the samples, one a minute, and how often what was done."""
    done, stopped = collections.Counter(), threading.Event()
    people = [
        Person(login, password, len(PEOPLE) / rate, done, stopped, seed) for seed, login in enumerate(PEOPLE)
    ]
    for person in people:
        person.start()
    samples, began = [], time.monotonic()
    try:
        while len(samples) < minutes and all(part.poll() is None for part in parts.values()):
            until = began + 60 * (len(samples) + 1)
            while (left := until - time.monotonic()) > 0:
                run_beat(done)
                time.sleep(min(left, 5))
            samples.append(sample(parts))
            if len(samples) == 1:
                print("minute  requests  " + "  ".join(f"{name:>14}" for name in samples[0]))
            print(
                f"{len(samples):>6}  {sum(done.values()):>8}  "
                + "  ".join(f"{held / MIB:>14.1f}" for held in samples[-1].values()),
                flush=True,
            )
    finally:
        stopped.set()
        for person in people:
            person.join()
    return samples, done


def idle(parts: dict, tasks: int) -> int:
    """Send so many tasks while nobody works; 1 when the worker holds more after the last than after half of them."""
    from django.conf import settings

    held, done = [], collections.Counter()
    for tenth in range(1, 11):
        while done["task"] < tasks * tenth // 10:
            for _ in range(BATCH):
                run_beat(done)
            for _ in range(240 * 20):  # a queue message that waits longer is dropped
                if not any(one.is_file() for one in (settings.DATA_DIR / "queue").iterdir()):
                    break
                time.sleep(0.05)
            else:
                raise SystemExit("the worker does not keep up")
        held.append(_highest(sample(parts), "worker"))
        print(f"{done['task']:>6} tasks: the worker holds {held[-1]:.1f} MiB", flush=True)
    return int(held[-1] - held[4] > MOST)


def sample(parts: dict) -> dict[str, int]:
    """Bytes that each process has filled, by what it is and its number: one that was replaced shows."""
    found = {}
    for name, part in parts.items():
        if part.poll() is not None:
            continue
        top = psutil.Process(part.pid)
        for process in [top, *sorted(top.children(recursive=True), key=lambda process: process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                held = process.memory_info()
                found[f"{name.split()[0]} {process.pid}"] = held.rss - held.shared
    return found


def judge(samples: list[dict], done: collections.Counter) -> int:
    """Print what was done, each slope and height; 1 when one is too much, a part was lost or a request broke down."""
    print(", ".join(f"{what} {often}" for what, often in sorted(done.items())))
    wrong = [what for what in done if what.endswith("broke down")]
    halves = samples[: len(samples) // 2], samples[len(samples) // 2 :]
    hours = [minute / 60 for minute in range(len(halves[1]))]
    for name in samples[0]:
        if all(name in one for one in samples) and len(hours) > 2:
            held = [one[name] / MIB for one in halves[1]]
            slope = statistics.linear_regression(hours, held).slope
            wrong += [f"{name} grows"] if slope > MOST else []
            print(
                f"{name:>14}: {held[0]:.1f} to {held[-1]:.1f} MiB, {slope:+.1f} MiB/h"
                f" (at most {MOST:g}: {'flat' if slope <= MOST else 'GROWS'})"
            )
    for part in dict.fromkeys(name.split()[0] for name in samples[0]):
        first, second = ([_highest(one, part) for one in half] for half in halves)
        if not (first and second and second[-1]):
            wrong.append(f"{part} was lost")
            continue
        lived = len({name for one in samples for name in one if name.startswith(part)})
        more = max(second) - max(first)
        wrong += [f"{part} climbs"] if more > MOST else []
        print(
            f"{part:>14}: {lived} processes, the largest held {max(first):.1f} MiB in the first half,"
            f" {max(second):.1f} in the second (at most {MOST:g} more: {'flat' if more <= MOST else 'CLIMBS'})"
        )
    print(f"wrong: {', '.join(wrong) or 'nothing'}")
    return bool(wrong)


def _highest(sample: dict[str, int], part: str) -> float:
    """What the largest process of a part held then, in MiB; 0 where none was there."""
    return max((held / MIB for name, held in sample.items() if name.startswith(part)), default=0.0)


def run_beat(done: collections.Counter) -> None:
    """Send one of the tasks that the clock sends, so that each runs far more often than it would."""
    from django.conf import settings

    from governance.celery import app

    tasks = [one["task"] for one in settings.CELERY_BEAT_SCHEDULE.values()]
    app.send_task(tasks[done["task"] % len(tasks)], expires=240)
    done["task"] += 1


def token_of(page: str) -> str:
    """What a form of this page proves with that it was shown."""
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]


# --- People ---------------------------------------------------------------------------------------------------------


class Person(threading.Thread):
    """One of the people of the demo, at work until it is stopped."""

    def __init__(self, login, password, pause, done, stopped, seed):
        super().__init__(daemon=True)
        self.login, self.password, self.pause = login, password, pause
        self.done, self.stopped, self.chance = done, stopped, random.Random(seed)
        self.links = ["/"]
        acts = {
            self.look: 40,
            self.look_back: 8,
            self.search: 8,
            self.export: 3,
            self.calendar: 1,
            self.leave: 1,
        }
        if login in ("owner", "lead", "steward"):
            acts |= {self.answer: 8, self.upload: 8}
        if login == "owner":
            acts |= {self.register: 3}
        if login in SEATS:
            acts |= {self.sign: 6}
        if login == "admin":
            acts |= {self.bring_in: 2}
        self.acts, self.often = list(acts), list(acts.values())

    def run(self) -> None:
        """Sign in; then one thing after the other, with pauses as chance has them."""
        act = self.sign_in
        while not self.stopped.is_set():
            self.doing = act.__name__
            try:
                act()
            except urllib.error.HTTPError as answer:
                self.done[f"{self.doing} {'refused' if answer.code < 500 else 'broke down'}"] += 1
                answer.close()
            except OSError:
                self.done[f"{self.doing} broke down"] += 1
            act = self.chance.choices(self.acts, self.often)[0]

    def open(self, address: str, data: dict | None = None) -> str:
        """One request, after a pause; the page as text, its links kept in mind."""
        from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

        self.stopped.wait(self.chance.expovariate(1 / self.pause))
        request = urllib.request.Request(place() + address)
        if data is not None:
            request.data = encode_multipart(BOUNDARY, data)
            request.add_header("Content-Type", MULTIPART_CONTENT)
        with self.browser.open(request, timeout=60) as answer:
            content = answer.read()
            self.done[self.doing] += 1
            if not answer.headers["Content-Type"].startswith("text/html"):
                return ""
        page = content.decode()
        self.links += [
            link.replace("&amp;", "&")
            for link in re.findall(r'href="(/[^"#]*)', page)
            if not link.startswith(("/static/", "/sign-"))
        ]
        self.chance.shuffle(self.links)
        del self.links[LINKS:]
        return page

    def fill(self, address: str, action: str = "", **values) -> str:
        """Open a page, fill in its form and send it; what was said then."""
        return self.send(address, self.open(address), action, **values)

    def send(self, address: str, page: str, action: str = "", **values) -> str:
        """Send the form of a page that goes to `action`, filled in; what was said then, "" without such a form."""
        from tests.support.input.generated_input import forms_of

        for form in forms_of(address, page):
            if form.method == "post" and action in form.action:
                return self.open(form.action, form.sent | {"csrfmiddlewaretoken": token_of(page)} | values)
        return ""

    def one_of(self, pattern: str, page: str) -> str:
        """An address on a page that is like this, or "" where there is none."""
        found = re.findall(rf'href="({pattern})"', page)
        return self.chance.choice(found).replace("&amp;", "&") if found else ""

    def sign_in(self) -> None:
        """With a new session."""
        jar = http.cookiejar.CookieJar()
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.fill("/sign-in/", username=self.login, password=self.password)

    def leave(self) -> None:
        """Sign out, and in again."""
        page = self.open("/account/")
        self.open("/sign-out/", {"csrfmiddlewaretoken": token_of(page)})
        self.sign_in()

    def look(self) -> None:
        """Follow a link."""
        self.open(self.chance.choice(self.links))

    def look_back(self) -> None:
        """A page as it was on a day of the last year."""
        day = date.today() - timedelta(days=self.chance.randrange(60))
        pages = [
            link
            for link in self.links
            if re.fullmatch(r"/initiatives/AI-\d+/(evidence/|people/|requirements/)?", link)
        ]
        self.open(f"{self.chance.choice(pages or ['/initiatives/'])}?as_of={day}")

    def search(self) -> None:
        """For a word, everywhere or in the portfolio."""
        where = self.chance.choice(("/search/", "/initiatives/", "/decisions/"))
        self.open(f"{where}?{urllib.parse.urlencode({'q': self.chance.choice(WORDS)})}")

    def export(self) -> None:
        """A table, or what the audit log hands out."""
        self.open(self.chance.choice(EXPORTS[""] + EXPORTS.get(self.login, ())))

    def calendar(self) -> None:
        """A new calendar, and what a program fetches from it."""
        said = self.fill("/settings/", "/settings/calendar/")
        if feed := re.search(r"/calendar/[^\"<\s]+\.ics", said):
            for _ in range(5):
                self.open(feed[0])

    def initiative(self) -> str:
        """The address of an initiative of one's own."""
        return self.one_of(r"/initiatives/AI-\d+/", self.open("/initiatives/?approved_stage=mvp"))

    def register(self) -> None:
        """An idea."""
        self.fill(
            "/initiatives/register/",
            title=f"Idea {time.time()}",
            problem="It takes long.",
        )

    def answer(self) -> None:
        """A row of a list of requirements."""
        initiative = self.initiative()
        row = self.one_of(rf"{initiative}requirements/[\w.]+/[^\"]*", self.open(f"{initiative}requirements/"))
        if row:
            self.fill(row, row, text=f"So it is, said at {time.time()}.")

    def upload(self) -> None:
        """A picture, a table or a text as evidence; then it is looked at, shown and downloaded."""
        from tests.support.input import hostile_files

        initiative, side = self.initiative(), self.chance.randrange(200, 900)
        name, content = self.chance.choice(
            (
                ("picture.png", hostile_files.png(side, side)),
                ("page.pdf", hostile_files.pdf()),
                ("table.csv", b"name,value\n" + b"a,1\n" * side * 20),
                ("notes.txt", os.urandom(side * 300).hex().encode()),
            )
        )
        file = BytesIO(content)
        file.name = name
        address = f"{initiative}evidence/add/?kind=document"
        page = self.open(address)
        choices = re.findall(r'name="covers" value="([^"]+)"', page)
        self.send(
            address,
            page,
            title=f"Evidence {time.time()}",
            covers=self.chance.sample(choices, min(2, len(choices))),
            observed_on=str(date.today()),
            file=file,
        )
        newest = re.search(rf'href="({initiative}evidence/\d+/)"', self.open(f"{initiative}evidence/"))
        for way in ("look/", "look/content/", "file/"):
            self.open(f"{newest[1]}{way}")

    def sign(self) -> None:
        """Sign for one's seat where a review is open, or take the signature back."""
        review = self.one_of(r"/reviews/\d+/", self.open("/reviews/"))
        page = self.open(review) if review else ""
        if back := self.one_of(r"/rows/sign-offs/\d+/withdraw/", page):
            self.fill(back, back, reason="Looked at it again.")
        elif way := self.one_of(r"/reviews/\d+/sign/\w+/[^\"]*", page):
            self.fill(way.partition("?")[0] + "?verdict=approve", "sign", password=self.password)

    def bring_in(self) -> None:
        """An inventory, read and looked through, and not confirmed."""
        lines = "".join(f"NASA,N-{n},Finder {n},\n" for n in range(300))
        file = BytesIO(f"agency,id,use_case_name,development_stage\n{lines}".encode())
        file.name = "inventory.csv"
        self.fill("/imports/", file=file, source="us-2025")


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("minutes", type=int, nargs="?", default=60)
    asked.add_argument("--rate", type=float, default=4.0, help="requests a second")
    asked.add_argument("--tasks", type=int, default=0, help="no people: so many tasks over data that stay")
    given = asked.parse_args()
    main(given.minutes, given.rate, given.tasks)
