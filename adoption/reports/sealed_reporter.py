"""Who reported a behaviour report, encrypted under a key derived from the secret key (docs/adr/0034).

What is sealed names what it belongs to, so that it cannot be moved to another row; all of it has the same length for
short contents, so that its size says nothing.
"""

import hmac
import json

from governance.runtime import sealed_box

SEALING, MARKING = "plumbline reported sealing 1", "plumbline reported marking 1"
STEP = 1024  # contents are filled up to a multiple of so many bytes


def seal(facts: dict, of: str) -> bytes:
    """The facts, readable for nobody without the key; `of` names what they belong to."""
    text = json.dumps(facts, ensure_ascii=False).encode()
    text += b" " * (-len(text) % STEP)
    return sealed_box.closed(text, sealed_box.derived_key(SEALING), of)


def opened(sealed: bytes, of: str) -> dict | None:
    """What was sealed for `of`; None where it was made under another key, for something else, or was changed."""
    try:
        return json.loads(sealed_box.opened(bytes(sealed), sealed_box.derived_key(SEALING), of))
    except ValueError:
        return None


def mark(text: str) -> str:
    """A name for something that must not be written down, such as an address that is counted: the same each time."""
    return hmac.digest(sealed_box.derived_key(MARKING), text.encode(), "sha256").hex()
