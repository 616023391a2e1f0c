"""What the client keeps and for how long, and how it waits for a person: by a clock, and by the server's own time."""

import datetime as dt

import pytest

from tests.support.servers.stand_in_server import (
    KEY,
    NOW,
    Contract,
    allow,
    deny,
    needs_approval,
    saying,
    task,
)

AGENT, TICKET = {"type": "agent", "id": "triage"}, {"type": "ticket", "id": "4711"}
ASK = (AGENT, "assign_ticket", TICKET)
APPROVAL = "0b9d6a0e-6a3c-4f0b-9d55-0d3c0c3a7f11"
LATER = (NOW + dt.timedelta(hours=1)).isoformat()


# --- What is kept ----------------------------------------------------------------------------------------------


def test_an_allow_is_kept_for_a_second(playing, clock):
    server, plumbline = playing(saying(allow(valid_until=LATER)))
    assert not plumbline.ask(*ASK).cached
    clock.now += 0.99
    again = plumbline.ask(dict(reversed(AGENT.items())), {"name": "assign_ticket"}, TICKET)
    assert again.allowed
    assert again.cached
    clock.now += 0.01
    assert not plumbline.ask(*ASK).cached
    assert len(server.calls) == 2


def test_other_arguments_are_another_request(playing):
    server, plumbline = playing(saying(allow(valid_until=LATER)))
    for context in (None, {}, {"amount": 1}, {"amount": 1.0}, {"amount": "1"}, {"amount": True}):
        assert not plumbline.ask(*ASK, context).cached
    assert len(server.calls) == 6


@pytest.mark.parametrize("seconds", [-3600, 0, 1])
def test_an_allow_that_ends_is_not_kept_beyond_its_end(playing, seconds):
    end = (NOW + dt.timedelta(seconds=seconds)).isoformat()
    _, plumbline = playing(saying(allow(valid_until=end)), keep=60)
    assert plumbline.ask(*ASK)
    assert not plumbline.ask(*ASK).cached


def test_the_servers_time_counts_and_not_our_own(playing, clock):
    # The server lives in March 2026, whatever this machine's clock says: what remains is its end less its Date.
    end = (NOW + dt.timedelta(seconds=31)).isoformat()
    _, plumbline = playing(saying(allow(valid_until=end)), keep=3600)
    assert plumbline.ask(*ASK)
    clock.now += 29.9
    assert plumbline.ask(*ASK).cached
    clock.now += 0.2
    assert not plumbline.ask(*ASK).cached


@pytest.mark.parametrize("digits", ["5", "50", "500", "500000", "500000000"])
def test_a_second_that_has_begun_counts_as_over(playing, clock, digits):
    # The server decided at 9:00:00.5 and lets the allow be reused for a second; its Date says 9:00:00.
    end = f"2026-03-02T09:00:01.{digits}Z"
    _, plumbline = playing(saying(allow(valid_until=end)))
    assert plumbline.ask(*ASK)
    clock.now += 0.49
    assert plumbline.ask(*ASK).cached
    clock.now += 0.02
    assert not plumbline.ask(*ASK).cached


def test_a_clock_that_jumps_back_keeps_nothing_longer(playing, clock):
    _, plumbline = playing(saying(allow(valid_until=LATER)))
    assert plumbline.ask(*ASK)
    clock.now -= 50
    assert not plumbline.ask(*ASK).cached


@pytest.mark.parametrize(
    ("answer", "headers"),
    [
        (allow(), {}),  # the server does not say how long it holds, so only now
        (allow(valid_until=LATER), {"Date": None}),
        (allow(valid_until=LATER), {"Date": "yesterday"}),
        (allow(valid_until=LATER), {"Date": "Mon, 02 Mar 2026 09:00:00 -0000"}),  # of no zone
        (deny(valid_until=LATER), {}),
        (needs_approval(), {}),
    ],
)
def test_nothing_else_is_kept(playing, answer, headers):
    server, plumbline = playing(saying(answer, **headers), keep=60)
    assert plumbline.ask(*ASK).code == plumbline.ask(*ASK).code == answer["context"]["code"]
    assert len(server.calls) == 2


def test_what_used_an_approval_is_not_kept(playing):
    server, plumbline = playing(saying(allow(valid_until=LATER)), keep=60)
    for _ in range(2):
        assert not plumbline.ask(*ASK, {"approval": APPROVAL}).cached
    assert len(server.calls) == 2


def test_nothing_is_kept_when_told_so(playing):
    server, plumbline = playing(saying(allow(valid_until=LATER)), keep=0)
    assert plumbline.ask(*ASK)
    assert not plumbline.ask(*ASK).cached
    assert len(server.calls) == 2


def test_not_more_is_kept_than_told_and_the_oldest_goes(playing):
    _, plumbline = playing(saying(allow(valid_until=LATER)), keep_at_most=3)
    for number in range(5):
        plumbline.ask(AGENT, "read", {"type": "ticket", "id": str(number)})
    assert len(plumbline._own.allows) == 3
    kept = [plumbline.ask(AGENT, "read", {"type": "ticket", "id": str(n)}).cached for n in (4, 3, 2, 0)]
    assert kept == [True, True, True, False]


def test_a_kept_allow_ends_with_close(playing):
    _, plumbline = playing(saying(allow(valid_until=LATER)))
    plumbline.ask(*ASK)
    plumbline.close()
    assert not plumbline.ask(*ASK).cached


# --- Waiting for a person --------------------------------------------------------------------------------------

REFUND = (AGENT, {"name": "refund_customer", "properties": {"amount": 80}}, TICKET, {"channel": "mail"})


@pytest.fixture
def waiting(playing):
    """`waiting(play)`: server, client and a decision that waits for a person."""

    def start(play, **options):
        server, plumbline = playing(play, **options)
        decision = plumbline.ask(*REFUND)
        assert decision.needs_approval
        return server, plumbline, decision

    return start


def test_an_approved_act_goes_on_with_the_very_same_arguments(waiting, clock):
    play = Contract(waits=3)
    server, plumbline, decision = waiting(play)
    assert play.approvals == {}, "a denial asks nobody"
    done = plumbline.wait_for_approval(decision, every=5)
    assert done.allowed
    assert done.reason == "Mara Lind approved it."
    assert clock.naps == [5, 5, 5, 5]
    assert [call.command for call in server.calls] == ["POST", "POST", "GET", "GET", "GET", "GET", "POST"]
    [key] = play.approvals
    paths = [call.path.removeprefix("/access/v1/") for call in server.calls]
    assert paths == ["evaluation", "requests", *[f"requests/{key}"] * 4, "evaluation"]
    assert server.calls[2].headers["Authorization"] == f"Bearer {KEY}"
    first, asks, last = (server.calls[place].body for place in (0, 1, -1))
    assert asks == {**first, "denial": decision.denial}
    approval = {"id": key, "approved_until": (NOW + dt.timedelta(minutes=30)).isoformat()}
    assert last == {**first, "context": {"channel": "mail", "approval": approval}}
    again = plumbline.wait_for_approval(decision, timeout=0)
    assert not again.allowed, "the approval was used, so a person is asked anew"
    assert len(play.approvals) == 2


def test_an_answer_at_once_needs_no_poll(waiting):
    contract = Contract()

    def play(call):
        if call.path == "/access/v1/requests":
            contract.ask(call.body)
            [key] = contract.approvals
            contract.approvals[key][1] = "approved"
            return call.reply(task(key, "approved"), 201)
        return contract(call)

    server, plumbline, decision = waiting(play)
    assert plumbline.wait_for_approval(decision).allowed
    assert [call.command for call in server.calls] == ["POST", "POST", "POST"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"task": []},
        {"task": {"id": "../../evaluation", "status": "pending", "expires_at": LATER}},
        {"task": {"id": APPROVAL, "status": "pending"}},
        {"task": {"id": APPROVAL, "status": "pending", "expires_at": "soon"}},
        {"task": {"id": APPROVAL, "status": "approved", "expires_at": LATER}},
        task(APPROVAL, "approved") | {"result": {"mode": "token", "approval": {"id": APPROVAL}}},
        task(APPROVAL, "approved") | {"result": {"mode": "reevaluate"}},
        task(APPROVAL, "approved") | {"result": {"mode": "reevaluate", "approval": "yes"}},
    ],
)
def test_a_task_that_is_not_as_agreed_is_never_an_approval(waiting, clock, answer):
    contract = Contract()

    def play(call):
        call.reply(answer, 202) if call.path == "/access/v1/requests" else contract(call)

    server, plumbline, decision = waiting(play)
    done = plumbline.wait_for_approval(decision, timeout=4)
    assert (done.allowed, done.code) == (False, "approval_waiting")
    assert [call.path for call in server.calls].count("/access/v1/evaluation") == 1


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (403, "key_not_allowed")])
def test_a_question_that_will_always_fail_is_given_up_in_the_servers_words(waiting, clock, status, code):
    contract = Contract()

    def play(call):
        if call.path == "/access/v1/requests":
            said = {"type": "about:blank", "detail": "The initiative is held."}
            return call.reply(said, status, Content_Type="application/problem+json")
        return contract(call)

    _, plumbline, decision = waiting(play)
    done = plumbline.wait_for_approval(decision)
    assert (done.outcome, done.code, clock.naps) == ("error", code, [])
    assert "The initiative is held." in done.reason


def test_a_question_that_came_too_late_has_expired(waiting, clock):
    contract = Contract()

    def play(call):
        call.reply({"detail": "Too late."}, 410) if call.path == "/access/v1/requests" else contract(call)

    _, plumbline, decision = waiting(play)
    done = plumbline.wait_for_approval(decision)
    assert (done.outcome, done.code, clock.naps) == ("deny", "approval_expired", [])


def test_a_refusal_is_a_no_with_the_persons_reason(waiting):
    _, plumbline, decision = waiting(Contract(verdict="denied"))
    done = plumbline.wait_for_approval(decision)
    assert (done.outcome, done.code) == ("deny", "approval_refused")
    assert done.reason == "Mara Lind: not for this customer."
    assert not done.needs_approval
    assert plumbline.wait_for_approval(done) is done


@pytest.mark.parametrize("verdict", ["expired", "cancelled", "failed", "partial", "unheard-of"])
def test_an_approval_that_ended_is_a_no(waiting, verdict):
    server, plumbline, decision = waiting(Contract(verdict=verdict))
    done = plumbline.wait_for_approval(decision)
    assert (done.allowed, done.outcome, done.code) == (False, "deny", f"approval_{verdict}")
    assert done.reason
    assert [call.command for call in server.calls].count("POST") == 2


def test_when_nobody_answers_in_time_nothing_is_done_and_it_can_be_waited_for_again(waiting, clock):
    play = Contract(waits=10)
    _, plumbline, decision = waiting(play)
    done = plumbline.wait_for_approval(decision, timeout=7, every=2)
    assert sum(clock.naps) == 7
    assert (done.allowed, done.outcome, done.code) == (False, "needs_approval", "approval_waiting")
    play.waits = 0
    assert plumbline.wait_for_approval(done, timeout=0).allowed


def test_waiting_ends_when_the_request_expires_by_the_servers_time(waiting, clock):
    def play(call):
        if call.command == "GET":
            return call.reply("away", 503)
        if call.path == "/access/v1/requests":
            return call.reply(task(APPROVAL, until=NOW + dt.timedelta(seconds=9)), 202)
        return call.reply(needs_approval())

    _, plumbline, decision = waiting(play)
    done = plumbline.wait_for_approval(decision, every=4)
    assert clock.naps == [4, 4, 1]
    assert (done.outcome, done.code) == ("deny", "approval_expired")


def test_a_poll_that_fails_is_repeated(waiting, clock):
    contract, troubles = Contract(waits=0), [503, 429, 200, 0, 0]

    def play(call):
        if call.command == "GET" and troubles:
            trouble = troubles.pop(0)
            if trouble == 429:
                return call.reply("slower", 429, Retry_After="30")
            return call.reply({"status": 5}, trouble) if trouble else call.drop()
        return contract(call)

    _, plumbline, decision = waiting(play)
    assert plumbline.wait_for_approval(decision).allowed
    assert clock.naps == [2, 2, 30, 2, 2]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_poll_that_will_always_fail_is_given_up(waiting, clock, status):
    contract = Contract()

    def play(call):
        call.reply("no", status) if call.command == "GET" else contract(call)

    _, plumbline, decision = waiting(play)
    assert plumbline.wait_for_approval(decision).outcome == "error"
    assert clock.naps == [2]


def test_an_approval_whose_use_fails_is_a_no(waiting):
    contract = Contract(waits=0)

    def play(call):
        call.reply("away", 503) if "approval" in (call.body or {}).get("context", {}) else contract(call)

    _, plumbline, decision = waiting(play)
    assert plumbline.wait_for_approval(decision).code == "server_error"


def test_what_waits_for_nobody_comes_back_as_it_is(playing):
    server, plumbline = playing(saying(allow(), deny(), deny(outcome="needs_approval")))
    for _ in range(3):
        decision = plumbline.ask(*ASK)
        assert plumbline.wait_for_approval(decision) is decision
    assert len(server.calls) == 3
