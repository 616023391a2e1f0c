"""H5: a system jams the log of decisions with what it asks, and eats the memory of web processes."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from governance.authorization import authzen, decision_log
from governance.models import DecisionBatch, PolicyDecision
from governance.notifications import inbox as notification_inbox
from governance.sign_in.rate_limits import Rate
from tests.support import factories
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}
# What the database refuses with a limit of its own (class 54), as it did 268 MB of JSON, and nothing retried helps.
NESTED = b'{"a":' * 20_000 + b"1" + b"}" * 20_000


@pytest.fixture
def system(cast):
    return System(factories.make_key(cast, factories.make_mvp(cast))[1].text)


def ask(system) -> dict:
    """A request that the contract allows."""
    return system.ask("summarise", **INSIDE)


def waiting():
    return sorted(decision_log.decisions._folder.glob("*"))


def test_what_stands_at_the_top_is_not_logged_two_hundred_times(system):
    body = {
        "subject": {"type": "user", "id": "alice"},
        "resource": {"type": "record", "id": "r-1"},
        "context": {"padding": "x" * 230_000},
        "evaluations": [{"action": {"name": "read"}}] * 200,
    }
    answer = system.send("/access/v1/evaluations", body)
    assert answer.status_code == 413
    assert "longer than 1048576 bytes together" in answer.json()
    assert logged() == []
    body["context"] = {"padding": "x" * 2_000}
    assert len(system.ask_all(body)["evaluations"]) == 200
    assert sum(len(json.dumps(row.request)) for row in logged()) < 1024 * 1024


def test_long_requests_are_paid_for_by_their_length(system, settings):
    settings.DECISION_RATE = 50
    long = {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": "r-1"},
        "context": {"padding": "x" * 240_000},
    }
    assert system.send("/access/v1/evaluation", long).status_code == 200
    assert system.send("/access/v1/evaluation", long).status_code == 429


def test_a_batch_is_paid_for_also_where_nothing_was_left():
    rate = Rate()
    for _ in range(10):
        assert rate.wait(1, 10, clock=lambda: 0.0) == 0
    rate.pay(1, 10, 99, clock=lambda: 0.0)
    assert rate.wait(1, 10, clock=lambda: 0.0) == 10


def test_a_line_that_the_database_refuses_holds_up_nobody_and_is_told(system, cast, as_):
    for _ in range(3):
        ask(system)
    (first,) = waiting()
    lines = first.read_bytes().splitlines(keepends=True)
    good, marked = lines[0], b'"request":{'
    bad = good.replace(marked, b'"request":{"deep":' + NESTED + b",")
    first.write_bytes(lines[0] + bad + lines[1] + lines[2])
    decision_log.decisions.abandon()
    ask(system)
    decision_log.decisions.abandon()
    assert decision_log.loader.bring_orphans(first.parent) == 4, "all but the one; also what lay behind it"
    assert PolicyDecision.objects.count() == 4
    assert all(not decision_log.broken(batch) for batch in DecisionBatch.objects.all())
    (aside,) = waiting()
    assert aside.suffix == ".unread"
    assert aside.read_bytes() == bad, "and nothing of it is lost"
    assert "Decisions were set aside" in [line.text for line in notification_inbox.tasks_for(cast.admin)]
    assert aside.name in as_(cast.admin).get("/status/").content.decode()
    with pytest.raises(CommandError, match="still refuses lines"):
        call_command("bring_decisions")
    (aside,) = waiting()
    aside.write_bytes(good)  # fixed
    call_command("bring_decisions")
    assert PolicyDecision.objects.count() == 5
    assert waiting() == []
    assert "Decisions were set aside" not in [line.text for line in notification_inbox.tasks_for(cast.admin)]


@pytest.mark.parametrize(
    "spoilt",
    [b'{"at"\n', b"\xff\xfe\x00\n", b'{"at":"yesterday","digest":"zz"}\n', b"\0" * 90 + b"\n"],
)
def test_bytes_that_cannot_be_read_are_set_aside(system, spoilt):
    ask(system)
    (file,) = waiting()
    file.write_bytes(spoilt + file.read_bytes())
    assert len(logged()) == 1
    (aside,) = waiting()
    assert (aside.suffix, aside.read_bytes()) == (".unread", spoilt)


def test_a_large_file_comes_over_in_parts_and_each_once(system, monkeypatch):
    for number in range(12):
        system.ask("summarise", resource=f"record:{number}")
    (file,) = waiting()
    kept = file.read_bytes()
    monkeypatch.setattr(decision_log.loader, "part", len(kept) // 4)
    assert [row.resource for row in logged()] == [f"record:{number}" for number in range(12)]
    assert 4 <= DecisionBatch.objects.count() <= 6
    assert all(not decision_log.broken(batch) for batch in DecisionBatch.objects.all())
    file.write_bytes(kept)  # as if killed before the file went
    assert decision_log.loader.bring_orphans(file.parent) == 12
    assert PolicyDecision.objects.count() == 12


def test_a_file_that_came_over_whole_before_comes_over_no_second_time(system, monkeypatch):
    for _ in range(6):
        ask(system)
    (file,) = waiting()
    kept = file.read_bytes()
    assert len(logged()) == 6
    file.write_bytes(kept)
    monkeypatch.setattr(decision_log.loader, "part", len(kept) // 3)
    decision_log.loader.bring_orphans(file.parent)
    assert PolicyDecision.objects.count() == 6
    assert waiting() == []


@pytest.fixture
def stuck(monkeypatch):
    """The database takes no batch; the function lets it take them again."""

    def away(*_):
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr(decision_log.loader, "write", away)
    monkeypatch.setattr(decision_log.decisions, "every", 0.0)
    return monkeypatch.undo


@pytest.mark.parametrize(("bound", "value"), [("most_waiting", 2_000), ("longest_wait", 0.0)])
def test_too_much_waiting_denies_until_it_was_brought_over(system, stuck, monkeypatch, bound, value):
    monkeypatch.setattr(decision_log.decisions, bound, value)
    said = [ask(system) for _ in range(8)]
    assert said[0]["decision"] is True
    assert said[-1]["decision"] is False
    assert said[-1]["context"]["code"] == "error"
    allowed = sum(one["decision"] for one in said)
    with pytest.raises(OperationalError):
        decision_log.decisions.bring_over()
    assert ask(system)["decision"] is False
    stuck()
    assert len(logged()) == allowed, "what was allowed is in the log, and nothing else"
    assert ask(system)["decision"] is True


def test_a_file_that_waits_goes_on_and_no_handle_is_taken_for_each_try(system, stuck):
    for _ in range(5):
        ask(system)
        with pytest.raises(OperationalError):
            decision_log.decisions.bring_over()
    assert len(waiting()) <= 2
    stuck()
    assert len(logged()) == 5


def test_the_bound_of_a_batch_is_what_is_logged():
    read = {"action": {"name": "read"}}
    asked = [read | {"context": {"a": "é" * 100}}, read, "nothing"]
    body = {"subject": {"type": "u", "id": "1"}, "resource": {"type": "r", "id": "1"}, "context": {"b": 1}}
    batch = authzen.batch(body | {"evaluations": asked})
    whole = [one for one in batch.evaluation_requests if isinstance(one, dict)]
    written = sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in whole)
    assert abs(batch.size - written) < 120
