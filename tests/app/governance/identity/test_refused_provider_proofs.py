"""What comes from an identity provider and signs nothing: each refused in a sentence, each recorded."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from governance import clock
from governance.identity import actions, linked_accounts
from governance.identity.proofs import ceremony, demands
from governance.models import (
    Entry,
    ExternalIdentity,
    FrozenStatement,
    RoundTrip,
    SignatureProof,
)
from governance.vocabulary import Strength
from tests.app.initiatives.lifecycle.initiative import test_signing
from tests.support.identity.provider_signing import (
    AT_HOUSE,
    linked,
    nothing_signed,
    path_of,
    refusal,
    shown_there,
    signed_in_words,
    signed_there,
    token_of,
)
from tests.support.initiatives.initiative_pages import SIGNED, acts, text_of
from tests.support.servers import identity_provider as servers
from tests.support.servers.identity_provider import CLIENT

pytestmark = pytest.mark.django_db


# --- Refused by the provider's answer ---------------------------------------------------------------------------------


def _other_key(claims: dict) -> str:
    return servers.signed(claims, servers.RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True))


NO_TOKEN = {
    "another person's account": (
        {"who": {"sub": "subject-2"}},
        "person",
        "not linked with your Plumbline account",
    ),
    "nonce of another statement": ({"more": {"nonce": "A" * 43}}, "nonce", "belongs to another sign-in"),
    "no nonce": ({"more": {"nonce": None}}, "nonce", 'has no "nonce" value'),
    "signed in there before it was shown": ({"remembers": time.time() - 3600}, "fresh", "did not ask you"),
    "signed in there seconds before": ({"remembers": time.time() - 30}, "fresh", "did not ask you"),
    "no auth_time": ({"more": {"auth_time": None}}, "fresh", "has no time of your sign-in"),
    "auth_time to come": ({"more": {"auth_time": time.time() + 3600}}, "fresh", "in the future"),
    "auth_time in milliseconds": ({"more": {"auth_time": time.time() * 1000}}, "time", "milliseconds"),
    "auth_time as text": ({"more": {"auth_time": "now"}}, "time", "is not a time"),
    "another client": ({"more": {"aud": "other"}}, "audience", "for another application"),
    "two clients": ({"more": {"aud": [CLIENT, "other"]}}, "audience", "several applications"),
    "another issuer": ({"more": {"iss": "http://127.0.0.1:1"}}, "issuer", "issued by another provider"),
    "expired": ({"more": {"exp": 1}}, "time", "expired"),
    "unsigned": ({"sign": servers.unsigned}, "algorithm", "not signed"),
    "signed with the public key": ({"sign": servers.by_public_key}, "algorithm", "HS256"),
    "another key": ({"sign": _other_key}, "signature", "signature of the token is wrong"),
    "no token": ({"sign": lambda claims: None}, "token", "no ID token"),
    "an answer of another issuer": ({"answer": {"iss": "http://127.0.0.1:1"}}, "mixed up", ""),
    "no code": ({"answer": {"code": None}}, "answer", ""),
    "turned down there": ({"answer": {"error": "access_denied", "code": None}}, "provider", ""),
    "the provider away": ({"token_error": (503, {})}, "token", "status 503"),
}


def test_what_is_no_token_of_this_statement_signs_nothing(cast, as_, idp, one, monkeypatch):
    """A refused answer uses nothing up, so all of them are given to one shown statement."""
    client = as_(cast.chair)
    token = token_of(client, one)
    page = shown_there(client, one.url, one.sent | {"sign_token": token})
    for name, (changes, code, words) in NO_TOKEN.items():
        with monkeypatch.context() as answering:
            for attribute, value in changes.items():
                answering.setattr(idp, attribute, value)
            answer = signed_there(client, idp, page)
        assert answer.status_code == 403, name
        said = refusal(answer)
        assert (said[0], words in said[1]) == (code, True), f"{name}: {said}"
        assert FrozenStatement.objects.get(token=token).identity is None, name
    assert "Your identity is not confirmed yet" in nothing_signed(client, one, token)
    assert signed_there(client, idp, page).status_code == 302


def test_a_strength_that_the_provider_is_set_up_for_is_asked_and_must_be_there(cast, as_, idp, one, house):
    said = {name: getattr(house, name) for name in actions.CHANGED_HERE} | {"signing_acr": "strong stronger"}
    actions.change_provider(provider=house, by=cast.admin, **said)
    client = as_(cast.chair)
    page = shown_there(client, one.url, one.sent | {"sign_token": token_of(client, one)})
    gone = client.get(f"{page}go/")
    assert "acr_values=strong+stronger" in gone.url
    assert refusal(client.get(path_of(idp.authorize(gone.url))))[0] == "strength"
    idp.more = {"acr": "stronger"}
    assert signed_there(client, idp, page).status_code == 302


def test_an_answer_counts_once_and_for_the_browser_and_person_that_asked(cast, as_, idp, one):
    client, other = as_(cast.chair), as_(cast.owner)
    page = shown_there(client, one.url, one.sent | {"sign_token": token_of(client, one)})
    back = path_of(idp.authorize(client.get(f"{page}go/").url))
    elsewhere = other.get(back)
    assert (elsewhere.status_code, elsewhere.context["denied"].code) == (403, "browser")
    assert client.get(back).status_code == 302
    again = client.get(back)
    assert (again.status_code, again.context["denied"].code) == (403, "replayed")
    whys = Entry.objects.acts().filter(kind="sign-in with a provider refused").values_list("pk", flat=True)
    assert len(whys) == 2


def test_the_answer_to_what_was_shown_anew_since_is_none(cast, as_, idp, one):
    client = as_(cast.chair)
    token = token_of(client, one)
    page = shown_there(client, one.url, one.sent | {"sign_token": token})
    back = path_of(idp.authorize(client.get(f"{page}go/").url))
    shown_there(client, one.url, one.sent | {"sign_token": token, "reason": "Other words."})
    assert refusal(client.get(back))[0] == "statement"
    assert "Your identity is not confirmed" in nothing_signed(client, one, token)


def test_nobody_is_led_to_the_provider_for_what_was_shown_to_somebody_else(cast, as_, idp, one, house):
    client, other = as_(cast.chair), as_(cast.seat_risk)
    linked(cast.seat_risk, house, "subject-2")
    page = shown_there(client, one.url, one.sent | {"sign_token": token_of(client, one)})
    assert [other.get(page).status_code, other.get(f"{page}go/").status_code] == [404, 404]


# --- Refused when it is sent again ------------------------------------------------------------------------------------


def ended(client: Client, one: test_signing.Binding, sent: dict) -> str:
    """The page that says why the ceremony ended, which the audit log says too."""
    before = SignatureProof.objects.count()
    with acts() as kinds:
        page = text_of(client.post(one.url, one.sent | sent))
    assert kinds == ["signature ended"]
    why = Entry.objects.acts().latest("id").facts["facts"]["why"]
    assert why in page
    assert "No statement was signed" in page
    assert SignatureProof.objects.count() == before
    return why


def test_a_fact_that_changed_since_it_was_shown_ends_it(cast, as_, idp, one):
    client = as_(cast.chair)
    token = signed_in_words(client, idp, one)
    why = ended(client, one, {"sign_token": token, "outcome": "refused"})
    assert why == "The statement has changed since it was shown: outcome."
    assert ended(client, one, {"sign_token": token}) == "This statement is already signed."


def test_what_was_shown_to_somebody_else_is_signed_by_nobody(cast, as_, idp, one, house):
    token = signed_in_words(as_(cast.chair), idp, one)
    mine = test_signing.accepts_role(cast)
    linked(cast.lead, house, "subject-2")
    assert ended(as_(cast.lead), mine, {"sign_token": token}) == "This statement was not shown to you."


def test_a_token_of_one_act_signs_no_other(cast, as_, idp, house):
    on, again = test_signing.switches_off(cast), test_signing.accepts_role_again(cast)
    linked(cast.owner, house)
    client = as_(cast.owner)
    token = signed_in_words(client, idp, again)
    assert "act" in ended(client, on, {"sign_token": token})


def test_after_five_minutes_the_provider_s_answer_comes_too_late(cast, as_, idp, one):
    client = as_(cast.chair)
    page = shown_there(client, one.url, one.sent | {"sign_token": token_of(client, one)})
    back = path_of(idp.authorize(client.get(f"{page}go/").url))
    FrozenStatement.objects.update(expires_at=clock.now())
    assert refusal(client.get(back))[0] == "late"
    assert "can no longer sign" in text_of(client.get(page))
    assert client.get(f"{page}go/").url == page


def test_a_provider_that_was_switched_off_meanwhile_signs_nothing(cast, as_, idp, one, house):
    client = as_(cast.chair)
    token = signed_in_words(client, idp, one)
    actions.switch_provider(provider=house, on=False, by=cast.admin)
    assert "switched off" in ended(client, one, {"sign_token": token})
    page = text_of(client.get(one.url))
    assert "Sign with House" not in page
    answer = client.post(one.url, one.sent | {"sign_prepare": AT_HOUSE})
    assert "No statement was signed yet" in text_of(answer)


def test_a_provider_switched_off_before_leads_nobody_there(cast, as_, one, house):
    client = as_(cast.chair)
    page = shown_there(client, one.url, one.sent | {"sign_token": token_of(client, one)})
    actions.switch_provider(provider=house, on=False, by=cast.admin)
    assert refusal(client.get(f"{page}go/"))[0] == "unlinked"


def test_a_link_that_ended_meanwhile_signs_nothing(cast, as_, idp, one):
    client = as_(cast.chair)
    token = signed_in_words(client, idp, one)
    keep = client.session.session_key
    linked_accounts.revoke_link(
        identity=ExternalIdentity.objects.get(), reason="Lost.", by=cast.chair, keep=keep
    )
    assert "no longer linked with it" in ended(client, one, {"sign_token": token})


def test_a_link_of_an_admin_signs_nothing_in_its_first_day(decision, cast, as_, house):
    one = decision
    linked_accounts.link_for(person=cast.chair, provider=house, key="subject-1", by=cast.admin)
    client = as_(cast.chair)
    assert "Sign with House" not in text_of(client.get(one.url))
    assert "No statement was signed yet" in text_of(
        client.post(one.url, one.sent | {"sign_prepare": AT_HOUSE})
    )
    assert not FrozenStatement.objects.exists()


def test_a_form_that_is_not_in_order_freezes_nothing(cast, as_, house):
    one = test_signing.objects_to_contract(cast)
    linked(cast.seat_risk, house)
    answer = as_(cast.seat_risk).post(one.url, one.sent | {"reason": " ", "sign_prepare": AT_HOUSE})
    assert "Give a reason, so that the owner can answer it" in text_of(answer)
    assert not FrozenStatement.objects.exists()


def test_a_token_of_another_provider_links_no_account(cast, as_, idp, one, house):
    """Linking asks for the password, as it did before anybody signed with a provider."""
    client, more = as_(cast.chair), {"name": "Other", "slug": "other", "issuer": "https://127.0.0.1:9"}
    said = {name: getattr(house, name) for name in (*actions.PINNED, *actions.CHANGED_HERE)} | more
    other = actions.add_provider(by=cast.admin, secret="kept", **said)
    actions.switch_provider(provider=other, on=True, by=cast.admin)
    page = reverse("account-link", args=["other"])
    assert "Sign with House" not in text_of(client.get(page))
    token = signed_in_words(client, idp, one)
    assert "is required" in text_of(client.post(page, {"sign_token": token}))
    assert "No statement was signed yet" in text_of(client.post(page, {"sign_prepare": AT_HOUSE}))
    assert RoundTrip.objects.filter(provider=other).count() == 0


def test_what_the_rulebook_wants_a_passkey_for_is_signed_by_no_token(cast, as_, idp, one, monkeypatch):
    """Not even by one for a statement that was frozen to be signed by a passkey."""
    client = as_(cast.chair)
    token = signed_in_words(client, idp, one)
    monkeypatch.setattr(demands, "least_for", lambda act, tier: Strength.PASSKEY)
    assert "requires a stronger signature, at least: passkey" in ended(client, one, {"sign_token": token})
    frozen = ceremony.freeze(cast.chair, "Plumbline statement 1\n", clock.now())
    there = reverse("signing-there", args=["house", frozen.token])
    assert signed_there(client, idp, there).status_code == 302
    token = frozen.token
    assert "requires a stronger signature, at least: passkey" in ended(client, one, {"sign_token": token})


def test_an_account_that_somebody_linked_themselves_signs_after_a_day(decision, cast, as_, idp, house):
    one, client = decision, as_(cast.chair)
    page = client.post(reverse("account-link", args=["house"]), SIGNED)
    client.get(path_of(idp.authorize(page.context["address"])))
    link = ExternalIdentity.objects.get(person=cast.chair)
    for hours, offered in ((23, False), (24, True)):
        with time_machine.travel(link.linked_at + timedelta(hours=hours), tick=False):
            assert ("Sign with House" in text_of(as_(cast.chair).get(one.url))) is offered
    assert "No statement was signed yet" in text_of(
        client.post(one.url, one.sent | {"sign_prepare": AT_HOUSE})
    )
