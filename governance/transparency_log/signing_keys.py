"""The keys that sign the heads of the audit log: ours and former ones.

A key signs under a name. Our name is the origin, which names this log for good and remains when the key is replaced.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from governance.models import Checkpoint
from governance.offline.verify import (
    SIGNED_AT,
    Rejected,
    Signature,
    VerifierKey,
    parse_key,
    parse_note,
    signature_line,
    verifier_key,
)
from governance.runtime.secret_files import KEPT_SIGNING_KEY, seed
from governance.runtime.secret_files import kept as kept_text


@dataclass(frozen=True)
class Signer:
    """A private key and the name that it signs under."""

    name: str
    private: Ed25519PrivateKey

    @property
    def vkey(self) -> VerifierKey:
        """Return the public key with which others verify."""
        return verifier_key(self.name, public_bytes(self.private))

    def line(self, body: bytes) -> str:
        """Return the signature line under a note with this body."""
        return signature_line(Signature(self.name, self.vkey.key_id, self.private.sign(body)))


def public_bytes(private: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public key."""
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_pem(private: Ed25519PrivateKey) -> bytes:
    """Return the public key as PEM (RFC 8410), as OpenSSL and admission controllers read it."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def spki_digest(private: Ed25519PrivateKey) -> str:
    """Return the SHA-256 of the DER of the public key, in hexadecimal: the id of the key in an attestation."""
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def signing_key() -> Ed25519PrivateKey:
    """Return the key of the settings, or the one made and kept in the data folder."""
    private = settings.SIGNING_KEY
    if private is None:
        private = seed(KEPT_SIGNING_KEY, kept_text(settings.DATA_DIR, KEPT_SIGNING_KEY), "")
    if private is None:
        raise ImproperlyConfigured(f"The file {KEPT_SIGNING_KEY} in {settings.DATA_DIR} is empty. Remove it.")
    return Ed25519PrivateKey.from_private_bytes(private)


def stray(checkpoint: Checkpoint, using: str = "default") -> str:
    """Return why signing must stop after this checkpoint (its key is unknown), or ""."""
    try:
        lines = parse_note(checkpoint.note).signatures
    except Rejected as why:
        return f"The newest checkpoint ({checkpoint.pk}) cannot be read: {why} Run verify_audit_log."
    keys = [*known(using), signer(checkpoint.origin).vkey]
    signed = {(line.name, line.key_id) for line in lines if line.name == checkpoint.origin}
    if signed & {(key.name, key.key_id) for key in keys}:
        return ""
    return (
        f"The newest checkpoint ({checkpoint.pk}, of size {checkpoint.size}) is signed with a key that this process "
        "does not know, so the process signs no new checkpoint. Give every process the same PLUMBLINE_SIGNING_KEY. "
        "If the key was replaced on purpose, name the former public key in PLUMBLINE_FORMER_KEYS."
    )


def origin(using: str = "default") -> str:
    """Return the name of this log: as set, as in the last checkpoint, or from its key."""
    if settings.ORIGIN:
        return settings.ORIGIN
    latest = Checkpoint.objects.using(using).order_by("-pk").values_list("origin", flat=True).first()
    return latest or f"plumbline.invalid/{public_bytes(signing_key()).hex()[:12]}"


def signer(name: str) -> Signer:
    """Return the signer of checkpoints with this name."""
    return Signer(name, signing_key())


def known(using: str = "default") -> list[VerifierKey]:
    """Return every key whose signature counts: the current and former ones."""
    return [signer(origin(using)).vkey, *(parse_key(text) for text in settings.FORMER_KEYS)]


def signed_note(name: str, size: int, root: bytes, at: datetime) -> str:
    """Return the signed head of the log: c2sp.org/tlog-checkpoint, with a time line.

    `at` is the moment of signing, with its time zone.
    """
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n{SIGNED_AT}{moment}\n"
    return f"{body}\n{signer(name).line(body.encode())}"
