"""Passkeys: made by their person, in the audit log before they are used, checked at each use.

What an authenticator says is checked by the library `webauthn`; words for what it refuses are ours. User verification
(a PIN, a finger) is demanded always: a passkey is two factors in one.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

import webauthn
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers import structs as webauthn_structs
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.factors import relying_party
from governance.models import Entry, FactorUse, Passkey, User
from governance.people.cooling_off import admin_for_a_day
from governance.permission_result import Answer, Conflict, no, yes
from governance.queue.task_base import after_commit
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind

WAITS = timedelta(hours=24)  # until a new passkey signs
MOST = 10  # of one person at once
LONGEST = 20_000  # characters of what a browser sends
NAME = "Plumbline"
# What an export is checked with, without a library (governance.offline.verify).
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
VERIFIED = webauthn_structs.UserVerificationRequirement.REQUIRED
# How the library begins what it refuses, and how we say it.
SAID = (
    ("Client data challenge", "it was made for something else than what was shown"),
    ("Unexpected client data origin", "it was made on another site"),
    ("Unexpected client data type", "it is of another kind than was asked for"),
    ("Unexpected RP ID hash", "it was made for another site"),
    ("User was not present", "nobody touched the authenticator"),
    (
        "User verification is required",
        "the authenticator did not ask who was there: set a PIN or a finger on it",
    ),
    ("Response sign count", "its counter went back: it may be a copy of your passkey"),
    ("Could not verify", "its signature is not one of this passkey"),
    ("Unsupported credential public key alg", "its algorithm is not ES256, EdDSA or RS256"),
)
COUNTER = SAID[6][1]


class PasskeyRefused(ValueError):
    """What a browser sent is no proof by a passkey of this person; the words say why, after "The passkey was
    refused: ".
    """


@dataclass(frozen=True)
class Asserted:
    """An assertion that was right: by which passkey, and the bytes by which others can check it."""

    passkey: Passkey
    evidence: dict


def handle_of(person: User) -> bytes:
    """What authenticators keep to know the person by: nothing that says who that is."""
    return salted_hmac("governance.passkeys", str(person.pk), algorithm="sha256").digest()


def of(person: User) -> list[Passkey]:
    """The passkeys of the person that stand, the oldest first."""
    return list(Passkey.objects.filter(person=person, ended_at=None).select_related("use").order_by("pk"))


def usable(person: User) -> list[Passkey]:
    """Those that open something here: made for this host, and sealed into the audit log."""
    if relying_party.why_none():
        return []
    found = [row for row in of(person) if row.rp_id == relying_party.host()]
    sealed = sealed_keys(found)
    return [row for row in found if row.pk in sealed]


def sealed_keys(rows: list[Passkey]) -> set[int]:
    """Of these passkeys the keys of those whose making is sealed: only then does anybody outside know what was
    first.
    """
    entries = Entry.objects.filter(
        table=Passkey._meta.db_table, key__in=[str(row.pk) for row in rows], operation="+", leaf__isnull=False
    )
    return {int(key) for key in entries.values_list("key", flat=True)}


# --- Made ----------------------------------------------------------------------------------------------------


def creation_options(person: User, challenge: bytes) -> dict:
    """What the browser is asked to make a passkey with, as JSON holds it."""
    options = webauthn.generate_registration_options(
        rp_id=relying_party.host(),
        rp_name=NAME,
        user_name=person.login,
        user_id=handle_of(person),
        user_display_name=person.full_name,
        challenge=challenge,
        authenticator_selection=webauthn_structs.AuthenticatorSelectionCriteria(
            resident_key=webauthn_structs.ResidentKeyRequirement.PREFERRED, user_verification=VERIFIED
        ),
        exclude_credentials=_descriptors(of(person)),
        supported_pub_key_algs=ALGORITHMS,
    )
    return json.loads(webauthn.options_to_json(options))


def enrol(*, person: User, name: str, sent: str, challenge: bytes, by: User) -> Passkey:
    """Add the passkey that the browser made for this challenge. Raises PasskeyRefused, Refused, Conflict.

    It signs after a day, or once a second admin confirmed it. Whoever is told of it and did not make it has that day.
    """
    credential = _read(sent)
    with acting(by=by, reason="Passkey added"):
        User.objects.select_for_update().get(pk=person.pk)
        may_enrol(person, by).or_refuse()
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=relying_party.host(),
                expected_origin=relying_party.origin(),
                require_user_verification=True,
                supported_pub_key_algs=ALGORITHMS,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as wrong:
            raise PasskeyRefused(_said(wrong)) from None
        now = clock.now()
        response = credential.get("response")
        transports = response.get("transports") if isinstance(response, dict) else None
        row = Passkey(
            person=person,
            name=name.strip() or "Passkey",
            credential=bytes_to_base64url(made.credential_id),
            public_key=bytes_to_base64url(made.credential_public_key),
            algorithm=_algorithm(made.credential_public_key),
            rp_id=relying_party.host(),
            transports=[one for one in transports or [] if isinstance(one, str) and len(one) < 20][:8],
            synced=bool(made.credential_backed_up),
            made_at=now,
            signs_from=now + WAITS,
        )
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            raise Conflict("This passkey is here already.", "Use it, or make another one.") from None
        FactorUse.objects.create(passkey=row, counter=made.sign_count)
        entries.record(
            EntryKind.PASSKEY_ADDED,
            person=person.full_name,
            person_id=person.pk,
            passkey=row.pk,
            name=row.name,
            signs_from=row.signs_from,
        )
        account_notifications.tell(
            person,
            f"passkey:{row.pk}",
            subject=f"A passkey was added to your account: {row.name}",
            text=f"It signs from {clock.moment_in_words(row.signs_from)}. If that was not you, end it and sign out "
            "everywhere else.",
        )
        after_commit("governance.tasks.seal_audit_log")
    return row


def may_enrol(person: User, by: User) -> Answer:
    """Add a passkey: each person for themselves, up to so many, under an address that can carry them."""
    if by.pk != person.pk or not person.is_active:
        return no("A passkey is added by its own person.", "Each signs in and adds their own.")
    if why := relying_party.why_none():
        return no(why)
    if len(of(person)) >= MOST:
        return no(f"An account has at most {MOST} passkeys.", "Revoke one that you no longer use.")
    return yes()


def may_confirm(row: Passkey, by: User) -> Answer:
    """Let a new passkey sign at once: an admin of more than a day who is not its person."""
    if row.ended_at is not None or row.may_sign_at(clock.now()):
        return no("This passkey is not waiting to be confirmed.")
    if by.pk == row.person_id:
        return no(
            "Nobody confirms a passkey of their own.", "Another admin can, or wait for the end of the day."
        )
    if not (by.is_active and by.is_admin and admin_for_a_day(by)):
        return no("Only an admin of more than a day confirms a passkey.", "Ask one.")
    return yes()


def confirm(*, passkey: Passkey, by: User) -> None:
    """Let the passkey sign from now on. Raises Refused."""
    with acting(by=by, reason="Passkey confirmed"):
        row = Passkey.objects.select_for_update().select_related("person").get(pk=passkey.pk)
        may_confirm(row, by).or_refuse()
        row.confirmed_at, row.confirmed_by = clock.now(), by
        row.save()
        entries.record(
            EntryKind.PASSKEY_CONFIRMED,
            person=row.person.full_name,
            person_id=row.person_id,
            passkey=row.pk,
            name=row.name,
        )
        account_notifications.tell(
            row.person,
            f"passkey:{row.pk}",
            subject=f"Your passkey {row.name} was confirmed",
            text=f"{by} confirmed it: it signs from now on. If it is not yours, end it.",
        )


def revoke(*, passkey: Passkey, by: User) -> None:
    """Revoke a passkey of one's own: at once, for good. What it signed stays as it is. Raises Refused, Conflict."""
    with acting(by=by, reason="Passkey ended"):
        row = Passkey.objects.select_for_update().get(pk=passkey.pk)
        if by.pk != row.person_id:
            no(
                "A passkey is ended by its own person.", "An admin resets all factors of somebody."
            ).or_refuse()
        if row.ended_at is not None:
            raise Conflict("This passkey has ended already.")
        row.ended_at, row.ended_by = clock.now(), by
        row.save()
        entries.record(
            EntryKind.PASSKEY_REVOKED, person=by.full_name, person_id=by.pk, passkey=row.pk, name=row.name
        )
        account_notifications.tell(
            by,
            f"passkey:{row.pk}",
            subject=f"Your passkey {row.name} was ended",
            text="It opens and signs nothing any more. If that was not you, change your password.",
        )


# --- Used ----------------------------------------------------------------------------------------------------


def request_options(rows: list[Passkey], challenge: bytes) -> dict:
    """What the browser is asked to show one of these passkeys with, as JSON holds it."""
    options = webauthn.generate_authentication_options(
        rp_id=relying_party.host(),
        challenge=challenge,
        allow_credentials=_descriptors(rows),
        user_verification=VERIFIED,
    )
    return json.loads(webauthn.options_to_json(options))


def check(
    person: User, sent: str, *, challenge: bytes, signing: bool, purpose: str, address: str | None
) -> Asserted:
    """The assertion that a browser sent, once it is right. Raises PasskeyRefused; that leaves an entry.

    `signing`: it binds something, and the passkey has waited its day. Its counter is counted on, under a lock.
    """
    try:
        with transaction.atomic():
            return _check(person, sent, challenge=challenge, signing=signing)
    except PasskeyRefused as refused:
        with acting(by=person):
            entries.record(
                EntryKind.PASSKEY_REFUSED,
                login=person.login,
                purpose=purpose,
                why=str(refused),
                address=address,
            )
            if str(refused) == COUNTER:
                account_notifications.tell(
                    person,
                    "passkey:counter",
                    subject="A passkey of yours may have been copied",
                    text=f"What came to {purpose} was refused: {COUNTER}. End that passkey, and add another one.",
                )
        raise


def _check(person: User, sent: str, *, challenge: bytes, signing: bool) -> Asserted:
    credential = _read(sent)
    row = (
        Passkey.objects.select_related("use")
        .filter(credential=str(credential.get("id", ""))[:1400], person=person)
        .first()
    )
    if row is None:
        raise PasskeyRefused("it is not one of yours")
    if row.ended_at is not None:
        raise PasskeyRefused("it was ended")
    if row.rp_id != relying_party.host():
        raise PasskeyRefused(f"it was made for {row.rp_id}, and this is {relying_party.host()}")
    if row.pk not in sealed_keys([row]):
        raise PasskeyRefused("it is not sealed into the audit log yet; try again in a minute")
    if signing and not row.may_sign_at(clock.now()):
        raise PasskeyRefused(
            f"it is new, and signs from {clock.moment_in_words(row.signs_from)}, or once an admin has confirmed it"
        )
    use = FactorUse.objects.select_for_update().get(passkey=row)
    try:
        seen = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=row.rp_id,
            expected_origin=relying_party.origin(),
            credential_public_key=base64url_to_bytes(row.public_key),
            credential_current_sign_count=use.counter,
            require_user_verification=True,
        )
        response = credential["response"]
        client = json.loads(base64url_to_bytes(response["clientDataJSON"]))
        handle = response.get("userHandle")
        foreign = handle and base64url_to_bytes(handle) != handle_of(person)
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise PasskeyRefused(_said(wrong)) from None
    if foreign:
        raise PasskeyRefused("its authenticator made it for somebody else")
    if client.get("crossOrigin") is True:
        raise PasskeyRefused("it was made inside a page of another site")
    use.counter, use.used_at = seen.new_sign_count, clock.now()
    use.save()
    return Asserted(
        row,
        {
            "authenticator_data": response["authenticatorData"],
            "client_data": response["clientDataJSON"],
            "signature": response["signature"],
            "public_key": row.public_key,
            "credential": row.credential,
            "rp_id": row.rp_id,
            "origin": relying_party.origin(),
        },
    )


def _descriptors(rows: list[Passkey]) -> list[webauthn_structs.PublicKeyCredentialDescriptor]:
    known = {one.value for one in webauthn_structs.AuthenticatorTransport}
    return [
        webauthn_structs.PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential),
            transports=[
                webauthn_structs.AuthenticatorTransport(one) for one in row.transports if one in known
            ]
            or None,
        )
        for row in rows
    ]


def _read(sent: str) -> dict:
    """What the browser sent, as an object. Raises PasskeyRefused."""
    try:
        credential = json.loads(sent) if len(sent) <= LONGEST else None
    except (ValueError, RecursionError):
        credential = None
    if not isinstance(credential, dict):
        raise PasskeyRefused("the browser sent no passkey")
    return credential


def _said(wrong: Exception) -> str:
    text = str(wrong)
    return next(
        (words for begins, words in SAID if text.startswith(begins)), "it is not written as it must be"
    )


def _algorithm(public_key: bytes) -> int:
    return int(webauthn.helpers.decode_credential_public_key(public_key).alg)
