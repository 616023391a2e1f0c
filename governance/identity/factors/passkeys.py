"""Passkeys: made by their person, recorded before use, and checked at each use.

The library `webauthn` checks what an authenticator sends, and the words of refusals are ours. User verification (a
PIN, a finger) is always required, so a passkey is two factors in one.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

import webauthn
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers import structs as webauthn_structs
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.identity.factors import relying_party
from governance.models import Entry, FactorUse, Passkey, User
from governance.people.cooling_off import admin_for_a_day
from governance.permission_result import Answer, Conflict, no, yes
from governance.queue.task_base import after_commit
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

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
    ("Client data challenge", "it answers a different request or statement"),
    ("Unexpected client data origin", "it was used on a different site"),
    ("Unexpected client data type", "it answers a different type of request"),
    ("Unexpected RP ID hash", "it was made for a different site"),
    ("User was not present", "no one touched the authenticator"),
    (
        "User verification is required",
        "the authenticator did not verify the person: set a PIN or a fingerprint on it",
    ),
    ("Response sign count", "its counter went back: it may be a copy of your passkey"),
    ("Could not verify", "its signature is not from this passkey"),
    ("Unsupported credential public key alg", "its algorithm is not ES256, EdDSA or RS256"),
)
COUNTER = SAID[6][1]


class PasskeyRefused(ValueError):
    """The browser's data do not prove a passkey. The message follows "The passkey was refused: "."""


@dataclass(frozen=True)
class Asserted:
    """A right assertion: its passkey, and the bytes by which others can check it."""

    passkey: Passkey
    evidence: dict


def handle_of(person: User) -> bytes:
    """Return the id of the person for authenticators, which does not identify them."""
    return salted_hmac("governance.passkeys", str(person.pk), algorithm="sha256").digest()


def of(person: User) -> list[Passkey]:
    """Return the passkeys of the person that have not ended, oldest first."""
    return list(Passkey.objects.filter(person=person, ended_at=None).select_related("use").order_by("pk"))


def usable(person: User) -> list[Passkey]:
    """Return the passkeys that work here: for this host, and sealed into the audit log."""
    if relying_party.why_none():
        return []
    found = [row for row in of(person) if row.rp_id == relying_party.host()]
    sealed = sealed_keys(found)
    return [row for row in found if row.pk in sealed]


def for_this_host() -> QuerySet[Passkey]:
    """Return the open passkeys of all people that were made for this host."""
    rows = Passkey.objects.filter(ended_at=None, rp_id=relying_party.host())
    return rows.none() if relying_party.why_none() else rows


def sealed_keys(rows: list[Passkey]) -> set[int]:
    """Return the keys of those passkeys whose making is sealed, and so provable outside."""
    entries = Entry.objects.filter(
        table=Passkey._meta.db_table, key__in=[str(row.pk) for row in rows], operation="+", leaf__isnull=False
    )
    return {int(key) for key in entries.values_list("key", flat=True)}


# --- Made ----------------------------------------------------------------------------------------------------


def creation_options(person: User, challenge: bytes) -> dict:
    """Return the options with which the browser makes a passkey, as JSON holds them."""
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
    """Add the passkey that the browser made. Raises PasskeyRefused, Refused, Conflict.

    It signs after a day, or once a second admin confirmed it. The person gets a notification, and has that day to end
    it.
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
            raise Conflict(
                "This passkey is already registered.", "Use this passkey, or make a different passkey."
            ) from None
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
            text=(
                f"You can sign with this passkey from {clock.moment_in_words(row.signs_from)}. If that was "
                "not you, revoke the passkey and sign out everywhere else."
            ),
        )
        after_commit("governance.tasks.seal_audit_log")
    return row


def may_enrol(person: User, by: User) -> Answer:
    """Return whether `by` may add a passkey of this person: only their own, up to a limit."""
    if by.pk != person.pk or not person.is_active:
        return no(
            "You can add passkeys only to your own account.", "Ask the person to sign in and add the passkey."
        )
    if why := relying_party.why_none():
        return no(why)
    if len(of(person)) >= MOST:
        return no(
            phrase("An account can have at most {} passkeys.", MOST),
            "Revoke a passkey that you no longer use.",
        )
    return yes()


def may_confirm(row: Passkey, by: User) -> Answer:
    """Let a new passkey sign at once: an admin of more than a day who is not its person."""
    if row.ended_at is not None or row.may_sign_at(clock.now()):
        return no("This passkey is not waiting to be confirmed.")
    if by.pk == row.person_id:
        return no("You cannot confirm your own passkey.", "Ask another admin, or wait for a day.")
    if not (by.is_active and by.is_admin and admin_for_a_day(by)):
        return no(
            "Only someone who has been an admin for more than a day can confirm a passkey.",
            "Ask another admin.",
        )
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
            text=(
                f"{by} confirmed the passkey, so you can sign with it from now on. If you did not add this "
                "passkey, revoke it."
            ),
        )


def revoke(*, passkey: Passkey, by: User, keep: str | None = None, also: bool = False) -> None:
    """Revoke your passkey at once, for good, and the ways in that end with it. Raises Refused, Conflict.

    Its signatures stay.
    """
    with acting(by=by, reason="Passkey ended"):
        row = Passkey.objects.select_for_update().get(pk=passkey.pk)
        if by.pk != row.person_id:
            no(
                "You can revoke only your own passkeys.",
                "Ask an admin to reset all second factors of the person.",
            ).or_refuse()
        if row.ended_at is not None:
            raise Conflict("This passkey was already revoked.")
        row.ended_at, row.ended_by = clock.now(), by
        row.save()
        go_on = ways_in.take(by, EntryKind.PASSKEY_REVOKED, by=by, keep=keep, also=also)
        entries.record(
            EntryKind.PASSKEY_REVOKED, person=by.full_name, person_id=by.pk, passkey=row.pk, name=row.name
        )
        account_notifications.tell(
            by,
            f"passkey:{row.pk}",
            subject=f"Your passkey {row.name} was revoked",
            text=f"You can no longer use this passkey. {go_on} If that was not you, change your password.",
        )


# --- Used ----------------------------------------------------------------------------------------------------


def request_options(rows: list[Passkey], challenge: bytes) -> dict:
    """Return the options with which the browser shows a passkey, as JSON holds them."""
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
    """Return the assertion that a browser sent. Raises PasskeyRefused, which makes an entry.

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
                    subject="Your passkey may have been copied",
                    text=(
                        f"An attempt to {purpose} was refused: {COUNTER}. Revoke this passkey, and add a "
                        "new passkey."
                    ),
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
        raise PasskeyRefused("it does not belong to your account")
    if row.ended_at is not None:
        raise PasskeyRefused("it was revoked")
    if row.rp_id != relying_party.host():
        raise PasskeyRefused(f"it was made for {row.rp_id} and not for {relying_party.host()}")
    if row.pk not in sealed_keys([row]):
        raise PasskeyRefused("it is not sealed into the audit log yet, so try again in a minute")
    if signing and not row.may_sign_at(clock.now()):
        raise PasskeyRefused(
            f"it is new, and can sign from {clock.moment_in_words(row.signs_from)} or after an admin has "
            "confirmed it"
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
        raise PasskeyRefused("it belongs to a different person")
    if client.get("crossOrigin") is True:
        raise PasskeyRefused("it was used inside a page of a different site")
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
    """Return the data that the browser sent, as an object. Raises PasskeyRefused."""
    try:
        credential = json.loads(sent) if len(sent) <= LONGEST else None
    except (ValueError, RecursionError):
        credential = None
    if not isinstance(credential, dict):
        raise PasskeyRefused("the browser sent no passkey")
    return credential


def _said(wrong: Exception) -> str:
    text = str(wrong)
    return next((words for begins, words in SAID if text.startswith(begins)), "its format is wrong")


def _algorithm(public_key: bytes) -> int:
    return int(webauthn.helpers.decode_credential_public_key(public_key).alg)
