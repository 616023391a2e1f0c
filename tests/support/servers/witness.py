"""A witness of its own: c2sp.org/tlog-witness from its text, with nothing of Plumbline's but the addresses."""

import base64
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NOW = 1_700_000_000  # the time in its cosignatures


class Refusal(Exception):
    """A status, and what goes with it."""

    def __init__(self, status: int, kind: str = "text/plain", content: str = ""):
        super().__init__(status)
        self.status, self.kind, self.content = status, kind, content


class Witness:
    """Use it in a `with`. It knows the logs of `trust`, and keeps size and root of what it cosigned last.

    `spoil` changes its answers, and `away` makes it hang up.
    """

    def __init__(self, name: str = "witness.invalid/w1", seed: bytes = bytes(range(7, 39))):
        self.name, self.private = name, Ed25519PrivateKey.from_private_bytes(seed)
        self.logs: dict[str, list[str]] = {}
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[int, int, int]] = []  # old size, size, status
        self.spoil, self.away = (lambda line: line), False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnCall", (Call,), {"witness": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}/plumbline"

    @property
    def vkey(self) -> str:
        public = b"\x04" + self.private.public_key().public_bytes_raw()
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(public).decode()}"

    @property
    def key_id(self) -> bytes:
        public = self.private.public_key().public_bytes_raw()
        return hashlib.sha256(self.name.encode() + b"\n\x04" + public).digest()[:4]

    def trust(self, origin: str, *vkeys: str) -> None:
        self.logs[origin] = list(vkeys)

    def __enter__(self) -> "Witness":
        threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()

    def add(self, text: str) -> str:
        """The cosignature for a request. Raises Refusal."""
        head, _, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        assert first.startswith("old ")
        old, proof = int(first[4:]), [base64.b64decode(line, validate=True) for line in lines]
        body, _, signatures = checkpoint.partition("\n\n")
        origin, size, root, *_ = body.split("\n")
        size, root, body = int(size), base64.b64decode(root, validate=True), f"{body}\n".encode()
        try:
            line = self.judged(origin, old, proof, size, root, body, signatures)
        except Refusal as refused:
            self.asked.append((old, size, refused.status))
            raise
        self.asked.append((old, size, 200))
        return line

    def judged(self, origin, old, proof, size, root, body, signatures) -> str:
        if origin not in self.logs:
            raise Refusal(404)
        if not any(signed(vkey, body, signatures) for vkey in self.logs[origin]):
            raise Refusal(403)
        last, last_root = self.seen.get(origin, (0, hashlib.sha256(b"").digest()))
        if old > size:
            raise Refusal(400)
        if old != last:
            raise Refusal(409, "text/x.tlog.size", f"{last}\n")
        if old == size and root != last_root:
            raise Refusal(409)
        if not consistent(old, last_root, size, root, proof):
            raise Refusal(422)
        self.seen[origin] = size, root
        return self.cosigned(body)

    def cosigned(self, body: bytes) -> str:
        signature = self.private.sign(f"cosignature/v1\ntime {NOW}\n".encode() + body)
        packed = self.key_id + NOW.to_bytes(8, "big") + signature
        return f"\u2014 {self.name} {base64.b64encode(packed).decode()}\n"


class Call(BaseHTTPRequestHandler):
    witness: Witness

    def do_POST(self) -> None:
        if self.witness.away:
            self.close_connection = True
            return
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, kind = 200, "text/plain"
        try:
            if self.path != "/plumbline/add-checkpoint":
                raise Refusal(404)
            content = self.witness.spoil(self.witness.add(text))
        except Refusal as refused:
            status, kind, content = refused.status, refused.kind, refused.content
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content.encode())))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: Any) -> None:
        pass


def signed(vkey: str, body: bytes, signatures: str) -> bool:
    """Whether the log with this key signed the body."""
    name, key_id, encoded = vkey.split("+", 2)
    for line in signatures.splitlines():
        _, signer, packed = line.split(" ")
        packed = base64.b64decode(packed)
        if signer == name and packed[:4].hex() == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:]).verify(packed[4:], body)
            except InvalidSignature:
                return False
            return True
    return False


def consistent(old: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
    """Whether the proof holds, by the recursion of RFC 6962, 2.1.2, read backwards."""
    if old == 0 or old == size:
        return not proof and (old == 0 or old_root == root)
    rest = list(proof)
    try:
        before, after = _roots(old, size, True, rest, old_root)
    except IndexError:
        return False
    return not rest and (before, after) == (old_root, root)


def _roots(old: int, size: int, whole: bool, rest: list[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """The root over the first `old` of `size` leaves and that over all, from the proof's end."""
    if old == size:
        hash = old_root if whole else rest.pop(0)
        return hash, hash
    split = 1 << (size - 1).bit_length() - 1
    if old <= split:
        before, left = _roots(old, split, whole, rest, old_root)
        return before, _node(left, rest.pop(0))
    before, right = _roots(old - split, size - split, False, rest, old_root)
    left = rest.pop(0)
    return _node(left, before), _node(left, right)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
