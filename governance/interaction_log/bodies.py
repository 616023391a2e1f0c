"""Bodies of interactions: compressed, then encrypted, each under its own key.

The shared dictionary was trained once, on the common parts of the conventions
(tests/support/commands/body_dictionary.py). Each body names the number of its dictionary, and a new dictionary never
replaces one. The salt of a body is derived from its key. Without the key no one can test texts against the log's
digest.
"""

import secrets
import threading
from functools import cache
from hmac import digest as hmac_digest
from pathlib import Path

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.audit_log import entries
from governance.runtime import sealed_box

DICTIONARY = 1  # the number of the one that is written with
LEVEL = 3
MOST = 64 << 20  # bytes that a body may unpack to
# A body's key only ever encrypts that body, so that all bodies may have the same nonce.
_ONLY = bytes(sealed_box.NONCE)


class Unreadable(ValueError):
    """The stored bytes are not what was encrypted, or the key is another one."""


class _Local(threading.local):
    """The compressor of one thread, which threads must not share."""

    def __init__(self) -> None:
        # Digested once a thread, because a digest for each body would be slow.
        shared = zstandard.ZstdCompressionDict(dictionary(DICTIONARY).as_bytes())
        shared.precompute_compress(level=LEVEL)
        self.packer = zstandard.ZstdCompressor(level=LEVEL, dict_data=shared, write_dict_id=False)


@cache
def dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """Return the dictionary of this number. Raises FileNotFoundError."""
    return zstandard.ZstdCompressionDict(
        Path(__file__).with_name(f"body_dictionary_{number}.zdict").read_bytes()
    )


@cache
def _local() -> _Local:
    return _Local()


def packed(body: bytes) -> bytes:
    """Return the body compressed. Its first byte is the number of the dictionary."""
    return bytes([DICTIONARY]) + _local().packer.compress(body)


def unpacked(content: bytes) -> bytes:
    """Return the body that `packed` compressed. Raises Unreadable."""
    try:
        unpacker = zstandard.ZstdDecompressor(dict_data=dictionary(content[0]))
        return unpacker.decompress(content[1:], max_output_size=MOST)
    except (zstandard.ZstdError, FileNotFoundError, IndexError) as trouble:
        raise Unreadable("a body cannot be unpacked") from trouble


def new_key() -> bytes:
    """Return a key for one body."""
    return secrets.token_bytes(sealed_box.KEY)


def closed(body: bytes, key: bytes) -> bytes:
    """Return the body compressed and encrypted under its own key."""
    return AESGCM(key).encrypt(_ONLY, packed(body), None)


def opened(content: bytes, key: bytes) -> bytes:
    """Return the body that `closed` encrypted. Raises Unreadable."""
    try:
        return unpacked(AESGCM(key).decrypt(_ONLY, content, None))
    except InvalidTag:
        raise Unreadable("a body was changed after it was encrypted") from None


def wrapped(key: bytes, under: bytes) -> bytes:
    """Return a key encrypted under another: nonce, key, tag."""
    return sealed_box.closed(key, under)


def unwrapped(content: bytes, under: bytes) -> bytes:
    """Return the key that `wrapped` encrypted. Raises Unreadable."""
    try:
        return sealed_box.opened(content, under)
    except ValueError:
        raise Unreadable("a key was changed after it was encrypted") from None


def salt(key: bytes) -> bytes:
    """Return the salt of the digest of the body with this key."""
    return hmac_digest(key, b"plumbline interaction salt", "sha256")


def digest(body: bytes, key: bytes) -> bytes:
    """Return the commitment of the audit log: the body under the salt of its key."""
    return entries.commitment(salt(key), body)
