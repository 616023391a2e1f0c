"""Decisions are on disk before their answers go out, many at once; and a full disk denies until there is room again."""

import errno
import os
import threading
from types import SimpleNamespace

import pytest

from governance.authorization import decision_log
from tests.support import factories
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

READ = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "r-1"},
}
ROW = dict.fromkeys(decision_log.FIELDS, "") | {"at": "2026-11-20T00:00:00+00:00"}


@pytest.fixture
def system(cast):
    return System(factories.make_key(cast, factories.make_mvp(cast))[1].text)


@pytest.fixture
def synced(monkeypatch):
    """Sizes of files of decisions when they were brought to disk."""
    sizes, real = [], os.fdatasync

    def watched(file):
        real(file)
        sizes.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fdatasync", watched)
    return sizes


def code_of(answer) -> str:
    return answer["context"]["code"]


def test_an_answer_goes_out_once_its_decision_is_on_disk(system, synced):
    for number in range(1, 4):
        system.send("/access/v1/evaluation", READ)
        (file,) = decision_log.decisions._folder.glob("*.jsonl")
        assert len(synced) == number
        assert synced[-1] == file.stat().st_size


def test_a_batch_is_brought_to_disk_once(system, synced):
    found = system.ask_all(READ | {"evaluations": [{}] * 50})["evaluations"]
    assert len(found) == 50
    assert len(synced) == 1
    assert len(logged()) == 50


@pytest.mark.parametrize("body", [READ, READ | {"evaluations": [{}, {}]}], ids=["one", "batch"])
def test_what_the_disk_does_not_keep_is_denied_and_not_logged(system, monkeypatch, body):
    def failing(file):
        raise OSError(errno.EIO, "Input/output error")

    path = "/access/v1/evaluations" if "evaluations" in body else "/access/v1/evaluation"
    monkeypatch.setattr(os, "fdatasync", failing)
    answer = system.send(path, body).json()
    assert {code_of(one) for one in answer.get("evaluations", [answer])} == {"error"}
    monkeypatch.undo()
    assert code_of(system.send("/access/v1/evaluation", READ).json()) != "error", (
        "the next has a file of its own"
    )
    assert len(logged()) == 1, "what was denied because it could not be kept is not there as something else"


def test_many_at_once_share_one_trip_to_the_disk(tmp_path, monkeypatch, settings):
    """While one is under way the others write; the next trip brings all of them."""
    first, go, trips = threading.Event(), threading.Event(), []

    def slow(file):
        trips.append(os.fstat(file).st_size)
        first.set()
        assert go.wait(20)

    monkeypatch.setattr(os, "fdatasync", slow)
    log = decision_log.Log(tmp_path)
    threads = [threading.Thread(target=log.write, args=[ROW]) for _ in range(12)]
    threads[0].start()
    assert first.wait(20)
    for thread in threads[1:]:
        thread.start()
    while log._spool.count < 12:
        pass
    go.set()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert len(trips) == 2
    assert trips[-1] == log._spool.size
    log.abandon()


def test_a_disk_that_was_full_is_not_written_to_before_there_is_room(system, monkeypatch):
    whole, free = os.write, [0]
    monkeypatch.setattr(os, "write", lambda file, line: whole(file, line[:10]))
    monkeypatch.setattr(
        "shutil.disk_usage", lambda path: SimpleNamespace(total=1 << 30, used=0, free=free[0])
    )
    assert code_of(system.send("/access/v1/evaluation", READ).json()) == "error"
    monkeypatch.setattr(os, "write", whole)
    for left, denied in ((4096, True), (4 << 20, True), (6 << 20, False), (0, False)):
        free[0] = left
        code = code_of(system.send("/access/v1/evaluation", READ).json())
        assert (code == "error") is denied, left
    assert len(logged()) == 2
