"""An export with a thousand signatures, checked by verify.py with bare Python.

    python -m tests.drills.audit_log.signatures [COUNT] [SEED]

The kill switch of one initiative is pressed so many times, signed by passkeys of three algorithms, by ID tokens of
three, by codes and by a password in turn. Then one bit of each proof is flipped: is it found at its signature? Last, a
passkey that was put into the audit log by somebody who runs the server.

A change in governance/offline, governance/identity or governance/transparency_log asks for it.
"""

import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from io import StringIO
from pathlib import Path

from tests.drills.company import place
from tests.support.attacks.unguarded_writes import unguarded

BAR = 10.0  # seconds


def main(count: int, seed: int) -> int:
    """Sign, export, check, flip. Exit 1 when the check took longer than the bar, or a flip was missed."""
    with place.database(), tempfile.TemporaryDirectory() as folder:
        signed_by = pressed(count)
        export = exported(Path(folder, "signed"))
        took, said, code = checked(export)
        print(f"{count} signatures: {', '.join(f'{n} by {kind}' for kind, n in sorted(signed_by.items()))}")
        print(f"verify.py: {took:.2f} s of CPU (bar {BAR:.0f}), exit {code}")
        print(told(said))
        flips, missed = flipped(export, count, random.Random(seed))
        print(f"{flips} proofs with one bit flipped (seed {seed}): {missed} taken for right")
        forged()
        _, said, named = checked(exported(Path(folder, "forged")))
        print(f"With a passkey and a signature that an operator put there:\n{told(said)}")
    return bool(code or took > BAR or missed or not named)


def told(said: str) -> str:
    """What verify.py says of signatures."""
    return "\n".join(
        f"  {line.strip()}"
        for line in said.splitlines()
        if re.search("signature|of them|WRONG|passkey", line)
    )


def exported(folder: Path) -> Path:
    """The whole audit log, exported and unpacked."""
    from django.core.management import call_command

    file = folder.with_suffix(".zip")
    call_command("export_audit_log", "--all", "--to", str(file), stdout=StringIO())
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder.parent)
    return folder


def pressed(count: int) -> dict[str, int]:
    """Press the switch so many times; how often each kind signed."""
    from django.conf import settings

    from governance import clock
    from governance.identity.proofs import ceremony, statements
    from governance.transparency_log import sealing
    from initiatives.contracts.enforcement import kill_switch
    from tests.support import factories
    from tests.support.identity.authenticator import EDDSA, ES256, ORIGIN, RS256, enrolled

    settings.ADDRESS = ORIGIN
    cast = factories.make_cast()
    initiative = factories.make_production(cast)
    person = cast.owner
    devices = {}
    for algorithm, name in ((ES256, "P-256"), (EDDSA, "Ed25519"), (RS256, "RS256")):
        devices[f"passkey {name}"], _ = enrolled(
            person, seal=False, confirmed_by=cast.second_admin, algorithm=algorithm
        )
    sealing.seal(wait=True)
    tokens = {f"ID token {name}": name for name in ("ES256", "EdDSA", "RS256")}
    house, link = at_house(cast)
    kinds = [*devices, *tokens, "password and code", "password"]
    signed_by = dict.fromkeys(kinds, 0)
    for number in range(count):
        kind, act = kinds[number % len(kinds)], "switch"
        now, purpose = clock.now(), f"press {number} of the kill switch"
        statement = statements.write(
            person_id=person.pk,
            act=act,
            purpose=purpose,
            shown_at=now,
            words={"reason": f"Drill {number}."},
            facts={"ref": initiative.ref, "stage": initiative.stage},
        )
        if kind in devices:
            frozen = ceremony.freeze(person, statement, now)
            proof = ceremony.by_passkey(
                person,
                token=frozen.token,
                sent=devices[kind].shown(bytes(frozen.challenge)),
                again=lambda _, text=statement: text,
                act=act,
                purpose=purpose,
                address=None,
            )
            devices[kind].counter += 1
        elif kind in tokens:
            frozen = ceremony.freeze(person, statement, now)
            frozen.identity, frozen.evidence = link, evidence_of(frozen, house, link, tokens[kind])
            frozen.save()
            proof = ceremony.by_provider(
                person,
                token=frozen.token,
                least=ceremony.Strength.PASSWORD,
                again=lambda _, text=statement: text,
                act=act,
                purpose=purpose,
                address=None,
            )
        else:
            proof = ceremony.by_password(
                person, act=act, statement=statement, shown_at=now, with_code="code" in kind
            )
        ceremony.hold(proof)
        press = kill_switch.switch_on if number % 2 else kill_switch.switch_off
        press(initiative=initiative, reason=f"Drill {number}.", by=person)
        signed_by[kind] += 1
    return signed_by


def at_house(cast):
    """A provider with a sealed key of each kind, and the link of the owner with it."""
    from governance import clock
    from governance.database.row_history import acting
    from governance.identity.providers import jwk_rules
    from governance.models import IdentityProvider, ProviderKey
    from governance.transparency_log import sealing
    from tests.support.identity.provider_signing import linked
    from tests.support.identity.signed_rows import ISSUER, jwk_of
    from tests.support.servers.identity_provider import CLIENT

    with acting(by=cast.admin):
        house = IdentityProvider(
            name="House", slug="house", kind="other", issuer=ISSUER, client_id=CLIENT, key_claim="sub"
        )
        house.authentication, house.switched_on = "private_key", True
        house.save()
        for algorithm in ("ES256", "EdDSA", "RS256"):
            jwk = jwk_of(algorithm)
            ProviderKey(
                provider=house,
                kid=jwk["kid"],
                thumbprint=jwk_rules.thumbprint(jwk),
                algorithm=algorithm,
                jwk=jwk,
                fetched_at=clock.now(),
            ).save()
    link = linked(cast.owner, house)
    sealing.seal(wait=True)
    return house, link


def evidence_of(frozen, house, link, algorithm: str) -> dict:
    """What is kept of a sign-in at the provider of just now."""
    from governance.offline import verify
    from tests.support.identity.signed_rows import jwk_of, urlsafe
    from tests.support.servers.identity_provider import signed

    key, then = house.keys.get(algorithm=algorithm), int(frozen.shown_at.timestamp())
    said = {"iss": house.issuer, "aud": house.client_id, "sub": link.key, "iat": then, "auth_time": then}
    said["nonce"] = urlsafe(bytes(frozen.challenge))
    return {
        "id_token": signed(said, alg=algorithm),
        "jwk": verify.key_of_jwk(jwk_of(algorithm)),
        "algorithm": algorithm,
        "issuer": house.issuer,
        "client_id": house.client_id,
        "fetched_at": key.fetched_at.isoformat(),
        "identity": link.pk,
        "provider_key": key.pk,
    }


def checked(folder: Path) -> tuple[float, str, int]:
    """How long bare Python needs to check the export, what it says, and its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), str(folder)], capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, done.stdout + done.stderr, done.returncode


CHECKED = ("statement", "salt", "digest", "digests", "nonce", "evidence")
# Of the evidence: held against the line of the export, and against other entries, alone.
NAMES_THE_KEY = ("credential", "fetched_at", "identity", "provider_key")


def proofs_of(folder: Path) -> list[dict]:
    """The rows of proofs in an export."""
    from governance.offline import verify

    found = []
    for line in (folder / verify.ENTRIES).read_text().splitlines():
        body = json.loads(json.loads(line)["body"] or "null")
        if isinstance(body, dict) and "digests" in (body.get("after") or {}):
            found.append(body["after"])
    return found


def flipped(folder: Path, count: int, chance: random.Random) -> tuple[int, int]:
    """Flip one bit of what each signature rests on; how many, and how many were taken for right."""
    from governance.offline import verify

    rows, tried, missed = proofs_of(folder), 0, 0
    assert len(rows) == count, f"{len(rows)} proofs in the export"
    for row in rows:
        while True:
            name = chance.choice([name for name in CHECKED if row[name]])
            value = row[name]
            if name == "evidence":
                value = {key: said for key, said in value.items() if key not in NAMES_THE_KEY}
            text = bytearray(json.dumps(value).encode())
            text[chance.randrange(len(text))] ^= 1 << chance.randrange(8)
            try:
                changed = row | {name: json.loads(text)}
            except ValueError:
                continue  # no JSON any more: the line of the export is refused before its signature is looked at
            if changed[name] == value:
                continue
            break
        tried += 1
        try:
            verify.check_signature(changed)
            missed += 1
        except (verify.Rejected, KeyError, TypeError, AttributeError):
            pass
    return tried, missed


def forged() -> None:
    """Somebody who runs the server enrols a passkey for the chair, two days back, and signs as the chair."""
    from datetime import timedelta

    from governance import clock
    from governance.database.row_history import acting
    from governance.identity.proofs import ceremony
    from governance.models import User
    from tests.support.identity.authenticator import enrolled

    chair = User.objects.get(login="chair")
    device, row = enrolled(chair, seal=False)
    with unguarded("governance_passkey"), acting(system="operator", reason="Forged"):
        row.made_at = row.signs_from = clock.now() - timedelta(days=2)
        row.save()
    frozen = ceremony.freeze(chair, "Plumbline statement 1\n", clock.now())
    sent = json.loads(device.shown(bytes(frozen.challenge)))["response"]
    proof = ceremony.Proof(
        person_id=chair.pk,
        act="decide",
        strength=ceremony.Strength.PASSKEY,
        statement=frozen.statement,
        salt=bytes(frozen.salt),
        shown_at=frozen.shown_at,
        nonce=bytes(frozen.nonce),
        passkey=row,
        evidence={
            "authenticator_data": sent["authenticatorData"],
            "client_data": sent["clientDataJSON"],
            "signature": sent["signature"],
            "public_key": row.public_key,
            "credential": row.credential,
            "rp_id": device.rp_id,
            "origin": device.origin,
        },
    )
    with acting(by=chair, reason="Forged"):
        ceremony.keep(proof, None)


if __name__ == "__main__":
    sys.exit(
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    )
