"""A file of 50,000 rows, read and entered by the worker while people look at pages.

    python -m tests.drills.company.imports [ROWS] [--initiatives N] [--xlsx]

Told are the seconds of reading and of entering, the most memory that the worker's process filled itself above what it
held when idle, the 95th percentile of pages beside it against without, and what is left of one that is cancelled
midway: nothing may be, in rows or on pages. At last all that was entered is undone in one act.
"""

import argparse
import csv
import io
import os
import re
import statistics
import subprocess
import sys
import threading
import time

import psutil

from tests.drills.company import place, thousands

MOST_MEMORY = 150  # MB above the idle worker, for csv
MOST_SLOWER = 1.5  # times the p95 without an import
TITLE = "Assistant"  # how each system begins
# Where a system would be named, were something left of it: address and query.
SHOWN = (
    *(
        ("portfolio", "view=list&whose=external"),
        ("portfolio", f"whose=external&q={TITLE}"),
        ("portfolio-export", ""),
    ),
    *(("inbox", ""), ("imports-several", "")),
    *(("insights-money", ""), ("imports", "")),
)
STAGES = ("Deployed", "Pilot", "Pre-deployment", "Retired", "", "In Betrieb")
COUNTED = ("Initiative", "ImportBatch", "ImportRow", "InventorySource", "StageChange", "SupportedStagePeriod")
WORKER = """
import os, sys, time
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from initiatives.models import Initiative
from initiatives.portfolio.imports.inventories import import_runs
import initiatives.tasks
Initiative.objects.first()
print("idle", flush=True)
for line in sys.stdin:
    began = time.monotonic()
    run = import_runs.run(int(line))
    print(run.state, round(time.monotonic() - began, 1), run.trouble, flush=True)
"""


def main() -> int:
    """Measure, print; how many bounds were broken."""
    asked = argparse.ArgumentParser()
    asked.add_argument("rows", type=int, nargs="?", default=50_000)
    asked.add_argument("--initiatives", type=int, default=500, help="initiatives that are there before")
    asked.add_argument("--xlsx", action="store_true", help="send a workbook")
    given = asked.parse_args()
    with place.database():
        from django.conf import settings
        from django.db import connection

        settings.ROOT_URLCONF = "tests.drills.company.urls"
        company = thousands.found(given.initiatives)
        content = made(given.rows, given.xlsx)
        print(f"{given.rows} rows, {len(content) / 1e6:.1f} MB", flush=True)
        worker = Worker(connection.settings_dict["NAME"])
        try:
            return trial(company, worker, content, given)
        finally:
            worker.end()


def made(rows: int, as_workbook: bool) -> bytes:
    """An inventory of so many systems with thirteen columns; every fiftieth repeats an id, every hundredth a line."""
    header = ["Name", "Agency", "Bureau", "ID", "Status", "Purpose", "Vendor", "Email", "Start date"]
    header += [f"Question {n}" for n in range(4)]
    table = [header]
    for n in range(rows):
        if n % 100 == 99:
            table.append(table[-1])
            continue
        table.append(
            [
                *(f"{TITLE} {n}", f"Agency {n % 20}", f"Office {n % 60}"),
                f"A-{n if n % 50 else 7}",
                STAGES[n % len(STAGES)],
                f"Helps people of office {n % 60} with what they ask {n} times a day, in words of their own.",
                *(f"Vendor {n % 300}", f"person{n}@example.org", f"2024-{n % 12 + 1:02}-{n % 28 + 1:02}"),
                *("Yes", "N/A", f"Answer {n}, which is as long as answers are.", "[blank]"),
            ]
        )
    if as_workbook:
        import openpyxl

        workbook = openpyxl.Workbook(write_only=True)
        sheet = workbook.create_sheet("Inventory")
        for row in table:
            sheet.append(row)
        stored = io.BytesIO()
        workbook.save(stored)
        return stored.getvalue()
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue().encode()


class Worker:
    """A process that does what the worker does, and how much memory it fills."""

    def __init__(self, database: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "idle\n"
        self._seen = psutil.Process(self._process.pid)
        self.idle = self.filled()

    def filled(self) -> int:
        """Bytes of its own pages."""
        held = self._seen.memory_full_info()
        return held.uss

    def do(self, key: int):
        """Start a run; gives a function that waits for its end, and what it says: state, seconds, most bytes above."""
        most = [0]
        self._process.stdin.write(f"{key}\n")
        self._process.stdin.flush()
        said: list[str] = []
        waits = threading.Thread(target=lambda: said.append(self._process.stdout.readline()))
        waits.start()

        def watch() -> None:
            while waits.is_alive():
                most[0] = max(most[0], self.filled() - self.idle)
                time.sleep(0.1)

        watching = threading.Thread(target=watch)
        watching.start()

        def end() -> tuple[str, float, int]:
            waits.join()
            watching.join()
            state, seconds, *trouble = said[0].split(maxsplit=2)
            if trouble:
                print("   ", *trouble)
            return state, float(seconds), most[0]

        return end, waits.is_alive

    def end(self) -> None:
        """End its process."""
        self._process.stdin.close()
        self._process.wait(timeout=30)


def trial(company, worker: Worker, content: bytes, given) -> int:
    """Read, cancel, enter; how many bounds were broken."""
    from django.test import Client
    from django.urls import reverse

    from initiatives.models import ImportBatch, Initiative
    from initiatives.portfolio.imports.inventories import import_runs

    import_runs.after_commit = lambda *message: (
        None
    )  # the worker of this drill is told by it, not by the queue
    admin = company.cast.admin
    client = Client(SERVER_NAME="localhost")
    client.force_login(admin)
    initiative = Initiative.objects.filter(stage="production").first()
    pages = [reverse("portfolio"), initiative.get_absolute_url(), reverse("inbox"), reverse("imports")]
    for url in pages * 3:
        client.get(url)
    alone = [asked(client, url) for _ in range(30) for url in pages]
    print(f"pages without: p95 {p95(alone):.0f} ms", flush=True)
    name = "inventory.xlsx" if given.xlsx else "inventory.csv"
    broken, before = 0, counts()

    def ask(kind: str, **more):
        return import_runs.ask_run(kind=kind, rows=given.rows, file_name=name, by=admin, **more)

    def beside(run, until=None) -> tuple[str, float, int, list[float]]:
        end, busy = worker.do(run.pk)
        took: list[float] = []
        while busy():
            took.append(asked(client, pages[len(took) % len(pages)]))
            time.sleep(0.05)
            if until is not None:
                run.refresh_from_db()
                if run.rows_done >= until:
                    import_runs.cancel_run(run=run, by=admin)
                    until = None
        return *end(), took

    def told(what: str, result, ends: str = "done") -> int:
        state, seconds, most, took = result
        slower = p95(took) / p95(alone)
        print(
            f"{what}: {state} in {seconds:.1f} s, {most / 1e6:.0f} MB above idle, pages beside p95 {p95(took):.0f} ms"
            f" ({slower:.2f} x, {len(took)} asked)",
            flush=True,
        )
        return sum((state != ends, most > MOST_MEMORY * 1e6 and not given.xlsx, slower > MOST_SLOWER))

    options = {"source": "drill"}
    run = ask("upload", content=content, options=options)
    broken += told("reading, cancelled midway", beside(run, given.rows // 5), "cancelled")
    broken += left("of the reading", before) + on_pages(client, named=False)
    broken += told("reading", beside(ask("upload", content=content, options=options)))
    batch = ImportBatch.objects.get()
    print(f"    {batch.counts}")
    broken += batch.counts["rows"] != given.rows or batch.rows.count() != given.rows
    read = counts()
    run = ask("confirm", batch=batch, options={})
    broken += told("entering, cancelled midway", beside(run, given.rows // 5), "cancelled")
    broken += left("of the entering", read) + on_pages(client, named=False)
    broken += told("entering", beside(ask("confirm", batch=batch, options={})))
    batch.refresh_from_db()
    print(f"    {batch.counts}")
    broken += sum(count for word, count in batch.counts.items() if word != "rows") != given.rows
    after = [asked(client, url) for _ in range(30) for url in pages]
    print(
        f"pages once they are entered: p95 {p95(after):.0f} ms ({p95(after) / p95(alone):.2f} x)", flush=True
    )
    broken += on_pages(client, named=True)
    broken += undone(batch, admin) + on_pages(client, named=False)
    print(f"{broken} bounds broken")
    return broken


def asked(client, url: str) -> float:
    """Milliseconds of a page."""
    began = time.perf_counter()
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return 1000 * (time.perf_counter() - began)


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else 0.0


def counts() -> dict[str, int]:
    """Rows of what an import writes, acts in the audit log, units, messages."""
    from django.apps import apps

    from governance.models import Entry, Notification, Unit

    found = {name: apps.get_model("initiatives", name).objects.count() for name in COUNTED}
    acts = Entry.objects.acts().exclude(kind="refused").count()
    return found | {
        "acts": acts,
        "units": Unit.objects.count(),
        "notifications": Notification.objects.count(),
    }


def on_pages(client, named: bool) -> int:
    """Whether pages name a system of the file although none should, or none does although some should."""
    from django.urls import reverse

    found = [name for name, query in SHOWN if names_one(client, f"{reverse(name)}?{query}")]
    print(
        f"    named on {len(found)} of {len(SHOWN)} pages{': ' if found else ''}{', '.join(found)}",
        flush=True,
    )
    return bool(found) != named


def names_one(client, url: str) -> bool:
    """Whether the page, or the file, at this address names a system of the inventory."""
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    content = answer.getvalue() if answer.streaming else answer.content
    return bool(re.search(rf"{TITLE} \d", content.decode()))


def undone(batch, admin) -> int:
    """Undo all that was entered in one act; whether some of it is live still."""
    from initiatives.models import Initiative
    from initiatives.portfolio.imports.removal import actions

    brought = list(actions.brought_by(batch).values_list("pk", flat=True))
    began = time.monotonic()
    count = actions.undo_batch(batch=batch, reason="The wrong list.", by=admin)
    live = Initiative.objects.live().filter(pk__in=brought).count()
    print(f"undone: {count} in {time.monotonic() - began:.1f} s, {live} of them live still", flush=True)
    return bool(live) or count != len(brought)


def left(what: str, before: dict[str, int]) -> int:
    """Whether something is left of what was cancelled."""
    more = {name: count - before[name] for name, count in counts().items() if count != before[name]}
    print(f"    left {what}: {more or 'nothing'}")
    return bool(more)


if __name__ == "__main__":
    sys.exit(bool(main()))
