"""The keys that sign the heads of the audit log: ours, a witness's, and those of former days that still verify.

A key signs under a name; ours is the origin, which names this log for good and stays when the key is replaced.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from governance.models import Checkpoint
from governance.offline.verify import (
    DASH,
    SIGNED_AT,
    Rejected,
    VerifierKey,
    parse_key,
    parse_note,
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
        """What others verify with."""
        return verifier_key(self.name, public_bytes(self.private))

    def line(self, body: bytes) -> str:
        """The signature line under a note with this body."""
        signed = base64.b64encode(self.vkey.key_id + self.private.sign(body)).decode()
        return f"{DASH} {self.name} {signed}\n"


def public_bytes(private: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signing_key() -> Ed25519PrivateKey:
    """The key from the settings, or the one that this machine made for itself and keeps in the data folder."""
    private = settings.SIGNING_KEY
    if private is None:
        private = seed(KEPT_SIGNING_KEY, kept_text(settings.DATA_DIR, KEPT_SIGNING_KEY), "")
    if private is None:
        raise ImproperlyConfigured(f"The file {KEPT_SIGNING_KEY} in {settings.DATA_DIR} is empty; remove it.")
    return Ed25519PrivateKey.from_private_bytes(private)


def stray(checkpoint: Checkpoint, using: str = "default") -> str:
    """Why nothing may be signed after this checkpoint: its own key is none that is known here; empty when it is."""
    try:
        lines = parse_note(checkpoint.note).signatures
    except Rejected as why:
        return f"The newest checkpoint ({checkpoint.pk}) cannot be read: {why} Run verify_audit_log."
    keys = [*known(using), *(signer.vkey for signer in signers(checkpoint.origin))]
    signed = {(line.name, line.key_id) for line in lines if line.name == checkpoint.origin}
    if signed & {(key.name, key.key_id) for key in keys}:
        return ""
    return (
        f"The newest checkpoint ({checkpoint.pk}, of size {checkpoint.size}) is signed with a key that this process "
        "does not know, so it signs nothing on top of it. Give every process the same PLUMBLINE_SIGNING_KEY; where the "
        "key was replaced on purpose, name the former public key in PLUMBLINE_FORMER_KEYS."
    )


def origin(using: str = "default") -> str:
    """The name of this log: as set, or as it always was, or made of its first key."""
    if settings.ORIGIN:
        return settings.ORIGIN
    latest = Checkpoint.objects.using(using).order_by("-pk").values_list("origin", flat=True).first()
    return latest or f"plumbline.invalid/{public_bytes(signing_key()).hex()[:12]}"


def signers(name: str) -> list[Signer]:
    """Who signs a checkpoint of the log with this name: the log itself, then the witness if there is one."""
    found = [Signer(name, signing_key())]
    if settings.WITNESS_KEY is not None:
        found.append(Signer(f"{name}/witness", Ed25519PrivateKey.from_private_bytes(settings.WITNESS_KEY)))
    return found


def known(using: str = "default") -> list[VerifierKey]:
    """Every key whose signature counts: today's, the witness's, and the former ones."""
    return [
        *(signer.vkey for signer in signers(origin(using))),
        *(parse_key(text) for text in settings.FORMER_KEYS),
    ]


def signed_note(name: str, size: int, root: bytes, at: datetime) -> str:
    """Return the head of the log as it is handed out: c2sp.org/tlog-checkpoint, with the time in an extension line.

    `at` is the moment of signing, with its time zone.
    """
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n{SIGNED_AT}{moment}\n"
    return body + "\n" + "".join(signer.line(body.encode()) for signer in signers(name))
