"""Acts that bind, signed by an ID token of an identity provider: which, by whom, and by none that is older."""

import time
from datetime import timedelta

import pyotp
import pytest
import time_machine
from webauthn.helpers import bytes_to_base64url

from governance import clock
from governance.identity import actions
from governance.identity.factors import codes
from governance.identity.proofs import ceremony, demands
from governance.models import (
    Entry,
    ProviderKey,
    RoundTrip,
    SignatureProof,
)
from governance.offline import verify
from governance.transparency_log import sealing
from governance.vocabulary import Strength
from tests.app.initiatives.lifecycle.initiative import test_signing
from tests.support.identity.provider_signing import (
    add_house,
    hidden_in,
    linked,
    nothing_signed,
    refusal,
    shown_there,
    signed_in_words,
    signed_there,
    token_of,
    without_password,
)
from tests.support.initiatives.initiative_pages import SIGNED, acts, seen, text_of
from tests.support.servers import identity_provider as servers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (test_signing.decides, "RS256"),
        (test_signing.accepts_role, "ES256"),
        (test_signing.takes_over, "EdDSA"),
    ],
)
def test_an_act_is_signed_by_an_id_token_of_exactly_its_statement(cast, as_, idp, make, algorithm):
    one = make(cast)
    person = getattr(cast, one.person)
    link, client = linked(person, add_house(idp, cast.admin)), as_(person)
    idp.sign = lambda claims: servers.signed(claims, alg=algorithm)
    token = token_of(client, one)
    page = shown_there(client, one.url, one.sent | {"sign_token": token})
    (frozen,) = ceremony.under(person, token)
    assert "act: " in text_of(client.get(page))
    with acts() as kinds:
        assert "Your identity is not confirmed" in text_of(
            client.post(one.url, one.sent | {"sign_token": token})
        )
    assert one.kind not in kinds
    with acts() as kinds:
        back = signed_there(client, idp, page)
    assert one.kind not in kinds
    asked = RoundTrip.objects.get()
    assert (asked.purpose, asked.max_age) == ("sign", 0)
    assert "Signed at House" in text_of(client.get(back.url))
    early = text_of(client.post(one.url, one.sent | {"sign_token": token}))
    assert "not sealed into the audit log yet" in early
    assert f'value="{token}"' in early
    sealing.seal(wait=True)
    with acts() as kinds:
        answer = client.post(one.url, one.sent | {"sign_token": token})
    assert answer.status_code == 302, text_of(answer)
    assert one.kind in kinds
    proof = SignatureProof.objects.get()
    assert (proof.strength, proof.person, proof.statement) == (
        "identity provider",
        person,
        frozen.statement,
    )
    assert proof.passkey is None
    assert proof.evidence["identity"] == link.pk
    assert proof.evidence["algorithm"] == algorithm
    key = ProviderKey.objects.get(pk=proof.evidence["provider_key"])
    assert (proof.evidence["jwk"], proof.evidence["issuer"]) == (verify.key_of_jwk(key.jwk), idp.issuer)
    assert proof.evidence["fetched_at"] == key.fetched_at.isoformat()
    entry = Entry.objects.acts().filter(kind=one.kind).latest("id")
    assert entry.facts["facts"]["signature"] == {"strength": "identity provider", "digest": proof.digest}
    row = Entry.objects.rows().get(table="governance_signatureproof").facts["after"]
    assert verify.check_signature(row) == "identity provider"
    again = client.post(one.url, one.sent | {"sign_token": token})
    assert SignatureProof.objects.count() == 1
    assert again.status_code != 302 or "password" not in again.url


# --- Every kind of form that signs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", test_signing.FORMS, ids=lambda make: make.__name__)
def test_no_act_is_signed_by_a_sign_in_older_than_its_statement(cast, as_, idp, make):
    """At the other addresses the same two forms sign: `test_no_form_deals_with_proofs_by_itself`."""
    one = make(cast)
    person = getattr(cast, one.person)
    linked(person, add_house(idp, cast.admin))
    without_password(person)
    client = as_(person)
    earlier = ceremony.freeze(person, "Plumbline statement 1\n", clock.now())
    token = token_of(client, one)
    page = shown_there(client, one.url, one.sent | {"sign_token": token})
    idp.remembers = time.time() - 20
    assert refusal(signed_there(client, idp, page))[0] == "fresh"
    idp.remembers, idp.more = None, {"auth_time": None}
    assert refusal(signed_there(client, idp, page))[0] == "fresh"
    idp.more = {"nonce": bytes_to_base64url(bytes(earlier.challenge))}
    assert refusal(signed_there(client, idp, page))[0] == "nonce"
    assert "Your identity is not confirmed yet" in nothing_signed(client, one, token)
    idp.more = {}
    back = signed_there(client, idp, page)
    sealing.seal(wait=True)
    assert "Signed at House" in text_of(client.get(back.url))
    with acts() as kinds:
        answer = client.post(one.url, one.sent | {"sign_token": token})
    assert answer.status_code == 302, text_of(answer)
    assert one.kind in kinds
    proof = SignatureProof.objects.get()
    assert (proof.strength, proof.person) == (Strength.PROVIDER, person)
    row = Entry.objects.rows().get(table="governance_signatureproof").facts["after"]
    assert verify.check_signature(row) == Strength.PROVIDER


@pytest.mark.parametrize("make", test_signing.FORMS, ids=lambda make: make.__name__)
def test_no_act_is_signed_by_a_password_or_a_code_of_before(cast, as_, make):
    one = make(cast)
    person, now = getattr(cast, one.person), clock.now()
    secret = pyotp.random_base32()
    with time_machine.travel(now - timedelta(minutes=5), tick=False):
        codes.add(person=person, secret=secret, code=pyotp.TOTP(secret).at(clock.now()))
    with time_machine.travel(now, tick=False):
        code = pyotp.TOTP(secret).at(now)
    with time_machine.travel(now + timedelta(seconds=codes.PERIOD), tick=False):
        client = as_(person)
        shown = hidden_in(client, one, "sign_shown")
        anew = seen(client.get(one.url)) if "sign_seen" in one.sent else {}
        older = one.sent | anew | {"sign_shown": shown, "sign_code": code}
        with acts() as kinds:
            said = text_of(client.post(one.url, older | SIGNED))
            without = text_of(client.post(one.url, older))
        assert one.kind not in kinds
        assert "is older than the statement" in said
        assert "is required" in without
        fresh = {"sign_code": pyotp.TOTP(secret).at(clock.now())}
        answer = client.post(one.url, older | SIGNED | fresh)
    assert answer.status_code == 302, text_of(answer)
    assert SignatureProof.objects.get().strength == Strength.PASSWORD_AND_CODE


# --- Who is asked for what --------------------------------------------------------------------------------------------


def test_a_password_signs_beside_the_provider_and_is_asked_of_nobody_without_one(cast, as_, idp, one):
    client = as_(cast.chair)
    page = text_of(client.get(one.url))
    assert "Sign with House" in page
    assert 'type="password"' in page
    without_password(cast.chair)
    page = text_of(as_(cast.chair).get(one.url))
    assert "Sign with House" in page
    assert 'type="password"' not in page
    client = as_(cast.chair)
    token = signed_in_words(client, idp, one)
    assert client.post(one.url, one.sent | {"sign_token": token}).status_code == 302
    assert SignatureProof.objects.get().strength == Strength.PROVIDER


def test_the_password_of_somebody_who_has_one_still_signs(cast, as_, one):
    answer = as_(cast.chair).post(one.url, one.sent | SIGNED | {"sign_token": ceremony.new_token()})
    assert answer.status_code == 302, text_of(answer)
    assert SignatureProof.objects.get().strength == Strength.PASSWORD


def test_whoever_can_sign_with_nothing_is_told_what_to_do(cast, as_, one, house):
    without_password(cast.chair)
    actions.switch_provider(provider=house, on=False, by=cast.admin)
    client = as_(cast.chair)
    assert "You have no password in Plumbline, and no other way to sign now." in text_of(client.get(one.url))
    assert "No statement was signed" in nothing_signed(client, one, "")


@pytest.mark.parametrize(
    ("least", "signs"),
    [
        (Strength.PASSWORD, True),
        (Strength.PASSWORD_AND_CODE, True),
        (Strength.PROVIDER, True),
        (Strength.PASSKEY, False),
    ],
)
def test_the_strength_that_the_rulebook_asks_for(cast, as_, idp, one, monkeypatch, least, signs):
    monkeypatch.setattr(demands, "least_for", lambda act, tier: least)
    client = as_(cast.chair)
    assert ("Sign with House" in text_of(client.get(one.url))) is signs
    said = demands.before_signing([cast.chair, cast.seat_risk], "sign_off", "high")
    assert (f"These people cannot sign yet: {cast.seat_risk}." in said) is (
        signs and least != Strength.PASSWORD
    )
    assert ("link your account" in said) is (signs and least != Strength.PASSWORD)
    if signs:
        token = signed_in_words(client, idp, one)
        assert client.post(one.url, one.sent | {"sign_token": token}).status_code == 302
        return
    assert "requires a signature by at least: passkey" in text_of(client.get(one.url))
    with_password = client.post(one.url, one.sent | SIGNED)
    assert "requires a signature by at least: passkey" in text_of(with_password)
    assert not SignatureProof.objects.exists()


def test_strengths_in_their_order():
    order = sorted(Strength, key=lambda one: one.rank, reverse=True)
    assert order == ["passkey", "identity provider", "password and code", "password"]
