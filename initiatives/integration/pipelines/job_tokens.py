"""The checks of a pipeline's token: form, signature, issuer, audience, age, binding. Pure.

The signature is checked by the same code as that of an identity provider's token
(`governance.identity.providers.tokens`): only RS256, ES256 and EdDSA with a key that the issuer publishes, and never a
key or an address in the token. Each refusal is a sentence for the author of the pipeline.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.identity.providers import jwk_rules
from governance.identity.providers import tokens as provider_tokens
from governance.identity.providers.denials import Denied
from governance.vocabulary.readable_text import refusal
from initiatives.integration.pipelines.platforms import PLATFORMS

LONGEST = 16 * 1024  # characters of a token
LEEWAY = 60  # seconds by which the issuer's clock may be ahead
TYPES = ("jwt", "at+jwt")
UNREADABLE = (
    "The token cannot be read as a token (JWT) that is signed with an accepted algorithm: "
    f"{', '.join(jwk_rules.ALGORITHMS[:3])}. Send the token of the platform unchanged."
)


class BadToken(Exception):
    """The token is refused before its binding is looked at. The message is for its sender."""


class Unsigned(Exception):
    """The issuer did not sign the token with a known key. Its sender learns no more than that."""


class UnknownKey(Unsigned):
    """The token names a key that is not known. The issuer may have changed its keys."""


@dataclass(frozen=True)
class Read:
    """A token whose signature, issuer, audience and times are right. Moments are in seconds since 1970."""

    claims: dict[str, Any]
    digest: str
    expires: float


def claimed(raw: str) -> dict[str, Any]:
    """Return the claims of a token, with an issuer as `iss`, before anything is checked. Raises BadToken."""
    if len(raw) > LONGEST:
        raise BadToken(
            f"The token has more than {LONGEST} characters. Send the token of the platform unchanged."
        )
    try:
        header = provider_tokens.header_of(raw)
        claims = provider_tokens.part_of(raw, 1)
    except (Denied, ValueError):
        raise BadToken(UNREADABLE) from None
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise BadToken(
            "The token is not an identity token of a job. Send the token that the platform signs for a job."
        )
    if not _text(claims.get("iss")):
        raise BadToken("The token has no issuer (iss). Send the token that the platform signs for a job.")
    return claims


def read(
    raw: str, keys: Sequence[Mapping[str, Any]], *, platform: str, issuer: str, audience: str, now: float
) -> Read:
    """Return a token of this issuer for this audience. Raises BadToken, Unsigned."""
    try:
        claims = provider_tokens.read(raw, keys).claims
    except provider_tokens.UnknownKey:
        raise UnknownKey from None
    except Denied:
        raise Unsigned from None
    if claims.get("iss") != issuer:
        raise BadToken("The token was issued by another issuer. Send a token of the declared issuer.")
    if claims.get("aud") not in (audience, [audience]):
        raise BadToken(
            f"The token is for another audience. Ask the platform for a token whose only audience is {audience}."
        )
    rules = PLATFORMS[platform]
    expires = _moment(claims, "exp")
    if expires <= now:
        raise BadToken(
            "The token has expired. Ask the platform for a new token just before you file the result."
        )
    issued = _moment(claims, "iat")
    if issued > now + LEEWAY or ("nbf" in claims and _moment(claims, "nbf") > now + LEEWAY):
        raise BadToken(
            "The token is not valid yet. Check that the clocks of the platform and of Plumbline are right."
        )
    if now - issued > rules.age:
        raise BadToken(
            f"The token is older than {rules.age // 60} minutes. Ask the platform for a new token just before you "
            "file the result."
        )
    return Read(claims, _digest(raw, claims, rules.token_id, issuer), expires)


def _digest(raw: str, claims: Mapping[str, Any], name: str, issuer: str) -> str:
    """Return what identifies the token: its id, or what was signed.

    The signature itself does not count, because another valid one can be made of some.
    """
    if name in claims and not _text(claims[name]):
        raise BadToken(
            f"The id of the token ({name}) is not a text. Send the token of the platform unchanged."
        )
    said = f"{issuer}\n{name}\n{claims[name]}" if name in claims else raw.rpartition(".")[0]
    return hashlib.sha256(said.encode()).hexdigest()


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and not refusal(value)


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadToken(
            f"The {name} of the token is not a time in seconds. Send the token of the platform unchanged."
        )
    if not 0 <= value < provider_tokens.FAR:
        raise BadToken(
            f"The {name} of the token is not a time in seconds. Send the token of the platform unchanged."
        )
    return float(value)
