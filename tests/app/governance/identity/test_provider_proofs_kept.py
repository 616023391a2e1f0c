"""What a fresh sign-in at an identity provider leaves: passkeys enrolled by it, proofs that others check."""

import json
import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from webauthn.helpers import base64url_to_bytes

from governance import clock
from governance.database.row_history import acting
from governance.models import (
    Entry,
    Passkey,
    ProviderKey,
    RoundTrip,
    SignatureProof,
)
from governance.transparency_log import sealing
from governance.vocabulary import Strength
from tests.acceptance.audit_log.test_audit_log_export import bare_python, taken
from tests.app.initiatives.lifecycle.initiative import test_signing
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import PASSWORD
from tests.support.identity.authenticator import ORIGIN, Authenticator
from tests.support.identity.provider_signing import (
    linked,
    path_of,
    signed_in_words,
    without_password,
)
from tests.support.initiatives.initiative_pages import text_of
from tests.support.servers import identity_provider as servers
from tests.support.servers.identity_provider import Provider

pytestmark = pytest.mark.django_db


# --- A passkey enrolled by a fresh sign-in ----------------------------------------------------------------------------


@pytest.fixture
def by_provider_alone(cast, house, settings):
    """Somebody who signs in with the provider and has no password here."""
    settings.ADDRESS = ORIGIN
    linked(cast.lead, house)
    without_password(cast.lead)
    return cast.lead


def there_to_confirm(client: Client, idp: Provider, page: str):
    """Sign in anew at the provider from the link on a page of one's own security."""
    link = re.search(r'href="(/sign-in/with/house/confirm/[^"]*)"', text_of(client.get(page)))[1]
    return client.get(path_of(idp.authorize(client.get(link).url)))


def test_somebody_without_a_password_enrols_a_passkey_which_signs_after_a_day(
    as_, idp, by_provider_alone, cast
):
    person, client, page = by_provider_alone, as_(by_provider_alone), reverse("passkey-add")
    assert 'type="password"' not in text_of(client.get(page))
    said = client.post(page, {"name": "Phone"}, HTTP_ACCEPT="application/json").json()
    assert said == {
        "errors": ["You have no password in Plumbline. Sign in again at House. Your account is unchanged."]
    }
    back = there_to_confirm(client, idp, page)
    assert (back.status_code, back.url) == (302, page)
    assert RoundTrip.objects.get().max_age == 0
    created = client.post(page, {"name": "Phone"}, HTTP_ACCEPT="application/json").json()["create"]
    device = Authenticator()
    client.post(page, {"credential": device.made(base64url_to_bytes(created["challenge"]))})
    device.counter += 1
    row = Passkey.objects.get(person=person)
    sealing.seal(wait=True)
    now = clock.now()
    assert [row.may_sign_at(now), row.may_sign_at(now + timedelta(days=1))] == [False, True]
    one = test_signing.accepts_role(cast)
    with time_machine.travel(now + timedelta(days=1, minutes=1)):
        client = as_(person)
        shown = client.post(one.url, one.sent | {"sign_prepare": "1"}, HTTP_ACCEPT="application/json").json()
        asserted = device.shown(base64url_to_bytes(shown["get"]["challenge"]))
        answer = client.post(one.url, one.sent | {"sign_token": shown["token"], "sign_assertion": asserted})
    assert answer.status_code == 302, text_of(answer)
    assert SignatureProof.objects.get().strength == Strength.PASSKEY


@pytest.mark.parametrize(
    "changes",
    [{"who": {"sub": "subject-2"}}, {"more": {"auth_time": None}}, {"remembers": time.time() - 600}],
    ids=["somebody else", "no auth_time", "remembered"],
)
def test_no_other_sign_in_lets_a_passkey_be_enrolled(as_, idp, by_provider_alone, changes):
    client, page = as_(by_provider_alone), reverse("passkey-add")
    for name, value in changes.items():
        setattr(idp, name, value)
    assert there_to_confirm(client, idp, page).status_code == 403
    assert "errors" in client.post(page, {"name": "Phone"}, HTTP_ACCEPT="application/json").json()


def test_a_fresh_sign_in_counts_for_five_minutes_and_for_nobody_with_a_password(as_, idp, by_provider_alone):
    person, client, page = by_provider_alone, as_(by_provider_alone), reverse("recovery-codes")
    there_to_confirm(client, idp, page)
    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        assert "Sign in again at House" in text_of(client.post(page, {}))
    with unguarded("governance_user"), acting(system="test"):
        person.set_password(PASSWORD)
        person.save()
    client = as_(person)
    session = client.session
    session["confirmed_at_provider"] = clock.now().isoformat()
    session.save()
    assert 'type="password"' in text_of(client.get(page))
    assert "codes" not in (client.post(page, {}).context or {})


# --- What an export shows ---------------------------------------------------------------------------------------------


@pytest.fixture
def exported(cast, as_, idp, one, tmp_path):
    """The whole audit log with one sign-off signed at the provider, unpacked."""
    client = as_(cast.chair)
    token = signed_in_words(client, idp, one)
    assert client.post(one.url, one.sent | {"sign_token": token}).status_code == 302
    sealing.seal(wait=True)
    return taken(tmp_path, "--all")


def test_an_export_shows_whose_key_signed_and_since_when_it_is_recorded(exported, idp, tmp_path):
    ran = bare_python(exported, ".")
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert "1 signatures by identity provider: each ID token was made only for its statement" in ran.stdout
    day = ProviderKey.objects.earliest("pk").fetched_at.date().isoformat()
    words = rf"the key of {idp.issuer} as this installation recorded it on {day}, sealed under checkpoint \d+"
    assert re.search(words, ran.stdout), ran.stdout
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": idp.published}))
    ran = bare_python(exported, ".", "--issuer", idp.issuer, str(file))
    assert f"signed by a key that you trust for {idp.issuer}." in ran.stdout
    another = servers.RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True).as_dict(private=False)
    file.write_text(json.dumps({"keys": [another]}))
    ran = bare_python(exported, ".", "--issuer", idp.issuer, str(file))
    assert (ran.returncode, "is not among the keys that you trust" in ran.stdout) == (1, True), ran.stdout


def test_a_receipt_of_the_act_says_the_strength(exported, cast):
    entry = Entry.objects.acts().filter(kind="review approved").latest("pk")
    file = exported.parent / "receipt.json"
    file.write_bytes(sealing.receipt_of(entry))
    assert "signature: identity provider" in bare_python(exported, str(file)).stdout


@pytest.mark.parametrize("changes", [{"evidence": {}}, {"nonce": ""}], ids=["no token", "no nonce"])
def test_the_database_takes_no_such_proof_without_its_token(cast, changes):
    said = {"evidence": {"id_token": "x"}, "nonce": "x"} | changes
    row = SignatureProof(
        person=cast.chair,
        act="sign_off",
        strength=Strength.PROVIDER,
        statement="s",
        salt="s",
        digest="d",
        digests=["d"],
        shown_at=clock.now(),
        at=clock.now(),
        **said,
    )
    with acting(by=cast.chair), pytest.raises(IntegrityError, match="has_its_token"), transaction.atomic():
        row.save()
