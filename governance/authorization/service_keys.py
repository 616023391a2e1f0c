"""Keys of systems and tokens of the read API as text: made, read and compared. Pure.

`initiatives.contracts.enforcement.system_keys` decides who may have a key, `governance.api_tokens.actions` who may have
a token. A key is plk_<public>_<secret>, and a token plt_<public>_<secret>, so that neither opens the API of the other.
The public part names it in pages and logs. The secret is 256 random bits, too many to guess, so its SHA-256 is kept
without a slow hash.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

PREFIX = "plk"
API_PREFIX = "plt"
_KEY = re.compile(r"([a-z]{3})_([a-z2-7]{12})_([A-Za-z0-9_-]{43})\Z")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Token:
    """A full key. Its text is shown to one person once, and `repr` hides it."""

    public: str
    secret: str
    prefix: str = PREFIX

    def __repr__(self) -> str:
        return f"Token({self.public})"

    @property
    def text(self) -> str:
        """Return the text that the system receives."""
        return f"{self.prefix}_{self.public}_{self.secret}"

    @property
    def digest(self) -> str:
        """Return the stored digest of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def opens(self, kept: str) -> bool:
        """Return True if `kept` is this key's digest. The comparison takes constant time."""
        return hmac.compare_digest(self.digest, kept)


def fresh(prefix: str = PREFIX) -> Token:
    """Return a new key, or a new token of the API."""
    return Token("".join(secrets.choice(_LETTERS) for _ in range(12)), secrets.token_urlsafe(32), prefix)


def read(header: str, prefix: str = PREFIX) -> Token | None:
    """Return the key with this prefix in an Authorization header ("Bearer plk_..."), or None."""
    scheme, _, text = header.partition(" ")
    found = _KEY.match(text.strip()) if scheme.lower() == "bearer" else None
    if found is None or found[1] != prefix:
        return None
    return Token(found[2], found[3], prefix)
