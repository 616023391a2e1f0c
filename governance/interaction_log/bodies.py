"""Bodies of interactions as they are kept: compressed by a shared dictionary, then encrypted, each under its own key.

The dictionary was trained once, on what the conventions have in common (tests/support/commands/body_dictionary.py), and
has a number, which each body names: another one is added beside it and never takes its place. The salt of a body is
made from its key: with the key both go, and nobody can try texts against the digest that the audit log keeps.
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
# A body's key encrypts that body and nothing else, ever: its nonce need not differ from others'.
_ONLY = bytes(sealed_box.NONCE)


class Unreadable(ValueError):
    """What was kept is not what was encrypted, or the key is another."""


class _Local(threading.local):
    """What packs, for one thread: it may not be shared."""

    def __init__(self) -> None:
        # Digested once a thread: else each body would pay for the whole dictionary anew.
        shared = zstandard.ZstdCompressionDict(dictionary(DICTIONARY).as_bytes())
        shared.precompute_compress(level=LEVEL)
        self.packer = zstandard.ZstdCompressor(level=LEVEL, dict_data=shared, write_dict_id=False)


@cache
def dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """The dictionary of this number. Raises FileNotFoundError."""
    return zstandard.ZstdCompressionDict(
        Path(__file__).with_name(f"body_dictionary_{number}.zdict").read_bytes()
    )


@cache
def _local() -> _Local:
    return _Local()


def packed(body: bytes) -> bytes:
    """The body compressed; its first byte is the number of the dictionary."""
    return bytes([DICTIONARY]) + _local().packer.compress(body)


def unpacked(content: bytes) -> bytes:
    """The body that `packed` compressed. Raises Unreadable."""
    try:
        unpacker = zstandard.ZstdDecompressor(dict_data=dictionary(content[0]))
        return unpacker.decompress(content[1:], max_output_size=MOST)
    except (zstandard.ZstdError, FileNotFoundError, IndexError) as trouble:
        raise Unreadable("a body cannot be unpacked") from trouble


def new_key() -> bytes:
    """A key for one body."""
    return secrets.token_bytes(sealed_box.KEY)


def closed(body: bytes, key: bytes) -> bytes:
    """The body compressed and encrypted under its own key."""
    return AESGCM(key).encrypt(_ONLY, packed(body), None)


def opened(content: bytes, key: bytes) -> bytes:
    """The body that `closed` encrypted. Raises Unreadable."""
    try:
        return unpacked(AESGCM(key).decrypt(_ONLY, content, None))
    except InvalidTag:
        raise Unreadable("a body is not as it was encrypted") from None


def wrapped(key: bytes, under: bytes) -> bytes:
    """A key encrypted under another: nonce, key, tag."""
    return sealed_box.closed(key, under)


def unwrapped(content: bytes, under: bytes) -> bytes:
    """The key that `wrapped` encrypted. Raises Unreadable."""
    try:
        return sealed_box.opened(content, under)
    except ValueError:
        raise Unreadable("a key is not as it was encrypted") from None


def salt(key: bytes) -> bytes:
    """The salt of the digest of the body that has this key."""
    return hmac_digest(key, b"plumbline interaction salt", "sha256")


def digest(body: bytes, key: bytes) -> bytes:
    """What the audit log commits to: the body under the salt of its key."""
    return entries.commitment(salt(key), body)
