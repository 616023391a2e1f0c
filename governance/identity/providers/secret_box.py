"""Secrets of providers and authenticator apps, encrypted under the secret key of the installation for one use each."""

from governance.identity.providers.denials import Denied
from governance.runtime import sealed_box

KEY = "governance.identity.secret-box"


def closed(text: str, use: str) -> bytes:
    """The text encrypted; it opens again only for the same use, so that no box takes the place of another."""
    return sealed_box.closed(text.encode(), sealed_box.derived_key(KEY), use)


def opened(box: bytes | memoryview | None, use: str) -> str:
    """What was closed for this use. Raises Denied where there is nothing, or the secret key is another now."""
    if not box:
        raise Denied(
            "secret", "No client secret is kept for this provider.", "An admin enters it on its page."
        )
    try:
        return sealed_box.opened(bytes(box), sealed_box.derived_key(KEY), use).decode()
    except ValueError:
        raise Denied(
            "secret",
            "The kept secret of this provider cannot be opened.",
            "PLUMBLINE_SECRET_KEY was changed: an admin enters the client secret again, or makes a new key.",
        ) from None
