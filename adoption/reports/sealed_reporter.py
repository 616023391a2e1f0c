"""Who reported a behaviour report, encrypted under a key derived from the secret key (docs/adr/0034).

What is sealed names what it belongs to, so that it cannot be moved to another row; all of it has the same length for
short contents, so that its size says nothing.
"""

import json
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE = 12
STEP = 1024  # contents are filled up to a multiple of so many bytes


def seal(facts: dict, of: str) -> bytes:
    """The facts, readable for nobody without the key; `of` names what they belong to."""
    text = json.dumps(facts, ensure_ascii=False).encode()
    text += b" " * (-len(text) % STEP)
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(_key("sealing")).encrypt(nonce, text, of.encode())


def opened(sealed: bytes, of: str) -> dict | None:
    """What was sealed for `of`; None where it was made under another key, for something else, or was changed."""
    sealed = bytes(sealed)
    try:
        return json.loads(AESGCM(_key("sealing")).decrypt(sealed[:NONCE], sealed[NONCE:], of.encode()))
    except InvalidTag:
        return None


def mark(text: str) -> str:
    """A name for something that must not be written down, such as an address that is counted: the same each time."""
    made = HMAC(_key("marking"), hashes.SHA256())
    made.update(text.encode())
    return made.finalize().hex()


def _key(purpose: str) -> bytes:
    return _made_of(settings.SECRET_KEY, purpose)


@lru_cache(maxsize=8)
def _made_of(secret: str, purpose: str) -> bytes:
    info = f"plumbline reported {purpose} 1".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret.encode())
