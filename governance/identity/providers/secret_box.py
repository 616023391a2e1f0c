"""Secrets encrypted under the installation's secret key, each for one use."""

import hashlib

from governance.identity.providers.denials import Denied
from governance.runtime import sealed_box

KEY = "governance.identity.secret-box"


def mark() -> str:
    """Return the name of the key that closes boxes now. The key cannot be computed from it."""
    return hashlib.sha256(b"mark:" + sealed_box.derived_key(KEY)).hexdigest()[:16]


def closed(text: str, use: str) -> bytes:
    """Return the text encrypted for one use, so that no box can replace another."""
    return sealed_box.closed(text.encode(), sealed_box.derived_key(KEY), use)


def opened(box: bytes | memoryview | None, use: str) -> str:
    """Return the text closed for this use. Raises Denied for no box or another secret key."""
    if not box:
        raise Denied(
            "secret",
            "Plumbline has no client secret for this provider.",
            "An admin can enter the secret on the page of the provider.",
        )
    try:
        return sealed_box.opened(bytes(box), sealed_box.derived_key(KEY), use).decode()
    except ValueError:
        raise Denied(
            "secret",
            "The stored secret of this provider cannot be decrypted.",
            "PLUMBLINE_SECRET_KEY was changed. An admin can enter the client secret again, or make a new "
            "key.",
        ) from None
