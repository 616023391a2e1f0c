"""The identity in the claims of a token, and the unit that the claims propose. Pure.

The key is the claim that the provider pinned: `sub`, or for Entra tenant and object. Email address and name are never
a key, because both can pass to another person. App roles and groups propose a unit and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from governance.identity.providers.denials import Denied
from governance.vocabulary.readable_text import refusal

MOST_PROPOSED = 50
OVERAGE = (
    "The provider sent no groups because there are too many (overage), so no unit is proposed. Use app "
    "roles, or send only the groups assigned to the application."
)


@dataclass(frozen=True)
class Identity:
    """A person at a provider. The names may change, but the key does not."""

    key: str
    subject: str
    name: str = ""
    mail: str = ""
    login: str = ""


def identity_of(claims: Mapping[str, Any], *, tenant_and_object: bool, issuer: str, guests: bool) -> Identity:
    """Return the identity in the claims. Raises Denied for another tenant, a guest or no key."""
    if tenant_and_object:
        tenant, thing = (_said(claims, name, 64) for name in ("tid", "oid"))
        if not tenant or not thing:
            raise Denied(
                "subject",
                "The token names no tenant and object (tid, oid).",
                "Add profile to the scopes of this provider. Entra then sends tid and oid.",
            )
        if tenant not in urlsplit(issuer).path.split("/"):
            raise Denied(
                "tenant",
                "The token and the issuer are from different tenants.",
                "Sign in with the account of your own organisation.",
            )
        if not guests and is_guest(claims, issuer):
            raise Denied(
                "guest",
                "You signed in with a guest account, which belongs to another organisation.",
                "Sign in with an account of this tenant, or ask an admin to allow guests for this provider.",
            )
        key = f"{tenant.lower()}/{thing.lower()}"
    else:
        key = str(claims["sub"])
    return Identity(
        key=key,
        subject=str(claims["sub"]),
        name=_said(claims, "name", 120),
        mail=_said(claims, "email", 254),
        login=_said(claims, "preferred_username", 254),
    )


def is_guest(claims: Mapping[str, Any], issuer: str) -> bool:
    """Return True for a guest of Entra: `acct` 1, or an `idp` other than the tenant."""
    home = claims.get("idp")
    tenant = str(claims.get("tid", "")).lower()
    return claims.get("acct") in (1, "1") or (
        isinstance(home, str) and home != issuer and tenant not in home.lower().split("/")
    )


def proposed_by(claims: Mapping[str, Any], name: str) -> tuple[list[str], str]:
    """Return what a claim of app roles or groups proposes, and a sentence if it is left out."""
    if not name:
        return [], ""
    elsewhere = claims.get("_claim_names")
    if claims.get("hasgroups") or (
        isinstance(elsewhere, dict) and (name in elsewhere or "groups" in elsewhere)
    ):
        return [], OVERAGE
    said = claims.get(name)
    rows = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return [row for row in rows if isinstance(row, str) and not refusal(row)][:MOST_PROPOSED], ""


def _said(claims: Mapping[str, Any], name: str, most: int) -> str:
    value = claims.get(name)
    return " ".join(value.split())[:most] if isinstance(value, str) and not refusal(value) else ""
