"""What a stranger on the network tried and did not get: numbers are those of the table in docs/threats.md."""

import re
import socket
import subprocess
import sys
import time

import psutil
import pytest
from django.conf import settings
from django.test import Client

from governance.models import Entry
from tests.support import factories

pytestmark = pytest.mark.django_db

SECRET = b"what nobody may read"


@pytest.mark.parametrize("under", ["/static/", "/static//", "/static/governance/", "/"])
@pytest.mark.parametrize(
    "path",
    [
        "../{}",
        "..%2f{}",
        "%2e%2e/{}",
        "%2e%2e%2f{}",
        "....//{}",
        "..%5c{}",
        "..;/{}",
        "%252e%252e%252f{}",
        "./../../{}",
        "/{}",
    ],
)
def test_2_no_file_but_static_ones_is_served(under, path, settings):
    settings.WHITENOISE_USE_FINDERS = True
    target = settings.BASE_DIR / "tests" / "settings.py"
    for name in (
        "manage.py",
        ".git/config",
        ".data/secret-key",
        f"{target}",
        "uploads/",
        "tests/settings.py",
    ):
        answer = Client().get(under + path.format(name))
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (302, 400, 404), (under, path, name)
        assert b"DJANGO_SETTINGS_MODULE" not in content
        assert b"repositoryformatversion" not in content


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/%0d%0aLocation:https://evil.example",
        "http://testserver@evil.example/",
        "/%09/evil.example",
    ],
)
def test_3_signing_in_leads_to_no_other_host(cast, target):
    answer = Client().post("/sign-in/", {"username": "owner", "password": factories.PASSWORD, "next": target})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not re.match(r"/[/\\]", answer["Location"])
    assert "\n" not in answer["Location"]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}]
)
def test_4_nothing_is_sent_from_elsewhere(cast, as_, headers):
    client = as_(cast.owner)
    client.handler.enforce_csrf_checks = True
    before = Entry.objects.acts().count()
    for path in ("/sign-out/", "/initiatives/register/", "/account/password/"):
        assert client.post(path, {"title": "x"}, headers=headers, secure=True).status_code == 403, path
    assert Entry.objects.acts().count() == before


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b", ""]
)
def test_6_another_host_is_not_answered_and_not_mailed(cast, host, mailoutbox):
    client = Client(headers={"host": host})
    assert client.get("/sign-in/").status_code == 400
    assert client.post("/password/reset/", {"email": cast.owner.email}).status_code == 400
    forwarded = Client(headers={"x-forwarded-host": "evil.example"})
    forwarded.post("/password/reset/", {"login": "owner", "email": cast.owner.email})
    assert not any("evil.example" in mail.body for mail in mailoutbox)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "trace"])
def test_7_methods_that_change_nothing(cast, as_, method):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    before = Entry.objects.acts().count()
    for path in ("/", f"/initiatives/{initiative.ref}/", "/sign-in/", "/sign-out/", "/initiatives/register/"):
        answer = getattr(client, method)(path)
        assert answer.status_code in (200, 302, 404, 405), path  # 200 is the page, as for reading
        assert b"sessionid" not in answer.content
    assert Entry.objects.acts().count() == before


def test_8_a_known_and_an_unknown_name_are_told_alike(cast):
    answers = [
        Client().post("/sign-in/", {"username": name, "password": "not it at all"}).content.decode()
        for name in ("owner", "ownez")
    ]
    plain = [
        re.sub(r'(?:nonce|value|csrfmiddlewaretoken)="[^"]*"', "", text).replace("ownez", "owner")
        for text in answers
    ]
    assert plain[0] == plain[1]


SMUGGLED = {
    "a length and chunks": b"POST /sign-in/ HTTP/1.1\r\nHost: {h}\r\nContent-Length: 6\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "two lengths": b"POST /healthz HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n"
    b"GET /smuggled HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "an odd encoding": b"POST /healthz HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"GET /healthz HTTP/1.1\r\nHost: {h}\r\nContent-Length : 5\r\n\r\nhello",
    "a folded header": b"GET /healthz HTTP/1.1\r\nHost: {h}\r\nX: a\r\n b\r\n\r\n",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A web server as an installation has it, on this machine's loopback; it is asked nothing that needs a database."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "tests.support.servers.counting_server",
        "--bind",
        f"127.0.0.1:{port}",
        "--no-control-socket",
    ]
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=said, stderr=said)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        children = psutil.Process(process.pid).children()
        process.terminate()
        process.wait(20)
        psutil.wait_procs(children, timeout=20)


@pytest.mark.parametrize("how", SMUGGLED)
def test_12_a_second_question_is_not_smuggled_behind_the_first(served, how):
    with socket.create_connection(("127.0.0.1", served), timeout=10) as line:
        line.sendall(SMUGGLED[how].replace(b"{h}", b"127.0.0.1"))
        said = b""
        while chunk := line.recv(65536):
            said += chunk
    assert re.match(rb"HTTP/1\.[01] (?:400|501) ", said), said[:200]
    assert said.count(b"HTTP/1.") == 1


def test_15_every_page_says_what_a_browser_may_do_with_it(cast, as_):
    for client in (Client(), as_(cast.owner)):
        for path in ("/sign-in/", "/help/", "/", "/initiatives/", "/nothing-here/"):
            answer = client.get(path, follow=True)
            policy = answer["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert answer["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin")
            assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
