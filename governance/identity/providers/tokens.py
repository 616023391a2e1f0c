"""The checks of a provider's token: its form, its signature, its claims. Pure.

No claim is used before all checks pass. The caller passes everything: the raw token, the keys that the provider
publishes, what was asked and when. Each refusal is a `Denied` whose sentence names the fix.
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
FRESH_LEEWAY = 5  # seconds of it that count if a new sign-in is needed
FAR = 100_000_000_000  # seconds: such a date is in milliseconds
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_AGE = 600  # seconds after which a logout token is too old to have been sent now

AGAIN = "Start again from the sign-in page."
CLOCKS = "Check that the clocks of the provider and of this server follow NTP."


class UnknownKey(Denied):
    """The token names an unknown key. The provider may have changed its keys."""


@dataclass(frozen=True)
class Asked:
    """The question, which the token must answer. Moments are in seconds since 1970."""

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
    """A registry that allows further headers in tokens. This module has the bounds."""

    max_header_length = 8 * 1024
    max_payload_length = LONGEST

    def __init__(self) -> None:
        super().__init__(algorithms=list(jwk_rules.ALGORITHMS), strict_check_header=False)


def _json(part: str) -> dict[str, Any]:
    found = strict_json.read(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def part_of(raw: str, place: int) -> dict[str, Any]:
    """Return the object in one part of a token, unchecked: 0 is the header, 1 the claims. Raises ValueError."""
    return _json(raw.split(".")[place])


def header_of(raw: Any) -> dict[str, Any]:
    """Return the header of a signed token of a known form and algorithm. Raises Denied."""
    broken = Denied(
        "form", "The provider did not send a signed token.", "Try again, or check the log of the provider."
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
            else f"The token is signed with {said}, which Plumbline does not accept.",
            "Set the signing algorithm of this client at the provider to RS256, ES256 or EdDSA (Ed25519).",
        )
    if "crit" in header or header.get("b64", True) is not True:
        raise Denied(
            "form",
            "The header of the token has an extension that Plumbline does not support.",
            "Use plain ID tokens at the provider.",
        )
    return header


def read(raw: str, keys: Sequence[Mapping[str, Any]]) -> Read:
    """Return the claims of a token that one of these keys signed. Raises Denied, UnknownKey.

    The key is chosen by the token's `kid`. Without one, there must be a single key for its algorithm. A key in the
    header of the token is ignored.
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
            "If the provider has just changed its keys, try again in a minute. Otherwise, tell an admin: "
            "the token is not from this provider.",
        )
    if len(found) > 1:
        raise Denied(
            "unknown key",
            "The token does not name the key of the provider that signed it.",
            "Set the provider to name its keys (kid).",
        )
    try:
        signed = jws.deserialize_compact(raw, jwk_rules.key_of(found[0]), registry=_Registry())
    except (JoseError, ValueError, TypeError):
        raise Denied(
            "signature",
            "The signature of the token is wrong.",
            f"The token was changed on its way, or forged. {AGAIN}",
        ) from None
    try:
        claims = strict_json.read(signed.payload)
    except strict_json.NotJson:
        claims = None
    if not isinstance(claims, dict):
        raise Denied("form", "The claims of the token cannot be read.", "Check the log of the provider.")
    kept = {name: str(value) for name, value in found[0].items()}
    return Read(claims, kept, algorithm)


def judge_id_token(raw: str, keys: Sequence[Mapping[str, Any]], asked: Asked, *, now: float) -> Read:
    """Return the ID token, once everything about it is right. Raises Denied.

    `auth_time` must be there and recent enough if `asked.max_age` is set. `iat` never replaces it, because a provider
    with an open session makes a new token without a sign-in.
    """
    if header_of(raw).get("typ", "JWT") not in ("JWT", "jwt"):
        raise Denied("kind", "The token is not an ID token.", AGAIN)
    found = read(raw, keys)
    claims = found.claims
    if LOGOUT_EVENT in _names(claims.get("events")):
        raise Denied("kind", "The token is a logout token, not an ID token.", AGAIN)
    _issuer_and_audience(claims, asked.issuer, asked.client_id)
    _subject(claims)
    _moments(claims, now, since=asked.asked_at)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise Denied(
            "nonce",
            'The token has no "nonce" value.'
            if nonce is None
            else 'The "nonce" value of the token belongs to another sign-in.',
            f"The token was made for another request. {AGAIN}",
        )
    _signed_in(claims, asked, now)
    _strength(claims, asked.acr)
    if "session_expiry" in claims and _moment(claims, "session_expiry") <= now:
        raise Denied("session", "The session at the provider has ended.", "Sign in at the provider again.")
    return found


def judge_logout_token(
    raw: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, now: float
) -> Read:
    """Return a logout token (OpenID Connect Back-Channel Logout 2.6). Raises Denied."""
    if header_of(raw).get("typ", "logout+jwt").lower() not in ("logout+jwt", "jwt"):
        raise Denied("kind", "The token is not a logout token.", "Send a logout token.")
    found = read(raw, keys)
    claims = found.claims
    _issuer_and_audience(claims, issuer, client_id)
    _moments(claims, now, since=now - LOGOUT_AGE)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise Denied(
            "kind", "The token has no logout event.", "Send a token with the event of a back-channel logout."
        )
    if "nonce" in claims:
        raise Denied(
            "kind",
            "The logout token has a nonce, as only ID tokens have.",
            "Send a logout token without a nonce.",
        )
    if not _text(claims.get("jti")):
        raise Denied("replayed", "The logout token has no id.", "Send a token with a jti.")
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
            "The token was issued by another provider." if claims.get("iss") else "The token has no issuer.",
            f"Use a token of {issuer}. For Entra, use your own tenant.",
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
            "Set the client id on the page of this provider as the only audience of the token.",
        )
    if claims.get("azp", client_id) != client_id:
        raise Denied(
            "audience",
            "Another application asked for this token (azp).",
            "Use the same client id in Plumbline and at the provider.",
        )


def _subject(claims: Mapping[str, Any]) -> None:
    if not _text(claims.get("sub")):
        raise Denied(
            "subject",
            "The token does not identify a person.",
            "Set the provider to send sub, with at most 255 visible characters.",
        )


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Denied(
            "time",
            f"The token has no {name}." if value is None else f"The {name} of the token is not a time.",
            "Set the provider to send the time in seconds since 1970.",
        )
    if not 0 <= value < FAR:
        raise Denied(
            "time", f"The {name} of the token is in milliseconds.", "Set the provider to send seconds."
        )
    return value


def _moments(claims: Mapping[str, Any], now: float, *, since: float) -> None:
    if _moment(claims, "exp") <= now - LEEWAY:
        raise Denied("time", "The token has expired.", f"{AGAIN} {CLOCKS}")
    issued = _moment(claims, "iat")
    if issued > now + LEEWAY:
        raise Denied("time", "The token was issued in the future.", CLOCKS)
    if issued < since - LEEWAY:
        raise Denied("time", "The token is older than your sign-in.", f"{AGAIN} {CLOCKS}")
    if "nbf" in claims and _moment(claims, "nbf") > now + LEEWAY:
        raise Denied("time", "The token is not valid yet.", CLOCKS)


def _signed_in(claims: Mapping[str, Any], asked: Asked, now: float) -> None:
    """Raise Denied unless the person signed in at the provider recently enough."""
    if asked.max_age is None:
        if "auth_time" in claims:
            _moment(claims, "auth_time")
        return
    if claims.get("auth_time") is None:
        raise Denied(
            "fresh",
            "The token has no time of your sign-in at the provider (auth_time).",
            "Set the provider to send auth_time if max_age is requested. In Entra, add it as an optional "
            "claim of the ID token.",
        )
    at = _moment(claims, "auth_time")
    if at > now + LEEWAY:
        raise Denied("fresh", "The time of your sign-in at the provider is in the future.", CLOCKS)
    # Seconds are whole on one side: what was asked within a second counts from its beginning.
    if at < math.floor(asked.asked_at) - asked.max_age - FRESH_LEEWAY:
        raise Denied(
            "fresh",
            "The provider did not ask you to sign in again.",
            "Sign in at the provider again. If the provider does not ask you, an admin can check its "
            "support of max_age and its clock.",
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
            f"The token does not confirm that you signed in as strongly as required ({', '.join(wanted)}).",
            "Register the second factor that the provider asks for. An admin can set the provider to send "
            "acr, or acrs as an optional claim in Entra.",
        )
