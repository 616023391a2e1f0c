"""Previews of a call, which a system sends for its approver: a text or an address.

The module is pure and reads strictly. Only the approver sees the preview. The log of decisions, the request and the
audit log keep its SHA-256 instead. An approval is for a request with exactly this digest.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREVIEW = "preview"  # its name in the context of a request
TEXT, LINK = "text", "link"
MOST_CHARACTERS = 20_000
LONGEST_LINK = 2_000
# Printable ASCII without what browsers may read in another way: a user name before the host, a backslash.
_ADDRESS = re.compile(
    r"https://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)(?:[/?#][!#-;=?-\[\]_a-z~]*)?"
)


class Unreadable(ValueError):
    """The value of a preview is not one. The text of the error names the fault."""


@dataclass(frozen=True)
class Preview:
    """A preview: its kind, TEXT or LINK, and the text or the address itself."""

    kind: str
    content: str

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the text or address in UTF-8, in hexadecimal digits."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def words(self) -> int:
        """Return the number of words to read. An address counts 0, its page is unknown."""
        return len(self.content.split()) if self.kind == TEXT else 0


def read(said: object) -> Preview:
    """Return the preview in a request's context. Raises Unreadable."""
    if not isinstance(said, dict) or len(said) != 1 or not said.keys() <= {TEXT, LINK}:
        raise Unreadable(
            f"context.{PREVIEW} must be an object with either {TEXT} or {LINK}, and no other field."
        )
    ((kind, content),) = said.items()
    if not isinstance(content, str) or not content.strip():
        raise Unreadable(f"context.{PREVIEW}.{kind} must be a text that is not empty.")
    most = MOST_CHARACTERS if kind == TEXT else LONGEST_LINK
    if len(content) > most:
        raise Unreadable(f"context.{PREVIEW}.{kind} is longer than {most} characters.")
    if kind == LINK and not _ADDRESS.fullmatch(content):
        raise Unreadable(
            f"context.{PREVIEW}.{LINK} must be an ASCII address that begins with https://, such as "
            "https://mail.example.org/7."
        )
    return Preview(kind, content)


def sealed(evaluation_request: Mapping[str, Any]) -> tuple[Mapping[str, Any], Preview | None]:
    """Return the request with a preview digest, and the preview. Raises Unreadable."""
    context = evaluation_request.get("context") or {}
    if PREVIEW not in context:
        return evaluation_request, None
    preview = read(context[PREVIEW])
    stands = {"kind": preview.kind, "sha256": preview.digest}
    return {**evaluation_request, "context": {**context, PREVIEW: stands}}, preview


def host_of(address: str) -> str:
    """Return the host, with any port, of a preview's address, or "" for other texts."""
    found = _ADDRESS.fullmatch(address)
    return found[1] if found else ""
