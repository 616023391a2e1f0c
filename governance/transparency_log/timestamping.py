"""Time-stamps of checkpoints by an authority (RFC 3161), at most one an hour.

The stamp is on the SHA-256 of a checkpoint's note, so the holder of note and token can check them with common tools:
`openssl ts -verify -data checkpoint.txt -in token.der -token_in -CAfile authority.pem`. This module only checks that
the token is about this note and answers this request. Those who rely on the token check its signature.
"""

import hashlib
import secrets
import urllib.error
import urllib.request
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from governance.models import Checkpoint, Timestamp
from governance.transparency_log import sealing

EVERY = timedelta(hours=1)
SECONDS = 20  # to wait for the authority
LONGEST = 1 << 16
SHA256 = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier: id-sha256 with NULL
SEQUENCE, INTEGER, OCTETS = 0x30, 0x02, 0x04
TRUE = bytes.fromhex("0101ff")


class NotStamped(RuntimeError):
    """The authority did not answer with a token for the request."""


def due() -> bool:
    """Return True if an authority is set, an hour has passed and a checkpoint is new."""
    if not settings.TIMESTAMP_URL:
        return False
    using = sealing.database()
    latest = Timestamp.objects.using(using).order_by("-pk").select_related("checkpoint").first()
    if latest is None:
        return True
    last_hour = Timestamp.objects.using(using).filter(at__gt=Now() - EVERY)
    return (
        not last_hour.exists()
        and Checkpoint.objects.using(using).filter(size__gt=latest.checkpoint.size).exists()
    )


def stamp() -> Timestamp | None:
    """Have the newest checkpoint stamped, if due, and keep it. Raises NotStamped."""
    if not due():
        return None
    checkpoints = Checkpoint.objects.using(sealing.database())
    checkpoint = checkpoints.order_by("-pk").first()
    if checkpoint is None:
        return None
    token = _ask(checkpoint.note.encode())
    return checkpoint.timestamps.create(url=settings.TIMESTAMP_URL, token=token)


def _ask(stamped: bytes) -> bytes:
    """Return the token of the authority over these bytes."""
    digest, nonce = hashlib.sha256(stamped).digest(), b"\x01" + secrets.token_bytes(8)
    question = urllib.request.Request(
        settings.TIMESTAMP_URL,
        data=request_of(digest, nonce),
        headers={"Content-Type": "application/timestamp-query"},
    )
    try:
        with urllib.request.urlopen(
            question, timeout=SECONDS
        ) as answer:  # the address comes from the settings
            content = answer.read(LONGEST + 1)
    except (urllib.error.URLError, OSError, ValueError) as trouble:
        raise NotStamped(f"The time-stamping authority does not answer: {trouble}") from None
    token = token_of(content)
    if _der(OCTETS, digest) not in token or _der(INTEGER, nonce) not in token:
        raise NotStamped("The time stamp does not belong to this checkpoint.")
    return token


def request_of(digest: bytes, nonce: bytes) -> bytes:
    """Return a TimeStampReq in DER for this SHA-256 digest, with certificate wanted."""
    imprint = _der(SEQUENCE, SHA256 + _der(OCTETS, digest))
    return _der(SEQUENCE, _der(INTEGER, b"\x01") + imprint + _der(INTEGER, nonce) + TRUE)


def token_of(content: bytes) -> bytes:
    """Return the TimeStampToken in a TimeStampResp. Raises NotStamped if it has none."""
    try:
        tag, response, rest = _take(content)
        status_tag, status, token = _take(response)
        number_tag, number, _ = _take(status)
        token_tag, _, after = _take(token) if token else (None, b"", b"")
    except (IndexError, ValueError):
        raise NotStamped("The answer of the time-stamping authority does not follow RFC 3161.") from None
    if (tag, status_tag, number_tag) != (SEQUENCE, SEQUENCE, INTEGER) or rest or after:
        raise NotStamped("The answer of the time-stamping authority does not follow RFC 3161.")
    if number not in (b"\x00", b"\x01") or token_tag != SEQUENCE:
        raise NotStamped(f"The time-stamping authority refused, with status {int.from_bytes(number, 'big')}.")
    return token


def _der(tag: int, content: bytes) -> bytes:
    """Return one value in DER."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    written = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(written)]) + written + content


def _take(content: bytes) -> tuple[int, bytes, bytes]:
    """Return tag, content and rest of DER bytes. Raises ValueError or IndexError."""
    tag, length, start = content[0], content[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(content[2:start], "big")
    if start + length > len(content) or len(content) > LONGEST:
        raise ValueError("too short, or far too long")
    return tag, content[start : start + length], content[start + length :]
