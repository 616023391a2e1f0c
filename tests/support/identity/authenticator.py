"""A software authenticator: makes passkeys and assertions as a browser sends them, right ones and wrong ones."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from django.db import transaction
from webauthn.helpers import bytes_to_base64url

from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.factors import passkeys
from governance.models import Passkey, User
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind

ORIGIN, RP_ID = "http://localhost:8000", "localhost"
ES256, EDDSA, RS256, ES384 = -7, -8, -257, -35
PRESENT, VERIFIED, ATTESTED = 1, 4, 64


@dataclass
class Authenticator:
    """One passkey. `counter` is what it says next; its fields may be set to what a test wants to see refused."""

    algorithm: int = ES256
    rp_id: str = RP_ID
    origin: str = ORIGIN
    counter: int = 1
    flags: int = PRESENT | VERIFIED
    handle: bytes | None = None
    credential: bytes = b""
    key: Any = None
    extra: dict = field(default_factory=dict)

    def __post_init__(self):
        self.key = (
            self.key
            or {
                ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
                ES384: lambda: ec.generate_private_key(ec.SECP384R1()),
                EDDSA: ed25519.Ed25519PrivateKey.generate,
                RS256: lambda: rsa.generate_private_key(65537, 2048),
            }[self.algorithm]()
        )
        self.credential = self.credential or hashlib.sha256(repr(id(self)).encode() + self.cose()).digest()

    def cose(self) -> bytes:
        """The public key as COSE writes it."""
        public = self.key.public_key()
        if self.algorithm == EDDSA:
            return cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()})
        numbers = public.public_numbers()
        if self.algorithm == RS256:
            size = (numbers.n.bit_length() + 7) // 8
            return cbor2.dumps(
                {1: 3, 3: RS256, -1: numbers.n.to_bytes(size, "big"), -2: numbers.e.to_bytes(3, "big")}
            )
        size, curve = (32, 1) if self.algorithm == ES256 else (48, 2)
        x, y = (number.to_bytes(size, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: self.algorithm, -1: curve, -2: x, -3: y})

    def sign(self, message: bytes) -> bytes:
        """A signature of the message."""
        if self.algorithm == EDDSA:
            return self.key.sign(message)
        if self.algorithm == RS256:
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(
            message, ec.ECDSA(hashes.SHA256() if self.algorithm == ES256 else hashes.SHA384())
        )

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        return (
            hashlib.sha256(self.rp_id.encode()).digest()
            + bytes([flags])
            + self.counter.to_bytes(4, "big")
            + more
        )

    def _client(self, kind: str, challenge: bytes) -> bytes:
        said = {
            "type": kind,
            "challenge": bytes_to_base64url(challenge),
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(said | self.extra).encode()

    def made(self, challenge: bytes, *, kind: str = "webauthn.create") -> str:
        """What a browser sends after a passkey was made."""
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + self.cose()
        whole = {"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | ATTESTED, attested)}
        return self._sent(
            {
                "attestationObject": bytes_to_base64url(cbor2.dumps(whole)),
                "clientDataJSON": bytes_to_base64url(self._client(kind, challenge)),
                "transports": ["internal"],
            }
        )

    def shown(self, challenge: bytes, *, kind: str = "webauthn.get") -> str:
        """What a browser sends after a passkey was used; its counter goes on."""
        data, client = self._data(self.flags), self._client(kind, challenge)
        signature = self.sign(data + hashlib.sha256(client).digest())
        self.counter += 1
        return self._sent(
            {
                "authenticatorData": bytes_to_base64url(data),
                "clientDataJSON": bytes_to_base64url(client),
                "signature": bytes_to_base64url(signature),
                "userHandle": bytes_to_base64url(self.handle) if self.handle else None,
            }
        )

    def _sent(self, response: dict) -> str:
        name = bytes_to_base64url(self.credential)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def enrolled(
    person: User, *, seal: bool = True, confirmed_by: User | None = None, **options
) -> tuple[Authenticator, Passkey]:
    """A passkey of this person, in the audit log and sealed; it signs after its day, or at once where it is
    confirmed.
    """
    device = Authenticator(**({"handle": passkeys.handle_of(person)} | options))
    challenge = bytes(32)
    row = passkeys.enrol(
        person=person, name="Phone", sent=device.made(challenge), challenge=challenge, by=person
    )
    device.counter += 1
    if confirmed_by is not None:
        with transaction.atomic(), acting(by=confirmed_by):  # the act itself asks for an admin of a day
            row.confirmed_at, row.confirmed_by = row.made_at, confirmed_by
            row.save()
            entries.record(
                EntryKind.PASSKEY_CONFIRMED, person_id=row.person_id, passkey=row.pk, name=row.name
            )
    if seal:
        sealing.seal(wait=True)
    return device, row
