"""The forms of the AuthZEN Access Request and Approval Profile (draft-mcguinness-authzen-access-request).

A denial that a person may lift names where to ask, and until when. Its token binds it to exactly its call, so nothing
is stored before a system asks. The system gets a task. An approval is not a permission: the system sends the request
again with it, and the decision point decides anew. Bulk requests, callbacks, forms and cancelling are left out.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings

from governance.authorization.authzen import BadRequest
from initiatives.contracts.approvals.queries import REFERENCE
from initiatives.models import ApprovalRequest
from initiatives.models.approvals import EXPIRED

REQUESTABLE_FOR = timedelta(minutes=10)  # so long a system may ask about a denied call
REQUESTS = "/access/v1/requests"
ERRORS = "urn:openid:authzen:access-request:error:"
NOT_REQUESTABLE, INVALID_BINDING, EXPIRED_DENIAL = (
    "not_requestable",
    "invalid_denial_binding",
    "expired_denial",
)
UNKNOWN_TASK, TASK_EXPIRED = "unknown_task", "task_expired"
ASK_AGAIN, RETRY, NONE = "request", "retry", "none"
RETRY_AFTER = 5  # seconds until a call is sent again whose approval has no answer
# What a system does after a request with an approval was denied, by the code of the denial.
NEXT = {
    "approval_waiting": RETRY,
    "approval_refused": NONE,
    "approval_unknown": NONE,
    "approval_expired": ASK_AGAIN,
    "approval_used": ASK_AGAIN,
    "approval_for_other_arguments": ASK_AGAIN,
    "approval_for_other_terms": ASK_AGAIN,
    "approval_lapsed": ASK_AGAIN,
}
_MAC = 24  # bytes


class NotBound(BadRequest):
    """The request is not about the denied call."""


class TooLate(BadRequest):
    """The time to ask about the denied call is over."""


@dataclass(frozen=True)
class Denial:
    """The denied evaluation as the system sends it back."""

    evaluation: str
    expires_at: str
    token: str


# --- A denial that can be asked about --------------------------------------------------------------------------------


def requestable(initiative: int, evaluation: str, digest: str, at: datetime) -> dict[str, Any]:
    """Return what the context of a denial says to a system that may ask a person.

    The arguments are the number of the initiative, the id of the decision, and the digest and the moment of the call.
    """
    expires_at = (at + REQUESTABLE_FOR).isoformat()
    return {
        "evaluation_id": evaluation,
        "evaluated_at": at.isoformat(),
        "access_request": {
            "endpoint": f"{settings.ADDRESS}{REQUESTS}",
            "expires_at": expires_at,
            "binding_token": _token(initiative, evaluation, digest, expires_at),
        },
    }


def next_action(code: str) -> dict[str, Any]:
    """Return what the context of a denial says about the next step, if its request brought an approval."""
    if code not in NEXT:
        return {}
    wait = {"retry_after": RETRY_AFTER} if NEXT[code] == RETRY else {}
    return {"next_action": NEXT[code], **wait}


def denial_of(body: Mapping[str, Any]) -> Denial:
    """Return the denial in the body of an access request. Raises BadRequest, NotBound."""
    if "items" in body:
        raise BadRequest("The field “items” is not supported. Send one access request for each call.")
    said = body.get("denial")
    if not isinstance(said, dict):
        raise NotBound("denial is missing. Send evaluation_id, expires_at and binding_token of the denial.")
    values = [said.get(name) for name in ("evaluation_id", "expires_at", "binding_token")]
    if not all(isinstance(value, str) and value for value in values):
        raise NotBound(
            "The field “denial” must have evaluation_id, expires_at and binding_token of the denial, as texts."
        )
    return Denial(*values)


def verify(initiative: int, denial: Denial, digest: str, now: datetime) -> None:
    """Raise NotBound unless the denial is of exactly this call, and TooLate if it is too old."""
    token = _token(initiative, denial.evaluation, digest, denial.expires_at)
    if not hmac.compare_digest(token.encode(), denial.token.encode("utf-8", "replace")):
        raise NotBound(
            "The denial does not belong to this call. Send the subject, action, resource and context of the "
            "denied request, and its denial, unchanged."
        )
    if datetime.fromisoformat(denial.expires_at) <= now:
        raise TooLate("This denial has expired. Send the evaluation again, then ask with the new denial.")


def _token(initiative: int, evaluation: str, digest: str, expires_at: str) -> str:
    said = "\n".join((str(initiative), evaluation, digest, expires_at)).encode("utf-8", "replace")
    mac = hmac.digest(_key_of(settings.SECRET_KEY), said, "sha256")[:_MAC]
    return urlsafe_b64encode(mac).decode()


@cache
def _key_of(secret: str) -> bytes:
    """Return a key for this purpose alone."""
    return hashlib.sha256(f"plumbline requestable denial {secret}".encode()).digest()


# --- The task and its result -----------------------------------------------------------------------------------------


def reference_in(evaluation_request: Mapping[str, Any]) -> str | None:
    """Return the id of the approval that a request brings, "" for a wrong one, None without one."""
    context = evaluation_request.get("context") or {}
    if REFERENCE not in context:
        return None
    said = context[REFERENCE]
    found = said.get("id") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def address_of(request: ApprovalRequest) -> str:
    """Return the address at which a system reads the task of a request."""
    return f"{settings.ADDRESS}{REQUESTS}/{request.reference}"


def task_of(request: ApprovalRequest, refusal: str, now: datetime) -> dict[str, Any]:
    """Return the task of a request, and its result once it is approved. `refusal` is why it was refused, or "".

    A used approval stays approved, as an ended task does not change. The decision point refuses a second use.
    """
    status = _status(request, now)
    task: dict[str, Any] = {
        "id": str(request.reference),
        "status": status,
        "status_endpoint": address_of(request),
        "expires_at": request.expires_at.isoformat(),
        "links": {"review": f"{settings.ADDRESS}{request.get_absolute_url()}"},
    }
    if refusal:
        task["display"] = {"title": "The call was refused.", "description": refusal}
    if status != "approved":
        return {"task": task}
    return {"task": task, "result": {"mode": "reevaluate", "approval": approval_of(request)}}


def approval_of(request: ApprovalRequest) -> dict[str, str]:
    """Return the approval that a system sends with the request, unchanged."""
    found = {"id": str(request.reference), "approved_until": request.expires_at.isoformat()}
    return found | ({"approved_at": request.decided_at.isoformat()} if request.decided_at else {})


def _status(request: ApprovalRequest, now: datetime) -> str:
    if request.decided_at is not None:
        return "approved" if request.granted else "denied"
    return "expired" if request.state_at(now) == EXPIRED else "pending"
