"""Asking a provider: https only, no redirect to elsewhere, little time, little to read.

The address comes from an admin or from the discovery document of the pinned issuer; proxies of the environment are
used as by everything else of the process.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from governance.identity.providers.denials import Denied
from governance.identity.providers.discovery import check_address

SECONDS = 8.0  # for the whole answer
LONGEST = 512 * 1024  # bytes of an answer


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what is sent is for the address that was checked."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is an error."""
        return None


_OPENER = urllib.request.build_opener(_Here)


@dataclass(frozen=True)
class Answer:
    """What a provider answered: its status, and the JSON in it."""

    status: int
    content: Any


def get(address: str, what: str) -> Any:
    """The JSON behind an address. `what` names it in the refusal. Raises Denied."""
    answer = _ask(urllib.request.Request(address, headers={"Accept": "application/json"}), what)
    if answer.status != 200:
        raise Denied(
            "away",
            f"{what} answers with status {answer.status}.",
            f"Open {shown(address)} from this server; it must answer 200 with JSON, and pass on nobody.",
        )
    return answer.content


def post(address: str, fields: dict[str, str], headers: dict[str, str], what: str) -> Answer:
    """Send a form; the answer with its status, which may be that of an error in JSON. Raises Denied."""
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **headers}
    return _ask(urllib.request.Request(address, urlencode(fields).encode(), headers, method="POST"), what)


def shown(address: str) -> str:
    """An address without what stands behind its question mark."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _ask(request: urllib.request.Request, what: str) -> Answer:
    check_address(request.full_url, what)
    until, content = time.monotonic() + SECONDS, b""
    try:
        try:
            answer = _OPENER.open(request, timeout=SECONDS)
        except (
            urllib.error.HTTPError
        ) as refused:  # an answer as well: token endpoints say in it what is wrong
            answer = refused
        with answer:
            while part := answer.read1(1 << 16):
                content += part
                if len(content) > LONGEST or time.monotonic() > until:
                    raise TimeoutError("too long, or too slow")
            status = int(answer.status)
    except (OSError, http.client.HTTPException, ValueError) as trouble:
        reason = getattr(trouble, "reason", None) or trouble
        raise Denied(
            "away",
            f"{what} does not answer ({type(reason).__name__}).",
            f"From this server {shown(request.full_url)} must be reachable, with a certificate that it trusts.",
        ) from None
    try:
        return Answer(status, json.loads(content) if content else None)
    except (ValueError, RecursionError):
        if status != 200:
            return Answer(status, None)
        raise Denied(
            "away",
            f"{what} answers with something else than JSON.",
            f"Look at {shown(request.full_url)} in a browser.",
        ) from None
