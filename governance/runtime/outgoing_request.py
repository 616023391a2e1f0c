"""One request to an address of the settings: no redirect, little time, little to read."""

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what is sent is for the address that was checked."""

    def redirect_request(self, *_: Any) -> None:
        """Return None, which makes the redirect an error."""
        return None


_OPENER = urllib.request.build_opener(_Here)


@dataclass(frozen=True)
class Answer:
    """The answer of a server: its status, its media type and its bytes."""

    status: int
    kind: str
    content: bytes


def ask(request: urllib.request.Request, *, seconds: float, longest: int) -> Answer:
    """Return the answer of any status.

    Raises OSError, http.client.HTTPException or ValueError if none came within the seconds and the bytes allowed.
    """
    until, content = time.monotonic() + seconds, b""
    try:
        answer = _OPENER.open(request, timeout=seconds)
    except urllib.error.HTTPError as refused:  # an answer as well: its words say what is wrong
        answer = refused
    with answer:
        while part := answer.read1(1 << 16):
            content += part
            if len(content) > longest or time.monotonic() > until:
                raise TimeoutError("The answer is too long or too slow.")
        return Answer(int(answer.status), answer.headers.get_content_type(), content)
