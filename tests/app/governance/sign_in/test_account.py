"""One's own account: sessions, passwords, the links by which they are set, the first admin."""

import logging
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from governance.database.row_history import acting
from governance.models import Entry, EntryBody, Notification, PasswordLink, Session, SignInAttempt, User
from governance.models.sign_in import INVITATION, RESET
from governance.operations import status
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from governance.sign_in import first_admin, password_links, sessions
from governance.transparency_log import sealing
from initiatives.portfolio.units import leaving
from tests.support.factories import PASSWORD, make_person

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
NEW = "a wholly new phrase"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36 Edg/126.0"
)


@pytest.fixture
def person(db) -> User:
    return make_person("owner")


@pytest.fixture
def admin(db) -> User:
    return make_person("admin", is_admin=True)


@pytest.fixture
def newcomer(admin) -> User:
    return organisation_actions.add_person(
        login="ana", full_name="Ana Ruiz", email="ana@example.org", by=admin
    )


def signed_in(login="owner", password=PASSWORD, agent=FIREFOX) -> Client:
    """A browser in which somebody signed in, and opened a page."""
    client = Client(HTTP_USER_AGENT=agent)
    assert client.post("/sign-in/", {"username": login, "password": password}).status_code == 302
    client.get("/help/")
    return client


def is_in(client: Client) -> bool:
    return client.get("/initiatives/").status_code == 200


def link_in(message) -> str:
    """The path of the link in a mail."""
    return re.search(r"https?://[^/\s]+(/password/link/\S+)", message.body)[1]


def kinds() -> list[str]:
    return list(Entry.objects.acts().order_by("pk").values_list("kind", flat=True))


# --- Sessions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Safari on an iPhone"),
        (EDGE, "Edge on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0)", "a browser on Windows"),
        ("<script>alert(1)</script>", "an unknown browser"),
        ("", "an unknown browser"),
    ],
)
def test_a_browser_is_told_in_words_of_ours(agent, words):
    assert sessions.device_words(agent) == words


def test_the_page_lists_where_i_am_signed_in_and_ends_one_or_all(person):
    here, phone, office = signed_in(), signed_in(agent=PHONE), signed_in(agent=EDGE)
    text = here.get("/account/").content.decode()
    assert [words in text for words in ("Firefox on Linux", "Safari on an iPhone", "Edge on Windows")] == [
        True
    ] * 3
    assert text.count("this one") == 1
    for client in (here, phone, office):
        assert client.session.session_key not in text, "the key of a session lets in whoever reads it"
    of_phone = Session.objects.get(device="Safari on an iPhone")
    here.post("/account/sign-out/", {"session": of_phone.mark})
    assert [is_in(client) for client in (here, phone, office)] == [True, False, True]
    here.post("/account/sign-out/", {"session": "no such mark"})
    assert is_in(office)
    here.post("/account/sign-out/")
    assert [is_in(client) for client in (here, office)] == [True, False]
    assert kinds().count("signed out elsewhere") == 2


def test_nobody_ends_the_session_of_somebody_else(person, admin):
    other = signed_in("admin")
    mark = Session.objects.get(person=admin).mark
    signed_in().post("/account/sign-out/", {"session": mark})
    assert is_in(other)
    with pytest.raises(Refused):
        sessions.sign_out(person=admin, by=person)


def test_an_admin_signs_somebody_out_everywhere(person, admin):
    theirs, own = signed_in(), signed_in("admin")
    assert own.post(f"/accounts/{person.pk}/sign-out/").status_code == 302
    assert not is_in(theirs)
    entry = Entry.objects.acts().get(kind="signed out by an admin")
    assert (entry.actor_id, entry.facts["facts"]["person_id"]) == (admin.pk, person.pk)


def test_when_somebody_was_seen_is_written_once_in_five_minutes(person):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in()
        row = Session.objects.get(person=person)
        assert (row.started_at, row.seen_at) == (NOON, NOON)
        clock.shift(timedelta(minutes=4))
        client.get("/help/")
        row.refresh_from_db()
        assert row.seen_at == NOON
        clock.shift(timedelta(minutes=2))
        client.get("/help/")
        row.refresh_from_db()
        assert (row.started_at, row.seen_at) == (NOON, NOON + timedelta(minutes=6))


def test_a_session_ends_twelve_hours_after_signing_in_however_busy(person):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in()
        for _ in range(11):
            clock.shift(timedelta(hours=1))
            assert is_in(client)
        clock.shift(timedelta(minutes=59))
        assert is_in(client)
        clock.shift(timedelta(minutes=2))
        assert not is_in(client)
        assert sessions.of(person) == []


def test_a_session_that_was_left_ends(person, settings):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in()
        clock.shift(timedelta(minutes=119))
        assert is_in(client)
        clock.shift(timedelta(minutes=120))
        assert not is_in(client)
        assert sessions.of(person) == []
        client = signed_in()
        settings.SESSION_IDLE_MINUTES = 0
        clock.shift(timedelta(hours=11))
        assert is_in(client)


@pytest.mark.parametrize("idle", [120, 0])
def test_a_session_of_the_future_ends(person, settings, idle):
    settings.SESSION_IDLE_MINUTES = idle
    with time_machine.travel(NOON + timedelta(days=730), tick=False):
        client = signed_in()
    with time_machine.travel(NOON, tick=False):
        assert sessions.of(person)
        assert not is_in(client)
        assert sessions.of(person) == []
        assert is_in(signed_in())
    for minutes, kept in ((4, True), (6, False)):
        at = (NOON + timedelta(minutes=minutes)).isoformat()
        with time_machine.travel(NOON, tick=False):
            assert sessions.still(at, timedelta(minutes=5)) is kept


def test_a_browser_that_was_not_known_is_told_and_the_first_one_ever_is_not(person):
    known = signed_in()
    assert not Notification.objects.filter(person=person, subject="You signed in with a new browser").exists()
    known.post("/sign-out/")
    known.post("/sign-in/", {"username": person.login, "password": PASSWORD})
    assert not Notification.objects.filter(person=person, subject="You signed in with a new browser").exists()
    signed_in()
    assert Notification.objects.filter(person=person, subject="You signed in with a new browser").count() == 1


def test_an_account_that_ends_loses_its_sessions_for_good(cast):
    client = signed_in("outsider")
    password_links.ask_reset(name="outsider")
    leaving.deactivate(person=cast.outsider, reason="Left", by=cast.admin)
    assert not Session.objects.filter(person=cast.outsider).exists()
    leaving.reactivate(person=cast.outsider, reason="Back", by=cast.admin)
    assert not is_in(client), "an account that is reactivated brings no session with it"
    assert not PasswordLink.objects.open().filter(person=cast.outsider).exists()


# --- One's own password --------------------------------------------------------------------------------------


def test_a_changed_password_signs_out_everywhere_else(person):
    here, phone = signed_in(), signed_in(agent=PHONE)
    password_links.ask_reset(name="owner")
    sent = {"current": PASSWORD, "password": NEW, "again": NEW}
    assert here.post("/account/password/", sent).url == "/account/"
    assert [is_in(here), is_in(phone)] == [True, False]
    assert Session.objects.filter(person=person).count() == 1
    assert not PasswordLink.objects.open().exists(), "a link from before is no way back in"
    assert signed_in(password=NEW)
    entry = Entry.objects.acts().get(kind="password set")
    assert (entry.actor_id, entry.facts["facts"]["how"]) == (person.pk, "by themselves")


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        (NEW, "another phrase", "The two passwords differ"),
        ("short", "short", "too short"),
        ("password1234", "password1234", "too common"),
        ("Marta Lindqvist", "Marta Lindqvist", "too similar"),
    ],
)
def test_a_password_that_will_not_do_is_said_in_words(person, password, again, words):
    client = signed_in()
    sent = {"current": PASSWORD, "password": password, "again": again}
    text = client.post("/account/password/", sent).content.decode()
    assert words in text
    assert f'value="{password}"' not in text
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_wrong_password_of_now_is_counted_and_recorded(person):
    client = signed_in()
    sent = {"current": "a guess", "password": NEW, "again": NEW}
    for _ in range(5):
        response = client.post("/account/password/", sent)
        assert "The password is wrong. Your account is unchanged." in response.content.decode()
    assert client.post("/account/password/", sent | {"current": PASSWORD}).status_code == 429
    entries = Entry.objects.acts().filter(kind="password refused")
    assert entries.count() == 5
    assert entries[0].facts["facts"] == {"login": "owner", "purpose": "change it", "address": "127.0.0.1"}
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


# --- Links ---------------------------------------------------------------------------------------------------


def test_an_invitation_leads_to_a_password_and_works_once(newcomer, admin, mails):
    (message,) = mails(lambda: password_links.invite(people=[newcomer], by=admin))
    assert message.to == ["ana@example.org"]
    assert "Per Dahl created an account for you" in message.body
    assert "Your sign-in name: ana" in message.body
    (html, kind) = message.alternatives[0]
    assert kind == "text/html"
    path = link_in(message)
    assert path in html
    client = Client()
    page = client.get(path)
    assert page.url == "/password/", "the address with the key in it is left at once"
    assert "Choose a password" in client.get("/password/").content.decode()
    text = client.post("/password/", {"password": NEW, "again": "something else"}).content.decode()
    assert "The two passwords differ" in text
    before = client.session.session_key
    assert client.post("/password/", {"password": NEW, "again": NEW}).url == "/"
    assert client.session.session_key != before
    assert "Your password is set." in client.get("/").content.decode()
    assert is_in(client)
    assert Entry.objects.acts().get(kind="signed in").actor_id == newcomer.pk
    assert is_in(signed_in("ana", NEW))
    assert client.get("/password/").status_code == 404
    assert Client().get(path, follow=True).status_code == 404
    entry = Entry.objects.acts().get(kind="password set")
    assert (entry.actor_id, entry.facts["facts"]["how"]) == (newcomer.pk, "invitation")


def test_a_link_is_good_for_a_while_only_and_for_nobody_else(newcomer, admin):
    with time_machine.travel(NOON, tick=False) as clock:
        (link,) = password_links.invite(people=[newcomer], by=admin)
        token = password_links.token_of(link)
        assert password_links.find(token) == link
        forged = token.replace(f"{link.pk}.", f"{link.pk + 1}.", 1)
        for other in (forged, token[:-1], f"{link.pk}.{link.nonce}", "", "~", "x~y", "\u202e"):
            assert password_links.find(other) is None
        clock.shift(timedelta(days=7, seconds=-1))
        assert password_links.find(token) == link
        clock.shift(timedelta(seconds=2))
        assert password_links.find(token) is None
        with pytest.raises(Conflict):
            password_links.set_password(token=token, password=NEW)


def test_a_link_that_is_opened_twice_at_once_works_once(newcomer, admin, monkeypatch):
    (link,) = password_links.invite(people=[newcomer], by=admin)
    monkeypatch.setattr(password_links, "find", lambda token: link)  # both looked before either acted
    password_links.set_password(token="", password=NEW)
    with pytest.raises(Conflict):
        password_links.set_password(token="", password="another phrase")
    newcomer.refresh_from_db()
    assert newcomer.check_password(NEW)


def test_a_poor_password_is_refused_by_the_act_and_the_link_lasts(newcomer, admin):
    (link,) = password_links.invite(people=[newcomer], by=admin)
    token = password_links.token_of(link)
    with pytest.raises(ValidationError):
        password_links.set_password(token=token, password="password")
    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()
    password_links.set_password(token=token, password=NEW)


def test_a_new_password_ends_every_other_link_and_session(person, mails):
    client = signed_in()
    first = mails(lambda: password_links.ask_reset(name="owner"))
    second = mails(lambda: password_links.ask_reset(name="OWNER@example.org"))
    assert [len(first), len(second)] == [1, 1]
    for _ in range(5):
        Client().post("/sign-in/", {"username": "owner", "password": "guess"})
    other = Client()
    other.get(link_in(second[0]))
    other.post("/password/", {"password": NEW, "again": NEW})
    assert not is_in(client)
    assert Client().get(link_in(first[0]), follow=True).status_code == 404
    assert is_in(signed_in(password=NEW)), "whoever proved to have the mailbox is not slowed down any more"


def test_asking_for_a_link_says_nothing_about_who_is_known(person, mails):
    make_person("silent")
    with acting(system="test"):
        User.objects.get(login="silent").save()
    answers = []
    for name in ("owner", "nobody at all", "silent", "owner@example.org"):
        client = Client()
        response = client.post("/password/forgotten/", {"name": name})
        token = re.compile(rb"[A-Za-z0-9]{64}|[0-9a-f]{32}")
        answers.append((response.status_code, response.url, token.sub(b"", client.get(response.url).content)))
    assert len(set(answers)) == 1


def test_asking_again_and_again_is_slowed_down_for_known_and_unknown_alike(person):
    with time_machine.travel(NOON, tick=False):
        for name in ("owner", "nobody"):
            for _ in range(5):
                assert Client().post("/password/forgotten/", {"name": name}).status_code == 302
            response = Client().post("/password/forgotten/", {"name": name})
            assert response.status_code == 429
            assert "Too many requests. Try again at 12:10" in response.content.decode()
            assert response["Retry-After"] == "600"
        assert PasswordLink.objects.filter(purpose=RESET).count() == 5
        for number in range(10):
            assert Client().post("/password/forgotten/", {"name": f"n{number}"}).status_code == 302
        assert Client().post("/password/forgotten/", {"name": "n11"}).status_code == 429, "from one address"
        assert is_in(signed_in()), "who signs in from there is not held up by it"


def test_who_left_gets_no_link(cast, mails):
    leaving.deactivate(person=cast.outsider, reason="Left", by=cast.admin)
    assert mails(lambda: password_links.ask_reset(name="outsider")) == []


def test_an_invitation_is_refused_where_it_makes_no_sense(cast):
    newcomer = organisation_actions.add_person(
        login="ana", full_name="Ana Ruiz", email="ana@example.org", by=cast.admin
    )
    with pytest.raises(Exception, match="already has a password"):
        password_links.invite(people=[newcomer, cast.owner], by=cast.admin)
    assert not PasswordLink.objects.exists(), "all of them or nobody"
    with pytest.raises(Refused):
        password_links.invite(people=[newcomer], by=cast.owner)
    nameless = organisation_actions.add_person(login="ben", full_name="Ben Okoye", by=cast.admin)
    with pytest.raises(Exception, match="no email address"):
        password_links.invite(people=[nameless], by=cast.admin)


def test_a_mail_that_fails_is_tried_again_and_the_link_still_works(newcomer, admin, mails, monkeypatch):
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: 1 / 0)
    assert mails(lambda: password_links.invite(people=[newcomer], by=admin)) == []
    row = PasswordLink.objects.get()
    assert (row.sent_at, row.attempts) == (None, 1)
    assert "ZeroDivisionError" in row.last_error
    assert password_links.token_of(row) not in row.last_error
    monkeypatch.undo()
    assert password_links.mail_waiting() == 0, "it rests first"
    (waiting,) = status.undelivered()
    assert status.try_again(key=waiting.key, by=admin) is True
    assert len(mail.outbox) == 1
    assert Client().get(link_in(mail.outbox[0]), follow=True).status_code == 200
    assert status.undelivered() == []


def test_a_first_password_is_no_way_around_a_factor_or_a_provider(newcomer, admin, monkeypatch):
    (link,) = password_links.invite(people=[newcomer], by=admin)
    for name, instead, there in (
        ("second_step.had_one", User.objects.all, "/sign-in/factor/"),
        ("may_sign_in_locally", lambda person: False, "/sign-in/?name=ana"),
    ):
        client = Client()
        client.get(f"/password/link/{password_links.token_of(link)}/")
        with monkeypatch.context() as patch:
            patch.setattr(f"governance.sign_in.account_views.{name}", instead)
            assert client.post("/password/", {"password": NEW, "again": NEW}).url == there
        assert not is_in(client)
        with acting(by=admin, reason="Test"):
            link = password_links.make(newcomer, INVITATION, by=admin)


def test_after_a_reset_one_signs_in(person):
    address = password_links.hand_over(person=person, system="password_link")
    client = Client()
    client.get(re.search(r"/password/link/.*", address)[0])
    assert client.post("/password/", {"password": NEW, "again": NEW}).url == "/sign-in/?name=owner"
    assert not is_in(client)


def test_the_link_printed_on_the_server(person):
    out = StringIO()
    call_command("password_link", "OWNER", stdout=out)
    path = re.search(r"/password/link/\S+", out.getvalue())[0]
    assert Client().get(path, follow=True).status_code == 200
    assert kinds()[-1] == "password link handed over"
    with pytest.raises(CommandError, match="No one signs in as nobody"):
        call_command("password_link", "nobody")


# --- The first admin -----------------------------------------------------------------------------------------


FIRST = {"login": "root", "full_name": "Ada Root", "email": "root@example.org", "password": NEW, "again": NEW}


def first_link() -> str:
    out = StringIO()
    call_command("first_admin", stdout=out)
    return re.search(r"/first-admin/\S+", out.getvalue())[0]


def test_the_first_admin_is_made_once_by_whoever_has_the_server(db):
    path = first_link()
    client = Client()
    assert "Plumbline has no accounts yet." in client.get("/sign-in/").content.decode()
    assert "The first admin" in client.get(path).content.decode()
    text = client.post(path, FIRST | {"again": "else"}).content.decode()
    assert "The two passwords differ" in text
    assert 'value="Ada Root"' in text, "nothing typed is lost"
    assert client.post(path, FIRST).url == "/"
    assert is_in(client)
    page = Client().get("/sign-in/?name=root").content.decode()
    assert ('value="root"' in page, "Plumbline has no accounts" in page) == (True, False)
    assert User.objects.get(login="root").is_admin
    assert is_in(signed_in("root", NEW))
    assert Client().get(path).status_code == 404
    assert Client().post(path, FIRST | {"login": "second"}).status_code == 404
    with pytest.raises(CommandError, match="has an admin"):
        call_command("first_admin")
    with pytest.raises(Exception, match="has an admin"):
        first_admin.make(login="second", password=NEW, full_name="Second", email="")
    with pytest.raises(Exception, match="has an admin"):
        User.objects.create_superuser("third", NEW, full_name="Third", email="")
    assert User.objects.count() == 1
    assert Entry.objects.acts().get(kind="account added").facts["facts"]["admin"] is True


def test_the_link_of_the_first_admin_ends_after_a_day_and_is_not_guessed(db):
    with time_machine.travel(NOON, tick=False) as clock:
        path = first_link()
        clock.shift(timedelta(hours=23))
        assert Client().get(path).status_code == 200
        clock.shift(timedelta(hours=2))
        assert Client().get(path).status_code == 404
    assert Client().get("/first-admin/first-admin~abc~def/").status_code == 404


# --- Nothing of it is told -----------------------------------------------------------------------------------


def test_no_password_and_no_key_is_ever_written_down(newcomer, admin, mails, caplog):
    """Of a whole life of an account: neither in an entry, nor in a log, nor in a row but the hash."""
    tried, last = "a guess that is wrong", "the very last phrase"
    with caplog.at_level(logging.DEBUG):
        (message,) = mails(lambda: password_links.invite(people=[newcomer], by=admin))
        path = link_in(message)
        client = Client()
        client.get(path)
        client.post("/password/", {"password": NEW, "again": NEW})
        Client().get(path)
        Client().post("/sign-in/", {"username": "ana", "password": tried})
        client = signed_in("ana", NEW)
        client.post("/account/password/", {"current": tried, "password": last, "again": last})
        client.post("/account/password/", {"current": NEW, "password": last, "again": last})
    secret = path.rpartition("~")[2].rstrip("/")
    told = caplog.text + "".join(bytes(row.body).decode() for row in EntryBody.objects.all())
    told += "".join(SignInAttempt.objects.values_list("login", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(h::text, ''), '') FROM governance_historicaluser h")
        told += cursor.fetchone()[0]
    for word in (NEW, tried, last, secret):
        assert word not in told
    sealing.seal()
    assert INVITATION in Entry.objects.acts().filter(kind="password set").first().facts["facts"]["how"]
