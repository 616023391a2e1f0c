"""The client that builders copy: it is allowed only what a clear answer allows, whatever the server plays."""

import ast
import datetime as dt
import http.client
import json
import logging
import os
import random
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from governance.authorization import client
from governance.authorization.client import Denied, Plumbline
from tests.support.servers.stand_in_server import (
    CONTRACT,
    KEY,
    NOW,
    StandIn,
    allow,
    deny,
    needs_approval,
    saying,
)

SOURCE = Path(client.__file__).read_text()
AGENT, TICKET = {"type": "agent", "id": "triage"}, {"type": "ticket", "id": "4711"}
ASK = (AGENT, "assign_ticket", TICKET)
APPROVAL = "0b9d6a0e-6a3c-4f0b-9d55-0d3c0c3a7f11"
LATER = (NOW + dt.timedelta(hours=1)).isoformat()


def is_a_no(decision, code):
    """It allows nothing, says why in a word and in a sentence, and keeps the key to itself."""
    assert (decision.allowed, bool(decision), decision.outcome, decision.code) == (
        False,
        False,
        "error",
        code,
    )
    assert decision.reason.strip().endswith((".", "”"))
    assert KEY not in repr(decision)
    return True


# --- What it is ------------------------------------------------------------------------------------------------


def test_it_is_one_file_of_the_standard_library_for_python_3_9():
    tree = ast.parse(SOURCE, feature_version=(3, 9))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.partition(".")[0])
    assert "http" in names
    assert names <= sys.stdlib_module_names
    assert SOURCE.startswith("# SPDX-License-Identifier: Apache-2.0\n")


# --- A good server ---------------------------------------------------------------------------------------------


def test_an_allow_with_all_it_says(playing):
    server, plumbline = playing(saying(allow(valid_until=LATER.replace("+00:00", "Z"))))
    decision = plumbline.ask(
        AGENT, {"name": "assign_ticket", "properties": {"team": "billing"}}, TICKET, {"a": 1}
    )
    assert decision
    assert decision.outcome == "allow"
    assert not decision.needs_approval
    assert (decision.code, decision.reason) == ("clause", "Clause 3 allows it.")
    assert decision.clauses == (client.Clause(3, "The assistant assigns tickets by itself."),)
    assert (decision.contract_version, decision.contract_digest) == (2, CONTRACT["digest"])
    assert decision.valid_until == NOW + dt.timedelta(hours=1)
    [call] = server.calls
    assert (call.command, call.path) == ("POST", "/access/v1/evaluation")
    assert call.headers["Authorization"] == f"Bearer {KEY}"
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["X-Request-ID"] == decision.request_id
    assert call.body == {
        "subject": AGENT,
        "action": {"name": "assign_ticket", "properties": {"team": "billing"}},
        "resource": TICKET,
        "context": {"a": 1},
    }


def test_a_deny_and_a_bare_answer_of_the_standard(playing):
    _, plumbline = playing(saying(deny(), {"decision": True}, {"decision": False, "more": [1]}), keep=0)
    denied = plumbline.ask(*ASK)
    assert (denied.allowed, denied.outcome, denied.code) == (False, "deny", "no_clause")
    assert denied.reason == "No clause of the contract covers this."
    assert plumbline.ask(*ASK).allowed
    assert not plumbline.ask(*ASK)


def test_a_decision_that_needs_approval_is_a_no_until_then(playing):
    _, plumbline = playing(saying(needs_approval()))
    decision = plumbline.ask(*ASK)
    assert decision.needs_approval
    assert not decision
    asks = needs_approval()["context"]["access_request"]
    assert decision.denial == {
        "evaluation_id": "evaluation-1",
        "expires_at": asks["expires_at"],
        "binding_token": asks["binding_token"],
    }
    assert decision.task is None, "nobody is asked before the system asks"
    assert asks["binding_token"] not in repr(decision)


def test_require_raises_what_is_not_allowed(playing):
    _, plumbline = playing(saying(allow(), deny()), keep=0)
    assert plumbline.require(AGENT, "assign_ticket", resource=TICKET).allowed
    with pytest.raises(Denied, match="No clause") as caught:
        plumbline.require(*ASK)
    assert caught.value.decision.code == "no_clause"


def test_address_and_key_come_from_the_environment(playing, monkeypatch):
    server, _ = playing(saying(allow()))
    monkeypatch.setenv("PLUMBLINE_ADDRESS", f"{server.address}/")
    monkeypatch.setenv("PLUMBLINE_KEY", f"{KEY}\n")
    assert Plumbline().ask(*ASK)
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"


# --- It fails closed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (401, "wrong_key"),
        (403, "key_not_allowed"),
        (404, "not_found"),
        (405, "server_error"),
        (429, "too_many_requests"),
        (500, "server_error"),
        (503, "server_error"),
        (201, "server_error"),
        (204, "server_error"),
    ],
)
def test_every_other_status_is_a_no_even_with_an_allow_in_it(playing, status, code):
    _, plumbline = playing(lambda call: call.reply(allow() if status != 204 else b"", status))
    assert is_a_no(plumbline.ask(*ASK), code)


def test_an_error_says_the_servers_words_without_the_key(playing):
    def play(call):
        call.reply(f"Key {KEY} is\nrevoked. {'x' * 275}{KEY}{'x' * 900}", 429, Retry_After="7")

    _, plumbline = playing(play)
    decision = plumbline.ask(*ASK)
    assert decision.retry_after == 7
    assert "The answer was: “Key (key) is revoked." in decision.reason
    assert "pl_" not in decision.reason
    assert len(decision.reason) < 400


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(playing, status):
    other, _ = playing(saying(allow()))
    _, plumbline = playing(lambda call: call.reply(allow(), status, Location=f"{other.address}{call.path}"))
    assert is_a_no(plumbline.ask(*ASK), "redirected")
    assert other.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"yes",
        b"\xff\xfe",
        b'{"decision": true',
        b'{"decision": false, "decision": true}',
        b"[" * 50_000,
        None,
        True,
        [],
        [True],
        "true",
        {},
        {"decision": None},
        {"decision": "true"},
        {"decision": 1},
        {"Decision": True},
        {"decision": True, "context": []},
        {"decision": True, "context": {"outcome": "deny"}},
        {"decision": True, "context": {"outcome": "needs_approval"}},
        {"decision": True, "context": {"outcome": "perhaps"}},
        {"decision": True, "context": {"outcome": True}},
        {"decision": False, "context": {"outcome": "allow"}},
        {"decision": False, "context": {"outcome": "perhaps"}},
        allow(reason=1),
        allow(code={}),
        allow(clauses={}),
        allow(clauses=["3"]),
        allow(clauses=[{"number": True}]),
        allow(contract="v2"),
        allow(contract={"version": "2"}),
        allow(valid_until=5),
        allow(valid_until=""),
        allow(valid_until="tomorrow"),
        allow(valid_until="2026-03-02T10:00:00"),
        needs_approval() | {"decision": True},
        allow(evaluation_id="e", access_request=needs_approval()["context"]["access_request"]),
        deny(access_request=[]),
        deny(access_request={}),
        deny(access_request=needs_approval()["context"]["access_request"]),
        needs_approval(evaluation_id=1),
        needs_approval(access_request={"expires_at": LATER}),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_a_no(playing, answer):
    _, plumbline = playing(saying(answer))
    assert is_a_no(plumbline.ask(*ASK), "unclear_answer")


def test_every_cut_and_many_a_garbled_allow_is_a_no(playing):
    good = json.dumps(allow()).encode()
    chance = random.Random(5)
    broken = [good[:end] for end in range(0, len(good), 5)]
    for _ in range(60):
        place = chance.randrange(len(good) - 1)
        broken.append(good[:place] + bytes([good[place] ^ 0x80]) + good[place + 1 :])
    _, plumbline = playing(saying(*broken))
    for _ in broken:
        assert not plumbline.ask(*ASK).allowed


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content_Type": "text/html"}, "unclear_answer"),
        ({"Content_Type": None}, "unclear_answer"),
        ({"X_Request_ID": "another"}, "unclear_answer"),
        ({"Content_Length": "2000"}, "timeout"),
    ],
)
def test_headers_that_do_not_fit_are_a_no(playing, headers, code):
    _, plumbline = playing(saying(allow(), **headers), timeout=0.2)
    assert is_a_no(plumbline.ask(*ASK), code)


def test_an_answer_too_large_is_a_no(playing):
    server, plumbline = playing(saying(allow(reason="x" * client.LARGEST), allow()), keep=0)
    assert is_a_no(plumbline.ask(*ASK), "too_large")
    assert plumbline.ask(*ASK)
    assert server.connections == 2  # what is left of the large one is never read as another answer


def test_nobody_there_is_a_no():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but it does not listen
        plumbline = Plumbline(f"http://127.0.0.1:{nobody.getsockname()[1]}", KEY)
        decision = plumbline.ask(*ASK)
    assert is_a_no(decision, "unreachable")
    assert "ConnectionRefusedError" in decision.reason


def test_a_host_that_is_not_found_is_a_no(monkeypatch):
    def nowhere(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    assert is_a_no(Plumbline("https://plumbline.example.org", KEY).ask(*ASK), "unreachable")


def test_a_look_up_that_hangs_ends_in_time_and_does_not_pile_up_threads(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    monkeypatch.setattr(client, "AT_ONCE", 3)
    plumbline, before = (
        Plumbline("https://plumbline.example.org", KEY, timeout=0.02),
        threading.active_count(),
    )
    for _ in range(8):
        assert is_a_no(plumbline.ask(*ASK), "timeout")
    assert threading.active_count() - before <= 3
    release.set()


def test_no_thread_left_is_a_no(playing, monkeypatch):
    _, plumbline = playing(saying(allow()))
    monkeypatch.setattr(client, "AT_ONCE", 1)
    plumbline.close()  # the next line to the server has one place

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert is_a_no(plumbline.ask(*ASK), "client_error")
    assert plumbline.ask(*ASK)  # and the place was given back


@pytest.mark.parametrize("where", ["before", "headers", "body", "body_until_close"])
def test_the_time_limit_holds_for_the_whole_answer_not_for_each_byte(playing, where):
    ended = threading.Event()

    def trickle(call):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        if where == "before":
            time.sleep(0.4)
        if where == "body":
            head += b"Content-Length: 900\r\n\r\n"
        if where == "body_until_close":
            head += b"Connection: close\r\n\r\n"
        text = head + json.dumps(allow()).encode() * 3
        whole = 20 if where == "headers" else len(head)
        call.close_connection = True
        try:
            call.wfile.write(text[:whole])
            for place in range(whole, len(text)):
                time.sleep(0.01)
                call.wfile.write(text[place : place + 1])
        except OSError:
            ended.set()

    _, plumbline = playing(trickle, timeout=0.15)
    threads = threading.active_count()
    assert is_a_no(plumbline.ask(*ASK), "timeout")
    assert ended.wait(5)  # the client hung up before the whole was sent
    waited = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < waited:
        time.sleep(0.005)
    assert threading.active_count() <= threads  # and its thread has ended


def test_a_late_connection_sends_nothing(playing, monkeypatch):
    server, plumbline = playing(saying(allow()), timeout=0.05)
    real, done = http.client.HTTPConnection.connect, threading.Event()

    def slow(connection):
        time.sleep(0.12)
        real(connection)
        done.set()

    monkeypatch.setattr(http.client.HTTPConnection, "connect", slow)
    assert is_a_no(plumbline.ask(*ASK, {"approval": APPROVAL}), "timeout")
    assert done.wait(5)
    time.sleep(0.05)
    assert server.calls == []  # or it would use up the approval for an act that nobody does


@pytest.mark.parametrize(
    "evaluation_request",
    [
        (AGENT, "refund", TICKET, {"amount": {1, 2}}),
        (AGENT, "refund", TICKET, {"amount": float("nan")}),
        (AGENT, "refund", TICKET, {"who": "\ud800"}),
        (AGENT, "refund", TICKET, {1: "a", "1": "b"}),
        (AGENT, {"name": object()}, TICKET),
    ],
)
def test_a_request_that_json_cannot_say_is_a_no_and_not_sent(playing, evaluation_request):
    server, plumbline = playing(saying(allow()))
    decision = plumbline.ask(*evaluation_request)
    assert is_a_no(decision, "bad_request")
    assert "JSON" in decision.reason
    assert server.calls == []


def test_whatever_else_goes_wrong_is_a_no(playing):
    _, plumbline = playing(saying(allow()))
    assert is_a_no(plumbline.ask(AGENT, "refund", TICKET, 5), "client_error")


# --- Connections -----------------------------------------------------------------------------------------------


def test_a_connection_is_used_again(playing):
    server, plumbline = playing(saying(deny()))
    for _ in range(5):
        assert plumbline.ask(*ASK).outcome == "deny"
    assert server.connections == 1


def test_a_connection_that_the_server_ends_or_that_is_one_too_many_is_closed(playing, monkeypatch):
    server, plumbline = playing(saying(deny(), Connection="close"))
    for _ in range(2):
        assert plumbline.ask(*ASK).outcome == "deny"
        assert plumbline._own.idle == []
    assert server.connections == 2
    server, plumbline = playing(saying(deny()))
    monkeypatch.setattr(client, "IDLE_CONNECTIONS", 0)
    for _ in range(2):
        assert plumbline.ask(*ASK).outcome == "deny"
    assert server.connections == 2


def test_an_idle_connection_the_server_dropped_is_replaced_once(playing):
    def play(call):
        call.drop()
        call.reply(deny())  # and says nothing of closing

    server, plumbline = playing(play)
    for _ in range(3):
        assert plumbline.ask(*ASK).outcome == "deny"
    assert (server.connections, len(server.calls)) == (3, 3)


def test_a_new_connection_that_is_dropped_is_not_tried_again(playing):
    server, plumbline = playing(lambda call: call.drop())
    assert is_a_no(plumbline.ask(*ASK), "unreachable")
    assert server.connections == 1


def test_a_server_that_begins_to_drop_is_tried_twice_and_no_more(playing):
    def play(call):
        call.reply(deny()) if len(server.calls) == 1 else call.drop()

    server, plumbline = playing(play)
    assert plumbline.ask(*ASK).outcome == "deny"
    assert is_a_no(plumbline.ask(*ASK), "unreachable")
    assert (server.connections, len(server.calls)) == (2, 3)


def test_an_answer_cut_off_is_a_no(playing):
    def play(call):
        call.drop()
        call.reply(allow(), Content_Length="5000")

    _, plumbline = playing(play)
    assert is_a_no(plumbline.ask(*ASK), "unclear_answer")


def test_an_old_idle_connection_is_not_trusted(playing, monkeypatch):
    server, plumbline = playing(saying(deny()))
    plumbline.ask(*ASK)
    monkeypatch.setattr(client, "IDLE_SECONDS", 0.0)
    assert plumbline.ask(*ASK).outcome == "deny"
    assert server.connections == 2


def test_an_approval_is_never_sent_twice(playing):
    def play(call):
        if len(server.calls) == 1:
            call.reply(deny())
        else:
            call.drop()  # the server took the approval, and its answer was lost

    server, plumbline = playing(play)
    plumbline.ask(*ASK)
    assert is_a_no(plumbline.ask(*ASK, {"approval": APPROVAL}), "unreachable")
    assert len(server.calls) == 2


def test_threads_get_their_own_answers(playing):
    def play(call):
        mine = call.body["resource"]["id"]
        call.reply(allow(reason=mine) if int(mine) % 2 else deny(reason=mine))

    server, plumbline = playing(play, clock=time.monotonic, keep_at_most=5)
    wrong = []

    def ask(first):
        for number in range(first, first + 15):
            decision = plumbline.ask(AGENT, "read", {"type": "ticket", "id": str(number)})
            if decision.reason != str(number) or decision.allowed != bool(number % 2):
                wrong.append((number, decision))

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(0, 120, 15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(server.calls) == 120


def test_a_child_of_a_fork_opens_its_own_connection(playing, monkeypatch):
    server, plumbline = playing(saying(allow(valid_until=LATER)))
    plumbline.ask(*ASK)
    parents = plumbline._own.idle[0][0]
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    assert not plumbline.ask(*ASK).cached
    assert server.connections == 2
    assert plumbline._own.idle[0][0] is not parents


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that nobody has heard of."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")]),
    )
    day = dt.timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(dt.datetime.now(dt.UTC) - day)
    made = made.not_valid_after(dt.datetime.now(dt.UTC) + day)
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + private)
    return path


def test_a_certificate_must_be_trusted_and_of_the_host(certificate):
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with StandIn(saying(deny()), tls=own) as server:
        stranger = Plumbline(server.address, KEY).ask(*ASK)
        assert is_a_no(stranger, "unreachable")
        assert "SSLCertVerificationError" in stranger.reason
        elsewhere = Plumbline(server.address.replace("localhost", "127.0.0.1"), KEY, tls=trusting)
        assert is_a_no(elsewhere.ask(*ASK), "unreachable")
        assert server.calls == []
        plumbline = Plumbline(server.address, KEY, tls=trusting)
        assert [plumbline.ask(*ASK).outcome for _ in range(3)] == ["deny"] * 3
        server.play = lambda call: time.sleep(0.3)
        hanging = Plumbline(server.address, KEY, tls=trusting, timeout=0.1)
        assert is_a_no(hanging.ask(*ASK), "timeout")
        plumbline.close()


# --- Many at once ----------------------------------------------------------------------------------------------


def many(count):
    return [
        {"subject": AGENT, "action": "read", "resource": {"type": "ticket", "id": str(n)}}
        for n in range(count)
    ]


def test_many_are_asked_at_once_and_answered_in_order(playing):
    wrong = {"decision": False, "context": {"error": {"status": 400, "message": "It has no resource."}}}
    answers = [allow(), wrong, {"decision": "yes"}, needs_approval()]
    server, plumbline = playing(saying({"evaluations": answers}))
    decisions = plumbline.ask_all(many(4))
    assert [decision.outcome for decision in decisions] == ["allow", "deny", "error", "needs_approval"]
    assert decisions[1].reason == "It has no resource."
    assert json.loads(decisions[3].asked)["resource"]["id"] == "3"
    [call] = server.calls
    assert call.path == "/access/v1/evaluations"
    assert call.body["options"] == {"evaluations_semantic": "execute_all"}
    assert call.body["evaluations"][1]["action"] == {"name": "read"}


def test_what_an_earlier_answer_decided_is_a_no(playing):
    server, plumbline = playing(saying({"evaluations": [allow(), deny()]}))
    decisions = plumbline.ask_all(many(4), semantic="deny_on_first_deny")
    assert [d.allowed for d in decisions] == [True, False, False, False]
    assert decisions[3].code == "not_decided"
    assert server.calls[0].body["options"] == {"evaluations_semantic": "deny_on_first_deny"}


@pytest.mark.parametrize(
    "answer",
    [
        {"evaluations": [allow()]},
        {"evaluations": [allow()] * 3},
        {"evaluations": {}},
        allow(),
        [allow(), allow()],
    ],
)
def test_too_few_or_too_many_answers_are_a_no_for_all(playing, answer):
    _, plumbline = playing(saying(answer))
    decisions = plumbline.ask_all(many(2))
    assert len(decisions) == 2
    assert all(is_a_no(decision, "unclear_answer") for decision in decisions)


def test_many_fail_closed_together(playing):
    server, plumbline = playing(lambda call: call.reply("away", 503))
    assert [is_a_no(decision, "server_error") for decision in plumbline.ask_all(many(3))] == [True] * 3
    assert is_a_no(plumbline.ask_all([{"subject": AGENT}])[0], "client_error")
    assert plumbline.ask_all([]) == []
    assert len(server.calls) == 1


# --- Setting it up, and the key --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        "plumbline.example.org",
        "ftp://plumbline.example.org",
        "https://",
        f"https://user:{KEY}@plumbline.example.org",
        f"https://plumbline.example.org?key={KEY}",
        f"https://plumbline.example.org#{KEY}",
        "https://plumbline.example.org/ä",
        f"https://plumbline.example.org:{KEY}",
        "https://[::1",
        KEY,
    ],
)
def test_an_address_that_is_none_is_refused_in_words(address, monkeypatch):
    monkeypatch.delenv("PLUMBLINE_ADDRESS", raising=False)
    with pytest.raises(ValueError, match="Set PLUMBLINE_ADDRESS to the address of Plumbline") as caught:
        Plumbline(address, KEY)
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "address", ["http://plumbline.example.org", "http://127.0.0.1.example.org", "http://10.0.0.5:8000"]
)
def test_the_key_does_not_travel_unencrypted(address):
    with pytest.raises(ValueError, match="begins with https://"):
        Plumbline(address, KEY)


@pytest.mark.parametrize(
    "address", ["http://localhost:1", "http://127.0.0.1", "http://[::1]:9", "HTTPS://a.example"]
)
def test_except_to_this_machine(address):
    assert KEY not in repr(Plumbline(address, KEY))


@pytest.mark.parametrize("key", ["", " ", "pl secret", "pl\r\nX-Other: 1", "schlüssel"])
def test_a_key_that_is_none_is_refused_without_showing_it(key, monkeypatch):
    monkeypatch.delenv("PLUMBLINE_KEY", raising=False)
    with pytest.raises(ValueError, match="Set PLUMBLINE_KEY") as caught:
        Plumbline("https://plumbline.example.org", key)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": float("inf")}, {"keep": -1}, {"keep_at_most": 0}]
)
def test_limits_that_are_none_are_refused(options):
    with pytest.raises(ValueError, match="Set timeout above 0"):
        Plumbline("https://plumbline.example.org", KEY, **options)


def test_the_key_is_not_shown_nor_logged(playing, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)  # somebody looks for a fault elsewhere
    _, plumbline = playing(saying(deny(), b"{"))
    with pytest.raises(Denied) as caught:
        plumbline.require(*ASK)
    shown = [repr(plumbline), str(plumbline), repr(caught.value), repr(caught.value.decision)]
    shown += [plumbline.ask(*ASK).reason, caplog.text, *capfd.readouterr()]
    assert not [text for text in shown if KEY in text]
    assert caught.value.__cause__ is None
