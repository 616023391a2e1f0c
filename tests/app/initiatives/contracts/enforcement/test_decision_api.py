"""What systems are answered in each condition of their initiative, and what of it stands in the log."""

import json
import os
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, OperationalError, connection, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization import decision_log
from governance.contracts.clauses import Terms
from governance.models import DecisionBatch, Entry, PolicyDecision
from governance.queue import spooled_log
from governance.sign_in.rate_limits import Rate
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import clause_actions
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement import decision_cache, kill_switch
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from tests.support import factories
from tests.support.database import snapshots
from tests.support.servers.asking_systems import System, evaluation_request, logged

pytestmark = pytest.mark.django_db

WHO = {"subject_groups": ["account_managers"]}
INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}


@pytest.fixture
def mvp(cast) -> Initiative:
    return factories.make_mvp(cast)


@pytest.fixture
@snapshots.kept
def system(cast, mvp) -> System:
    return System(factories.make_key(cast, mvp)[1].text)


def code_of(answer: dict) -> tuple[bool, str]:
    return answer["decision"], answer["context"]["code"]


def test_what_the_contract_allows_inside_the_scope_is_allowed_and_named(mvp, system):
    answer = system.ask("summarise", **INSIDE)
    version = mvp.contract.in_force_at(clock.now())
    assert code_of(answer) == (True, "allowed")
    assert answer["context"]["contract"] == {"version": version.number, "digest": version.digest}
    assert answer["context"]["clauses"] == [{"number": 1, "sentence": version.clauses.get(number=1).sentence}]
    assert answer["context"]["valid_until"] <= (clock.now() + timedelta(seconds=1)).isoformat()


@pytest.mark.parametrize(
    ("left_out", "instead", "says"),
    [
        ("subject_department", None, "Send subject.properties.department"),
        ("subject_department", "Logistics", "Logistics is outside the departments"),
        ("subject_place", "Oslo", "Oslo is outside the places"),
        ("resource_data_class", ["customer notes", "salaries"], "outside the data classes"),
    ],
)
def test_an_mvp_is_allowed_nothing_outside_its_scope(system, left_out, instead, says):
    answer = system.ask("summarise", **{**INSIDE, left_out: instead})
    assert code_of(answer) == (False, "outside_scope")
    assert says in answer["context"]["reason"]


def test_the_condition_of_the_initiative_denies_whatever_the_contract_says(cast, mvp, system):
    assert system.ask("summarise", **INSIDE)["decision"]
    hold_deeds.hold(initiative=mvp, reason="The region is unclear", by=cast.seat_security)
    held = system.ask("summarise", **INSIDE)
    assert code_of(held) == (False, "held")
    assert "The region is unclear" in held["context"]["reason"]
    hold_deeds.lift_hold(hold=mvp.holds.get(), reason="It is clear now", by=cast.chair)
    assert system.ask("summarise", **INSIDE)["decision"]
    kill_switch.switch_off(initiative=mvp, reason="Something is odd", by=cast.owner)
    off = system.ask("summarise", **INSIDE)
    assert code_of(off) == (False, "switched_off")
    assert "Something is odd" in off["context"]["reason"]
    kill_switch.switch_on(initiative=mvp, reason="It was a false alarm", by=cast.chair)
    assert system.ask("summarise", **INSIDE)["decision"]
    stage_actions.stop(
        initiative=initiative_acts.fresh(mvp), reason_code="other", reason="Enough.", by=cast.owner
    )
    assert code_of(system.ask("summarise", **INSIDE)) == (False, "initiative_closed")


def test_a_prototype_without_a_contract_in_force_may_nothing(cast):
    initiative = factories.make_prototype(cast)
    contract_actions.save_contract(
        initiative=initiative,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=cast.owner,
    )
    system = System(factories.make_key(cast, initiative_acts.fresh(initiative))[1].text)
    answer = system.ask("summarise", **WHO)
    assert code_of(answer) == (False, "no_contract")
    assert "prototype has no contract" in answer["context"]["reason"]
    assert "contract" not in answer["context"]


def test_an_unsupported_stage_turns_autonomy_into_approval_and_back(cast, mvp, system):
    """At once in a high tier; else once the rulebook's days of grace are over. It returns with the evidence."""
    item = mvp.evidence.filter(coverage__requirement="mvp.problem", kind="document").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="It was of another team", by=cast.owner)
    assert mvp.spans.covering(clock.now()).get().unsupported_stages == 1
    assert system.ask("summarise", **INSIDE)["decision"], "the days of grace have begun"
    due = mvp.obligations.get(kind="step_back").due
    with time_machine.travel(clock.midnight_before(due) + timedelta(hours=10), tick=False):
        assert system.ask("summarise", **INSIDE)["decision"], "the last day of grace"
    with time_machine.travel(clock.midnight_after(due) + timedelta(hours=10), tick=False):
        short = system.ask("summarise", **INSIDE)
        assert code_of(short) == (False, "unsupported")
        assert short["context"]["outcome"] == "needs_approval"
        assert "supports at most prototype" in short["context"]["reason"]
    _prove(cast, mvp)
    assert system.ask("summarise", **INSIDE)["decision"]


def _prove(cast, initiative) -> None:
    evidence_actions.add_evidence(
        initiative=initiative_acts.fresh(initiative),
        kind="document",
        title="The problem, once more",
        observed_on=clock.today(),
        covers=["mvp.problem"],
        link="https://wiki.example.org/problem",
        by=cast.owner,
    )


def test_in_a_high_tier_an_unsupported_stage_counts_at_once():
    short = {
        "supported": "mvp",
        "unsupported_stages": 1,
        "label": "Production: not supported by current evidence",
        "from_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    today = clock.today()
    later = today + timedelta(days=10)
    assert decision_cache._short("high", "decision", short, later, today)
    assert decision_cache._short("limited", "import", short, None, today)
    assert not decision_cache._short("limited", "decision", short, later, today)
    assert decision_cache._short("limited", "decision", short, today - timedelta(days=1), today)
    assert not decision_cache._short("high", "decision", short | {"unsupported_stages": 0}, None, today)
    assert decision_cache._short("minimal", "decision", None, None, today), (
        "what is not known is not relied on"
    )


def test_the_next_version_decides_from_its_start_on(cast, mvp, system):
    assert system.ask("summarise", **INSIDE)["context"]["contract"]["version"] == 1
    other = [
        Written("autonomy", terms=Terms(action="rest", audience=("account_managers",))),
        *initiative_acts.CLAUSES[1:],
    ]
    initiative_acts.contract(initiative_acts.fresh(mvp), cast.team, other)
    after = system.ask("summarise", **INSIDE)
    assert code_of(after) == (False, "unknown_action")
    assert after["context"]["contract"]["version"] == 2
    assert [row.version_number for row in logged()] == [1, 2]


def test_a_version_planned_for_later_waits(cast, mvp, system):
    day = clock.today() + timedelta(days=2)
    rest = Written("autonomy", terms=Terms(action="rest", audience=("account_managers",)))
    contract_actions.save_contract(
        initiative=mvp, clauses=[rest, *initiative_acts.CLAUSES[1:]], wanted_from=day, by=cast.owner
    )
    version = contract_actions.propose_contract(initiative=initiative_acts.fresh(mvp), by=cast.owner)
    for seat in ("business_value", "risk_compliance"):
        contract_actions.approve_contract(
            version=version, seat=seat, digest=version.digest, by=cast.seats[seat]
        )
    assert system.ask("summarise", **INSIDE)["decision"]
    with time_machine.travel(clock.midnight_before(day) - timedelta(milliseconds=400), tick=False):
        until = system.ask("summarise", **INSIDE)["context"]["valid_until"]
        assert until == clock.midnight_before(day).isoformat(), "an answer never outlives its contract"
    with time_machine.travel(clock.midnight_before(day), tick=False):
        assert system.ask("rest", **INSIDE)["context"]["contract"]["version"] == 2


def test_no_version_starts_before_the_one_it_replaces(cast, mvp):
    day = clock.today() + timedelta(days=20)
    initiative_acts.contract(initiative_acts.fresh(mvp), cast.team, initiative_acts.CLAUSES)
    planned = {"initiative": initiative_acts.fresh(mvp), "clauses": initiative_acts.CLAUSES, "by": cast.owner}

    def approved(**said):
        contract_actions.save_contract(**planned, **said)
        version = contract_actions.propose_contract(initiative=initiative_acts.fresh(mvp), by=cast.owner)
        for seat in ("business_value", "risk_compliance"):
            contract_actions.approve_contract(
                version=version, seat=seat, digest=version.digest, by=cast.seats[seat]
            )
        return mvp.contract.versions.get(pk=version.pk)

    later = approved(wanted_from=day)
    for act, said in (
        (contract_actions.save_contract, planned),
        (clause_actions.plan_start, {"initiative": planned["initiative"], "by": cast.owner}),
    ):
        with pytest.raises(ValidationError) as early:
            act(**said, wanted_from=day - timedelta(days=1))
        assert set(early.value.message_dict) == {"wanted_from"}
    assert approved().starts_at == later.starts_at


# --- The log ---------------------------------------------------------------------------------------------------------


def test_every_decision_is_logged_with_its_grounds_and_sealed_by_digest(mvp, system):
    before = Entry.objects.count()
    system.ask("summarise", **INSIDE)
    system.send(
        "/access/v1/evaluation", evaluation_request("delete_all", "agent:a-1"), HTTP_X_REQUEST_ID="call-7"
    )
    first, second = logged()
    assert (first.outcome, first.code, first.clauses, first.version_number) == ("allow", "allowed", [1], 1)
    assert (second.subject, second.action, second.resource) == ("agent:a-1", "delete_all", "record:record-1")
    assert (second.outcome, second.initiative_number, second.request_id) == ("deny", mvp.number, "call-7")
    assert first.request["action"] == {"name": "summarise", "properties": {"count": 1}}
    batch = DecisionBatch.objects.get()
    assert decision_log.broken(batch) == ""
    captured = Entry.objects.get(table="governance_decisionbatch")
    assert batch.digest in json.loads(bytes(captured.body.body))["after"]["digest"]
    assert Entry.objects.count() == before + 1, (
        "one entry of the audit log for the batch, however many are in it"
    )
    assert not list(decision_log.decisions._folder.glob("*")), "nothing waits any more"


def test_the_log_is_written_once(system):
    system.ask("summarise", **INSIDE)
    (row,) = logged()
    for sql in (
        "UPDATE governance_policydecision SET outcome = 'deny'",
        "DELETE FROM governance_policydecision",
        f"UPDATE governance_policydecision_{row.at:%Y_%m} SET reason = ''",
    ):
        with pytest.raises(DatabaseError, match="keeps what was written"):
            changed(sql)


def changed(sql: str) -> None:
    """Try to change a row past everything, in a savepoint."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "change", ["outcome = 'deny'", "reason = reason || ' '", "request = '{}'", "place = 7"]
)
def test_a_changed_decision_does_not_fit_its_batch(system, change):
    for _ in range(3):
        system.ask("summarise", **INSIDE)
    logged()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_policydecision DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE governance_policydecision SET {change} WHERE place = 1")
    found = decision_log.broken(DecisionBatch.objects.get())
    assert found
    assert "batch" in found


def test_what_a_killed_process_left_is_brought_over_once(system, tmp_path):
    system.ask("summarise", **INSIDE)
    system.ask("summarise", **INSIDE)
    (left,) = decision_log.decisions._folder.glob("*")
    kept = left.read_bytes()
    assert decision_log.loader.bring_orphans(left.parent) == 0, "somebody still writes it"
    decision_log.decisions.abandon()
    left.write_bytes(kept + b'{"cut off')
    assert decision_log.loader.bring_orphans(left.parent) == 2
    assert not left.exists()
    left.write_bytes(kept)  # it was written, and killed before the file went
    decision_log.loader.bring_orphans(left.parent)
    assert PolicyDecision.objects.count() == 2
    assert decision_log.broken(DecisionBatch.objects.get()) == ""


def test_what_cannot_be_logged_is_not_allowed(system, monkeypatch):
    def full(row):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decision_log.decisions, "append", full)
    answer = system.ask("summarise", **INSIDE)
    assert code_of(answer) == (False, "error")
    assert "log" in answer["context"]["reason"]


def test_a_line_that_did_not_fit_is_taken_back_and_the_next_stands(system, monkeypatch):
    """A write may be short without an error: what was begun must not spoil the decision after it."""
    assert system.ask("summarise", **INSIDE)["decision"]
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, line: whole(file, line[: len(line) // 2]))
    assert code_of(system.ask("summarise", **INSIDE)) == (False, "error")
    monkeypatch.setattr(os, "write", whole)
    assert system.ask("summarise", **INSIDE)["decision"]
    assert [row.outcome for row in logged()] == ["allow", "allow"]
    assert decision_log.broken(DecisionBatch.objects.get()) == ""


def test_a_file_that_is_being_made_is_nobodys_orphan(system, monkeypatch):
    """Whoever looks for orphans between its making and its lock would remove it, and what is written after."""
    lock = spooled_log.fcntl.flock

    def looked_at_before(file, how):
        if how == spooled_log.fcntl.LOCK_EX:
            decision_log.loader.bring_orphans(decision_log.decisions._folder)
        return lock(file, how)

    monkeypatch.setattr(spooled_log.fcntl, "flock", looked_at_before)
    system.ask("summarise", **INSIDE)
    assert len(logged()) == 1


def test_a_file_that_cannot_be_read_is_kept_aside_and_holds_up_nobody(system):
    system.ask("summarise", **INSIDE)
    (left,) = decision_log.decisions._folder.glob("*")
    left.write_bytes(
        b'{"at":"2026-11-20T00:00:00+00:00","initiative_number":"many","digest":"' + b"0" * 64 + b'"}\n'
    )
    assert logged() == []
    assert [path.suffix for path in left.parent.iterdir()] == [".unread"]
    system.ask("summarise", **INSIDE)
    assert len(logged()) == 1


def test_the_log_goes_into_the_month_of_its_decisions(system):
    with time_machine.travel("2026-11-30 23:59:59+00:00", tick=False):
        system.ask("summarise", **INSIDE)
    with time_machine.travel("2026-12-01 00:00:00+00:00", tick=False):
        system.ask("summarise", **INSIDE)
    assert len(logged()) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM governance_policydecision ORDER BY at")
        assert [name[-7:] for (name,) in cursor.fetchall()] == ["2026_11", "2026_12"]


# --- When something is broken ----------------------------------------------------------------------------------------


def test_without_its_database_it_denies_and_says_so_and_comes_back(system, monkeypatch):
    assert system.ask("summarise", **INSIDE)["decision"]

    def gone(*_):
        raise OperationalError("connection refused")

    monkeypatch.setattr(decision_cache.prepared_statements, "cursor", gone)
    monkeypatch.setattr(decision_cache.conditions, "_read_at", float("-inf"))
    away = system.ask("summarise", **INSIDE)
    assert code_of(away) == (False, "unavailable")
    assert "cannot reach its database" in away["context"]["reason"]
    stranger = System("plk_aaaaaaaaaaaa_" + "x" * 43).send(
        "/access/v1/evaluation", evaluation_request("summarise")
    )
    assert (stranger.status_code, stranger["Retry-After"]) == (503, "1")
    monkeypatch.undo()
    decision_cache.conditions.forget()
    assert system.ask("summarise", **INSIDE)["decision"]


def test_what_was_read_too_long_ago_allows_nothing(system, monkeypatch, settings):
    """Two processes that do not talk to each other are never further apart than a second."""
    assert system.ask("summarise", **INSIDE)["decision"]
    assert decision_cache.OLDEST < 1.0
    monkeypatch.setattr(
        decision_cache.conditions, "_paused_until", float("inf")
    )  # it may not ask its database
    settings.DECISION_FRESH = 60.0
    assert system.ask("summarise", **INSIDE)["decision"], "what is fresh is relied on"
    settings.DECISION_FRESH = 0.4
    monkeypatch.setattr(
        decision_cache.conditions, "_read_at", decision_cache.time.monotonic() - decision_cache.OLDEST
    )
    assert code_of(system.ask("summarise", **INSIDE)) == (False, "unavailable")


def test_an_error_of_ours_allows_nothing_and_does_not_stop_the_batch_of_others(system, monkeypatch):
    def broken(*_):
        raise RuntimeError("plk_aaaaaaaaaaaa_" + "x" * 43)

    monkeypatch.setattr(enforcement_api.authorization_decision, "decide", broken)
    answer = system.send("/access/v1/evaluation", evaluation_request("summarise"))
    assert answer.status_code == 500
    assert re.fullmatch(
        r"Plumbline could not answer\. The request was denied and not stored\. .* reference [0-9a-f]{12}\.",
        answer.json(),
    )


def test_a_contract_that_cannot_be_read_denies_and_leaves_the_others_alone(cast, mvp, system):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_clause DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE governance_clause SET terms = '{\"nonsense\": 1}' WHERE version_id IN"
            " (SELECT id FROM governance_contractversion WHERE contract_id = %s)",
            [mvp.contract_id],
        )
    assert code_of(system.ask("summarise", **INSIDE)) == (False, "error")


def test_a_key_asks_for_its_own_initiative_only(cast, mvp, system):
    assert system.ask("summarise", context={"initiative": mvp.ref}, **INSIDE)["decision"]
    other = system.send(
        "/access/v1/evaluation", evaluation_request("summarise", context={"initiative": "AI-9999"})
    )
    assert other.status_code == 404
    assert system.get(f"/access/v1/requests/{uuid.uuid4()}").status_code == 404


def test_a_batch_answers_each_request_also_one_that_the_key_may_not_ask(system, mvp):
    asked = [
        evaluation_request("summarise", **INSIDE),
        evaluation_request("summarise", context={"initiative": "AI-9999"}, **INSIDE),
        {
            "subject": {"type": "pipeline", "id": "release"},
            "action": {"name": "deploy", "properties": {"stage": "mvp", "version": "1"}},
            "resource": {"type": "artefact", "id": f"sha256:{'0' * 64}"},
        },
        evaluation_request("summarise", **INSIDE),
    ]
    answers = system.ask_all({"evaluations": asked})["evaluations"]
    assert [one["decision"] for one in answers] == [True, False, False, True]
    assert [one["context"].get("error", {}).get("status") for one in answers] == [None, 404, 403, None]
    told = [one["context"]["id"] for one in answers if one["decision"]]
    assert len(told) == len(logged()) == 2, "each logged decision was told"


def test_a_key_that_asks_too_often_is_told_to_wait(system, settings, monkeypatch):
    monkeypatch.setattr(enforcement_api, "rate", enforcement_api.Rate())
    settings.DECISION_RATE = 2
    answers = [
        system.send("/access/v1/evaluation", evaluation_request("summarise")).status_code for _ in range(4)
    ]
    assert answers[:2] == [200, 200]
    assert 429 in answers


def test_a_batch_costs_as_many_requests_as_it_holds():
    now, rate = [0.0], Rate()
    assert rate.wait(1, 10, clock=lambda: now[0]) == 0
    assert rate.wait(1, 10, 99, clock=lambda: now[0]) == 0
    assert rate.wait(1, 10, clock=lambda: now[0]) == 10
    assert rate.wait(2, 10, clock=lambda: now[0]) == 0, "another key has its own"
    now[0] = 9.2
    assert rate.wait(1, 10, clock=lambda: now[0]) == 0
