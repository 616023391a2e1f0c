"""Signing in with real providers: there and back, anew, out, keys changed, clock wrong, away.

They are oidc-provider of npm and django-oauth-toolkit, installed outside the tree; where is said by PLUMBLINE_TEST_OIDC
(a folder) and PLUMBLINE_TEST_OIDC_PYTHON (a Python), see docs/identity.md. Skipped without.
"""

import http.cookiejar
import os
import re
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from time_machine import travel

from governance import clock
from governance.identity import actions, reported_identities
from governance.models import Entry, ProviderKey, User
from governance.offline import verify
from governance.transparency_log import sealing
from initiatives.lifecycle.roles import actions as role_actions
from tests.support.factories import PASSWORD, make_initiative, make_person
from tests.support.initiatives.initiative_pages import seen

FOLDER = os.environ.get("PLUMBLINE_TEST_OIDC", "")
PYTHON = os.environ.get("PLUMBLINE_TEST_OIDC_PYTHON", "")
SERVERS = Path(__file__).parents[2] / "support" / "servers"
HOUSE = "http://127.0.0.1:8000"
pytestmark = pytest.mark.django_db
of_npm = pytest.mark.skipif(
    not (FOLDER and (Path(FOLDER) / "node_modules" / "oidc-provider").is_dir() and shutil.which("node")),
    reason="oidc-provider is not installed in the folder that PLUMBLINE_TEST_OIDC names, or there is no node",
)
of_django = pytest.mark.skipif(
    not PYTHON, reason="PLUMBLINE_TEST_OIDC_PYTHON names no Python in which django-oauth-toolkit is installed"
)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Person:
    """A browser at the provider, whose person types their name there and agrees."""

    def __init__(self, login="ana"):
        self.login = login
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar, _Stay)
        self.typed = 0

    def ask(self, address, fields=None):
        data = urlencode(fields).encode() if fields else None
        try:
            answer = self.opener.open(urllib.request.Request(address, data), timeout=60)
        except urllib.error.HTTPError as moved:
            answer = moved
        with answer:
            return answer.headers.get("Location"), answer.read().decode()

    def come_back(self, address) -> str:
        """Follow the provider until it sends the browser to us."""
        for _ in range(12):
            where, page = self.ask(address)
            if where is None:
                form = re.search(r'<form[^>]*action="([^"]+)"', page)
                assert form, page
                asks = "login" if 'name="login"' in page else "consent"
                self.typed += asks == "login"
                fields = {"prompt": asks} | (
                    {"login": self.login, "password": "any"} if asks == "login" else {}
                )
                where, _ = self.ask(urljoin(address, form.group(1)), fields)
            address = urljoin(address, where)
            if address.startswith(HOUSE):
                return address.removeprefix(HOUSE)
        raise AssertionError("the provider never sent the browser back")

    def sign_out(self, address) -> None:
        _, page = self.ask(address)
        form = re.search(r'<form[^>]*action="([^"]+)"', page)
        xsrf = re.search(r'name="xsrf" value="([^"]+)"', page)
        self.ask(urljoin(address, form.group(1)), {"xsrf": xsrf.group(1), "logout": "yes"})


class Provider:
    """The provider as a process. `restart` gives it another key and a clock that is `ahead`."""

    command = ("node", str(SERVERS / "real_provider.mjs"))
    path = ""  # of its issuer

    def __init__(self):
        self.told: list[str] = []
        outer = self

        class Told(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.told.append(parse_qs(body)["logout_token"][0])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.ear = HTTPServer(("127.0.0.1", 0), Told)
        threading.Thread(target=self.ear.serve_forever, daemon=True).start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.issuer, self.process = f"http://127.0.0.1:{self.port}{self.path}", None

    def restart(self, ahead=0):
        self.stop()
        said = {
            "FOLDER": FOLDER,
            "PORT": str(self.port),
            "REDIRECT": f"{HOUSE}/sign-in/with/real/answer/",
            "LOGOUT": f"http://127.0.0.1:{self.ear.server_port}/",
            "AHEAD": str(ahead),
        }
        self.process = subprocess.Popen(
            self.command, env={**os.environ, **said}, stdout=subprocess.PIPE, text=True
        )
        while "ready" not in (line := self.process.stdout.readline()):
            assert line or self.process.poll() is None, "the provider did not start"

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class SecondProvider(Provider):
    """The same with django-oauth-toolkit, whose clock is right."""

    command = (PYTHON, str(SERVERS / "second_provider.py"))
    path = "/o"


@pytest.fixture(params=[Provider])
def real(request):
    provider = request.param()
    provider.restart()
    cache.clear()
    yield provider
    provider.stop()
    provider.ear.shutdown()
    cache.clear()


@pytest.fixture
def house(real):
    return added(real, make_person("admin", is_admin=True))


def added(real, admin):
    """The provider as an admin adds it and switches it on."""
    row = actions.add_provider(
        name="Real",
        slug="real",
        kind="other",
        issuer=real.issuer,
        client_id="plumbline-client",
        authentication="secret",
        secret="a secret of the client",
        scopes="openid profile email",
        key_claim="sub",
        makes_people=True,
        by=admin,
    )
    actions.switch_provider(provider=row, on=True, by=admin)
    return row


def sign_in(person: Person, client: Client):
    return client.get(person.come_back(client.get("/sign-in/with/real/").url))


def inside(client: Client) -> bool:
    return client.get("/account/").status_code == 200


@of_npm
def test_sign_in_anew_out_keys_clock_and_away(house, real):
    # Signing in: an account is made, and the provider remembers its person.
    person, client = Person(), Client()
    assert sign_in(person, client).status_code == 302
    assert inside(client)
    other = Client()
    assert sign_in(person, other).status_code == 302
    assert person.typed == 1

    # Anew: with max_age=0 it asks again, although it remembers.
    make_person("ben")
    local = Client()
    local.post("/sign-in/", {"username": "ben", "password": PASSWORD})
    page = local.post("/account/link/real/", {"password": PASSWORD})
    back = local.get(person.come_back(page.context["address"]))
    assert person.typed == 2
    assert back.context["denied"].code == "taken"  # it is the account of the first one

    # Out, by the provider: its token ends every session that came by it.
    person.sign_out(f"{real.issuer}/session/end")
    assert real.told
    for raw in real.told:
        assert client.post("/sign-in/with/real/signed-out/", {"logout_token": raw}).status_code == 200
    assert not inside(client)

    # Keys changed: the new one is fetched and recorded.
    real.restart()
    assert sign_in(Person(), Client()).status_code == 302
    assert ProviderKey.objects.filter(provider=house, gone_at__isnull=True).count() == 1
    assert ProviderKey.objects.filter(provider=house).count() == 2

    # Its clock wrong by ten minutes, either way: refused in words.
    for ahead, words in ((600, "future"), (-600, "older")):
        real.restart(ahead)
        denied = sign_in(Person(), Client()).context["denied"]
        assert denied.code == "time"
        assert words in denied.words or "expired" in denied.words
        assert "clocks" in denied.fix

    # Away: said in words, and it comes back by itself.
    real.stop()
    cache.clear()
    assert Client().get("/sign-in/with/real/").context["denied"].code == "away"
    real.restart()
    assert sign_in(Person(), Client()).status_code == 302


@of_npm
def test_thirty_people_whose_subjects_are_issued_anew_are_tied_with_one_signature(house, real):
    admin, logins = User.objects.get(is_admin=True), [f"person-{number}" for number in range(30)]
    for login in logins:
        assert sign_in(Person(login), Client()).status_code == 302
    people = dict(User.objects.filter(is_admin=False).values_list("email", "pk"))
    assert len(people) == 30
    for login in logins:
        assert sign_in(Person(f"anew-{login}"), Client()).context["denied"].code == "new key"
    assert User.objects.count() == 31
    assert [str(task.text) for task in reported_identities.tasks(admin)] == ["30 people came with new keys"]
    client = Client()
    client.force_login(admin)
    page = client.get("/identity/reported/?tick=all")
    ((_, rows),) = page.context["groups"]
    assert {(one["now"], one["row"].value) for one in rows} == {(login, f"anew-{login}") for login in logins}
    assert all(one["row"].verified for one in rows)
    sent = {"take": [one["row"].pk for one in rows], "password": PASSWORD} | seen(page)
    assert client.post("/identity/reported/", sent).status_code == 302
    assert sign_in(Person("anew-person-3"), Client()).context["denied"].code == "waits"
    later = 24 * 60 * 60 + 60
    real.restart(ahead=later)
    with travel(clock.now() + timedelta(seconds=later)):
        for login in logins[::10]:
            client = Client()
            assert sign_in(Person(f"anew-{login}"), client).status_code == 302
            assert client.get("/account/").context["user"].pk == people[f"{login}@example.org"]
    assert Entry.objects.acts().filter(kind="external identity linked").count() == 60


@of_npm
def test_a_role_is_accepted_by_a_token_for_exactly_its_statement(cast, real):
    added(real, cast.admin)
    person, client = Person(), Client()
    assert sign_in(person, client).status_code == 302
    ana = User.objects.get(full_name="Ana Ruiz")
    initiative = make_initiative(cast)
    row = role_actions.propose_role(initiative=initiative, role="technical_lead", person=ana, by=cast.owner)
    url = reverse("row-act", args=["roles", row.pk, "accept"])
    token = re.search(r'name="sign_token" value="([^"]+)"', client.get(url).content.decode())[1]
    shown = client.post(url, {"words": "I do.", "sign_token": token, "sign_prepare": "at real"})
    back = client.get(person.come_back(client.get(f"{shown.url}go/").url))
    assert (back.status_code, back.url, person.typed) == (302, shown.url, 2)
    sealing.seal(wait=True)
    assert client.post(url, {"words": "I do.", "sign_token": token}).status_code == 302
    proof = Entry.objects.rows().get(table="governance_signatureproof").facts["after"]
    assert verify.check_signature(proof) == "identity provider"
    row.refresh_from_db()
    assert row.accepted_at is not None


@of_django
@pytest.mark.parametrize("real", [SecondProvider], indirect=True)
def test_sign_in_anew_out_keys_and_away_at_another(house, real):
    person, client = Person(), Client()
    assert sign_in(person, client).status_code == 302
    assert inside(client)
    assert sign_in(person, Client()).status_code == 302
    assert person.typed == 1

    # Anew: with max_age=0 it asks again.
    make_person("ben")
    local = Client()
    local.post("/sign-in/", {"username": "ben", "password": PASSWORD})
    page = local.post("/account/link/real/", {"password": PASSWORD})
    assert local.get(person.come_back(page.context["address"])).context["denied"].code == "taken"
    assert person.typed == 2

    # Out, from here: our session ends, and the provider ends its own and sends the browser back to us.
    page = client.get(client.post("/sign-out/").url).content.decode()
    assert not inside(client)
    assert "/sign-in/with/real/sign-out/" in page
    where = client.get("/sign-in/with/real/sign-out/").url
    assert where.startswith(real.issuer)
    for _ in range(3):
        if (where := person.ask(where)[0]).startswith(HOUSE):
            break
        where = urljoin(real.issuer, where)
    assert where == f"{HOUSE}/sign-in/"
    assert sign_in(person, client).status_code == 302
    assert person.typed == 3

    # Keys changed, and away.
    real.restart()
    assert sign_in(Person(), Client()).status_code == 302
    assert ProviderKey.objects.filter(provider=house).count() == 2
    real.stop()
    cache.clear()
    assert Client().get("/sign-in/with/real/").context["denied"].code == "away"
