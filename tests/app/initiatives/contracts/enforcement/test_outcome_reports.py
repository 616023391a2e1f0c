"""What systems report of their decisions: kept once, by whoever was allowed it, and by nobody else."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from governance import clock
from governance.authorization import decision_queries, outcome_reports
from governance.models import Entry, KeyHeartbeat, OutcomeReport
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement import system_keys
from initiatives.models import Initiative
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.database import snapshots
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

URL = "/access/v1/outcomes"


@pytest.fixture
@snapshots.kept
def initiative(cast) -> Initiative:
    return factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)


@pytest.fixture
@snapshots.kept
def system(cast, initiative) -> System:
    return System(factories.make_key(cast, initiative)[1].text)


def allowed(system) -> str:
    """The id of a decision that allowed something."""
    answer = system.ask("read")
    assert answer["decision"] is True
    return answer["context"]["id"]


def told(system, **body):
    """Status and answer of a report."""
    answer = system.report(body)
    return answer.status_code, answer.json()


# --- What is kept ----------------------------------------------------------------------------------------------------


def test_a_report_is_kept_with_what_no_database_takes_replaced(system):
    status, _ = told(system, decision=allowed(system), outcome="done", note="a\x00b \ud83d c\u202ed")
    assert (status, OutcomeReport.objects.get().note) == (200, "a\ufffdb \ufffd c\u202ed")


def test_an_outcome_closes_its_decision_and_names_the_line_of_the_log(initiative, system):
    key = allowed(system)
    status, answer = told(system, decision=key, outcome="done", note="sent")
    assert (status, answer["decision"], answer["outcome"]) == (200, key, "done")
    (row,) = logged()
    kept = OutcomeReport.objects.get()
    assert (bytes(kept.decision), kept.decided_at) == (bytes(row.digest), row.at)
    assert (kept.initiative_number, kept.kind, kept.note, kept.at) == (
        initiative.number,
        "done",
        "sent",
        None,
    )
    assert decision_queries.outcomes_of(row) == [kept]


def test_a_report_may_come_before_the_log_has_brought_its_decision_over(system):
    """The decision still waits in its file: the id proves itself."""
    assert told(system, decision=allowed(system), outcome="failed")[0] == 200
    assert len(logged()) == 1


def test_the_same_again_is_answered_alike_and_kept_once(cast, initiative, system):
    key, at = allowed(system), clock.now().isoformat()
    body = {"decision": key, "outcome": "done", "at": at, "note": "sent"}
    first = told(system, **body)
    assert first[0] == 200
    assert told(system, **body) == first
    assert told(system, decision=key, outcome="done") == first, "a repeat may leave out what was said"
    successor = System(factories.make_key(cast, initiative, system="Its successor")[1].text)
    assert told(successor, **body) == first, "another key of the initiative is told the same"
    assert OutcomeReport.objects.count() == 1


@pytest.mark.parametrize(
    ("before", "then", "says"),
    [
        ([{"outcome": "done"}], {"outcome": "failed"}, "already reported as done"),
        ([{"outcome": "failed"}], {"outcome": "done"}, "already reported as failed"),
        ([{"outcome": "done"}, {"outcome": "undone"}], {"outcome": "failed"}, "already reported as done"),
        ([], {"outcome": "undone"}, "was not reported as done"),
        ([{"outcome": "failed"}], {"outcome": "undone"}, "was not reported as done"),
        ([{"outcome": "done", "note": "a"}], {"outcome": "done", "note": "b"}, "a different time or note"),
        ([{"outcome": "done"}], {"outcome": "done", "note": "b"}, "a different time or note"),
    ],
)
def test_what_contradicts_is_refused_and_changes_nothing(system, before, then, says):
    key = allowed(system)
    for one in before:
        assert told(system, decision=key, **one)[0] == 200
    status, words = told(system, decision=key, **then)
    assert status == 409
    assert says in words
    assert OutcomeReport.objects.count() == len(before)


def test_what_was_done_may_be_undone_once_and_not_before_it_was_done(system):
    key, now = allowed(system), clock.now()
    assert told(system, decision=key, outcome="done", at=now.isoformat())[0] == 200
    early = (now - timedelta(minutes=1)).isoformat()
    assert told(system, decision=key, outcome="undone", at=early) == (
        409,
        "The time of “undone” is before the time of “done”. Correct the field “at”.",
    )
    assert [told(system, decision=key, outcome="undone")[0] for _ in range(2)] == [200, 200]
    assert sorted(OutcomeReport.objects.values_list("kind", flat=True)) == ["done", "undone"]


def test_late_ones_are_kept_for_the_week_of_their_decision(initiative, system):
    key, now = allowed(system), clock.now()
    with clock.simulated(now + timedelta(days=20)):
        assert told(system, decision=key, outcome="done", at=clock.now().isoformat())[0] == 200
        logged()
        counted = {
            week.since: (week.allowed, week.done)
            for week in decision_queries.weeks(initiative.number, clock.now())
        }
    monday = clock.local_day(now) - timedelta(days=clock.local_day(now).weekday())
    assert counted[monday] == (1, 1)
    assert sum(done for _, done in counted.values()) == 1


def test_what_was_done_without_asking_is_reported_once(initiative, system):
    at = clock.now()
    body = {"outcome": "done", "unasked": True, "action": "send", "at": at.isoformat()}
    status, answer = told(system, **body)
    assert (status, answer["unasked"], answer["action"]) == (200, True, "send")
    assert told(system, **body) == (200, answer)
    assert told(system, **body, note="other")[0] == 409
    assert told(system, **body | {"at": (at + timedelta(seconds=1)).isoformat()})[0] == 200
    kept = OutcomeReport.objects.filter(initiative_number=initiative.number, decision=None)
    assert [(row.action, row.kind) for row in kept] == [("send", "done")] * 2
    assert kept[0].at == at.astimezone(UTC)


def test_a_heartbeat_is_kept_once_a_day_and_is_an_entry(initiative, system):
    before = Entry.objects.count()
    assert [told(system, heartbeat=True) for _ in range(3)] == [(200, {"heartbeat": True})] * 3
    beat = KeyHeartbeat.objects.get()
    assert (beat.key.contract_id, beat.day) == (initiative.contract_id, clock.today())
    assert Entry.objects.count() == before + 1
    entry = Entry.objects.latest("pk")
    assert (entry.table, entry.initiative_ref) == ("governance_keyheartbeat", initiative.ref)
    with clock.simulated(clock.now() + timedelta(days=1)):
        assert told(system, heartbeat=True)[0] == 200
    assert KeyHeartbeat.objects.count() == 2
    assert logged() == []


# --- What is refused -------------------------------------------------------------------------------------------------


def test_another_initiatives_decision_is_as_unknown_as_none(cast, initiative, system):
    key = allowed(system)
    other_initiative = factories.make_contract(cast, factories.make_prototype(cast, title="Other"), FIXTURE)
    other = System(factories.make_key(cast, other_initiative)[1].text)
    hidden = other.report({"decision": key, "outcome": "done"})
    none = other.report({"decision": "A" * 75, "outcome": "done"})
    assert (hidden.status_code, hidden.content) == (none.status_code, none.content)
    assert hidden.status_code == 404
    assert initiative.ref not in hidden.content.decode()
    assert not OutcomeReport.objects.exists()
    assert told(system, decision=key, outcome="done")[0] == 200


def test_an_id_that_was_changed_names_nothing(system):
    key = allowed(system)
    raw = bytearray(urlsafe_b64decode(key + "="))
    for place in (0, 7, 8, 39, 40, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        text = urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode()
        assert told(system, decision=text, outcome="done")[0] == 404, place
    for text in ("x", "é" * 75, "-" * 100, key[:-4], key + "AAAA", "00000000-0000-4000-8000-000000000000"):
        assert told(system, decision=text, outcome="done")[0] == 404, text
    assert not OutcomeReport.objects.exists()


def test_an_id_is_of_this_installation(system, settings):
    key = allowed(system)
    settings.SECRET_KEY = "another installation's secret key"
    assert told(system, decision=key, outcome="done")[0] == 404


def test_nothing_can_come_of_what_was_not_allowed(system):
    denied = system.ask("fly")["context"]["id"]
    waits = system.ask("hand_over")
    assert waits["context"]["outcome"] == "needs_approval"
    for key in (denied, waits["context"]["id"]):
        status, words = told(system, decision=key, outcome="done")
        assert status == 409
        assert "did not allow the call" in words
    assert not OutcomeReport.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "done"},
        {"decision": "?"},
        {"decision": "?", "outcome": "perhaps"},
        {"decision": "?", "outcome": ["done"]},
        {"decision": 7, "outcome": "done"},
        {"decision": "A" * 101, "outcome": "done"},
        {"decision": "?", "outcome": "done", "note": "x" * 301},
        {"decision": "?", "outcome": "done", "note": {"a": 1}},
        {"decision": "?", "outcome": "done", "action": "send"},
        {"decision": "?", "outcome": "done", "at": "yesterday"},
        {"decision": "?", "outcome": "done", "at": 1764000000},
        {"decision": "?", "outcome": "done", "at": "2026-11-22T10:00:00"},
        {"decision": "?", "outcome": "done", "at": "0001-01-01T00:00:00+14:00"},
        {"decision": "?", "outcome": "done", "at": "9999-12-31T23:59:59-14:00"},
        {"outcome": "done", "unasked": "yes", "action": "send", "at": "2026-11-02T10:00:00Z"},
        {"outcome": "failed", "unasked": True, "action": "send", "at": "2026-11-02T10:00:00Z"},
        {"outcome": "done", "unasked": True, "action": "send"},
        {"outcome": "done", "unasked": True, "at": "2026-11-02T10:00:00Z"},
        {"outcome": "done", "unasked": True, "action": " ", "at": "2026-11-02T10:00:00Z"},
        {"outcome": "done", "unasked": True, "decision": "?", "action": "x", "at": "2026-11-02T10:00:00Z"},
        {"heartbeat": False},
        {"heartbeat": 1},
        {"heartbeat": True, "outcome": "done"},
    ],
    ids=str,
)
def test_what_is_no_report_is_refused_in_a_sentence(system, body):
    body = body | ({"decision": allowed(system)} if body.get("decision") == "?" else {})
    status, words = told(system, **body)
    assert status == 400
    assert words.endswith(".")
    assert not OutcomeReport.objects.exists()
    assert not KeyHeartbeat.objects.exists()


def test_what_is_no_request_is_refused(system):
    for body, kind, status in (
        ("not json", "application/json", 400),
        ("[]", "application/json", 400),
        ('{"heartbeat": true}', "text/plain", 400),
        ('{"note": "' + "x" * enforcement_api.authzen.MOST_BYTES + '"}', "application/json", 413),
        ("[" * 100_000, "application/json", 400),
    ):
        assert system.send(URL, body, content_type=kind).status_code == status, body[:20]
    assert system.get(URL).status_code == 405
    assert not OutcomeReport.objects.exists()


def test_what_lies_in_the_future_or_before_its_decision_is_refused(system):
    key, now = allowed(system), clock.now()
    ahead = (now + outcome_reports.SKEW + timedelta(minutes=1)).isoformat()
    behind = (now - outcome_reports.SKEW - timedelta(minutes=1)).isoformat()
    status, words = told(system, decision=key, outcome="done", at=ahead)
    assert (status, "future" in words) == (400, True)
    unasked = {"outcome": "done", "unasked": True, "action": "send"}
    assert told(system, **unasked, at=ahead)[0] == 400
    status, words = told(system, decision=key, outcome="done", at=behind)
    assert (status, "unasked" in words) == (409, True)
    within = (now + outcome_reports.SKEW - timedelta(minutes=1)).isoformat()
    assert told(system, decision=key, outcome="done", at=within)[0] == 200, "clocks may be a little off"


def test_the_key_is_one_that_may_ask_and_pays_like_a_request(cast, initiative, system, settings, monkeypatch):
    key = allowed(system)
    body = {"decision": key, "outcome": "done"}
    assert System().report(body).status_code == 401
    assert System(system.token[:-1] + "~").report(body).status_code == 401
    polls = System(factories.make_key(cast, initiative, scopes=["approvals"])[1].text)
    assert polls.report(body).status_code == 403
    monkeypatch.setattr(enforcement_api, "rate", enforcement_api.Rate())
    settings.DECISION_RATE = 2
    answers = [system.report(body).status_code for _ in range(4)]
    assert answers[0] == 200
    assert 429 in answers
    monkeypatch.setattr(enforcement_api, "rate", enforcement_api.Rate())
    system_keys.revoke_key(key=initiative.contract.keys.earliest("pk"), reason="Lost", by=cast.owner)
    assert system.report(body).status_code == 401


def test_without_the_database_it_says_so_and_is_sent_again(system, monkeypatch):
    key = allowed(system)

    def away(*_, **__):
        raise OperationalError("connection refused")

    with monkeypatch.context() as broken:
        broken.setattr(OutcomeReport, "save", away)
        answer = system.report({"decision": key, "outcome": "done"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert told(system, decision=key, outcome="done")[0] == 200


# --- The rows --------------------------------------------------------------------------------------------------------


def row_of(**fields) -> OutcomeReport:
    """A row as no request would make it."""
    usual = {
        "initiative_number": 1,
        "key_id": 1,
        "kind": "done",
        "decision": b"d" * 32,
        "decided_at": clock.now(),
    }
    return OutcomeReport(**usual | fields)


def test_the_rows_hold_the_rules_though_somebody_else_writes_them():
    row_of().save()
    for wrong in (
        row_of(),
        row_of(kind="failed"),
        row_of(decision=b"e" * 32, kind="perhaps"),
        row_of(decision=b"e" * 32, decided_at=None),
        row_of(decision=b"e" * 32, action="send"),
        row_of(decision=None, decided_at=None),
        row_of(decision=None, decided_at=None, action="send"),
        row_of(decision=None, decided_at=None, action="send", kind="failed", at=clock.now()),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong.save()
    with pytest.raises(DatabaseError, match="reported as done"), transaction.atomic():
        row_of(decision=b"e" * 32, kind="undone").save()
    row_of(kind="undone").save()


@pytest.mark.parametrize("table", ["governance_outcomereport", "governance_keyheartbeat"])
def test_rows_are_added_and_never_changed(system, table):
    assert told(system, heartbeat=True)[0] == 200
    assert told(system, decision=allowed(system), outcome="done")[0] == 200
    column = "note = 'x'" if table == "governance_outcomereport" else "day = '2020-01-01'"
    for sql in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}"):
        with (
            pytest.raises(DatabaseError, match="keeps what was written"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


def test_one_that_was_first_at_the_same_time_is_answered_as_a_repeat(system, monkeypatch):
    """Two ask at once: the first look finds nothing for either, the database lets one write."""
    key, look = allowed(system), outcome_reports._same
    assert told(system, decision=key, outcome="done")[0] == 200
    looks = []
    monkeypatch.setattr(
        outcome_reports, "_same", lambda row: looks.append(row) or (look(row) if len(looks) > 1 else None)
    )
    assert told(system, decision=key, outcome="done")[0] == 200
    looks.clear()
    assert told(system, decision=key, outcome="failed")[0] == 409
    assert OutcomeReport.objects.count() == 1


def test_the_answer_says_stage_and_id_whatever_it_is(initiative, system, monkeypatch):
    batch = system.ask_all({"evaluations": [json.loads(body) for body in QUESTIONS]})["evaluations"]
    assert [one["context"]["stage"] for one in batch] == ["prototype"] * 3
    assert len({one["context"]["id"] for one in batch}) == 3
    monkeypatch.setattr(enforcement_api.decision_log.decisions, "append", lambda row: full())
    unlogged = system.ask("read")["context"]
    assert (unlogged["stage"], unlogged["code"]) == ("prototype", "error")
    assert "id" not in unlogged, "nothing in the log bears it"


QUESTIONS = [
    json.dumps(
        {
            "subject": {"type": "user", "id": who},
            "action": {"name": act},
            "resource": {"type": "record", "id": "record-1"},
        }
    )
    for who, act in (("alice", "read"), ("alice", "fly"), ("mallory", "read"))
]


def full():
    raise OSError(28, "No space left on device")
