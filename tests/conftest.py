"""The cast and the initiative that most tests begin with; what they stand on is in tests/support/plugin.py."""

import shutil
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail

from governance.models import rulebook
from governance.operations import heartbeats, versions
from governance.transparency_log import sealing
from initiatives.models import Initiative
from tests.support import factories

pytest_plugins = ["tests.support.plugin", "tests.support.unsteady"]


@pytest.fixture(autouse=True)
def _no_rulebook_of_another_test():
    """A process keeps published rulebooks by key; a rolled-back key comes again with another text."""
    yield
    rulebook._published.cache_clear()


@pytest.fixture(autouse=True)
def _no_rulebook_in_the_footer(monkeypatch):
    """A process reads it once a minute for admins: which test would pay for that depends on the others."""
    monkeypatch.setattr(versions, "_rulebook", (float("inf"), ""))


@pytest.fixture(autouse=True)
def _no_decision_of_another_test():
    """A process keeps what it read of initiatives whose systems ask it, and decisions that wait to be written."""
    from governance.authorization.decision_log import decisions
    from governance.interaction_log.intake import interactions
    from initiatives.contracts.enforcement.decision_cache import conditions

    conditions.forget()
    yield
    conditions.forget()
    decisions.abandon()
    for left in settings.DECISIONS_DIR.glob("*"):
        left.unlink()
    interactions.abandon()
    if settings.INTERACTIONS_DIR.exists():
        shutil.rmtree(settings.INTERACTIONS_DIR)


@pytest.fixture
def cast(db, monkeypatch) -> factories.Cast:
    """An organisation with its board, its people and the rulebook in force; scheduler and worker are heard."""
    cast = factories.make_cast()
    # What is remembered of it was recorded when the first test asked for it, and is sealed by none.
    monkeypatch.setattr(sealing, "LATE", timedelta(days=1))
    heartbeats.say("scheduler", "of tests")
    heartbeats.say("worker", "celery@of tests")
    return cast


@pytest.fixture
def initiative(cast) -> Initiative:
    """An MVP of the cast. A module that asks about another stage has a `initiative` of its own."""
    return factories.make_mvp(cast)


@pytest.fixture
def as_(db):
    """Sign in: `as_(cast.owner)` returns a client that acts as that person, seen a moment ago.

    What `Client.force_login` and the first page would write into the session in a dozen statements, in one.
    """
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.http import HttpRequest
    from django.utils.crypto import get_random_string

    from governance.sign_in import sessions
    from tests.support.web.confirming import ConfirmingClient

    def sign_in(person) -> ConfirmingClient:
        request, store, other = (
            HttpRequest(),
            sessions.SessionStore(get_random_string(32)),
            ConfirmingClient(),
        )
        store._session_cache = {  # known, so that nothing is read
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: person.get_session_auth_hash(),
        }
        request.session = store
        sessions.seen(request)
        store.create_model_instance(store._session_cache).save(force_insert=True)
        other.cookies[settings.SESSION_COOKIE_NAME] = store.session_key
        return other

    return sign_in


@pytest.fixture
def watch(browser, live_server, cast):
    """Browsers over the live application; whatever one of them complained of fails the test."""
    from tests.support.browser.people import Watch

    watch = Watch(browser, live_server.url)
    yield watch
    watch.close()
    assert watch.complaints == []


@pytest.fixture
def unsealed(monkeypatch):
    """Nothing is sealed soon after an act: sealing has tests of its own, and here everybody would only wait for it."""
    monkeypatch.setattr(sealing, "soon", lambda: None)


@pytest.fixture
def mails(django_capture_on_commit_callbacks):
    """Run an act, and return the mails that left after it."""

    def sent(act) -> list:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return list(mail.outbox)

    return sent
