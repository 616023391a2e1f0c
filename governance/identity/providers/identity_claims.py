"""Who somebody is by their claims, and what the claims may propose. Pure.

The key is what the provider pinned: `sub`, or for Entra tenant and object. Mail address and name are never a key: both
can be given to somebody else. App roles and groups propose a unit and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from governance.identity.providers.denials import Denied
from governance.vocabulary.readable_text import refusal

MOST_PROPOSED = 50
OVERAGE = (
    "The provider left the groups out because there are too many (overage): nothing is proposed by them. "
    "Use app roles, or send only the groups assigned to the application."
)


@dataclass(frozen=True)
class Identity:
    """Who somebody is at a provider, and how they are called there; names may change, the key does not."""

    key: str
    subject: str
    name: str = ""
    mail: str = ""
    login: str = ""


def identity_of(claims: Mapping[str, Any], *, tenant_and_object: bool, issuer: str, guests: bool) -> Identity:
    """Who the claims name. Raises Denied for another tenant, for guests where they are not taken, and without a key."""
    if tenant_and_object:
        tenant, thing = (_said(claims, name, 64) for name in ("tid", "oid"))
        if not tenant or not thing:
            raise Denied(
                "subject",
                "The token names no tenant and object (tid, oid).",
                "In Entra the scopes must hold profile; then both are sent.",
            )
        if tenant not in urlsplit(issuer).path.split("/"):
            raise Denied(
                "tenant",
                "The token is of another tenant than the one of the issuer.",
                "Sign in with the account of your own organisation.",
            )
        if not guests and is_guest(claims, issuer):
            raise Denied(
                "guest",
                "This is the account of a guest in the tenant, who belongs to another organisation.",
                "Sign in with an own account, or have an admin allow guests for this provider.",
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
    """Whether Entra says that the account is a guest's: `acct` 1, or an `idp` other than the tenant itself."""
    home = claims.get("idp")
    tenant = str(claims.get("tid", "")).lower()
    return claims.get("acct") in (1, "1") or (
        isinstance(home, str) and home != issuer and tenant not in home.lower().split("/")
    )


def proposed_by(claims: Mapping[str, Any], name: str) -> tuple[list[str], str]:
    """What a claim of app roles or groups proposes, and a sentence where the provider left them out (overage)."""
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
