"""The attestation of an answer: read by another implementation and by OpenSSL, and refused after any change."""

import base64
import copy
import importlib.util
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings

from governance.authorization.deployment_decision import AskedDeployment
from governance.models import Rulebook
from governance.transparency_log import signing_keys
from governance.vocabulary import Stage
from initiatives.contracts.enforcement import deployment_gate
from initiatives.models import Initiative

SCRIPT = settings.BASE_DIR / "docs/examples/check_attestation.py"
DIGEST, OTHER = "a" * 64, "b" * 64
AT = datetime(2026, 11, 27, 20, 16, 37, 123456, tzinfo=UTC)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"7" * 32)


def _loaded():
    """The example that a pipeline runs, as a module."""
    spec = importlib.util.spec_from_file_location("check_attestation", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = _loaded()


def attested(*, allowed=True, artefact=DIGEST, stage="production", at=AT) -> dict:
    """An envelope as this installation signs it."""
    asked = AskedDeployment(f"sha256:{artefact}", "1.4.2", Stage(stage))
    rulebook = Rulebook(version="1.0", digest="e" * 64)
    return json.loads(
        deployment_gate.envelope(
            asked, initiative=Initiative(number=42), allowed=allowed, rulebook=rulebook, at=at
        )
    )


@pytest.fixture
def key(tmp_path):
    """The public key as a file, as it is fetched."""
    path = tmp_path / "plumbline.pem"
    path.write_bytes(signing_keys.public_pem(signing_keys.signing_key()))
    return path


def checked(envelope, key, *, now=AT, **changed) -> dict:
    """What the example says of an envelope (text or object)."""
    asked = {
        "artefact": f"sha256:{DIGEST}",
        "stage": "production",
        "initiative": f"{settings.ADDRESS}/initiatives/AI-0042/",
    }
    text = envelope if isinstance(envelope, str) else json.dumps(envelope)
    return script.check(text.encode(), key, now=now, **asked | changed)


def statement_of(envelope: dict) -> dict:
    return json.loads(base64.b64decode(envelope["payload"]))


def signed(statement: dict, private=None) -> dict:
    """An envelope around a statement, by the key of this installation or by another."""
    return deployment_gate.signed(json.dumps(statement).encode(), private or signing_keys.signing_key())


def read_by_the_specification(envelope: dict, pem: bytes) -> dict:
    """The payload of an envelope, read by a second implementation of DSSE that shares no code with the first."""
    payload = base64.b64decode(envelope["payload"], validate=True)
    kind = envelope["payloadType"].encode()
    parts = [b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload]
    load_pem_public_key(pem).verify(
        base64.b64decode(envelope["signatures"][0]["sig"], validate=True), b" ".join(parts)
    )
    return json.loads(payload)


def test_the_statement_is_a_verification_summary():
    said = statement_of(attested())
    address = settings.ADDRESS
    assert said == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "AI-0042 1.4.2", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": address},
            "timeVerified": "2026-11-27T20:16:37Z",
            "resourceUri": f"{address}/initiatives/AI-0042/",
            "policy": {"uri": f"{address}/rulebook/1.0/", "digest": {"sha256": "e" * 64}},
            "verificationResult": "PASSED",
            "verifiedLevels": ["PLUMBLINE_PRODUCTION"],
        },
    }
    denied = statement_of(attested(allowed=False))["predicate"]
    assert (denied["verificationResult"], denied["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert statement_of(attested(stage="mvp"))["predicate"]["verifiedLevels"] == ["PLUMBLINE_MVP"]


def test_a_second_implementation_reads_the_envelope(key):
    envelope = attested()
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert read_by_the_specification(envelope, key.read_bytes()) == statement_of(envelope)
    changed = envelope | {"payloadType": "application/json"}
    with pytest.raises(InvalidSignature):
        read_by_the_specification(changed, key.read_bytes())


@pytest.mark.parametrize(
    "asked",
    [
        {"artefact": f"md5:{DIGEST}"},
        {"artefact": DIGEST},
        {"artefact": f"sha256:{DIGEST.upper()}"},
        {"artefact": f"sha256:{DIGEST}\n"},
        {"hours": float("nan")},
        {"hours": float("inf")},
        {"hours": 0},
        {"hours": -1},
    ],
)
def test_a_right_attestation_is_refused_if_it_is_asked_wrongly(key, asked):
    with pytest.raises(script.Refused):
        checked(attested(), key, **asked)


def test_openssl_verifies_it_with_the_public_key_alone(key, tmp_path):
    """The commands of docs/api.md. The id of the key is the SHA-256 of its DER."""
    openssl = shutil.which("openssl")
    assert openssl, "Install OpenSSL."
    envelope = attested()
    payload, sig = (
        base64.b64decode(text) for text in (envelope["payload"], envelope["signatures"][0]["sig"])
    )
    (tmp_path / "pae").write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload))
    (tmp_path / "sig").write_bytes(sig)
    command = [openssl, "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key]
    done = subprocess.run(
        [*command, "-in", tmp_path / "pae", "-sigfile", tmp_path / "sig"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Signature Verified Successfully" in done.stdout
    der = subprocess.run(
        [openssl, "pkey", "-pubin", "-in", key, "-outform", "DER"], capture_output=True, check=True
    ).stdout
    told = subprocess.run([openssl, "dgst", "-sha256"], input=der, capture_output=True, check=True).stdout
    assert envelope["signatures"][0]["keyid"] in told.decode()


def test_the_example_accepts_the_attestation_until_it_is_too_old(key):
    envelope = attested()
    assert checked(envelope, key) == statement_of(envelope)
    assert checked(envelope, key, now=AT.replace(microsecond=0) + timedelta(hours=24))
    assert checked(envelope, key, now=AT + timedelta(hours=30), hours=48)
    for moment in (AT + timedelta(hours=24, seconds=1), AT - timedelta(minutes=6)):
        with pytest.raises(script.Refused, match="Ask Plumbline again"):
            checked(envelope, key, now=moment)


def _payload(change):
    """A change of the statement under the signature of the original."""

    def changed(envelope: dict) -> dict:
        said = statement_of(envelope)
        change(said)
        return envelope | {"payload": base64.b64encode(json.dumps(said).encode()).decode()}

    return changed


def _resigned(change, private=None):
    """A change of the statement under a new signature."""

    def changed(envelope: dict) -> dict:
        said = statement_of(envelope)
        change(said)
        return signed(said, private)

    return changed


def _byte(envelope: dict) -> dict:
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[len(payload) // 2] ^= 1
    return envelope | {"payload": base64.b64encode(payload).decode()}


def _signature(**fields):
    return lambda envelope: envelope | {"signatures": [envelope["signatures"][0] | fields]}


def _without(name):
    return lambda envelope: {key: value for key, value in envelope.items() if key != name}


def _bit_of_signature(envelope: dict) -> dict:
    sig = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    sig[-1] ^= 1
    return _signature(sig=base64.b64encode(sig).decode())(envelope)


def _unpadded(text: str) -> str:
    return text.rstrip("=") if text.endswith("=") else f"{text}===="


def _set(*path, to):
    """A change of one value of the statement."""

    def change(said: dict) -> None:
        *before, last = path
        for part in before:
            said = said[part]
        said[last] = to

    return change


LEVELS = ("predicate", "verifiedLevels")
RESULT = ("predicate", "verificationResult")
CHANGES = {
    "one bit of the payload": _byte,
    "another payload type": lambda envelope: envelope | {"payloadType": "application/json"},
    "the payload type in capitals": lambda envelope: envelope | {"payloadType": "application/vnd.in-toto+JSON"},
    "another key signed": lambda envelope: signed(statement_of(envelope), STRANGER),
    "another key signed under our id": lambda envelope: _signature(
        sig=signed(statement_of(envelope), STRANGER)["signatures"][0]["sig"]
    )(envelope),
    "the signature of another statement": lambda envelope: envelope
    | {"signatures": attested(artefact=OTHER)["signatures"]},
    "a denial as it is": lambda envelope: attested(allowed=False),
    "a denial turned into a yes": lambda envelope: _payload(
        lambda said: (_set(*RESULT, to="PASSED")(said), _set(*LEVELS, to=["PLUMBLINE_PRODUCTION"])(said))
    )(attested(allowed=False)),
    "the payload of a yes over the signature of a denial": lambda envelope: envelope
    | {"signatures": attested(allowed=False)["signatures"]},
    "another digest": _payload(_set("subject", 0, "digest", to={"sha256": OTHER})),
    "the attestation of another artefact": lambda envelope: attested(artefact=OTHER),
    "a later time": _payload(_set("predicate", "timeVerified", to="2026-11-27T20:16:38Z")),
    "too old": lambda envelope: attested(at=AT - timedelta(hours=25)),
    "from the future": lambda envelope: attested(at=AT + timedelta(hours=1)),
    "a time without a zone, signed": _resigned(_set("predicate", "timeVerified", to="2026-11-27 20:16:37")),
    "a second artefact": _payload(lambda said: said["subject"].append(said["subject"][0])),
    "a second artefact, signed": _resigned(
        lambda said: said["subject"].append({"name": "x", "digest": {"sha256": OTHER}})
    ),
    "no artefact, signed": _resigned(_set("subject", to=[])),
    "a second digest of the artefact, signed": _resigned(
        _set("subject", 0, "digest", to={"sha256": DIGEST, "sha1": "c" * 40})
    ),
    "another stage": lambda envelope: attested(stage="mvp"),
    "a level more, signed": _resigned(_set(*LEVELS, to=["PLUMBLINE_MVP", "PLUMBLINE_PRODUCTION"])),
    "another initiative": _payload(_set("predicate", "resourceUri", to="https://example.org/initiatives/AI-0007/")),
    "another predicate, signed": _resigned(_set("predicateType", to="https://slsa.dev/provenance/v1")),
    "another kind of statement, signed": _resigned(_set("_type", to="https://in-toto.io/Statement/v0.1")),
    "URL-safe Base64": lambda envelope: envelope
    | {"payload": base64.urlsafe_b64encode(base64.b64decode(envelope["payload"]) + b"\n>>>???").decode()},
    "Base64 with other padding": lambda envelope: envelope | {"payload": _unpadded(envelope["payload"])},
    "Base64 over two lines": lambda envelope: envelope
    | {"payload": f"{envelope['payload'][:40]}\n{envelope['payload'][40:]}"},
    "no signature": lambda envelope: envelope | {"signatures": []},
    "an id of a key alone": lambda envelope: envelope
    | {"signatures": [{"keyid": envelope["signatures"][0]["keyid"]}]},
    "an empty signature": _signature(sig=""),
    "one bit of the signature": _bit_of_signature,
    "a second, foreign signature": lambda envelope: envelope
    | {"signatures": [*envelope["signatures"], {"keyid": "", "sig": "AAAA"}]},
    "no payload type": _without("payloadType"),
    "the payload in plain": lambda envelope: envelope | {"payload": json.dumps(statement_of(envelope))},
    "a field more": lambda envelope: envelope | {"verified": True},
    "a payload twice": lambda envelope: json.dumps(envelope)[:-1] + f', "payload": "{attested()["payload"]}"}}',
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_attestation_is_refused(key, what):
    envelope = attested()
    changed = CHANGES[what](copy.deepcopy(envelope))
    assert changed != envelope
    with pytest.raises(script.Refused):
        checked(changed, key)


def test_enough_changes_are_tried():
    print(f"{len(CHANGES)} changed attestations")
    assert len(CHANGES) >= 20


def test_the_id_of_the_key_is_a_hint_and_decides_nothing(key):
    assert checked(_signature(keyid="another")(attested()), key)


def test_the_command_says_yes_and_no(key, tmp_path):
    path = tmp_path / "attestation.json"
    place = f"{settings.ADDRESS}/initiatives/AI-0042/"
    for allowed, code, word in ((True, 0, "Yes"), (False, 1, "No")):
        path.write_text(json.dumps(attested(allowed=allowed, at=datetime.now(UTC))))
        asked = ["--artefact", f"sha256:{DIGEST}", "--stage", "production", "--initiative", place]
        done = subprocess.run(
            ["python3", SCRIPT, path, key, *asked], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.partition(":")[0]) == (code, word)
