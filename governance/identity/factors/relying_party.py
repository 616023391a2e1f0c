"""For which host passkeys are made: the one of PLUMBLINE_ADDRESS, which must be a name."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings


def host() -> str:
    """Return the name of the host that passkeys are made for and work at (the RP id)."""
    return (urlsplit(settings.ADDRESS).hostname or "").lower()


def origin() -> str:
    """Return the address that browsers write into what an authenticator signs."""
    return settings.ADDRESS


def why_none() -> str:
    """Return why no passkey works under the address of this installation, or ""."""
    parts = urlsplit(settings.ADDRESS)
    name = host()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return (
            f"Passkeys need an address with a name, but this installation is at {settings.ADDRESS}. The "
            "operator can set PLUMBLINE_ADDRESS."
        )
    if parts.scheme != "https" and name != "localhost":
        return (
            f"Passkeys need https, but this installation is at {settings.ADDRESS}. The operator can add TLS."
        )
    return ""


def elsewhere(asked: str) -> str:
    """Return the address where passkeys work, if `asked` (with scheme) is another, else ""."""
    return "" if why_none() or asked == origin() else origin()
