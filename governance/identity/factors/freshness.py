"""Showing once more who is there, before a factor is changed: the password with the code, or a fresh provider
sign-in.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from governance.identity.factors import codes
from governance.models import User
from governance.sign_in import reauthentication

# Functions (request) -> whether its person has just signed in anew at an identity provider; filled by who knows one.
provider_proofs: list[Callable[[HttpRequest], bool]] = []


@dataclass(frozen=True)
class Wrong:
    """What was wrong: at which field, in words; `code` marks too many tries."""

    field: str
    words: str
    code: str | None = None


def by_provider(request: HttpRequest) -> bool:
    """Whether the person has just signed in anew at an identity provider."""
    return any(fresh(request) for fresh in provider_proofs)


def why_refused(
    person: User, password: str, code: str | None, *, purpose: str, address: str | None
) -> Wrong | None:
    """What is wrong with the password, and with the code where one is given; None where neither is."""
    words = reauthentication.why_refused(person, password, purpose=purpose, address=address)
    if words:
        return Wrong("password", words, _code(words))
    if code is not None:
        words = codes.why_refused(person, code, purpose=purpose, address=address)
    return Wrong("code", words, _code(words)) if words else None


def _code(words: str) -> str | None:
    return "too many" if words.startswith("Too many") else None
