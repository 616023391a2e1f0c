"""Tries to get in with less than was needed: after each act that takes a way away, and after each loss of a factor.

The tries are generated from the table of ways in, so that a new way or act is tried without a change here.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pyotp
import pytest
import time_machine
from django.test import Client
from webauthn.helpers import base64url_to_bytes

from governance import clock
from governance.identity import ways_in
from governance.identity.factors import recovery_codes
from governance.identity.ways_in import TABLE, Outcome
from governance.models import PasswordLink, Session
from governance.sign_in import password_links
from tests.app.governance.identity.conftest import idp  # noqa: F401
from tests.app.governance.identity.test_lost_second_step import FACTOR, LOSSES, NEW, SECRET, opened
from tests.support.factories import PASSWORD, make_person
from tests.support.identity.authenticator import ORIGIN
from tests.support.identity.every_way_in import NOON, RUN, SECRETS, TAKEN, World, with_every_way

ENDS = (Outcome.ENDS, Outcome.ASKED, Outcome.SHUT)
LOCAL = {"HTTP_HOST": "localhost:8000"}


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def second_step(w: World, sent: Callable[[str], dict]) -> bool:
    """Whether the password with this second step opens the account. `sent` gets the page of the step."""
    client = Client(**LOCAL)
    client.post("/sign-in/", {"username": w.person.login, "password": w.password})
    page = client.get(FACTOR)
    if page.status_code == 200:
        client.post(FACTOR, sent(page.context["options"]))
    return is_in(client)


def by_session(w: World) -> bool:
    return is_in(w.secrets["session"])


def by_link(w: World) -> bool:
    client = Client()
    client.get(f"/password/link/{w.secrets['link']}/")
    return client.get("/password/").status_code == 200


def by_passkey(w: World) -> bool:
    def sent(options: str) -> dict:
        challenge = re.search(r'"challenge": "([^"]+)"', options)
        return {
            "assertion": w.secrets["passkey"].shown(
                base64url_to_bytes(challenge[1]) if challenge else bytes(32)
            )
        }

    return second_step(w, sent)


def by_app(w: World) -> bool:
    w.clock.shift(timedelta(minutes=1))
    return second_step(w, lambda _: {"code": pyotp.TOTP(SECRETS[0]).at(clock.now())})


def by_code(w: World) -> bool:
    return second_step(w, lambda _: {"recovery": w.secrets["code"].pop()})


def by_identity(w: World) -> bool:
    client = Client(**LOCAL)
    gone = client.get("/sign-in/with/house/")
    client.get(w.secrets["identity"].authorize(gone.url).removeprefix(ORIGIN))
    return is_in(client)


def by_token(w: World) -> bool:
    header = f"Bearer {w.secrets['token']}"
    return Client().get("/api/v1/initiatives", HTTP_AUTHORIZATION=header).status_code == 200


def by_calendar(w: World) -> bool:
    return Client().get(f"/calendar/{w.secrets['calendar']}.ics").status_code == 200


OPENS = {
    "session": by_session,
    "link": by_link,
    "passkey": by_passkey,
    "app": by_app,
    "code": by_code,
    "identity": by_identity,
    "token": by_token,
    "calendar": by_calendar,
}


def ended_by(act) -> list[str]:
    """The ways that do not open after the act, whose box is ticked."""
    names = [name for name, outcome in ways_in.outcomes(act).items() if outcome in ENDS and name in OPENS]
    return names + [name for name, _ in (TAKEN.get(act, ("", 0)),) if name and name not in names]


@pytest.fixture
def world(cast, initiative, idp, settings):  # noqa: F811
    settings.ADDRESS = ORIGIN
    with time_machine.travel(NOON, tick=False) as now:
        yield with_every_way(cast, initiative, idp, now)


@pytest.mark.parametrize("name", OPENS)
def test_before_any_act_each_way_opens(world, name):
    assert OPENS[name](world)


@pytest.mark.parametrize("act", TABLE, ids=lambda act: act.value)
def test_no_way_that_an_act_ends_opens_afterwards(world, act):
    world.also = True
    RUN[act](world)
    assert [name for name in ended_by(act) if OPENS[name](world)] == []


# --- After the loss of a factor --------------------------------------------------------------------------------------


def tries(used: str) -> Iterator[tuple[str, dict | None]]:
    """What is sent at the second step after the right password."""
    yield "the password alone", None
    yield "an empty form", {}
    yield "a wrong code", {"code": "000000"}
    yield "a code of the lost app", {"code": pyotp.TOTP(SECRET).at(NOON)}
    yield "a passkey of elsewhere", {"assertion": "{}"}
    yield "a used recovery code", {"recovery": used}
    yield "a guessed recovery code", {"recovery": "aaaa-bbbb-cccc-dddd"}


TRIES_AFTER_A_LOSS = 8


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_after_the_loss_of_a_factor_less_opens_nothing(db, loss, settings):
    settings.ADDRESS, settings.ALLOWED_HOSTS = ORIGIN, ["*"]
    with time_machine.travel(NOON - timedelta(days=30), tick=False):
        admin = make_person("ada", is_admin=True)
    with time_machine.travel(NOON, tick=False) as now:
        person = make_person("ana")
        used = recovery_codes.make(person=person)[0]
        assert recovery_codes.why_refused(person, used, address=None) == ""
        for name, value in loss(person, admin=admin, clock=now).items():
            setattr(settings, name, value)
        Session.objects.all().delete()
        got_in, tried = [], 0
        for what, sent in tries(used):
            client, tried = Client(), tried + 1
            client.post("/sign-in/", {"username": "ana", "password": PASSWORD})
            if sent is not None:
                client.post(FACTOR, sent)
            if is_in(client):
                got_in.append(what)
        password_links.ask_reset(name="ana")
        opened(PasswordLink.objects.order_by("pk").last())
        client, tried = Client(), tried + 1
        client.post("/sign-in/", {"username": "ana", "password": NEW})
        if is_in(client):
            got_in.append("a link that the person asked for")
    assert (got_in, tried) == ([], TRIES_AFTER_A_LOSS)
    assert not Session.objects.filter(person=person).exists()


def test_at_least_eighty_ways_are_tried():
    assert sum(len(ended_by(act)) for act in TABLE) + TRIES_AFTER_A_LOSS * len(LOSSES) >= 80
