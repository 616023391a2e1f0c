"""An OpenID Connect provider on a port of its own, honest unless a test tells it what to say wrongly."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

CLIENT, SECRET = "plumbline-client", "a secret of the client: with / and +"
KEYS = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS256"}, private=True),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"}, private=True),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed-1", "use": "sig", "alg": "EdDSA"}, private=True),
}


def signed(claims: dict[str, Any], key: Any = None, *, alg: str = "RS256", **header: Any) -> str:
    """A token with these claims; `header` replaces the usual one, None leaves a part out."""
    key = key or KEYS[alg]
    said = {"alg": alg, "typ": "JWT", "kid": key.as_dict().get("kid"), **header}
    said = {name: value for name, value in said.items() if value is not None}
    registry = jws.JWSRegistry(
        algorithms=["RS256", "ES256", "EdDSA", "HS256", "RS512", "Ed25519"], strict_check_header=False
    )
    return jws.serialize_compact(said, json.dumps(claims).encode(), key, registry=registry)


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    """A token of the algorithm none."""
    head = {"alg": "none", "typ": "JWT"}
    return f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}."


def by_public_key(claims: dict[str, Any]) -> str:
    """A token signed with HS256, and the published RSA key as the secret."""
    head = {"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}
    text = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
    public = KEYS["RS256"].as_pem(private=False)
    return f"{text}.{_part(hmac.digest(public, text.encode(), 'sha256'))}"


class Provider:
    """The provider; use it in a `with`. Whoever asks is signed in at once as `who`.

    Tests change: `who` (claims about the person), `more` (claims of the next tokens; None leaves one out), `sign`
    (claims -> raw token), `document` (parts of the discovery document), `published` (keys), `answer` (parameters of
    the way back), `token_error`, `remembers` (when the person signed in there, in place of now).
    """

    def __init__(self) -> None:
        self.who: dict[str, Any] = {"sub": "subject-1", "name": "Ana Ruiz", "email": "ana@elsewhere.example"}
        self.more: dict[str, Any] = {}
        self.sign = signed
        self.document: dict[str, Any] = {}
        self.published = [key.as_dict(private=False) for key in KEYS.values()]
        self.answer: dict[str, Any] = {}
        self.token_error: tuple[int, dict[str, Any]] | None = None
        self.remembers: float | None = None
        self.now = time.time
        self.away = False
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []  # paths
        provider = self

        class Call(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.take(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Call)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Provider":
        threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()

    def metadata(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }
        return {name: value for name, value in said.items() if value is not None}

    def take(self, call: BaseHTTPRequestHandler) -> None:
        path = urlsplit(call.path).path
        self.asked.append(path)
        length = int(call.headers.get("Content-Length") or 0)
        fields = {name: rows[0] for name, rows in parse_qs(call.rfile.read(length).decode()).items()}
        if self.away:
            self.reply(call, 503, {"error": "temporarily_unavailable"})
        elif path == "/.well-known/openid-configuration":
            self.reply(call, 200, self.metadata())
        elif path == "/keys":
            self.reply(call, 200, {"keys": self.published})
        elif path == "/token":
            self.reply(call, *self.token(fields, call.headers.get("Authorization", "")))
        elif path == "/authorize":
            call.send_response(302)
            call.send_header("Location", self.authorize(call.path))
            call.end_headers()
        else:
            self.reply(call, 404, {})

    def reply(self, call: BaseHTTPRequestHandler, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        call.send_response(status)
        call.send_header("Content-Type", "application/json")
        call.send_header("Content-Length", str(len(text)))
        call.end_headers()
        call.wfile.write(text)

    def authorize(self, address: str) -> str:
        """What the browser does at the authorization endpoint: the address it is sent back to."""
        given = {name: rows[0] for name, rows in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(12)
        self.codes[code] = given | {
            "signed_in": str(self.remembers if self.remembers is not None else self.now())
        }
        said = {"code": code, "state": given["state"], "iss": self.issuer, **self.answer}
        said = {name: value for name, value in said.items() if value is not None}
        return f"{given['redirect_uri']}?{urlencode(said, doseq=True)}"

    def claims(self, given: dict[str, str]) -> dict[str, Any]:
        now = int(self.now())
        said = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": given["nonce"],
            "sid": "session-at-provider",
            **self.who,
        }
        if "max_age" in given:
            said["auth_time"] = int(float(given["signed_in"]))
        said |= self.more
        return {name: value for name, value in said.items() if value is not None}

    def token(self, fields: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if self.token_error:
            return self.token_error
        if authorization.startswith("Basic "):
            said = base64.b64decode(authorization[6:]).decode().split(":")
            if [unquote(part) for part in said] != [CLIENT, SECRET]:
                return 401, {"error": "invalid_client"}
        elif "client_assertion" not in fields:
            return 401, {"error": "invalid_client"}
        given = self.codes.pop(fields.get("code", ""), None)  # a code is good once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(fields["code_verifier"].encode()).digest())
        if (
            given is None
            or challenge.rstrip(b"=").decode() != given["code_challenge"]
            or fields["redirect_uri"] != given["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "not used",
            "token_type": "Bearer",
            "id_token": self.sign(self.claims(given)),
        }
