"""Secrets of providers and authenticator apps, encrypted under the secret key of the installation for one use each."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from governance.identity.providers.denials import Denied

NONCE = 12  # bytes


def _key() -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"governance.identity.secret-box").derive(
        settings.SECRET_KEY.encode()
    )


def closed(text: str, use: str) -> bytes:
    """The text encrypted; it opens again only for the same use, so that no box takes the place of another."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(_key()).encrypt(nonce, text.encode(), use.encode())


def opened(box: bytes | memoryview | None, use: str) -> str:
    """What was closed for this use. Raises Denied where there is nothing, or the secret key is another now."""
    if not box:
        raise Denied(
            "secret", "No client secret is kept for this provider.", "An admin enters it on its page."
        )
    content = bytes(box)
    try:
        return AESGCM(_key()).decrypt(content[:NONCE], content[NONCE:], use.encode()).decode()
    except (InvalidTag, ValueError):
        raise Denied(
            "secret",
            "The kept secret of this provider cannot be opened.",
            "PLUMBLINE_SECRET_KEY was changed: an admin enters the client secret again, or makes a new key.",
        ) from None
