"""The keys of systems as text: made, read, compared. Pure; who may have one is
`initiatives.contracts.enforcement.system_keys`.

A key looks like plk_<public>_<secret>. The public part names it in pages and logs; the secret is 256 random bits, of
which only the SHA-256 is kept: a slow hash is for what can be guessed.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

PREFIX = "plk"
_KEY = re.compile(rf"{PREFIX}_([a-z2-7]{{12}})_([A-Za-z0-9_-]{{43}})\Z")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Token:
    """A key in full. Its text is shown to one person once; `repr` does not show it."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"Token({self.public})"

    @property
    def text(self) -> str:
        """What the system is given."""
        return f"{PREFIX}_{self.public}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def opens(self, kept: str) -> bool:
        """Whether this is the key of which `kept` is the digest; compared in constant time."""
        return hmac.compare_digest(self.digest, kept)


def fresh() -> Token:
    """A new key that nobody has seen."""
    return Token("".join(secrets.choice(_LETTERS) for _ in range(12)), secrets.token_urlsafe(32))


def read(header: str) -> Token | None:
    """The key in an Authorization header ("Bearer plk_..."); None where there is none that could be a key."""
    scheme, _, text = header.partition(" ")
    found = _KEY.match(text.strip()) if scheme.lower() == "bearer" else None
    return Token(*found.groups()) if found else None
