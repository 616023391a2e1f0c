"""A server on a port of its own that plays Plumbline: it answers as a test tells it, well or badly."""

import copy
import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOW = datetime(
    2026, 3, 2, 9, 0, tzinfo=UTC
)  # what the server's own clock says, unless a test tells it otherwise
KEY = "pl_example_4711"
CONTRACT = {"version": 2, "digest": "ab" * 32}
CLAUSE = {"number": 3, "sentence": "The assistant assigns tickets by itself."}


def allow(**context: Any) -> dict:
    """An allow as Plumbline words it."""
    context = {"code": "clause", "reason": "Clause 3 allows it.", "clauses": [CLAUSE], **context}
    return {"decision": True, "context": {"outcome": "allow", "contract": CONTRACT, **context}}


def deny(**context: Any) -> dict:
    """A deny as Plumbline words it."""
    context = {
        "code": "no_clause",
        "reason": "No clause of the contract covers this.",
        "clauses": [],
        **context,
    }
    return {"decision": False, "context": {"outcome": "deny", "contract": CONTRACT, **context}}


def needs_approval(evaluation: str = "evaluation-1", **context: Any) -> dict:
    """A denial about which a person may be asked."""
    asks = {
        "endpoint": "https://plumbline.example.org/access/v1/requests",
        "expires_at": (NOW + timedelta(minutes=10)).isoformat(),
        "binding_token": f"token of {evaluation}",
    }
    context = {"evaluation_id": evaluation, "access_request": asks, **context}
    return deny(outcome="needs_approval", code="needs_approval", reason="A person decides.", **context)


def task(
    key: str, status: str = "pending", *, until: datetime = NOW + timedelta(minutes=30), said=""
) -> dict:
    """The task of an access request, with its result if it is approved."""
    found = {"id": key, "status": status, "expires_at": until.isoformat()}
    found["status_endpoint"] = f"https://plumbline.example.org/access/v1/requests/{key}"
    if said:
        found["display"] = {"description": said}
    result = {"mode": "reevaluate", "approval": {"id": key, "approved_until": until.isoformat()}}
    return {"task": found, **({"result": result} if status == "approved" else {})}


class Call(BaseHTTPRequestHandler):
    """One request of a client; the test's own function answers it with `reply`, or writes what it likes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    body: Any = None

    def take(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = json.loads(self.rfile.read(length)) if length else None
        self.server.stand_in.calls.append(copy.copy(self))  # the next request overwrites it
        self.server.stand_in.play(self)

    do_GET = do_POST = take

    def reply(self, content: Any, status: int = 200, **headers: str | None) -> None:
        """Answer with JSON (bytes go as they are). `headers` replace the usual ones; None leaves one out."""
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        usual = {
            "Content_Type": "application/json",
            "Content_Length": str(len(text)),
            "Date": format_datetime(self.server.stand_in.now, usegmt=True),
            "X_Request_ID": self.headers.get("X-Request-ID"),
        }
        self.send_response_only(status)
        for name, value in (usual | headers).items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    def drop(self) -> None:
        """End the connection after this request."""
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads, block_on_close, request_queue_size = True, False, 128

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are what is tested here."""


class StandIn:
    """The server; use it in a `with`. It keeps every call and counts connections."""

    def __init__(self, play: Callable[[Call], None], tls: Any = None):
        self.play, self.now, self.calls, self.connections = play, NOW, [], 0
        self.server = _Quiet(("127.0.0.1", 0), type("OwnCall", (Call,), {"setup": self.counted()}))
        self.server.stand_in = self
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        host = "localhost" if tls is not None else "127.0.0.1"
        self.address = f"http{'s' if tls is not None else ''}://{host}:{self.server.server_port}"

    def counted(self) -> Callable[[Call], None]:
        def setup(call: Call) -> None:
            self.connections += 1
            BaseHTTPRequestHandler.setup(call)

        return setup

    def __enter__(self) -> "StandIn":
        threading.Thread(target=self.server.serve_forever, args=(0.002,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()


class Contract:
    """A play in which tickets are read and assigned freely, refunds need a person, and nothing else is allowed.

    An approval is given at the poll after `waits` others, for exactly the arguments asked about, once.
    """

    def __init__(self, *, waits: int = 1, verdict: str = "approved"):
        self.waits, self.verdict, self.lock = waits, verdict, threading.Lock()
        self.denied: dict[str, dict] = {}  # evaluation: what was asked
        self.approvals: dict[str, list] = {}  # id: what was asked, status, polls

    def __call__(self, call: Call) -> None:
        if call.headers["Authorization"] != f"Bearer {KEY}":
            call.reply("The key is not valid.", 401)
        elif call.command == "GET":
            call.reply(self.poll(call.path.rpartition("/")[2]))
        elif call.path == "/access/v1/outcomes":
            call.reply(call.body)
        elif call.path == "/access/v1/requests":
            call.reply(*self.ask(call.body))
        else:
            call.reply(self.decide(call.body))

    def ask(self, body: dict) -> tuple[dict, int]:
        denial, asked = body["denial"], {"context": {}, **body}
        del asked["denial"]
        with self.lock:
            name = denial["evaluation_id"]
            if denial["binding_token"] != f"token of {name}" or self.denied[name] != asked:
                return {"type": "about:blank", "status": 400, "detail": "This is not the denied call."}, 400
            for key, (before, status, _) in self.approvals.items():
                if before == asked and status in ("pending", "approved"):
                    return task(key, status), 202
            key = str(uuid.uuid4())
            self.approvals[key] = [asked, "pending", 0]
            return task(key), 202

    def poll(self, key: str) -> dict:
        with self.lock:
            approval = self.approvals[key]
            approval[2] += 1
            if approval[1] == "pending" and approval[2] > self.waits:
                approval[1] = self.verdict
            said = "Mara Lind: not for this customer." if approval[1] == "denied" else ""
            return task(key, approval[1], said=said)

    def decide(self, evaluation_request: dict) -> dict:
        action, context = evaluation_request["action"]["name"], dict(evaluation_request.get("context", {}))
        if action in ("read_ticket", "assign_ticket"):
            return allow()
        if action != "refund_customer":
            return deny()
        approval = context.pop("approval", None)
        asked = {**evaluation_request, "context": context}
        with self.lock:
            if approval is None:
                name = str(uuid.uuid4())
                self.denied[name] = asked
                return needs_approval(name)
            key = approval["id"]
            if self.approvals[key][:2] != [asked, "approved"]:
                return deny(code="approval_invalid", reason="This approval is not for these arguments.")
            self.approvals[key][1] = "used"
            return allow(reason="Mara Lind approved it.", approval=approval)


def saying(*replies: Any, **headers: str | None) -> Callable[[Call], None]:
    """A play that gives these replies one after the other, and the last one for ever."""
    rest = list(replies)
    return lambda call: call.reply(rest.pop(0) if len(rest) > 1 else rest[0], **headers)
