"""Fetching a link for the audit log from a server that may be hostile, and posting to it.

A person writes the link, so it is hostile until shown otherwise: only http and https, only the usual ports, only
addresses that are looked up here, judged here and then connected to as they are, so that a name which changes its
answer gains nothing. Each redirect is judged like the first address. No proxy, cookie or password goes along, and
time and size are bounded from outside.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from django.conf import settings


def _networks(text: str) -> tuple:
    return tuple(map(ipaddress.ip_network, text.split()))


SECONDS = 20  # for all of it, redirects included
PATIENCE = 5  # seconds for one answer on the wire
MOST_REDIRECTS = 5
PORTS = {"http": 80, "https": 443}
MOVED = (301, 302, 303, 307, 308)
HEADERS = {"User-Agent": "Plumbline", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
# Addresses at which clouds hand secrets to whoever asks; those that are not private or link-local anyway.
METADATA = frozenset(
    map(ipaddress.ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254", "192.0.0.192"))
)
# The special-purpose registries of IANA for IPv4 (without what lies inside 192.0.0.0/24), and multicast: no page of the
# public lies there, also where a registry calls a service in such a network globally reachable.
SPECIAL_IPV4 = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 "
    "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
)
# IANA gives out addresses of the public in this network only. Below it: the rows of the registry for IPv6 inside it.
# 2002::/16 and 2001::/32 (6to4, Teredo) carry an IPv4 address and are judged as that one.
PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
SPECIAL_IPV6 = _networks("2001::/23 2001:db8::/32 2620:4f:8000::/48 3fff::/20")
# What organisations use inside, by RFC 1918 and RFC 4193.
PRIVATE = _networks("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7")
# IPv6 networks whose addresses carry an IPv4 address in their last 32 bits, which is where they lead.
CARRIERS = _networks("64:ff9b::/96 ::/96 ::ffff:0:0:0/96")


class NotFetched(ValueError):
    """The link was not fetched. The sentence contains the reason for the person who gave the link.

    `cause` is the same in one word: "address", "scheme", "password", "unknown", "port", "inside", "slow",
    "certificate", "silent", or "content".
    """

    def __init__(self, sentence: str, cause: str = "content"):
        super().__init__(sentence)
        self.cause = cause


@dataclass(frozen=True)
class Rules:
    """The rules for targets of links. `inside`: own hosts, or host:port, that may have private addresses.

    `networks` are further addresses that may be asked on any port. Only tests set them.
    """

    inside: frozenset[str] = frozenset()
    networks: tuple = ()

    @classmethod
    def of_settings(cls) -> "Rules":
        """Return the rules of this installation."""
        return cls(inside=frozenset(settings.CAPTURE_HOSTS))


@dataclass(frozen=True)
class Posted:
    """The answer to what was posted: its status, its Retry-After header or "", and its first bytes."""

    status: int
    retry_after: str
    content: bytes


@dataclass(frozen=True)
class Fetched:
    """A fetched page: its final address, its bytes, and the type its server claims."""

    url: str
    content: bytes
    content_type: str


def fetch(url: str, rules: Rules, *, look_up=socket.getaddrinfo) -> Fetched:
    """Fetch the content of the link. Raises NotFetched with a sentence for the person who asked."""
    secure, until = False, time.monotonic() + SECONDS
    for _ in range(MOST_REDIRECTS + 1):
        parts = _understood(url)
        if secure and parts.scheme != "https":
            raise NotFetched("The link redirects from https to http, which is not secure.")
        secure = parts.scheme == "https"
        address, port = _address(parts, rules, look_up)
        with _Door(parts, address, port, until) as door:
            answer = door.ask()
            if answer.status in MOVED and answer.getheader("Location"):
                url = urljoin(url, answer.getheader("Location"))
                continue
            if answer.status != 200:
                raise NotFetched(
                    f"The page answers with status {answer.status}. Pages that need a sign-in cannot be "
                    "captured."
                )
            return Fetched(url, door.read(answer), answer.getheader("Content-Type", ""))
    raise NotFetched("The link has too many redirects. Copy the final address.")


def check(url: str, rules: Rules, *, look_up=socket.getaddrinfo) -> str:
    """Return the host of an https address that may be posted to, with its port if it names one. Raises NotFetched."""
    parts = _posted_to(url)
    _address(parts, rules, look_up)
    return parts.netloc.lower()


def post(
    url: str,
    content: bytes,
    headers: dict[str, str],
    rules: Rules,
    *,
    seconds: float,
    longest: int,
    look_up=socket.getaddrinfo,
) -> Posted:
    """Post to an https address and return the answer of any status, with its first `longest` bytes.

    The name is looked up once, judged, and connected to at that address. A redirect is an answer, and is not followed.
    Raises NotFetched.
    """
    parts, until = _posted_to(url), time.monotonic() + seconds
    address, port = _address(parts, rules, look_up)
    with _Door(parts, address, port, until, patience=seconds) as door:
        answer = door.ask("POST", content, headers)
        return Posted(answer.status, answer.getheader("Retry-After", ""), door.begin(answer, longest))


def _posted_to(url: str):
    parts = _understood(url)
    if parts.scheme != "https":
        raise NotFetched("The address does not begin with https://.", "scheme")
    return parts


def _understood(url: str):
    """The parts of an address, when it is a plain one."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise NotFetched(
            "The link contains characters that are not allowed in an address. Copy the link again.", "address"
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise NotFetched("The link is not a valid address.", "address") from None
    if parts.scheme not in PORTS or not host:
        raise NotFetched(
            "The link cannot be captured. Use a link that begins with http:// or https://.", "scheme"
        )
    if parts.username is not None or parts.password is not None:
        raise NotFetched(
            "The link contains a user name or password. Remove the user name and the password.", "password"
        )
    return parts


def _address(parts, rules: Rules, look_up) -> tuple[str, int]:
    """The address to connect to: one of the host's, when none of them is forbidden."""
    host, port = parts.hostname.rstrip("."), parts.port or PORTS[parts.scheme]
    inside = host in rules.inside or f"{host}:{port}" in rules.inside
    try:
        found = [ipaddress.ip_address(entry[4][0]) for entry in look_up(host, port, type=socket.SOCK_STREAM)]
    except (OSError, ValueError, UnicodeError):
        raise NotFetched(f"The host {host[:100]} was not found. Check the link.", "unknown") from None
    named = any(_in(address, rules.networks) for address in found)
    if not named and port not in PORTS.values() and f"{host}:{port}" not in rules.inside:
        raise NotFetched(
            f"Links to port {port} are not captured. Use port 80 or 443, or upload a file.", "port"
        )
    if not found or not all(_allowed(address, rules, inside=inside) for address in found):
        raise NotFetched(
            f"{host[:100]} is in the internal network or on this machine, so the link is not captured. "
            "Upload a file instead.",
            "inside",
        )
    return str(found[0]), port


def _allowed(address, rules: Rules, *, inside: bool) -> bool:
    """Return True if the address is public, or private of a host in the settings."""
    if _in(address, rules.networks):
        return True
    address = _carried(address)
    if address in METADATA:
        return False
    return is_public(address) or (inside and _in(address, PRIVATE))


def is_public(address) -> bool:
    """Return True if an address (of `ipaddress`) is public, by the registries of IANA.

    An IPv6 address that carries an IPv4 address is judged as that one. The `is_global` of Python is not used, because
    its lists differ between the versions of Python.
    """
    address = _carried(address)
    if address.version == 4:
        return not _in(address, SPECIAL_IPV4)
    return address in PUBLIC_IPV6 and not _in(address, SPECIAL_IPV6)


def _in(address, networks) -> bool:
    return any(address in network for network in networks)


def _carried(address):
    """Return the IPv4 address that an IPv6 address carries, or else the address."""
    if address.version == 4:
        return address
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if carried is None and int(address) > 1 and _in(address, CARRIERS):
        carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return carried or address


class _Door:
    """One connection to an address that was judged, cut off from outside when its time is over."""

    def __init__(self, parts, address: str, port: int, until: float, patience: float | None = None):
        self.parts, self.address, self.port = parts, address, port
        self.patience = PATIENCE if patience is None else patience
        self.socket, self.late = None, False
        self.timer = threading.Timer(max(until - time.monotonic(), 0), self._cut)

    def __enter__(self) -> "_Door":
        self.timer.daemon = True
        self.timer.start()
        try:
            self.socket = socket.create_connection((self.address, self.port), timeout=self.patience)
            if self.parts.scheme == "https":
                context = ssl.create_default_context()
                self.socket = context.wrap_socket(self.socket, server_hostname=self.parts.hostname)
        except (OSError, ValueError) as trouble:
            self.__exit__()
            raise self._not_reached(trouble) from None
        return self

    def __exit__(self, *_) -> None:
        self.timer.cancel()
        if self.socket is not None:
            self.socket.close()

    def ask(
        self, method: str = "GET", content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Ask for the page, or send the content, and return the answer without its body."""
        connection = http.client.HTTPConnection(self.parts.hostname, self.port, timeout=self.patience)
        connection.sock = self.socket
        target = (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")
        try:
            connection.request(
                method, target, content, HEADERS | (headers or {}) | {"Host": self.parts.netloc}
            )
            return connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as trouble:
            raise self._not_reached(trouble) from None

    def read(self, answer: http.client.HTTPResponse) -> bytes:
        """Return the body, within the size of an upload."""
        most = settings.UPLOAD_MAX_BYTES
        if answer.getheader("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise NotFetched("The server sent a compressed page, but Plumbline needs an uncompressed page.")
        try:
            content = answer.read(most + 1)
        except (OSError, http.client.HTTPException, ValueError) as trouble:
            raise self._not_reached(trouble) from None
        if self.late:
            raise self._not_reached(None)
        if len(content) > most:
            raise NotFetched(f"The page behind the link is larger than {most // (1024 * 1024)} MB.")
        if not content:
            raise NotFetched("The page behind the link is empty.")
        return content

    def begin(self, answer: http.client.HTTPResponse, longest: int) -> bytes:
        """Return the first bytes of the body of an answer whose status counts, as far as they come."""
        try:
            return answer.read(longest)
        except (OSError, http.client.HTTPException, ValueError):
            return b""

    def _cut(self) -> None:
        self.late = True
        if self.socket is not None:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.socket.close()

    def _not_reached(self, trouble) -> NotFetched:
        if self.late or isinstance(trouble, TimeoutError):
            return NotFetched("The page takes too long to answer. Try again later.", "slow")
        if isinstance(trouble, ssl.SSLError):
            return NotFetched("The certificate of the page is not valid.", "certificate")
        return NotFetched("The page does not answer.", "silent")
