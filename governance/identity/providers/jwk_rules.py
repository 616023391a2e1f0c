"""The keys that verify a token: RSA from 2,048 bits, P-256 and Ed25519. Pure.

Other keys are refused when a provider is connected, so that no token is ever judged by another algorithm.
"""

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from governance.identity.providers.denials import Denied

RS256, ES256, EDDSA, ED25519 = "RS256", "ES256", "EdDSA", "Ed25519"
ALGORITHMS = (RS256, ES256, EDDSA, ED25519)
RSA_BITS = 2048
MOST_KEYS = 50
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
PUBLIC = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}

Jwk = dict[str, str]
AnyKey = RSAKey | ECKey | OKPKey


def algorithms_of(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the algorithms that a key may verify here, by its kind, or ()."""
    kind = (jwk.get("kty"), jwk.get("crv"))
    if kind[0] == "RSA":
        return (RS256,)
    if kind == ("EC", "P-256"):
        return (ES256,)
    if kind == ("OKP", "Ed25519"):
        return (EDDSA, ED25519)
    return ()


def public_part(jwk: Mapping[str, Any]) -> Jwk:
    """Return only the members that make the key, which are kept and thumbprinted."""
    return {name: str(jwk[name]) for name in PUBLIC[str(jwk["kty"])]}


def key_of(jwk: Mapping[str, Any]) -> AnyKey:
    """Return the key of these members. Raises Denied if it is broken, short or unknown."""
    kind = str(jwk.get("kty"))
    makers: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    try:
        if not algorithms_of(jwk):
            raise ValueError("another kind")
        key: AnyKey = makers[kind].import_key(public_part(jwk))
        key.public_key  # noqa: B018  (read here, so that a broken point is found now)
    except (JoseError, ValueError, KeyError, TypeError) as trouble:
        raise Denied(
            "key", f"A key of the provider cannot be used ({type(trouble).__name__}).",
            "Set the provider to publish RSA keys from 2048 bits, P-256 keys or Ed25519 keys.",
        ) from None  # fmt: skip
    if isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS:
        raise Denied(
            "key",
            f"A key of the provider has {key.public_key.key_size} bits.",
            f"Ask the administrator of the provider for a key of at least {RSA_BITS} bits.",
        )
    return key


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a key (RFC 7638). Raises Denied."""
    return str(key_of(jwk).thumbprint())


def usable(document: Any) -> list[Jwk]:
    """Return the keys of a JWKS that verify signatures here, with any `kid` and `alg`.

    Keys to encrypt with, and of unknown kinds, are left out. Raises Denied if nothing is left, or if the document
    publishes a private or shared key.
    """
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Denied(
            "keys", "The address of the provider's keys does not answer with a list of keys.",
            "Check that jwks_uri in the discovery document is the address of a JWKS.",
        )  # fmt: skip
    found: list[Jwk] = []
    for row in rows[:MOST_KEYS]:
        if PRIVATE & row.keys():
            raise Denied(
                "keys",
                "The provider publishes a private or shared key.",
                "Tell the administrator of the provider at once. Anyone who reads the key can sign in as "
                "any person.",
            )
        if not _for_signatures(row):
            continue
        try:
            key_of(row)
        except Denied:
            continue
        said = {name: str(row[name])[:200] for name in ("kid", "alg") if isinstance(row.get(name), str)}
        found.append(public_part(row) | said)
    if not found:
        raise Denied(
            "keys",
            "The provider publishes no key that Plumbline accepts.",
            "Set the provider to sign ID tokens with RS256, ES256 or EdDSA (Ed25519).",
        )
    return found


def _for_signatures(row: Mapping[str, Any]) -> bool:
    operations = row.get("key_ops")
    return (
        row.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and bool(algorithms_of(row))
        and row.get("alg", algorithms_of(row)[0]) in algorithms_of(row)
    )
