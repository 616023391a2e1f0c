# SPDX-License-Identifier: Apache-2.0
"""Asks Plumbline before an AI system acts. One file, Python 3.9 or later, nothing but Python's own library.

Copy it into your system, for example as plumbline.py, and ask before each act:

    plumbline = Plumbline()  # reads PLUMBLINE_ADDRESS and PLUMBLINE_KEY
    decision = plumbline.ask({"type": "agent", "id": "triage"}, "close", {"type": "ticket", "id": "4711"})
    if decision.needs_approval:
        decision = plumbline.wait_for_approval(decision, timeout=600)
    if decision.allowed:
        ...  # act, with exactly the arguments asked about; then: plumbline.outcome(decision, "done")
    else:
        print(decision.reason)

It fails closed: no answer in time, an error, or an answer that is not exactly as agreed is a no that says why.
It speaks the OpenID AuthZEN Authorization API 1.0, uses no proxy, follows no redirect and writes no log.
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
    401: ("wrong_key", "Plumbline does not accept the key; set PLUMBLINE_KEY to one that is valid."),
    403: ("key_not_allowed", "The key may not ask this."),
    404: ("not_found", "Plumbline knows nothing here for this key; check the address and the key."),
    409: ("contradiction", "Plumbline was told otherwise of this decision before."),
    429: ("too_many_requests", "Plumbline was asked too often; wait before asking again."),
}
HOPELESS = ("wrong_key", "key_not_allowed", "not_found")  # polling again would change nothing

Part = dict[str, Any]  # what a request says of its subject, action, resource or context; or all of it


@dataclass(frozen=True)
class Clause:
    """A clause of the contract that decided."""

    number: int
    sentence: str


@dataclass(frozen=True)
class Approval:
    """A person's approval: for exactly the arguments asked about, once, until `expires_at`."""

    id: str
    status: str  # "waiting", "approved", "refused", "expired" or "used"
    expires_at: datetime
    until: float = field(repr=False, compare=False)  # the same moment by this client's clock


@dataclass(frozen=True)
class Decision:
    """The answer, or why there is none. In an `if` it is true exactly when the act is allowed."""

    allowed: bool
    outcome: str  # "allow", "deny", "needs_approval"; "error" where there is no answer, which is a no as well
    code: str
    reason: str
    clauses: tuple[Clause, ...] = ()
    contract_version: int | None = None
    contract_digest: str = ""
    valid_until: datetime | None = None
    approval: Approval | None = None
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
        """Whether a person is asked; `wait_for_approval` waits for the answer."""
        return self.outcome == NEEDS_APPROVAL


class Denied(Exception):
    """Raised by `require`: the act is not allowed. `decision` says everything."""

    def __init__(self, decision: Decision):
        super().__init__(decision.reason)
        self.decision = decision


class Plumbline:
    """Asks one Plumbline with one key. Threads may share it; a process that forks may go on using it."""

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
            raise ValueError("Plumbline needs a key: set PLUMBLINE_KEY to the one shown when it was made.")
        if not (0 < timeout < math.inf and 0 <= keep < math.inf and keep_at_most > 0):
            raise ValueError("Let timeout be above 0 seconds, keep 0 or more, keep_at_most 1 or more.")
        self._tls = (tls or ssl.create_default_context()) if https else None
        self._timeout, self._keep, self._keep_at_most = timeout, keep, keep_at_most
        self._clock, self._sleep, self._own = clock, sleep, _Own()

    def __repr__(self) -> str:
        return f"<Plumbline at {self._host}>"

    def ask(self, subject: Part, action: str | Part, resource: Part, context: Part | None = None) -> Decision:
        """May it do this to that? Never raises: no clear yes is a no. `context["preview"]`: shown to who approves."""
        try:
            return self._evaluate(_evaluation_request(subject, action, resource, context))
        except Exception as error:
            return _no(error)

    def require(self, *evaluation_request: Any, **parts: Any) -> Decision:
        """The same as `ask`, for those who like exceptions: raises `Denied` unless the act is allowed now."""
        decision = self.ask(*evaluation_request, **parts)
        if not decision.allowed:
            raise Denied(decision)
        return decision

    def ask_all(self, evaluation_requests: Iterable[Part], semantic: str = "execute_all") -> list[Decision]:
        """Ask many at once, each a dict with subject, action, resource, context; one decision each, in order.

        `semantic` may be "deny_on_first_deny" or "permit_on_first_permit"; what was then not decided is a no.
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
                raise _unclear(f"{len(asked)} requests were asked and {len(answers)} answered.")
        except Exception as error:
            return [_no(error)] * len(evaluation_requests)
        for place, evaluation_request in enumerate(asked):
            try:
                if place >= len(answers):
                    raise _Failed("not_decided", "An earlier answer decided it; this was not decided.")
                decisions.append(self._read(_canonical(evaluation_request), answers[place], sent, request_id))
            except Exception as error:
                decisions.append(_no(error))
        return decisions

    def wait_for_approval(self, decision: Decision, timeout: float = 600.0, every: float = 2.0) -> Decision:
        """Poll until a person has decided; when approved, ask the very same again with the approval, which uses it.

        Never raises. When nobody has answered in time the decision still needs approval, and can be waited for
        again. A decision that waits for nobody is handed back as it is.
        """
        if not decision.needs_approval or decision.approval is None:
            return decision
        approval, until = decision.approval, self._clock() + timeout
        while True:
            status, words, pause = "waiting", "", every
            try:
                found, *_ = self._exchange("GET", f"approvals/{approval.id}")
                status, words = _field(found, "status", str, "unclear"), _field(found, "reason", str, "")
                if status == "approved":
                    evaluation_request = json.loads(decision.asked)
                    evaluation_request["context"] = {
                        **evaluation_request.get("context", {}),
                        "approval": approval.id,
                    }
                    return self._evaluate(evaluation_request)
            except Exception as error:  # a poll that fails is repeated, unless it always will
                no = _no(error)
                if status == "approved" or no.code in HOPELESS:
                    return no
                pause = max(every, no.retry_after or 0)
            now = self._clock()
            if status == "waiting" and now >= approval.until:
                status, words = "expired", "Nobody answered before the request expired; nothing may be done."
            if status != "waiting":
                code, words = f"approval_{status}", words or f"The approval is {status}; nothing may be done."
                return replace(decision, outcome=DENY, code=code, reason=words, approval=None)
            if now >= until:
                words = f"Nobody has answered within {timeout:g} seconds; nothing may be done yet."
                return replace(decision, code="approval_waiting", reason=words)
            self._sleep(min(pause, until - now, approval.until - now))

    def outcome(self, of: Decision | str, outcome: str, at: datetime | None = None, note: str = "") -> str:
        """Report "done", "failed" or "undone" of a decision or its id: "" once kept, else why not. Never raises."""
        return self._report(decision=getattr(of, "id", of), outcome=outcome, at=at and str(at), note=note)

    def heartbeat(self) -> str:
        """Say that this system runs and asks here; once a day is enough. Returns the same as `outcome`."""
        return self._report(heartbeat=True)

    def _report(self, **body: Any) -> str:
        try:
            self._exchange("POST", "outcomes", _canonical(body))
        except Exception as error:
            return _no(error).reason
        return ""

    def close(self) -> None:
        """Close idle connections and forget what was kept; asking again opens new ones."""
        left, self._own = self._own, _Own()
        for connection, _ in left.idle:
            connection.close()

    def _here(self) -> _Own:
        """What this process has. After a fork the child starts anew: two must never read from one socket."""
        if self._own.pid != os.getpid():
            self._own = _Own()
        return self._own

    def _evaluate(self, evaluation_request: Part) -> Decision:
        """The decision on one request: a kept allow while it is good, otherwise the server's."""
        asked, once = _canonical(evaluation_request), "approval" in evaluation_request.get("context", {})
        digest, own, before = hashlib.sha256(asked).digest(), self._here(), self._clock()
        since, until, kept = own.allows.get(digest, (0.0, 0.0, None))
        if kept is not None and since <= before < until:
            return replace(kept, cached=True)
        answer, sent, request_id = self._exchange("POST", "evaluation", asked, once=once)
        decision = self._read(asked, answer, sent, request_id)
        if decision.allowed and not once and not decision.approval and decision.valid_until and sent:
            # What remains by the server's two times needs no clock of ours; Date is cut to seconds, hence the 1.
            good_for = min(self._keep, (decision.valid_until - sent).total_seconds() - 1)
            with own.lock:
                if len(own.allows) >= self._keep_at_most:
                    del own.allows[next(iter(own.allows))]  # the oldest
                own.allows[digest] = (before, before + good_for, decision)
        return decision

    def _read(self, asked: bytes, answer: Any, sent: datetime | None, request_id: str) -> Decision:
        """The answer as a decision. Whatever is not exactly as agreed raises, and so becomes a no."""
        allowed, said = _field(answer, "decision", bool, None), _field(answer, "context", dict, {})
        outcome = _field(said, "outcome", str, ALLOW if allowed else DENY)
        if outcome not in (ALLOW, DENY, NEEDS_APPROVAL) or allowed != (outcome == ALLOW):
            raise _unclear("Decision and outcome are missing, or contradict each other.")
        contract, approval = _field(said, "contract", dict, {}), _field(said, "approval", dict, None)
        if approval is not None:
            name, expires = _field(approval, "id", str, ""), _moment(_field(approval, "expires_at", str, ""))
            if not re.fullmatch(r"[0-9A-Fa-f-]{36}", name):  # it becomes part of an address
                raise _unclear("Its approval has no readable id.")
            left = (expires - sent).total_seconds() if sent else math.inf  # the server will say "expired"
            approval = Approval(name, _field(approval, "status", str, ""), expires, self._clock() + left)
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
            approval=approval,
            id=_field(said, "id", str, ""),
            stage=_field(said, "stage", str, ""),
            request_id=request_id,
            asked=asked,
        )

    def _exchange(
        self, method: str, path: str, body: bytes | None = None, *, once: bool = False
    ) -> tuple[Any, datetime | None, str]:
        """One request: its answer, the server's time and the request's id. `_Failed` when there is none in time.

        It runs in a thread of its own: neither looking up a host nor an answer that trickles knows a limit.
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
                return (*self._accept(came[0], request_id), request_id)
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
        """Send and read, on an idle connection where there is one; if that was dropped, on a new one."""
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
        """A new one, not yet connected."""
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)

    def _accept(self, came: _Answer, request_id: str) -> tuple[Any, datetime | None]:
        """The answer and the server's time. Only a 200 with JSON, not too large, to this request is an answer."""
        response, text = came
        if len(text) > LARGEST:
            raise _Failed("too_large", f"The answer is larger than {LARGEST} bytes.")
        if 300 <= response.status < 400:
            raise _Failed(
                "redirected", "The key must not go elsewhere: set PLUMBLINE_ADDRESS to that address."
            )
        if response.status != 200:
            code, words = MEANING.get(response.status, ("server_error", "Plumbline answered with an error."))
            after = re.fullmatch(r"[0-9]{1,6}", response.headers.get("Retry-After", ""))
            with contextlib.suppress(ValueError, RecursionError, AttributeError):  # the server's own words
                said = json.loads(text).replace(self._key, "(key)")[:300]
                words += f" It says: “{''.join(x if x.isprintable() else ' ' for x in said)}”"
            raise _Failed(code, words, retry_after=int(after[0]) if after else None)
        if response.length:
            raise _unclear("It was cut off.")
        if response.headers.get("X-Request-ID", request_id) != request_id:
            raise _unclear("It belongs to another request: X-Request-ID was changed on the way.")
        if response.headers.get_content_type() != "application/json":
            raise _unclear("It is not JSON.")
        try:
            answer = json.loads(text, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            raise _unclear("It is not readable as JSON.") from None
        try:
            sent = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        except (TypeError, ValueError):
            return answer, None
        return answer, sent if sent.tzinfo else None


_Answer = tuple[http.client.HTTPResponse, bytes]
_Request = tuple[str, str, Any, str]  # method, path, body, id
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class _Own:
    """What belongs to one process: its idle connections, the allows it keeps, the requests it has under way."""

    def __init__(self) -> None:
        self.pid, self.lock, self.places = os.getpid(), threading.Lock(), threading.BoundedSemaphore(AT_ONCE)
        self.idle: list[tuple[http.client.HTTPConnection, float]] = []  # since when
        self.allows: dict[bytes, tuple[float, float, Decision]] = {}  # asked at, good until, the allow


class _Failed(Exception):
    """There is no answer; `decision` is the no that says why."""

    def __init__(self, code: str, reason: str, **more: Any):
        super().__init__(reason)
        self.decision = Decision(False, ERROR, code, reason, **more)


def _parts(address: str) -> tuple[bool, str, int | None, str]:
    """Whether https, host, port, path. Errors do not quote the address: it may be the key, mixed up."""
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
        raise ValueError("The key must not travel unencrypted: let PLUMBLINE_ADDRESS begin with https://.")
    return parts.scheme == "https", host, port, path


def _evaluation_request(
    subject: Part, action: str | Part, resource: Part, context: Part | None = None
) -> Part:
    named = {"name": action} if isinstance(action, str) else action
    evaluation_request = {"subject": subject, "action": named, "resource": resource}
    return evaluation_request if context is None else {**evaluation_request, "context": context}


def _canonical(evaluation_request: Part) -> bytes:
    """One way to write the same arguments, so that they are recognised; what JSON cannot say is refused."""
    try:
        return _WRITER.encode(evaluation_request).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _Failed("bad_request", f"The request cannot be written as JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> Part:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")  # and readers differ on which of the two holds
    return found


def _field(where: Any, name: str, kind: type, default: Any) -> Any:
    """A field of the answer, the default where it is absent. Another type than agreed makes the answer unclear."""
    value = where.get(name) if isinstance(where, dict) else where
    if not isinstance(where, dict) or type(value) not in (kind, type(None)):  # 1 is no yes, True no number
        raise _unclear(f"Its field {name} is of the wrong type.")
    return default if value is None else value


def _moment(text: str) -> datetime:
    """A time with its zone, however many digits its fraction has."""
    six = re.sub(r"\.(\d+)", lambda found: "." + found[1][:6].ljust(6, "0"), text).replace("Z", "+00:00")
    try:
        found = datetime.fromisoformat(six)
    except ValueError:
        raise _unclear("It holds a time that is none.") from None
    if found.tzinfo is None:
        raise _unclear("It holds a time without its zone.")
    return found


def _unclear(why: str) -> _Failed:
    return _Failed("unclear_answer", f"The answer is not as agreed, so it is a no. {why}")


def _no(error: Exception) -> Decision:
    """The no for whatever went wrong. Of foreign errors only the kind: their words might hold the key."""
    if isinstance(error, _Failed):
        return error.decision
    return Decision(False, ERROR, "client_error", f"It could not be asked ({type(error).__name__}).")
