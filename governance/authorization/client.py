# SPDX-License-Identifier: Apache-2.0
"""A client that asks Plumbline before an AI system acts.

It is one file for Python 3.9 or later and needs only Python's own library. Copy it into your system, for example as
plumbline.py, and ask before each act:

    plumbline = Plumbline()  # reads PLUMBLINE_ADDRESS and PLUMBLINE_KEY
    decision = plumbline.ask({"type": "agent", "id": "triage"}, "close", {"type": "ticket", "id": "4711"})
    if decision.needs_approval:
        decision = plumbline.wait_for_approval(decision, timeout=600)
    if decision.allowed:
        ...  # act, with exactly the arguments asked about; then: plumbline.outcome(decision, "done")
    else:
        print(decision.reason)

The client fails closed. A late answer, an error, or an answer in another form is a denial with a reason. It uses the
OpenID AuthZEN Authorization API 1.0, uses no proxy, follows no redirect and writes no log.
"""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import http.client
import json
import math
import os
import re
import socket
import ssl
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

ALLOW, DENY, NEEDS_APPROVAL, ERROR = "allow", "deny", "needs_approval", "error"
LOCAL = ("localhost", "127.0.0.1", "::1")  # the only hosts that may be asked without https
LARGEST, AT_ONCE = 1_000_000, 64  # bytes of an answer; requests under way, so that threads do not pile up
IDLE_CONNECTIONS, IDLE_SECONDS = 8, 30.0  # a firewall on the way may forget what is idle for longer
MEANING = {  # of the statuses that are no answer: a word for programs, a sentence for people
    400: ("bad_request", "Plumbline does not understand the request."),
    401: ("wrong_key", "Plumbline does not accept the key. Set PLUMBLINE_KEY to a valid key."),
    403: ("key_not_allowed", "This key has no permission for this request."),
    404: ("not_found", "This address does not exist in Plumbline, or this key has no access to it."),
    409: ("contradiction", "This report contradicts an earlier report of the same decision."),
    410: ("expired", "The time for this request is over."),
    429: ("too_many_requests", "There were too many requests. Wait before you send the next request."),
}
HOPELESS = ("bad_request", "wrong_key", "key_not_allowed", "not_found")  # another try changes nothing
DENIAL = ("evaluation_id", "expires_at", "binding_token")  # what a system sends back of a denial
Part = dict[str, Any]  # what a request says of its subject, action, resource or context; or all of it


@dataclass(frozen=True)
class Clause:
    """A clause of the contract that decided."""

    number: int
    sentence: str


@dataclass(frozen=True)
class Task:
    """The question to a person, until `expires_at`. The same arguments have the same task."""

    id: str
    status: str  # "pending", "approved", "denied", "expired"; any other is a no as well
    expires_at: datetime
    until: float = field(repr=False, compare=False)  # the same moment by this client's clock


@dataclass(frozen=True)
class Decision:
    """The answer, or why there is none. It is true exactly when the act is allowed."""

    allowed: bool
    outcome: str  # "allow", "deny", "needs_approval"; "error" where there is no answer, which is a no as well
    code: str
    reason: str
    clauses: tuple[Clause, ...] = ()
    contract_version: int | None = None
    contract_digest: str = ""
    valid_until: datetime | None = None
    denial: Part | None = field(default=None, repr=False)  # what to send to ask a person, if one may lift it
    task: Task | None = None  # once a person was asked
    id: str = ""  # names it when its outcome is reported
    stage: str = ""  # of the initiative: "prototype" allows nothing outside its declared test subjects
    request_id: str = ""
    retry_after: int | None = None  # seconds
    cached: bool = False
    asked: bytes = field(default=b"", repr=False)  # the request as it was sent

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def needs_approval(self) -> bool:
        """Return True if a person may lift this denial. `wait_for_approval` asks and waits."""
        return self.denial is not None


class Denied(Exception):
    """Raised by `require` if the act is not allowed, with the full `decision`."""

    def __init__(self, decision: Decision):
        super().__init__(decision.reason)
        self.decision = decision


class Plumbline:
    """A client with one address and key, which threads and forked processes may share."""

    def __init__(
        self,
        address: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 2.0,  # seconds for one request, from looking up the host to the last byte
        keep: float = 1.0,  # seconds an allow may be reused, if the server lets it; 0 asks every time
        keep_at_most: int = 1000,
        tls: ssl.SSLContext | None = None,  # for a certificate authority of your own
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] = time.sleep,
    ):
        address, key = address or os.environ.get("PLUMBLINE_ADDRESS"), key or os.environ.get("PLUMBLINE_KEY")
        https, self._host, self._port, self._path = _parts(address or "")
        self._key = (key or "").strip()
        if not re.fullmatch(r"[!-~]+", self._key):  # and not quoted: with a slip in it, it is still the key
            raise ValueError(
                "This client has no key. Set PLUMBLINE_KEY to the key that Plumbline showed when the key "
                "was made."
            )
        if not (0 < timeout < math.inf and 0 <= keep < math.inf and keep_at_most > 0):
            raise ValueError("Set timeout above 0 seconds, keep to 0 or more, and keep_at_most to 1 or more.")
        self._tls = (tls or ssl.create_default_context()) if https else None
        self._timeout, self._keep, self._keep_at_most = timeout, keep, keep_at_most
        self._clock, self._sleep, self._own = clock, sleep, _Own()

    def __repr__(self) -> str:
        return f"<Plumbline at {self._host}>"

    def ask(self, subject: Part, action: str | Part, resource: Part, context: Part | None = None) -> Decision:
        """Ask if the act is allowed. An approver sees `context["preview"]`. Never raises."""
        try:
            return self._evaluate(_evaluation_request(subject, action, resource, context))
        except Exception as error:
            return _no(error)

    def require(self, *evaluation_request: Any, **parts: Any) -> Decision:
        """Ask as `ask` does, and raise `Denied` unless the act is allowed now."""
        decision = self.ask(*evaluation_request, **parts)
        if not decision.allowed:
            raise Denied(decision)
        return decision

    def ask_all(self, evaluation_requests: Iterable[Part], semantic: str = "execute_all") -> list[Decision]:
        """Ask many at once, each a dict of the parts of `ask`, with decisions in order.

        A `semantic` "deny_on_first_deny" or "permit_on_first_permit" denies the requests that it leaves undecided.
        """
        evaluation_requests, decisions = list(evaluation_requests), []
        if not evaluation_requests:
            return []
        try:
            asked = [_evaluation_request(**evaluation_request) for evaluation_request in evaluation_requests]
            body = {"evaluations": asked, "options": {"evaluations_semantic": semantic}}
            answer, sent, request_id = self._exchange("POST", "evaluations", _canonical(body), once=True)
            answers = _field(answer, "evaluations", list, [])
            if len(answers) > len(asked) or (semantic == "execute_all" and len(answers) < len(asked)):
                raise _unclear(f"{len(asked)} requests were sent and {len(answers)} were answered.")
        except Exception as error:
            return [_no(error)] * len(evaluation_requests)
        for place, evaluation_request in enumerate(asked):
            try:
                if place >= len(answers):
                    raise _Failed(
                        "not_decided",
                        "An earlier evaluation ended the batch, so this request was not evaluated.",
                    )
                decisions.append(self._read(_canonical(evaluation_request), answers[place], sent, request_id))
            except Exception as error:
                decisions.append(_no(error))
        return decisions

    def wait_for_approval(self, decision: Decision, timeout: float = 600.0, every: float = 2.0) -> Decision:
        """Ask a person and poll for the answer, then send the same request with the approval.

        Never raises. Without an answer in time, the decision still needs approval and can be waited for again. A
        decision that needs no approval is returned unchanged.
        """
        if decision.denial is None:
            return decision
        until = self._clock() + timeout
        while True:
            status, words, pause, approval = "pending", "", every, None
            try:
                task, approval, words = self._ask_or_poll(decision)
                decision, status = replace(decision, task=task), task.status
                if approval is not None:
                    asked = json.loads(decision.asked)
                    asked["context"] = {**asked.get("context", {}), "approval": approval}
                    return self._evaluate(asked)
            except Exception as error:  # a try that fails is repeated, unless it always will
                no = _no(error)
                if approval is not None or no.code in HOPELESS:
                    return no
                status, pause = "expired" if no.code == "expired" else status, max(every, no.retry_after or 0)
            now, ends = self._clock(), decision.task.until if decision.task else math.inf
            if status == "pending" and now >= ends:
                status, words = "expired", "No one answered before the request expired. Do not act."
            if status != "pending":
                code = "approval_refused" if status == "denied" else f"approval_{status}"
                words = words or f"The request for approval is {status}. Do not act."
                return replace(decision, outcome=DENY, code=code, reason=words, denial=None)
            if now >= until:
                words = f"No one has answered within {timeout:g} seconds. Do not act yet."
                return replace(decision, code="approval_waiting", reason=words)
            self._sleep(min(pause, until - now, ends - now))

    def _ask_or_poll(self, decision: Decision) -> tuple[Task, Part | None, str]:
        """Return task, approval and words of a refusal, always from this client's own address."""
        found, path = decision.task, f"requests/{decision.task.id}" if decision.task else "requests"
        body = None if found else _canonical({**json.loads(decision.asked), "denial": decision.denial})
        answer, sent, _ = self._exchange("GET" if found else "POST", path, body)
        task, result = _field(answer, "task", dict, {}), _field(answer, "result", dict, {})
        name, status = _field(task, "id", str, ""), _field(task, "status", str, "")
        if not re.fullmatch(r"[0-9A-Fa-f-]{36}", name):  # it becomes part of an address
            raise _unclear("The task has no valid id.")
        if found is None:
            expires = _moment(_field(task, "expires_at", str, ""))
            left = (expires - sent).total_seconds() if sent else math.inf  # the server will say "expired"
            found = Task(name, status, expires, self._clock() + left)
        approval = _field(result, "approval", dict, None) if status == "approved" else None
        if status == "approved" and (result.get("mode") != "reevaluate" or not approval):
            raise _unclear("The task is approved, but its result has no approval.")
        shown = _field(task, "display", dict, {})
        return replace(found, status=status), approval, _field(shown, "description", str, "")

    def outcome(self, of: Decision | str, outcome: str, at: datetime | None = None, note: str = "") -> str:
        """Report "done", "failed" or "undone" of a decision. Return "", or why it failed."""
        return self._report(decision=getattr(of, "id", of), outcome=outcome, at=at and str(at), note=note)

    def heartbeat(self) -> str:
        """Report that this system runs. Once a day is enough. Returns as `outcome` does."""
        return self._report(heartbeat=True)

    def _report(self, **body: Any) -> str:
        try:
            self._exchange("POST", "outcomes", _canonical(body))
        except Exception as error:
            return _no(error).reason
        return ""

    def close(self) -> None:
        """Close idle connections and forget kept decisions. A new request opens new ones."""
        left, self._own = self._own, _Own()
        for connection, _ in left.idle:
            connection.close()

    def _here(self) -> _Own:
        """Return this process's state. A forked child starts anew and shares no socket."""
        if self._own.pid != os.getpid():
            self._own = _Own()
        return self._own

    def _evaluate(self, evaluation_request: Part) -> Decision:
        """Return a kept allow while it is valid, otherwise the decision of the server."""
        asked, once = _canonical(evaluation_request), "approval" in evaluation_request.get("context", {})
        digest, own, before = hashlib.sha256(asked).digest(), self._here(), self._clock()
        since, until, kept = own.allows.get(digest, (0.0, 0.0, None))
        if kept is not None and since <= before < until:
            return replace(kept, cached=True)
        answer, sent, request_id = self._exchange("POST", "evaluation", asked, once=once)
        decision = self._read(asked, answer, sent, request_id)
        if decision.allowed and not once and decision.valid_until and sent:
            # The server's two times give the rest without our clock. Date has whole seconds, hence the 1.
            good_for = min(self._keep, (decision.valid_until - sent).total_seconds() - 1)
            with own.lock:
                if len(own.allows) >= self._keep_at_most:
                    del own.allows[next(iter(own.allows))]  # the oldest
                own.allows[digest] = (before, before + good_for, decision)
        return decision

    def _read(self, asked: bytes, answer: Any, sent: datetime | None, request_id: str) -> Decision:
        """Return the answer as a decision. Another form of answer raises, and so denies."""
        allowed, said = _field(answer, "decision", bool, None), _field(answer, "context", dict, {})
        outcome = _field(said, "outcome", str, ALLOW if allowed else DENY)
        if outcome not in (ALLOW, DENY, NEEDS_APPROVAL) or allowed != (outcome == ALLOW):
            raise _unclear("The fields decision and outcome are missing, or contradict each other.")
        contract, asks = _field(said, "contract", dict, {}), _field(said, "access_request", dict, None)
        if asks is not None:
            asks = {name: {**said, **asks}.get(name) for name in DENIAL}
            if allowed or not all(type(value) is str and value for value in asks.values()):
                raise _unclear("The access request is incomplete, or belongs to an allow.")
        wrong = _field(_field(said, "error", dict, {}), "message", str, "")  # of one request among many
        words = wrong or ("Allowed." if allowed else "Not allowed.")
        clauses, valid_until = _field(said, "clauses", list, []), _field(said, "valid_until", str, None)
        return Decision(
            allowed=allowed,
            outcome=outcome,
            code=_field(said, "code", str, outcome),
            reason=_field(said, "reason", str, words),
            clauses=tuple(
                Clause(_field(c, "number", int, 0), _field(c, "sentence", str, "")) for c in clauses
            ),
            contract_version=_field(contract, "version", int, None),
            contract_digest=_field(contract, "digest", str, ""),
            valid_until=_moment(valid_until) if valid_until is not None else None,
            denial=asks,
            id=_field(said, "id", str, ""),
            stage=_field(said, "stage", str, ""),
            request_id=request_id,
            asked=asked,
        )

    def _exchange(
        self, method: str, path: str, body: bytes | None = None, *, once: bool = False
    ) -> tuple[Any, datetime | None, str]:
        """Send one request. Return answer, server time and request id, or raise `_Failed`.

        A separate thread sends it, because neither a host lookup nor a slow answer has a time limit.
        """
        until, request_id, own = time.monotonic() + self._timeout, str(uuid.uuid4()), self._here()
        sockets: list[socket.socket] = []
        came: list[_Answer | Exception] = []  # the response with its text, or what went wrong

        def talk() -> None:
            try:
                came.append(self._talk(own, sockets, until, once, (method, path, body, request_id)))
            except Exception as error:
                came.append(error)
            finally:
                own.places.release()

        try:
            if own.places.acquire(timeout=self._timeout):
                thread = threading.Thread(target=talk, daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no thread can be started
                    own.places.release()
                    raise
                thread.join(max(until - time.monotonic(), 0))
            if came and not isinstance(came[0], Exception):
                return (*self._accept(came[0], request_id, path), request_id)
            for each in sockets:  # the thread then reads the end, and ends
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            if not came or time.monotonic() >= until:
                raise _Failed("timeout", f"Plumbline did not answer within {self._timeout:g} seconds.")
            kind = type(came[0]).__name__
            raise _Failed("unreachable", f"Plumbline cannot be reached at {self._host} ({kind}).")
        except _Failed as failed:
            failed.decision = replace(failed.decision, request_id=request_id)
            raise

    def _talk(self, own: _Own, used: list[socket.socket], until: float, once: bool, of: _Request) -> _Answer:
        """Send and read on an idle connection, or on a new one if that fails."""
        method, path, body, request_id = of

        def send(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
            used.append(connection.sock)
            if time.monotonic() >= until:  # nobody waits any more, and it might use up an approval
                raise TimeoutError
            headers = {"Authorization": f"Bearer {self._key}", "X-Request-ID": request_id}
            headers.update({} if body is None else {"Content-Type": "application/json"})
            connection.request(method, f"{self._path}/access/v1/{path}", body, headers)
            return connection.getresponse()

        response: http.client.HTTPResponse | None = None
        connection: http.client.HTTPConnection | None = None
        since = 0.0
        with contextlib.suppress(IndexError):  # there is no idle one
            connection, since = (None, 0.0) if once else own.idle.pop()
        try:
            if connection is not None and time.monotonic() - since < IDLE_SECONDS:
                with contextlib.suppress(ConnectionError, ssl.SSLError):  # the server may have dropped it
                    response = send(connection)
            if response is None:
                if connection is not None:
                    connection.close()
                connection = self._connection()
                connection.set_debuglevel(0)  # a program that turns it on for all would print the key
                connection.connect()
                response = send(connection)
            text = response.read(LARGEST + 1)
            whole = response.isclosed() and connection and connection.sock and time.monotonic() < until
            if connection and whole and len(own.idle) < IDLE_CONNECTIONS:
                own.idle.append((connection, time.monotonic()))
                connection = None
            return response, text
        finally:
            if connection is not None:
                connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        """Return a new connection, not yet open."""
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)

    def _accept(self, came: _Answer, request_id: str, path: str) -> tuple[Any, datetime | None]:
        """Return answer and server time. Raises `_Failed` unless a whole success with JSON."""
        response, text = came
        if len(text) > LARGEST:
            raise _Failed("too_large", f"The answer is larger than {LARGEST} bytes.")
        if 300 <= response.status < 400:
            raise _Failed(
                "redirected",
                "Plumbline answered with a redirect, and the key is not sent to a new address. Set "
                "PLUMBLINE_ADDRESS to the new address.",
            )
        if response.status not in ((200, 201, 202) if path == "requests" else (200,)):
            code, words = MEANING.get(response.status, ("server_error", "Plumbline answered with an error."))
            after = re.fullmatch(r"[0-9]{1,6}", response.headers.get("Retry-After", ""))
            with contextlib.suppress(ValueError, RecursionError, AttributeError):  # the server's own words
                said = json.loads(text)
                said = (said.get("detail", "") if isinstance(said, dict) else said).replace(
                    self._key, "(key)"
                )[:300]
                words += f" The answer was: “{''.join(x if x.isprintable() else ' ' for x in said)}”"
            raise _Failed(code, words, retry_after=int(after[0]) if after else None)
        if response.length:
            raise _unclear("The end of the answer is missing.")
        if response.headers.get("X-Request-ID", request_id) != request_id:
            raise _unclear("The X-Request-ID belongs to a different request.")
        if response.headers.get_content_type() != "application/json":
            raise _unclear("The content type is not JSON.")
        try:
            answer = json.loads(text, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            raise _unclear("The body cannot be read as JSON.") from None
        try:
            sent = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        except (TypeError, ValueError):
            return answer, None
        return answer, sent if sent.tzinfo else None


_Answer = tuple[http.client.HTTPResponse, bytes]
_Request = tuple[str, str, Any, str]  # method, path, body, id
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class _Own:
    """The state of one process: idle connections, kept allows and open requests."""

    def __init__(self) -> None:
        self.pid, self.lock, self.places = os.getpid(), threading.Lock(), threading.BoundedSemaphore(AT_ONCE)
        self.idle: list[tuple[http.client.HTTPConnection, float]] = []  # since when
        self.allows: dict[bytes, tuple[float, float, Decision]] = {}  # asked at, good until, the allow


class _Failed(Exception):
    """The call has no answer. `decision` is the denial with its reason."""

    def __init__(self, code: str, reason: str, **more: Any):
        super().__init__(reason)
        self.decision = Decision(False, ERROR, code, reason, **more)


def _parts(address: str) -> tuple[bool, str, int | None, str]:
    """Return https, host, port, path. Errors do not quote the address, a possible key."""
    advice = "Set PLUMBLINE_ADDRESS to the address of Plumbline, such as https://plumbline.example.org"
    try:
        parts = urllib.parse.urlsplit(address.strip())
        host, port, path = parts.hostname, parts.port, parts.path.rstrip("/")
    except ValueError:
        raise ValueError(f"{advice}.") from None
    odd = "@" in parts.netloc or parts.query or parts.fragment or re.search(r"[^!-~]", path)
    if parts.scheme not in ("http", "https") or not host or odd:
        raise ValueError(f"{advice}, without a user name, a question mark or a hash.")
    if parts.scheme == "http" and host not in LOCAL:
        raise ValueError(
            "This PLUMBLINE_ADDRESS sends the key unencrypted. Use an address that begins with https://."
        )
    return parts.scheme == "https", host, port, path


def _evaluation_request(
    subject: Part, action: str | Part, resource: Part, context: Part | None = None
) -> Part:
    named = {"name": action} if isinstance(action, str) else action
    evaluation_request = {"subject": subject, "action": named, "resource": resource}
    return evaluation_request if context is None else {**evaluation_request, "context": context}


def _canonical(evaluation_request: Part) -> bytes:
    """Return the arguments as JSON in one form. Raises `_Failed` for other values."""
    try:
        return _WRITER.encode(evaluation_request).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _Failed("bad_request", f"The request cannot be written as JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> Part:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")  # and readers differ on which of the two holds
    return found


def _field(where: Any, name: str, kind: type, default: Any) -> Any:
    """Return a field, or the default if it is absent. Another type raises."""
    value = where.get(name) if isinstance(where, dict) else where
    if not isinstance(where, dict) or type(value) not in (kind, type(None)):  # 1 is no yes, True no number
        raise _unclear(f"The field {name} has the wrong type.")
    return default if value is None else value


def _moment(text: str) -> datetime:
    """Return a time with its zone, for any number of digits in its fraction."""
    six = re.sub(r"\.(\d+)", lambda found: "." + found[1][:6].ljust(6, "0"), text).replace("Z", "+00:00")
    try:
        found = datetime.fromisoformat(six)
    except ValueError:
        raise _unclear("A time cannot be read.") from None
    if found.tzinfo is None:
        raise _unclear("A time has no time zone.")
    return found


def _unclear(why: str) -> _Failed:
    return _Failed(
        "unclear_answer", f"The answer of Plumbline cannot be used, so the call is not allowed. {why}"
    )


def _no(error: Exception) -> Decision:
    """Return the denial for an error. A foreign error shows its kind, not its text."""
    if isinstance(error, _Failed):
        return error.decision
    return Decision(
        False, ERROR, "client_error", f"The request failed in the client ({type(error).__name__})."
    )
