"""Pages that read from a streaming replica: the same pages, never too old, and without the replica as before.

A change in governance/database or of a page's address asks for it.
"""

import io
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from adoption.audit_log_export import audit_log_export
from governance.database import replica
from governance.models import ProcessHeartbeat
from governance.operations import metrics
from governance.queue.task_base import QueuedTask
from governance.transparency_log import as_of, sealing
from governance.web import middleware
from governance.web.pages.as_of_views import Day
from initiatives.lifecycle.access import visibility
from initiatives.models import Initiative
from tests.acceptance.pages.test_access import address, world  # noqa: F401 - a fixture
from tests.support import factories
from tests.support.servers.streaming_replica import Pair, streaming
from tests.support.web.access_table import TABLE

pytestmark = pytest.mark.django_db(transaction=True)

NO_TABLE = ("portfolio", "audit-log", "audit-sample")  # the file of a sample comes with its end
# What differs from one answer to the next.
OF_ONE_ANSWER = re.compile(rb'[A-Za-z0-9]{64}|nonce="[^"]*"')


@pytest.fixture
def pair(transactional_db, tmp_path, monkeypatch) -> Iterator[Pair]:
    """A primary and its replica, in which Django works. No worker does what acts ask for."""
    monkeypatch.setattr(QueuedTask, "apply_async", lambda *args, **options: None)
    with streaming(tmp_path, monkeypatch) as pair:
        yield pair


@dataclass
class Seen:
    """Which requests were read from the replica, and what of it failed there."""

    read: int = 0
    failed: list[str] = field(default_factory=list)


@pytest.fixture
def seen(monkeypatch) -> Seen:
    noted, reading, failing = Seen(), replica.reading, middleware.Replica.process_exception

    def count(found):
        noted.read += 1
        return reading(found)

    def note(self, request, exception):
        if isinstance(exception, DatabaseError):
            noted.failed.append(f"{request.path}: {exception!r}")
        return failing(self, request, exception)

    monkeypatch.setattr(replica, "reading", count)
    monkeypatch.setattr(middleware.Replica, "process_exception", note)
    return noted


def marked(patterns=None) -> Iterator[tuple[str, bool, bool]]:
    """The names of the pages that read from the replica, and whether today, and whether on other days."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            yield from marked(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            today, days = (hasattr(pattern.callback, name) for name in ("reads_replica", "on_any_day"))
            if today or days:
                yield pattern.name, today, days


def body(answer) -> bytes:
    found = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if found.startswith(b"PK"):  # a workbook, in which the moment of writing is too
        with zipfile.ZipFile(io.BytesIO(found)) as packed:
            return b"".join(packed.read(name) for name in sorted(packed.namelist()) if name.startswith("xl/"))
    return OF_ONE_ANSWER.sub(b"", found)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    client.get("/settings/")  # the session is written here, and not while pages are compared
    return client


def test_pages_read_from_a_replica(pair, cast, world, seen, monkeypatch, settings, tmp_path):  # noqa: F811
    """One test of everything, because two servers take long to make."""
    every_page_is_the_same(pair, cast, world, seen, monkeypatch)
    a_late_replica_is_told_and_left(pair, cast, seen, settings)
    an_export_is_written_from_it(pair, cast, world, seen, tmp_path)
    a_page_that_writes_is_made_by_the_primary(cast, seen, monkeypatch)
    a_replica_that_is_away_is_missed_by_nobody(pair, cast, seen)


def seal_everything():
    """Seal until no entry is left: one that another transaction might still precede waits for its end."""
    until = time.monotonic() + 30
    while sealing.backlog().count:
        assert time.monotonic() < until
        sealing.seal()
        time.sleep(0.05)


def every_page_is_the_same(pair, cast, world, seen, monkeypatch):  # noqa: F811
    seal_everything()
    time.sleep(1.1)  # a moment is named to the second
    factories.make_initiative(cast)
    seal_everything()
    then = Day.of(as_of.known_until().replace(microsecond=0)).asked
    pages = []
    for name, today, days in marked():
        path = address(name, world)
        pages += [(name, path)] * today + [(name, f"{path}?as_of={then}")] * days
        pages += [(name, f"{path}?format=csv")] * (today and name not in NO_TABLE)
    assert len(pages) > 50
    clients = {who: signed_in(getattr(cast, who)) for who in ("auditor", "owner", "admin", "chair")}
    wrong, now = [], timezone.now
    for name, path in pages:
        who = next(one for one in clients if one in TABLE[name].opens)
        pair.caught_up()
        before = seen.read
        monkeypatch.setattr(timezone, "now", repeat(now()).__next__)  # pages tell how long things took
        answer = clients[who].get(path)
        here = body(answer)
        if answer.status_code != 200 or seen.read == before:
            wrong.append(f"{path}: {answer.status_code}, {seen.read - before} times from the replica")
        with monkeypatch.context() as without:
            without.setattr(replica, "set_up", lambda: False)
            there = body(clients[who].get(path))
        monkeypatch.setattr(timezone, "now", now)
        if path.endswith("csv"):  # the first file is an entry in the second
            here, there = (b"", b"") if set(here.splitlines()) <= set(there.splitlines()) else (here, there)
        if here != there:
            place = next(
                (n for n, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1]), 60
            )
            wrong.append(
                f"{path}: {here[place - 60 : place + 60]!r}, there {there[place - 60 : place + 60]!r}"
            )
    assert not [*wrong, *seen.failed], "\n".join(one[:300] for one in [*wrong, *seen.failed])


def a_late_replica_is_told_and_left(pair, cast, seen, settings):
    chair, owner, admin = (signed_in(one) for one in (cast.chair, cast.owner, cast.admin))
    settings.REPLICA_LAG_SECONDS = 60
    pair.caught_up()
    replica.watch.latest()
    pair.tell_standby("SELECT pg_wal_replay_pause()")
    factories.make_initiative(cast, title="Written while it stood still")
    time.sleep(1.5)
    replica.watch.forget()
    before = seen.read
    page = chair.get("/initiatives/").content.decode()
    assert seen.read == before + 1
    assert "Written while it stood still" not in page
    assert re.search(r"Data as of [0-9]{2}:[0-9]{2}:[0-9]{2}", page)

    owner.post("/initiatives/views/save/", {"name": "Mine, just saved", "query": "tier=minimal"})
    assert "Mine, just saved" in owner.get("/initiatives/").content.decode()
    assert seen.read == before + 1, "people see what they did"

    settings.REPLICA_LAG_SECONDS = 2
    time.sleep(1)
    replica.watch.forget()
    page = chair.get("/initiatives/").content.decode()
    assert "Written while it stood still" in page
    assert "Data as of" not in page
    assert seen.read == before + 1
    assert re.search(r"The replica is [0-9]+ seconds behind\.", admin.get("/status/").content.decode())

    pair.tell_standby("SELECT pg_wal_replay_resume()")
    settings.REPLICA_LAG_SECONDS = 60
    pair.caught_up()
    page = owner.get("/initiatives/").content.decode()
    assert "Mine, just saved" in page
    assert "Data as of" not in page
    assert seen.read == before + 2


def an_export_is_written_from_it(pair, cast, world, seen, tmp_path):  # noqa: F811
    initiative = Initiative.objects.get(number=int(world["ref"].removeprefix("AI-")))
    before, out = seen.read, tmp_path / "export.zip"
    scope = audit_log_export.Scope(initiative=initiative)
    done = audit_log_export.export(out=out, scope=scope, by=cast.auditor)
    assert seen.read == before + 1
    with zipfile.ZipFile(out) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith("entries.jsonl")]
        lines = archive.read(name).splitlines()
    assert len(lines) == done.entries
    assert b"Export of initiative" in lines[-1], "its own entry, a moment old, is in it"


def a_page_that_writes_is_made_by_the_primary(cast, seen, monkeypatch):
    chair, visible_to = signed_in(cast.chair), visibility.visible_to

    def writes(person):
        ProcessHeartbeat.objects.filter(kind="worker").update(name="written by a page")
        return visible_to(person)

    before = len(seen.failed)
    with monkeypatch.context() as writing:
        writing.setattr(visibility, "visible_to", writes)
        assert chair.get("/initiatives/").status_code == 200
    assert "read-only transaction" in "".join(seen.failed[before:])
    assert ProcessHeartbeat.objects.get(kind="worker").name == "written by a page"


def a_replica_that_is_away_is_missed_by_nobody(pair, cast, seen):
    chair, admin = signed_in(cast.chair), signed_in(cast.admin)
    replica.watch.forget()
    assert replica.watch.latest().has(0)
    pair.standby.stop()
    assert chair.get("/initiatives/").status_code == 200
    before = seen.read
    assert chair.get("/initiatives/").status_code == 200
    assert seen.read == before
    assert "The replica does not answer." in admin.get("/status/").content.decode()
    assert [metric.samples[0].value for metric in metrics.of_replica()] == [0.0]
