"""Links captured on request: from real servers on this machine, which only a test may ask."""

import http.server
import ipaddress
import socket
import ssl
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ValidationError

from governance import clock
from governance.files import safe_fetch
from governance.files.safe_fetch import NotFetched, Rules, fetch
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence import captures
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.input import hostile_files

HERE = Rules(networks=(ipaddress.ip_network("127.0.0.1/32"),))
PAGE = b"<!DOCTYPE html><html><head><script>alert(1)</script></head><body><p>All  is &amp; was well</p></body></html>"


class Site(http.server.BaseHTTPRequestHandler):
    """A site with everything that a link may lead to."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        kind, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
        if kind == "to":
            return self._answer(302, b"", Location=rest if "://" in rest else f"/{rest}")
        if kind == "slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                if self.server.done.wait(0.02):
                    return None
        if kind == "packed":
            return self._answer(200, b"\x1f\x8b", **{"Content-Encoding": "gzip"})
        if kind == "broken":
            self.wfile.write(b"nonsense\r\n\r\n")
            return None
        content = {
            "page": PAGE,
            "pdf": hostile_files.pdf(),
            "acts": hostile_files.pdf(hostile_files.SCRIPT_OBJECT),
            "zip": hostile_files.archive({"a": "b"}),
            "large": b"x" * 3000,
            "empty": b"",
            "program": hostile_files.EXE,
        }.get(kind)
        return self._answer(200, content) if content is not None else self._answer(404, b"no")

    def _answer(self, status, content, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    """The site, and what it was asked."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads, server.asked, server.done = True, [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.done.set()
    server.shutdown()
    server.server_close()
    thread.join()


def says(*addresses):
    """A name server that answers these, one list after the other; the last for ever."""
    answers = list(addresses)

    def look_up(host, port, **_):
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found.split()]

    return look_up


# --- Where a link may lead --------------------------------------------------------------------------------------------

FORBIDDEN = """\
127.0.0.1 127.9.9.9 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200 192.0.0.192
198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 168.63.129.16 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1
fec0::1 feff::1 64:ff9b:1:7f00:1:0:808:808
::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 2002:7f00:1:: 2002:a9fe:a9fe:: ::127.0.0.1
2001:db8::1"""


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_addresses_inside_are_not_asked(address):
    with pytest.raises(NotFetched, match="in the internal network or on this machine"):
        fetch("https://evil.example/", Rules(), look_up=says(address))


# Every row of IANA's special-purpose registries for IPv4 and IPv6 (November 2025), and the networks of multicast,
# and of IPv6 addresses that IANA has not given out. Those that carry an IPv4 address have tests of their own below.
REGISTRIES = """\
0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24
192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4
255.255.255.255/32 224.0.0.0/4
::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32
2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7
fe80::/10 fec0::/10 ff00::/8 4000::/3 6000::/3 8000::/1 200::/7 400::/6 800::/5 1000::/4"""
PUBLIC = """\
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
2001:200:: 2001:db7:ffff:: 2001:db9:: 2003:: 2606:4700::1111 2620:4f:7fff:: 2620:4f:8001:: 3ffe:ffff:: 3fff:1000::"""
CARRYING = ("::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}")  # IPv4-mapped, NAT64, IPv4-compatible, SIIT


@pytest.mark.parametrize("network", [ipaddress.ip_network(one) for one in REGISTRIES.split()], ids=str)
def test_no_address_of_the_special_purpose_registries_is_public(network):
    last = network.num_addresses - 1
    for address in (network[0], network[last // 2], network[last // 3], network[last]):
        assert not safe_fetch.is_public(address), address
        with pytest.raises(NotFetched, match="in the internal network or on this machine"):
            fetch("https://evil.example/", Rules(), look_up=says(str(address)))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_the_neighbours_of_special_networks_are_public(address):
    assert safe_fetch.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("carrying", CARRYING)
def test_an_address_that_carries_another_is_judged_as_that_one(carrying):
    for network in map(ipaddress.ip_network, REGISTRIES.split()):
        if network.version == 4 and int(network[-1]) > 1:
            assert not safe_fetch.is_public(ipaddress.ip_address(carrying.format(network[-1]))), network
    assert safe_fetch.is_public(ipaddress.ip_address(carrying.format("8.8.8.8")))


def test_6to4_and_teredo_are_judged_as_the_address_inside():
    for inside, public in (
        ("8.8.8.8", True),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("192.0.2.1", False),
    ):
        number = int(ipaddress.IPv4Address(inside))
        six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (number << 80) | 1)
        teredo = ipaddress.IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF))
        assert safe_fetch.is_public(six_to_four) == safe_fetch.is_public(teredo) == public


@pytest.mark.parametrize("mixed", ["93.184.216.34 10.0.0.1", "10.0.0.1 93.184.216.34"])
def test_one_forbidden_address_of_a_name_is_enough(mixed):
    with pytest.raises(NotFetched, match="in the internal network"):
        fetch("https://evil.example/", Rules(), look_up=says(mixed))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]"],
)
def test_this_machine_is_not_asked_however_it_is_written(site, host):
    with pytest.raises(NotFetched):
        fetch(f"http://{host}:{site.server_port}/page", Rules())
    with pytest.raises(NotFetched):
        fetch(f"http://{host}/page", Rules())
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/x", "begins with http"),
        ("file:///etc/passwd", "begins with http"),
        ("gopher://example.org:70/_x", "begins with http"),
        ("javascript:alert(1)", "begins with http"),
        ("http://", "begins with http"),
        ("http://user:word@example.org/", "name or password"),
        ("http://example.org:22/", "port 22"),
        ("http://example.org:6379/", "port 6379"),
        ("http://example.org:99999/", "not a valid address"),
        ("http://[::1", "not a valid address"),
        ("http://example.org/a b", "characters"),
        ("http://example.org\\@127.0.0.1/", "characters"),
        ("http://ex\u00e4mple.org/", "characters"),
        ("http://example.org/\r\nX: y", "characters"),
    ],
)
def test_what_is_no_plain_address_is_not_asked(url, why):
    with pytest.raises(NotFetched, match=why):
        fetch(url, Rules(), look_up=says("93.184.216.34"))


def test_hosts_of_the_house_are_asked_where_the_settings_name_them(monkeypatch):
    tried = []

    def connect(address, timeout):
        tried.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    rules = Rules(inside=frozenset({"wiki.house", "tickets.house:8443"}))
    for url in ("http://wiki.house/", "https://tickets.house:8443/"):
        with pytest.raises(NotFetched, match="does not answer"):
            fetch(url, rules, look_up=says("10.0.0.5"))
    assert tried == [("10.0.0.5", 80), ("10.0.0.5", 8443)]
    for url in ("http://wiki.house:8443/", "http://other.house/"):
        with pytest.raises(NotFetched):
            fetch(url, rules, look_up=says("10.0.0.5"))
    for address in ("127.0.0.1", "169.254.169.254", "fd00:ec2::254"):  # not even for those
        with pytest.raises(NotFetched, match="in the internal network"):
            fetch("http://wiki.house/", rules, look_up=says(address))
    assert len(tried) == 2


def test_a_name_that_changes_its_answer_gains_nothing(site):
    """The address that was judged is the one connected to: the name is looked up once a transfer."""
    asked = []

    def look_up(host, port, **options):
        asked.append(host)
        return says("127.0.0.1")(host, port, **options)

    found = fetch(f"http://changes.example:{site.server_port}/page", HERE, look_up=look_up)
    assert found.content == PAGE
    assert asked == ["changes.example"]
    assert site.asked[0][1]["Host"] == f"changes.example:{site.server_port}"


def test_each_redirect_is_judged_like_the_first_address(site):
    assert fetch(f"{site.url}/to/to/page", HERE).content == PAGE
    answers = says("127.0.0.1", "169.254.169.254")
    with pytest.raises(NotFetched, match="in the internal network"):
        fetch(f"http://good.example:{site.server_port}/to/http://meta.example/page", HERE, look_up=answers)
    for target in ("file:///etc/passwd", "gopher://127.0.0.1:70/x", "http://user:word@example.org/"):
        with pytest.raises(NotFetched):
            fetch(f"{site.url}/to/{target}", HERE)
    with pytest.raises(NotFetched, match="too many redirects"):
        fetch(f"{site.url}/" + "to/" * 9 + "page", HERE)


def test_nothing_of_ours_goes_along(site, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", "/nowhere")
    fetch(f"{site.url}/page?q=1", HERE)
    [(path, headers)] = site.asked
    assert path == "/page?q=1"
    assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_time_and_size_are_bounded(site, settings, monkeypatch):
    settings.UPLOAD_MAX_BYTES = 2000
    for path, why in (
        ("large", "larger than"),
        ("empty", "is empty"),
        ("packed", "compressed"),
        ("missing", "The page answers with status 404"),
        ("broken", "does not answer"),
    ):
        with pytest.raises(NotFetched, match=why):
            fetch(f"{site.url}/{path}", HERE)
    monkeypatch.setattr(safe_fetch, "SECONDS", 0.1)
    with pytest.raises(NotFetched, match="too long"):
        fetch(f"{site.url}/slow", HERE)


def test_one_span_of_time_is_for_all_redirects_together(site, monkeypatch):
    """Attack L2: with a span for each transfer, six of them took 103 seconds."""
    moments, given = iter(range(0, 1000, 8)), []
    timer = safe_fetch.threading.Timer

    def patient(seconds, cut):
        given.append(seconds)
        return timer(60, cut)

    monkeypatch.setattr(safe_fetch, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    monkeypatch.setattr(safe_fetch.threading, "Timer", patient)
    assert fetch(f"{site.url}/to/to/page", HERE).content == PAGE
    assert given == [safe_fetch.SECONDS - 8, safe_fetch.SECONDS - 16, 0]


@pytest.fixture
def of_itself(tmp_path):
    """A certificate for this machine that nobody but itself vouches for, with its key, as one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def test_a_certificate_nobody_vouches_for_is_not_trusted(site, of_itself, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(of_itself)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    url = f"https://127.0.0.1:{site.server_port}/page"
    with pytest.raises(NotFetched, match="certificate of the page is not valid"):
        fetch(url, HERE)
    assert site.asked == []
    trusting = ssl.create_default_context(cafile=of_itself)  # where somebody does vouch for it, it is fetched
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    assert fetch(url, HERE).content == PAGE


# --- The act ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def linked(cast, settings, site):
    """An item that is only a link, on an installation that captures links."""
    settings.CAPTURE_LINKS = True
    initiative = factories.make_initiative(cast)
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Page of the log",
        observed_on=clock.today(),
        covers=["proto.scope", "mvp.problem"],
        note="May",
        link=f"{site.url}/page",
        by=cast.owner,
    )


@pytest.mark.django_db
def test_what_stands_there_is_kept_with_its_hash_in_a_newer_item(cast, as_, linked, site):
    with acts() as kinds:
        item = captures.capture_link(evidence=linked, rules=HERE, by=cast.owner)
    assert kinds == ["evidence added"]
    assert item.supersedes == linked
    assert not item.unverified
    assert (item.title, item.note, item.observed_on) == (linked.title, linked.note, linked.observed_on)
    assert set(item.coverage.values_list("requirement", flat=True)) == {"proto.scope", "mvp.problem"}
    assert item.author == cast.owner
    assert item.captured_at is not None
    assert (item.content_type, item.file_name, item.size) == ("text/plain", "page.txt", len(PAGE))
    ref, client = linked.initiative.ref, as_(cast.owner)
    page = text_of(client.get(at("evidence-item", ref, item.pk)))
    assert "captured on" in page
    assert item.sha256 in page
    seen = text_of(client.get(at("evidence-look", ref, item.pk)))
    assert "All is &amp; was well" in seen
    assert "alert(1)" not in seen
    sent = client.get(at("evidence-file", ref, item.pk))
    assert b"".join(sent.streaming_content) == PAGE
    assert sent["Content-Disposition"].startswith("attachment")
    assert "was captured from" in text_of(client.get(at("initiative-activity", ref)))
    with pytest.raises(Conflict):
        captures.capture_link(evidence=linked, rules=HERE, by=cast.owner)
    with pytest.raises(Conflict):
        captures.capture_link(evidence=item, rules=HERE, by=cast.owner)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "why"),
    [("zip", "does not lead to a page"), ("program", "does not lead to a page"), ("acts", "runs a script")],
)
def test_what_no_upload_may_be_no_link_may_bring(cast, linked, site, path, why):
    item = evidence_actions.add_evidence(
        initiative=linked.initiative,
        kind="document",
        title="Another",
        observed_on=clock.today(),
        covers=["proto.scope"],
        link=f"{site.url}/{path}",
        by=cast.owner,
    )
    with pytest.raises(ValidationError, match=why):
        captures.capture_link(evidence=item, rules=HERE, by=cast.owner)
    assert linked.initiative.evidence.filter(supersedes=item).count() == 0


@pytest.mark.django_db
def test_the_page_says_what_will_happen_and_why_it_did_not(cast, as_, linked, site):
    client, url = as_(cast.owner), at("row-act", "evidence", linked.pk, "capture")
    assert "Capture the link" in text_of(client.get(at("evidence-item", linked.initiative.ref, linked.pk)))
    assert "replaces this one" in text_of(client.get(url))
    with acts() as kinds:
        said = text_of(client.post(url))  # without the rules of a test: this machine is not asked
    assert kinds == []
    assert "so the link is not captured" in said or "are not captured" in said
    assert site.asked == []
    assert as_(cast.seat_risk).post(url).status_code == 403


@pytest.mark.django_db
def test_it_is_off_unless_switched_on(cast, as_, linked, settings, site):
    settings.CAPTURE_LINKS = False
    page = text_of(as_(cast.owner).get(at("evidence-item", linked.initiative.ref, linked.pk)))
    assert "Capture the link" not in page
    with pytest.raises(Refused, match="not set up to capture links here"):
        captures.capture_link(evidence=linked, rules=HERE, by=cast.owner)
    assert site.asked == []
