#!/usr/bin/env python3
"""Checks an unpacked export, a receipt or a checkpoint, without Plumbline.

Needs Python 3.9 or later and nothing else. `cryptography` is used for speed if it is installed. Plumbline checks with
the same file. It follows RFC 6962 and RFC 9162 (the tree and its proofs), RFC 8032 (Ed25519), c2sp.org/signed-note,
c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature (the signed head and the signatures of witnesses), WebAuthn level
2 with FIPS 186-4 and RFC 8017 (what a passkey signed), RFC 7515 and 7518 (what an identity provider signed), and
refuses everything that deviates from them.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import datetime
import functools
import hashlib
import hmac
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None  # type: ignore[assignment]  # asked for before it is used

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None  # type: ignore[assignment, misc]  # asked for before it is used


class Rejected(ValueError):
    """Something does not verify, or is not in its exact form. The message describes it."""


# --- The tree (RFC 6962) ------------------------------------------------------------------------------------

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf with these bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Peaks:
    """A tree that grows leaf by leaf and keeps only the roots of its full subtrees.

    There is at most one root a level. `on_full(level, index, hash)` is called for every subtree of 2 ** level leaves
    that gets full, from level 1 on.
    """

    def __init__(
        self,
        size: int = 0,
        hashes: Sequence[bytes] = (),
        on_full: Callable[[int, int, bytes], None] | None = None,
    ) -> None:
        """Go on from a tree of `size`, given the roots of its full subtrees, the largest first."""
        if len(hashes) != bin(size).count("1"):
            raise Rejected(f"A tree of size {size} does not have {len(hashes)} full subtrees.")
        self.size = size
        self.hashes = list(hashes)
        self.on_full = on_full

    def push(self, hash: bytes, level: int = 0) -> None:
        """Append a leaf by its hash, or a full subtree of 2 ** level leaves at its place."""
        if self.size & ((1 << level) - 1):
            raise Rejected(f"No subtree of level {level} begins at {self.size}.")
        index = self.size >> level
        self.size += 1 << level
        while index & 1:
            hash = hashlib.sha256(b"\x01" + self.hashes.pop() + hash).digest()
            index >>= 1
            level += 1
            if self.on_full is not None:
                self.on_full(level, index, hash)
        self.hashes.append(hash)

    def root(self) -> bytes:
        """Return the root of the present tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for hash in reversed(self.hashes[:-1]):
            root = node_hash(hash, root)
        return root


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Iterable[bytes]) -> bytes:
    """Return the root from a leaf hash at `index` of `size` and its proof. Raises Rejected."""
    if not 0 <= index < size:
        raise Rejected(f"Position {index} is not in a tree of size {size}.")
    at, last, root = index, size - 1, leaf
    for hash in proof:
        if last == 0:
            raise Rejected("The proof of inclusion is too long.")
        if at & 1 or at == last:
            root = node_hash(hash, root)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            root = node_hash(root, hash)
        at >>= 1
        last >>= 1
    if last:
        raise Rejected("The proof of inclusion is too short.")
    return root


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise Rejected unless the proof shows that one tree begins the other."""
    if not 0 <= old_size <= size:
        raise Rejected(f"A tree of size {old_size} cannot be the beginning of one of size {size}.")
    if old_size in (0, size):
        if proof:
            raise Rejected("The proof of consistency is too long.")
        if old_root != (EMPTY_ROOT if old_size == 0 else root):
            raise Rejected(f"The two trees have different roots at size {old_size}.")
        return
    proof = list(proof)
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        raise Rejected("The proof of consistency is too short.")
    at, last = old_size - 1, size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    old, new = proof[0], proof[0]
    for hash in proof[1:]:
        if last == 0:
            raise Rejected("The proof of consistency is too long.")
        if at & 1 or at == last:
            old, new = node_hash(hash, old), node_hash(hash, new)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            new = node_hash(new, hash)
        at >>= 1
        last >>= 1
    if last:
        raise Rejected("The proof of consistency is too short.")
    if old != old_root:
        raise Rejected(f"The proof does not lead to the root at size {old_size}.")
    if new != root:
        raise Rejected(f"The proof does not lead to the root at size {size}.")


# --- Ed25519 (RFC 8032) -------------------------------------------------------------------------------------
# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x * y = T/Z.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(p: Point) -> Point:
    a, b, c = p[0] * p[0] % P, p[1] * p[1] % P, 2 * p[2] * p[2] % P
    h = a + b
    e = h - (p[0] + p[1]) * (p[0] + p[1]) % P
    g = a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _unpack(packed: bytes) -> Point | None:
    """Return the point of 32 bytes, or None if they are not its one written form."""
    y = int.from_bytes(packed, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _pack(p: Point) -> bytes:
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE: Any = _unpack((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))  # a point, this one is on the curve


@functools.lru_cache(maxsize=64)
def _public_point(public: bytes) -> Point | None:
    """Return the point of a public key, or None if off the curve or of small order."""
    point = _unpack(public)
    if point is None:
        return None
    eight = _double(_double(_double(point)))
    return None if eight[0] == 0 else point


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return True if `public` (32 bytes) made `signature` (64 bytes) of `message`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    if int.from_bytes(signature[32:], "little") >= ORDER or _public_point(bytes(public)) is None:
        return False
    if Ed25519PublicKey is None:
        return ed25519_verify_slowly(public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(bytes(public)).verify(bytes(signature), bytes(message))
    except (InvalidSignature, ValueError):
        return False
    return True


def ed25519_verify_slowly(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return the result of `ed25519_verify` in plain Python, in some milliseconds."""
    if len(public) != 32 or len(signature) != 64:
        return False
    point, factor = _public_point(bytes(public)), int.from_bytes(signature[32:], "little")
    if point is None or factor >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    minus = (P - point[0], point[1], point[2], P - point[3])
    both = _add(BASE, minus)
    total = NEUTRAL
    for bit in range(252, -1, -1):  # factor * BASE - challenge * point, both at once
        total = _double(total)
        in_factor, in_challenge = factor >> bit & 1, challenge >> bit & 1
        if in_factor and in_challenge:
            total = _add(total, both)
        elif in_factor:
            total = _add(total, BASE)
        elif in_challenge:
            total = _add(total, minus)
    return _pack(total) == bytes(signature[:32])


# --- ECDSA on P-256 and RSASSA-PKCS1-v1_5, both with SHA-256 (FIPS 186-4, RFC 8017) --------------------------
# Points are (X, Y, Z) with x = X/Z^2, y = Y/Z^3; Z = 0 is the neutral one. Nothing here is secret.

P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
Jacobian = tuple[int, int, int]


def _p256_double(point: Jacobian) -> Jacobian:
    x, y, z = point
    if not z:
        return point
    delta, gamma = z * z % P256, y * y % P256
    beta = x * gamma % P256
    alpha = 3 * (x - delta) * (x + delta) % P256
    x3 = (alpha * alpha - 8 * beta) % P256
    z3 = ((y + z) * (y + z) - gamma - delta) % P256
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P256, z3


def _p256_add(one: Jacobian, other: Jacobian) -> Jacobian:
    if not one[2]:
        return other
    if not other[2]:
        return one
    z1, z2 = one[2] * one[2] % P256, other[2] * other[2] % P256
    u1, u2 = one[0] * z2 % P256, other[0] * z1 % P256
    s1, s2 = one[1] * other[2] * z2 % P256, other[1] * one[2] * z1 % P256
    h, r = (u2 - u1) % P256, (s2 - s1) % P256
    if not h:
        return (1, 1, 0) if r else _p256_double(one)
    h2 = h * h % P256
    h3, v = h * h2 % P256, u1 * h2 % P256
    x3 = (r * r - h3 - 2 * v) % P256
    return x3, (r * (v - x3) - s1 * h3) % P256, h * one[2] * other[2] % P256


@functools.lru_cache(maxsize=64)
def _p256_sums(x: int, y: int) -> list[Jacobian]:
    """a * BASE + b * point for a and b from 0 to 3, at 4 * a + b."""
    neutral: Jacobian = (1, 1, 0)
    rows = [neutral, (x, y, 1)]
    rows += [_p256_double(rows[1]), _p256_add(_p256_double(rows[1]), rows[1])]
    bases = [neutral, P256_BASE, _p256_double(P256_BASE), _p256_add(_p256_double(P256_BASE), P256_BASE)]
    return [_p256_add(base, row) for base in bases for row in rows]


def p256_verify(x: int, y: int, message: bytes, signature: bytes) -> bool:
    """Return True if the public point made `signature` (DER) of `message`."""
    pair = _der_pair(signature)
    return pair is not None and p256_verify_pair(x, y, message, *pair)


def p256_verify_pair(x: int, y: int, message: bytes, r: int, s: int) -> bool:
    """Return True if the public point, on the curve, made `r` and `s` of `message`."""
    if not (0 <= x < P256 and 0 <= y < P256) or (y * y - (x * x * x - 3 * x + P256_B)) % P256:
        return False
    if not all(0 < number < P256_ORDER for number in (r, s)):
        return False
    inverse = pow(s, P256_ORDER - 2, P256_ORDER)
    of_base = int.from_bytes(hashlib.sha256(message).digest(), "big") * inverse % P256_ORDER
    of_point = r * inverse % P256_ORDER
    sums, total = _p256_sums(x, y), (1, 1, 0)
    for bit in range(254, -1, -2):
        total = _p256_double(_p256_double(total))
        place = (of_base >> bit & 3) << 2 | of_point >> bit & 3
        if place:
            total = _p256_add(total, sums[place])
    if not total[2]:
        return False
    return total[0] * pow(total[2], 2 * (P256 - 2), P256) % P256 % P256_ORDER == r


def _der_pair(signature: bytes) -> tuple[int, int] | None:
    """Return the two numbers of a signature in DER, in its one written form, or None."""
    if not 8 <= len(signature) <= 72 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        return None
    found, rest = [], signature[2:]
    for _ in range(2):
        if len(rest) < 3 or rest[0] != 0x02 or not 1 <= rest[1] <= 33 or len(rest) < 2 + rest[1]:
            return None
        number, rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        if number[0] & 0x80 or (len(number) > 1 and not number[0] and not number[1] & 0x80):
            return None
        found.append(int.from_bytes(number, "big"))
    return None if rest else (found[0], found[1])


SHA256_IN_DER = bytes.fromhex("3031300d060960864801650304020105000420")


def rs256_verify(modulus: int, exponent: int, message: bytes, signature: bytes) -> bool:
    """Return True if the RSA key made `signature`. The padding is compared, never read."""
    size = (modulus.bit_length() + 7) // 8
    if not 2048 <= modulus.bit_length() <= 8192 or not modulus & 1:
        return False
    if not 3 <= exponent < 1 << 32 or not exponent & 1 or len(signature) != size:
        return False
    number = int.from_bytes(signature, "big")
    if number >= modulus:
        return False
    end = SHA256_IN_DER + hashlib.sha256(message).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(end) - 3) + b"\x00" + end
    return hmac.compare_digest(pow(number, exponent, modulus).to_bytes(size, "big"), padded)


# --- Signed heads (c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature) ---------------

DASH = "\u2014"
ED25519 = b"\x01"
COSIGNATURE = b"\x04"  # Ed25519 too, of a witness: over a time and the note
COSIGNED_BYTES = 8 + 64  # its time and its signature
MOST_SIGNATURES = 64
LONGEST_NOTE = 1 << 20
SIZE = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)
KEY_NAME = re.compile(r"[^\s+]+\Z")
# The line after the root: when the checkpoint was signed. The format calls such lines extensions.
SIGNED_AT = "at "
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z", re.ASCII)
VERIFIER_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)\Z")


class Signature(NamedTuple):
    """One signature line: the claimed signer, the id of its key and the signature."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A checkpoint as it was read; nothing in it is verified yet. `body` are the bytes that are signed."""

    body: bytes
    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]
    signatures: tuple[Signature, ...]

    @property
    def at(self) -> datetime.datetime | None:
        """Return when the checkpoint was signed, in UTC; None if its signed text has no time. Raises Rejected."""
        times = [line[len(SIGNED_AT) :] for line in self.extensions if line.startswith(SIGNED_AT)]
        if not times:
            return None
        if len(times) > 1 or not MOMENT.match(times[0]):
            raise Rejected(
                "The time in the checkpoint is not valid. A valid time is 2026-11-25T21:47:01.000000Z."
            )
        return _moment(times[0])


class VerifierKey(NamedTuple):
    """A public key and the name it signs under."""

    name: str
    key_id: bytes
    public: bytes
    algorithm: bytes = ED25519

    def __str__(self) -> str:
        encoded = base64.b64encode(self.algorithm + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def from_base64(text: str, what: str) -> bytes:
    """Return the bytes of `text`, which is in the one form of standard Base64. Raises Rejected."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected(f"{what} is not Base64.") from None
    if base64.b64encode(decoded).decode() != text:
        raise Rejected(f"{what} is not in the canonical form of Base64.")
    return decoded


def key_id(name: str, public: bytes, algorithm: bytes = ED25519) -> bytes:
    """Return the four bytes that identify a key under its name."""
    return hashlib.sha256(name.encode() + b"\n" + algorithm + public).digest()[:4]


def verifier_key(name: str, public: bytes, algorithm: bytes = ED25519) -> VerifierKey:
    """Return the VerifierKey of 32 bytes that sign under `name`. Raises Rejected."""
    if not KEY_NAME.match(name):
        raise Rejected(f"{name!r} is not a valid name of a key. A name has no spaces and no plus sign.")
    return VerifierKey(name, key_id(name, public, algorithm), public, algorithm)


def parse_key(text: str, kinds: Sequence[bytes] = (ED25519,)) -> VerifierKey:
    """Read `name+hash+key`. Raises Rejected unless the key is of one of `kinds` and its hash is right.

    The kinds are ED25519, the key of a log, and COSIGNATURE, the key of a witness.
    """
    match = VERIFIER_KEY.match(text)
    if not match:
        raise Rejected("The format of a key is wrong. A key has the format name+hash+key.")
    name, written_id, encoded = match.groups()
    decoded = from_base64(encoded, f"The key {name}")
    if decoded[:1] not in kinds or len(decoded) != 33:
        raise Rejected(f"The key {name} is not {_kind_in_words(kinds)}.")
    key = verifier_key(name, decoded[1:], decoded[:1])
    if key.key_id.hex() != written_id:
        raise Rejected(f"The key {name} does not have the hash {written_id}.")
    if _public_point(key.public) is None:
        raise Rejected(f"The key {name} is not a valid Ed25519 key.")
    return key


def _kind_in_words(kinds: Sequence[bytes]) -> str:
    words = {ED25519: "an Ed25519 key", COSIGNATURE: "an Ed25519 key of a witness (cosignature/v1)"}
    return " or ".join(words[kind] for kind in kinds)


def split_note(text: str | bytes) -> tuple[bytes, tuple[Signature, ...]]:
    """Read a signed note (bytes or text): the bytes that are signed, and its Signatures. Raises Rejected."""
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    if len(text) > LONGEST_NOTE:
        raise Rejected("The note is too long.")
    try:
        written = text.decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("The note is not UTF-8.") from None
    if re.search("[\x00-\x09\x0b-\x1f]", written):
        raise Rejected("The note contains a control character.")
    head, blank, tail = written.rpartition("\n\n")
    if not blank or not head or not tail.endswith("\n"):
        raise Rejected(
            "The format of the note is wrong. A note has a text, an empty line and lines with signatures."
        )
    signatures = tuple(_signature(line) for line in tail[:-1].split("\n"))
    if len(signatures) > MOST_SIGNATURES:
        raise Rejected("The note has too many signatures.")
    return f"{head}\n".encode(), signatures


def parse_note(text: str | bytes) -> Note:
    """Read a checkpoint (bytes or text). Raises Rejected if it is not in its exact form."""
    body, signatures = split_note(text)
    lines = body.decode()[:-1].split("\n")
    if len(lines) < 3 or "" in lines:
        raise Rejected("The format of the checkpoint is wrong. The first lines are origin, size and root.")
    origin, size, root, *extensions = lines
    if not SIZE.match(size):
        raise Rejected("The size in the checkpoint is not a valid number. The number has no leading zeroes.")
    hash = from_base64(root, "The root in the checkpoint")
    if len(hash) != 32:
        raise Rejected("The root in the checkpoint does not have 32 bytes.")
    if int(size) == 0 and hash != EMPTY_ROOT:
        raise Rejected("The checkpoint has size 0, but its root is not the root of an empty tree.")
    return Note(body, origin, int(size), hash, tuple(extensions), signatures)


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != DASH:
        raise Rejected("A signature line of the note is wrong. A line has a dash, a name and a signature.")
    if not KEY_NAME.match(parts[1]):
        raise Rejected("The name in a signature line is not a valid name of a key.")
    decoded = from_base64(parts[2], "A signature")
    if len(decoded) < 5:
        raise Rejected("A signature is too short.")
    return Signature(parts[1], decoded[:4], decoded[4:])


def signers_of(
    body: bytes,
    signatures: Iterable[Signature],
    vkeys: Iterable[str | VerifierKey],
    known_only: bool = False,
) -> list[VerifierKey]:
    """Return the keys among `vkeys` (text or VerifierKey) that signed the body.

    Signatures of other keys are ignored, as the format asks, or refused with `known_only`. Raises Rejected for a
    wrong signature by a trusted key, and for a note without any signature by a trusted key.
    """
    keys = {}
    for vkey in vkeys:
        trusted = parse_key(vkey) if isinstance(vkey, str) else vkey
        if trusted.algorithm == ED25519:
            keys[trusted.name, trusted.key_id] = trusted
    signers = []
    for line in signatures:
        key = keys.get((line.name, line.key_id))
        if key is None:
            if known_only:
                raise Rejected(f"The note has a signature by an unknown key of {line.name}.")
            continue
        if not ed25519_verify(key.public, body, line.signature):
            raise Rejected(f"The signature of {line.name} is wrong.")
        if key in signers:
            raise Rejected(f"{line.name} signed twice.")
        signers.append(key)
    if not signers:
        raise Rejected("No known key signed the note.")
    return signers


def note_verify(
    text: str | bytes,
    vkeys: Iterable[str | VerifierKey],
    origin: str | None = None,
    known_only: bool = False,
) -> tuple[Note, list[VerifierKey]]:
    """Read a checkpoint and return (note, keys that signed it). Raises Rejected.

    `vkeys` and `known_only` are those of `signers_of`. With `origin` the note must be of that log and signed by a key
    of the same name: the key of another log does not make it this log's.
    """
    note = parse_note(text)
    signers = signers_of(note.body, note.signatures, vkeys, known_only)
    if origin is not None:
        if note.origin != origin:
            raise Rejected(f"The checkpoint belongs to the log {note.origin}, not to {origin}.")
        if all(key.name != origin for key in signers):
            raise Rejected(f"The checkpoint is not signed by {origin} itself.")
    return note, signers


class Cosignature(NamedTuple):
    """The word of a witness that up to the checkpoint the log had only grown at this time."""

    key: VerifierKey
    at: datetime.datetime


def split_cosigned(text: str | bytes) -> tuple[str, tuple[Signature, ...]]:
    """Return a checkpoint without the lines of witnesses, and these lines. Raises Rejected.

    The line of a witness is known by its length, because it contains a time.
    """
    body, signatures = split_note(text)
    cosigned = tuple(line for line in signatures if len(line.signature) == COSIGNED_BYTES)
    rest = "".join(map(signature_line, (line for line in signatures if line not in cosigned)))
    return f"{body.decode()}\n{rest}", cosigned


def signature_line(line: Signature) -> str:
    """Return a signature as its line under a note."""
    return f"{DASH} {line.name} {base64.b64encode(line.key_id + line.signature).decode()}\n"


def cosignatures_of(
    body: bytes, lines: Iterable[Signature], witnesses: Iterable[VerifierKey]
) -> tuple[list[Cosignature], list[str]]:
    """Return the cosignatures by known witnesses over the body of a note, and the names in the lines of others.

    Raises Rejected for a wrong cosignature by a known witness.
    """
    keys = {(key.name, key.key_id): key for key in witnesses if key.algorithm == COSIGNATURE}
    found, unknown = [], []
    for line in lines:
        key = keys.get((line.name, line.key_id))
        if key is None:
            unknown.append(line.name)
            continue
        seconds, signature = int.from_bytes(line.signature[:8], "big"), line.signature[8:]
        signed = f"cosignature/v1\ntime {seconds}\n".encode() + body
        if len(line.signature) != COSIGNED_BYTES or not ed25519_verify(key.public, signed, signature):
            raise Rejected(f"The cosignature of {line.name} is wrong.")
        try:
            at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
        except OverflowError:
            raise Rejected(f"The time in the cosignature of {line.name} is not valid.") from None
        found.append(Cosignature(key, at))
    return found, unknown


# --- Entries and receipts -----------------------------------------------------------------------------------

RECEIPT = "plumbline receipt 1"
INTERACTION = "plumbline interaction 1"
INTERACTION_BEGINS = f'{{\n "format": "{INTERACTION}"'.encode()


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return the digest of a body in its entry: HMAC-SHA256 under the salt."""
    return hmac.new(salt, body, hashlib.sha256).digest()


def parse_json(content: bytes, what: str) -> Any:
    """Return the object in the bytes, JSON in UTF-8 without repeated names. Raises Rejected."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Rejected(f"{what} contains the same name twice.")
        return found

    def no_constant(name: str) -> NoReturn:
        raise Rejected(f"{what} contains {name}, which is not a number.")

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=once, parse_constant=no_constant)
    except Rejected:
        raise
    except (ValueError, RecursionError):  # no UTF-8, no JSON, a number of thousands of digits
        raise Rejected(f"{what} is not JSON in UTF-8.") from None


def check_entry(leaf: bytes, body: bytes | None, salt: bytes | None, what: str) -> dict[str, Any]:
    """Return the leaf as an object, checked with body and salt (None: erased). Raises Rejected."""
    entry = parse_json(leaf, f"The leaf of {what}")
    if not isinstance(entry, dict) or not isinstance(entry.get("digest"), str):
        raise Rejected(f"The leaf of {what} is not an entry with its digest.")
    if (body is None) != (salt is None):
        raise Rejected(f"Only one of body and salt of {what} is present.")
    if (
        body is not None
        and salt is not None
        and not hmac.compare_digest(commitment(salt, body).hex(), entry["digest"])
    ):
        raise Rejected(f"The body of {what} does not have its recorded digest.")
    return entry


def receipt_bytes(receipt: dict[str, Any]) -> bytes:
    """Return the one written form of a receipt."""
    return (json.dumps(receipt, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def check_receipt(
    content: bytes, vkeys: Iterable[str | VerifierKey] = ()
) -> tuple[dict[str, Any], dict[str, Any], Note, list[VerifierKey]]:
    """Check a receipt file. Return (receipt, entry, note, keys that signed). Raises Rejected.

    Without `vkeys` the receipt is checked with the keys that it names. The result then proves something only to a
    person who has compared those keys, or the checkpoint, with a copy from elsewhere.
    """
    receipt = parse_json(content, "The receipt")
    fields = {"format", "position", "leaf", "body", "salt", "proof", "checkpoint", "keys"}
    if not isinstance(receipt, dict) or set(receipt) != fields or receipt["format"] != RECEIPT:
        raise Rejected("The file is not a receipt.")
    texts = [receipt["leaf"], receipt["checkpoint"]]
    texts += [text for text in (receipt["body"], receipt["salt"]) if text is not None]
    if not all(isinstance(receipt[name], list) for name in ("proof", "keys")):
        raise Rejected("The proof or the keys of the receipt are not a list.")
    if type(receipt["position"]) is not int or not all(
        isinstance(text, str) for text in texts + receipt["proof"] + receipt["keys"]
    ):
        raise Rejected("The receipt contains a value of the wrong type.")
    try:
        written = receipt_bytes(receipt)
    except UnicodeEncodeError:
        raise Rejected("The receipt contains characters that are not text.") from None
    if written != content:
        raise Rejected("The format of the receipt is not valid.")
    leaf = receipt["leaf"].encode()
    body = None if receipt["body"] is None else receipt["body"].encode()
    salt = None if receipt["salt"] is None else from_base64(receipt["salt"], "The salt of the receipt")
    entry = check_entry(leaf, body, salt, "the receipt")
    proof = [from_base64(hash, "The proof of the receipt") for hash in receipt["proof"]]
    if any(len(hash) != 32 for hash in proof):
        raise Rejected("The proof of the receipt contains a value that is not a hash.")
    trusted = list(vkeys) or receipt["keys"]
    note = parse_note(receipt["checkpoint"])
    note, signers = note_verify(receipt["checkpoint"], trusted, note.origin, known_only=not vkeys)
    if note.root != root_from_inclusion(receipt["position"], note.size, leaf_hash(leaf), proof):
        raise Rejected("The proof of the receipt does not lead to the root of its checkpoint.")
    return receipt, entry, note, signers


def check_interaction(
    content: bytes, vkeys: Iterable[str | VerifierKey] = ()
) -> tuple[dict[str, Any], dict[str, Any], Note, list[VerifierKey]]:
    """Check one interaction and return (what was reported, receipt, note, keys).

    Its body fits its digest, its digest the root of its batch, and the receipt is of the entry that keeps that root.
    Raises Rejected.
    """
    out = parse_json(content, "The interaction")
    try:
        said, batch, path = (
            out["interaction"]["body"],
            out["interaction"]["batch"],
            out["interaction"]["path"],
        )
        digest = commitment(bytes.fromhex(out["interaction"]["salt"]), said.encode())
        place, receipt_text = out["interaction"]["place"], out["receipt"]
        proof = [bytes.fromhex(hash) for hash in path]
        if digest.hex() != out["interaction"]["digest"]:
            raise Rejected("The body of the interaction does not have its recorded digest.")
        if root_from_inclusion(place, batch["count"], leaf_hash(digest), proof).hex() != batch["root"]:
            raise Rejected("The path of the interaction does not lead to the root of its batch.")
        receipt, entry, note, signers = check_receipt(receipt_text.encode(), vkeys)
        row = parse_json((receipt["body"] or "null").encode(), "The body of the receipt")["after"]
        if entry["table"] != "governance_interactionbatch" or entry["key"] != str(batch["id"]):
            raise Rejected("The receipt belongs to a different batch than the interaction.")
        if (row["root"], row["count"]) != (batch["root"], batch["count"]):
            raise Rejected("The batch differs from the batch in the audit log.")
        return parse_json(said.encode(), "The body of the interaction"), receipt, note, signers
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        if isinstance(wrong, Rejected):
            raise
        raise Rejected("The file is not an exported interaction.") from None


# --- What was allowed ---------------------------------------------------------------------------------------
# Beside what was recorded: whether it was allowed. The database writes a number into each entry of a row, `rules`, that
# says by which of these rules it is judged. There is one number so far.

APPROVALS = ("approve", "approve_with_condition")
LET_THROUGH = ("approved", "approved_with_conditions")
DECIDED = (*LET_THROUGH, "refused")
CHAIRS = ("chair", "deputy_chair")
TIERS = ("", "minimal", "limited", "high")
BY_CHAIR = ("step back", "emergency", "reopened")
CONCURRENT = datetime.timedelta(seconds=10)  # what came so shortly before, a running act may not have seen
# What is kept of the rows that judging rests on; the others are not looked at.
JUDGED = {
    "governance_board": ("unit_id", "decides_from"),
    "governance_contractapproval": ("version_id", "seat", "person_id", "digest", "at"),
    "governance_contractversion": ("contract_id", "number", "state", "digest", "author_id"),
    "governance_membership": ("board_id", "person_id", "seat", "starts_at", "ends_at", "granted_by_id"),
    "governance_rulebook": ("published_at",),
    "governance_unit": ("code", "path"),
    "governance_user": ("is_active", "is_admin", "is_auditor"),
    "initiatives_initiative": (
        "number",
        "unit_id",
        "stage",
        "tier",
        "proposed_tier",
        "registered_by_id",
        "contract_id",
    ),
    "initiatives_obligation": ("initiative_id", "kind", "completed_at"),
    "initiatives_review": (
        "initiative_id",
        "gate",
        "rulebook_id",
        "outcome",
        "opened_by_id",
        "opened_at",
        "ended_by_id",
        "ended_at",
    ),
    "initiatives_roleassignment": (
        "initiative_id",
        "role",
        "person_id",
        "accepted_at",
        "declined_at",
        "ended_at",
    ),
    "initiatives_signoff": (
        "review_id",
        "seat",
        "person_id",
        "verdict",
        "criteria",
        "digest",
        "replaces_id",
        "at",
        "reason",
    ),
    "initiatives_question": (),
    "initiatives_stagechange": (
        "initiative_id",
        "from_stage",
        "to_stage",
        "basis",
        "review_id",
        "by_id",
        "at",
        "entry_id",
        "consumed",
    ),
}
# What an export can hold: the whole audit log, the entries of one initiative, or those of a period.
SCOPES = ("all", "initiative", "period")
JUDGED_ACTS: tuple[str, ...] = (
    "stage changed",
    "signed off",
    "sign-off withdrawn",
    "review approved",
    "review approved with conditions",
    "contract approved",
    "contract in force",
)
OF_ACTS = ("review", "seat", "digest", "number", "from", "to", "person_id", "row_id", "one_id", "hold")
PEOPLE = ("governance_membership", "governance_user", "governance_board", "governance_unit")
ROLES = ("initiatives_roleassignment", "initiatives_initiative")

_Row = dict[str, Any]  # a row, an entry or a body, as the audit log writes it


class Need(NamedTuple):
    """A change of a row that needs its act in the same transaction, by the same actor.

    One of `columns` must change, or none is named for a new row. `fact` is the fact of the act about the row, and
    `column` has the same value in the row. Without `fact`, the act is about the same initiative. `who` is a rule of
    `Judge._entitled`, or "". `named` is the column with the acting person, or "".
    """

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    fact: str = ""
    column: str = ""
    who: str = ""
    named: str = ""


def _of_person(columns: str, *kinds: str, who: str = "", named: str = "") -> Need:
    return Need(tuple(columns.split()), kinds, "person_id", "person_id", who, named)


def _of_house(columns: str, *kinds: str, who: str = "admin", named: str = "") -> Need:
    return Need(tuple(columns.split()), kinds, "", "", who, named)


RESET = "factors reset"
RIGHTS = ("is_admin", "is_auditor", "is_privacy_officer")
# What opens an account or gives a right: a hash, a key, a mark, a seat.
ACCOUNTS: dict[str, tuple[Need, ...]] = {
    "governance_user": (
        Need((), ("account added",), "person_id", "id"),
        Need(("password",), ("password set", "password hashed again"), "person_id", "id"),
        Need(RIGHTS, ("user changed",), "row_id", "id", "admin"),
        Need(("login", "email"), ("user changed", "account changed"), "row_id", "id"),
        Need(
            ("is_active",),
            ("account deactivated", "account reactivated"),
            "person_id",
            "id",
            "admin or system",
        ),
    ),
    "governance_membership": (
        _of_person("", "appointed", who="grants"),
        _of_person("confirmed_by_id", "seat confirmed", named="confirmed_by_id"),
        _of_person("ends_at", "seat left"),
    ),
    "governance_passkey": (
        _of_person("", "passkey added", who="own"),
        _of_person("confirmed_by_id", "passkey confirmed", who="admin", named="confirmed_by_id"),
        _of_person("ended_at", "passkey revoked", RESET),
    ),
    "governance_authenticatorapp": (
        _of_person("", "authenticator app added", who="own"),
        _of_person("ended_at", "authenticator app revoked", "authenticator app added", RESET),
    ),
    "governance_recoverycode": (
        _of_person("", "recovery codes made", who="own"),
        _of_person("used_at", "recovery code used", who="own"),
        _of_person("ended_at", "recovery codes made", RESET),
    ),
    "governance_externalidentity": (
        _of_person("", "external identity linked", who="links", named="linked_by_id"),
        _of_person("ended_at", "external identity revoked", named="ended_by_id"),
    ),
    "governance_factorreset": (
        _of_person("", "reset of factors asked for", who="admin", named="asked_by_id"),
        _of_person("done_at", RESET),
    ),
    "governance_sameperson": (
        Need((), ("pair of accounts found",), "one_id", "one_id"),
        Need(("cleared_at",), ("pair of accounts cleared",), "one_id", "one_id", "admin", "cleared_by_id"),
    ),
    "governance_breakglass": (
        _of_person("", "break-glass account marked", who="admin", named="marked_by_id"),
    ),
    "governance_signinpolicy": (
        _of_house("", "local accounts switched"),
        _of_house("local_accounts", "local accounts switched"),
    ),
    "governance_identityprovider": (
        _of_house("", "identity provider added"),
        _of_house("client_id secret_box switched_on makes_people", "identity provider changed"),
    ),
    "governance_directory": (
        _of_house("", "directory added", named="made_by_id"),
        _of_house("secret_hash revoked_at", "key of a directory renewed", "key of a directory revoked"),
    ),
    "governance_legalhold": (
        Need((), ("legal hold opened",), "hold", "id", "admin or auditor", "opened_by_id"),
        Need(("lifted_at",), ("legal hold lifted",), "hold", "id", "admin or auditor", "lifted_by_id"),
    ),
}


def _of_initiative(columns: str, *kinds: str, who: str = "", named: str = "") -> Need:
    return Need(tuple(columns.split()), kinds, "initiative", "", who, named)


# Binding acts on an initiative beside sign-offs, decisions, contracts and moves by the chair, which are judged one by
# one below.
ACTS_ON_INITIATIVES: dict[str, tuple[Need, ...]] = {
    "initiatives_hold": (
        _of_initiative("", "hold opened", who="concerned", named="opened_by_id"),
        _of_initiative("lifted_at", "hold lifted", who="lifts", named="lifted_by_id"),
    ),
    "initiatives_killswitch": (
        _of_initiative("", "switched off", who="stops", named="pressed_by_id"),
        _of_initiative("released_at", "switched on", who="stops", named="released_by_id"),
    ),
    "initiatives_initiative": (
        _of_initiative(
            "tier tier_confirmed_at tier_scope tier_purpose",
            "risk tier confirmed",
            who="risk seat",
            named="tier_confirmed_by_id",
        ),
        _of_initiative("reattested_at", "re-attested", who="decides"),
        _of_initiative("confidential", "details changed", who="owns"),
        _of_initiative("withdrawn_at", "withdrawn", who="withdraws"),
    ),
    "initiatives_waiver": (
        _of_initiative("", "waiver requested", who="owns", named="requested_by_id"),
        _of_initiative("chair_id", "waiver agreed", who="decides", named="chair_id"),
        _of_initiative("risk_id", "waiver agreed", who="risk seat", named="risk_id"),
        _of_initiative("refused_by_id", "waiver refused", "stage changed", who="refuses", named="refused_by_id"),
    ),
    "initiatives_acceptedrisk": (
        _of_initiative("", "acceptance of a risk requested", who="concerned", named="requested_by_id"),
        _of_initiative("risk_id", "risk accepted", who="risk seat", named="risk_id"),
        _of_initiative("refused_by_id", (
            "acceptance of a risk refused"
        ), who="refuses", named="refused_by_id"),
        _of_initiative("reviewed_at", "accepted risk reviewed", who="risk seat", named="reviewed_by_id"),
        _of_initiative("ended_by_id", "accepted risk ended", who="refuses", named="ended_by_id"),
    ),
    "initiatives_condition": (
        _of_initiative("", "condition fixed", who="decides"),
        _of_initiative("met_by_id", "condition met", who="answers", named="met_by_id"),
        _of_initiative("not_met_at", "condition not met", who="judges", named="not_met_by_id"),
    ),
    "initiatives_obligation": (
        _of_initiative("", "obligation opened"),
        _of_initiative("completed_at", "obligation completed"),
    ),
    "initiatives_excuse": (_of_initiative("", "obligation excused", who="decides", named="by_id"),),
    "initiatives_continuation": (_of_initiative("", "continued", who="decides", named="by_id"),),
    "initiatives_review": (
        _of_initiative("", "review opened", who="owns", named="opened_by_id"),
        _of_initiative(
            "outcome", "review approved", (
                "review approved with conditions"
            ), "review refused", "review returned",
            "review withdrawn", "review expired", who="ends", named="ended_by_id",
        ),
    ),
    "initiatives_stagechange": (_of_initiative("", who="moves", named="by_id"),),  # its act: `Judge._entered`
    "initiatives_roleassignment": (_of_initiative("accepted_at", "role accepted", who="own"),),
    "initiatives_answer": (
        _of_initiative("accepted_by_id", "not applicable accepted", who="accepted", named="accepted_by_id"),
        _of_initiative("second_by_id", "not applicable accepted", who="second", named="second_by_id"),
    ),
    "initiatives_standalonedeclaration": (
        _of_initiative("accepted_by_id", "standalone accepted", who="accepted", named="accepted_by_id"),
        _of_initiative("second_by_id", "standalone accepted", who="second", named="second_by_id"),
    ),
    "governance_servicekey": (
        _of_initiative("", "key made", who="runs", named="made_by_id"),
        _of_initiative("principal_id", "key made", "key principal named", who="runs"),
    ),
    "initiatives_pipeline": (
        _of_initiative("", "pipeline declared", who="runs", named="by_id"),
        _of_initiative("ended_at", "pipeline ended", who="shuts", named="ended_by_id"),
        _of_initiative(
            "confirmed_by_id confirmed_at confirmed_seat confirmed_until",
            "pipeline confirmed",
            who="confirmed",
            named="confirmed_by_id",
        ),
    ),
    "initiatives_pipelinebar": (
        _of_initiative("", "bar declared", who="runs", named="by_id"),
        _of_initiative(
            "confirmed_by_id confirmed_at confirmed_seat confirmed_until",
            "bar confirmed",
            who="confirmed",
            named="confirmed_by_id",
        ),
    ),
}  # fmt: skip
# The consents of two, by table: for each its person, its moment, and the column of its seat or its seats.
OF_TWO: dict[str, tuple[tuple[str, str, str | tuple[str, ...]], ...]] = {
    "initiatives_waiver": (
        ("chair_id", "chair_at", CHAIRS),
        ("risk_id", "risk_at", ("risk_compliance",)),
    ),
    "initiatives_answer": (
        ("accepted_by_id", "accepted_at", "accepted_seat"),
        ("second_by_id", "second_at", "second_seat"),
    ),
    "initiatives_standalonedeclaration": (
        ("accepted_by_id", "accepted_at", "accepted_seat"),
        ("second_by_id", "second_at", "second_seat"),
    ),
}
NEEDS = {
    table: (*ACCOUNTS.get(table, ()), *ACTS_ON_INITIATIVES.get(table, ()))
    for table in (*ACCOUNTS, *ACTS_ON_INITIATIVES)
}
# The substitutes, which decide who owns an initiative for a while.
STANDING_IN = {
    "governance_absence": ("person_id", "starts_at", "ends_at"),
    "governance_delegation": ("absence_id", "membership_id", "delegate_id", "accepted_at", "ended_at"),
}
JUDGED |= {table: () for table in NEEDS if table not in JUDGED} | STANDING_IN


class Governed(NamedTuple):
    """The changes that the rows of a governed table may have. The guards of the database are made from these lines.

    `changes` are the columns that may change, and `once` those that may be written once, where they were empty. All
    other columns stay as they were written. `names` are the columns that name their writer, in `by_system` also if
    the system writes them. Rows are deleted only where `deleted` is true. If a line names `acts`, each change has one
    of them, in the same transaction, of the same actor and on the same initiative. With `by_admin` only admins change
    rows; the system adds them and ends them.
    """

    changes: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    by_system: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    deleted: bool = False
    by_admin: bool = False


def _rows(
    changes: str = "",
    once: str = "",
    *,
    names: str = "",
    by_system: str = "",
    until: str = "",
    acts: str = "",
    deleted: bool = False,
    by_admin: bool = False,
) -> Governed:
    return Governed(
        changes=tuple(changes.split()),
        once=tuple(once.split()),
        names=tuple(names.split()),
        by_system=tuple(by_system.split()),
        until=tuple(until.split()),
        acts=tuple(acts.split(", ")) if acts else (),
        deleted=deleted,
        by_admin=by_admin,
    )


WITHDRAWN = "withdrawn_at withdrawn_by_id withdrawn_reason"
CONFIRMED = "confirmed_by_id confirmed_at confirmed_seat confirmed_until"
ENDED = "ended_at ended_by_id ended_reason"
ACCEPTED = "accepted_by_id accepted_seat accepted_at second_by_id second_seat second_at"
JUDGED_REPORT = "answer judged_by_id judged_at incident_id"
TERMS = "awaits_confirmation confirmed_by_id confirmed_at"
# Each governed table. A new one without its line stops the start (`row_capture.check_models`).
GOVERNED: dict[str, Governed] = {
    # What opens: accounts, seats, keys, receivers, units.
    "governance_absence": _rows("ends_at", names="person_id"),
    "governance_apitoken": _rows(
        "expires_at", ENDED, names="owner_id ended_by_id", acts="api token made, api token ended"
    ),
    "governance_authenticatorapp": _rows(
        once="ended_at ended_by_id", names="person_id ended_by_id", by_system="ended_by_id"
    ),
    "governance_board": _rows(
        "name unit_id",
        "decides_from",
        by_admin=True,
    ),
    "governance_breakglass": _rows(names="marked_by_id", deleted=True),
    "governance_clientkey": _rows(once="ended_at", by_admin=True),
    "governance_delegation": _rows("stands_id", "accepted_at ended_at ended_reason"),
    "governance_directory": _rows(
        "public secret_hash made_at expires_at revoked_at revoked_by_id revoked_reason",
        names="made_by_id revoked_by_id",
    ),
    "governance_eventreceiver": _rows(
        once=ENDED,
        names="made_by_id ended_by_id",
        acts="event receiver added, event receiver ended",
        by_admin=True,
    ),
    "governance_externalidentity": _rows(
        "subject", ENDED, names="linked_by_id ended_by_id", until="ended_at"
    ),
    "governance_factorreset": _rows(
        once="done_at stopped_at stopped_by_id", names="asked_by_id stopped_by_id"
    ),
    "governance_identityprovider": _rows(
        "name client_id authentication secret_box secret_set_at scopes takes_guests makes_people unit_claim "
        "signing_acr switched_on"
    ),
    "governance_legalhold": _rows(
        once="lifted_at lifted_by_id lift_reason", names="opened_by_id lifted_by_id"
    ),
    "governance_membership": _rows("ends_at", "confirmed_by_id confirmed_at", names="confirmed_by_id"),
    "governance_passkey": _rows(
        once="confirmed_at confirmed_by_id ended_at ended_by_id",
        names="person_id confirmed_by_id ended_by_id",
        by_system="ended_by_id",
    ),
    "governance_providerkey": _rows("gone_at"),
    "governance_recoverycode": _rows(once="used_at ended_at", names="person_id"),
    "governance_sameperson": _rows(
        once="cleared_at cleared_by_id cleared_reason", names="found_by_id cleared_by_id"
    ),
    "governance_servicekey": _rows(
        "principal_id principal_left_at expires_at",
        "revoked_at revoked_by_id revoked_reason",
        names="made_by_id revoked_by_id",
        acts="key made, key revoked, key principal named, key without a responsible person",
    ),
    "governance_signinpolicy": _rows("local_accounts changed_at"),
    "governance_unit": _rows(
        "name code parent_id path",
        "merged_into_id",
        acts="unit added, unit changed, unit moved, units merged",
        by_admin=True,
    ),
    "governance_user": _rows(
        "password login full_name email unit_id manager_id is_active is_admin is_auditor is_privacy_officer "
        "signs_from address_changed_at may_be_another"
    ),
    "initiatives_pipeline": _rows(
        CONFIRMED,
        ENDED,
        names="by_id ended_by_id confirmed_by_id",
        acts="pipeline declared, pipeline ended, pipeline confirmed",
    ),
    "initiatives_pipelinebar": _rows(
        CONFIRMED, "ended_at", names="by_id confirmed_by_id", acts="bar declared, bar confirmed"
    ),
    # Rulebooks, contracts and samples of the audit.
    "governance_clause": _rows("kind sentence terms fingerprint position", deleted=True),
    "governance_clausecomment": _rows(once="resolved_by_id resolved_at", names="by_id resolved_by_id"),
    "governance_contract": _rows(),
    "governance_contractapproval": _rows(names="person_id", acts="contract approved"),
    "governance_contractversion": _rows(
        "state written_at digest edition wanted_from starts_at ends_at", names="author_id"
    ),
    "governance_criterion": _rows(by_admin=True),
    "governance_gate": _rows(by_admin=True),
    "governance_requirement": _rows(by_admin=True),
    "governance_rulebook": _rows(
        "admin_id chair_id published_at takes_effect effective_on",
        names="loaded_by_id admin_id chair_id",
        until="published_at",
        acts="rulebook loaded, publication proposed, rulebook published",
    ),
    "governance_sample": _rows(
        once="finished_by_id finished_at",
        names="drawn_by_id finished_by_id",
    ),
    "governance_sampledentry": _rows(
        "notes conclusion words concluded_by_id concluded_at",
        names="concluded_by_id",
    ),
    "governance_signatureproof": _rows(names="person_id"),
    "governance_signingrule": _rows(),
    "governance_vocabularyword": _rows("words retired_at"),
    # What the machines of the installation write.
    "governance_apitokenuse": _rows(),
    "governance_decisionbatch": _rows(),
    "governance_interactionbatch": _rows(),
    "governance_keyheartbeat": _rows(),
    # What is on its way to receivers of events. These rows are no entries.
    "governance_auditlogreader": _rows("position failing_since last_error"),
    "governance_eventdelivery": _rows(
        "attempts made_at next_at claimed_at sent_at given_up_at status answer last_error", deleted=True
    ),
    # Initiatives, their stages and who has a part in them.
    "initiatives_initiative": _rows(
        "title unit_id problem stage basis since confidential platform proposed_tier worst_credible_harm tier "
        "tier_confirmed_by_id tier_confirmed_at tier_scope tier_purpose purpose_changed_at reattested_at "
        "withdrawn_at withdrawn_reason joined_to_id",
        "contract_id",
        names="registered_by_id tier_confirmed_by_id",
    ),
    "initiatives_businesscase": _rows("vendor currency budget run_cost benefit go_live_on ticket"),
    "initiatives_continuation": _rows(names="by_id"),
    "initiatives_formertitle": _rows(names="by_id"),
    "initiatives_handover": _rows(
        once="accepted_at ended_at ended_reason", names="proposed_by_id", until="accepted_at ended_at"
    ),
    "initiatives_notsimilar": _rows(names="by_id"),
    "initiatives_pastsupportedstage": _rows(),
    "initiatives_roleassignment": _rows(
        "accepted_at accepted_words ended_reason", "declined_at ended_at", names="proposed_by_id"
    ),
    "initiatives_stagechange": _rows(once="consumed", names="by_id"),
    # What binds: answers, evidence, reviews, holds, conditions, consents.
    "initiatives_acceptedrisk": _rows(
        "reviewed_by_id reviewed_at reviewed_words",
        f"risk_id risk_at refused_by_id refused_at refused_reason {ENDED}",
        names="requested_by_id risk_id refused_by_id reviewed_by_id ended_by_id",
    ),
    "initiatives_answer": _rows(
        f"kind text version by_id at {ACCEPTED}", names="by_id accepted_by_id second_by_id", by_system="by_id"
    ),
    "initiatives_approvalanswer": _rows(names="person_id", acts="approval answered"),
    "initiatives_approvalrequest": _rows(
        once="decided_at granted", until="decided_at", acts="approval asked, approval answered"
    ),
    "initiatives_approvaluse": _rows(acts="approval used"),
    "initiatives_condition": _rows(
        "text owner_id due met_at met_by_id met_note not_met_at not_met_by_id not_met_reason",
        names="met_by_id not_met_by_id",
    ),
    "initiatives_coverage": _rows(),
    "initiatives_declaredgoal": _rows(
        "declared declared_at result outcome evidence_id reported_at", "frozen_at"
    ),
    "initiatives_dependant": _rows(
        once="confirmed_at declined_at declined_reason statement_id ended_at", names="stated_by_id"
    ),
    "initiatives_drawnrequirement": _rows(),
    "initiatives_evidence": _rows(
        "missing_since supersedes_id",
        "withdrawn_at withdrawn_reason",
        names="author_id",
        by_system="author_id",
    ),
    "initiatives_evidencenames": _rows(),
    "initiatives_evidenceopening": _rows(names="person_id"),
    "initiatives_excuse": _rows(names="by_id"),
    "initiatives_gap": _rows(
        "owner_id owner_accepted_at due",
        "closed_at closed_by_id closed_with_id accepted_again_id",
        names="closed_by_id",
    ),
    "initiatives_hold": _rows(
        "reason liftable_since", "lifted_at lifted_by_id lift_reason", names="opened_by_id lifted_by_id"
    ),
    "initiatives_killswitch": _rows(
        once="released_at released_by_id release_reason drill_id",
        names="pressed_by_id released_by_id",
        acts="switched off, switched on",
    ),
    "initiatives_obligation": _rows(
        once="completed_at completed_by_id completed_note", names="completed_by_id"
    ),
    "initiatives_question": _rows(once="answer answered_by_id answered_at", names="answered_by_id"),
    "initiatives_review": _rows(
        "outcome rulebook_id findings",
        "ended_by_id ended_at reason",
        names="opened_by_id ended_by_id",
        until="ended_at",
    ),
    "initiatives_secondlook": _rows(names="drawn_by_id"),
    "initiatives_signoff": _rows(names="person_id", acts="signed off, sign-off withdrawn"),
    "initiatives_standalonedeclaration": _rows(
        ACCEPTED, "ended_at ended_reason", names="declared_by_id accepted_by_id second_by_id"
    ),
    "initiatives_verification": _rows(
        names="verifier_id", acts="evidence verified, evidence does not show it"
    ),
    "initiatives_voiding": _rows(),
    "initiatives_waiver": _rows(
        "chair_id chair_at risk_id risk_at",
        "refused_by_id refused_at refused_reason",
        names="requested_by_id chair_id risk_id refused_by_id",
    ),
    # Scope, versions, changes and what the two logs show.
    "initiatives_actname": _rows("action by_id at withdrawn_at", names="by_id"),
    "initiatives_changerecord": _rows("approver_id rollback", names="recorded_by_id"),
    "initiatives_decisionday": _rows(),
    "initiatives_deployment": _rows(once="runs_to artefact"),
    "initiatives_deploymentdecision": _rows(acts="deployment allowed, deployment denied"),
    "initiatives_logfinding": _rows(),
    "initiatives_logfindingwithdrawal": _rows(),
    "initiatives_measuredanswer": _rows(once="ended_at"),
    "initiatives_performancepromise": _rows(once="ended_at", names="by_id"),
    "initiatives_pipelinereport": _rows(acts="result filed"),
    "initiatives_requirementfinding": _rows(once="ended_at"),
    "initiatives_scopeversion": _rows(once="starts_at ended_at", names="by_id"),
    # Systems, components, definitions and their controls.
    "initiatives_architecturedecision": _rows(
        once=WITHDRAWN,
        names="by_id withdrawn_by_id",
    ),
    "initiatives_clauseenforcement": _rows(once="ended_at ended_by_id", names="by_id ended_by_id"),
    "initiatives_componentversion": _rows(
        "layer vendor_id name version region end_of_life end_of_life_source successor_id confirmed_by_id confirmed_at",
        names="added_by_id confirmed_by_id",
    ),
    "initiatives_customisation": _rows(once="ended_on", names="by_id"),
    "initiatives_definitionconflict": _rows(
        "severity words found_at status decision decided_by_id decided_at mapping mapping_evidence_id downstream "
        "gap_id gone_at",
        names="decided_by_id",
    ),
    "initiatives_drift": _rows(names="by_id"),
    "initiatives_drill": _rows(once=WITHDRAWN, names="by_id withdrawn_by_id", by_system="by_id"),
    "initiatives_foundmodel": _rows(
        "name unit_id answer reason initiative_id answered_by_id answered_at",
        names="answered_by_id",
        acts="model found, found model answered, found model declared",
    ),
    "initiatives_link": _rows(
        "pattern direction access purpose account_id data_classes live timeout_seconds retry on_failure told_users",
        ENDED,
        names="by_id ended_by_id",
    ),
    "initiatives_linkanswer": _rows(names="by_id"),
    "initiatives_modelevaluation": _rows(
        once=f"result n measured_on result_by_id result_at {WITHDRAWN}",
        names="declared_by_id result_by_id withdrawn_by_id",
    ),
    "initiatives_processrecord": _rows("status reopened_at", WITHDRAWN, names="by_id withdrawn_by_id"),
    "initiatives_profile": _rows(names="by_id"),
    "initiatives_region": _rows(),
    "initiatives_serviceaccount": _rows(
        "name owner_id privileges review_by",
        "closed_at closed_by_id closed_reason",
        names="opened_by_id closed_by_id",
    ),
    "initiatives_signonflow": _rows(once=WITHDRAWN, names="by_id withdrawn_by_id"),
    "initiatives_sourceacceptance": _rows(names="by_id"),
    "initiatives_system": _rows(
        "name kind vendor_id unit_id location purpose owner_id source_of_truth_for editable last_updated_on "
        "updated_every_days organised_on in_service_since regions knowledge_holder_id collection_id duplicate_of_id "
        "source_key described_by_id described_at",
        "retired_at retired_by_id retired_reason",
        names="described_by_id retired_by_id",
    ),
    "initiatives_term": _rows("name meaning", names="by_id"),
    "initiatives_termdefinition": _rows(
        "field meaning counted_unit includes excludes as_of unit_or_currency time_window population "
        "identifier_standard identifier_mask identifier_format business_logic valid_from valid_to by_id at",
        WITHDRAWN,
        names="by_id withdrawn_by_id",
    ),
    "initiatives_termuse": _rows(once="ended_at ended_by_id", names="by_id ended_by_id"),
    "initiatives_tracesample": _rows(names="by_id"),
    "initiatives_transfer": _rows(once="ended_at"),
    "initiatives_unitpolicy": _rows(TERMS, WITHDRAWN, names="by_id confirmed_by_id withdrawn_by_id"),
    "initiatives_vendor": _rows("listed_by_component"),
    "initiatives_vendorterm": _rows(TERMS, WITHDRAWN, names="by_id confirmed_by_id withdrawn_by_id"),
    # Notes, efforts, imports and drafts of rulebooks.
    "initiatives_effort": _rows(once=WITHDRAWN, names="by_id withdrawn_by_id"),
    "initiatives_event": _rows(once=WITHDRAWN, names="by_id withdrawn_by_id", until="withdrawn_at"),
    "initiatives_fundingdecision": _rows(once=WITHDRAWN, names="by_id withdrawn_by_id", until="withdrawn_at"),
    "initiatives_importbatch": _rows(
        "own published_on encoding columns reading counts repeats_id",
        "confirmed_by_id confirmed_at discarded_by_id discarded_at undone_by_id undone_at undone_reason",
        names="uploaded_by_id confirmed_by_id discarded_by_id undone_by_id",
    ),
    "initiatives_inventorysource": _rows("words columns stages fixed dates sheet code_page"),
    "initiatives_observation": _rows(once=WITHDRAWN, names="by_id withdrawn_by_id", until="withdrawn_at"),
    "initiatives_rulebookdraft": _rows(
        "version source digest number said by_id at", "loaded_id dropped_at", names="by_id"
    ),
    # Use, value and incidents.
    "adoption_agendapoint": _rows("place reason left_out by_id at", names="by_id"),
    "adoption_alertmapping": _rows(once="ended_at", names="made_by_id"),
    "adoption_attachment": _rows(once="removed_at removed_by_id removed_reason", names="by_id removed_by_id"),
    "adoption_attendance": _rows("present"),
    "adoption_attribution": _rows("place grounds", "removed_at"),
    "adoption_behaviourreport": _rows(
        "share extent words figures observed_on",
        f"{JUDGED_REPORT} ended_at ended_why",
        names="judged_by_id",
        until="ended_at",
    ),
    "adoption_deadline": _rows(
        "due aware_on source words met_at met_by_id met_words", names="started_by_id met_by_id"
    ),
    "adoption_goal": _rows(names="by_id"),
    "adoption_incident": _rows(
        "severity title words state started_at detected_at contained_at resolved_at closed_at closed_words "
        "wrong_output fallback affected_count affected_words reopened_at lead_id scribe_id speaker_id merged_into_id "
        "clause_number no_duty_because",
        names="reported_by_id",
    ),
    "adoption_incidentdraft": _rows(once=JUDGED_REPORT, names="judged_by_id", until="judged_at"),
    "adoption_incidentline": _rows(names="by_id"),
    "adoption_incidentsystem": _rows(),
    "adoption_lesson": _rows(
        "text instead layer pattern tags systems vendors repeats_id",
        "removed_at confirmed_by_id confirmed_at",
        names="entered_by_id confirmed_by_id",
    ),
    "adoption_lessonresponse": _rows(names="by_id"),
    "adoption_linkedgap": _rows(),
    "adoption_measure": _rows(once=ENDED, names="declared_by_id ended_by_id"),
    "adoption_meeting": _rows(
        "held_on place state secretary_id",
        "begun_at begun_by_id ended_at ended_by_id reason",
        names="planned_by_id begun_by_id ended_by_id",
        until="ended_at",
    ),
    "adoption_minutes": _rows(names="by_id"),
    "adoption_monitoringlook": _rows(),
    "adoption_monitoringpromise": _rows(once="ended_at", names="made_by_id"),
    "adoption_pack": _rows(names="by_id"),
    "adoption_postmortem": _rows(
        "state expected timeline impact detected made_easy went_well lucky no_lesson_because no_gaps_because version "
        "published_at published_by_id confirmed_at confirmed_by_id",
        names="author_id published_by_id confirmed_by_id",
        until="confirmed_at",
    ),
    "adoption_problemlink": _rows(once="ended_at", names="made_by_id"),
    "adoption_problemreport": _rows(
        once=f"{JUDGED_REPORT} behaviour_report_id", names="judged_by_id", until="judged_at"
    ),
    "adoption_reportingduty": _rows("name days applies source in_use"),
    "adoption_sectioncomment": _rows(once="resolved_at resolved_by_id", names="by_id resolved_by_id"),
    "adoption_sourcequestion": _rows(names="by_id"),
    "adoption_survey": _rows(
        "title language sets teams closes state results",
        "opened_at opened_by_id closed_at closed_by_id",
        names="drafted_by_id opened_by_id closed_by_id",
    ),
}

JUDGED_ACTS = tuple(
    dict.fromkeys(
        (
            *JUDGED_ACTS,
            "review opened",
            *(kind for needs in NEEDS.values() for one in needs for kind in one.kinds),
            *(kind for line in GOVERNED.values() for kind in line.acts),
        )
    )
)
A_DAY = datetime.timedelta(hours=23, minutes=50)  # less what an act may take


class Breach(NamedTuple):
    """Something recorded that was not allowed: in words, and where."""

    words: str
    entry: int
    xact: int
    table: str
    key: str
    field: str
    recorded_at: datetime.datetime


class Cast(NamedTuple):
    """A sign-off as it is counted; `stale` are the reasons why it no longer counts."""

    seat: str
    person_id: int
    verdict: str
    criteria: tuple[str, ...]
    stale: tuple[str, ...]
    at: datetime.datetime

    @property
    def approves(self) -> bool:
        """Return True if this is an approval, fresh or not."""
        return self.verdict in APPROVALS

    @property
    def fresh(self) -> bool:
        """Return True if the sign-off counts."""
        return not self.stale


class Count(NamedTuple):
    """The count of sign-offs: people, missing seats, missing approvals, blocking objections."""

    people: int
    missing: tuple[str, ...]
    short: int
    objections: tuple[Any, ...]


class Gate(NamedTuple):
    """The rules of a rulebook for the sign-offs at a gate. `seats` are all that sign there."""

    quorum: int
    quorum_high_risk: int | None
    must_include: tuple[str, ...]
    seats: frozenset[str]
    blocking: frozenset[str]


class Rules(NamedTuple):
    """The rules of sign-offs in a rulebook: gates, seats of contracts, and oldest age.

    The age is exact to the day. `minimal`: the seats that sign at minimal risk, empty for all (`seat_at_minimal`).
    """

    gates: dict[str, Gate]
    contract_seats: frozenset[str]
    oldest: datetime.timedelta
    minimal: tuple[str, ...] = ()

    def gate_at(self, key: str, tier: str) -> Gate | None:
        """Return the rules at a gate for an initiative of this tier."""
        gate = self.gates.get(key)
        if gate is None or tier != "minimal" or not self.minimal:
            return gate
        seats = frozenset(seat_at_minimal(seat, self.minimal) for seat in gate.seats)
        must = tuple(dict.fromkeys(seat_at_minimal(seat, self.minimal) for seat in gate.must_include))
        return gate._replace(seats=seats, must_include=must, quorum=min(gate.quorum, len(seats)))


def seat_at_minimal(seat: str, minimal: Sequence[str]) -> str:
    """Return the seat that signs for this one at minimal risk: itself, or the last there."""
    return seat if seat in minimal else minimal[-1]


def quorum_for(tier: str | None, usual: int, high: int | None) -> int:
    """Return the quorum at this tier. `high` is None without a special one for high risk."""
    return high if tier == "high" and high is not None else usual


def count_sign_offs(
    sign_offs: Sequence[Any],
    quorum: int,
    must_include: Iterable[str],
    blocking: frozenset[str],
    seats: Collection[str],
) -> Count:
    """Count the current sign-offs of a review (`Count`), for gates and for judging.

    Approvals count if their seat signs at the gate (`seats`), those of one person once. Objections always count.
    """
    approvals = [
        sign_off for sign_off in sign_offs if sign_off.approves and sign_off.fresh and sign_off.seat in seats
    ]
    signed, people = (
        {sign_off.seat for sign_off in approvals},
        len({sign_off.person_id for sign_off in approvals}),
    )
    return Count(
        people,
        tuple(seat for seat in must_include if seat not in signed),
        max(0, quorum - people),
        tuple(
            sign_off
            for sign_off in sign_offs
            if sign_off.verdict == "object" and blocking & set(sign_off.criteria)
        ),
    )


def rules_of(source: str) -> Rules | None:
    """Return the rules of sign-offs in a rulebook's text, or None before Python 3.11."""
    if tomllib is None:
        return None
    try:
        said = tomllib.loads(source)
        gates = {
            key: Gate(
                gate["quorum"],
                gate.get("quorum_high_risk"),
                tuple(gate["must_include"]),
                frozenset(row["seat"] for row in said["criterion"] if row["gate"] == key),
                frozenset(
                    row["key"]
                    for row in said["criterion"]
                    if row["gate"] == key and row["severity"] == "blocking" and row.get("due_days") is None
                ),
            )
            for key, gate in said["gates"].items()
        }
        days = datetime.timedelta(days=said["freshness"]["sign_off_max_age_days"] + 1)
        minimal = tuple(said.get("levels", {}).get("seats_minimal", ()))
        return Rules(gates, frozenset(said["contract"]["seats"]), days, minimal)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        return None


def _moment(text: str) -> datetime.datetime:
    """Return a moment as rows and leaves write it, in UTC."""
    seconds, _, rest = text[:19], text[19:20], text[20:]
    found = re.match(r"\d*", rest) if text[19:20] == "." else None
    digits = found.group() if found else ""
    return datetime.datetime.fromisoformat(seconds) + datetime.timedelta(
        microseconds=int(digits[:6].ljust(6, "0")) if digits else 0
    )


class Judge:
    """The check that recorded acts were allowed: `look` at each entry, then `finish`.

    Entries come in the order of the audit log. `sight` is the part of the audit log that is here: "all", "initiative"
    (the entries of one initiative) or "period" (those of some days). Each stage change has one StageChange in its
    transaction, its act and its decision. Each decision has its sign-offs, seats and quorum and a chair. Each
    sign-off and approval has a seat of that board, no role on the initiative, and its act. Each contract in force has
    its approvals. `unjudged` counts what depends on rows whose bodies were erased.
    """

    def __init__(self, sight: str = "all") -> None:
        self.sight, self.judged, self.unjudged = sight, 0, 0
        self.lacks_rules = False
        self.breaches: list[Breach] = []
        self.first_at = self.last_at = datetime.datetime.min  # of what was looked at
        self.rows: dict[str, dict[str, _Row]] = {table: {} for table in JUDGED}
        self.blind: dict[str, set[str]] = {table: set() for table in JUDGED}
        self.acts: dict[int, list[tuple[str, int, int, _Row]]] = {}  # by transaction, like those erased
        self.erased_acts: set[int] = set()
        self.erased: set[tuple[int, str]] = set()
        self.wanted: list[tuple[_Change, tuple[str, ...], tuple[set[Any], _Row], str]] = []
        self.seats: dict[int, dict[str, _Row]] = {}  # by person, then by key
        self.rules: dict[str, Rules | None] = {}
        self.sign_offs: dict[int, dict[int, _Row]] = {}  # by review, then by key
        self.approvals: dict[int, list[_Row]] = {}  # by version
        self.roles: dict[int, dict[str, _Row]] = {}  # by initiative, then by key
        self.reviews: dict[int, dict[str, _Row]] = {}  # likewise
        self.initiatives: dict[int, int] = {}  # by contract
        self.boards: dict[int, int] = {}  # by unit
        self.moves: list[tuple[_Change, int, str, str]] = []
        self.changes: dict[int, dict[str, _Change]] = {}  # by transaction, then by key
        self.decisions: list[tuple[_Change, int, int | None]] = []
        self.founded = False  # whether a review was ever opened: before, the installation is being set up

    def look(self, entry: _Row, content: bytes | None) -> None:
        """Take the next entry: its leaf, and the bytes of its body, or None if erased."""
        seen, table = _moment(entry["recorded_at"]), entry["table"]
        self.first_at = seen if self.first_at == datetime.datetime.min else self.first_at
        self.last_at = seen
        if table not in GOVERNED and (table or entry["kind"] not in JUDGED_ACTS):
            return
        try:
            self._read(entry, seen, None if content is None else parse_json(content, "The body"))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
            change = _Change(entry, seen, None, None, None, None)
            self._breach(change, "the format of the entry differs from the format that the database writes")

    def _read(self, entry: _Row, seen: datetime.datetime, body: _Row | None) -> None:
        table, key = entry["table"], entry["key"]
        if not table:
            self._act(entry, body)
            return
        kept = JUDGED.get(table)
        if kept is None:
            if body is not None:
                change = _Change(entry, seen, None, body["before"], body["after"], None)
                self._stands(change, body.get("exchanged") or ())
            return
        if body is None:
            self.blind[table].add(key)
            self.erased.add((entry["xact"], table))
            return
        self.blind[table].discard(key)
        before, after = body["before"], body["after"]
        old, row = self.rows[table].pop(key, None), None
        if after is not None:
            row = {name: after.get(name) for name in kept}
            if old is not None and all(old[name] == row[name] for name in kept):
                row = old
            else:
                row["seen"], row["was"] = seen, old and {name: old[name] for name in kept}
            self.rows[table][key] = row
        change = _Change(entry, seen, old, before, after, row)
        self._stands(change, body.get("exchanged") or ())
        getattr(self, "_" + table.partition("_")[2], self._kept)(change)
        self._needs(change, body.get("exchanged") or ())

    def finish(self) -> list[Breach]:
        """Return every breach in the order of the audit log, after the last judgements."""
        self._moved()
        for change, kinds, said, words in self.wanted:
            self._wants(change, kinds, said, words)
        found = []
        for breach in self.breaches:
            if self.sight == "period" and self._cut(breach.recorded_at):
                self.unjudged += 1
                continue
            found.append(breach)
        return sorted(found, key=lambda breach: breach.entry)

    def _cut(self, at: datetime.datetime) -> bool:
        """Return True if the rest of a transaction may be outside the period."""
        minute = datetime.timedelta(minutes=1)
        return at - self.first_at < minute or self.last_at - at < minute

    # --- What rests on what ---

    def _act(self, entry: _Row, body: _Row | None) -> None:
        if body is None:
            self.erased_acts.add(entry["xact"])
            return
        facts = {name: body["facts"].get(name) for name in OF_ACTS} | {"initiative": entry["initiative"]}
        self.founded = self.founded or entry["kind"] == "review opened"
        self.acts.setdefault(entry["xact"], []).append((entry["kind"], entry["id"], entry["actor"], facts))

    def _breach(self, change: _Change, words: str, field: str = "", rests_on: Iterable[str] = ()) -> None:
        entry = change.entry
        if any(self.blind[table] or (entry["xact"], table) in self.erased for table in rests_on):
            self.unjudged += 1
            return
        place = entry["id"], entry["xact"], entry["table"], entry["key"], field, change.seen
        self.breaches.append(Breach(words, *place))

    def _wants(
        self, change: _Change, kinds: tuple[str, ...], said: tuple[set[Any], _Row], words: str
    ) -> None:
        """Record a breach if a row has no act in its transaction, unless acts were erased."""
        actors, facts = said
        for kind, _, by, told in self.acts.get(change.entry["xact"], ()):
            same = all(told[name] == value for name, value in facts.items())
            if kind in kinds and same and by in actors:
                return
        if change.entry["xact"] in self.erased_acts:
            self.unjudged += 1
        else:
            self._breach(change, words)

    # --- People, boards and rules ---

    def _kept(self, change: _Change) -> None:
        """Ignore a change beyond what `look` keeps."""

    _unit = _kept

    def _user(self, change: _Change) -> None:
        """Check that a new admin signs only a day later."""
        before, after = change.before or {}, change.after
        if after is None or self.sight != "all" or not self.founded:
            return
        rises = after["is_admin"] and not before.get("is_admin")
        if rises and not self._waits(change):
            self._breach(
                change, "a person became an admin and can sign without the wait of one day", "signs_from"
            )

    def _waits(self, change: _Change) -> bool:
        """Return True if the person of this row signs only a day after the change."""
        until = change.after["signs_from"]
        return until is not None and _moment(until) >= _moment(change.entry["at"]) + A_DAY

    # --- What stays, and whom a row names ---

    def _stands(self, change: _Change, exchanged: Sequence[str]) -> None:
        """Check that a row changed only where its table allows, and names its writer."""
        line, before, after = GOVERNED[change.entry["table"]], change.before, change.after
        actor = change.entry["actor"]
        if after is None:
            if not line.deleted:
                self._breach(change, "the row was deleted, but rows of this table are kept")
            return
        self._acted(change, line)
        over = before is not None and any(_written(before.get(name)) for name in line.until)
        for name in (*after, *exchanged):
            value = after.get(name)
            if before is not None and (name in exchanged or value != before.get(name)):
                first = name in line.once and not _written(before.get(name))
                if over or (name not in line.changes and not first):
                    self._breach(change, f"{name} changed, but it stays as it was written", name)
            if name in line.names and value not in (None, actor, (before or {}).get(name)):
                if actor is None and name in line.by_system:
                    continue
                words = f"the row names person {value}, but {_person(actor)} wrote the row"
                self._breach(change, words, name)

    def _acted(self, change: _Change, line: Governed) -> None:
        """Check that the change has an act of its kind, and that an admin made it where only admins may."""
        actor, before, after = change.entry["actor"], change.before, change.after
        if line.acts and before != after:
            self.judged += 1
            facts = {"initiative": change.entry["initiative"]} if change.entry["initiative"] else {}
            words = f"the log has no act '{line.acts[0]}' of {_person(actor)} for this change"
            self.wanted.append((change, line.acts, ({actor}, facts), words))
        ends = before is None or before.get("ended_at") != after.get("ended_at")
        admins = line.by_admin and self.sight == "all" and before != after and not (actor is None and ends)
        if admins and not self._entitled("admin", change, actor):
            self._breach(change, f"{_person(actor)} changed a row that only admins change", "", PEOPLE)

    # --- What needs its act, and who may ---

    def _needs(self, change: _Change, exchanged: Sequence[str]) -> None:
        """Check the acts that this change needs, and the right of the person who made it."""
        before, after, actor = change.before, change.after, change.entry["actor"]
        if after is None:
            return
        for need in NEEDS.get(change.entry["table"], ()):
            if need.columns:
                changed = any(
                    name in exchanged or before.get(name) != after.get(name)
                    if before is not None
                    # A row that begins as accepted, confirmed or the like.
                    else need.fact == "initiative" and need.columns != ("outcome",) and after.get(name)
                    for name in need.columns
                )
                cleared = need.named and need.named in need.columns and after.get(need.named) is None
            else:
                changed, cleared = before is None, False
            hidden = (
                need.columns == ("confidential",) and after["confidential"]
            )  # binds nobody and opens nothing
            if not changed or cleared or hidden or (need.who == "ends" and after["outcome"] in LET_THROUGH):
                continue
            self.judged += 1
            kind = need.kinds[0] if need.kinds else "stage changed"
            field = need.named or (need.columns[0] if need.columns else "")
            person = after.get(need.named) if need.named else actor
            told = after.get(need.column) if need.column else change.entry["initiative"]
            facts = {need.fact: told} if need.fact else {}
            if need.kinds:
                words = f"the log has no act '{kind}' of {_person(actor)} for this change"
                self.wanted.append((change, need.kinds, ({actor}, facts), words))
            if self.sight == "all" and need.who and not self._entitled(need.who, change, person):
                words = f"{_person(person)} did '{kind}' without the right to"
                self._breach(change, words, field, [*PEOPLE, *ROLES, *STANDING_IN])
        if "password" in exchanged and self.sight == "all" and self.founded:
            if str(actor) == change.entry["key"] or self._waits(change):
                return
            words = "someone else changed the password of a person, who can sign without the wait of one day"
            self._breach(change, words, "signs_from")

    def _marked(self, person: int | None, marks: Sequence[str], seen: datetime.datetime) -> bool:
        """Return True if the person had one of these marks, with an account that was open."""
        row = self.rows["governance_user"].get(str(person))
        return row is not None and any(
            one["is_active"] and any(one[mark] for mark in marks) for one in _seen(row, seen)
        )

    def _entitled(self, rule: str, change: _Change, person: int | None) -> bool:
        """Return True if the person (None: the system) may do what the rule names."""
        after, seen, at = change.after, change.seen, _moment(change.entry["at"])
        admin = self._marked(person, ["is_admin"], seen)
        if change.entry["table"] == "governance_user" and change.entry["key"] == str(person):
            # The person's earlier state, because no one has a right that they took.
            admin = change.old is not None and change.old["is_active"] and change.old["is_admin"]
        if rule == "admin":
            return admin or (person is None and not self.founded)
        if rule == "admin or system":
            return (admin or person is None) and str(person) != change.entry["key"]
        if rule == "admin or auditor":
            return self._marked(person, ["is_admin", "is_auditor"], seen)
        if rule == "own":
            return person is not None and person == after["person_id"]
        if rule == "links":
            return person in (None, after["person_id"]) or admin
        if rule == "grants":
            return (admin and after["granted_by_id"] == person) or (
                after["delegate_of_id"] is not None
                and person == after["person_id"]
                and after["granted_by_id"] != person
            )
        return self._entitled_on_initiative(rule, change, person, at)

    def _entitled_on_initiative(
        self, rule: str, change: _Change, person: int | None, at: datetime.datetime
    ) -> bool:
        after, seen = change.after, change.seen
        if rule == "concerned" and person is None:
            return True  # a hold with a cause, which the system opens
        if rule == "lifts" and person is None:
            return after["opened_by_id"] is None
        if rule == "ends" and (person is None or after["outcome"] != "withdrawn"):
            return person is not None or after["outcome"] == "expired"
        if rule == "moves":
            if after["basis"] == "import":
                return person is None or self._marked(person, ["is_admin"], seen)
            if after["basis"] not in ("stopped", "import undone"):
                return True  # judged with the decision, or as a move by the chair
            rule = "stops" if after["basis"] == "stopped" else "imports"
        if person is None:
            return False
        if rule == "answers" and after["owner_id"] == person:
            return True
        initiative = self._initiative_of(change)
        known = self.rows["initiatives_initiative"].get(str(initiative))
        if known is None or initiative is None:
            return True  # nothing to compare with: its row was erased or lies outside
        board = self._board_of(known)
        owns = self._has_role(initiative, person, seen, at, ("owner",)) or self._registered(
            initiative, person
        )
        chairs = self._holds(person, board, CHAIRS, at, seen)
        outside = not self._team_member(initiative, person, seen, at)
        decides = chairs and outside and not self._opened(initiative, person, at)
        if rule in ("accepted", "second", "confirmed"):
            return self._holds(person, board, (after[f"{rule}_seat"],), at, seen) and outside
        return {
            "owns": owns,
            "answers": owns,
            "decides": decides,
            "lifts": decides,
            "stops": owns or chairs,
            "ends": owns or chairs,
            "runs": owns or self._has_role(initiative, person, seen, at, ("technical_lead",)),
            "shuts": owns or decides or self._has_role(initiative, person, seen, at, ("technical_lead",)),
            "risk seat": self._holds(person, board, ("risk_compliance",), at, seen) and outside,
            "refuses": chairs or self._holds(person, board, ("risk_compliance",), at, seen),
            "concerned": owns
            or self._has_role(initiative, person, seen, at, None)
            or any(
                self._holds(person, board, (row["seat"],), at, seen)
                for row in self.seats.get(person, {}).values()
            ),
            "judges": outside
            and any(
                self._holds(person, board, (row["seat"],), at, seen)
                for row in self.seats.get(person, {}).values()
            ),
            "withdraws": owns
            or chairs
            or known["registered_by_id"] == person
            or self._marked(person, ["is_admin"], seen),
            "imports": self._marked(person, ["is_admin"], seen),
        }[rule]

    def _initiative_of(self, change: _Change) -> int | None:
        """Return the key of the initiative that a row belongs to."""
        after, table = change.after, change.entry["table"]
        if table == "initiatives_initiative":
            return int(change.entry["key"])
        if table == "governance_servicekey":
            return self.initiatives.get(after["contract_id"])
        if table == "initiatives_condition":
            review = self.rows["initiatives_review"].get(str(after["review_id"]))
            return None if review is None else int(review["initiative_id"])
        initiative: int = after["initiative_id"]
        return initiative

    def _registered(self, initiative: int, person: int) -> bool:
        """Return True if the person registered an initiative without any accepted owner."""
        owned = any(
            row["role"] == "owner" and row["accepted_at"] is not None
            for row in self.roles.get(initiative, {}).values()
        )
        known = self.rows["initiatives_initiative"].get(str(initiative))
        return known is not None and known["registered_by_id"] == person and not owned

    def _has_role(
        self,
        initiative: int,
        person: int,
        seen: datetime.datetime,
        at: datetime.datetime,
        roles: Sequence[str] | None,
    ) -> bool:
        """Return True if the person, or someone they replace, had one of `roles` (None: any)."""
        for row in self.roles.get(initiative, {}).values():
            if roles is not None and row["role"] not in roles:
                continue
            if not any(
                one["accepted_at"] is not None and one["declined_at"] is None and one["ended_at"] is None
                for one in _seen(row, seen)
            ):
                continue
            if row["person_id"] == person or person in self._stand_ins(row["person_id"], at):
                return True
        return False

    def _stand_ins(self, person: int, at: datetime.datetime) -> set[int]:
        """Return the substitutes for the roles of a person who is away at that moment."""
        away = {
            int(key)
            for key, row in self.rows["governance_absence"].items()
            if row["person_id"] == person
            and _moment(row["starts_at"]) <= at + CONCURRENT < _moment(row["ends_at"]) + CONCURRENT * 2
        }
        return {
            row["delegate_id"]
            for row in self.rows["governance_delegation"].values()
            if row["absence_id"] in away and row["membership_id"] is None and row["accepted_at"] is not None
        }

    def _board(self, change: _Change) -> None:
        self.boards.pop(change.old and change.old["unit_id"], None)
        if change.row and change.row["decides_from"] is not None:
            self.boards[change.row["unit_id"]] = int(change.entry["key"])

    def _membership(self, change: _Change) -> None:
        for row in filter(None, (change.old, change.row)):
            self.seats.setdefault(row["person_id"], {}).pop(change.entry["key"], None)
        if change.row:
            self.seats[change.row["person_id"]][change.entry["key"]] = change.row

    def _rulebook(self, change: _Change) -> None:
        before, after = change.before, change.after
        if after is None or (before is not None and before["source"] == after["source"]):
            if after is not None and change.entry["key"] not in self.rules:
                self.rules[change.entry["key"]] = rules_of(after["source"])
            return
        if before is not None and before["published_at"] is not None:
            self._breach(change, "the text of a published rulebook was changed", "source")
        self.rules[change.entry["key"]] = rules_of(after["source"])

    def _board_of(self, initiative: _Row) -> int | None:
        """Return the key of the nearest board above the initiative's unit, or None."""
        units = self.rows["governance_unit"]
        unit = units.get(str(initiative["unit_id"]))
        codes: dict[str, int] = {
            units[str(key)]["code"]: board for key, board in self.boards.items() if str(key) in units
        }
        for code in reversed(unit["path"].split("/") if unit else ()):
            if code in codes:
                return codes[code]
        return None

    def _holds(
        self,
        person: int,
        board: int | None,
        seats: Sequence[str],
        at: datetime.datetime,
        seen: datetime.datetime,
        since: datetime.datetime | None = None,
    ) -> bool:
        """Return True if the person held one of these seats then, from `since` on, with an open account."""
        account = self.rows["governance_user"].get(str(person))
        if account is None or not any(one["is_active"] for one in _seen(account, seen)):
            return False
        return any(
            (one["board_id"], one["person_id"]) == (board, person)
            and one["seat"] in seats
            and one["granted_by_id"] != person
            and _moment(one["starts_at"]) <= (since or at)
            and (one["ends_at"] is None or _moment(one["ends_at"]) > at)
            for row in self.seats.get(person, {}).values()
            for one in _seen(row, seen)
        )

    def _last_decision(self, initiative: int, at: datetime.datetime) -> datetime.datetime:
        """Return when the last review of the initiative before that moment was approved or refused."""
        ended = (
            _moment(row["ended_at"])
            for row in self.reviews.get(initiative, {}).values()
            if row["outcome"] in DECIDED
        )
        return max((one for one in ended if one < at), default=datetime.datetime.min)

    def _opened(self, initiative: int, person: int, at: datetime.datetime) -> bool:
        """Return True if the person opened a review of the initiative after its last decision."""
        decided = self._last_decision(initiative, at)
        return any(
            row["opened_by_id"] == person and _moment(row["opened_at"]) > decided
            for row in self.reviews.get(initiative, {}).values()
        )

    def _team_member(
        self,
        initiative: int,
        person: int,
        seen: datetime.datetime,
        at: datetime.datetime,
        proposed: bool = True,
    ) -> str:
        """Return what makes the person a team member: a role, a proposal, a registration, or recent ownership."""
        owned = False
        for row in self.roles.get(initiative, {}).values():
            owned = owned or (row["role"] == "owner" and row["accepted_at"] is not None)
            if row["person_id"] == person and all(_bars(one, proposed) for one in _seen(row, seen)):
                return (
                    f"{'is' if row['accepted_at'] else 'is proposed as'} {row['role'].replace('_', ' ')} of "
                    "this initiative"
                )
            if (
                (row["person_id"], row["role"]) == (person, "owner")
                and row["accepted_at"] is not None
                and row["ended_at"] is not None
                and all(one["ended_at"] is not None for one in _seen(row, seen))
                and proposed
                and _moment(row["ended_at"]) > self._last_decision(initiative, at)
            ):
                return "owned this initiative after its last decision"
        known = self.rows["initiatives_initiative"].get(str(initiative))
        if known and known["registered_by_id"] == person and not owned:
            return "registered this initiative, which has never had an owner"
        return ""

    def _seated(
        self,
        change: _Change,
        who: str,
        person: int,
        initiative: int,
        seats: Sequence[str],
        at: datetime.datetime,
        proposed: bool = True,
    ) -> None:
        """Record a breach for each bar to the person's sign-off, approval or decision."""
        known = self.rows["initiatives_initiative"].get(str(initiative))
        if self.sight == "all" and known is not None:
            board = self._board_of(known)
            if not self._holds(person, board, seats, at, change.seen):
                said = " or ".join(seats).replace("_", " ")
                place = f"board {board}" if board is not None else "any board"
                self._breach(
                    change,
                    f"{who}, who did not hold the seat {said} on {place} at that time",
                    "person_id",
                    PEOPLE,
                )
        if self.sight != "period" and (
            why := self._team_member(initiative, person, change.seen, at, proposed)
        ):
            self._breach(change, f"{who}, who {why}", "person_id", ROLES)
        if self.sight != "period" and seats == CHAIRS and self._opened(initiative, person, at):
            self._breach(change, f"{who}, who opened the review", "person_id", ROLES)

    # --- Stages ---

    def _initiative(self, change: _Change) -> None:
        key = int(change.entry["key"])
        if change.old and change.old["contract_id"]:
            self.initiatives.pop(change.old["contract_id"], None)
        if change.row and change.row["contract_id"]:
            self.initiatives[change.row["contract_id"]] = key
        if change.entry["operation"] == "+" and change.after["stage"] != "proposed":
            self._breach(
                change,
                f"the first stage of the initiative is '{change.after['stage']}' instead of 'proposed'",
                "stage",
            )
        if change.before and change.after and change.before["stage"] != change.after["stage"]:
            self.judged += 1
            self.moves.append((change, key, change.before["stage"], change.after["stage"]))

    def _stagechange(self, change: _Change) -> None:
        changes = self.changes.setdefault(change.entry["xact"], {})
        if change.entry["operation"] == "+":
            changes[change.entry["key"]] = change
            row = change.row
            if row["basis"] in BY_CHAIR and self.sight != "period":
                who = f"the stage change was made by person {row['by_id']}"
                self._seated(change, who, row["by_id"], row["initiative_id"], CHAIRS, _moment(row["at"]))
        elif change.entry["key"] in changes:
            changes[change.entry["key"]].row.update(change.row)
        elif change.row and change.before["consumed"] != change.after["consumed"]:
            self._breach(
                change, "a stage change was used in a different transaction than its own", "consumed"
            )
        self.rows["initiatives_stagechange"].clear()  # all that is asked of them lies within one transaction

    def _moved(self) -> None:
        """Check that moves, stage changes and decisions belong together, with none left over."""
        for change, initiative, source, target in self.moves:
            changes = self.changes.get(change.entry["xact"], {})
            mine = [
                (key, made)
                for key, made in changes.items()
                if (
                    made.row["initiative_id"],
                    made.row["from_stage"],
                    made.row["to_stage"],
                    made.row["consumed"],
                )
                == (initiative, source, target, True)
            ]
            if not mine:
                words = f"the stage moved from {source} to {target}, but its transaction has no stage change"
                self._breach(change, words, "stage", ["initiatives_stagechange"])
                continue
            key, made = mine[0]
            del changes[key]
            self._entered(made, source, target)
            if made.row["basis"] == "decision":
                self._decided(made, initiative)
        for changes in self.changes.values():
            for made in changes.values():
                self._breach(
                    made, "a stage change is recorded, but the stage did not change", "consumed", ROLES
                )
        for change, _, review in self.decisions:
            if review is not None:
                outcome = change.row["outcome"].replace("_", " ")
                words = f"the review was {outcome}, but the stage did not change"
                self._breach(change, words, "outcome", [*ROLES, "initiatives_stagechange"])

    def _entered(self, made: _Change, source: str, target: str) -> None:
        for kind, entry, _, facts in self.acts.get(made.entry["xact"], ()):
            if (kind, entry, facts["from"], facts["to"]) == (
                "stage changed",
                made.row["entry_id"],
                source,
                target,
            ):
                return
        if made.entry["xact"] in self.erased_acts:
            self.unjudged += 1
        else:
            self._breach(made, f"no act records the stage change from {source} to {target}", "entry_id")

    def _decided(self, made: _Change, initiative: int) -> None:
        for place, (change, about, review) in enumerate(self.decisions):
            if (about, review, change.entry["xact"]) == (
                initiative,
                made.row["review_id"],
                made.entry["xact"],
            ):
                gate = "retire" if made.row["to_stage"] == "retired" else made.row["to_stage"]
                if change.row["gate"] == gate:
                    self.decisions[place] = (change, about, None)
                    return
        words = f"the stage moved to {made.row['to_stage']} by a decision, but no review was approved"
        self._breach(made, words, "review_id", ["initiatives_review"])

    # --- Reviews and sign-offs ---

    def _roleassignment(self, change: _Change) -> None:
        for row in filter(None, (change.old, change.row)):
            self.roles.setdefault(row["initiative_id"], {}).pop(change.entry["key"], None)
        if change.row:
            self.roles[change.row["initiative_id"]][change.entry["key"]] = change.row

    def _review(self, change: _Change) -> None:
        if change.row:
            self.reviews.setdefault(change.row["initiative_id"], {})[change.entry["key"]] = change.row
        if change.entry["operation"] == "+" and change.after["outcome"] != "open":
            self._breach(
                change,
                f"the review starts as '{change.after['outcome']}' instead of 'open'",
                "outcome",
            )
        if not change.before or not change.after or change.before["outcome"] == change.after["outcome"]:
            return
        if change.before["outcome"] != "open":
            self._breach(change, "the review was closed twice", "outcome")
        sign_offs = self.sign_offs.pop(int(change.entry["key"]), {})
        if change.after["outcome"] not in LET_THROUGH:
            return
        self.judged += 1
        key, row = int(change.entry["key"]), change.row
        self.decisions.append((change, row["initiative_id"], key))
        words = f"no act records that the review was {row['outcome'].replace('_', ' ')}"
        kind = f"review {row['outcome'].replace('_', ' ')}"
        self.wanted.append((change, (kind,), ({row["ended_by_id"]}, {"review": key}), words))
        if self.sight != "period":
            who = f"the review was approved by person {row['ended_by_id']}"
            self._seated(
                change, who, row["ended_by_id"], row["initiative_id"], CHAIRS, _moment(row["ended_at"])
            )
            self._counted(change, sign_offs)

    def _counted(self, change: _Change, sign_offs: dict[int, _Row]) -> None:
        """Check the sign-offs of an approved review against the gate in its rulebook."""
        row, initiative = (
            change.row,
            self.rows["initiatives_initiative"].get(str(change.row["initiative_id"])),
        )
        frozen = {
            sign_off["digest"]: tuple(sign_off["stale"])
            for sign_off in (change.after["findings"] or {}).get("sign_offs", ())
        }
        replaced, ended = (
            {sign_off["replaces_id"] for sign_off in sign_offs.values()},
            _moment(row["ended_at"]),
        )
        cast = []
        for key, sign_off in sign_offs.items():
            if key in replaced or sign_off["verdict"] == "withdrawn":
                continue
            stale = frozen.pop(sign_off["digest"], ("the sign-off is not part of the decision",))
            stale = (*stale, *self._lapsed(change, sign_off, initiative))
            who, said = (sign_off["seat"], sign_off["person_id"]), tuple(sign_off["criteria"] or ())
            cast.append(Cast(*who, sign_off["verdict"], said, stale, _moment(sign_off["at"])))
        for digest in frozen:
            words = f"the decision on the review names a sign-off that does not exist (digest {digest})"
            self._breach(change, words, "findings", ["initiatives_signoff"])
        if self.sight != "all":
            return
        rules = self.rules.get(str(row["rulebook_id"]))
        if rules is None:
            self.lacks_rules = True
            return
        tier = initiative["tier"] if initiative else ""
        gate = rules.gate_at(row["gate"], tier)
        if gate is None:
            self._breach(change, f"the rulebook of the review has no gate {row['gate']}", "gate")
            return
        quorum = quorum_for(tier, gate.quorum, gate.quorum_high_risk)
        cast = [sign_off for sign_off in cast if not sign_off.approves or ended - sign_off.at < rules.oldest]
        counted = count_sign_offs(cast, quorum, gate.must_include, gate.blocking, gate.seats)
        proposed = initiative["proposed_tier"] if initiative else ""
        if tier and row["gate"] in ("mvp", "production") and TIERS.index(proposed) > TIERS.index(tier):
            words = f"approved at the risk tier {tier} although {proposed} was proposed"
            self._breach(change, words, "outcome", ["initiatives_initiative"])
        if row["gate"] != "retire" and any(
            one["initiative_id"] == row["initiative_id"]
            and one["kind"] == "stepped_back"
            and one["completed_at"] is None
            for one in self.rows["initiatives_obligation"].values()
        ):
            words = "approved although a step back was not answered"
            self._breach(change, words, "outcome", ["initiatives_obligation"])
        rests_on = ["initiatives_signoff", "governance_rulebook", *PEOPLE, *ROLES]
        if counted.short or counted.missing:
            words = f"approved with {counted.people} of the {quorum} seats that the rulebook requires"
            if counted.missing:
                words += f", without {' and '.join(counted.missing).replace('_', ' ')}"
            self._breach(change, words, "outcome", rests_on)
        for sign_off in counted.objections:
            words = f"approved although {sign_off.seat.replace('_', ' ')} objects"
            self._breach(change, words, "outcome", rests_on)

    def _lapsed(self, change: _Change, sign_off: _Row, initiative: _Row | None) -> Iterator[str]:
        """Yield why a sign-off no longer counted at the approval: a lost seat or a role."""
        if self.sight != "all" or initiative is None or sign_off["verdict"] not in APPROVALS:
            return
        given = (sign_off["person_id"], (sign_off["seat"],), _moment(sign_off["at"]))
        yield from self._why_lapsed(
            change, change.row["initiative_id"], *given, _moment(change.row["ended_at"])
        )

    def _why_lapsed(
        self,
        change: _Change,
        initiative: int,
        person: int,
        seats: Sequence[str],
        since: datetime.datetime,
        at: datetime.datetime,
    ) -> Iterator[str]:
        """Yield why a consent given at `since` for one of the seats did not count at the moment `at`."""
        known = self.rows["initiatives_initiative"].get(str(initiative))
        if self.sight != "all" or known is None:
            return
        if not self._holds(person, self._board_of(known), seats, at, change.seen, since=since):
            yield "the signer no longer holds the seat under which they signed"
        if why := self._team_member(initiative, person, change.seen, at):
            yield why

    def _of_two(self, change: _Change) -> None:
        """Check that a request took effect only with an earlier consent that still counted."""
        before, after = change.before, change.after
        parts = OF_TWO[change.entry["table"]]
        if not before or not after or any(after[who] is None for who, _, _ in parts):
            return
        if all(before[who] == after[who] for who, _, _ in parts):
            return
        last = max(_moment(after[at]) for _, at, _ in parts)
        for who, at, seats in parts:
            if (before[who], before[at]) != (after[who], after[at]):
                continue
            held = (after[seats],) if isinstance(seats, str) else seats
            for why in self._why_lapsed(
                change, after["initiative_id"], after[who], held, _moment(after[at]), last
            ):
                words = (
                    f"it took effect on the consent of person {after[who]}, which no longer counted: {why}"
                )
                self._breach(change, words, who, [*PEOPLE, *ROLES])

    _waiver = _answer = _standalonedeclaration = _of_two

    def _signoff(self, change: _Change) -> None:
        if change.entry["operation"] != "+":
            return
        self.judged += 1
        row, key = change.row, int(change.entry["key"])
        del self.rows["initiatives_signoff"][change.entry["key"]]
        self.sign_offs.setdefault(row["review_id"], {})[key] = row
        seat, person = row["seat"].replace("_", " "), row["person_id"]
        if hashlib.sha256(change.after["statement"].encode()).hexdigest() != row["digest"]:
            self._breach(change, "the digest of the sign-off does not match its statement", "digest")
        withdrawn = row["verdict"] == "withdrawn"
        kind = "sign-off withdrawn" if withdrawn else "signed off"
        said = {"review": row["review_id"], "seat": row["seat"], "digest": row["digest"]}
        words = f"the sign-off for {seat} has no act '{kind}' of person {person} with its digest"
        self.wanted.append((change, (kind,), ({person}, said), words))
        review = self.rows["initiatives_review"].get(str(row["review_id"]))
        if review is None or withdrawn:
            return
        if review["outcome"] != "open":
            self._breach(change, "the sign-off was given after the review had ended", "at")
        at, initiative = _moment(row["at"]), review["initiative_id"]
        who = f"the sign-off for {seat} was given by person {person}"
        if row["verdict"] == "recuse":
            return
        self._seated(change, who, person, initiative, (row["seat"],), at, row["verdict"] in APPROVALS)
        known = self.rows["initiatives_initiative"].get(str(initiative))
        if (
            self.sight == "all"
            and known
            and change.after["facts"].get("board") not in (None, self._board_of(known))
        ):
            self._breach(change, f"the sign-off for {seat} was given for a different board", "facts", PEOPLE)

    def _question(self, change: _Change) -> None:
        """Check that a question names who asked: the person who acts, or whose objection is answered."""
        if change.entry["operation"] != "+" or change.after["asked_by_id"] == change.entry["actor"]:
            return
        row = change.after
        objections = (
            (one["person_id"], one["verdict"], one["reason"])
            for one in self.sign_offs.get(row["review_id"], {}).values()
        )
        if (row["asked_by_id"], "object", row["text"]) not in objections:
            words = f"person {row['asked_by_id']} did not ask the question that names them"
            self._breach(change, words, "asked_by_id", ["initiatives_signoff"])

    # --- Contracts ---

    def _contractapproval(self, change: _Change) -> None:
        if change.entry["operation"] != "+":
            return
        self.judged += 1
        row = change.row
        self.approvals.setdefault(row["version_id"], []).append(row)
        version = self.rows["governance_contractversion"].get(str(row["version_id"]))
        said = {"seat": row["seat"], "digest": row["digest"]}
        words = f"the approval has no act 'contract approved' of person {row['person_id']} with its digest"
        self.wanted.append((change, ("contract approved",), ({row["person_id"]}, said), words))
        if version is None:
            return
        if version["author_id"] == row["person_id"]:
            self._breach(
                change, f"the contract was approved by its author, person {row['person_id']}", "person_id"
            )
        initiative = self.initiatives.get(version["contract_id"])
        if initiative is not None:
            who = f"the approval of a contract was given by person {row['person_id']}"
            self._seated(change, who, row["person_id"], initiative, (row["seat"],), _moment(row["at"]))

    def _contractversion(self, change: _Change) -> None:
        if not change.after or change.after["state"] != "in_force":
            return
        if change.before and change.before["state"] == "in_force":
            return
        self.judged += 1
        row = change.row
        facts = {"number": row["number"], "digest": row["digest"]}
        given = self.approvals.get(int(change.entry["key"]), ())
        given = [one for one in given if one["digest"] == row["digest"]]
        last = max((_moment(one["at"]) for one in given), default=change.seen)
        about = self.initiatives.get(row["contract_id"])
        seats = {
            one["seat"]
            for one in given
            if about is None
            or not any(
                self._why_lapsed(change, about, one["person_id"], (one["seat"],), _moment(one["at"]), last)
            )
        }
        acts = self.acts.get(change.entry["xact"], ())
        who = {
            by
            for kind, _, by, said in acts
            if kind == "contract approved" and said["digest"] == row["digest"]
        }
        words = (
            f"no act records that version {row['number']} of the contract came into force with this digest"
        )
        self.wanted.append((change, ("contract in force",), (who, facts), words))
        if self.sight == "period":
            return
        published = [
            (_moment(rulebook["published_at"]), int(key))
            for key, rulebook in self.rows["governance_rulebook"].items()
            if rulebook["published_at"] is not None
        ]
        rules = self.rules.get(str(max(published)[1])) if published else None
        if rules is None and self.sight == "all":
            self.lacks_rules = True
        wanted = rules.contract_seats if rules else frozenset()
        if not seats or wanted - seats:
            lack = " and ".join(sorted(wanted - seats)).replace("_", " ") or "any seat"
            words = f"version {row['number']} of the contract is in force without the approval of {lack}"
            rests_on = ["governance_contractapproval", "governance_rulebook", *PEOPLE, *ROLES]
            self._breach(change, words, "state", rests_on)


def _written(value: Any) -> bool:
    """Return True if a column holds something."""
    return value is not None and value is not False and value != ""


def _seen(row: _Row, seen: datetime.datetime) -> list[_Row]:
    """Return the row, and its earlier state if an act then may have seen that."""
    recent = seen - row["seen"] < CONCURRENT
    return [row, row["was"]] if recent and row["was"] is not None else [row]


def _person(key: int | None) -> str:
    """Return a person in words, or the system."""
    return "the system" if key is None else f"person {key}"


def _bars(role: _Row, proposed: bool) -> bool:
    """Return True if a role bars its person, or with `proposed` an open proposal."""
    if role["declined_at"] is not None or role["ended_at"] is not None:
        return False
    return role["accepted_at"] is not None or proposed


class _Change(NamedTuple):
    """One change of a row: its entry and moment, kept parts (`old`, `row`), full rows."""

    entry: _Row
    seen: datetime.datetime
    old: Any  # each of these four is None where there is none: by the operation
    before: Any
    after: Any
    row: Any


# --- Signatures of people -----------------------------------------------------------------------------------
# What an act was signed with. A passkey signs a challenge made of the statement, and an identity provider an ID token
# that carries it as its nonce, which anybody can check; a password or a one-time code leaves nothing but the word of
# the installation that asked for it.

SIGNATURE = b"plumbline signature 1\n"
PROOFS_TABLE, PASSKEYS_TABLE = "governance_signatureproof", "governance_passkey"
PROVIDERS_TABLE, PROVIDER_KEYS_TABLE = "governance_identityprovider", "governance_providerkey"
LINKS_TABLE = "governance_externalidentity"
OUR_WORD = ("password", "password and code")
PASSKEY, PROVIDER = "passkey", "identity provider"
JWK_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
# Seconds by which the clock of a provider may differ: a signer signed in there after the statement was shown, and
# before it was signed.
CLOCK_BEHIND, CLOCK_AHEAD = 5, 60
NEW_PASSKEY_WAITS = datetime.timedelta(hours=23, minutes=59)  # a day, less what an act may take
ES256, EDDSA, RS256 = -7, -8, -257
PRESENT, VERIFIED = 1, 4  # flags of an authenticator: a touch, and a PIN or a finger


def signature_challenge(nonce: bytes, digests: Iterable[str]) -> bytes:
    """Return the bytes that are signed for hexadecimal digests. `nonce` hides the digests."""
    return hashlib.sha256(SIGNATURE + nonce + b"".join(bytes.fromhex(one) for one in digests)).digest()


def from_base64url(text: Any, what: str) -> bytes:
    """Return the bytes of unpadded Base64 for addresses, in its one form. Raises Rejected."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(found).rstrip(b"=").decode() == text:
            return found
    except (ValueError, TypeError):
        pass
    raise Rejected(f"{what} is not valid Base64url.")


def cose_key(packed: bytes) -> dict[int, Any]:
    """Return the public key in a CBOR map of numbers to numbers and bytes. Raises Rejected."""
    place = 0

    def number(short: int) -> int:
        nonlocal place
        if short < 24:
            return short
        if short > 27:
            raise Rejected("The format of the public key is wrong.")
        size = 1 << short - 24
        place += size
        if place > len(packed):
            raise Rejected("The public key is cut off.")
        return int.from_bytes(packed[place - size : place], "big")

    def item(kinds: tuple[int, ...]) -> Any:
        nonlocal place
        if place >= len(packed):
            raise Rejected("The public key is cut off.")
        kind, short = packed[place] >> 5, packed[place] & 31
        place += 1
        said = number(short)
        if kind not in kinds:
            raise Rejected("The public key contains a value that is not a number or bytes.")
        if kind == 2:
            place += said
            if place > len(packed):
                raise Rejected("The public key is cut off.")
            return packed[place - said : place]
        return -1 - said if kind == 1 else said

    count = item((5,))
    found: dict[int, Any] = {}
    for _ in range(count):
        name = item((0, 1))
        if name in found:
            raise Rejected("The public key has the same field twice.")
        found[name] = item((0, 1, 2))
    if place != len(packed):
        raise Rejected("The public key has data after its end.")
    return found


def cose_verify(key: dict[int, Any], message: bytes, signature: bytes) -> bool:
    """Return True if the key made the signature as ES256, EdDSA (Ed25519) or RS256."""
    try:
        shape = (key[1], key[3])
        if shape == (2, ES256) and key[-1] == 1 and len(key[-2]) == len(key[-3]) == 32:
            x, y = (int.from_bytes(key[name], "big") for name in (-2, -3))
            return p256_verify(x, y, message, signature)
        if shape == (1, EDDSA) and key[-1] == 6:
            return ed25519_verify(key[-2], message, signature)
        if shape == (3, RS256):
            modulus, exponent = (int.from_bytes(key[name], "big") for name in (-1, -2))
            return rs256_verify(modulus, exponent, message, signature)
    except (KeyError, TypeError):
        pass
    return False


def key_of_jwk(jwk: Any) -> dict[str, str]:
    """Return only the members that make a key of a provider. Raises Rejected."""
    names = JWK_MEMBERS.get(str(jwk.get("kty")), ()) if isinstance(jwk, dict) else ()
    if not names or not all(isinstance(jwk.get(name), str) for name in names):
        raise Rejected("The key of the provider has an unknown type.")
    return {name: jwk[name] for name in names}


def jwk_verify(jwk: dict[str, str], algorithm: str, message: bytes, signature: bytes) -> bool:
    """Return True if the key made the JWS signature (RS256, ES256, EdDSA with Ed25519)."""
    parts = {
        name: from_base64url(jwk[name], "The key of the provider")
        for name in ("n", "e", "x", "y")
        if name in jwk
    }
    kind = (algorithm, jwk["kty"], jwk.get("crv"))
    if kind == ("RS256", "RSA", None):
        modulus, exponent = (int.from_bytes(parts[name], "big") for name in ("n", "e"))
        return rs256_verify(modulus, exponent, message, signature)
    if kind == ("ES256", "EC", "P-256") and len(signature) == 64:
        x, y = (int.from_bytes(parts[name], "big") for name in ("x", "y"))
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        return p256_verify_pair(x, y, message, r, s)
    if kind in (("EdDSA", "OKP", "Ed25519"), ("Ed25519", "OKP", "Ed25519")):
        return ed25519_verify(parts["x"], message, signature)
    return False


def check_id_token(
    evidence: dict[str, Any], challenge: bytes, *, shown_at: float, at: float
) -> dict[str, Any]:
    """Return the claims of the ID token that proves a signature. Raises Rejected.

    It is signed by the kept key, of the recorded issuer for the recorded client, its nonce is the challenge, and its
    person signed in at the provider between the showing of the statement and its signature (seconds since 1970).
    """
    pieces = evidence["id_token"].split(".")
    if len(pieces) != 3:
        raise Rejected("The ID token is not a signed token.")
    head, said, signature = (from_base64url(piece, "The ID token") for piece in pieces)
    header, claims = parse_json(head, "The header of the ID token"), parse_json(said, "The ID token")
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Rejected("The ID token is not a signed token.")
    if header.get("alg") != evidence["algorithm"]:
        raise Rejected("The algorithm of the ID token differs from the algorithm in the audit log.")
    key = key_of_jwk(evidence["jwk"])
    if not jwk_verify(key, evidence["algorithm"], ".".join(pieces[:2]).encode(), signature):
        raise Rejected("The ID token is not signed by the key that was kept with it.")
    if claims.get("iss") != evidence["issuer"]:
        raise Rejected("The issuer of the ID token differs from the issuer in the audit log.")
    if claims.get("aud") not in (evidence["client_id"], [evidence["client_id"]]):
        raise Rejected("The client of the ID token differs from the client in the audit log.")
    if claims.get("nonce") != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode():
        raise Rejected("The ID token was not made for this statement.")
    then = claims.get("auth_time")
    if isinstance(then, bool) or not isinstance(then, (int, float)):
        raise Rejected("The ID token does not contain the time of the sign-in at the provider.")
    if then < shown_at // 1 - CLOCK_BEHIND:
        raise Rejected("The sign-in at the provider is earlier than the statement.")
    if then > at + CLOCK_AHEAD:
        raise Rejected("The sign-in at the provider is later than the signature.")
    return claims


def check_signature(row: dict[str, Any]) -> str:
    """Return the strength of a proof in the audit log, once it is right. Raises Rejected.

    The digest of every proof is that of its statement. A passkey's challenge is made of that digest, and was signed
    by the public key, for this site, with a person verified by the authenticator. For an identity provider, see
    `check_id_token`.
    """
    strength = str(row["strength"])
    salt = from_base64url(row["salt"], "The salt of the signature")
    digests = row["digests"]
    if not isinstance(digests, list) or not all(
        isinstance(one, str) and re.fullmatch("[0-9a-f]{64}", one) for one in digests
    ):
        raise Rejected("The list of signed digests in the signature is not valid.")
    if commitment(salt, row["statement"].encode()).hex() != row["digest"] or row["digest"] not in digests:
        raise Rejected("The signature belongs to a different statement.")
    if strength in OUR_WORD:
        return strength
    if strength not in (PASSKEY, PROVIDER):
        raise Rejected(f"The signature has the unknown strength {strength!r}.")
    nonce = from_base64url(row["nonce"], "The nonce of the signature")
    if len(nonce) != 32:
        raise Rejected("The nonce of the signature does not have 32 bytes.")
    said, challenge = row["evidence"], signature_challenge(nonce, digests)
    if strength == PROVIDER:
        began = datetime.datetime(1970, 1, 1)
        shown_at, at = ((_moment(row[name]) - began).total_seconds() for name in ("shown_at", "at"))
        check_id_token(said, challenge, shown_at=shown_at, at=at)
        return strength
    authenticator, client, signature, public = (
        from_base64url(said[name], f"The {name.replace('_', ' ')} of the signature")
        for name in ("authenticator_data", "client_data", "signature", "public_key")
    )
    rp_id, origin = said["rp_id"], said["origin"]
    told = parse_json(client, "The client data of the signature")
    if not isinstance(told, dict) or told.get("type") != "webauthn.get":
        raise Rejected("The signature of the passkey is not from a sign-in (an assertion).")
    if told.get("challenge") != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode():
        raise Rejected("The passkey did not sign this statement.")
    host = re.fullmatch(r"https?://([a-z0-9.-]+)(?::[0-9]{1,5})?", origin)
    if told.get("origin") != origin or host is None or not f".{host[1]}".endswith(f".{rp_id}"):
        raise Rejected("The passkey was used on a different site.")
    if told.get("crossOrigin"):
        raise Rejected("The passkey was used inside a page of a different site.")
    if len(authenticator) < 37 or authenticator[:32] != hashlib.sha256(rp_id.encode()).digest():
        raise Rejected("The passkey belongs to a different site.")
    if not authenticator[32] & PRESENT or not authenticator[32] & VERIFIED:
        raise Rejected("The authenticator did not verify the person.")
    if not cose_verify(cose_key(public), authenticator + hashlib.sha256(client).digest(), signature):
        raise Rejected("The signature was not made with this passkey.")
    return strength


Issuers = dict[str, list[dict[str, str]]]  # by issuer, the public keys of a provider that someone trusts


class Signatures:
    """The signatures in an export, checked one by one as its entries are read.

    They are compared with the enrolment of passkeys and the recorded keys and linked accounts of identity providers.
    """

    def __init__(self, whole: bool, heads: Iterable[int], issuers: Issuers | None = None) -> None:
        """`heads` are the sizes of checkpoints that were signed. `whole`: no entry is missing."""
        self.whole, self.heads, self.issuers = whole, sorted(heads), issuers or {}
        self._providers: dict[int, dict[str, Any]] = {}
        self._clients: dict[int, set[str]] = {}  # by provider: every client id so far
        self._provider_keys: dict[int, dict[str, Any]] = {}
        self._links: dict[int, dict[str, Any]] = {}
        self._forgotten: set[tuple[str, str]] = set()  # rows of these, of which an entry was erased
        self._by_key: dict[str, int] = {}  # what is said of the keys of providers: of how many signatures
        self.counts: dict[str, int] = {}
        self.erased = self.unenrolled = self.unsealed = self.unsigned = self.beside = 0
        self._passkeys: dict[int, dict[str, Any]] = {}
        self._proofs: dict[tuple[int, str], dict[str, Any]] = {}
        self._acts: list[tuple[int, tuple[int, str], str, Any]] = []

    def look(self, position: int, entry: dict[str, Any], body: bytes | None) -> None:
        """Raise Rejected for a signature that is not right."""
        table = entry.get("table")
        if table == PROOFS_TABLE and entry.get("operation") == "+":
            if body is None:
                self.erased += 1
            else:
                self._proof(position, entry, parse_json(body, "The body")["after"])
        elif table == PASSKEYS_TABLE and body is not None and entry.get("operation") in ("+", "~"):
            row = parse_json(body, "The body")["after"]
            known = self._passkeys.setdefault(
                row["id"], {"enrolled": position, "signs_from": row["signs_from"]}
            )
            if "key" in known and known["key"] != row["public_key"]:
                raise Rejected(f"The public key of passkey {row['id']} was replaced after the enrolment.")
            soonest = _moment(known["signs_from"])
            if entry["operation"] == "+":
                soonest = _moment(entry.get("at") or entry["recorded_at"]) + NEW_PASSKEY_WAITS
            if _moment(row["signs_from"]) < soonest:
                raise Rejected(
                    f"Passkey {row['id']} has a wrong date. A new passkey can sign one day after it is "
                    "recorded."
                )
            known |= {"key": row["public_key"], "person": row["person_id"], "signs_from": row["signs_from"]}
            known |= {"confirmed_at": row["confirmed_at"], "ended_at": row["ended_at"]}
        elif table in (PROVIDERS_TABLE, PROVIDER_KEYS_TABLE, LINKS_TABLE):
            if body is None:
                self._forgotten.add((table, str(entry["key"])))
            else:
                self._of_provider(table, position, parse_json(body, "The body").get("after"))
        elif not table and body is not None:
            facts = parse_json(body, "The body").get("facts")
            signed = facts.get("signature") if isinstance(facts, dict) else None
            if isinstance(signed, dict):
                key = (entry["xact"], signed["digest"])
                self._acts.append((position, key, signed["strength"], entry["actor"]))
            elif entry.get("kind") == "signed off":
                self.unsigned += 1

    def _proof(self, position: int, entry: dict[str, Any], row: dict[str, Any]) -> None:
        strength = check_signature(row)
        self.counts[strength] = self.counts.get(strength, 0) + 1
        self.beside += len(row["digests"]) > 1
        self._proofs[entry["xact"], row["digest"]] = row
        if strength == PROVIDER:
            self._signed_at_provider(position, row)
        if strength != PASSKEY:
            return
        known = self._passkeys.get(row["passkey_id"])
        if known is None:
            if self.whole:
                raise Rejected("The passkey was not enrolled before this signature.")
            self.unenrolled += 1
            return
        if known["key"] != row["evidence"]["public_key"] or known["person"] != row["person_id"]:
            raise Rejected("The key of the signature differs from the key that the signer enrolled.")
        if not any(known["enrolled"] < size <= position for size in self.heads):
            self.unsealed += 1
        at, confirmed = _moment(row["at"]), known["confirmed_at"]
        if at < _moment(known["signs_from"]) and (confirmed is None or _moment(confirmed) > at):
            raise Rejected("The passkey of this signature was not allowed to sign yet.")
        if known["ended_at"] is not None and _moment(known["ended_at"]) < at:
            raise Rejected("The passkey of this signature was already revoked.")

    def _of_provider(self, table: str, position: int, row: dict[str, Any] | None) -> None:
        """Remember a recorded provider, a key of one, or a linked account."""
        if row is None:
            return
        if table == PROVIDERS_TABLE:
            self._providers[row["id"]] = row
            self._clients.setdefault(row["id"], set()).add(row["client_id"])
        elif table == PROVIDER_KEYS_TABLE:
            known = self._provider_keys.setdefault(row["id"], row | {"recorded": position})
            if key_of_jwk(known["jwk"]) != key_of_jwk(row["jwk"]):
                raise Rejected(f"The key {row['id']} of a provider was replaced after it was recorded.")
        else:
            self._links[row["id"]] = row

    def _signed_at_provider(self, position: int, row: dict[str, Any]) -> None:
        """Raise Rejected for a token by an untrusted key, or of another person's account."""
        said = row["evidence"]
        key, issuer = key_of_jwk(said["jwk"]), said["issuer"]
        known, link = self._provider_keys.get(said["provider_key"]), self._links.get(said["identity"])
        if known is None and self._told(PROVIDER_KEYS_TABLE, said["provider_key"]):
            raise Rejected("The key of the provider was not recorded before the signature.")
        if known is not None:
            house = self._providers.get(known["provider_id"], {"issuer": issuer})
            clients = self._clients.get(known["provider_id"], {said["client_id"]})
            if (
                key_of_jwk(known["jwk"]) != key
                or house["issuer"] != issuer
                or said["client_id"] not in clients
            ):
                raise Rejected("The key of the provider differs from the key in the audit log.")
            if _moment(known["fetched_at"]) != _moment(said["fetched_at"]):
                raise Rejected(
                    "The audit log and the signature give different times for the key of the provider."
                )
        if link is None and self._told(LINKS_TABLE, said["identity"]):
            raise Rejected("The account at the provider was not linked with the signer before the signature.")
        if link is not None:
            if known is not None and known["provider_id"] != link["provider_id"]:
                raise Rejected("The account that is linked with the signer is at a different provider.")
            self._own_account(row, link)
        if issuer in self.issuers:
            if key not in self.issuers[issuer]:
                raise Rejected(f"The key of the provider is not among the keys that you trust for {issuer}.")
            words = f"a key that you trust for {issuer}"
        else:
            day = said["fetched_at"][:10]
            sealed = [size for size in self.heads if known and known["recorded"] < size <= position]
            where = (
                f"sealed under checkpoint {sealed[0]}"
                if sealed
                else "but no checkpoint of this export proves that the key came before the signature"
            )
            words = f"the key of {issuer} as this installation recorded it on {day}, {where}"
        self._by_key[words] = self._by_key.get(words, 0) + 1

    def _told(self, table: str, key: int) -> bool:
        """Return True if this export would hold the row: it is whole, and not erased."""
        return self.whole and (table, str(key)) not in self._forgotten

    def _own_account(self, row: dict[str, Any], link: dict[str, Any]) -> None:
        """Raise Rejected unless the token's account was linked with the signer then."""
        claims = parse_json(from_base64url(row["evidence"]["id_token"].split(".")[1], "It"), "The ID token")
        own = {
            "sub": claims.get("sub"),
            "tid+oid": f"{claims.get('tid')}/{claims.get('oid')}".lower(),
        }
        claim = self._providers.get(link["provider_id"], {}).get("key_claim")
        if link["person_id"] != row["person_id"] or link["key"] not in (
            [own[claim]] if claim else own.values()
        ):
            raise Rejected("The account of the ID token is not the account that is linked with the signer.")
        at, starts = _moment(row["at"]), _moment(link["counts_from"] or link["linked_at"])
        if link["linked_by_id"] == link["person_id"]:
            starts += datetime.timedelta(hours=24)  # the person has that day to act on the notification
        if starts > at or (link["ended_at"] is not None and _moment(link["ended_at"]) < at):
            raise Rejected(
                "The signer could not sign with the account at the provider at the time of the signature."
            )

    def finish(self) -> None:
        """Raise Rejected if an act's proof differs from the act, or is missing."""
        for position, key, strength, actor in self._acts:
            row = self._proofs.get(key)
            if row is None:
                if self.whole and not self.erased:
                    raise Rejected(
                        f"position {position}: The act is recorded as signed, but its proof is not in the "
                        "audit log."
                    )
                continue
            if row["strength"] != strength or row["person_id"] != actor:
                raise Rejected(f"position {position}: The signature of the act differs from its proof.")

    def lines(self) -> list[str]:
        """Return what was checked, and what cannot be checked, in words."""
        checked, word = self.counts.get(PASSKEY, 0), [name for name in OUR_WORD if name in self.counts]
        found = []
        if checked:
            found.append(
                f"{checked} signatures by passkey: each fits its statement and was made with the enrolled "
                "key."
            )
        if self.unenrolled:
            found.append(
                f"The enrolment of {self.unenrolled} of these passkeys is not in this export, so only "
                "this installation confirms their keys."
            )
        if self.unsealed:
            found.append(
                f"This export has no checkpoint between enrolment and use for {self.unsealed} of these "
                "passkeys. Only the order of the audit log shows that the key came first."
            )
        if PROVIDER in self.counts:
            found.append(
                f"{self.counts[PROVIDER]} signatures by {PROVIDER}: each ID token was made only for its statement, "
                "after the statement was shown, and for the account of its signer."
            )
        found += [f"{count} of these tokens are signed by {words}." for words, count in self._by_key.items()]
        found += [
            f"{self.counts[name]} signatures by {name}: only this installation confirms these."
            for name in word
        ]
        if self.beside:
            found.append(
                f"{self.beside} of these signatures were given in a batch. This export has only the digests "
                "of the other statements."
            )
        if self.erased:
            found.append(f"{self.erased} signatures were erased. Only the fact that someone signed remains.")
        if self.unsigned:
            found.append(
                f"{self.unsigned} sign-offs have no signature, because this installation itself wrote them."
            )
        return found


# --- The command (verifies an unpacked export, a receipt or a checkpoint) -----------------------------------

EXPORT = "plumbline export 1"
MANIFEST = "manifest.json"
KEYS = "keys.txt"
PROOFS = "checkpoints/proofs.jsonl"
ENTRIES = "entries.jsonl"
EVIDENCE = "evidence.jsonl"
FINAL = "checkpoints/final.txt"
CHECKPOINT_FILE = re.compile(r"checkpoints/(?:0|[1-9][0-9]{0,18})\.txt\Z", re.ASCII)
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?\Z", re.ASCII)
LONGEST_LINE = 1 << 28
EVIDENCE_TABLE = "initiatives_evidence"


def line_bytes(thing: Any) -> bytes:
    """Return the one written form of a line of an export."""
    return (json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """Return the one written form of a manifest, with the digest of all else in it."""
    rest = {name: value for name, value in manifest.items() if name != "digest"}
    digest = hashlib.sha256(line_bytes(rest)).hexdigest()
    return (
        json.dumps({**rest, "digest": digest}, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    ).encode()


def _written_as(make: Callable[[Any], bytes], thing: Any, content: bytes, what: str) -> None:
    try:
        same = make(thing) == content
    except (TypeError, UnicodeEncodeError):
        same = False
    if not same:
        raise Rejected(f"{what} does not have the valid format.")


def _shape(thing: Any, what: str, **kinds: type | tuple[type, ...]) -> None:
    """Raise Rejected unless `thing` is an object with exactly these names, each of its kind."""
    if not isinstance(thing, dict) or set(thing) != set(kinds):
        raise Rejected(f"{what} must have the fields {', '.join(sorted(kinds))} and no others.")
    for name, kind in kinds.items():
        allowed = kind if isinstance(kind, tuple) else (kind,)
        if type(thing[name]) not in allowed:  # a truth value is no number
            raise Rejected(f"{what} has a wrong value for {name}.")


def _hashes(texts: list[Any], what: str) -> list[bytes]:
    if not all(isinstance(text, str) for text in texts):
        raise Rejected(f"{what} contains a value that is not a hash.")
    found = [from_base64(text, what) for text in texts]
    if any(len(hash) != 32 for hash in found):
        raise Rejected(f"{what} contains a value that is not a hash.")
    return found


EARLIER_NAMED = 10  # positions of entries that are named


class Clocks:
    """The times of checkpoints, compared with each other and with their entries.

    `head` takes every checkpoint in the order of sizes, `entry` every entry in the order of positions. Entries whose
    time was simulated (demonstrations) are not compared.
    """

    def __init__(self) -> None:
        self.heads: list[tuple[int, datetime.datetime]] = []
        self.earlier: list[tuple[int, datetime.timedelta]] = []  # positions, each with how much earlier
        self._next = 0
        self._last: datetime.datetime | None = None

    def head(self, size: int, at: datetime.datetime | None) -> None:
        """Raise Rejected unless the checkpoint has a time later than the previous one."""
        if at is None:
            raise Rejected(f"The checkpoint of size {size} has no time.")
        if self.heads and self.heads[-1] == (size, at):
            return
        if self.heads and at <= self.heads[-1][1]:
            raise Rejected(f"The checkpoint of size {size} is not later than the previous checkpoint.")
        self.heads.append((size, at))

    def entry(self, position: int, entry: dict[str, Any]) -> None:
        """Raise Rejected if the first checkpoint over this entry is older than the entry."""
        while self._next < len(self.heads) and self.heads[self._next][0] <= position:
            self._next += 1
        if self._next == len(self.heads) or entry.get("simulated"):
            return
        size, at = self.heads[self._next]
        recorded = _moment(entry["recorded_at"])
        if recorded > at:
            raise Rejected(f"The entry was recorded after the checkpoint of size {size}, which covers it.")
        if self._last is not None and recorded < self._last:
            self.earlier.append((position, self._last - recorded))
        self._last = recorded

    def lines(self) -> list[str]:
        """Return which entries are earlier than the entry before them, in words."""
        if not self.earlier:
            return []
        places = ", ".join(str(position) for position, _ in self.earlier[:EARLIER_NAMED])
        more = len(self.earlier) - EARLIER_NAMED
        most = max(by.total_seconds() for _, by in self.earlier)
        return [
            f"{len(self.earlier)} entries are earlier than the entry before them, by up to {most:.3f} seconds: "
            f"position {places}{f' and {more} more' if more > 0 else ''}."
        ]


class Witnesses:
    """The cosignatures under the checkpoints of an export. `given`: keys known from elsewhere."""

    def __init__(self, given: Sequence[VerifierKey]) -> None:
        self.given, self.keys = bool(given), list(given)
        self.sizes: dict[VerifierKey, set[int]] = {}
        self.newest: dict[VerifierKey, tuple[int, datetime.datetime]] = {}  # size, time
        self.unknown: dict[str, set[int]] = {}

    def named(self, keys: Sequence[VerifierKey]) -> None:
        """Take the keys that the export itself names, if none is known from elsewhere."""
        self.keys = self.keys or list(keys)

    def look(self, note: Note, lines: Iterable[Signature]) -> None:
        """Raise Rejected if the line of a known witness is wrong."""
        cosigned, unknown = cosignatures_of(note.body, lines, self.keys)
        for key, at in cosigned:
            self.sizes.setdefault(key, set()).add(note.size)
            self.newest[key] = max(self.newest.get(key, (-1, at)), (note.size, at))
        for name in unknown:
            self.unknown.setdefault(name, set()).add(note.size)

    @property
    def proven(self) -> bool:
        """Return True if a witness whose key is known from elsewhere cosigned a checkpoint."""
        return self.given and bool(self.sizes)

    def lines(self) -> list[str]:
        """Return what was found, in words."""
        found = []
        for key in self.keys:
            if key not in self.sizes:
                found.append(f"The witness {key.name} cosigned no checkpoint in this export.")
                continue
            size, at = self.newest[key]
            found.append(
                f"The witness {key.name} cosigned {len(self.sizes[key])} checkpoint(s) in this export, the newest at "
                f"size {size} on {at:%Y-%m-%d %H:%M:%S} UTC."
            )
        if self.sizes and not self.given:
            found.append(
                "The keys of these witnesses come from the export itself. Ask each witness for its key, and add it "
                "with --key."
            )
        for name, sizes in sorted(self.unknown.items()):
            found.append(
                f"{len(sizes)} checkpoint(s) have a cosignature of {name} with an unknown key, which was not checked."
            )
        return found


def of_kind(keys: Iterable[VerifierKey], algorithm: bytes) -> list[VerifierKey]:
    """Return the keys with this algorithm: ED25519 of logs, COSIGNATURE of witnesses."""
    return [key for key in keys if key.algorithm == algorithm]


class Export:
    """An unpacked export, checked file by file. `checked` counts what was found right."""

    def __init__(
        self,
        folder: str,
        held: Iterable[bytes] = (),
        trusted: Iterable[VerifierKey] = (),
        issuers: Issuers | None = None,
    ) -> None:
        """`held` are checkpoints received earlier, as bytes.

        `trusted` are VerifierKeys of logs and witnesses, and `issuers` keys of identity providers, all known from
        elsewhere.
        """
        self.folder, self.held, self.issuers = folder, list(held), issuers
        self.trusted, self.witnesses = of_kind(trusted, ED25519), Witnesses(of_kind(trusted, COSIGNATURE))
        self.checked = {"files": 0, "entries": 0, "erased": 0, "checkpoints": 0, "evidence": 0, "held": 0}
        self.heads: dict[int, bytes] = {}  # size: root, of every checkpoint in the export
        self.evidence: dict[int, tuple[Any, ...]] = {}  # id: what the entry of its adding says

    def check(self) -> dict[str, int]:
        """Raise Rejected at the first fault. Its message begins with the file and the place."""
        self._manifest()
        self._all_there()
        self._file(KEYS, self._keys)
        self.times: dict[int, list[datetime.datetime | None]] = {}
        for name in sorted(name for name in self.files if name == FINAL or CHECKPOINT_FILE.match(name)):
            self._file(name, self._checkpoint)
        self._times()
        self._file(PROOFS, self._proofs)
        self._held_before()
        self.signatures = Signatures(self.manifest["whole"], self.heads, self.issuers)
        self.judge = Judge(self.manifest["scope"]["kind"])
        self._file(ENTRIES, self._entries)
        self._held_after()
        with _place(ENTRIES):
            self.signatures.finish()
        self._judged()
        self._file(EVIDENCE, self._evidence)
        for name in sorted(set(self.files) - self.done):
            self._file(name, lambda name: None)
        return self.checked

    # --- Files ---

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, *name.split("/"))

    def _manifest(self) -> None:
        try:
            with open(self._path(MANIFEST), "rb") as file:
                content = file.read()
        except OSError:
            raise Rejected(f"{MANIFEST}: cannot be read. Name the folder of an export.") from None
        with _place(MANIFEST):
            manifest = parse_json(content, "It")
            _shape(
                manifest,
                "It",
                format=str,
                made_at=str,
                origin=str,
                scope=dict,
                whole=bool,
                entries=int,
                size=int,
                files=dict,
                digest=str,
            )
            if manifest["format"] != EXPORT:
                raise Rejected(f"The format is {manifest['format']}, but this script checks {EXPORT}.")
            # An unknown scope would be judged by fewer rules and still pass.
            if manifest["scope"].get("kind") not in SCOPES:
                raise Rejected(f"The scope must be one of {', '.join(SCOPES)}.")
            _written_as(manifest_bytes, manifest, content, "It")
            for name, file in manifest["files"].items():
                if not FILE_NAME.match(name) or name == MANIFEST:
                    raise Rejected(f"The manifest names a file that is not allowed: {name!r}.")
                _shape(file, f"The manifest entry of {name}", sha256=str, size=int)
        self.manifest, self.files = manifest, manifest["files"]
        self.done: set[str] = set()

    def _all_there(self) -> None:
        """Check that exactly the files that the manifest names are there."""
        found = set()
        for place, folders, names in os.walk(self.folder):
            inside = os.path.relpath(place, self.folder).replace(os.sep, "/")
            for name in names + [name for name in folders if os.path.islink(os.path.join(place, name))]:
                found.add(name if inside == "." else f"{inside}/{name}")
        for name in sorted(set(self.files) - found):
            raise Rejected(f"{name}: is missing.")
        for name in (KEYS, FINAL, PROOFS, ENTRIES, EVIDENCE):
            if name not in self.files:
                raise Rejected(f"{MANIFEST}: The manifest does not name {name}.")
        for name in sorted(found - set(self.files) - {MANIFEST}):
            raise Rejected(f"{name}: does not belong to this export.")
        for name in sorted(found):
            if os.path.islink(self._path(name)) or not os.path.isfile(self._path(name)):
                raise Rejected(f"{name}: is not a plain file.")

    def _file(self, name: str, look: Callable[[str], None]) -> None:
        """Check the content of a file and then its bytes, so that an error names its line."""
        digest, size = hashlib.sha256(), 0
        with open(self._path(name), "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
        look(name)
        with _place(name):
            if size != self.files[name]["size"]:
                raise Rejected(f"has {size} bytes, but had {self.files[name]['size']} bytes at the export.")
            if digest.hexdigest() != self.files[name]["sha256"]:
                raise Rejected("was changed after the export: its SHA-256 differs.")
        self.done.add(name)
        self.checked["files"] += 1

    def _read(self, name: str) -> bytes:
        with open(self._path(name), "rb") as file:
            return file.read()

    def _lines(self, name: str, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(place, object) for every line of a file."""
        with open(self._path(name), "rb") as file:
            number = 0
            while content := file.readline(LONGEST_LINE):
                number += 1
                place = f"{name}, line {number}"
                with _place(place):
                    thing = parse_json(content, what)
                    _written_as(line_bytes, thing, content, what)
                yield place, thing

    # --- What is in them ---

    def _keys(self, name: str) -> None:
        with _place(name):
            try:
                text = self._read(name).decode("ascii")
            except UnicodeDecodeError:
                raise Rejected("is not a list of keys.") from None
            if not text.endswith("\n"):
                raise Rejected("does not end with a line break.")
            named = [parse_key(line, (ED25519, COSIGNATURE)) for line in text[:-1].split("\n")]
            keys = of_kind(named, ED25519)
            if self.trusted and not set(keys) & set(self.trusted):
                raise Rejected("contains none of the keys that you trust.")
            self.keys = self.trusted or keys
            self.witnesses.named(of_kind(named, COSIGNATURE))

    def _checkpoint(self, name: str) -> None:
        with _place(name):
            text, cosigned = split_cosigned(self._read(name))
            note, signers = note_verify(
                text, self.keys, origin=self.manifest["origin"], known_only=not self.trusted
            )
            self.witnesses.look(note, cosigned)
            if name != FINAL and name != f"checkpoints/{note.size}.txt":
                raise Rejected(
                    f"contains a checkpoint of size {note.size}, which does not match the file name."
                )
            if name == FINAL:
                if note.size != self.manifest["size"]:
                    raise Rejected(
                        f"has size {note.size}, but the manifest has size {self.manifest['size']}."
                    )
                self.final, self.signers = note, signers
            if self.heads.setdefault(note.size, note.root) != note.root:
                raise Rejected(
                    f"has a different root than an earlier checkpoint of the same size, {note.size}."
                )
            self.times.setdefault(note.size, []).append(note.at)
        self.checked["checkpoints"] += 1

    def _times(self) -> None:
        """Raise Rejected unless the checkpoints were signed in the order of their sizes."""
        self.clocks = Clocks()
        for size, times in sorted(self.times.items()):
            name = FINAL if size == self.final.size else f"checkpoints/{size}.txt"
            with _place(name):
                for at in sorted(times, key=lambda at: at or datetime.datetime.min):
                    self.clocks.head(size, at)

    def _proofs(self, name: str) -> None:
        """Check that each checkpoint is the beginning of the final one."""
        self.proofs, last = {}, -1
        for place, line in self._lines(name, "The proof"):
            with _place(place):
                _shape(line, "The proof", size=int, proof=list)
                if line["size"] <= last:
                    raise Rejected("The proofs are not in the order of their sizes.")
                last = line["size"]
                self.proofs[last] = _hashes(line["proof"], "The proof")
                if last in self.heads:
                    check_consistency(
                        last, self.heads[last], self.final.size, self.final.root, self.proofs[last]
                    )
        for size in sorted(set(self.heads) - set(self.proofs) - {self.final.size}):
            raise Rejected(f"{name}: has no proof for the checkpoint of size {size}.")

    def _held_before(self) -> None:
        """Check the checkpoints that were received earlier, by their proofs to the final one."""
        self.wanted: dict[int, list[bytes]] = {}
        for number, content in enumerate(self.held, 1):
            with _place(f"the checkpoint you hold (number {number})"):
                note, _ = note_verify(content, self.keys, origin=self.manifest["origin"])
                if note.size > self.final.size:
                    raise Rejected(
                        f"has size {note.size}, but this export ends at {self.final.size}. The export is "
                        "older than this checkpoint, or entries were removed from it. Ask for a newer export."
                    )
                self.wanted.setdefault(note.size, []).append(note.root)

    def _same_root(self, size: int, root: bytes, said: bytes) -> None:
        if root != said:
            raise Rejected(
                f"{FINAL}: the audit log was rewritten. The root at size {size} is {root.hex()}, but the "
                f"checkpoint you hold has {said.hex()}"
            )
        self.checked["held"] += 1

    def _held_after(self) -> None:
        for size, roots in sorted(self.wanted.items()):
            for said in roots:
                known = self.final.root if size == self.final.size else self.heads.get(size)
                if known is not None:
                    self._same_root(size, known, said)
                elif size in self.proofs:
                    try:
                        check_consistency(size, said, self.final.size, self.final.root, self.proofs[size])
                    except Rejected:
                        raise Rejected(
                            f"{FINAL}: the audit log was rewritten. The root at size {size} differs "
                            f"from the root of the checkpoint you hold, {said.hex()}"
                        ) from None
                    self.checked["held"] += 1
                elif size in self.roots:
                    self._same_root(size, self.roots[size], said)
                else:
                    raise Rejected(
                        f"{PROOFS}: has no proof for your checkpoint of size {size}. Ask for an export "
                        "for this checkpoint (export_audit_log --checkpoint FILE)."
                    )

    def _entries(self, name: str) -> None:
        """Check that every entry is in the tree, by its proof or by the root of all."""
        whole, last, self.roots = self.manifest["whole"], -1, {}
        peaks = Peaks()
        checked_at = set(self.heads) | set(self.wanted)
        for place, line in self._lines(name, "The entry"):
            with _place(place):
                none = type(None)
                _shape(
                    line,
                    "The entry",
                    position=int,
                    leaf=str,
                    hash=str,
                    body=(str, none),
                    salt=(str, none),
                    proof=none if whole else list,
                )
                position, leaf = line["position"], line["leaf"].encode()
                hash = leaf_hash(leaf)
                if _hashes([line["hash"]], "The hash") != [hash]:
                    raise Rejected("The hash of the entry does not match its leaf.")
                if position <= last or (whole and position != last + 1):
                    raise Rejected(
                        f"The entry at position {position} is out of order, after position {last}."
                    )
                last = position
                body = None if line["body"] is None else line["body"].encode()
                salt = None if line["salt"] is None else from_base64(line["salt"], "The salt")
                entry = check_entry(leaf, body, salt, f"position {position}")
                self.clocks.entry(position, entry)
                self._entry(position, entry, body)
                if whole:
                    peaks.push(hash)
                    if peaks.size in checked_at:
                        self.roots[peaks.size] = peaks.root()
                        if self.heads.get(peaks.size, peaks.root()) != peaks.root():
                            raise Rejected(
                                "The entries up to this line do not match the root of the checkpoint of size "
                                f"{peaks.size}. An entry since the previous checkpoint was changed."
                            )
                else:
                    proof = _hashes(line["proof"], "The proof")
                    if root_from_inclusion(position, self.final.size, hash, proof) != self.final.root:
                        raise Rejected("The entry is not in the audit log of the final checkpoint.")
            self.checked["entries"] += 1
            self.checked["erased"] += body is None
        if self.checked["entries"] != self.manifest["entries"]:
            raise Rejected(
                f"{name}: has {self.checked['entries']} entries instead of {self.manifest['entries']}."
            )
        if whole and peaks.size != self.final.size:
            raise Rejected(
                f"{name}: ends at {peaks.size}, but the final checkpoint has size {self.final.size}."
            )

    def _judged(self) -> None:
        """Raise Rejected at the first thing recorded that was not allowed."""
        wrong = self.judge.finish()
        if wrong:
            more = f" ({len(wrong) - 1} more faults like this)" if wrong[1:] else ""
            raise Rejected(f"{ENTRIES}, {said_of(wrong[0])}{more}")

    def _entry(self, position: int, entry: dict[str, Any], body: bytes | None) -> None:
        """Judge the entry, and keep what it records about evidence, for the list."""
        self.judge.look(entry, body)
        self.signatures.look(position, entry, body)
        if entry.get("table") == EVIDENCE_TABLE and entry.get("operation") == "+" and body is not None:
            row = parse_json(body, "The body")["after"]
            self.evidence[row["id"]] = (
                position,
                entry["initiative"],
                row["sha256"],
                row["size"],
                row["title"],
            )

    def _evidence(self, name: str) -> None:
        """Check that every fingerprint is the recorded one, and every file has its own."""
        absent = []
        for place, line in self._lines(name, "The evidence"):
            with _place(place):
                none = type(None)
                _shape(
                    line,
                    "The evidence",
                    id=int,
                    initiative=str,
                    title=str,
                    sha256=str,
                    size=(int, none),
                    file=(str, none),
                )
                position, initiative, sha256, size, title = self.evidence.get(line["id"], (None,) * 5)
                if position is None:
                    raise Rejected("This export has no entry that records this evidence.")
                for field, said in (
                    ("initiative", initiative),
                    ("sha256", sha256),
                    ("size", size),
                    ("title", title),
                ):
                    if line[field] != said:
                        raise Rejected(f"The {field} differs from the entry at position {position}.")
                file = line["file"]
                if file is not None and file not in self.files:
                    absent.append(f"{line['initiative']}, item {line['id']} “{title}” ({file})")
                    file = None
                if file is not None and self.files[file]["sha256"] != sha256:
                    raise Rejected(f"The file {file} does not have the recorded fingerprint.")
            if file is not None:
                self._file(file, lambda name: None)
            self.checked["evidence"] += 1
        self._all_evidence_there(name, absent)

    def _all_evidence_there(self, name: str, absent: list[str]) -> None:
        """Storage had every file that was recorded, as it was recorded, when this was exported."""
        if absent:
            raise Rejected(
                f"{name}: this export lacks {len(absent)} file(s) of evidence. These files were missing "
                f"or changed at the time of the export ({'; '.join(absent)})"
            )


@contextlib.contextmanager
def _place(place: str) -> Iterator[None]:
    """Put the place of an error in front of its message."""
    try:
        yield
    except Rejected as wrong:
        raise Rejected(f"{place}: {wrong}") from None
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as wrong:
        raise Rejected(f"{place}: cannot be read ({type(wrong).__name__}).") from None


def _check_receipt_file(
    path: str, content: bytes, held: Sequence[bytes], trusted: Sequence[VerifierKey]
) -> list[str]:
    """Return the words on a receipt that is right. Raises Rejected."""
    name = os.path.basename(path)
    with _place(name):
        receipt, entry, note, signers = check_receipt(content, trusted)
    for number, other in enumerate(held, 1):
        with _place(f"the checkpoint you hold (number {number})"):
            kept, _ = note_verify(other, trusted or receipt["keys"], origin=note.origin)
            if kept.size == note.size and kept.root != note.root:
                raise Rejected(
                    f"has a different root than the receipt at size {kept.size}. The audit log was rewritten."
                )
            if kept.size != note.size:
                raise Rejected(
                    f"has size {kept.size}, but the receipt has size {note.size}. Use an export to compare "
                    "the two."
                )
    lines = [
        verdict(signers if trusted else (), 0, "receipt"),
        f"{name}: recorded with this content, at position {receipt['position']} of {note.size}.",
    ]
    lines += [
        f"  {word}: {entry[word]}" for word in ("kind", "initiative", "at", "recorded_at") if entry.get(word)
    ]
    if receipt["body"] is not None:
        body = parse_json(receipt["body"].encode(), "The body")
        lines += [f"  by: {body['actor']['name']}"] if isinstance(body, dict) and body.get("actor") else []
        signed = (body.get("facts") or {}).get("signature") if isinstance(body, dict) else None
        lines += (
            [f"  signature: {signed['strength']}"]
            if isinstance(signed, dict) and "strength" in signed
            else []
        )
    return lines + [f"  signed by {key}" for key in signers]


def _check_interaction_file(path: str, content: bytes, trusted: Sequence[VerifierKey]) -> list[str]:
    name = os.path.basename(path)
    with _place(name):
        said, receipt, note, signers = check_interaction(content, trusted)
    where = f"in the batch at position {receipt['position']} of {note.size}."
    lines = [
        verdict(signers if trusted else (), 0, "receipt"),
        f"{name}: reported with this content, {where}",
        f"  received at: {said['received_at']}",
    ]
    return lines + [f"  signed by {key}" for key in signers]


def _check_checkpoint_file(path: str, content: bytes, trusted: Sequence[VerifierKey]) -> list[str]:
    name, keys = os.path.basename(path), of_kind(trusted, ED25519)
    if not keys:
        raise Rejected(
            f"{name}: add --key KEY to check a checkpoint alone. The audit log page shows the key."
        )
    with _place(name):
        note, signers = note_verify(content, keys)
        cosigned, unknown = cosignatures_of(note.body, split_cosigned(content)[1], trusted)
    lines = [
        verdict(signers, len(cosigned), "checkpoint"),
        f"{name}: {note.origin}, size {note.size}, root {note.root.hex()}",
    ]
    lines += [f"  signed by {key}" for key in signers]
    lines += [f"  cosigned on {at:%Y-%m-%d %H:%M:%S} UTC by {key}" for key, at in cosigned]
    return lines + [f"  a cosignature of {one} with an unknown key was not checked" for one in unknown]


def verdict(signers: Sequence[VerifierKey], witnesses: int, what: str) -> str:
    """Return the first line of a check without a fault: on whose key it rests.

    `signers` signed with a key that is known from elsewhere, and so did this number of `witnesses`.
    """
    by = [f"the key you gave ({key.name}+{key.key_id.hex()})" for key in signers]
    by += [f"{witnesses} witness{'' if witnesses == 1 else 'es'} you gave"] if witnesses else []
    if by:
        return f"RIGHT, by {' and '.join(by)}."
    return f"RIGHT, but its keys come from the {what} itself: this proves no origin."


def kept_lines(content: bytes) -> bytes:
    """Return a kept note with the line ends and the last newline that its signature is about."""
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


def said_of(breach: Breach) -> str:
    """Return a breach in words, with its place."""
    return f"entry {breach.entry}, row {breach.key} of {breach.table}: {breach.words}."


def _judged_lines(export: Export) -> list[str]:
    """Return what was judged, and what this export lacks for it, in words."""
    judge = export.judge
    lines = [
        f"{judge.judged} acts in it were judged for permission: sign-offs, approvals, decisions, contracts in "
        "force and stage changes."
    ]
    if judge.sight == "initiative":
        lines.append(
            "The seats of the board and the demands of the rulebook were not judged, because an export of "
            "one initiative lacks them."
        )
    if judge.sight == "period":
        lines.append(
            "Seats, roles and quorums were not judged, because an export of some days lacks them. The acts "
            "were judged."
        )
    if judge.lacks_rules:
        lines.append(
            "Quorums and the seats of contracts were not judged, because this needs Python 3.11 or later."
        )
    if judge.unjudged:
        lines.append(
            f"{judge.unjudged} could not be judged, because entries that they depend on were erased or are "
            "not in the export."
        )
    return lines


def issuers_of(said: Iterable[Sequence[str]]) -> Issuers:
    """Return the keys in each file (a JWKS) by its issuer. Raises Rejected, OSError."""
    found: Issuers = {}
    for issuer, path in said:
        with open(path, "rb") as file:
            document = parse_json(file.read(), os.path.basename(path))
        rows = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise Rejected(f"{os.path.basename(path)}: is not a list of keys (a JWKS).")
        known = [row for row in rows if isinstance(row, dict) and row.get("kty") in JWK_MEMBERS]
        found.setdefault(issuer, []).extend(key_of_jwk(row) for row in known)
    return found


def _check_place(
    place: str, held: Sequence[bytes], trusted: Sequence[VerifierKey], issuers: Issuers | None = None
) -> list[str]:
    """Return the words on what is right at `place`. Raises Rejected."""
    if os.path.isdir(place):
        export = Export(place, held, trusted, issuers)
        found = export.check()
        lines = [
            verdict(
                export.signers if export.trusted else (),
                len(export.witnesses.sizes) if export.witnesses.given else 0,
                "export",
            ),
            f"{found['files']} files, {found['entries']} entries ({found['erased']} of them erased), "
            f"{found['checkpoints']} checkpoints, {found['evidence']} pieces of evidence: no faults found.",
            (
                f"The audit log had {export.final.size} entries at that time, with the root "
                f"{export.final.root.hex()}."
            ),
        ]
        lines += export.signatures.lines()
        lines += export.witnesses.lines()
        lines += export.clocks.lines()
        lines += _judged_lines(export)
        lines += (
            [f"The beginning of the audit log matches {found['held']} checkpoint(s) that you hold."]
            if found["held"]
            else []
        )
        if not held and not export.witnesses.proven:
            lines.append("Without an earlier checkpoint, this check cannot detect a rewritten audit log.")
        return lines
    with open(place, "rb") as file:
        content = file.read()
    if content.startswith(INTERACTION_BEGINS):
        return _check_interaction_file(place, content, of_kind(trusted, ED25519))
    if content.startswith(b"{"):
        return _check_receipt_file(place, content, held, of_kind(trusted, ED25519))
    return _check_checkpoint_file(place, kept_lines(content), trusted)


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if all is right, 1 after naming the first fault, 2 for an unreadable file."""
    parser = argparse.ArgumentParser(
        description="Check an unpacked Plumbline export (its folder), a receipt or a checkpoint, offline."
    )
    parser.add_argument("place", help="the folder of the export, or a file")
    parser.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint that you received earlier",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="a public key of a log or of a witness that you know from elsewhere",
    )
    parser.add_argument(
        "--issuer",
        action="append",
        nargs=2,
        default=[],
        metavar=("ISSUER", "FILE"),
        help="the keys of an identity provider (a JWKS) that you know from elsewhere",
    )
    asked = parser.parse_args(arguments)
    try:
        held = []
        for path in asked.checkpoint:
            with open(path, "rb") as file:
                held.append(kept_lines(file.read()))
        keys = [parse_key(key, (ED25519, COSIGNATURE)) for key in asked.key]
        lines = _check_place(asked.place, held, keys, issuers_of(asked.issuer))
    except Rejected as wrong:
        print(f"WRONG  {wrong}")
        return 1
    except OSError as trouble:
        print(f"{trouble.filename}: {trouble.strerror}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
