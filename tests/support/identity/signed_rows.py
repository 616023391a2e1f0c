"""Proofs of signatures as the record keeps them, made by software authenticators: right ones, for tests to break."""

import base64
import json

from governance.offline import verify
from tests.support.identity.authenticator import ES256, ORIGIN, RP_ID, Authenticator


def urlsafe(content: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed_row(
    device: Authenticator | None = None, *, statement: str = "statement", others: tuple = (), number: int = 0
):
    """The row of a proof by this passkey, as JSON in the record has it."""
    device = device or Authenticator(ES256)
    salt, nonce = number.to_bytes(16, "big"), number.to_bytes(32, "big")
    digest = verify.commitment(salt, statement.encode()).hex()
    digests = [*others, digest]
    sent = json.loads(device.shown(verify.signature_challenge(nonce, digests)))["response"]
    return {
        "id": number,
        "strength": "passkey",
        "statement": statement,
        "salt": urlsafe(salt),
        "digest": digest,
        "digests": digests,
        "nonce": urlsafe(nonce),
        "passkey_id": 1,
        "person_id": 7,
        "at": "2026-11-09T12:00:00+00:00",
        "evidence": {
            "authenticator_data": sent["authenticatorData"],
            "client_data": sent["clientDataJSON"],
            "signature": sent["signature"],
            "public_key": urlsafe(device.cose()),
            "credential": urlsafe(device.credential),
            "rp_id": RP_ID,
            "origin": ORIGIN,
        },
    }
