"""Access requests of systems: a person is asked about one denied call, and the system reads the answer.

The forms are those of `initiatives.contracts.approvals.access_requests`. The call is decided again before a person is
asked, so that a hold, the kill switch or a new contract counts at once.
"""

import uuid
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from governance import clock
from governance.authorization import approval_previews, authzen
from governance.authorization.decision import approval_ends, decide
from governance.contracts import cedar_policies
from governance.models.sign_in import EVALUATE, POLL
from governance.permission_result import Refused
from governance.vocabulary import DecisionOutcome
from governance.web.machine_api import JSON, Answered, Api, body_of, json_response
from initiatives.contracts.approvals import access_requests
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.approvals.queries import arguments_digest
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement.decision_cache import Key, Known
from initiatives.models import ApprovalRequest

PROBLEM = "application/problem+json"
WAIT = "60"  # seconds until a system whose calls wait in too large a number asks again


def error(request: HttpRequest, answered: Answered) -> HttpResponse:
    """Return an error as RFC 9457 has it, with the type of the profile if it has one."""
    known = answered.code in PROFILE_ERRORS
    found = {
        "type": f"{access_requests.ERRORS}{answered.code}" if known else "about:blank",
        "title": HTTPStatus(answered.status).phrase,
        "status": answered.status,
        "detail": answered.words,
    }
    return json_response(found, answered.status, PROBLEM)


PROFILE_ERRORS = (
    access_requests.NOT_REQUESTABLE,
    access_requests.INVALID_BINDING,
    access_requests.EXPIRED_DENIAL,
    access_requests.UNKNOWN_TASK,
    access_requests.TASK_EXPIRED,
)


def _known(trouble: Exception) -> Answered | None:
    if isinstance(trouble, access_requests.NotBound):
        return Answered(400, str(trouble), code=access_requests.INVALID_BINDING)
    if isinstance(trouble, access_requests.TooLate):
        return Answered(410, str(trouble), code=access_requests.EXPIRED_DENIAL)
    if isinstance(trouble, authzen.BadRequest | cedar_policies.Malformed):
        return Answered(413 if isinstance(trouble, authzen.TooLong) else 400, str(trouble))
    if isinstance(trouble, approval_actions.TooManyWaiting):
        return Answered(429, str(trouble), Retry_After=WAIT)
    if isinstance(trouble, Refused):
        return Answered(400, str(trouble), code=access_requests.NOT_REQUESTABLE)
    return None


api = Api(error, _known)


@api.view("POST")
def requests(request):
    """Ask a person about a denied call, and return the task. The same call has one task as long as it can be used."""
    known, key = enforcement_api.opened(request, EVALUATE)
    body = authzen.read(body_of(request, JSON, most=authzen.MOST_BYTES))
    enforcement_api.pay(key, len(request.body), 1)
    asked = authzen.evaluation_request(body, unstorable=authzen.may_be_unstorable(request.body))
    row = ask_person(known, key, asked, access_requests.denial_of(body))
    found = access_requests.task_of(row, "", clock.now())
    response = json_response(found, 201 if "result" in found else 202)
    response["Location"] = access_requests.address_of(row)
    return response


def ask_person(known: Known, key: Key, asked: dict, denial: access_requests.Denial) -> ApprovalRequest:
    """Return the request for an approval of a denied call. The call is decided again first.

    Raises Answered (400, 503), NotBound, TooLate, and what `request_approval` raises.
    """
    now = clock.now()
    evaluation_request, preview = approval_previews.sealed(asked)
    access_requests.verify(known.number, denial, arguments_digest(evaluation_request), now)
    if known.away:
        raise Answered(503, enforcement_api.AWAY, Retry_After="1")
    version, version_key = known.version_at(now)
    decision = decide(version, known.condition, evaluation_request, now)
    if decision.outcome != DecisionOutcome.NEEDS_APPROVAL or version is None or decision.approval is None:
        raise Answered(
            400,
            f"No person can be asked about this call now. {decision.reason}",
            code=access_requests.NOT_REQUESTABLE,
        )
    return approval_actions.request_approval(
        initiative=known.initiative,
        key=key.id,
        version=version_key,
        evaluation_request=evaluation_request,
        decision=decision,
        preview=preview,
        denied=denial.evaluation,
        at=now,
        ends=approval_ends(version, known.condition, evaluation_request, now, decision.approval.minutes),
    )


@api.view("GET", "HEAD")
def task(request, reference: uuid.UUID):
    """Return the task of an access request. The key of another initiative gets a 404."""
    known, _ = enforcement_api.opened(request, POLL)
    rows = ApprovalRequest.objects.select_related("version", "use")
    row, now = rows.filter(reference=reference, initiative=known.initiative).first(), clock.now()
    if row is None:
        raise Answered(404, "This key has no access request with this id.", code=access_requests.UNKNOWN_TASK)
    if row.expires_at <= now:
        raise Answered(
            410,
            "This access request has expired. Send the evaluation again, then ask again.",
            code=access_requests.TASK_EXPIRED,
        )
    return access_requests.task_of(row, approval_actions.why_refused(row), now)
