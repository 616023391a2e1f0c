"""The check before a factor changes: password with code, or a provider sign-in."""

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
    """The fault of a field, in words. `code` marks too many tries."""

    field: str
    words: str
    code: str | None = None


def by_provider(request: HttpRequest) -> bool:
    """Return True if the person has just signed in again at an identity provider."""
    return any(fresh(request) for fresh in provider_proofs)


def why_refused(
    person: User, password: str, code: str | None, *, purpose: str, address: str | None
) -> Wrong | None:
    """Return what is wrong with the password, or with the code if there is one, or None."""
    words = reauthentication.why_refused(person, password, purpose=purpose, address=address)
    if words:
        return Wrong("password", words, _code(words))
    if code is not None:
        words = codes.why_refused(person, code, purpose=purpose, address=address)
    return Wrong("code", words, _code(words)) if words else None


def _code(words: str) -> str | None:
    return "too many" if words.startswith("Too many") else None
