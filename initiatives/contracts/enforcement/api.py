"""The decision API: OpenID AuthZEN Authorization API 1.0, the polling of approvals, and what came of decisions.

Every answer is worked out by `governance.authorization.decision.decide` from the contract in force and the
condition of the initiative, and is kept in the log of decisions before it goes out. Whatever goes wrong here denies.
What came of an allowed call is reported with its decision's id (`governance.authorization.outcome_reports`).
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from governance import clock
from governance.authorization import approval_previews, authzen, decision_log, outcome_reports, service_keys
from governance.authorization import decision as authorization_decision
from governance.contracts import cedar_policies
from governance.models.sign_in import EVALUATE, POLL
from governance.sign_in import throttling
from governance.sign_in.rate_limits import Rate
from governance.vocabulary import DecisionOutcome
from governance.web.machine_api import JSON, Answered, Api, body_of, json_response
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.enforcement.decision_cache import Key, Known, Unavailable, conditions
from initiatives.models import ApprovalRequest

log = structlog.get_logger("plumbline.decisions")

AWAY = "Plumbline cannot reach its database; nothing is allowed until it can."
UNLOGGED = "The decision could not be kept in the log; nothing is allowed that is not logged."
PAID_BYTES = 2048  # so much of a request counts as one request of the key's rate

rate = Rate()


def error(request: HttpRequest, answered: Answered) -> HttpResponse:
    """An error as AuthZEN has it: the sentence as a JSON text."""
    return json_response(answered.words, answered.status)


def _known(trouble: Exception) -> Answered | None:
    if isinstance(trouble, authzen.BadRequest):
        return Answered(413 if isinstance(trouble, authzen.TooLong) else 400, str(trouble))
    return None


api = Api(error, _known)


# --- Who asks --------------------------------------------------------------------------------------------------------


def opened(
    request, scope: str, *, within: tuple[Rate, int] | None = None, secret: str | None = None
) -> tuple[Known, Key]:
    """The initiative and the key behind a request. Raises Answered: 401, 403, 429 or 503.

    `within` are other buckets than those of requests, and how much of them a second fills. `secret`: the key, where
    the address holds it because its sender sets no header.
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
    if scope not in key.scopes:
        raise Answered(403, "This key was not made for that.")
    buckets, per_second = within or (rate, settings.DECISION_RATE)
    if wait := buckets.wait(key.id, per_second):
        raise Answered(429, "This key asks too often.", Retry_After=str(wait))
    return known, key


def _initiative_of(token: service_keys.Token | None) -> Known | None:
    """The initiative of a key; while the database is away the one it had, which is told so. Raises Unavailable."""
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
    """Count a key that is none, and turn away an address that brings many. Raises Answered."""
    if wait := throttling.wrong_key(request, token.public if token else ""):
        raise Answered(429, "Too many wrong keys came from this address.", Retry_After=str(wait))
    raise Answered(
        401,
        "Send a key that is in force: Authorization: Bearer plk_…",
        WWW_Authenticate='Bearer realm="plumbline"',
    )


# --- What is answered ------------------------------------------------------------------------------------------------


def _read(request) -> dict:
    return authzen.read(body_of(request, JSON, most=authzen.MOST_BYTES))


@api.view("POST")
def evaluation(request):
    """One request, one decision."""
    known, key = opened(request, EVALUATE)
    return _one(request, known, key, _read(request))


def _one(request, known: Known, key: Key, body: dict) -> dict:
    """One request, decided, kept and paid for by its length."""
    evaluation_request = authzen.evaluation_request(body, unstorable=authzen.may_be_unstorable(request.body))
    _pay(key, len(request.body), 1)
    return _kept(known, [_decided(request, known, key, evaluation_request)])[0]


def _pay(key: Key, size: int, count: int) -> None:
    """Have the key pay for requests of so many bytes; the HTTP request itself was the first."""
    rate.pay(key.id, settings.DECISION_RATE, max(count, size // PAID_BYTES) - 1)


@api.view("POST")
def evaluations(request):
    """Several requests at once; in the form of one request, one decision."""
    known, key = opened(request, EVALUATE)
    body = _read(request)
    batch = authzen.batch(body, unstorable=authzen.may_be_unstorable(request.body))
    if batch is None:
        return _one(request, known, key, body)
    _pay(key, batch.size, len(batch.evaluation_requests))
    found = []
    for evaluation_request in batch.evaluation_requests:
        if isinstance(evaluation_request, authzen.BadRequest):
            found.append(
                {"decision": False, "context": {"error": {"status": 400, "message": str(evaluation_request)}}}
            )
        else:
            found.append(_decided(request, known, key, evaluation_request))
        if batch.over(isinstance(found[-1], Decided) and found[-1].decision.allowed):
            break
    return {"evaluations": _kept(known, found)}


@dataclass
class Decided:
    """A decision, when it was made, its approval, and its line in the log, which is on disk before anything is said.

    `line` is None where none could be written.
    """

    decision: authorization_decision.Decision
    at: datetime
    approval: ApprovalRequest | None = None
    line: decision_log.Kept | None = None


def decided(known: Known, key: Key, evaluation_request: Mapping) -> dict:
    """The decision on one request that came by no HTTP request, kept in the log, as AuthZEN writes it."""
    return _kept(known, [_decide(known, key, evaluation_request)])[0]


def _decided(request, known: Known, key: Key, evaluation_request: dict) -> Decided:
    """The decision on one request, which came by HTTP, written down.

    Raises Answered where it speaks of another initiative.
    """
    if (asked_for := (evaluation_request.get("context") or {}).get("initiative")) not in (None, known.ref):
        log.info("a key was used for another initiative", key=key.public, asked_for=str(asked_for)[:20])
        raise Answered(404, "There is no such initiative for this key.")
    return _decide(known, key, evaluation_request, request.META.get("HTTP_X_REQUEST_ID", ""))


def _decide(known: Known, key: Key, evaluation_request: Mapping, request_id: str = "") -> Decided:
    begun, now = time.perf_counter(), clock.now()
    evaluation_request, preview = approval_previews.sealed(evaluation_request)
    version, version_key = known.version_at(now)
    if known.away:
        decision = authorization_decision.Decision(DecisionOutcome.DENY, "unavailable", AWAY)
    else:
        decision = authorization_decision.decide(version, known.condition, evaluation_request, now)
    approval = None
    if decision.outcome == DecisionOutcome.NEEDS_APPROVAL:
        decision, approval = _approved_or_asked(
            known, key, version_key, evaluation_request, decision, preview
        )
    try:
        line = _write_down(request_id, known, key, evaluation_request, decision, approval, now, begun)
    except OSError as trouble:
        return _not_kept(trouble, now)
    return Decided(decision, now, approval, line)


def _kept(known: Known, found: list[Decided | dict]) -> list[dict]:
    """The answers as AuthZEN writes them, once every decision among them is on disk; where it is not, none allows."""
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


def _approved_or_asked(
    known: Known,
    key: Key,
    version: int,
    evaluation_request: Mapping,
    decision: authorization_decision.Decision,
    preview: approval_previews.Preview | None,
):
    """What becomes of a decision that needs a person: the approval it brings is used, or one is asked for."""
    reference = (evaluation_request.get("context") or {}).get("approval")
    try:
        if reference is not None:
            used = approval_actions.use_approval(
                reference=str(reference),
                key=key.id,
                evaluation_request=evaluation_request,
                approval=decision.approval,
            )
            code = "approved" if used.ok else used.code
            outcome = DecisionOutcome.ALLOW if used.ok else DecisionOutcome.DENY
            return authorization_decision.Decision(
                outcome, code, used.words, decision.clauses, decision.version
            ), used.request
        asked = approval_actions.request_approval(
            initiative=known.initiative,
            key=key.id,
            version=version,
            evaluation_request=evaluation_request,
            decision=decision,
            preview=preview,
        )
    except cedar_policies.Malformed as wrong:
        return authorization_decision.Decision(
            DecisionOutcome.DENY, "malformed", str(wrong), decision.clauses, decision.version
        ), None
    except approval_actions.TooManyWaiting as many:
        return authorization_decision.Decision(
            DecisionOutcome.DENY, "too_many_waiting", str(many), decision.clauses, decision.version
        ), None
    except DatabaseError as trouble:
        log.warning("an approval could not be looked up", trouble=str(trouble))
        return authorization_decision.Decision(
            DecisionOutcome.DENY, "unavailable", AWAY, decision.clauses, decision.version
        ), None
    return decision, asked


def said(known: Known, decided: Decided) -> dict:
    """A decision as AuthZEN writes it, with its approved stage, why, and what names it afterwards."""
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
    if decided.approval is not None:
        context["approval"] = _status(decided.approval)
    if decided.line is not None:
        place = outcome_reports.Named(decided.at, decided.line.digest, decision.allowed)
        context["id"] = outcome_reports.issued(known.number, place)
    return {"decision": decision.allowed, "context": context}


def _status(asked: ApprovalRequest) -> dict:
    return {
        "id": str(asked.reference),
        "status": approval_actions.status_of(asked, clock.now()),
        "expires_at": asked.expires_at.isoformat(),
        "poll": f"/access/v1/approvals/{asked.reference}",
    }


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
    """What came of one allowed call, or that the system runs. Nothing hangs on it: late ones count as well."""
    known, key = opened(request, EVALUATE)
    sent = outcome_reports.read(_read(request))
    _pay(key, len(request.body), 1)
    try:
        if sent is None:
            outcome_reports.beat(key=key.id)
            return {"heartbeat": True}
        row = outcome_reports.keep(sent, initiative=known.number, key=key.id)
    except outcome_reports.UnknownDecision:
        raise Answered(404, "There is no such decision for this key.") from None
    except outcome_reports.Contradiction as wrong:
        raise Answered(409, str(wrong)) from None
    said: dict[str, object] = {"outcome": row.kind, "reported_at": row.reported_at.isoformat()}
    if not sent.decision:
        return said | {"unasked": True, "action": row.action}
    return said | {"decision": sent.decision}


# --- Approvals and discovery -----------------------------------------------------------------------------------------


@api.view("GET", "HEAD")
def approval(request, reference: uuid.UUID):
    """Whether a person has answered. Another initiative's key is told that there is nothing."""
    known, _ = opened(request, POLL)
    asked = ApprovalRequest.objects.filter(reference=reference, initiative=known.initiative).first()
    if asked is None:
        raise Answered(404, "There is no such request for this key.")
    refusal = asked.answers.filter(verdict="refuse").first()
    return _status(asked) | {"reason": refusal.reason if refusal else ""}


@api.view("GET", "HEAD")
def configuration(request):
    """Where this decision point answers, for whoever wants to find out."""
    return authzen.configuration(settings.ADDRESS)


nothing = api.nothing
