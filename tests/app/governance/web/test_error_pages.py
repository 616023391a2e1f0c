"""No room, no database, too much at once: a page, or an answer, with a sentence and the right status."""

import errno

import psycopg
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client

from governance.web import request_errors
from tests.support import factories
from tests.support.servers.asking_systems import System

READ = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "r-1"},
}


def browser(cast, as_) -> Client:
    """Somebody signed in, whom errors of the server reach as pages."""
    client = as_(cast.owner)
    client.raise_request_exception = False
    return client


def from_database(of: type[psycopg.Error] | None) -> OperationalError:
    error = OperationalError("the connection is lost")
    error.__cause__ = (
        of("the connection is lost") if of else psycopg.OperationalError("the connection is lost")
    )
    return error


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no_room"),
        (OSError(errno.EDQUOT, "Quota exceeded"), "no_room"),
        (from_database(psycopg.errors.DiskFull), "no_room"),
        (from_database(None), "away"),
        (from_database(psycopg.errors.AdminShutdown), "away"),
        (from_database(psycopg.errors.ConnectionFailure), "away"),
        (from_database(psycopg.errors.TooManyConnections), "away"),
        (InterfaceError("the connection is closed"), "away"),
        (from_database(psycopg.errors.QueryCanceled), "stopped"),
        (OSError(errno.ENOENT, "No such file"), None),
        (from_database(psycopg.errors.DeadlockDetected), None),
        (ValueError("x"), None),
    ],
)
def test_each_is_told_apart(trouble, kind):
    found = [name for name in ("no_room", "away", "stopped") if getattr(request_errors, name)(trouble)]
    assert found == ([kind] if kind else [])


def test_while_the_database_is_away_a_page_says_come_back(cast, as_, monkeypatch):
    client = browser(cast, as_)

    def gone(*_):
        raise from_database(None)

    with monkeypatch.context() as away:
        away.setattr(CursorWrapper, "execute", gone)
        answers = [client.get("/"), client.get("/initiatives/"), client.post("/settings/calendar/")]
    for answer in answers:
        assert answer.status_code == 503
        assert answer["Retry-After"] == "60"
        assert "Come back in a minute" in answer.content.decode()


def test_an_upload_without_room_is_refused_in_words(cast, as_, monkeypatch):
    initiative = factories.make_prototype(cast)
    client = browser(cast, as_)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryFileUploadHandler.receive_data_chunk", full)
    answer = client.post(
        f"/initiatives/{initiative.ref}/evidence/", {"file": SimpleUploadedFile("a.txt", b"x" * 9000)}
    )
    assert answer.status_code == 507
    assert "The disk is full" in answer.content.decode()


def test_too_much_at_once_is_refused_in_words(cast, as_):
    client = browser(cast, as_)
    long = {"reason": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}
    many = {f"field-{number}": "1" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    for form in (long, many):
        answer = client.post("/settings/calendar/", form)
        assert answer.status_code == 413
        assert "The form is too large" in answer.content.decode()


@pytest.fixture
def system(cast):
    return System(factories.make_key(cast, factories.make_mvp(cast))[1].text)


def test_systems_are_told_what_is_too_long(system):
    for size in (300_000, settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1):
        answer = system.send("/access/v1/evaluation", READ | {"context": {"padding": "x" * size}})
        assert answer.status_code == 413
        assert "longer than" in answer.json()


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "disk of Plumbline is full"),
        (from_database(None), 503, "cannot reach its database"),
        (ValueError("x"), 500, "could not answer"),
    ],
)
def test_systems_are_told_what_is_wrong_here(system, monkeypatch, trouble, status, words):
    def wrong(*_, **__):
        raise trouble

    monkeypatch.setattr("governance.authorization.decision.decide", wrong)
    answer = system.send("/access/v1/evaluation", READ)
    assert (answer.status_code, words in answer.json()) == (status, True)
    assert ("Retry-After" in answer.headers) is (status == 503)
