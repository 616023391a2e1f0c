"""The examples for builders run as they are handed out: beside a copy of the client, against a server that decides."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest

from governance.authorization import client
from tests.support.paths import EXAMPLES
from tests.support.servers.stand_in_server import KEY, Contract, StandIn


@pytest.fixture
def folder(tmp_path):
    """A builder's folder: the client as plumbline.py, and the examples."""
    return folder_of(tmp_path)


def folder_of(tmp_path):
    """The client as plumbline.py, and the examples beside it, in this folder."""
    shutil.copy(client.__file__, tmp_path / "plumbline.py")
    for example in EXAMPLES.glob("*.py"):
        shutil.copy(example, tmp_path)
    return tmp_path


def environment(address, key=KEY):
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {"PLUMBLINE_ADDRESS": address, "PLUMBLINE_KEY": key, "PYTHONWARNINGS": "error"}


def script(folder, address, *options, **others):
    return subprocess.run(
        [sys.executable, "plain_script.py", "--every", "0.02", *options],
        cwd=folder,
        env=environment(address, **others),
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_every_example_is_named_in_the_readme_and_every_link_leads_somewhere():
    readme = (EXAMPLES / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert {path.name for path in EXAMPLES.glob("*.py")} <= set(links)
    assert [link for link in links if not (EXAMPLES / link.partition("#")[0]).exists()] == []
    asked = set(re.findall(r"`([a-z]+_(?:ticket|customer))`", readme))
    assert asked == {"read_ticket", "assign_ticket", "refund_customer", "delete_customer"}


# --- The plain script ------------------------------------------------------------------------------------------


def test_the_script_is_allowed_waits_and_goes_on_and_is_denied(folder):
    with StandIn(Contract(waits=2)) as server:
        done = script(folder, server.address)
    assert done.stdout.splitlines() == [
        "May I assign_ticket 4711 {'team': 'billing'}?",
        "  yes: Clause 3 allows it.",
        "  done: ticket 4711 now belongs to billing.",
        "May I refund_customer 4711 {'amount': 8000, 'currency': 'EUR'}?",
        "  wait: A person decides.",
        "  yes: Mara Lind approved it.",
        "  done: 80.00 EUR go back to the customer of ticket 4711.",
        "May I delete_customer C-9?",
        "  no (no_clause): No clause of the contract covers this.",
    ]
    assert (done.returncode, done.stderr) == (1, "")
    asked, told, person = ["/access/v1/evaluation"], ["/access/v1/outcomes"], ["/access/v1/requests"]
    paths = [call.path for call in server.calls if call.command == "POST"]
    assert paths == [*asked, *told, *asked, *person, *asked, *told, *asked], "what was done is reported"
    assert [call.command for call in server.calls].count("GET") == 3


@pytest.mark.parametrize(("verdict", "waits"), [("denied", 1), ("approved", 10_000)])
def test_the_script_does_nothing_a_person_did_not_approve(folder, verdict, waits):
    with StandIn(Contract(waits=waits, verdict=verdict)) as server:
        done = script(folder, server.address, "--wait", "0.1")
    assert done.stdout.count("done:") == 1
    assert "euros" not in done.stdout
    reason = (
        "approval_refused): Mara Lind" if verdict == "denied" else "approval_waiting): No one has answered"
    )
    assert reason in done.stdout


def test_the_script_does_nothing_without_an_answer(folder):
    with StandIn(Contract()) as server:
        done = script(folder, server.address, key="pl_wrong")
    assert "done:" not in done.stdout
    assert done.stdout.count("no (wrong_key)") == 3
    assert "pl_wrong" not in done.stdout + done.stderr
    unset = script(folder, "")
    assert "Set PLUMBLINE_ADDRESS" in unset.stderr
    assert (unset.returncode, unset.stdout) == (1, "")


# --- The MCP server --------------------------------------------------------------------------------------------


class Assistant:
    """The other side of an MCP server: starts it, writes lines and reads lines."""

    def __init__(self, folder, address, *options):
        self.process = subprocess.Popen(
            [sys.executable, "mcp_server.py", "--every", "0.02", *options],
            cwd=folder,
            env=environment(address),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.guard = threading.Timer(20, self.process.kill)
        self.guard.start()
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        errors = self.process.stderr.read()
        assert self.process.stdout.read() == b""  # nothing was said that nobody read
        assert self.process.wait(10) == 0
        self.guard.cancel()
        self.process.stdout.close()
        self.process.stderr.close()
        assert errors == b""

    def write(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def read(self):
        answer = json.loads(self.process.stdout.readline())
        assert answer.pop("jsonrpc") == "2.0"
        return answer

    def send(self, method, params=None):
        self.number += 1
        message = {"jsonrpc": "2.0", "id": self.number, "method": method}
        self.write(json.dumps(message if params is None else message | {"params": params}).encode())
        return self.number

    def ask(self, method, params=None):
        key = self.send(method, params)
        answer = self.read()
        assert answer.pop("id") == key
        return answer

    def notify(self, method, params=None):
        self.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params or {}}).encode())

    def begin(self):
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        }
        answer = self.ask("initialize", hello)
        self.notify("notifications/initialized")
        return answer["result"]

    def call(self, name, **arguments):
        """The text of a tool's answer, and whether it is an error."""
        result = self.ask("tools/call", {"name": name, "arguments": arguments})["result"]
        [content] = result["content"]
        assert content["type"] == "text"
        return content["text"], result["isError"]


def test_the_server_asks_before_each_tool(folder):
    with StandIn(Contract(waits=1)) as server, Assistant(folder, server.address) as assistant:
        begun = assistant.begin()
        assert begun["protocolVersion"] == "2025-06-18"
        assert begun["capabilities"] == {"tools": {}}
        assert set(begun["serverInfo"]) == {"name", "title", "version"}
        tools = assistant.ask("tools/list")["result"]["tools"]
        assert [tool["name"] for tool in tools] == ["read_ticket", "assign_ticket", "refund_customer"]
        assert tools[2]["inputSchema"]["required"] == ["ticket", "amount"]
        assert server.calls == []

        assert assistant.call("assign_ticket", ticket="4711", team="billing") == (
            "Ticket 4711 now belongs to billing.",
            False,
        )
        assert assistant.call("refund_customer", ticket="4711", amount=80) == (
            "80 euros go back to the customer of ticket 4711.",
            False,
        )
        text, failed = assistant.call("read_ticket", ticket="4711")
        assert (json.loads(text), failed) == (
            {"subject": "Charged twice", "team": "billing", "refunded": 80},
            False,
        )
        assert assistant.call("read_ticket", ticket="4712") == (
            "read_ticket failed. There is no ticket 4712.",
            True,
        )
        assert assistant.ask("ping") == {"result": {}}
    assert server.calls[1].body == {
        "subject": {"type": "agent", "id": "ticket-triage"},
        "action": {"name": "refund_customer", "properties": {"amount": 8000, "currency": "EUR"}},
        "resource": {"type": "ticket", "id": "4711"},
    }


def test_a_tool_that_is_denied_says_why_and_does_nothing(folder):
    contract = Contract()

    def play(call):
        if call.body and call.body["action"]["name"] == "assign_ticket":
            call.reply({"decision": False, "context": {"outcome": "deny", "reason": "AI-0042 is stopped."}})
        else:
            contract(call)

    with StandIn(play) as server, Assistant(folder, server.address) as assistant:
        assistant.begin()
        assert assistant.call("assign_ticket", ticket="4711", team="billing") == (
            "Not allowed: assign_ticket was not carried out. AI-0042 is stopped.",
            True,
        )
        assert json.loads(assistant.call("read_ticket", ticket="4711")[0])["team"] == ""
        server.play = lambda call: call.reply("The database is away.", 503)
        text, failed = assistant.call("read_ticket", ticket="4711")
        assert failed
        assert "The database is away." in text


def test_a_refund_that_nobody_approves_in_time_goes_on_when_called_again(folder):
    contract = Contract(waits=10_000)
    with StandIn(contract) as server, Assistant(folder, server.address, "--wait", "0.05") as assistant:
        assistant.begin()
        text, failed = assistant.call("refund_customer", ticket="4711", amount=80)
        assert failed
        assert text.startswith("Not done: refund_customer waits for a person.")
        contract.waits = 0
        assert (
            assistant.call("refund_customer", ticket="4711", amount=90)[1] is False
        )  # other arguments: asked anew
        assert assistant.call("refund_customer", ticket="4711", amount=80)[1] is False
        assert len(contract.approvals) == 2
        assert json.loads(assistant.call("read_ticket", ticket="4711")[0])["refunded"] == 170
        contract.verdict = "denied"
        assert assistant.call("refund_customer", ticket="4711", amount=80) == (
            "Not allowed: refund_customer was not carried out. Mara Lind: not for this customer.",
            True,
        )


def test_others_are_answered_while_a_person_decides_and_a_cancelled_call_is_not_carried_out(folder):
    contract = Contract(waits=10_000)
    with StandIn(contract) as server, Assistant(folder, server.address) as assistant:
        assistant.begin()
        refund = {"name": "refund_customer", "arguments": {"ticket": "4711", "amount": 80}}
        key = assistant.send("tools/call", refund)
        assert assistant.ask("ping") == {"result": {}}
        assistant.notify("notifications/cancelled", {"requestId": key, "reason": "changed my mind"})
        assert assistant.ask("ping") == {"result": {}}  # so the notification was read
        contract.waits = 0
        until = time.monotonic() + 5
        while [approval[1] for approval in contract.approvals.values()] != ["used"]:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert json.loads(assistant.call("read_ticket", ticket="4711")[0])["refunded"] == 0


@pytest.mark.parametrize("first", [True, False])
def test_the_server_answers_what_is_no_call_as_the_protocol_wants(folder, first):
    broken = [
        (b"{", None, -32700),
        (b"\xff", None, -32700),
        (b"[]", None, -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', None, -32600),  # no batches since this revision
        (b'{"id": null, "method": "ping"}', None, -32600),
        (b'{"id": true, "method": "ping"}', None, -32600),
        (b'{"id": 5}', 5, -32600),
        (b'{"id": "a", "method": "resources/list"}', "a", -32601),
        (b'{"id": 6, "method": "ping", "params": []}', 6, -32602),
        (b'{"id": 7, "method": "initialize", "params": {}}', 7, -32602),
    ]
    calls = [
        {"name": "delete_customer", "arguments": {}},
        {"name": ["read_ticket"], "arguments": {"ticket": "4711"}},
        {"name": "read_ticket"},
        {"name": "read_ticket", "arguments": {"ticket": "4711", "more": 1}},
        {"name": "read_ticket", "arguments": {"ticket": 4711}},
        {"name": "read_ticket", "arguments": {"ticket": ""}},
        {"name": "refund_customer", "arguments": {"ticket": "4711", "amount": "80"}},
        {"name": "refund_customer", "arguments": {"ticket": "4711", "amount": True}},
        {"name": "refund_customer", "arguments": {"ticket": "4711", "amount": -80}},
    ]
    with StandIn(Contract()) as server, Assistant(folder, server.address) as assistant:
        if first:
            assistant.begin()
        for line, key, code in broken:
            assistant.write(line)
            answer = assistant.read()
            assert (answer["id"], answer["error"]["code"]) == (key, code), line
        assistant.write(
            b'{"id": 9, "result": {}}'
        )  # an answer nobody asked for, and a notification nobody knows
        assistant.notify("notifications/unheard-of")
        for params in calls:
            assert assistant.ask("tools/call", params)["error"]["code"] == (-32602 if first else -32600)
        assert ("result" in assistant.ask("tools/list")) == first
        assert assistant.ask("ping") == {"result": {}}
    assert server.calls == []


def test_calls_under_way_are_finished_when_the_assistant_hangs_up(folder):
    with StandIn(Contract()) as server:
        lines = [
            {"id": 1, "method": "initialize", "params": {"protocolVersion": "1999-01-01"}},
            {
                "id": 2,
                "method": "tools/call",
                "params": {"name": "read_ticket", "arguments": {"ticket": "4711"}},
            },
        ]
        done = subprocess.run(
            [sys.executable, "mcp_server.py"],
            input="".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines),
            cwd=folder,
            env=environment(server.address),
            capture_output=True,
            text=True,
            timeout=20,
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (
        answers[0]["result"]["protocolVersion"] == "2025-06-18"
    )  # another one than asked for: the one it speaks
    assert answers[1]["result"]["isError"] is False
    assert (done.returncode, done.stderr) == (0, "")
