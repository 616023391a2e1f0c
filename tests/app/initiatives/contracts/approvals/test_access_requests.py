"""Access requests by the profile of AuthZEN: a denial asks nobody, a task waits, and an approval is used once."""

from datetime import timedelta

import pytest
from django.conf import settings

from governance import clock
from governance.models import Entry
from initiatives.contracts.approvals import access_requests
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.enforcement import access_request_api, kill_switch
from initiatives.models import ApprovalRequest
from tests.app.initiatives.contracts.approvals.test_approvals import answer
from tests.support import factories
from tests.support.factories import make_evaluation_request
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

ERRORS = "urn:openid:authzen:access-request:error:"


@pytest.fixture
def system(cast, initiative):
    return System(factories.make_key(cast, initiative, system="Reply drafts")[1].text)


def call(**context):
    return make_evaluation_request(context={"channel": "mail"} | context)


def evaluated(system, **context):
    return system.send("/access/v1/evaluation", call(**context)).json()


def task_at(system, told):
    return system.get(told["task"]["status_endpoint"].removeprefix(settings.ADDRESS))


def problem(answer):
    """Status and type of an error as RFC 9457 has it."""
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["detail"].endswith(".")
    return answer.status_code, said["type"].removeprefix(ERRORS)


def test_a_denied_call_is_asked_about_approved_and_allowed_once(cast, system):
    denied = evaluated(system)
    context = denied["context"]
    assert (denied["decision"], context["outcome"]) == (False, "needs_approval")
    assert context["evaluation_id"] == context["id"]
    asks = context["access_request"]
    assert asks["endpoint"] == f"{settings.ADDRESS}/access/v1/requests"
    assert "approval" not in context
    assert not ApprovalRequest.objects.exists(), "a denial asks nobody"

    sent = system.ask_person(call(), denied)
    told = sent.json()
    assert (sent.status_code, told["task"]["status"], set(told)) == (202, "pending", {"task"})
    assert sent["Location"] == told["task"]["status_endpoint"]
    request = ApprovalRequest.objects.get(reference=told["task"]["id"])
    assert Entry.objects.acts().latest("pk").facts["facts"]["denied"] == context["evaluation_id"]
    assert system.ask_person(call(), evaluated(system)).json() == told, "the same call has the same task"

    early = evaluated(system, approval={"id": told["task"]["id"]})["context"]
    assert (early["code"], early["next_action"], early["retry_after"]) == ("approval_waiting", "retry", 5)
    assert "access_request" not in early
    answer(request, cast.support)
    ended = task_at(system, told).json()
    assert (ended["task"]["status"], ended["result"]["mode"]) == ("approved", "reevaluate")
    approval = ended["result"]["approval"]
    assert approval["approved_until"] == request.expires_at.isoformat()
    again = system.ask_person(call(), denied)
    assert (again.status_code, again.json()["result"]) == (201, ended["result"])

    other = evaluated(system, approval=approval, channel="chat")
    assert (other["decision"], other["context"]["code"]) == (False, "approval_for_other_arguments")
    assert other["context"]["next_action"] == "request"
    assert system.ask_person(call(channel="chat"), other).status_code == 202, "with the fresh denial"
    allowed = evaluated(system, approval=approval)
    assert allowed["decision"] is True
    assert allowed["context"]["approval"] == approval
    used = evaluated(system, approval=approval)
    assert (used["decision"], used["context"]["code"]) == (False, "approval_used")
    assert task_at(system, told).json() == ended, "a task that has ended does not change"
    assert [str(row.approval) for row in logged(code="approved")] == [approval["id"]]


def test_a_refusal_is_denied_with_its_reason_and_ends_it(cast, system):
    told = system.ask_person(call(), evaluated(system)).json()
    answer(ApprovalRequest.objects.get(), cast.support, "refuse", reason="Not for this customer.")
    ended = task_at(system, told).json()
    assert (ended["task"]["status"], set(ended)) == ("denied", {"task"})
    said = ended["task"]["display"]["description"]
    assert said == "The support owner refused the call: Not for this customer."
    assert cast.support.full_name not in str(ended), "the role, not the person"
    context = evaluated(system, approval={"id": told["task"]["id"]})["context"]
    assert (context["code"], context["next_action"]) == ("approval_refused", "none")
    assert "access_request" not in context


CHANGED = {
    "subject": {"type": "user", "id": "another"},
    "action": {"name": "send_reply", "properties": {"amount": 12001, "currency": "EUR"}},
    "resource": {"type": "ticket", "id": "4712", "properties": {"language": "de"}},
    "context": {"channel": "chat"},
}


@pytest.mark.parametrize("part", CHANGED)
def test_the_denial_of_another_call_is_not_accepted(system, part):
    denied = evaluated(system)
    assert problem(system.ask_person(call() | {part: CHANGED[part]}, denied)) == (
        400,
        "invalid_denial_binding",
    )
    assert not ApprovalRequest.objects.exists()


def test_an_approval_ends_when_the_contract_denies_the_call(system, monkeypatch):
    ends = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(access_request_api, "approval_ends", lambda *_: ends)
    told = system.ask_person(call(), evaluated(system)).json()
    assert ApprovalRequest.objects.get().expires_at == ends
    assert told["task"]["expires_at"] == ends.isoformat()


@pytest.mark.parametrize("name", ["evaluation_id", "expires_at", "binding_token"])
def test_a_changed_or_missing_denial_is_not_accepted(system, name):
    context = evaluated(system)["context"]
    denial = context["access_request"] | {"evaluation_id": context["evaluation_id"]}
    for value in (None, 1, "", "x", denial[name] + "é", "2999-01-01T00:00:00+00:00"):
        sent = system.send("/access/v1/requests", call() | {"denial": denial | {name: value}})
        assert problem(sent) == (400, "invalid_denial_binding")
    for denial in (None, [], "x"):
        sent = system.send("/access/v1/requests", call() | {"denial": denial})
        assert problem(sent) == (400, "invalid_denial_binding")
    assert not ApprovalRequest.objects.exists()


def test_the_denial_of_another_initiative_is_not_accepted(cast, system):
    other = factories.make_mvp(cast, title="Another")
    stranger = System(factories.make_key(cast, other)[1].text)
    assert problem(stranger.ask_person(call(), evaluated(system))) == (400, "invalid_denial_binding")


def test_a_denial_is_asked_about_in_time_and_a_task_read_in_time(system):
    denied = evaluated(system)
    told = system.ask_person(call(), denied).json()
    now = clock.now()
    with clock.simulated(now + access_requests.REQUESTABLE_FOR + timedelta(seconds=1)):
        assert problem(system.ask_person(call(), denied)) == (410, "expired_denial")
        assert task_at(system, told).status_code == 200
    with clock.simulated(now + timedelta(days=1)):
        assert problem(task_at(system, told)) == (410, "task_expired")
        late = evaluated(system, approval={"id": told["task"]["id"]})
        assert (late["decision"], late["context"]["code"]) == (False, "approval_expired")
        assert late["context"]["next_action"] == "request"
        assert system.ask_person(call(), late).json()["task"]["id"] != told["task"]["id"]


def test_a_stopped_initiative_asks_nobody(cast, initiative, system):
    """The call is decided again before a person is asked, so that the switch counts at once."""
    denied = evaluated(system)
    kill_switch.switch_off(initiative=initiative, reason="Wrong replies.", by=cast.owner)
    sent = system.ask_person(call(), denied)
    assert problem(sent) == (400, "not_requestable")
    assert "Wrong replies." in sent.json()["detail"]
    assert "access_request" not in evaluated(system)["context"]
    assert not ApprovalRequest.objects.exists()


def test_what_needs_no_person_is_not_requestable(system):
    """No token is given for it, and one that a system keeps from before does not help."""
    for asked in (call() | {"action": {"name": "unheard_of"}}, call() | {"action": {"name": "read_ticket"}}):
        context = system.send("/access/v1/evaluation", asked).json()["context"]
        assert not {"access_request", "evaluation_id", "next_action"} & set(context), context["code"]


def test_an_approval_that_is_no_object_with_an_id_is_unknown(system):
    for wrong in ("0b9d6a0e-6a3c-4f0b-9d55-0d3c0c3a7f11", {}, {"id": 7}, [], None, True):
        context = evaluated(system, approval=wrong)["context"]
        assert (context["code"], context["next_action"]) == ("approval_unknown", "none"), wrong


def test_a_key_asks_and_polls_only_if_it_may(cast, initiative, system):
    asks = System(factories.make_key(cast, initiative, scopes=["evaluate"])[1].text)
    polls = System(factories.make_key(cast, initiative, scopes=["approvals"])[1].text)
    denied = evaluated(asks)
    told = asks.ask_person(call(), denied).json()
    assert problem(polls.ask_person(call(), denied)) == (403, "about:blank")
    assert problem(task_at(asks, told)) == (403, "about:blank")
    assert task_at(polls, told).json() == told
    gone = polls.get("/access/v1/requests/00000000-0000-4000-8000-000000000000")
    assert problem(gone) == (404, "unknown_task")


def test_a_flood_is_told_to_wait_and_several_calls_are_sent_one_by_one(system, monkeypatch):
    monkeypatch.setattr(approval_actions, "MOST_WAITING", 1)
    first, second = (system.ask_person(call(n=n), evaluated(system, n=n)) for n in range(2))
    assert first.status_code == 202
    assert problem(second) == (429, "about:blank")
    assert second["Retry-After"] == "60"
    bulk = system.send("/access/v1/requests", call() | {"items": []})
    assert "items" in bulk.json()["detail"]
    assert problem(bulk) == (400, "about:blank")


def test_an_evaluation_that_needs_a_person_reads_nothing_of_the_database(system, django_assert_num_queries):
    evaluated(system)
    settings.DECISION_FRESH = 60.0
    try:
        with django_assert_num_queries(0):
            assert "access_request" in evaluated(system)["context"]
    finally:
        settings.DECISION_FRESH = 0.0
