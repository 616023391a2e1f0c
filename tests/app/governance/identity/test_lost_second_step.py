"""An account that had a second factor is never opened by its password alone, however the factor was lost."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pyotp
import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from governance.identity.factors import codes, passkeys, recovery_codes, resets, second_step
from governance.management.commands import run
from governance.models import Entry, Notification, PasswordLink, Session
from governance.runtime import sealed_box
from governance.sign_in import password_links
from governance.vocabulary.entry_kinds import EntryKind
from tests.support.factories import PASSWORD, make_person
from tests.support.identity.authenticator import ORIGIN, enrolled

NOON = datetime(2027, 1, 11, 12, tzinfo=UTC)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NEW = "a wholly new phrase"
FACTOR, INBOX = "/sign-in/factor/", "/"


@pytest.fixture(autouse=True)
def clock_and_address(settings):
    settings.ADDRESS, settings.ALLOWED_HOSTS = ORIGIN, ["*"]
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def admin(db, clock_and_address):
    with time_machine.travel(NOON - timedelta(days=30), tick=False):
        return make_person("ada", is_admin=True)


@pytest.fixture
def person(db):
    return make_person("ana")


def _app(person):
    assert codes.add(person=person, secret=SECRET, code=pyotp.TOTP(SECRET).at(NOON))


def other_host(person, **_):
    enrolled(person)
    return {"ADDRESS": "https://plumbline.example"}


def address_without_a_name(person, **_):
    enrolled(person)
    return {"ADDRESS": "http://10.1.2.3:8000"}


def revoked_passkey(person, **_):
    _, row = enrolled(person)
    passkeys.revoke(passkey=row, by=person)
    return {}


def revoked_app(person, **_):
    _app(person)
    codes.revoke(person=person)
    return {}


def other_secret_key(person, **_):
    _app(person)
    return {"SECRET_KEY": "the secret key of the place of the restore"}


def reset_by_an_admin(person, admin, clock):
    _app(person)
    resets.ask(person=person, reason="Called back.", by=admin)
    clock.shift(timedelta(days=1))
    resets.carry_out_due()
    return {}


LOSSES = [
    other_host,
    address_without_a_name,
    revoked_passkey,
    revoked_app,
    other_secret_key,
    reset_by_an_admin,
]


@pytest.fixture(params=LOSSES, ids=lambda loss: loss.__name__)
def lost(request, person, admin, settings, clock_and_address):
    """A person whose only factor is gone."""
    for name, value in request.param(person, admin=admin, clock=clock_and_address).items():
        setattr(settings, name, value)
    return person


def typed(password=PASSWORD) -> tuple[Client, str]:
    client = Client()
    answer = client.post("/sign-in/", {"username": "ana", "password": password})
    return client, answer["Location"]


def opened(link) -> str:
    """Set the password by this link, and return where it led."""
    client = Client()
    client.get(password_links.address_of(link).removeprefix(password_links.settings.ADDRESS))
    answer = client.post("/password/", {"password": NEW, "again": NEW})
    assert answer.status_code == 302
    return answer["Location"].partition("?")[0]


def test_the_password_alone_opens_nothing(lost):
    client, where = typed()
    assert where == FACTOR
    assert client.get(FACTOR).status_code == 200
    for sent in ({}, {"code": "000000"}, {"recovery": "aaaa"}, {"assertion": "{}"}):
        assert client.post(FACTOR, sent).status_code == 200
    assert client.get("/account/").status_code == 302
    assert not Session.objects.filter(person=lost).exists()
    assert not Entry.objects.filter(kind=EntryKind.SIGNED_IN).exists()


def test_a_link_that_the_person_asked_for_is_not_a_second_step(lost):
    password_links.ask_reset(name="ana")
    assert opened(PasswordLink.objects.order_by("pk").last()) == "/sign-in/"
    assert typed(NEW)[1] == FACTOR
    assert not Session.objects.filter(person=lost).exists()


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_a_link_by_someone_else_opens_once_and_is_told(lost, admin, who):
    if who == "admin":
        password_links.send_reset(person=lost, by=admin)
    else:
        password_links.hand_over(person=lost, system="password_link")
    assert opened(PasswordLink.objects.order_by("pk").last()) == "/account/security/"
    assert Session.objects.filter(person=lost).count() == 1
    entry = Entry.objects.get(kind=EntryKind.SIGNED_IN)
    assert entry.facts["facts"]["factor"] == "link by someone else"
    assert Notification.objects.filter(person=lost, subject__contains="without a second factor").count() == 1
    assert typed(NEW)[1] == FACTOR  # the next sign-in


def test_a_recovery_code_opens(person, settings):
    enrolled(person)
    made = recovery_codes.make(person=person)
    settings.ADDRESS = "https://plumbline.example"
    client, _ = typed()
    assert client.post(FACTOR, {"recovery": made[0]})["Location"] == INBOX
    assert client.get("/account/security/app/add/").status_code == 200


def test_a_link_is_not_a_second_step_while_a_factor_works(person, admin):
    _app(person)
    password_links.send_reset(person=person, by=admin)
    assert opened(PasswordLink.objects.get()) == "/sign-in/"
    assert not Session.objects.filter(person=person).exists()


def test_the_last_admin_gets_in_by_the_operator(admin, settings):
    enrolled(admin)
    settings.ADDRESS = "https://plumbline.example"
    call_command("password_link", "ada")
    assert opened(PasswordLink.objects.get()) == "/account/security/"


def test_who_never_had_a_factor_needs_none(person):
    assert typed()[1] == INBOX
    assert not second_step.lost().exists()


def test_a_broken_app_can_be_replaced(person, settings):
    """An app of another secret key shows no right code. Nothing asks for one."""
    _app(person)
    settings.SECRET_KEY = "another"
    client = Client()
    client.force_login(person)
    client.get("/account/security/app/add/")
    secret = client.session["app_secret"]
    sent = {"password": PASSWORD, "first": pyotp.TOTP(secret).at(NOON)}
    assert client.post("/account/security/app/add/", sent).status_code == 302
    assert codes.app_of(person) is not None


def test_lost_steps_are_counted_without_opening_a_secret(
    person, settings, monkeypatch, django_assert_num_queries
):
    _app(person)
    monkeypatch.setattr(sealed_box, "opened", None)
    with django_assert_num_queries(1):
        assert second_step.lost().count() == 0
    settings.SECRET_KEY = "another"
    with django_assert_num_queries(1):
        assert [row.pk for row in second_step.lost()] == [person.pk]


def test_start_and_status_say_how_many_accounts_lost_their_step(
    lost, admin, settings, tmp_path, capsys, monkeypatch, as_
):
    assert list(second_step.lost()) == [lost]
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(run, "connection", SimpleNamespace(close=lambda: None))
    run.Command().tell()
    said = capsys.readouterr().out
    assert settings.ADDRESS in said
    assert ": 1. The password" in said
    page = as_(admin).get("/status/")
    assert list(page.context["without_factor"]) == [lost]
    assert f"/accounts/{lost.pk}/factors/" in page.content.decode()
    assert as_(admin).get(f"/accounts/{lost.pk}/factors/").context["lost"]
