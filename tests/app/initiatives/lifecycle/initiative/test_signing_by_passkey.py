"""Acts that bind, signed by passkeys and codes: each is signed for what was shown, and by nothing older."""

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pyotp
import pytest
import time_machine
from webauthn.helpers import base64url_to_bytes

from governance import clock
from governance.identity.factors import codes
from governance.identity.forms import LinkOwnForm
from governance.identity.proofs import ceremony, demands, statements
from governance.identity.proofs.batch_forms import BatchSigningForm
from governance.models import Entry, FrozenStatement, Passkey, SignatureProof, User
from governance.offline import verify
from governance.sign_in.signing import SigningForm
from governance.transparency_log import sealing
from governance.vocabulary import Strength
from initiatives.lifecycle.roles.handover_forms import AnswerForm
from tests.app.initiatives.lifecycle.initiative import test_signing
from tests.support.identity.authenticator import ORIGIN, Authenticator, enrolled
from tests.support.identity.signing_addresses import OURS, name_of, signing_addresses
from tests.support.initiatives.initiative_pages import SIGNED, acts, text_of

pytestmark = pytest.mark.django_db
SCRIPT = {"HTTP_ACCEPT": "application/json"}
CHANGED = "The statement has changed since it was shown"
LINKS_ONLY = {"account-link"}  # asks for the signer's password before a link is made, and binds nothing


@pytest.fixture(autouse=True)
def named_address(settings):
    settings.ADDRESS = ORIGIN


def with_passkey(person: User, **options) -> Authenticator:
    """A passkey of this person that signs, made two days ago as far as anybody can tell."""
    with clock.simulated(clock.now() - timedelta(days=2)):
        device, _ = enrolled(person, seal=False, **options)
    sealing.seal(wait=True)
    return device


def prepared(client, url: str, sent: dict) -> dict:
    """What the script of the page is answered when it has the statement frozen."""
    answer = client.post(url, sent | {"sign_prepare": "1"}, **SCRIPT)
    assert answer["Content-Type"] == "application/json", text_of(answer)
    return answer.json()


def signed(device: Authenticator, shown: dict) -> dict:
    """What the browser then adds to the form."""
    return {
        "password": "",
        "sign_token": shown["token"],
        "sign_assertion": device.shown(base64url_to_bytes(shown["get"]["challenge"])),
    }


@pytest.mark.parametrize(
    ("act", "address", "make"), test_signing.ACTS, ids=lambda one: getattr(one, "__name__", one)
)
def test_each_act_asks_for_a_proof_and_is_signed_by_a_passkey(cast, as_, act, address, make):
    """What is signed is what was shown, and neither no proof nor an older one does it."""
    one = make(cast)
    assert name_of(urlsplit(one.url).path) == address
    person = getattr(cast, one.person)
    device, client = with_passkey(person), as_(person)
    with acts() as kinds:
        page = text_of(client.post(one.url, one.sent | {"password": ""}))
    assert [kind for kind in kinds if kind != test_signing.READ] == []
    assert "is required" in page
    assert 'name="sign_token"' in page
    assert all(word in page for word in one.sent.values() if word == "Words kept.")
    older = a_statement_before(person, device)
    with acts() as kinds:
        page = text_of(client.post(one.url, one.sent | older))
    assert ("This statement was not shown to you" if "sign_seen" in one.sent else CHANGED) in page
    assert [kind for kind in kinds if kind != test_signing.READ] == ["signature ended"]
    shown = prepared(client, one.url, one.sent)
    with acts() as kinds:
        answer = client.post(one.url, one.sent | signed(device, shown))
    assert answer.status_code == 302, text_of(answer)
    assert one.kind in kinds
    proof = SignatureProof.objects.get()
    assert (proof.act, proof.strength, proof.person) == (act, "passkey", person)
    assert shown["statement"].startswith("Plumbline statement 1\nact: ")
    assert proof.statement == shown["statement"]
    entry = Entry.objects.acts().filter(kind=one.kind).latest("id")
    assert entry.facts["facts"]["signature"] == {"strength": "passkey", "digest": proof.digest}
    assert entry.xact == proof.xact
    row = Entry.objects.rows().get(table="governance_signatureproof").facts["after"]
    assert verify.check_signature(row) == "passkey"


def a_statement_before(person: User, device: Authenticator) -> dict:
    """A right assertion, for a statement that was shown to this person before."""
    before = ceremony.freeze(person, "Plumbline statement 1\n", clock.now())
    return {"sign_token": before.token, "sign_assertion": device.shown(bytes(before.challenge))}


@pytest.mark.parametrize("make", test_signing.FORMS, ids=lambda make: make.__name__)
def test_no_act_is_signed_by_an_assertion_of_before_or_a_second_time(cast, as_, make):
    one = make(cast)
    person = getattr(cast, one.person)
    device, client = with_passkey(person), as_(person)
    older = a_statement_before(person, device)
    shown = prepared(client, one.url, one.sent)
    for token, words in (
        (shown["token"], "answers a different request"),
        ("", "This statement was not shown to you"),
        (shown["token"], "This statement is already signed"),
    ):
        with acts() as kinds:
            page = text_of(client.post(one.url, one.sent | older | {"sign_token": token}))
        assert words in page
        assert one.kind not in kinds
        assert {"passkey refused", "signature ended"} & set(kinds)
        assert set(kinds) <= {"passkey refused", "signature ended", test_signing.READ}
    shown = prepared(client, one.url, one.sent)
    assert client.post(one.url, one.sent | signed(device, shown)).status_code == 302
    client.post(one.url, one.sent | signed(device, shown))
    assert SignatureProof.objects.count() == 1


def test_every_address_that_asks_for_a_signature_is_walked():
    """By the list of addresses: whatever view makes a form that signs, itself or by what it calls."""
    assert {address for _, address, _ in test_signing.ACTS} == signing_addresses() - LINKS_ONLY


def test_no_form_deals_with_proofs_by_itself():
    """So the acts of `test_signing.FORMS` stand for all in what a code or a provider signs."""
    signing_addresses()  # which imports every view, and with it every form
    waiting, found = [SigningForm], set()
    while waiting:
        of = waiting.pop().__subclasses__()
        waiting += of
        found |= {form for form in of if form.__module__.startswith(OURS)}
    assert {LinkOwnForm, BatchSigningForm, AnswerForm} <= found
    plain = type("Plain", (SigningForm,), {})  # with what any class of a form has
    of_proofs = {name for form in (SigningForm, BatchSigningForm) for name in vars(form)}
    of_proofs -= {"__init__", "act", "act_compares", "clean", "shown_values", "signed_words", *vars(plain)}
    for form in found - {LinkOwnForm, BatchSigningForm}:
        assert not of_proofs & set(vars(form)), form


def test_words_and_facts_that_changed_after_they_were_shown_end_it(cast, as_):
    one = test_signing.decides(cast)
    device, client = with_passkey(cast.chair), as_(cast.chair)
    for name, value in {"reason": "Other words.", "outcome": "refused"}.items():
        shown = prepared(client, one.url, one.sent)
        with acts() as kinds:
            answer = client.post(one.url, one.sent | {name: value} | signed(device, shown))
        assert f"The statement has changed since it was shown: {name}." in text_of(answer)
        assert kinds == ["signature ended"]


def test_what_was_shown_to_somebody_else_is_signed_by_nobody(cast, as_):
    one = test_signing.decides(cast)
    with_passkey(cast.chair)
    other = with_passkey(cast.seat_risk)
    shown = prepared(as_(cast.chair), one.url, one.sent)
    answer = as_(cast.chair).post(one.url, one.sent | signed(other, shown))
    assert "it does not belong to your account" in text_of(answer)


def test_a_statement_lasts_five_minutes(cast, as_):
    one = test_signing.switches_off(cast)
    device, client = with_passkey(cast.owner), as_(cast.owner)
    shown = prepared(client, one.url, one.sent)
    FrozenStatement.objects.update(expires_at=clock.now())
    with acts() as kinds:
        answer = client.post(one.url, one.sent | signed(device, shown))
    assert "The time to sign has passed" in text_of(answer)
    assert "switched off" not in kinds


def test_a_new_passkey_signs_nothing_yet(cast, as_):
    one = test_signing.switches_off(cast)
    enrolled(cast.owner)
    client = as_(cast.owner)
    answer = client.post(one.url, one.sent | {"sign_prepare": "1"}, **SCRIPT)
    assert answer["Content-Type"] != "application/json"
    assert not FrozenStatement.objects.exists()
    assert client.post(one.url, one.sent | SIGNED).status_code == 302


def test_a_form_that_is_not_in_order_freezes_nothing(cast, as_):
    one = test_signing.objects_to_contract(cast)
    with_passkey(cast.seat_risk)
    answer = as_(cast.seat_risk).post(one.url, one.sent | {"reason": " ", "sign_prepare": "1"}, **SCRIPT)
    assert "Give a reason, so that the owner can answer it" in text_of(answer)
    assert not FrozenStatement.objects.exists()


def test_who_has_an_app_types_its_code_with_the_password(cast, as_):
    one = test_signing.switches_off(cast)
    secret = pyotp.random_base32()
    moment = clock.now()
    with time_machine.travel(moment - timedelta(minutes=5), tick=False):
        codes.add(person=cast.owner, secret=secret, code=pyotp.TOTP(secret).at(clock.now()))
    client = as_(cast.owner)
    with time_machine.travel(moment, tick=False):
        code = pyotp.TOTP(secret).at(moment)
        assert "Also enter the code" in text_of(client.post(one.url, one.sent | SIGNED))
        wrong = client.post(one.url, one.sent | SIGNED | {"sign_code": "000000" if code != "000000" else "1"})
        assert "code is wrong" in text_of(wrong)
        assert client.post(one.url, one.sent | SIGNED | {"sign_code": code}).status_code == 302
    assert SignatureProof.objects.get().strength == "password and code"


def test_the_rulebook_asks_for_a_strength_and_the_form_says_so(cast, as_, monkeypatch):
    monkeypatch.setattr(demands, "least_for", lambda act, tier: Strength.PASSKEY)
    one = test_signing.switches_off(cast)
    client = as_(cast.owner)
    assert "requires a signature by at least: passkey" in text_of(client.get(one.url))
    with acts() as kinds:
        answer = client.post(one.url, one.sent | SIGNED)
    assert "requires a signature by at least: passkey" in text_of(answer)
    assert kinds == []
    device = with_passkey(cast.owner)
    proof = signed(device, prepared(client, one.url, one.sent))
    assert client.post(one.url, one.sent | proof).status_code == 302


def test_a_statement_is_the_same_for_the_same_and_names_what_changed():
    said = {"person_id": 1, "act": "sign_off", "purpose": "sign", "shown_at": clock.now()}
    one = statements.write(**said, words={"b": 1, "a": {"y", "x"}}, facts={"n": None})
    assert one == statements.write(**said, words={"a": {"x", "y"}, "b": 1}, facts={"n": None})
    other = statements.write(**said, words={"a": {"x"}, "c": 2}, facts={"n": None})
    assert statements.changed(one, other) == ["a", "b", "c"]
    assert statements.write(**said, words={"a": Passkey(pk=5)}, facts={}).endswith(
        'word a: "governance.passkey 5"\n'
    )
    assert json.loads(one.splitlines()[5].partition(": ")[2]) == ["x", "y"]
    assert "\nword a: " in statements.write(**said, words={"a": "x\nfact n: 1"}, facts={})
    assert statements.write(**said, words={"a": "x\nfact n: 1"}, facts={}).count("\n") == 6


def test_somebody_else_than_was_shown_is_not_erased_and_nobody_is_named(cast, as_):
    one = test_signing.erases_a_person_from_the_log(cast)
    device, client = with_passkey(cast.admin), as_(cast.admin)
    shown = prepared(client, one.url, one.sent)
    assert "customer 4" not in shown["statement"]
    answer = client.post(one.url, one.sent | {"subject": "customer 5"} | signed(device, shown))
    assert "changed since it was shown: subject" in text_of(answer)
