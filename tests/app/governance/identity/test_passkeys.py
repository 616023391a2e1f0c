"""Passkeys: made, sealed before use, and every way in which what comes for one is none."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
import time_machine
from django.db import IntegrityError, transaction
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from governance.audit_log import row_capture
from governance.database.row_history import acting
from governance.identity.factors import passkeys, relying_party, second_step
from governance.models import Entry, FactorUse, Notification, Passkey
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import make_person
from tests.support.identity.authenticator import (
    ATTESTED,
    EDDSA,
    ES256,
    ES384,
    ORIGIN,
    PRESENT,
    RS256,
    VERIFIED,
    Authenticator,
    enrolled,
)

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
CHALLENGE = bytes(range(32))
OTHER = bytes(32)


@pytest.fixture(autouse=True)
def named_address(settings):
    settings.ADDRESS = ORIGIN


@pytest.fixture
def person(db):
    return make_person("ana")


@pytest.fixture
def other(db):
    return make_person("ben")


def check(person, sent, *, signing=False, challenge=CHALLENGE):
    return passkeys.check(
        person, sent, challenge=challenge, signing=signing, purpose="sign in", address="192.0.2.1"
    )


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_is_made_sealed_and_used(person, algorithm):
    device, row = enrolled(person, algorithm=algorithm)
    assert (row.algorithm, row.rp_id) == (algorithm, "localhost")
    asserted = check(person, device.shown(CHALLENGE))
    assert asserted.passkey == row
    assert FactorUse.objects.get(passkey=row).counter == 2
    entry = Entry.objects.acts().get(kind=EntryKind.PASSKEY_ADDED)
    assert entry.facts["facts"]["passkey"] == row.pk
    assert Entry.objects.rows().filter(table="governance_passkey", key=str(row.pk), operation="+").exists()
    assert Notification.objects.filter(person=person, subject__contains="A passkey was added").exists()
    assert "public_key" not in row_capture.secret_columns(Passkey)


@dataclass(frozen=True)
class Wrong:
    """What is done to a device, or to what it sent, and the words of the refusal."""

    words: str
    device: dict | None = None
    sent: Callable[[dict], object] | None = None
    challenge: bytes = CHALLENGE
    kind: str = "webauthn.get"


def _flip(name: str, place: int = -1):
    def change(said: dict) -> dict:
        content = bytearray(base64url_to_bytes(said["response"][name]))
        content[place] ^= 1
        said["response"][name] = bytes_to_base64url(bytes(content))
        return said

    return change


def _without(name: str):
    def change(said: dict) -> dict:
        del said["response"][name]
        return said

    return change


def _with(**values):
    return lambda said: said | values


def _handle(value: bytes):
    def change(said: dict) -> dict:
        said["response"]["userHandle"] = bytes_to_base64url(value)
        return said

    return change


SHAPE = "its format is wrong"
WRONG = {
    "another origin": Wrong("it was used on a different site", {"origin": "http://evil.example"}),
    "another port": Wrong("it was used on a different site", {"origin": "http://localhost:9000"}),
    "https for http": Wrong("it was used on a different site", {"origin": "https://localhost:8000"}),
    "a name below ours": Wrong(
        "it was used on a different site", {"origin": "http://localhost:8000.evil.example"}
    ),
    "another rp id": Wrong("it was made for a different site", {"rp_id": "evil.example"}),
    "nobody verified": Wrong("the authenticator did not verify the person", {"flags": PRESENT}),
    "nobody present": Wrong("no one touched the authenticator", {"flags": VERIFIED}),
    "the counter stands": Wrong("its counter went back", {"counter": 1}),
    "the counter back to nothing": Wrong("its counter went back", {"counter": 0}),
    "another challenge": Wrong("it answers a different request", challenge=OTHER),
    "a shorter challenge": Wrong("it answers a different request", challenge=CHALLENGE[:31]),
    "an empty challenge": Wrong("it answers a different request", challenge=b""),
    "made, not used": Wrong("it answers a different type", kind="webauthn.create"),
    "a payment": Wrong("it answers a different type", kind="payment.get"),
    "inside another page": Wrong("inside a page of a different site", {"extra": {"crossOrigin": True}}),
    "another key": Wrong("its signature is not from this passkey", {"key": Authenticator().key}),
    "a flipped signature": Wrong("its signature is not from this passkey", sent=_flip("signature")),
    "no signature": Wrong(SHAPE, sent=_without("signature")),
    "flipped counter": Wrong("its signature is not from this passkey", sent=_flip("authenticatorData")),
    "flipped flags": Wrong("", sent=_flip("authenticatorData", 32)),
    "cut authenticator data": Wrong(
        SHAPE, sent=lambda said: said["response"].update(authenticatorData="AAAA") or said
    ),
    "no client data": Wrong(SHAPE, sent=_without("clientDataJSON")),
    "client data that is no text": Wrong(
        SHAPE, sent=lambda said: said["response"].update(clientDataJSON="____") or said
    ),
    "another credential": Wrong("it does not belong to your account", {"credential": b"x" * 32}),
    "raw id of another": Wrong("", sent=_with(rawId=bytes_to_base64url(b"y" * 32))),
    "another type": Wrong(SHAPE, sent=_with(type="password")),
    "a foreign handle": Wrong("it belongs to a different person", sent=_handle(b"z" * 32)),
    "a list": Wrong("the browser sent no passkey", sent=lambda said: [said]),
    "a response that is a text": Wrong(SHAPE, sent=_with(response="none")),
    "an id that is a list": Wrong("it does not belong to your account", sent=_with(id=["a"])),
    "too much": Wrong("the browser sent no passkey", sent=_with(more="x" * 20_000)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_assertion_is_refused_in_words_and_recorded(person, name):
    device, row = enrolled(person)
    wrong = WRONG[name]
    if wrong.device:
        device = replace(device, **wrong.device)
    sent = device.shown(wrong.challenge, kind=wrong.kind)
    if wrong.sent:
        sent = json.dumps(wrong.sent(json.loads(sent)))
    with pytest.raises(passkeys.PasskeyRefused) as refused:
        check(person, sent)
    assert wrong.words in str(refused.value)
    assert FactorUse.objects.get(passkey=row).counter == 1
    entry = Entry.objects.acts().get(kind=EntryKind.PASSKEY_REFUSED)
    assert entry.facts["facts"]["why"] == str(refused.value)


def test_no_json_at_all_is_refused(person):
    enrolled(person)
    for sent in ("", "{", "null", "[" * 20_001):
        with pytest.raises(passkeys.PasskeyRefused, match="sent no passkey"):
            check(person, sent)


def test_an_assertion_opens_once(person):
    device, _ = enrolled(person)
    sent = device.shown(CHALLENGE)
    check(person, sent)
    with pytest.raises(passkeys.PasskeyRefused, match="counter went back"):
        check(person, sent)
    assert Notification.objects.filter(person=person, subject__contains="may have been copied").exists()


def test_a_passkey_of_somebody_else_is_none(person, other):
    device, _ = enrolled(other)
    with pytest.raises(passkeys.PasskeyRefused, match="does not belong to your account"):
        check(person, device.shown(CHALLENGE))


def test_it_opens_nothing_before_the_audit_log_has_sealed_it(person):
    device, row = enrolled(person, seal=False)
    assert passkeys.usable(person) == []
    with pytest.raises(passkeys.PasskeyRefused, match="not sealed"):
        check(person, device.shown(CHALLENGE))
    sealing.seal(wait=True)
    assert passkeys.usable(person) == [row]
    assert check(person, device.shown(CHALLENGE)).passkey == row


def test_a_new_one_signs_after_a_day_or_once_a_second_admin_confirmed_it(db):
    with time_machine.travel(NOON, tick=False):
        person, admin = make_person("ana", is_admin=True), make_person("ada", is_admin=True)
        device, row = enrolled(person)
        with pytest.raises(passkeys.PasskeyRefused, match="it is new, and can sign from"):
            check(person, device.shown(CHALLENGE), signing=True)
        with pytest.raises(Refused, match="You cannot confirm your own passkey"):
            passkeys.confirm(passkey=row, by=person)
        with pytest.raises(Refused, match="Only someone who has been an admin"):
            passkeys.confirm(passkey=row, by=make_person("cleo"))
        passkeys.confirm(passkey=row, by=admin)
        check(person, device.shown(CHALLENGE), signing=True)
    with time_machine.travel(NOON, tick=False):
        waiting, made = enrolled(admin)
    for hours, signs in ((23, False), (24, True)):
        with time_machine.travel(NOON + timedelta(hours=hours), tick=False):
            assert Passkey.objects.get(pk=made.pk).may_sign_at(NOON + timedelta(hours=hours)) is signs
    with time_machine.travel(NOON + timedelta(hours=24), tick=False):
        check(admin, waiting.shown(CHALLENGE), signing=True)


def test_an_ended_one_opens_nothing(person, other):
    device, row = enrolled(person)
    with pytest.raises(Refused):
        passkeys.revoke(passkey=row, by=other)
    passkeys.revoke(passkey=row, by=person)
    with pytest.raises(passkeys.PasskeyRefused, match="it was revoked"):
        check(person, device.shown(CHALLENGE))
    with pytest.raises(Conflict):
        passkeys.revoke(passkey=row, by=person)


MADE_WRONG = {
    "another origin": ({"origin": "http://evil.example"}, "it was used on a different site"),
    "another rp id": ({"rp_id": "evil.example"}, "it was made for a different site"),
    "nobody verified": ({"flags": PRESENT}, ""),
    "nobody present": ({"flags": VERIFIED}, ""),
    "another algorithm": ({"algorithm": ES384}, ""),
}


@pytest.mark.parametrize("name", MADE_WRONG)
def test_what_is_no_new_passkey_is_not_added(person, name):
    options, words = MADE_WRONG[name]
    device = Authenticator(**options)
    with pytest.raises(passkeys.PasskeyRefused, match=words):
        passkeys.enrol(person=person, name="x", sent=device.made(CHALLENGE), challenge=CHALLENGE, by=person)
    assert not Passkey.objects.exists()


def test_a_new_passkey_answers_the_challenge_it_was_asked_with(person):
    device = Authenticator()
    for sent in (
        device.made(OTHER),
        device.made(CHALLENGE, kind="webauthn.get"),
        device.shown(CHALLENGE),
        "{}",
    ):
        with pytest.raises(passkeys.PasskeyRefused):
            passkeys.enrol(person=person, name="x", sent=sent, challenge=CHALLENGE, by=person)


def test_nobody_adds_a_passkey_for_somebody_else_nor_one_that_is_there(person, other):
    device = Authenticator()
    options = {"name": "x", "sent": device.made(CHALLENGE), "challenge": CHALLENGE}
    with pytest.raises(Refused):
        passkeys.enrol(person=person, by=other, **options)
    passkeys.enrol(person=person, by=person, **options)
    with pytest.raises(Conflict):
        passkeys.enrol(person=other, by=other, **options)


def test_there_is_a_most(person, monkeypatch):
    monkeypatch.setattr(passkeys, "MOST", 2)
    enrolled(person)
    enrolled(person)
    with pytest.raises(Refused, match="at most 2"):
        enrolled(person)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:8000", "need an address with a name"),
        ("http://[::1]:8000", "need an address with a name"),
        ("http://plumbline.example", "need https"),
        ("https://plumbline.example", ""),
        ("http://localhost:8000", ""),
    ],
)
def test_where_passkeys_work(settings, address, words):
    settings.ADDRESS = address
    why = relying_party.why_none()
    assert words in why
    assert bool(words) == bool(why)


def test_under_another_name_a_passkey_opens_nothing(person, settings):
    device, _ = enrolled(person)
    settings.ADDRESS = "https://plumbline.example"
    assert list(second_step.lost()) == [person]
    assert passkeys.usable(person) == []
    with pytest.raises(passkeys.PasskeyRefused, match="made for localhost and not for plumbline"):
        check(person, device.shown(CHALLENGE))


def test_what_is_asked_of_a_browser(person):
    _, row = enrolled(person)
    made = passkeys.creation_options(person, CHALLENGE)
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert {one["alg"] for one in made["pubKeyCredParams"]} == {-7, -8, -257}
    assert [one["id"] for one in made["excludeCredentials"]] == [row.credential]
    asked = passkeys.request_options([row], CHALLENGE)
    assert (asked["userVerification"], asked["rpId"]) == ("required", "localhost")


def test_the_library_reads_what_it_is_sent_as_we_do(person):
    """An attested flag without a key behind it is no authenticator data."""
    device, _ = enrolled(person)
    with pytest.raises(passkeys.PasskeyRefused, match=SHAPE):
        check(person, replace(device, flags=PRESENT | VERIFIED | ATTESTED).shown(CHALLENGE))
    assert cbor2.loads(device.cose())[3] == ES256


@pytest.mark.parametrize(
    "changes", [{"algorithm": ES384}, {"signs_from": NOON - timedelta(days=900)}, {"confirmed_at": NOON}]
)
def test_the_database_holds_it_too(person, changes):
    _, row = enrolled(person)
    if "confirmed_at" in changes:
        changes = changes | {"confirmed_by": person}
    for name, value in changes.items():
        setattr(row, name, value)
    # By constraints too, without the guards that ask who acts.
    with (
        unguarded("governance_passkey"),
        acting(by=person),
        pytest.raises(IntegrityError),
        transaction.atomic(),
    ):
        row.save()
