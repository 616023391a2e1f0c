"""Proofs of signatures as the audit log keeps them, made by software authenticators and a provider within the process:
right ones, for tests to break.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from governance.offline import verify
from tests.support.identity.authenticator import ES256, ORIGIN, RP_ID, Authenticator
from tests.support.servers.identity_provider import CLIENT, KEYS, signed

ISSUER = "https://id.example"
NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)


def urlsafe(content: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed_row(
    device: Authenticator | None = None, *, statement: str = "statement", others: tuple = (), number: int = 0
):
    """The row of a proof by this passkey, as JSON in the audit log has it."""
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


def provider_row(
    algorithm: str = "RS256", *, statement: str = "statement", number: int = 0, sign=signed, **claims: Any
):
    """The row of a proof by an ID token: shown a minute before noon, signed at the provider half a minute later."""
    salt, nonce = number.to_bytes(16, "big"), number.to_bytes(32, "big")
    digest = verify.commitment(salt, statement.encode()).hex()
    then = int(NOON.timestamp()) - 30
    said = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "subject-1",
        "iat": then,
        "auth_time": then,
        "nonce": urlsafe(verify.signature_challenge(nonce, [digest])),
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return {
        "id": number,
        "strength": "identity provider",
        "statement": statement,
        "salt": urlsafe(salt),
        "digest": digest,
        "digests": [digest],
        "nonce": urlsafe(nonce),
        "passkey_id": None,
        "person_id": 7,
        "shown_at": "2026-11-09T11:59:00+00:00",
        "at": NOON.isoformat(),
        "evidence": {
            "id_token": sign(said, alg=algorithm),
            "jwk": jwk_of(algorithm),
            "algorithm": algorithm,
            "issuer": ISSUER,
            "client_id": CLIENT,
            "fetched_at": "2026-11-01T08:00:00+00:00",
            "identity": 3,
            "provider_key": 2,
        },
    }


def jwk_of(algorithm: str) -> dict[str, str]:
    """The public key of the provider for this algorithm, as its row keeps it."""
    key = KEYS[algorithm].as_dict(private=False)
    return {name: key[name] for name in (*verify.JWK_MEMBERS[key["kty"]], "kid")}
