"""The encryption of reporters, by a key derived from the secret key (docs/adr/0034).

The sealed contents name their row, so that no one can move them to another row. Short contents all have the same
length, so that the size shows nothing.
"""

import hmac
import json

from governance.runtime import sealed_box

SEALING, MARKING = "plumbline reported sealing 1", "plumbline reported marking 1"
STEP = 1024  # contents are filled up to a multiple of so many bytes


def seal(facts: dict, of: str) -> bytes:
    """Return the facts encrypted. `of` names the row they belong to."""
    text = json.dumps(facts, ensure_ascii=False).encode()
    text += b" " * (-len(text) % STEP)
    return sealed_box.closed(text, sealed_box.derived_key(SEALING), of)


def opened(sealed: bytes, of: str) -> dict | None:
    """Return the facts sealed for `of`. Another key, another row or changed bytes give None."""
    try:
        return json.loads(sealed_box.opened(bytes(sealed), sealed_box.derived_key(SEALING), of))
    except ValueError:
        return None


def mark(text: str) -> str:
    """Return a stable name for data that must not be stored, such as an address."""
    return hmac.digest(sealed_box.derived_key(MARKING), text.encode(), "sha256").hex()
