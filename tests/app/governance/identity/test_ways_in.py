"""Each act that takes a way into an account away, with each other way: it ends, goes on with words, or is shut."""

from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import reverse

from governance.identity import ways_in
from governance.identity.ways_in import TABLE, WAYS, Outcome
from governance.models import Notification, User
from governance.offline.verify import ACCOUNTS, GOVERNED
from governance.vocabulary.entry_kinds import EntryKind
from tests.support.factories import PASSWORD
from tests.support.identity.authenticator import ORIGIN
from tests.support.identity.every_way_in import MADE, NOON, RUN, TAKEN, World, with_every_way

# Columns that hold what opens, of which only a digest or half is kept.
OPENING = {"hash", "secret_hash", "secret", "nonce", "public_key", "session_key", "key"}
# Kinds of entries that change such rows, and take no way in away.
NO_WAYS = {
    "SignatureProof": "what an act was signed with",
    "FrozenStatement": "a statement that waits for its signature",
    "RoundTrip": "a question to a provider, for minutes and one browser",
    "EventReceiver": "messages that Plumbline sends",
}
TAKE_NOTHING = {"account reactivated", "password hashed again", "user changed"}


@pytest.fixture
def world(cast, initiative, idp, settings):
    settings.ADDRESS = ORIGIN
    with time_machine.travel(NOON, tick=False) as clock:
        yield with_every_way(cast, initiative, idp, clock)


TOLD = {
    EntryKind.PASSKEY_REVOKED,
    EntryKind.AUTHENTICATOR_APP_REVOKED,
    EntryKind.RECOVERY_CODES_MADE,
    EntryKind.FACTORS_RESET,
    EntryKind.PASSWORD_SET,
    EntryKind.ACCOUNT_CHANGED,
}


def left(w: World, act: EntryKind, name: str) -> int:
    """How many of this way the table leaves to the person."""
    outcome = ways_in.outcomes(act)[name]
    ends = outcome == Outcome.ENDS or (outcome == Outcome.ASKED and w.also)
    taken, made = TAKEN.get(act, ("", 0)), MADE.get(act, ("", 0))
    rest = 0 if ends else w.before[name] - (taken[1] if taken[0] == name else 0)
    return rest + (made[1] if made[0] == name else 0)


@pytest.mark.parametrize("act", TABLE, ids=lambda act: act.value)
def test_each_act_does_to_each_way_what_the_table_has(world, act):
    world.before = world.counts()
    assert all(world.before.values()), world.before
    asks = Outcome.ASKED in ways_in.outcomes(act).values()
    for world.also in (False, True) if asks else (False,):
        world.clock.shift(timedelta(seconds=1))  # a notification of the same moment is not sent again
        point = transaction.savepoint()
        RUN[act](world)
        assert world.counts() == {name: left(world, act, name) for name in WAYS}
        if act in TOLD:
            text = Notification.objects.filter(person=world.person, kind="account").latest("pk").text
            for name, outcome in ways_in.outcomes(act).items():
                on = outcome == Outcome.GOES_ON or (outcome == Outcome.ASKED and not world.also)
                count = left(world, act, name)
                if (act, name) == (EntryKind.ACCOUNT_CHANGED, "session"):
                    count += 1  # an admin keeps no session of the person
                assert not (on and count) or str(WAYS[name].words(count)) in text, (name, text)
        transaction.savepoint_rollback(point)


def test_a_leaver_is_shut_out_of_the_ways_that_stay(world):
    RUN[EntryKind.ACCOUNT_DEACTIVATED](world)
    answer = Client().post("/sign-in/", {"username": world.person.login, "password": PASSWORD})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("address", "act"),
    [
        ("/account/", EntryKind.SIGNED_OUT_ELSEWHERE),
        ("/account/password/", EntryKind.PASSWORD_SET),
        ("/account/security/codes/", EntryKind.RECOVERY_CODES_MADE),
        ("/account/security/app/revoke/", EntryKind.AUTHENTICATOR_APP_REVOKED),
        ("/settings/", EntryKind.CALENDAR_ADDRESS_REVOKED),
    ],
)
def test_pages_name_what_ends_and_what_goes_on(world, address, act):
    client = Client()
    client.force_login(world.person)
    page = client.get(address)
    ways, content = page.context["ways"], page.content.decode()
    assert ways == ways_in.preview(world.person, act, client.session.session_key)
    for words in filter(None, (ways.ends, ways.asked, ways.goes_on)):
        assert str(words) in content
    assert ('name="also"' in content) is bool(ways.asked)


@pytest.mark.parametrize(
    ("page", "act"),
    [("deactivate", EntryKind.ACCOUNT_DEACTIVATED), ("change", EntryKind.ACCOUNT_CHANGED)],
)
def test_pages_of_admins_about_an_account_name_them_too(world, page, act):
    client = Client()
    client.force_login(world.admin)
    content = client.get(reverse(f"admin:governance_user_{page}", args=[world.person.pk])).content.decode()
    ways = ways_in.preview(world.person, act)
    named = [words for words in (ways.ends, ways.asked, ways.goes_on) if words]
    assert len(named) >= 2
    for words in named:
        assert str(words) in content


def test_one_press_ends_what_programs_read_by(world):
    client = Client()
    client.force_login(world.person)
    assert client.post("/account/sign-out/", {"also": "yes"}).status_code == 302
    gone = ("link", "token", "calendar")
    assert [WAYS[name].rows(world.person, None).count() for name in gone] == [0, 0, 0]
    assert WAYS["session"].rows(world.person, client.session.session_key).count() == 0


def test_every_act_that_ends_a_way_has_its_row():
    """The verification of the audit log names the acts that end factors, links and tokens, and set passwords."""
    columns = {"ended_at", "password", "email", "is_active"}
    tables = {way.rows(User(pk=0), None).model._meta.db_table for way in WAYS.values()} | {"governance_user"}
    kinds = {
        kind
        for table in tables
        for need in ACCOUNTS.get(table, ())
        for kind in need.kinds
        if columns & set(need.columns)
    }
    kinds |= {kind for kind in GOVERNED["governance_apitoken"].acts if kind.endswith("ended")}
    assert {"passkey revoked", "password set", "account deactivated", "api token ended"} <= kinds
    assert kinds - TAKE_NOTHING - {act.value for act in TABLE} == set()


def test_every_row_that_opens_an_account_is_a_way():
    known = {way.rows(User(pk=0), None).model for way in WAYS.values()}
    found = {
        model
        for model in apps.get_app_config("governance").get_models()
        if {one.name for one in model._meta.fields} & OPENING
        and any(
            one.remote_field
            and one.remote_field.model is User
            and one.name in ("person", "owner", "principal")
            for one in model._meta.fields
        )
    }
    found = {model for model in found if not model.__name__.startswith("Historical")}
    assert {model.__name__ for model in found - known} == set(NO_WAYS)
    assert known - found == set()


def test_an_act_or_a_way_without_its_place_is_an_error(monkeypatch):
    assert set(RUN) == set(TABLE)
    for act in TABLE:
        assert len(ways_in.outcomes(act)) == len(WAYS)
    monkeypatch.setitem(TABLE, EntryKind.PASSKEY_REVOKED, "A E - - - - - -")
    with pytest.raises(ValueError, match="zip"):
        ways_in.outcomes(EntryKind.PASSKEY_REVOKED)
    with pytest.raises(KeyError):
        ways_in.outcomes(EntryKind.SIGNED_IN)
