"""What a system hands over with a request, so that whoever approves the call sees what goes out: a text or an address.

Pure. It is read strictly. Only the approver is shown it: whatever else keeps the request (the log of decisions, the
request, the audit log) has its SHA-256 in its place, and an approval is for a request with exactly this digest.
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
# Printable ASCII without what browsers read otherwise than it looks: no name before the host, no backslash.
_ADDRESS = re.compile(
    r"https://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)(?:[/?#][!#-;=?-\[\]_a-z~]*)?"
)


class Unreadable(ValueError):
    """What stands in the place of a preview is none; its text says what is wrong with it."""


@dataclass(frozen=True)
class Preview:
    """A preview: its kind, TEXT or LINK, and the text or the address itself."""

    kind: str
    content: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text or address in UTF-8, in hexadecimal digits."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def words(self) -> int:
        """How many words there are to read; of what stands behind an address nobody knows, so none."""
        return len(self.content.split()) if self.kind == TEXT else 0


def read(said: object) -> Preview:
    """The preview that a request's context holds. Raises Unreadable."""
    if not isinstance(said, dict) or len(said) != 1 or not said.keys() <= {TEXT, LINK}:
        raise Unreadable(
            f"context.{PREVIEW} is an object with {TEXT} or {LINK}, one of them and nothing else."
        )
    ((kind, content),) = said.items()
    if not isinstance(content, str) or not content.strip():
        raise Unreadable(f"context.{PREVIEW}.{kind} is a text that is not empty.")
    most = MOST_CHARACTERS if kind == TEXT else LONGEST_LINK
    if len(content) > most:
        raise Unreadable(f"context.{PREVIEW}.{kind} is longer than {most} characters.")
    if kind == LINK and not _ADDRESS.fullmatch(content):
        raise Unreadable(
            f"context.{PREVIEW}.{LINK} is an address that begins with https:// and a host, in plain ASCII."
        )
    return Preview(kind, content)


def sealed(evaluation_request: Mapping[str, Any]) -> tuple[Mapping[str, Any], Preview | None]:
    """The request with the digest of its preview in the preview's place, and the preview. Raises Unreadable."""
    context = evaluation_request.get("context") or {}
    if PREVIEW not in context:
        return evaluation_request, None
    preview = read(context[PREVIEW])
    stands = {"kind": preview.kind, "sha256": preview.digest}
    return {**evaluation_request, "context": {**context, PREVIEW: stands}}, preview


def host_of(address: str) -> str:
    """The host that an address of a preview leads to, with its port where it names one; empty where it is no such."""
    found = _ADDRESS.fullmatch(address)
    return found[1] if found else ""
