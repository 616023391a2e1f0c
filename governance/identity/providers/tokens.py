"""Whether a token of a provider counts: its form, its signature, its claims. Pure; nothing is believed before all is.

The caller hands in everything: the raw token, the keys that the provider publishes, what was asked and when. Each
refusal is a `Denied` whose sentence says how to fix it.
"""

import base64
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from governance.identity.providers import jwk_rules
from governance.identity.providers.denials import Denied
from governance.vocabulary import strict_json
from governance.vocabulary.readable_text import refusal

LONGEST = 128 * 1024  # letters of a token
LEEWAY = 60  # seconds by which the provider's clock may differ
FRESH_LEEWAY = 5  # seconds of it that count where somebody must have signed in anew
FAR = 100_000_000_000  # seconds: such a date is in milliseconds
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_AGE = 600  # seconds after which a logout token is too old to have been sent now

AGAIN = "Begin again from the sign-in page."
CLOCKS = "Compare the clocks of the provider and of this server; both must follow NTP."


class UnknownKey(Denied):
    """The token names a key that is not among those known: the provider may have changed its keys."""


@dataclass(frozen=True)
class Asked:
    """What was asked, and so what the token must say. Moments in seconds since 1970."""

    issuer: str
    client_id: str
    nonce: str
    asked_at: float
    max_age: int | None = None
    acr: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """A token whose signature is right: its claims, and the key that signed it."""

    claims: dict[str, Any]
    jwk: dict[str, str]
    algorithm: str


class _Registry(jws.JWSRegistry):
    """Headers may say more than is read; bounds are those of this module."""

    max_header_length = 8 * 1024
    max_payload_length = LONGEST

    def __init__(self) -> None:
        super().__init__(algorithms=list(jwk_rules.ALGORITHMS), strict_check_header=False)


def _json(part: str) -> dict[str, Any]:
    found = strict_json.read(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def header_of(raw: Any) -> dict[str, Any]:
    """The header of a signed token, once its form and algorithm are taken. Raises Denied."""
    broken = Denied(
        "form", "What the provider sent is no signed token.", "Try again; its log says what it sent."
    )
    if not isinstance(raw, str) or not raw.isascii() or len(raw) > LONGEST:
        raise broken
    parts = raw.split(".")
    if len(parts) == 5:
        raise Denied(
            "form",
            "The token is encrypted.",
            "Switch off the encryption of ID tokens for this client at the provider.",
        )
    if len(parts) != 3 or any("=" in part for part in parts):
        raise broken
    try:
        header = _json(parts[0])
    except ValueError:
        raise broken from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in jwk_rules.ALGORITHMS:
        said = (
            algorithm
            if isinstance(algorithm, str) and algorithm.isalnum() and len(algorithm) < 12
            else "another"
        )
        unsigned = said.lower() == "none" or not parts[2]
        raise Denied(
            "algorithm",
            "The token is not signed."
            if unsigned
            else f"The token is signed with {said}, which is not taken.",
            "Set the signing algorithm of this client at the provider to RS256, ES256 or EdDSA (Ed25519).",
        )
    if "crit" in header or header.get("b64", True) is not True:
        raise Denied(
            "form",
            "The header of the token asks for what is not known here.",
            "Use plain ID tokens at the provider.",
        )
    return header


def read(raw: str, keys: Sequence[Mapping[str, Any]]) -> Read:
    """The claims of a token that one of these keys signed. Raises Denied; UnknownKey where none of them has its name.

    The key is chosen by the token's `kid`, without one only where there is a single key for its algorithm; a key in
    the header of the token is never looked at.
    """
    header = header_of(raw)
    algorithm, kid = header["alg"], header.get("kid")
    able = [
        jwk
        for jwk in keys
        if algorithm in jwk_rules.algorithms_of(jwk) and jwk.get("alg", algorithm) == algorithm
    ]
    found = [jwk for jwk in able if jwk.get("kid") == kid] if kid is not None else able
    if not found or (kid is not None and not isinstance(kid, str)):
        raise UnknownKey(
            "unknown key",
            "The token is signed by a key that the provider does not publish.",
            "If the provider has just changed its keys, try again in a minute; otherwise the token is not its own.",
        )
    if len(found) > 1:
        raise Denied(
            "unknown key",
            "The token does not say which key of the provider signed it.",
            "The provider must name its keys (kid).",
        )
    try:
        signed = jws.deserialize_compact(raw, jwk_rules.key_of(found[0]), registry=_Registry())
    except (JoseError, ValueError, TypeError):
        raise Denied(
            "signature",
            "The signature of the token is wrong.",
            f"It was changed on its way, or forged. {AGAIN}",
        ) from None
    try:
        claims = strict_json.read(signed.payload)
    except strict_json.NotJson:
        claims = None
    if not isinstance(claims, dict):
        raise Denied("form", "The token holds no claims that can be read.", "Its log says what it sent.")
    kept = {name: str(value) for name, value in found[0].items()}
    return Read(claims, kept, algorithm)


def judge_id_token(raw: str, keys: Sequence[Mapping[str, Any]], asked: Asked, *, now: float) -> Read:
    """The ID token, once everything about it is right. Raises Denied.

    Where `asked.max_age` is set, `auth_time` must be there and recent enough; `iat` never takes its place, because a
    provider that remembers somebody makes a new token without asking them anything.
    """
    if header_of(raw).get("typ", "JWT") not in ("JWT", "jwt"):
        raise Denied("kind", "This is another kind of token than an ID token.", AGAIN)
    found = read(raw, keys)
    claims = found.claims
    if LOGOUT_EVENT in _names(claims.get("events")):
        raise Denied("kind", "This is a logout token, and no ID token.", AGAIN)
    _issuer_and_audience(claims, asked.issuer, asked.client_id)
    _subject(claims)
    _moments(claims, now, since=asked.asked_at)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise Denied(
            "nonce",
            "The token answers no question."
            if nonce is None
            else "The token answers another question than ours.",
            f"It was made for something else. {AGAIN}",
        )
    _signed_in(claims, asked, now)
    _strength(claims, asked.acr)
    if "session_expiry" in claims and _moment(claims, "session_expiry") <= now:
        raise Denied("session", "The session at the provider has ended.", "Sign in there again.")
    return found


def judge_logout_token(
    raw: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, now: float
) -> Read:
    """A logout token that a provider sent by itself (OpenID Connect Back-Channel Logout 2.6). Raises Denied."""
    if header_of(raw).get("typ", "logout+jwt").lower() not in ("logout+jwt", "jwt"):
        raise Denied("kind", "This is another kind of token than a logout token.", "Send a logout token.")
    found = read(raw, keys)
    claims = found.claims
    _issuer_and_audience(claims, issuer, client_id)
    _moments(claims, now, since=now - LOGOUT_AGE)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise Denied(
            "kind", "The token names no logout.", "Send a token with the event of a back-channel logout."
        )
    if "nonce" in claims:
        raise Denied("kind", "A logout token has no nonce.", "This is an ID token.")
    if not _text(claims.get("jti")):
        raise Denied("replayed", "The logout token has no id.", "It must have a jti, so that it counts once.")
    if not _text(claims.get("sub")) and not _text(claims.get("sid")):
        raise Denied("subject", "The logout token names neither a person nor a session.", "Send sub or sid.")
    return found


def _names(events: Any) -> Sequence[str]:
    return list(events) if isinstance(events, dict) else []


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and not refusal(value)


def _issuer_and_audience(claims: Mapping[str, Any], issuer: str, client_id: str) -> None:
    if claims.get("iss") != issuer:
        raise Denied(
            "issuer",
            "The token was issued by somebody else."
            if claims.get("iss")
            else "The token does not say who issued it.",
            f"Only tokens of {issuer} are taken here; for Entra, those of your own tenant.",
        )
    # A list of one is as good as a text (RFC 7519, 4.1.3). Several audiences are refused whatever azp says: no other
    # audience is trusted here (OpenID Connect Core 3.1.3.7, rule 3).
    audience = claims.get("aud")
    if audience not in (client_id, [client_id]):
        raise Denied(
            "audience",
            "The token is for several applications."
            if isinstance(audience, list) and client_id in audience
            else "The token is for another application.",
            "Its audience must be the client id of this provider's page alone; take out other audiences there.",
        )
    if claims.get("azp", client_id) != client_id:
        raise Denied(
            "audience",
            "Another application asked for this token (azp).",
            "The client id must be the same on both sides.",
        )


def _subject(claims: Mapping[str, Any]) -> None:
    if not _text(claims.get("sub")):
        raise Denied(
            "subject",
            "The token does not say who somebody is.",
            "The provider must send sub, with at most 255 characters, all of them visible.",
        )


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Denied(
            "time",
            f"The token says no {name}." if value is None else f"The {name} of the token is no moment.",
            "The provider must send it in seconds since 1970.",
        )
    if not 0 <= value < FAR:
        raise Denied(
            "time", f"The {name} of the token is in milliseconds.", "The provider must send seconds."
        )
    return value


def _moments(claims: Mapping[str, Any], now: float, *, since: float) -> None:
    if _moment(claims, "exp") <= now - LEEWAY:
        raise Denied("time", "The token has expired.", f"{AGAIN} {CLOCKS}")
    issued = _moment(claims, "iat")
    if issued > now + LEEWAY:
        raise Denied("time", "The token was issued in the future.", CLOCKS)
    if issued < since - LEEWAY:
        raise Denied("time", "The token is older than our question.", f"{AGAIN} {CLOCKS}")
    if "nbf" in claims and _moment(claims, "nbf") > now + LEEWAY:
        raise Denied("time", "The token does not count yet.", CLOCKS)


def _signed_in(claims: Mapping[str, Any], asked: Asked, now: float) -> None:
    """That the person signed in at the provider as recently as was asked."""
    if asked.max_age is None:
        if "auth_time" in claims:
            _moment(claims, "auth_time")
        return
    if claims.get("auth_time") is None:
        raise Denied(
            "fresh",
            "The provider does not say when you signed in there (auth_time).",
            "It must send auth_time where max_age is asked; in Entra add it as an optional claim of the ID token.",
        )
    at = _moment(claims, "auth_time")
    if at > now + LEEWAY:
        raise Denied("fresh", "The provider says that you signed in in the future.", CLOCKS)
    # Seconds are whole on one side: what was asked within a second counts from its beginning.
    if at < math.floor(asked.asked_at) - asked.max_age - FRESH_LEEWAY:
        raise Denied(
            "fresh",
            "The provider remembered you, and did not ask you again.",
            "You must sign in there anew. If it did not ask: it must heed max_age; and the clocks must agree.",
        )


def _strength(claims: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """That one of the demanded strengths was reached: `acr`, or one of Entra's `acrs`."""
    if not wanted:
        return
    several = claims.get("acrs")
    reached = {claims.get("acr")} if isinstance(claims.get("acr"), str) else set()
    reached |= {one for one in several if isinstance(one, str)} if isinstance(several, list) else set()
    if not reached & set(wanted):
        raise Denied(
            "strength",
            f"The provider does not say that you signed in as strongly as was asked ({', '.join(wanted)}).",
            "It must send acr, or acrs as an optional claim in Entra; enrol the factor there that it asks for.",
        )
