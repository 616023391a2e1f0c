"""Signed heads: the published examples are read and verified, one bit more or less and they are refused."""

import ast
import base64
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.offline import verify
from governance.offline.verify import Rejected, note_verify, parse_key, parse_note, signers_of, split_note
from governance.transparency_log.signing_keys import Signer

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
        "be24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
        "2aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
        "d28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643c"
        "e80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138a"
        "c17ad9bef1177331a704",
    ),
]
# The published key of the Go checksum database and two heads that it signed. The second is also the example of
# c2sp.org/tlog-checkpoint, there under another name.
GO_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_NOTE = (
    "go.sum database tree\n30055305\nmXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=\n\n— sum.golang.org"
    " Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJJYle3EJlDCrQ+y3A8=\n"
)
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa"
    " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# The examples of c2sp.org/signed-note and of the note package of Go: notes, but no checkpoints.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore"
    " NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot"
    " rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
NAME = "plumbline.invalid/test"
OURS = Signer(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer(f"{NAME}/other", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
BODY = f"{NAME}\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
NOTE = f"{BODY}\n{OURS.line(BODY.encode())}"
KEY = str(OURS.vkey)
ORDER = 2**252 + 27742317777372353535851937790883648493

BOTH_WAYS = pytest.mark.parametrize("check", [verify.ed25519_verify, verify.ed25519_verify_slowly])


# --- Ed25519 -------------------------------------------------------------------------------------------------


@BOTH_WAYS
@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_rfc_8032(check, vector):
    public, message, signature = map(bytes.fromhex, vector)
    assert check(public, message, signature)
    assert not check(public, message + b"x", signature)
    assert not check(public, message, signature[:40] + bytes([signature[40] ^ 1]) + signature[41:])
    assert not check(public, message, bytes([signature[0] ^ 1]) + signature[1:])
    assert not check(
        bytes.fromhex(VECTORS[0][0] if vector is not VECTORS[0] else VECTORS[1][0]), message, signature
    )
    assert not check(public, message, signature[:-1])
    assert not check(public[:-1], message, signature)


@BOTH_WAYS
def test_a_second_signature_made_of_the_first_is_refused(check):
    # S + L satisfies the same equation; RFC 8032 wants S below L, or one signature could be made into others.
    public, message, signature = map(bytes.fromhex, VECTORS[1])
    larger = int.from_bytes(signature[32:], "little") + ORDER
    assert not check(public, message, signature[:32] + larger.to_bytes(32, "little"))


@BOTH_WAYS
@pytest.mark.parametrize(
    "public",
    [
        (1).to_bytes(32, "little"),  # the neutral point
        (2**255 - 20).to_bytes(32, "little"),  # of order two
        bytes(32),  # of order four
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  # of order eight
    ],
)
def test_a_key_of_small_order_signs_nothing(check, public):
    # With such a key (R = neutral point, S = 0) would be a signature of a good part of all messages.
    neutral = (1).to_bytes(32, "little") + bytes(32)
    assert not any(check(public, b"%d" % n, neutral) for n in range(16))


@BOTH_WAYS
@pytest.mark.parametrize(
    "public",
    [
        (2).to_bytes(32, "little"),  # not on the curve
        (2**255 - 18).to_bytes(32, "little"),  # the neutral point, written another way
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with a sign
    ],
)
def test_bytes_that_are_no_point_are_no_key(check, public):
    assert not check(public, b"", (1).to_bytes(32, "little") + bytes(32))


def test_both_ways_agree_with_who_signs():
    for n in range(20):
        private = Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)
        public, message = Signer(NAME, private).vkey.public, bytes([n]) * n
        signature = private.sign(message)
        assert verify.ed25519_verify_slowly(public, message, signature)
        assert not verify.ed25519_verify_slowly(public, message + b"\0", signature)


# --- Notes ---------------------------------------------------------------------------------------------------


def test_heads_that_others_published_verify():
    note, (key,) = note_verify(GO_NOTE, [GO_KEY])
    assert (note.origin, note.size, key.name) == ("go.sum database tree", 30055305, "sum.golang.org")
    note = parse_note(EXAMPLE)
    assert (note.origin, note.size) == ("example.com/behind-the-sofa", 20852163)
    assert note.root == base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert note.signatures[0].key_id.hex() == GO_KEY.split("+")[1]
    first, rest = EXAMPLE.split("\n", 1)
    renamed = "go.sum database tree\n" + rest.replace(first, "sum.golang.org")
    assert note_verify(renamed, [GO_KEY])[0].size == 20852163
    with pytest.raises(Rejected, match="No known key"):
        note_verify(EXAMPLE, [GO_KEY])


def test_notes_that_others_published_are_read_but_are_no_checkpoints():
    body, (line,) = split_note(POEM)
    assert body.decode().endswith("\n\ned è subito sera.\n")
    assert (line.name, line.key_id.hex(), len(line.signature)) == (
        "quasimodo.example/salvatore",
        "367ba04b",
        64,
    )
    assert [key.name for key in signers_of(*split_note(PETER_NOTE), [PETER_KEY])] == ["PeterNeumann"]
    both = split_note(PETER_NOTE + ENOCH_LINE)
    assert [key.name for key in signers_of(*both, [ENOCH_KEY, PETER_KEY])] == ["PeterNeumann", "EnochRoot"]
    assert [key.name for key in signers_of(*both, [ENOCH_KEY])] == ["EnochRoot"]
    for note in (POEM, PETER_NOTE):
        with pytest.raises(Rejected, match=r"The format of the checkpoint|The size in the checkpoint"):
            parse_note(note)


def test_our_note_is_read_and_verified():
    note, (key,) = note_verify(NOTE, [KEY, GO_KEY], origin=NAME, known_only=True)
    assert (note.origin, note.size, note.body, note.extensions) == (NAME, 20852163, BODY.encode(), ())
    assert str(key) == KEY == str(parse_key(KEY))
    assert note_verify(NOTE.encode(), [OURS.vkey])[0] == note


def test_every_flipped_bit_of_a_note_is_found():
    content = NOTE.encode()
    silent = []
    for place in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        try:
            note_verify(bytes(flipped), [OURS.vkey], origin=NAME)
        except Rejected:
            continue
        silent.append(place)
    assert silent == []


def test_every_flipped_bit_of_a_key_is_found():
    for place in range(len(KEY) * 8):
        flipped = bytearray(KEY.encode())
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(Rejected):
            parse_key(bytes(flipped).decode("latin-1"))


LINE = OURS.line(BODY.encode())
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    ("deviation", "said"),
    [
        (NOTE.replace("\n", "\r\n"), "control character"),
        (NOTE.replace(NAME, NAME + "\t", 1), "control character"),
        (NOTE.encode() + b"\xff", "not UTF-8"),
        (NOTE + "x", "format of the note is wrong"),
        (NOTE[:-1], "format of the note is wrong"),
        (NOTE + "\n", "format of the note is wrong"),
        (NOTE + "\n\n", "format of the note is wrong"),
        (BODY + "\n", "format of the note is wrong"),
        (BODY, "format of the note is wrong"),
        ("", "format of the note is wrong"),
        ("\n\n" + LINE, "format of the note is wrong"),
        ("\n" + NOTE, "format of the checkpoint is wrong"),
        (BODY + "\n\n" + LINE, "format of the checkpoint is wrong"),
        (f"{NAME}\n20852163\n\n{LINE}", "format of the checkpoint is wrong"),
        (f"\n20852163\n{ROOT}\n\n{LINE}", "format of the checkpoint is wrong"),
        (NOTE.replace("20852163", "020852163"), "leading zeroes"),
        (NOTE.replace("20852163", "+20852163"), "leading zeroes"),
        (NOTE.replace("20852163", "20852163 "), "leading zeroes"),
        (NOTE.replace("20852163", "٢"), "leading zeroes"),
        (NOTE.replace("20852163", "1e3"), "leading zeroes"),
        (NOTE.replace("20852163", "-1"), "leading zeroes"),
        (NOTE.replace("20852163", "0"), "empty tree"),
        (NOTE.replace(ROOT, ROOT[:-1]), "root in the checkpoint is not Base64"),
        (NOTE.replace(ROOT, ROOT + "="), "root in the checkpoint is not"),
        (NOTE.replace(ROOT, ROOT[:-2] + "J="), "canonical form"),  # two bits that no byte takes
        (NOTE.replace(ROOT, ROOT.replace("/", "_")), "root in the checkpoint is not Base64"),
        (NOTE.replace(ROOT, " " + ROOT), "root in the checkpoint is not Base64"),
        (NOTE.replace(ROOT, "AAAA"), "32 bytes"),
        (NOTE.replace("— ", "- "), "a dash, a name and a signature"),
        (NOTE.replace("— ", "\u2013 "), "a dash, a name and a signature"),
        (NOTE.replace("— ", "—  "), "a dash, a name and a signature"),
        (NOTE.replace("— ", "—\u00a0"), "a dash, a name and a signature"),
        (NOTE.replace("— ", " — "), "a dash, a name and a signature"),
        (NOTE[:-1] + " \n", "a dash, a name and a signature"),
        (NOTE.replace(f"— {NAME}", f"— {NAME}+x"), "not a valid name of a key"),
        (NOTE.replace(f"— {NAME}", f"— {NAME}\u2003x"), "not a valid name of a key"),
        (NOTE.replace(f"— {NAME} ", "—  "), "not a valid name of a key"),
        (NOTE[:-2] + "\n", "signature is not"),
        (f"{BODY}\n— {NAME} AAAAAA==\n", "too short"),
        (f"{BODY}\n" + LINE * 65, "too many"),
        (f"{BODY}\n" + LINE * 2, "signed twice"),
        (BODY + "\n" + LINE[:-3] + "B==\n", "is not"),
        (NOTE.replace("20852163", "20852164"), "signature of plumbline.invalid/test is wrong"),
        (NOTE.replace(f"{ROOT}\n", f"{ROOT}\nmore\n"), "signature of plumbline.invalid/test is wrong"),
        ("x" * verify.LONGEST_NOTE + NOTE, "too long"),
        (NOTE.replace(NAME, NAME + "\ud800", 1), "not UTF-8"),
    ],
)
def test_a_note_that_deviates_is_refused(deviation, said):
    with pytest.raises(Rejected, match=said):
        note_verify(deviation, [OURS.vkey])


def test_an_empty_tree_and_further_lines_are_allowed():
    body = f"{NAME}\n0\n{base64.b64encode(verify.EMPTY_ROOT).decode()}\nmore\nstill more\n"
    note, _ = note_verify(f"{body}\n{OURS.line(body.encode())}", [KEY], origin=NAME)
    assert (note.size, note.extensions) == (0, ("more", "still more"))


def test_another_key_signs_too_and_is_not_the_log():
    line = OTHER.line(BODY.encode())
    vkeys = [OURS.vkey, OTHER.vkey]
    assert [key.name for key in note_verify(NOTE + line, vkeys, origin=NAME)[1]] == [NAME, f"{NAME}/other"]
    assert [key.name for key in note_verify(NOTE + line, [OURS.vkey])[1]] == [NAME]
    with pytest.raises(Rejected, match="signature by an unknown key"):
        note_verify(NOTE + line, [OURS.vkey], known_only=True)
    with pytest.raises(Rejected, match=r"not signed by plumbline.invalid/test itself"):
        note_verify(f"{BODY}\n{line}", vkeys, origin=NAME)
    with pytest.raises(Rejected, match=r"belongs to the log plumbline.invalid/test, not to"):
        note_verify(NOTE, vkeys, origin="plumbline.invalid/other")
    other = OTHER.line(b"another body\n")
    with pytest.raises(Rejected, match=r"signature of plumbline.invalid/test/other is wrong"):
        note_verify(NOTE + other, vkeys)


def test_a_key_of_the_same_name_is_not_the_same_key():
    other = Signer(NAME, OTHER.private)
    with pytest.raises(Rejected, match="No known key"):
        note_verify(NOTE, [other.vkey])
    assert note_verify(NOTE, [other.vkey, OURS.vkey])[1] == [OURS.vkey]
    assert note_verify(NOTE + other.line(BODY.encode()), [OURS.vkey])[1] == [OURS.vkey]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KEY + " ", "format of a key is wrong"),
        (KEY + "\n", "format of a key is wrong"),
        (KEY.replace("+", " ", 1), "format of a key is wrong"),
        (KEY.upper(), "format of a key is wrong|does not have"),
        (KEY.rsplit("+", 1)[0] + "+AQ==", "not an Ed25519 key"),
        (KEY.replace("+A", "+B"), "not an Ed25519 key"),
        (KEY.replace(NAME, NAME + "x"), "does not have the hash"),
        (str(verify.verifier_key(NAME, bytes(32))), "not a valid Ed25519 key"),
        (
            str(verify.verifier_key(NAME, (2**255 - 19 + 3).to_bytes(32, "little"))),
            "not a valid Ed25519 key",
        ),  # y = 3, again
    ],
)
def test_a_key_that_deviates_is_refused(text, said):
    with pytest.raises(Rejected, match=said):
        parse_key(text)


def test_the_script_needs_nothing_but_python():
    # No site packages, no folder of ours on the path: what an outsider with a bare machine has.
    script = Path(verify.__file__)
    code = (
        f"import sys; sys.path.insert(0, {str(script.parent)!r}); import verify;"
        f"note, keys = verify.note_verify({NOTE!r}, [{KEY!r}], origin={NAME!r});"
        "print(note.size, verify.Ed25519PublicKey)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("20852163 None\n", "")


def test_the_script_is_written_in_a_python_that_outsiders_have():
    ast.parse(Path(verify.__file__).read_text(), feature_version=(3, 9))


def test_the_verdict_names_on_whose_key_it_rests():
    ours, other = OURS.vkey, OTHER.vkey
    named = [f"{key.name}+{key.key_id.hex()}" for key in (ours, other)]
    assert verify.verdict((), 0, "export").startswith("RIGHT, but its keys come from the export itself")
    assert verify.verdict([ours], 0, "receipt") == f"RIGHT, by the key you gave ({named[0]})."
    assert verify.verdict((), 2, "export") == "RIGHT, by 2 witnesses you gave."
    both = verify.verdict([ours, other], 1, "export")
    assert [both.count(one) for one in named] == [1, 1]
    assert both.endswith("and 1 witness you gave.")


def test_entries_that_are_earlier_than_the_one_before_are_counted_and_named():
    clocks = verify.Clocks()
    clocks.head(20, datetime.fromisoformat("2026-03-01T12:00:00"))
    for position, second in enumerate((1, 5, 3, 4, 9, 8)):
        clocks.entry(position, {"recorded_at": f"2026-03-01T11:00:{second:02}+00:00"})
    assert clocks.earlier == [(2, timedelta(seconds=2)), (5, timedelta(seconds=1))]
    (line,) = clocks.lines()
    assert "2 entries" in line
    assert "2.000 seconds: position 2, 5." in line
    assert verify.Clocks().lines() == []


@pytest.mark.parametrize("kept", [b"a\r\nb\r\n", b"a\nb", b"a\nb\n\n", b"\xef\xbb\xbfa\nb\n", b"a\nb\n"])
def test_line_ends_of_a_kept_note_do_not_matter(kept):
    assert verify.kept_lines(kept) == b"a\nb\n"
