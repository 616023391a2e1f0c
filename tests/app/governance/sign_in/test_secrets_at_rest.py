"""No table holds a token, a key or a secret address: a reader of the database, a backup or an export opens nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection
from django.test import Client
from django.urls import reverse

from adoption.models import ProblemLink
from adoption.reports import public_link
from adoption.surveys import actions as survey_actions
from governance import clock
from governance.database.row_history import acting
from governance.models import Session
from governance.models.sign_in import RESET
from governance.notifications import preferences
from governance.runtime import link_tokens
from governance.sign_in import password_links, sessions
from initiatives.portfolio.provisioning import actions as provisioning_actions
from tests.support import factories
from tests.support.initiatives import answered_surveys

pytestmark = pytest.mark.django_db
ID_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"


def all_that_is_stored() -> str:
    """Every row of every table as text, sessions among them, and the bodies of entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        text = []
        for table in tables:
            cursor.execute(f'SELECT string_agg(to_jsonb(t)::text, chr(10)) FROM "{table}" t')
            text.append(cursor.fetchone()[0] or "")
        cursor.execute(
            "SELECT string_agg(convert_from(body, 'UTF8'), '') FROM governance_entrybody WHERE length(body) > 0"
        )
        text.append(cursor.fetchone()[0] or "")
    # As Django stores the content of a session by itself: signed and packed, readable by everybody.
    text += [str(DatabaseStore().decode(row.session_data)) for row in Session.objects.all()]
    assert len(tables) > 200
    return "\n".join(text)


def soon():
    return clock.now() + timedelta(days=30)


def open_link(cast) -> ProblemLink:
    return public_link.open_link(initiative=factories.make_mvp(cast), by=cast.owner)


def problem_link(cast, as_) -> str:
    return open_link(cast).token


def key_of_a_report(cast, as_) -> str:
    return public_link.report_problem(link=open_link(cast), what="It invented a discount.")[1]


def password_link(cast, as_) -> str:
    with acting(system="test", reason="Asked"):
        return password_links.token_of(password_links.make(cast.owner, RESET))


def password_link_that_was_opened(cast, as_) -> str:
    token = password_link(cast, as_)
    browser = Client()
    assert browser.get(reverse("password-link", args=[token])).status_code == 302
    assert browser.session["password_link"] == token
    return token


def survey_link(cast, as_) -> str:
    made = answered_surveys.make_survey(cast, factories.make_mvp(cast))
    return survey_actions.open_survey(survey=made, by=cast.owner)[0].address.rstrip("/").rpartition("/")[2]


def system_key(cast, as_) -> str:
    initiative = factories.make_mvp(cast)
    return factories.make_key(cast, initiative)[1].text


def directory_key(cast, as_) -> str:
    made = provisioning_actions.add_directory(name="Entra ID", expires_at=soon(), by=cast.admin)
    return made[1].text


def calendar_address(cast, as_) -> str:
    return preferences.make_calendar(by=cast.owner)


def id_token_of_a_session(cast, as_) -> str:
    session = as_(cast.owner).session
    session[sessions.ID_TOKEN] = ID_TOKEN
    session.save()
    assert sessions.SessionStore(session.session_key)[sessions.ID_TOKEN] == ID_TOKEN
    return ID_TOKEN


SECRETS: list[Callable] = [
    problem_link,
    key_of_a_report,
    password_link,
    password_link_that_was_opened,
    survey_link,
    system_key,
    directory_key,
    calendar_address,
    id_token_of_a_session,
]


@pytest.mark.parametrize("make", SECRETS, ids=lambda make: make.__name__)
def test_no_table_holds_the_secret(cast, as_, make):
    secret = make(cast, as_)
    stored = all_that_is_stored()
    assert secret[-12:] not in stored  # its end is what nobody guesses
    assert secret not in stored


def test_a_link_opens_its_own_row_alone(cast):
    first = open_link(cast)
    again = open_link(cast)
    rows = ProblemLink.objects.all()
    assert link_tokens.rows_of(rows, first.token).get() == first
    assert link_tokens.rows_of(rows, again.token).get() == again
    forged = [
        first.token[:-1] + ("A" if first.token[-1] != "A" else "B"),
        f"{again.pk}{first.token[len(str(first.pk)) :]}",
        first.token.partition("~")[0],
        "",
        "~",
        "1.1~",
        "²~x",
    ]
    assert [token for token in forged if link_tokens.rows_of(rows, token).exists()] == []


def test_the_database_and_another_key_make_no_token(cast, settings):
    row = open_link(cast)
    token = row.token
    settings.SECRET_KEY = "the key of another installation"
    assert not link_tokens.rows_of(ProblemLink.objects.all(), token).exists()
    settings.SECRET_KEY_FALLBACKS = ["a key for tests, known to everybody"]
    assert link_tokens.rows_of(ProblemLink.objects.all(), token).get() == row


def test_a_session_that_was_changed_or_is_of_another_key_is_empty(cast, as_, settings):
    client = as_(cast.owner)
    assert client.get("/").status_code == 200
    row = Session.objects.get(person=cast.owner)
    other = Session.objects.exclude(pk=row.pk).first()
    assert other is None
    assert row.get_decoded()
    settings.SECRET_KEY = "another key"
    assert row.get_decoded() == {}
    settings.SECRET_KEY = "a key for tests, known to everybody"
    row.session_data = row.session_data[:-6] + ("AAAAAA" if row.session_data[-6:] != "AAAAAA" else "BBBBBB")
    row.save()
    assert client.get("/").status_code == 302
