"""Asking a provider: https only, no redirect to elsewhere, little time, little to read.

The address comes from an admin or from the discovery document of the pinned issuer; proxies of the environment are
used as by everything else of the process.
"""

import http.client
import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from governance.identity.providers.denials import Denied
from governance.identity.providers.discovery import check_address
from governance.runtime import outgoing_request

SECONDS = 8.0  # for the whole answer
LONGEST = 512 * 1024  # bytes of an answer


@dataclass(frozen=True)
class Answer:
    """The answer of a provider: its status and its JSON."""

    status: int
    content: Any


def get(address: str, what: str) -> Any:
    """Return the JSON at an address. `what` names it in the refusal. Raises Denied."""
    answer = _ask(urllib.request.Request(address, headers={"Accept": "application/json"}), what)
    if answer.status != 200:
        raise Denied(
            "away",
            f"{what} answers with status {answer.status}.",
            f"Open {shown(address)} from this server. The answer must be 200 with JSON, without a redirect.",
        )
    return answer.content


def post(address: str, fields: dict[str, str], headers: dict[str, str], what: str) -> Answer:
    """Send a form; the answer with its status, which may be that of an error in JSON. Raises Denied."""
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **headers}
    return _ask(urllib.request.Request(address, urlencode(fields).encode(), headers, method="POST"), what)


def shown(address: str) -> str:
    """Return an address without its query."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _ask(request: urllib.request.Request, what: str) -> Answer:
    check_address(request.full_url, what)
    try:
        answer = outgoing_request.ask(request, seconds=SECONDS, longest=LONGEST)
    except (OSError, http.client.HTTPException, ValueError) as trouble:
        reason = getattr(trouble, "reason", None) or trouble
        raise Denied(
            "away",
            f"{what} does not answer ({type(reason).__name__}).",
            f"Check that this server can reach {shown(request.full_url)} and trusts its certificate.",
        ) from None
    try:
        return Answer(answer.status, json.loads(answer.content) if answer.content else None)
    except (ValueError, RecursionError):
        if answer.status != 200:
            return Answer(answer.status, None)
        raise Denied(
            "away",
            f"{what} does not answer with JSON.",
            f"Open {shown(request.full_url)} in a browser.",
        ) from None
