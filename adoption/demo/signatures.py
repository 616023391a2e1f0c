"""How the people of the demo sign: by their password, or by a passkey whose assertions are made and checked as ever."""

import hashlib
import json
from datetime import datetime

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from governance import clock
from governance.identity.factors import passkeys, relying_party
from governance.identity.proofs import ceremony, statements
from governance.models import Passkey, User
from governance.transparency_log import sealing

ACT, PURPOSE = "sign_off", "sign off"
VERIFIED, MADE = bytes([5]), bytes([69])  # somebody was there and was asked who; a key is enclosed


class Device:
    """A telephone of one person, which keeps one key and shows it as a browser would."""

    def __init__(self, person: User):
        self.person, self.counter = person, 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        self.public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        self.name = hashlib.sha256(self.public).digest()

    def _data(self, flags: bytes, more: bytes = b"") -> bytes:
        self.counter += 1
        site = hashlib.sha256(relying_party.host().encode()).digest()
        return site + flags + self.counter.to_bytes(4, "big") + more

    def _sent(self, kind: str, challenge: bytes, answer) -> str:
        said = {"type": kind, "challenge": bytes_to_base64url(challenge), "origin": relying_party.origin()}
        client, name = json.dumps(said | {"crossOrigin": False}).encode(), bytes_to_base64url(self.name)
        response = {key: bytes_to_base64url(value) for key, value in answer(client).items()}
        response["clientDataJSON"] = bytes_to_base64url(client)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def enrolled(self) -> Passkey:
        """The passkey, added by its person and sealed into the audit log."""
        challenge = hashlib.sha256(b"enrol" + self.name).digest()
        held = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + self.public
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(MADE, held)})
        sent = self._sent("webauthn.create", challenge, lambda client: {"attestationObject": whole})
        row = passkeys.enrol(
            person=self.person, name="Telephone", sent=sent, challenge=challenge, by=self.person
        )
        sealing.seal(wait=True)
        return row

    def asserted(self, challenge: bytes) -> str:
        """What a browser sends once the person used it for this challenge."""
        data = self._data(VERIFIED)

        def answer(client: bytes) -> dict[str, bytes]:
            signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
            return {"authenticatorData": data, "signature": signature}

        return self._sent("webauthn.get", challenge, answer)


class Signatures:
    """Who signs by what."""

    def __init__(self):
        self._devices: dict[int, tuple[Device, Passkey]] = {}

    def give(self, person: User) -> None:
        """Let the person sign by a passkey from the next day on, where this address can have passkeys."""
        if not relying_party.why_none():
            device = Device(person)
            self._devices[person.pk] = device, device.enrolled()

    def hold(self, person: User, text: str, shown_at: datetime) -> None:
        """Have the next act of the person be signed: this statement of their seat."""

        def written(moment: datetime) -> str:
            return statements.write(
                person_id=person.pk,
                act=ACT,
                purpose=PURPOSE,
                shown_at=moment,
                words={"statement": text},
                facts={},
            )

        found = self._devices.get(person.pk)
        if found is None or not found[1].may_sign_at(clock.now()):
            said = {"act": ACT, "statement": written(shown_at), "shown_at": shown_at}
            ceremony.hold(ceremony.by_password(person, **said, with_code=False))
            return
        frozen = ceremony.freeze(person, written(shown_at), shown_at)
        proof = ceremony.by_passkey(
            person,
            token=frozen.token,
            sent=found[0].asserted(bytes(frozen.challenge)),
            again=written,
            act=ACT,
            purpose=PURPOSE,
            address=None,
        )
        ceremony.hold(proof)
