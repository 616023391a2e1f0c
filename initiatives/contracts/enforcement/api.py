"""The decision API (OpenID AuthZEN Authorization API 1.0): evaluations, searches, outcomes, discovery.

Each answer comes from `governance.authorization.decision.decide`, by the contract in force and the condition of the
initiative. The log of decisions keeps each answer before it is sent. Every fault here denies. Systems report the
outcome of an allowed call with its decision's id (`governance.authorization.outcome_reports`).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from governance import clock
from governance.authorization import (
    access_search,
    approval_previews,
    authzen,
    decision_log,
    deployment_decision,
    outcome_reports,
    service_keys,
)
from governance.authorization import decision as authorization_decision
from governance.contracts import cedar_policies
from governance.models.sign_in import DEPLOYMENTS, EVALUATE
from governance.sign_in import throttling
from governance.sign_in.rate_limits import Rate
from governance.transparency_log import signing_keys
from governance.vocabulary import DecisionOutcome
from governance.web.machine_api import JSON, Answered, Api, body_of, json_response
from initiatives.contracts.approvals import access_requests
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.approvals.queries import arguments_digest
from initiatives.contracts.enforcement import deployment_gate
from initiatives.contracts.enforcement.decision_cache import Key, Known, Unavailable, conditions
from initiatives.models import ApprovalRequest, DeploymentDecision

log = structlog.get_logger("plumbline.decisions")

AWAY = "Plumbline cannot reach its database, so it denies every request. Ask again later."
UNLOGGED = "Plumbline could not log the decision, so it denied the request. Ask again later."
SCOPE = "This key does not have the scope for this request."
PAID_BYTES = 2048  # so much of a request counts as one request of the key's rate
# A question about a deployment counts as so many requests, because its answer is kept for ever.
PAID_DEPLOYMENT = 20

rate = Rate()


def error(request: HttpRequest, answered: Answered) -> HttpResponse:
    """Return an error as AuthZEN has it: the sentence as a JSON text."""
    return json_response(answered.words, answered.status)


def _known(trouble: Exception) -> Answered | None:
    if isinstance(trouble, authzen.BadRequest):
        return Answered(413 if isinstance(trouble, authzen.TooLong) else 400, str(trouble))
    return None


api = Api(error, _known)


# --- Who asks --------------------------------------------------------------------------------------------------------


def opened(
    request, *scopes: str, within: tuple[Rate, int] | None = None, secret: str | None = None
) -> tuple[Known, Key]:
    """Return the initiative and the key behind a request. Raises Answered: 401, 403, 429 or 503.

    The key needs one of `scopes`. The argument `within` has other rate buckets, and how much of them a second fills.
    `secret` is the key, if the address holds it because its sender sets no header.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "") if secret is None else f"Bearer {secret}"
    token = service_keys.read(header)
    try:
        known = _initiative_of(token)
        key = next((key for key in known.keys if key.public == token.public), None) if known else None
        if key is None or not token.opens(key.hash) or key.ends <= clock.now():
            _wrong_key(request, token)
    except (Unavailable, DatabaseError):
        raise Answered(503, AWAY, Retry_After="1") from None
    if key.scopes.isdisjoint(scopes):
        raise Answered(403, SCOPE)
    buckets, per_second = within or (rate, settings.DECISION_RATE)
    if wait := buckets.wait(key.id, per_second):
        raise Answered(429, "This key sends too many requests.", Retry_After=str(wait))
    return known.asked_with(key, clock.now()), key


def _initiative_of(token: service_keys.Token | None) -> Known | None:
    """Return the initiative of a key, as last known if the database is away. Raises Unavailable."""
    if token is None:
        return None
    try:
        return conditions.of(token.public)
    except Unavailable:
        known = conditions.last_known(token.public)
        if known is None:
            raise
        return known


def _wrong_key(request, token) -> None:
    """Count a wrong key, and raise Answered: 429 for an address with many, else 401."""
    if wait := throttling.wrong_key(request, token.public if token else ""):
        raise Answered(429, "This address sent too many wrong keys.", Retry_After=str(wait))
    raise Answered(
        401,
        "Send a valid key in the header “Authorization: Bearer plk_…”.",
        WWW_Authenticate='Bearer realm="plumbline"',
    )


# --- What is answered ------------------------------------------------------------------------------------------------


def _read(request) -> dict:
    """Return the body of a request. AuthZEN answers a wrong content type with 400, like every bad request."""
    try:
        body = body_of(request, JSON, most=authzen.MOST_BYTES)
    except Answered as wrong:
        raise (Answered(400, wrong.words) if wrong.status == 415 else wrong) from None
    return authzen.read(body)


@api.view("POST")
def evaluation(request):
    """Answer one request with one decision."""
    known, key = opened(request, EVALUATE, DEPLOYMENTS)
    return _one(request, known, key, _read(request))


def _one(request, known: Known, key: Key, body: dict) -> dict:
    """Decide one request, keep the decision, and charge the key for its length."""
    evaluation_request = authzen.evaluation_request(body, unstorable=authzen.may_be_unstorable(request.body))
    pay(key, len(request.body), _cost(evaluation_request))
    return _kept(known, [_decided(request, known, key, evaluation_request)])[0]


def _cost(evaluation_request: dict | authzen.BadRequest) -> int:
    """Return as how many requests of the key's rate an evaluation counts."""
    wrong = isinstance(evaluation_request, authzen.BadRequest)
    return 1 if wrong or not deployment_decision.is_asked(evaluation_request) else PAID_DEPLOYMENT


def pay(key: Key, size: int, count: int) -> None:
    """Charge the key for requests of so many bytes. The HTTP request itself was the first."""
    rate.pay(key.id, settings.DECISION_RATE, max(count, size // PAID_BYTES) - 1)


@api.view("POST")
def evaluations(request):
    """Answer several requests at once, or one request in the form of one."""
    known, key = opened(request, EVALUATE, DEPLOYMENTS)
    body = _read(request)
    batch = authzen.batch(body, unstorable=authzen.may_be_unstorable(request.body))
    if batch is None:
        return _one(request, known, key, body)
    pay(key, batch.size, sum(map(_cost, batch.evaluation_requests)))
    found = []
    for evaluation_request in batch.evaluation_requests:
        try:
            if isinstance(evaluation_request, authzen.BadRequest):
                raise evaluation_request
            found.append(_decided(request, known, key, evaluation_request))
        except (authzen.BadRequest, Answered) as wrong:
            status, words = (wrong.status, wrong.words) if isinstance(wrong, Answered) else (400, str(wrong))
            found.append({"decision": False, "context": {"error": {"status": status, "message": words}}})
        if batch.over(isinstance(found[-1], Decided) and found[-1].decision.allowed):
            break
    return {"evaluations": _kept(known, found)}


@dataclass
class Decided:
    """A decision with its moment, its approval and its line in the log.

    The line is on disk before the answer is sent. `line` is None if it could not be written. `digest` is that of a
    denied call about which a person may be asked, else "". `deployment` is the row of an answer to a pipeline.
    """

    decision: authorization_decision.Decision
    at: datetime
    approval: ApprovalRequest | None = None
    line: decision_log.Kept | None = None
    digest: str = ""
    deployment: DeploymentDecision | None = None


def decided(known: Known, key: Key, evaluation_request: Mapping) -> dict:
    """Return the decision on a request by another way than HTTP, as AuthZEN writes it. The log keeps it."""
    return _kept(known, [_decide(known, key, evaluation_request)])[0]


def _decided(request, known: Known, key: Key, evaluation_request: dict) -> Decided:
    """Return the decision on one request that came by HTTP.

    Raises Answered if the request names another initiative, or needs another scope.
    """
    needed = DEPLOYMENTS if deployment_decision.is_asked(evaluation_request) else EVALUATE
    if needed not in key.scopes:
        raise Answered(403, SCOPE)
    _of_this_initiative(known, key, evaluation_request)
    return _decide(known, key, evaluation_request, request.META.get("HTTP_X_REQUEST_ID", ""))


def _of_this_initiative(known: Known, key: Key, evaluation_request: Mapping) -> None:
    """Raise Answered if the request names another initiative."""
    if (asked_for := (evaluation_request.get("context") or {}).get("initiative")) not in (None, known.ref):
        log.info("a key was used for another initiative", key=key.public, asked_for=str(asked_for)[:20])
        raise Answered(404, "This key has no initiative with this reference.")


def _decide(known: Known, key: Key, evaluation_request: Mapping, request_id: str = "") -> Decided:
    begun, now = time.perf_counter(), clock.now()
    evaluation_request, _ = approval_previews.sealed(evaluation_request)
    if deployment_decision.is_asked(evaluation_request):
        return _deployment(known, key, evaluation_request, request_id, begun, now)
    version, _ = known.version_at(now)
    if known.away:
        decision = authorization_decision.Decision(DecisionOutcome.DENY, "unavailable", AWAY)
    else:
        decision = authorization_decision.decide(version, known.condition, evaluation_request, now)
    approval, digest = None, ""
    if decision.outcome == DecisionOutcome.NEEDS_APPROVAL:
        decision, approval, digest = _with_approval(key, evaluation_request, decision)
    try:
        line = _write_down(request_id, known, key, evaluation_request, decision, approval, now, begun)
    except OSError as trouble:
        return _not_kept(trouble, now)
    return Decided(decision, now, approval, line, digest)


def _deployment(
    known: Known, key: Key, evaluation_request: Mapping, request_id: str, begun: float, now: datetime
) -> Decided:
    """Return the decision on a deployment, which no clause of a contract answers. Raises BadRequest."""
    asked = deployment_decision.read(evaluation_request)

    def write(decision: authorization_decision.Decision) -> decision_log.Kept:
        return _write_down(request_id, known, key, evaluation_request, decision, None, now, begun)

    unavailable = authorization_decision.Decision(DecisionOutcome.DENY, "unavailable", AWAY)
    try:
        if known.away:
            return Decided(unavailable, now, line=write(unavailable))
        try:
            decision, line, row = deployment_gate.decide(known, key.id, asked, now, write)
        except DatabaseError as trouble:
            log.warning("an answer to a pipeline could not be kept", trouble=str(trouble))
            return Decided(unavailable, now, line=write(unavailable))
    except OSError as trouble:
        return _not_kept(trouble, now)
    return Decided(decision, now, line=line, deployment=row)


def _kept(known: Known, found: list[Decided | dict]) -> list[dict]:
    """Return the answers as AuthZEN writes them, once all are on disk. A failed write denies all."""
    lines = [one.line for one in found if isinstance(one, Decided) and one.line]
    try:
        decision_log.decisions.sync(lines)
    except OSError as trouble:
        denied = _not_kept(trouble, clock.now())
        found = [denied if isinstance(one, Decided) else one for one in found]
    return [said(known, one) if isinstance(one, Decided) else one for one in found]


def _not_kept(trouble: OSError, now: datetime) -> Decided:
    log.error("a decision could not be kept", trouble=str(trouble))
    return Decided(authorization_decision.Decision(DecisionOutcome.DENY, "error", UNLOGGED), now)


def _with_approval(key: Key, evaluation_request: Mapping, decision: authorization_decision.Decision):
    """Return the decision with the approval that the request brings, that approval, and the digest of the call.

    The digest is "" unless a person may be asked about the call.
    """

    def instead(outcome: str, code: str, words: str) -> authorization_decision.Decision:
        return authorization_decision.Decision(outcome, code, words, decision.clauses, decision.version)

    try:
        digest = arguments_digest(evaluation_request)
        reference = access_requests.reference_in(evaluation_request)
        if reference is None:
            return decision, None, digest
        used = approval_actions.use_approval(
            reference=reference,
            key=key.id,
            evaluation_request=evaluation_request,
            approval=decision.approval,
        )
    except cedar_policies.Malformed as wrong:
        return instead(DecisionOutcome.DENY, "malformed", str(wrong)), None, ""
    except DatabaseError as trouble:
        log.warning("an approval could not be looked up", trouble=str(trouble))
        return instead(DecisionOutcome.DENY, "unavailable", AWAY), None, ""
    if used.ok:
        return instead(DecisionOutcome.ALLOW, "approved", used.words), used.request, ""
    again = access_requests.NEXT[used.code] == access_requests.ASK_AGAIN
    return instead(DecisionOutcome.DENY, used.code, used.words), used.request, digest if again else ""


def said(known: Known, decided: Decided) -> dict:
    """Return a decision as AuthZEN writes it, with stage, reason and id."""
    decision = decided.decision
    context = {
        "stage": known.condition.stage,
        "outcome": decision.outcome,
        "code": decision.code,
        "reason": decision.reason,
        "clauses": [{"number": rule.number, "sentence": rule.sentence} for rule in decision.clauses],
    }
    if decision.version is not None:
        context["contract"] = {"version": decision.version.number, "digest": decision.version.digest}
    if decision.until is not None:
        context["valid_until"] = decision.until.isoformat()
    if decided.line is not None:
        place = outcome_reports.Named(decided.at, decided.line.digest, decision.allowed)
        context["id"] = outcome_reports.issued(known.number, place)
        if decided.digest:
            context |= access_requests.requestable(known.number, context["id"], decided.digest, decided.at)
    if decision.allowed and decided.approval is not None:
        context["approval"] = access_requests.approval_of(decided.approval)
    if decided.deployment is not None:
        context["reasons"] = decided.deployment.reasons
        context["attestation"] = f"/access/v1/attestations/{context['id']}"
    return {"decision": decision.allowed, "context": context | access_requests.next_action(decision.code)}


def _write_down(
    request_id, known, key, evaluation_request, decision, approval, now, begun
) -> decision_log.Kept:
    return decision_log.decisions.append(
        {
            "at": now.isoformat(),
            "initiative_number": known.number,
            "version_number": decision.version.number if decision.version else None,
            "contract_digest": decision.version.digest if decision.version else "",
            "key_id": key.id,
            "subject": cedar_policies.name_of(evaluation_request["subject"]),
            "action": evaluation_request["action"]["name"],
            "resource": cedar_policies.name_of(evaluation_request["resource"]),
            "outcome": decision.outcome,
            "code": decision.code,
            "clauses": [rule.number for rule in decision.clauses],
            "reason": decision.reason,
            "request": evaluation_request,
            "request_id": request_id[:80],
            "approval": str(approval.reference) if approval else None,
            "took_us": int((time.perf_counter() - begun) * 1_000_000),
        }
    )


# --- What came of it -------------------------------------------------------------------------------------------------


@api.view("POST")
def outcomes(request):
    """Keep the outcome of one allowed call, or a heartbeat. Late reports count as well."""
    known, key = opened(request, EVALUATE)
    sent = outcome_reports.read(_read(request))
    pay(key, len(request.body), 1)
    try:
        if sent is None:
            outcome_reports.beat(key=key.id)
            return {"heartbeat": True}
        row = outcome_reports.keep(sent, initiative=known.number, key=key.id)
    except outcome_reports.UnknownDecision:
        raise Answered(404, "This key has no decision with this id.") from None
    except outcome_reports.Contradiction as wrong:
        raise Answered(409, str(wrong)) from None
    said: dict[str, object] = {"outcome": row.kind, "reported_at": row.reported_at.isoformat()}
    if not sent.decision:
        return said | {"unasked": True, "action": row.action}
    return said | {"decision": sent.decision}


# --- Searches and discovery ------------------------------------------------------------------------------------------


@api.view("POST")
def search(request, part: str):
    """Return the declared subjects, resources or actions with which a request would be allowed.

    A search permits nothing, so the decision log does not have it. A system sends the evaluation before it acts.
    """
    known, key = opened(request, EVALUATE)
    asked, page = access_search.read(_read(request), part, unstorable=authzen.may_be_unstorable(request.body))
    _of_this_initiative(known, key, asked)
    asked, _ = approval_previews.sealed(asked)
    now = clock.now()
    version = None if known.away else known.version_at(now)[0]
    found = access_search.search(part, version, known.condition, asked, page, now)
    pay(key, len(request.body), max(found.tried, 1))
    log.info(
        "a search was answered",
        initiative=known.ref,
        key=key.public,
        part=part,
        tried=found.tried,
        results=len(found.results),
        request_id=request.META.get("HTTP_X_REQUEST_ID", "")[:80],
    )
    said: dict[str, object] = {"results": found.results}
    if open_attributes := access_search.left_open(version, known.condition, asked):
        said["context"] = {"left_open": open_attributes}
    if page.asked or found.next_token:
        said["page"] = {"next_token": found.next_token, "count": len(found.results)}
    return said


@api.view("GET", "HEAD")
def attestation(request, decision: str):
    """Return the signed attestation of an answer on a deployment. The key of another initiative gets a 404."""
    known, _ = opened(request, DEPLOYMENTS)
    try:
        row = deployment_gate.attested(
            known.initiative, outcome_reports.decision_of(known.number, decision).digest
        )
    except outcome_reports.UnknownDecision:
        row = None
    if row is None:
        raise Answered(404, "This key has no answer on a deployment with this id.")
    return HttpResponse(row.envelope, content_type=JSON)


@api.view("GET", "HEAD")
def signing_key(request):
    """Return the public key of this installation as PEM, with which attestations are checked."""
    pem = signing_keys.public_pem(signing_keys.signing_key())
    return HttpResponse(pem, content_type="application/x-pem-file")


@api.view("GET", "HEAD")
def configuration(request):
    """Return the addresses of this decision point, for clients that discover it."""
    return authzen.configuration(settings.ADDRESS)


nothing = api.nothing
