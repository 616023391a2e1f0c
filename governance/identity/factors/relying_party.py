"""For which host passkeys are made: the one of PLUMBLINE_ADDRESS, which must be a name."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

from governance.models import Passkey


def host() -> str:
    """The name of the host: passkeys are made for it, and open nothing under another one (the RP id)."""
    return (urlsplit(settings.ADDRESS).hostname or "").lower()


def origin() -> str:
    """The address as browsers write it into what an authenticator signs."""
    return settings.ADDRESS


def why_none() -> str:
    """Why no passkey can be made or used under the address of this installation; empty where it can."""
    parts = urlsplit(settings.ADDRESS)
    name = host()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return (
            f"Passkeys need an address with a name, and this installation is at {settings.ADDRESS}. Whoever runs it "
            "sets PLUMBLINE_ADDRESS."
        )
    if parts.scheme != "https" and name != "localhost":
        return (
            f"Passkeys need https, and this installation is at {settings.ADDRESS}. Whoever runs it adds TLS."
        )
    return ""


def elsewhere(asked: str) -> str:
    """The address at which passkeys work, where the browser has come by another one (`asked`, with scheme); else
    empty.
    """
    return "" if why_none() or asked == origin() else origin()


def ended_by_address() -> int:
    """How many passkeys that stand were made for another name, and open nothing since PLUMBLINE_ADDRESS was changed."""
    return Passkey.objects.filter(ended_at=None).exclude(rp_id=host()).count()
