"""What happens around every request: strangers sign in, refusals become pages, zero bytes are turned away."""

import gzip
import io
import ipaddress
import json
import logging
import re

import pytest
from django.db import connection, transaction

from governance.models import User
from governance.notifications import mail
from governance.runtime import logging_setup
from governance.vocabulary.readable_text import hidden
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_strangers_are_sent_to_sign_in(client):
    answer = client.get("/initiatives/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=/initiatives/")


@pytest.mark.parametrize(
    ("back", "next_page"),
    [
        ("http://testserver/meetings/7/?draft=1", "/meetings/7/%3Fdraft%3D1"),
        ("https://elsewhere.example/meetings/7/", "/initiatives/register/"),
        ("", "/initiatives/register/"),
    ],
)
def test_who_sends_a_form_without_a_session_comes_back_to_its_page(client, back, next_page):
    answer = client.post("/initiatives/register/", {"title": "Sorting"}, headers={"referer": back})
    assert answer["Location"] == f"/sign-in/?next={next_page}"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/healthz", "/readyz"])
def test_every_answer_carries_its_request_id(client, path):
    assert len(client.get(path)["X-Request-Id"]) == 32


@pytest.mark.parametrize(
    ("method", "fields"),
    [("get", {"q": "a\x00b"}), ("post", {"title": "a\x00b"}), ("post", {"a\x00b": "Its name holds one"})],
)
def test_zero_bytes_are_turned_away(cast, as_, method, fields):
    answer = getattr(as_(cast.owner), method)("/initiatives/register/", fields)
    assert answer.status_code == 400
    assert b"not text" in answer.content


def test_a_refusal_by_the_database_becomes_a_page_in_words(cast, as_, monkeypatch):
    """A guard of the database that a view runs into answers with its words, not with an error page."""
    initiative = factories.make_initiative(cast)

    def moved_behind_our_back(*args, **kwargs):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE initiatives_initiative SET stage = 'mvp' WHERE id = %s", [initiative.pk])

    monkeypatch.setattr(
        "initiatives.lifecycle.access.initiative_lookup.initiative_for", moved_behind_our_back
    )
    monkeypatch.setattr("initiatives.lifecycle.access.visibility.visible_to", moved_behind_our_back)
    answer = as_(cast.owner).get("/initiatives/")
    assert answer.status_code == 403
    assert b"without a recorded decision" in answer.content


def _runs_away(*args, **kwargs):
    """What a page runs into whose statement would take for ever."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', '20ms', true), 1")
        cursor.execute("SELECT pg_sleep(60)")


def test_a_statement_that_runs_away_is_stopped_and_told(cast, as_, monkeypatch):
    monkeypatch.setattr("initiatives.lifecycle.access.visibility.visible_to", _runs_away)
    with transaction.atomic():
        answer = as_(cast.owner).get("/initiatives/")
        transaction.set_rollback(True)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert "takes too long" in answer.content.decode()


def test_pages_leave_compressed_and_files_as_they_are(cast, as_):
    factories.make_initiative(cast, title="Call notes")
    owner, takes = as_(cast.owner), {"accept-encoding": "gzip"}
    page = owner.get("/initiatives/", headers=takes)
    assert page["Content-Encoding"] == "gzip"
    assert b"Call notes" in gzip.decompress(page.content)
    assert "Accept-Encoding" in page["Vary"]
    assert not owner.get("/initiatives/").has_header("Content-Encoding")
    table = owner.get("/initiatives/export.csv", headers=takes)
    assert not table.has_header("Content-Encoding")


def test_a_stored_text_is_shown_with_its_hidden_characters_spelled_out(cast, as_):
    """A title that came in by SQL, past every form, has one reading on the page."""
    initiative = factories.make_initiative(cast)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE initiatives_initiative SET title = %s WHERE id = %s",
            ["only \u202edraft, \u200ba human handles", initiative.pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    answer = as_(cast.owner).get(f"/initiatives/{initiative.ref}/")
    page = answer.content.decode()
    assert "only [U+202E]draft, [U+200B]a human handles" in page
    assert not hidden(page)


def test_a_mail_spells_out_hidden_characters():
    person = User(full_name="Ana\u202e Ruiz", email="ana@example.org")
    context = {"by": person, "link": "https://example.org/", "until": "tomorrow"}
    message = mail.compose("invitation", to=person, subject="For Ana\u200b", key="k", context=context)
    parts = [message.subject, message.body, message.alternatives[0].content]
    assert not any(map(hidden, parts))
    assert message.subject == "For Ana[U+200B]"
    assert all("Ana[U+202E] Ruiz" in part for part in parts[1:])


class TestRequestId:
    def test_an_id_is_taken_from_a_proxy_of_ours_only(self, client, settings):
        sent = {"HTTP_X_REQUEST_ID": "trace-0123456789"}
        assert client.get("/healthz-not/", **sent).headers["X-Request-Id"] != "trace-0123456789"
        settings.PROXIES = [ipaddress.ip_network("127.0.0.1")]
        assert client.get("/healthz-not/", **sent).headers["X-Request-Id"] == "trace-0123456789"
        for wrong in ("short", "x" * 65, "two words and more", "<script>alert</script>"):
            found = client.get("/healthz-not/", HTTP_X_REQUEST_ID=wrong).headers["X-Request-Id"]
            assert re.fullmatch("[0-9a-f]{32}", found)

    def test_an_error_page_shows_the_id(self, client, db):
        answer = client.get("/no-such-page/")
        assert f"Reference for an admin: {answer.headers['X-Request-Id']}" in answer.content.decode()

    def test_a_foreign_host_is_one_line_without_a_traceback(self, client, caplog, settings):
        settings.ALLOWED_HOSTS = ["testserver"]
        assert client.get("/sign-in/", headers={"host": "elsewhere.example"}).status_code == 400
        (record,) = [one for one in caplog.records if one.name == "django.security.DisallowedHost"]
        assert "elsewhere.example" in record.getMessage()
        assert not record.exc_info

    def test_as_json_a_request_is_a_line_with_id_person_and_initiative(self, cast, as_):
        initiative = factories.make_initiative(cast)
        options = logging_setup.lines(debug=False, secrets=[initiative.title], as_json=True)["formatters"][
            "line"
        ]
        handler = logging.StreamHandler(found := io.StringIO())
        handler.setFormatter(options.pop("()")(**options))
        logger = logging.getLogger("plumbline.requests")
        logger.addHandler(handler)
        level = logger.level
        logger.setLevel("INFO")
        try:
            answer = as_(cast.owner).get(initiative.get_absolute_url())
            logger.warning("about %s", initiative.title)
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
        line, other = map(json.loads, found.getvalue().splitlines())
        assert line["event"] == "request"
        assert line["request_id"] == answer.headers["X-Request-Id"]
        assert (line["person"], line["initiative"]) == (cast.owner.pk, initiative.ref)
        assert (line["method"], line["path"], line["status"]) == ("GET", initiative.get_absolute_url(), 200)
        assert line["milliseconds"] >= 0
        assert initiative.title not in other["event"], "a secret is blacked out in JSON too"
