"""The cast; what it stands on is in plumbing.py."""

import pytest
from django.conf import settings

from governance import pulse
from governance.models import rulebook
from tests import factories

pytest_plugins = ["tests.plumbing"]


@pytest.fixture(autouse=True)
def _no_rulebook_of_another_test():
    """A process keeps published rulebooks by key; a rolled-back key comes again with another text."""
    yield
    rulebook._published.cache_clear()


@pytest.fixture(autouse=True)
def _no_decision_of_another_test():
    """A process keeps what it read of cases whose systems ask it, and decisions that wait to be written."""
    from governance.decision_log import decisions
    from initiatives.conditions import conditions

    conditions.forget()
    yield
    conditions.forget()
    decisions.abandon()
    for left in settings.DECISIONS_DIR.glob("*"):
        left.unlink()


@pytest.fixture
def cast(db) -> factories.Cast:
    """An organisation with its board, its people and the rulebook in force; its scheduler is heard."""
    cast = factories.make_cast()
    pulse.say("scheduler", "of tests")
    return cast


@pytest.fixture
def as_(client):
    """Sign in: `as_(cast.owner)` returns a client that acts as that person."""
    from django.test import Client

    def sign_in(person) -> Client:
        other = Client()
        other.force_login(person)
        return other

    return sign_in
