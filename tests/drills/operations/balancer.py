"""What stands before the hosts: they are asked by turns, and what may be sent twice is sent to the other host, too.

That is what nginx does with its `proxy_next_upstream`: any request goes to the other host while nothing of it was sent,
and after that only one whose repetition changes nothing. A host that did not answer is left out for some seconds.
"""

import contextlib
import http.client
import http.cookies
import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from tests.drills.operations.servers import ADDRESS, Host, wait_until

LEFT_OUT = 2.0  # seconds
TIMEOUT = 60.0  # seconds for one answer
IDEMPOTENT = ("GET", "HEAD")


class Broken(OSError):
    """No host answered, or one broke off a request that must not be repeated."""


@dataclass
class Answer:
    """A whole answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def location(self) -> str:
        """Where a redirect goes, as a path."""
        return urlsplit(self.headers.get("Location", "")).path


@dataclass
class Seen:
    """What became of the requests of each kind."""

    requests: Counter = field(default_factory=Counter)
    errors: Counter = field(default_factory=Counter)  # 5xx and broken connections that reached the client
    repeated: Counter = field(default_factory=Counter)  # that the other host answered
    statuses: Counter = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    first: list[str] = field(default_factory=list)  # of the errors, in words
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, seconds: float, status: int, repeated: int, trouble: str = "") -> None:
        """Count one request."""
        with self.lock:
            self.requests[kind] += 1
            self.repeated[kind] += bool(repeated)
            self.statuses[kind, status] += 1
            self.times[kind].append(seconds)
            if status >= 500 or status == 0:
                self.errors[kind] += 1
                self.first.append(f"{time.strftime('%H:%M:%S')} {kind} {status or 'broken'} {trouble}")

    def at(self, kind: str, share: float) -> float:
        """The time, in milliseconds, within which this share of answers came."""
        times = sorted(self.times[kind]) or [0.0]
        return times[min(len(times) - 1, int(len(times) * share))] * 1000


class Balancer:
    """The hosts by turns."""

    def __init__(self, hosts: list[Host]):
        self.seen = Seen()
        self._hosts = hosts
        self._turn = itertools.count()
        self._out: dict[str, float] = {}  # until when a host is left out
        self._drained: set[str] = set()
        self._open: Counter = Counter()  # requests that a host answers now
        self._lock = threading.Lock()

    def ask(
        self, kind: str, method: str, path: str, body: bytes = b"", *, repeat: bool = False, **headers: str
    ) -> Answer:
        """Send a request as a proxy does that ended TLS. `repeat`: once more changes nothing. Raises Broken."""
        began, tried, trouble = time.perf_counter(), 0, ""
        try:
            for host in self._order():
                sent, answer, trouble = self._one(host, method, path, body, headers)
                if answer is not None:
                    self.seen.note(kind, time.perf_counter() - began, answer.status, tried, path)
                    return answer
                tried += 1
                if sent and not repeat and method not in IDEMPOTENT:
                    break
        except BaseException as wrong:
            trouble = repr(wrong)
            raise
        self.seen.note(kind, time.perf_counter() - began, 0, tried - 1, f"{path}: {trouble}")
        raise Broken(trouble)

    def drain(self, host: Host) -> None:
        """Send this host nothing more, as the operator says; returns when it has answered everything."""
        self._drained.add(host.name)
        wait_until(f"the requests of host {host.name}", lambda: not self._open[host.name])

    def take_back(self, host: Host) -> None:
        """Send this host requests again."""
        self._drained.discard(host.name)

    def _order(self) -> list[Host]:
        start, now = next(self._turn) % len(self._hosts), time.monotonic()
        turn = self._hosts[start:] + self._hosts[:start]
        turn = [host for host in turn if host.name not in self._drained]
        return sorted(turn, key=lambda host: self._out.get(host.name, 0) > now)

    def _one(self, host: Host, method: str, path: str, body: bytes, headers: dict[str, str]):
        """Whether anything was sent, the answer or None, and what was in its way."""
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=TIMEOUT)
        sent = False
        passed = {
            "Host": urlsplit(ADDRESS).netloc,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.1",
        }
        with contextlib.closing(connection), self._counted(host):
            try:
                connection.connect()
                sent = True
                connection.request(method, path, body or None, passed | headers)
                found = connection.getresponse()
                return sent, Answer(found.status, found.headers, found.read()), ""
            except (OSError, http.client.HTTPException) as trouble:
                self._out[host.name] = time.monotonic() + LEFT_OUT
                return sent, None, f"{host.name}: {trouble!r}"

    @contextlib.contextmanager
    def _counted(self, host: Host) -> Iterator[None]:
        with self._lock:
            self._open[host.name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[host.name] -= 1


class Browser:
    """One person before the balancer: cookies, and forms filled in as they stand on a page."""

    def __init__(self, balancer: Balancer, login: str, password: str):
        self.balancer, self.login, self.password = balancer, login, password
        self._cookies: dict[str, str] = {}

    def open(self, kind: str, path: str) -> Answer:
        """Read a page."""
        return self._kept(self.balancer.ask(kind, "GET", path, **self._headers()))

    def send(self, kind: str, path: str, page: Answer, having: str = "", **values) -> Answer:
        """Fill in the form of a page with the field `having` and send it. Raises LookupError without such a form."""
        from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

        from tests.drills.company import memory

        form = form_of(path, page, having)
        sent = form.sent | {"csrfmiddlewaretoken": memory.token_of(page.body.decode())} | values
        answer = self.balancer.ask(
            kind,
            "POST",
            urljoin(path, form.action),
            encode_multipart(BOUNDARY, sent),
            **self._headers(),
            **{"Content-Type": MULTIPART_CONTENT, "Origin": ADDRESS, "Referer": f"{ADDRESS}{path}"},
        )
        return self._kept(answer)

    def sign_in(self) -> None:
        """Begin a session. Raises LookupError if that is refused."""
        page = self.open("sign in", "/sign-in/")
        answer = self.send("sign in", "/sign-in/", page, username=self.login, password=self.password)
        if answer.status != 302:
            raise LookupError(f"{self.login} is not let in: {answer.status}")

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def _kept(self, answer: Answer) -> Answer:
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        return answer


def form_of(path: str, page: Answer, having: str = ""):
    """The first form of a page that is sent and has this field. Raises LookupError without such a form."""
    from tests.support.input.generated_input import forms_of

    for form in forms_of(path, page.body.decode()):
        if form.method == "post" and (not having or having in form.fields):
            return form
    raise LookupError(
        f"{path} answered {page.status} without a form with the field {having or 'that is sent'}"
    )
