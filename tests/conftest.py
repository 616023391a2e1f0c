"""The cast; what it stands on is in plumbing.py."""

import shutil
from datetime import timedelta

import pytest
from django.conf import settings

from governance.models import rulebook
from governance.operations import heartbeats
from governance.transparency_log import sealing
from tests.support import factories

pytest_plugins = ["tests.support.plugin"]


@pytest.fixture(autouse=True)
def _no_rulebook_of_another_test():
    """A process keeps published rulebooks by key; a rolled-back key comes again with another text."""
    yield
    rulebook._published.cache_clear()


@pytest.fixture(autouse=True)
def _no_decision_of_another_test():
    """A process keeps what it read of cases whose systems ask it, and decisions that wait to be written."""
    from governance.authorization.decision_log import decisions
    from governance.interaction_log.intake import interactions
    from initiatives.enforcement.decision_cache import conditions

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
def as_(db):
    """Sign in: `as_(cast.owner)` returns a client that acts as that person, seen a moment ago.

    What `Client.force_login` and the first page would write into the session in a dozen statements, in one.
    """
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.http import HttpRequest
    from django.test import Client
    from django.utils.crypto import get_random_string

    from governance.sign_in import sessions

    def sign_in(person) -> Client:
        request, store, other = HttpRequest(), sessions.SessionStore(get_random_string(32)), Client()
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
