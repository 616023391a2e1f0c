"""Encrypted files: a header with the file's own key, then pieces of AES-256-GCM.

The own key is random and is closed under the key of the installation. The name of the file is bound to every piece, and
each piece to its place, so no piece and no file takes the place of another. A file without the header is returned as it
is: it was stored before the key was set.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation

from governance.runtime import sealed_box

MAGIC = b"plumbline sealed file 1\n"
PIECE, TAG = 1 << 18, 16  # bytes of a piece before it is encrypted, and what the encryption adds
MARK = 8  # bytes that tell the key
BOX = sealed_box.NONCE + sealed_box.KEY + TAG  # bytes of the closed own key


class Unreadable(OSError):
    """A file was changed in its store, or its key is another. The text has the fix."""


def sealed(content: IO[bytes], name: str, key: bytes) -> IO[bytes]:
    """Return the content encrypted for this name."""
    own = AESGCM.generate_key(8 * sealed_box.KEY)
    cipher, found = AESGCM(own), temporary()
    found.write(MAGIC + _mark(key) + sealed_box.closed(own, key, _owner(name)))
    for nonce, piece in _pieces(content, PIECE):
        found.write(cipher.encrypt(nonce, piece, name.encode()))
    found.seek(0)
    return found


def opened(stored: IO[bytes], name: str, keys: Sequence[bytes]) -> IO[bytes]:
    """Return the content of a stored file under one of these keys. Raises Unreadable.

    The whole file is checked before a byte is returned.
    """
    if stored.read(len(MAGIC)) != MAGIC:
        stored.seek(0)
        return stored
    mark = stored.read(MARK)
    key = next((one for one in keys if _mark(one) == mark), None)
    if key is None:
        raise Unreadable(
            f"the file {name} is encrypted under another key. Set PLUMBLINE_STORE_ENCRYPTION_KEY to the key "
            "that encrypted it."
        )
    found = temporary()
    try:
        cipher = AESGCM(sealed_box.opened(stored.read(BOX), key, _owner(name)))
        for nonce, piece in _pieces(stored, PIECE + TAG):
            found.write(cipher.decrypt(nonce, piece, name.encode()))
    except (ValueError, InvalidTag):
        raise Unreadable(f"the file {name} was changed in its store. Put back its copy.") from None
    found.seek(0)
    return found


def refuse_header(content: IO[bytes]) -> None:
    """Raises SuspiciousFileOperation for a plain file that would be taken for an encrypted one."""
    head = content.read(len(MAGIC))
    content.seek(0)
    if head == MAGIC:
        raise SuspiciousFileOperation("The file begins like an encrypted file of Plumbline.")


def temporary() -> IO[bytes]:
    """Return a new file without a name. A large one is on the disk."""
    made = tempfile.SpooledTemporaryFile(  # noqa: SIM115
        max_size=settings.UPLOAD_MAX_BYTES + BOX + (1 << 20), dir=str(settings.FILE_UPLOAD_TEMP_DIR)
    )
    return cast(IO[bytes], made)


def _pieces(content: IO[bytes], size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the pieces with their nonces, at least one. A nonce has the place, and tells the last piece."""
    place, piece = 0, content.read(size)
    while after := content.read(size):
        yield place.to_bytes(sealed_box.NONCE - 1, "big") + b"\0", piece
        place, piece = place + 1, after
    yield place.to_bytes(sealed_box.NONCE - 1, "big") + b"\1", piece


def _mark(key: bytes) -> bytes:
    return hashlib.sha256(b"plumbline file key" + key).digest()[:MARK]


def _owner(name: str) -> str:
    return f"key of the file {name}"
