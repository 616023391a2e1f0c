"""The offline check of signatures: three algorithms against hostile keys and bytes, statements, enrolment."""

import hashlib
import json
from dataclasses import replace
from random import Random

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from governance.offline import verify
from governance.offline.verify import Rejected, Signatures, check_signature, cose_key, cose_verify
from tests.support.identity.authenticator import EDDSA, ES256, ES384, PRESENT, RS256, VERIFIED, Authenticator
from tests.support.identity.signed_rows import signed_row, urlsafe

KINDS = (ES256, EDDSA, RS256)
MESSAGE = b"what was signed"
ORDER = verify.P256_ORDER


@pytest.fixture(scope="module")
def devices() -> dict[int, Authenticator]:
    return {kind: Authenticator(kind) for kind in KINDS}


def numbers(device: Authenticator) -> tuple[int, int]:
    public = device.key.public_key().public_numbers()
    return public.x, public.y


def der(r: int, s: int) -> bytes:
    return utils.encode_dss_signature(r, s)


# --- The algorithms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_agrees_with_the_library(devices, kind):
    device = devices[kind]
    key, another = cose_key(device.cose()), cose_key(Authenticator(kind).cose())
    for number in range(10):
        message = bytes([number]) * number
        signature = device.sign(message)
        assert cose_verify(key, message, signature)
        assert not cose_verify(key, message + b"x", signature)
        assert not cose_verify(another, message, signature)


def test_a_thousand_keys_of_p256_and_numbers_at_the_edge():
    for secret in [
        1,
        2,
        3,
        ORDER - 1,
        ORDER - 2,
        2**255,
        *(Random(5).randrange(1, ORDER) for _ in range(20)),
    ]:
        key = ec.derive_private_key(secret, ec.SECP256R1())
        x, y = key.public_key().public_numbers().x, key.public_key().public_numbers().y
        assert verify.p256_verify(x, y, MESSAGE, key.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))


def test_numbers_of_a_signature_lie_in_their_range(devices):
    device = devices[ES256]
    x, y = numbers(device)
    r, s = utils.decode_dss_signature(device.sign(MESSAGE))
    assert verify.p256_verify(x, y, MESSAGE, der(r, s))
    assert verify.p256_verify(x, y, MESSAGE, der(r, ORDER - s))  # the other root, which is a signature too
    for pair in ((0, s), (r, 0), (0, 0), (r + ORDER, s), (r, s + ORDER), (ORDER, s), (r, ORDER), (1, 1)):
        assert not verify.p256_verify(x, y, MESSAGE, der(*pair)), pair


def test_a_point_off_the_curve_signs_nothing(devices):
    device = devices[ES256]
    x, y = numbers(device)
    signature = device.sign(MESSAGE)
    p = verify.P256
    for point in ((x, y ^ 1), (x, p - y), (0, 0), (x + p, y), (x, y + p), (y, x), (1, 1), (p, p), (-x, y)):
        assert not verify.p256_verify(*point, MESSAGE, signature), point


def test_a_key_off_the_curve_that_was_made_for_a_signature_signs_nothing():
    """The sum of points does not use the last number of the curve. So a point can be made for any signature."""
    p = verify.P256
    digest = int.from_bytes(hashlib.sha256(MESSAGE).digest(), "big")
    # With r = s, the point is added once. The base comes in four times at least, so the point is added last.
    r = next(r for r in range(2, 1000) if digest * pow(r, -1, ORDER) % ORDER % 4 == 0)
    base = ec.derive_private_key(digest * pow(r, -1, ORDER) % ORDER, ec.SECP256R1())
    at = base.public_key().public_numbers()
    for x in range(2, 1000):
        square = (r + at.x + x) % p
        slope = pow(square, (p + 1) // 4, p)
        if slope * slope % p == square:
            break
    y = (at.y + slope * (x - at.x)) % p
    assert (y * y - (x**3 - 3 * x + verify.P256_B)) % p, "the point lies on the curve"
    assert not verify.p256_verify_pair(x, y, MESSAGE, r, r)


def test_a_signature_in_der_is_written_in_one_way(devices):
    device = devices[ES256]
    x, y = numbers(device)
    r, s = utils.decode_dss_signature(device.sign(MESSAGE))
    good = der(r, s)
    long = b"\x30" + bytes([len(good) - 1]) + b"\x02" + bytes([good[3] + 1]) + b"\x00" + good[4:]
    for bad in (
        b"",
        good + b"\x00",
        good[:-1],
        b"\x31" + good[1:],
        long,
        b"\x30\x81" + good[1:],
        r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        b"\x30\x06\x02\x01\x80\x02\x01\x80",
        b"\x30\x44" + b"\x02\x00" * 34,
    ):
        assert not verify.p256_verify(x, y, MESSAGE, bad), bad.hex()


def forged(key, padded: bytes) -> bytes:
    """What the owner of a key would sign with a padding of their own."""
    private = key.private_numbers()
    number = pow(int.from_bytes(padded, "big"), private.d, private.public_numbers.n)
    return number.to_bytes(256, "big")


def test_the_padding_of_rsa_is_made_anew_and_never_read(devices):
    key = devices[RS256].key
    public = key.public_key().public_numbers()
    end = verify.SHA256_IN_DER + hashlib.sha256(MESSAGE).digest()
    right = b"\x00\x01" + b"\xff" * (256 - len(end) - 3) + b"\x00" + end
    assert verify.rs256_verify(public.n, public.e, MESSAGE, forged(key, right))
    for wrong in (
        b"\x00\x01"
        + b"\xff" * 8
        + b"\x00"
        + end
        + bytes(256 - len(end) - 11),  # what follows the digest is not read
        b"\x00\x02" + right[2:],
        b"\x00\x01\xfe" + right[3:],
        b"\x00\x01" + b"\xff" * (256 - len(end) - 4) + b"\x00\x00" + end,
        right[:-1] + bytes([right[-1] ^ 1]),
        b"\x00\x01" + b"\xff" * (256 - 35) + b"\x00" + end[-32:],  # no name of the hash
        b"\x00\x01"
        + b"\xff" * (256 - len(end) - 1)
        + b"\x00"
        + end.replace(b"\x05\x00", b""),  # its parameters left out
    ):
        assert len(wrong) == 256
        assert not verify.rs256_verify(public.n, public.e, MESSAGE, forged(key, wrong))


def test_numbers_of_rsa_lie_in_their_range(devices):
    device = devices[RS256]
    public = device.key.public_key().public_numbers()
    signature = device.sign(MESSAGE)
    number = int.from_bytes(signature, "big")
    assert verify.rs256_verify(public.n, public.e, MESSAGE, signature)
    for modulus, exponent, said in (
        (public.n, public.e, b"\x00" + signature),
        (public.n, public.e, signature[1:]),
        (public.n, public.e, b""),
        (public.n, 1, signature),
        (public.n, 0, signature),
        (public.n, 4, signature),
        (public.n, 2**64 + 1, signature),
        (public.n - 1, public.e, signature),
        (3, public.e, b"\x01"),
        (1 << 9000 | 1, public.e, signature),
    ):
        assert not verify.rs256_verify(modulus, exponent, MESSAGE, said)
    if number + public.n < 1 << 2048:
        assert not verify.rs256_verify(public.n, public.e, MESSAGE, (number + public.n).to_bytes(256, "big"))
    small = rsa.generate_private_key(65537, 1024)
    few = small.public_key().public_numbers()
    said = small.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert not verify.rs256_verify(few.n, few.e, MESSAGE, said)


def test_a_digest_signed_by_another_hash_is_none(devices):
    device = devices[RS256]
    key = cose_key(device.cose())
    assert not cose_verify(key, MESSAGE, device.key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA512()))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert not cose_verify(key, MESSAGE, device.key.sign(MESSAGE, pss, hashes.SHA256()))


# --- Keys ----------------------------------------------------------------------------------------------------


def test_a_key_is_a_map_of_numbers_and_bytes_and_nothing_after_it(devices):
    good = devices[ES256].cose()
    assert cose_key(good)[-1] == 1
    for bad in (
        b"",
        good + b"\x00",
        good[:-1],
        cbor2.dumps([1, 2]),
        cbor2.dumps({"a": 1}),
        cbor2.dumps({1: "a"}),
        cbor2.dumps({1: {}}),
        cbor2.dumps({1: None}),
        b"\xa2\x01\x02\x01\x02",
        b"\xbf\x01\x02\xff",
        b"\xbb" + b"\xff" * 8,
        b"\xa1\x01\x5b" + b"\xff" * 8,
        b"\xa1",
    ):
        with pytest.raises(Rejected):
            cose_key(bad)


def test_no_other_algorithm_is_known(devices):
    signature = devices[ES256].sign(MESSAGE)
    key = cose_key(devices[ES256].cose())
    other = Authenticator(ES384)
    assert not cose_verify(cose_key(other.cose()), MESSAGE, other.sign(MESSAGE))
    for change in (
        {3: RS256},
        {3: EDDSA},
        {1: 3},
        {-1: 2},
        {-2: 5},
        {-2: b""},
        {-3: b"\x00" * 33},
        {1: b"\x02"},
    ):
        assert not cose_verify(key | change, MESSAGE, signature), change
    assert not cose_verify({}, MESSAGE, signature)
    assert not cose_verify(
        {1: 1, 3: EDDSA, -1: 6, -2: bytes(32)}, MESSAGE, bytes(64)
    )  # a point of small order


# --- Signatures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_of_each_kind_is_right(devices, kind):
    assert check_signature(signed_row(devices[kind])) == "passkey"
    assert check_signature(signed_row(devices[kind], others=("ab" * 32,))) == "passkey"


def test_of_a_password_there_is_a_word_and_its_statement():
    row = signed_row() | {"strength": "password", "evidence": {}, "nonce": ""}
    assert check_signature(row) == "password"
    with pytest.raises(Rejected, match="to a different statement"):
        check_signature(row | {"statement": "another"})


def _told(row: dict, device: Authenticator, **changes) -> dict:
    """The row with other client data, signed anew by the same key: what a dishonest browser could bring."""
    client = json.loads(verify.from_base64url(row["evidence"]["client_data"], "x")) | changes
    data = verify.from_base64url(row["evidence"]["authenticator_data"], "x")
    written = json.dumps(client).encode()
    signature = device.sign(data + hashlib.sha256(written).digest())
    return row | {
        "evidence": row["evidence"] | {"client_data": urlsafe(written), "signature": urlsafe(signature)}
    }


def _evidence(row: dict, **changes) -> dict:
    return row | {"evidence": row["evidence"] | changes}


def test_what_a_passkey_did_not_sign_is_named(devices):
    device = devices[ES256]
    row = signed_row(device)
    others = "ab" * 32
    wrong = {
        "to a different statement": row | {"statement": "another"},
        "did not sign this statement": row | {"nonce": urlsafe(b"x" * 32)},
        "does not have 32 bytes": row | {"nonce": urlsafe(b"x" * 31)},
        "the unknown strength": row | {"strength": "stamp"},
        "The list of signed digests": row | {"digests": ["x"]},
        "is not from a sign-in": _told(row, device, type="webauthn.create"),
        "The passkey did not sign this": _told(row, device, challenge="AAAA"),
        "on a different site": _told(row, device, origin="http://evil.example"),
        "inside a page": _told(row, device, crossOrigin=True),
        "belongs to a different site": signed_row(replace(device, rp_id="evil.example")),
        "verify the person": signed_row(replace(device, flags=PRESENT)),
        "not made with this passkey": _evidence(row, public_key=urlsafe(Authenticator(ES256).cose())),
        "not valid Base64url": _evidence(row, signature="=="),
        "is not JSON": _evidence(row, client_data=urlsafe(b"\xff")),
        "is cut off": _evidence(row, public_key=urlsafe(device.cose()[:-3])),
    }
    for words, broken in wrong.items():
        with pytest.raises(Rejected, match=words):
            check_signature(broken)
    with pytest.raises(Rejected, match="verify the person"):
        check_signature(signed_row(replace(device, flags=VERIFIED)))
    with pytest.raises(Rejected, match="did not sign this statement"):
        check_signature(row | {"digests": [row["digest"], others]})
    with pytest.raises(Rejected, match="on a different site"):
        check_signature(_evidence(row, origin="http://evil.example"))
    with pytest.raises(Rejected, match="on a different site"):
        check_signature(_evidence(row, rp_id="ocalhost"))


def test_any_flipped_bit_is_found(devices):
    random = Random(26)
    rows = [signed_row(devices[kind], number=number) for number, kind in enumerate(KINDS)]
    for _ in range(150):
        row = json.loads(json.dumps(random.choice(rows)))
        holder, name = random.choice(
            [(row, "salt"), (row, "nonce"), (row, "digest"), (row, "statement")]
            + [
                (row["evidence"], name)
                for name in ("authenticator_data", "client_data", "signature", "public_key")
            ]
        )
        if name in ("digest", "statement"):
            place = random.randrange(len(holder[name]))
            holder[name] = (
                holder[name][:place] + chr(ord(holder[name][place]) ^ 1) + holder[name][place + 1 :]
            )
        else:
            content = bytearray(verify.from_base64url(holder[name], name))
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
            holder[name] = urlsafe(bytes(content))
        with pytest.raises((Rejected, ValueError, KeyError)):
            check_signature(row)


def test_signatures_are_checked_by_plain_python_alone(devices, monkeypatch):
    monkeypatch.setattr(verify, "Ed25519PublicKey", None)
    for number, kind in enumerate(KINDS):
        check_signature(signed_row(devices[kind], number=number))


# --- Enrolment -----------------------------------------------------------------------------------------------


def passkey_body(device: Authenticator, **changes) -> bytes:
    row = {
        "id": 1,
        "public_key": urlsafe(device.cose()),
        "person_id": 7,
        "signs_from": "2026-11-08T12:00:00+00:00",
        "confirmed_at": None,
        "ended_at": None,
    }
    return json.dumps({"after": row | changes}).encode()


def of_row(table: str, operation: str = "+", recorded_at: str = "2026-11-07T12:00:00Z") -> dict:
    said = {"table": table, "operation": operation, "xact": 5, "actor": 7, "kind": "row"}
    return said | {"recorded_at": recorded_at}


def look(signatures: Signatures, *entries: tuple[dict, bytes | None]) -> Signatures:
    for position, (entry, body) in enumerate(entries):
        signatures.look(position, entry, body)
    signatures.finish()
    return signatures


def test_a_passkey_is_enrolled_before_it_signs(devices):
    device = devices[ES256]
    row = signed_row(device)
    enrolment = of_row(verify.PASSKEYS_TABLE), passkey_body(device)
    proof = of_row(verify.PROOFS_TABLE), json.dumps({"after": row}).encode()
    act = {"table": "", "xact": 5, "actor": 7, "kind": "signed off"}
    signed = (
        act,
        json.dumps({"facts": {"signature": {"digest": row["digest"], "strength": "passkey"}}}).encode(),
    )

    right = look(Signatures(True, [1]), enrolment, proof, signed)
    assert right.lines() == [
        "1 signatures by passkey: each fits its statement and was made with the enrolled key."
    ]
    assert "no checkpoint between" in look(Signatures(True, [5]), enrolment, proof, signed).lines()[1]
    assert "of these passkeys is not in this export" in look(Signatures(False, []), proof, signed).lines()[1]

    changed = of_row(verify.PASSKEYS_TABLE, "~")
    wrong = {
        "was not enrolled before this signature": (proof, enrolment),
        "The key of the signature differs": ((enrolment[0], passkey_body(Authenticator(ES256))), proof),
        "differs from the key that the signer enrolled": (
            (enrolment[0], passkey_body(device, person_id=8)),
            proof,
        ),
        "was replaced": (enrolment, (changed, passkey_body(Authenticator(ES256)))),
        "was not allowed to sign yet": (
            (enrolment[0], passkey_body(device, signs_from="2026-11-09T13:00:00+00:00")),
            proof,
        ),
        "has a wrong date": (
            (of_row(verify.PASSKEYS_TABLE, recorded_at="2026-11-09T11:00:00Z"), enrolment[1]),
            proof,
        ),
        "has a wrong date. A new": (
            enrolment,
            (changed, passkey_body(device, signs_from="2026-10-01T10:00:00+00:00")),
            proof,
        ),
        "was already revoked": (
            (enrolment[0], passkey_body(device, ended_at="2026-11-09T11:00:00+00:00")),
            proof,
        ),
        "its proof is not in the audit log": (signed,),
        "The signature of the act differs": (
            enrolment,
            proof,
            (
                act,
                json.dumps(
                    {"facts": {"signature": {"digest": row["digest"], "strength": "password"}}}
                ).encode(),
            ),
        ),
    }
    for words, entries in wrong.items():
        with pytest.raises(Rejected, match=words):
            look(Signatures(True, [1]), *entries)


def test_confirmed_it_signs_before_its_day_and_not_before_that(devices):
    device = devices[ES256]
    proof = of_row(verify.PROOFS_TABLE), json.dumps({"after": signed_row(device)}).encode()
    late = {"signs_from": "2026-11-09T20:00:00+00:00"}
    for confirmed, right in (("2026-11-09T11:00:00+00:00", True), ("2026-11-09T13:00:00+00:00", False)):
        body = passkey_body(device, **late, confirmed_at=confirmed)
        entries = ((of_row(verify.PASSKEYS_TABLE), body), proof)
        if right:
            look(Signatures(True, [1]), *entries)
        else:
            with pytest.raises(Rejected, match="was not allowed to sign yet"):
                look(Signatures(True, [1]), *entries)


def test_what_was_erased_and_what_was_never_signed_is_counted():
    proof = of_row(verify.PROOFS_TABLE)
    sign_off = {"table": "", "xact": 5, "actor": 7, "kind": "signed off"}, b'{"facts": {}}'
    words = look(Signatures(True, []), (proof, None), sign_off).lines()
    assert words[0].startswith("1 signatures were erased")
    assert words[1].startswith("1 sign-offs have no signature")
