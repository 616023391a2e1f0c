"""Signing in and out."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client, override_settings

from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.storage import embedded_postgres
from initiatives.portfolio.units import leaving
from tests.support.factories import PASSWORD, make_person

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)


@pytest.fixture
def person(db):
    return make_person("owner")


def send(client, login="owner", password=PASSWORD, **more):
    extra = more.pop("extra", {})
    return client.post("/sign-in/", {"username": login, "password": password, **more}, **extra)


def test_signing_in_is_an_entry_and_rotates_the_session(client, person):
    client.get("/sign-in/")
    client.session.save()
    before = client.session.session_key
    response = send(client, "OWNER")
    assert (response.status_code, response.url) == (302, "/")
    assert client.session.session_key != before
    entry = Entry.objects.acts().get(kind="signed in")
    assert entry.actor_id == person.pk
    assert entry.facts["facts"]["login"] == "owner"


def test_every_page_asks_for_it_and_leads_back(client, person):
    response = client.get("/initiatives/?approved_stage=mvp")
    assert response.url == "/sign-in/?next=/initiatives/%3Fapproved_stage%3Dmvp"
    page = client.get(response.url)
    assert 'value="/initiatives/?approved_stage=mvp"' in page.content.decode()
    assert send(client, next="/initiatives/?approved_stage=mvp").url == "/initiatives/?approved_stage=mvp"
    assert client.get("/sign-in/?next=/reviews/").url == "/reviews/"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/sign-in/", "\\\\evil"]
)
def test_next_stays_on_this_host(client, person, target):
    assert send(client, next=target).url == "/"


def test_wrong_passwords_are_logged_without_them(client, person, caplog):
    with caplog.at_level(logging.WARNING):
        response = send(client, password="not it at all")
    assert "or the password is wrong" in response.content.decode()
    assert "sign-in failed" in caplog.text
    assert "owner" in caplog.text
    assert "not it at all" not in caplog.text + response.content.decode()


def test_after_five_the_right_one_waits_as_well_and_the_page_says_until_when(client, person):
    with time_machine.travel(NOON, tick=False):
        for _ in range(5):
            assert send(client, password="wrong").status_code == 200
        response = send(client)
        assert response.status_code == 429
        assert "Try again at 12:10" in response.content.decode()
        assert response["Retry-After"] == "600"
    with time_machine.travel(NOON + timedelta(minutes=10, seconds=1), tick=False):
        assert send(client).status_code == 302


def test_a_forged_header_does_not_make_another_address(client, person):
    with time_machine.travel(NOON, tick=False):
        for number in range(20):
            forged = {"HTTP_X_FORWARDED_FOR": f"198.51.100.{number}"}
            assert send(client, f"nobody-{number}", extra=forged).status_code == 200
        assert send(client, "nobody-20", extra={"HTTP_X_FORWARDED_FOR": "203.0.113.9"}).status_code == 429


def test_a_right_password_takes_the_tries_back(client, person):
    for _ in range(4):
        send(client, password="wrong")
    assert send(client).status_code == 302
    assert send(Client(), password="wrong").status_code == 200


@pytest.mark.parametrize("login", ["", " ", "x" * 5000, "own\0er", "owner' OR 1=1", "\u202e", "\U0001f600"])
def test_odd_names_get_an_answer(client, person, login):
    assert send(client, login).status_code in (200, 400)
    assert send(client, password="\0").status_code in (200, 400)


def test_somebody_who_left_neither_signs_in_nor_stays(cast):
    client = Client()
    assert send(client, "outsider").status_code == 302
    assert client.get("/reviews/").status_code == 200
    leaving.deactivate(person=cast.outsider, reason="Left the house", by=cast.admin)
    assert client.get("/reviews/").url.startswith("/sign-in/")
    assert send(client, "outsider").status_code == 200


def test_signing_out_is_a_post(client, person):
    client.force_login(person)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/reviews/").status_code == 302


def test_csrf_is_asked_for(person):
    assert send(Client(enforce_csrf_checks=True)).status_code == 403


def test_demo_logins_are_shown_where_the_demo_left_them(client, db, tmp_path, monkeypatch):
    rows = [{"login": "owner", "name": "Marta Lindqvist", "first": "Open AI-0003"}]
    left = {"password": "a demo password", "logins": rows}
    (tmp_path / "logins.json").write_text(json.dumps(left))
    with override_settings(DATA_DIR=tmp_path), monkeypatch.context() as patched:
        patched.setattr(embedded_postgres, "in_use", lambda: True)
        text = client.get("/sign-in/").content.decode()
        assert "Marta Lindqvist" in text
        assert "a demo password" in text
    with override_settings(DATA_DIR=tmp_path), monkeypatch.context() as patched:
        patched.setattr(embedded_postgres, "in_use", lambda: False)
        text = client.get("/sign-in/").content.decode()
        assert "Marta Lindqvist" not in text
        assert "a demo password" not in text
    (tmp_path / "logins.json").write_text("{broken")
    with override_settings(DATA_DIR=tmp_path), monkeypatch.context() as patched:
        patched.setattr(embedded_postgres, "in_use", lambda: True)
        assert client.get("/sign-in/").status_code == 200


def test_help_is_open(client, cast):
    text = client.get("/help/").content.decode()
    assert "larger prototype" in text
    assert "%" not in text.split("<main")[1]


def test_notifications_are_ones_own(cast, as_):
    def write_message(to, key, link="/help/"):
        return Notification.objects.create(
            person=to,
            kind="test",
            object_key=key,
            period="once",
            subject=f"About {key}",
            link=link,
            created_at=NOON,
        )

    mine, other = write_message(cast.owner, "mine"), write_message(cast.lead, "theirs")
    away = write_message(cast.owner, "away", "https://evil.example/")
    client = as_(cast.owner)
    text = client.get("/").content.decode()
    assert "About mine" in text
    assert "About theirs" not in text
    assert client.get(f"/notifications/{other.pk}/").status_code == 404
    assert client.get(f"/notifications/{mine.pk}/").url == "/help/"
    mine.refresh_from_db()
    assert mine.read_at
    assert client.get(f"/notifications/{away.pk}/").url == "/"
    write_message(cast.owner, "third")
    assert client.get("/notifications/read/").status_code == 405
    client.post("/notifications/read/")
    assert not cast.owner.notifications.unread().exists()
    assert cast.lead.notifications.unread().exists()
    assert client.get("/?page=zero").status_code == 200


def test_a_rehash_at_sign_in_is_an_act_of_the_person(client, person, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    assert send(client).status_code == 302
    person.refresh_from_db()
    assert person.password.startswith("pbkdf2")
    with acting(system="test"):
        assert person.history.first().history_user_id == person.pk
