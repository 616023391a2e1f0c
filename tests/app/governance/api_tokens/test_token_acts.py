"""Tokens of the read API: made, shown once, rotated, ended, and gone with their owner."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse

from governance import clock
from governance.api_tokens import actions
from governance.authorization import service_keys
from governance.database.row_history import acting
from governance.models import ApiToken, ApiTokenUse, Entry
from governance.permission_result import Refused
from governance.runtime.redaction import BlackOut
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import PASSWORD
from tests.support.servers.api_reader import Reader

pytestmark = pytest.mark.django_db


def test_a_token_is_kept_as_a_digest_and_named_in_the_audit_log(cast):
    row, token = factories.make_token(cast.owner)
    kept = ApiToken.objects.values().get(pk=row.pk)
    assert token.text.startswith("plt_")
    assert token.secret not in str(kept)
    assert token.digest == kept["secret_hash"]
    (entry,) = Entry.objects.filter(kind=EntryKind.API_TOKEN_MADE)
    said = bytes(entry.body.body).decode()
    assert row.public in said
    assert token.secret not in said
    assert token.digest not in said
    history = ApiToken.history.filter(id=row.pk).values().first()
    assert "secret_hash" not in history


def test_a_key_of_a_system_and_a_token_do_not_open_the_api_of_the_other(cast, initiative):
    _, key = factories.make_key(cast, initiative)
    _, token = factories.make_token(cast.owner)
    assert service_keys.read(f"Bearer {key.text}") is not None
    assert service_keys.read(f"Bearer {key.text}", service_keys.API_PREFIX) is None
    assert service_keys.read(f"Bearer {token.text}") is None
    assert service_keys.read(f"Bearer {token.text}", service_keys.API_PREFIX) == token


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"days": 91}, "days"),
        ({"days": 0}, "days"),
        ({"name": "  "}, "name"),
        ({"kind": "service", "days": 366}, "days"),
        ({"kind": "service", "scopes": []}, "scopes"),
        ({"kind": "service", "scopes": ["read"]}, "scopes"),
        ({"kind": "service", "scopes": ["read:tasks"]}, "scopes"),
    ],
)
def test_what_no_token_may_be(cast, given, field):
    with pytest.raises(ValidationError) as wrong:
        factories.make_token(cast.owner, **given)
    assert set(wrong.value.error_dict) == {field}
    assert not ApiToken.objects.exists()


def test_the_database_holds_the_longest_life_of_a_personal_token(cast):
    row, _ = factories.make_token(cast.owner)
    row.expires_at = row.made_at + timedelta(days=91)
    with (
        pytest.raises(IntegrityError),
        unguarded("governance_apitoken"),
        acting(system="test", reason="Longer"),
    ):
        row.save()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expires_at": timedelta(days=40)}, "does not live longer"),
        ({"owner_id": "lead"}, "owner_id of governance_apitoken stays"),
        ({"scopes": ["read:registers"]}, "scopes of governance_apitoken stays"),
        ({"ended_at": None, "ended_reason": ""}, "ended_at of governance_apitoken stays"),
    ],
)
def test_the_database_keeps_a_token_as_it_was_made(cast, change, words):
    row, _ = factories.make_token(cast.owner)
    actions.end_token(token=row, reason="Lost", by=cast.owner)
    row.refresh_from_db()
    for name, value in change.items():
        value = row.made_at + value if isinstance(value, timedelta) else value
        setattr(row, name, cast.lead.pk if value == "lead" else value)
    row.ended_by = row.ended_by if row.ended_at else None
    with (
        pytest.raises(DatabaseError, match=words),
        transaction.atomic(),
        acting(by=cast.owner, reason="Test"),
    ):
        row.save()


def test_the_database_has_a_token_made_by_its_owner(cast):
    row, _ = factories.make_token(cast.owner)
    row.pk, row.public = None, "another"
    with (
        pytest.raises(DatabaseError, match="owner_id of governance_apitoken names who acts"),
        transaction.atomic(),
        acting(by=cast.admin, reason="Test"),
    ):
        row.save()


def test_nobody_has_more_tokens_than_they_can_look_through(cast, monkeypatch):
    monkeypatch.setattr(actions, "MOST_OPEN", 2)
    first, _ = factories.make_token(cast.owner)
    factories.make_token(cast.owner)
    with pytest.raises(Refused, match="already have 2 tokens"):
        factories.make_token(cast.owner)
    actions.end_token(token=first, reason="Unused", by=cast.owner)
    factories.make_token(cast.owner)


def test_a_rotated_token_opens_for_a_day_and_has_one_successor(cast):
    reader = Reader(cast.owner, kind="service", days=200)
    new, token = actions.rotate_token(token=reader.row, days=90, by=cast.owner)
    assert new.rotates_id == reader.row.pk
    assert new.scopes == reader.row.scopes
    assert reader.get("initiatives").status_code == 200
    with pytest.raises(Refused, match="already rotated"):
        actions.rotate_token(token=reader.row, days=90, by=cast.owner)
    with time_machine.travel(clock.now() + actions.CHANGE_OVER + timedelta(minutes=1), tick=False):
        assert reader.get("initiatives").status_code == 401
        reader.text = token.text
        assert reader.get("initiatives").status_code == 200


def test_only_the_owner_rotates_and_only_a_service_token_rotates(cast):
    service, _ = factories.make_token(cast.owner, kind="service")
    personal, _ = factories.make_token(cast.owner)
    for token, by in ((service, cast.admin), (personal, cast.owner)):
        with pytest.raises(Refused):
            actions.rotate_token(token=token, days=30, by=by)


def test_owner_and_admin_end_a_token_and_nobody_else(cast):
    row, _ = factories.make_token(cast.owner)
    with pytest.raises(Refused, match="Only its owner and admins"):
        actions.end_token(token=row, reason="No", by=cast.lead)
    with pytest.raises(ValidationError, match="Give a reason"):
        actions.end_token(token=row, reason=" ", by=cast.admin)
    actions.end_token(token=row, reason="It was in a chat.", by=cast.admin)
    with pytest.raises(Refused, match="already ended"):
        actions.end_token(token=row, reason="Again", by=cast.owner)
    assert Entry.objects.filter(kind=EntryKind.API_TOKEN_ENDED).count() == 1


def test_tokens_end_with_the_account_and_stay_ended(cast):
    reader = Reader(cast.lead)
    service = Reader(cast.lead, kind="service")
    assert reader.get("initiatives").status_code == service.get("initiatives").status_code == 200
    leaving.deactivate(person=cast.lead, reason="Left the company", by=cast.admin)
    for one in (reader, service):
        answer = one.get("initiatives")
        assert answer.status_code == 401
        assert "Left the company" in answer.json()["error"]
    leaving.reactivate(person=cast.lead, reason="Came back", by=cast.admin)
    assert reader.get("initiatives").status_code == 401


def test_the_last_use_is_kept_once_a_day(cast):
    reader = Reader(cast.owner)
    for _ in range(3):
        reader.get("initiatives")
    assert ApiTokenUse.objects.filter(token=reader.row).count() == 1
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        reader.get("initiatives")
    assert ApiTokenUse.objects.filter(token=reader.row).count() == 2


def test_a_token_is_blacked_out_in_the_log():
    token = service_keys.fresh(service_keys.API_PREFIX)
    assert token.secret not in BlackOut().text(f"sent {token.text} to a log")


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_a_token_is_made_after_the_password_and_shown_once(cast, as_):
    client = as_(cast.owner)
    page = reverse("account-token-make", args=["personal"])
    sent = {"name": "My sheet", "days": "30", "password": "wrong"}
    assert "Your account is unchanged" in client.post(page, sent).content.decode()
    assert not ApiToken.objects.exists()
    made = client.post(page, sent | {"password": PASSWORD}).content.decode()
    row = ApiToken.objects.get()
    assert f"plt_{row.public}_" in made
    assert row.scopes == ["read"]
    assert f"plt_{row.public}_" not in client.get(reverse("account-tokens")).content.decode()


def test_a_service_token_has_the_scopes_that_were_ticked(cast, as_):
    sent = {"name": "Report", "days": "365", "scopes": ["read:registers"], "password": PASSWORD}
    as_(cast.owner).post(reverse("account-token-make", args=["service"]), sent)
    assert ApiToken.objects.get().scopes == ["read:registers"]


def test_the_owner_ends_a_token_and_admins_see_all(cast, as_):
    row, _ = factories.make_token(cast.owner, name="Board report")
    listed = as_(cast.admin).get(reverse("tokens")).content.decode()
    assert "Board report" in listed
    assert str(cast.owner) in listed
    assert as_(cast.lead).post(reverse("account-token-end", args=[row.pk])).status_code == 404
    as_(cast.owner).post(reverse("account-token-end", args=[row.pk]))
    row.refresh_from_db()
    assert row.ended_at is not None
    assert "Board report" not in as_(cast.admin).get(reverse("tokens")).content.decode()


def test_an_admin_ends_a_token_with_a_reason_that_its_owner_reads(cast, as_):
    row, _ = factories.make_token(cast.owner)
    page = reverse("token-end", args=[row.pk])
    assert as_(cast.lead).post(page, {"reason": "No"}).status_code == 403
    as_(cast.admin).post(page, {"reason": "It was found in a log."})
    assert "It was found in a log." in as_(cast.owner).get(reverse("account-tokens")).content.decode()
