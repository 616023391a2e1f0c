"""Check an attestation of Plumbline offline: may this artefact be deployed to this stage?

Needs Python 3.9 and OpenSSL 1.1.1 or later, the attestation, and the public key of the installation:

    python3 check_attestation.py attestation.json plumbline.pem --artefact sha256:... --stage production \\
        --initiative https://plumbline.example.org/initiatives/AI-0042/

Prints one line. The exit code is 0 for a yes, and 1 for anything else.
"""

import argparse
import base64
import binascii
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

UTC = timezone.utc  # noqa: UP017 (Python 3.9)
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"
PAYLOAD = "application/vnd.in-toto+json"
HOURS = 24  # the usual longest age of an attestation
MOST_HOURS = 24 * 365
SKEW = timedelta(minutes=5)  # by which two clocks may differ


class Refused(Exception):
    """The attestation does not allow the deployment. The text says why."""


def check(attestation, pem, *, artefact, stage, initiative, hours=HOURS, now=None):
    """Return the statement of an attestation (bytes) that allows this deployment.

    `pem` is the path of the public key. `artefact` is sha256 with 64 hexadecimal digits, `initiative` the address of
    the initiative's page. Raises Refused.
    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", artefact):
        raise Refused("The artefact must be sha256: and 64 hexadecimal digits in lower case.")
    if not 0 < hours <= MOST_HOURS:  # also false if hours is not a number
        raise Refused(f"The longest age must be above 0 and at most {MOST_HOURS} hours.")
    envelope = _object(attestation, "The attestation")
    if set(envelope) != {"payload", "payloadType", "signatures"}:
        raise Refused("The attestation is not a DSSE envelope.")
    if envelope["payloadType"] != PAYLOAD:
        raise Refused("The payload has another type.")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise Refused("The attestation needs exactly one signature.")
    payload = _bytes(envelope["payload"], "The payload")
    signature = _bytes(signatures[0].get("sig"), "The signature")
    _verify(payload, signature, pem)
    return _read(payload, artefact, stage, initiative, timedelta(hours=hours), now)


def _verify(payload, signature, pem):
    """Raise Refused unless the key signed the payload. The key is the given one, whatever `keyid` names."""
    signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    with tempfile.TemporaryDirectory() as folder:
        told, sig = Path(folder, "signed"), Path(folder, "sig")
        told.write_bytes(signed)
        sig.write_bytes(signature)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(pem)]
        done = subprocess.run([*command, "-in", told, "-sigfile", sig], capture_output=True, check=False)
    if done.returncode != 0:
        raise Refused("The signature is not of this installation.")


def _read(payload, artefact, stage, initiative, most, now):
    statement = _object(payload, "The statement")
    predicate = statement.get("predicate")
    if statement.get("_type") != STATEMENT or statement.get("predicateType") != PREDICATE:
        raise Refused("The statement is not a verification summary.")
    if not isinstance(predicate, dict):
        raise Refused("The statement has no predicate.")
    subject = statement.get("subject")
    if not isinstance(subject, list) or len(subject) != 1 or not isinstance(subject[0], dict):
        raise Refused("The statement needs exactly one artefact.")
    if subject[0].get("digest") != {"sha256": artefact.partition(":")[2]}:
        raise Refused("The statement is on another artefact.")
    if predicate.get("resourceUri") != initiative:
        raise Refused("The statement is on another initiative.")
    if predicate.get("verificationResult") != "PASSED":
        raise Refused("Plumbline denied this deployment.")
    if predicate.get("verifiedLevels") != [f"PLUMBLINE_{stage.upper()}"]:
        raise Refused("The statement is on another stage.")
    try:
        at = datetime.strptime(predicate.get("timeVerified"), "%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError):
        raise Refused("The time of the statement is missing.") from None
    age = (now or datetime.now(UTC)) - at.replace(tzinfo=UTC)
    if age > most or age < -SKEW:
        raise Refused(f"The attestation is of {predicate['timeVerified']}. Ask Plumbline again.")
    return statement


def _object(text, what):
    """Return a JSON object in which no name is twice."""

    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            raise Refused(f"{what} has a name twice.")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise Refused(f"{what} is not JSON.") from None
    if not isinstance(found, dict):
        raise Refused(f"{what} is not a JSON object.")
    return found


def _bytes(text, what):
    """Return the bytes of standard Base64 in its one form."""
    try:
        found = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Refused(f"{what} is not Base64.") from None
    if base64.b64encode(found).decode() != text:
        raise Refused(f"{what} is not Base64 in its one form.")
    return found


def main():
    """Check what the command names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("attestation", type=Path)
    parser.add_argument("key", type=Path, help="the public key of the installation, as PEM")
    parser.add_argument("--artefact", required=True, help="sha256: and 64 hexadecimal digits")
    parser.add_argument("--stage", required=True, choices=["prototype", "mvp", "production"])
    parser.add_argument("--initiative", required=True, help="the address of the page of the initiative")
    parser.add_argument("--hours", type=float, default=HOURS, help="the longest age of the attestation")
    given = parser.parse_args()
    try:
        check(
            given.attestation.read_bytes(),
            given.key,
            artefact=given.artefact,
            stage=given.stage,
            initiative=given.initiative,
            hours=given.hours,
        )
    except Refused as why:
        print(f"No: {why}")
        return 1
    print(f"Yes: {given.artefact} may be deployed to {given.stage}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
