"""Boxes that only the application opens: AES-256-GCM, as nonce, ciphertext and tag, bound to what they belong to."""

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY, NONCE = 32, 12  # bytes


def derived_key(use: str) -> bytes:
    """Return the key that the secret key of the installation gives for one use."""
    return _derived(settings.SECRET_KEY, use)


@lru_cache(maxsize=8)
def _derived(secret: str, use: str) -> bytes:
    return HKDF(SHA256(), KEY, salt=None, info=use.encode()).derive(secret.encode())


def closed(content: bytes, key: bytes, of: str = "") -> bytes:
    """Return the content encrypted. `of` names its owner, so that no box takes the place of another."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, of.encode())


def opened(box: bytes, key: bytes, of: str = "") -> bytes:
    """Return the content closed under this key for `of`. Raises ValueError for another key, purpose or a change."""
    try:
        return AESGCM(key).decrypt(box[:NONCE], box[NONCE:], of.encode())
    except InvalidTag:
        raise ValueError("the box was closed under another key, for something else, or was changed") from None
