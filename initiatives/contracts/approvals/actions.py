"""Acts on approvals of single calls: ask, answer, use (S0-14).

An approval is for exactly the arguments that the approver saw, and is used once. A call without an answer in time is
denied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from governance import clock
from governance.audit_log import entries
from governance.authorization import approval_patterns
from governance.authorization.approval_previews import Preview
from governance.authorization.decision import Approval, Decision
from governance.contracts import cedar_policies
from governance.contracts import wording as contract_wording
from governance.database import row_history
from governance.database.row_history import acting
from governance.models import ContractVersion, LegalHold, ServiceKey, User
from governance.people import cooling_off
from governance.permission_result import Answer, Conflict, Refused, ended, no, yes
from governance.queue.task_base import after_commit
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import shown
from initiatives.contracts.approvals import queries
from initiatives.contracts.approvals.permissions import may_answer_approval
from initiatives.contracts.approvals.queries import arguments_digest, arguments_of, names_in
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.act import act, lock
from initiatives.models import ApprovalAnswer, ApprovalPreview, ApprovalRequest, ApprovalUse, Initiative
from initiatives.models.approvals import ANSWERS, APPROVE, APPROVED, EXPIRED, REFUSE, REFUSED, USED, WAITING

# A system that asks more than people can read is not listened to: what waits is refused by their number.
MOST_WAITING = 100
# How long a preview is kept after the answer, or after its time ran out: as long as answers are looked back on.
PREVIEW_KEPT = approval_patterns.LOOKED_BACK
GUARDED = "PL051"  # the code of the database for a row that breaks the rules of approvals
LAPSED = "PL052"  # its code where too few approvals count now (`queries.why_lapsed` in the database)

# Why an approval is not good for a call; an answer of `use_approval` carries one of these and the words.
WHY_NOT = {
    "approval_unknown": "This system has no approval with this id.",
    "approval_waiting": "The request for approval has no answer yet.",
    "approval_refused": "The approval was refused.",
    "approval_expired": "The approval has expired, so the call is denied. Ask again.",
    "approval_used": "The approval was already used. An approval is valid for one call.",
    "approval_for_other_arguments": (
        "The values in this call differ from the approved values. An approval is valid only for the "
        "values that the approver saw."
    ),
    "approval_for_other_terms": "The contract now asks for a different approval. Ask again.",
    "approval_lapsed": (
        "A person who approved the call has left or no longer has the role, so the approval does not count. Ask again."
    ),
}
_CODES = {
    WAITING: "approval_waiting",
    REFUSED: "approval_refused",
    EXPIRED: "approval_expired",
    USED: "approval_used",
}


class TooManyWaiting(Refused):
    """A refusal, because too many requests of the initiative wait for an answer."""


@dataclass(frozen=True)
class Used:
    """The result of using an approval: truthy if used, else with `code` and `words`.

    The field `request` is None if the asking key must not know the request.
    """

    code: str = ""
    request: ApprovalRequest | None = None
    said: str = ""

    @property
    def ok(self) -> bool:
        """Return True if the call may be made now."""
        return not self.code

    def __bool__(self) -> bool:
        return self.ok

    @property
    def words(self) -> str:
        """Return the result as a sentence."""
        return self.said or WHY_NOT.get(self.code, "A person approved exactly this call.")


def status_of(request: ApprovalRequest, at: datetime) -> str:
    """Return the state of a request: waiting, approved, refused, expired or used."""
    return request.state_at(at)


def principals(key: ServiceKey, evaluation_request: Mapping) -> list[int]:
    """Return the keys of the people the system acts for, by its key and the request."""
    names = names_in(evaluation_request)
    known = User.objects.active().annotate(by_login=Lower("login"), by_email=Lower("email"))
    named = known.filter(Q(by_login__in=names) | Q(by_email__in=names)) if names else User.objects.none()
    return sorted({key.principal_id, *named.values_list("pk", flat=True)})


def of_system(key: ServiceKey) -> QuerySet:
    """Return the requests of the system behind this key, with those of replaced keys.

    A key that acts for someone else has other approvers, so requests of other systems and principals are left out.
    """
    return ApprovalRequest.objects.filter(
        key__contract=key.contract_id, key__system=key.system, key__principal=key.principal_id
    )


def request_approval(
    *,
    initiative: Initiative | int,
    key: ServiceKey | int,
    version: ContractVersion | int,
    evaluation_request: Mapping,
    decision: Decision,
    preview: Preview | None = None,
    denied: str = "",
    at: datetime | None = None,
    ends: datetime | None = None,
) -> ApprovalRequest:
    """Ask the approvers of the decision for one call, and return the request.

    A request for the same call that waits or is approved is returned instead. `initiative`, `key` and `version` are
    rows or their keys. The approver sees `preview`, and the request keeps its digest (`approval_previews.sealed`).
    The audit log keeps `denied`, the id of the denial that the system asks about. The request expires after the time of
    the approval, or at `ends`, from which the contract denies the call.
    Raises TooManyWaiting, Refused for a key of another initiative, and governance.contracts.cedar_policies.Malformed
    for values that cannot be kept.
    """
    key, approval, why = _key_of(key), decision.approval, decision.reason
    digest, now = arguments_digest(evaluation_request), at or clock.now()
    same = (
        of_system(key)
        .filter(
            initiative=initiative,
            version=version,
            key__contract__initiative=initiative,
            arguments_digest=digest,
            approvers=list(approval.approvers),
            four_eyes=approval.four_eyes,
            expires_at__gt=now,
            use__isnull=True,
        )
        .filter(Q(decided_at__isnull=True) | Q(granted=True))
        .exclude(decided_at__isnull=True, preview__content="")  # it can no longer be approved
        .select_related("initiative", "version", "key")
        .order_by("-asked_at")
    )
    found = _good(same)
    if found is not None:
        return found
    with acting(system=key.system, reason=why):
        initiative = lock(initiative)
        if initiative.contract_id is None or key.contract_id != initiative.contract_id:
            no("This key belongs to another initiative.").or_refuse()
        found = _good(same)
        if found is not None:
            return found
        if ApprovalRequest.objects.waiting_at(now).filter(initiative=initiative).count() >= MOST_WAITING:
            raise TooManyWaiting(
                f"{MOST_WAITING} calls of this initiative are already waiting for an approval, so this call "
                "was not added.",
                "Ask again when some of the calls are answered.",
            )
        request = ApprovalRequest(
            initiative=initiative,
            version=initiative.contract.versions.get(pk=getattr(version, "pk", version)),
            key=key,
            clauses=[rule.number for rule in decision.clauses],
            subject=shown(cedar_policies.name_of(evaluation_request["subject"]))[:240],
            action=shown(evaluation_request["action"]["name"])[:120],
            resource=shown(cedar_policies.name_of(evaluation_request["resource"]))[:240],
            arguments=arguments_of(evaluation_request),
            arguments_digest=digest,
            approvers=list(approval.approvers),
            four_eyes=approval.four_eyes,
            principals=principals(key, evaluation_request),
            why=why,
            asked_at=now,
            expires_at=ends or now + timedelta(minutes=approval.minutes),
        )
        request.save()
        if preview is not None:
            ApprovalPreview(
                request=request,
                kind=preview.kind,
                content=preview.content,
                digest=preview.digest,
                words=preview.words,
            ).save()
        entries.record(
            EntryKind.APPROVAL_ASKED,
            initiative=initiative,
            **_facts(request),
            system=key.system,
            key=key.public,
            approvers=request.approvers,
            four_eyes=request.four_eyes,
            until=request.expires_at,
            **({"preview": preview.digest} if preview else {}),
            **({"denied": denied} if denied else {}),
            why=why,
        )
        _mail_soon()
    return request


def _good(same: QuerySet) -> ApprovalRequest | None:
    """Return the newest of these requests that waits, or whose approval still counts."""
    found = same.first()
    return None if found is not None and found.granted and not _still_approved(found) else found


def _still_approved(request: ApprovalRequest) -> bool:
    """Return True if the approvals of a granted request still count."""
    answers = request.answers.select_related("person")
    return queries.is_approved(request, answers, initiative_rows.roles(request.initiative))


def _facts(request: ApprovalRequest) -> dict:
    """Return the facts that every entry about a request contains."""
    return {
        "request": str(request.reference),
        "action": request.action,
        "subject": request.subject,
        "resource": request.resource,
        "digest": request.arguments_digest,
        "clauses": request.clauses,
        "version": request.version.number,
    }


def _mail_soon() -> None:
    """Queue the email to the approvers for after the commit. A queue that is down undoes nothing."""
    after_commit("initiatives.tasks.mail_approvals")


def answer_approval(
    *,
    request: ApprovalRequest,
    verdict: str,
    digest: str,
    reason: str = "",
    opened_at: datetime,
    by: User,
) -> ApprovalRequest:
    """Approve or refuse exactly the arguments with this digest. One refusal decides.

    Only approvals of people who may still give them count towards the number that is needed.
    The moment `opened_at` is when the person first opened the request. Raises Conflict with who answered first and
    when, Refused, and ValidationError by field.
    """
    reason = reason.strip()
    if verdict not in ANSWERS:
        raise ValidationError({"verdict": "Choose “Approve” or “Refuse”."})
    if verdict == REFUSE and not reason:
        raise ValidationError({"reason": "Give a reason, so that the owner of the system can fix the cause."})
    with act("answer approval", by=by, initiative=request.initiative_id, reason=reason) as initiative:
        request = ApprovalRequest.objects.select_related("version", "key").get(pk=request.pk)
        request.initiative = initiative
        now = clock.now()
        answers = list(request.answers.select_related("person", "on_behalf_of"))
        _nobody_was_first(request, answers, by)
        if digest != request.arguments_digest:
            raise Conflict(
                "The arguments of the request differ from the arguments in your answer.",
                "Open the request and read it again.",
                request.get_absolute_url(),
            )
        may_answer_approval(request, by, answers=answers).or_refuse()
        if verdict == APPROVE:
            cooling_off.may_lift(by).or_refuse()
            _can_be_seen(request).or_refuse()
        roles = initiative_rows.roles(initiative)
        voice = queries.voice_of(request, roles, by)
        try:
            with transaction.atomic():
                row = ApprovalAnswer(
                    request=request,
                    person=by,
                    on_behalf_of=voice.holder,
                    role=voice.role,
                    verdict=verdict,
                    reason=reason,
                    digest=digest,
                    opened_at=min(max(opened_at, request.asked_at), now),
                    at=now,
                )
                row.save()
        except IntegrityError:
            _nobody_was_first(request, list(request.answers.select_related("person")), by)
            raise
        granted = verdict == APPROVE and queries.is_approved(request, [*answers, row], roles)
        if granted or verdict == REFUSE:
            request.decided_at, request.granted = now, granted
            row_history.update_where(ApprovalRequest, [request.pk], decided_at=now, granted=granted)
        entries.record(
            EntryKind.APPROVAL_ANSWERED,
            initiative=initiative,
            on_behalf_of=voice.holder,
            **_facts(request),
            verdict=verdict,
            role=voice.role,
            decided=request.decided_at is not None,
            opened_at=row.opened_at,
            why=reason,
        )
        sealing.soon()
    return request


def _can_be_seen(request: ApprovalRequest) -> Answer:
    """Return a yes while the content that the approver has to see is kept."""
    if ApprovalPreview.objects.filter(request=request, content="").exists():
        return no(
            "The content to send was erased before the call was approved.",
            "Refuse the call. The system can then ask again.",
        )
    return yes()


def _nobody_was_first(request: ApprovalRequest, answers: list[ApprovalAnswer], by: User) -> None:
    """Raise Conflict if an answer decided the request or is this person's own."""
    first = next((row for row in answers if row.person_id == by.pk), None)
    if first is None and request.decided_at is not None and answers:
        first = answers[-1]
    if first is not None:
        who = "You" if first.person_id == by.pk else first.person
        done = "approved" if first.verdict == APPROVE else "refused"
        raise Conflict(
            phrase("{} {} the call at {}.", who, done, clock.moment_in_words(first.at)),
            "Read the answer.",
            request.get_absolute_url(),
        )


def use_approval(
    *,
    reference: str,
    key: ServiceKey | int,
    evaluation_request: Mapping,
    approval: Approval | None = None,
    at: datetime | None = None,
) -> Used:
    """Use an approval for this call: once, in time, for exactly these arguments.

    The argument `approval` is what the contract asks for this call now. An approval by fewer or other people does not
    count, and neither does one whose giver has left or no longer has the role. This is one short transaction, and a
    constraint on the row prevents a second use.
    """
    key, now = _key_of(key), at or clock.now()
    request = _asked(reference, key)
    if request is None:
        return Used("approval_unknown")
    if _digest_or_none(evaluation_request) != request.arguments_digest:
        return Used("approval_for_other_arguments", request)
    state = request.state_at(now)
    if state != APPROVED:
        return Used(_CODES[state], request, why_refused(request) if state == REFUSED else "")
    if not _is_enough(request, approval):
        return Used("approval_for_other_terms", request)
    try:
        with acting(system=key.system):
            ApprovalUse(request=request, arguments_digest=request.arguments_digest, at=now).save()
            entries.record(
                EntryKind.APPROVAL_USED, initiative=request.initiative, **_facts(request), key=key.public
            )
    except IntegrityError:
        return Used("approval_used", request)
    except DatabaseError as error:
        # What else the database looks at is fixed once a request is decided. Only its clock can be ahead.
        code = {GUARDED: "approval_expired", LAPSED: "approval_lapsed"}.get(
            getattr(error.__cause__, "sqlstate", "")
        )
        if code:
            return Used(code, request)
        raise
    return Used(request=request)


def erase_previews() -> int:
    """Erase the previews whose retention is over, and return their number.

    Retention is counted in days from the answer or the expiry. Digests stay, and legal holds come first. Safe to
    repeat.
    """
    over = clock.now() - PREVIEW_KEPT
    ended_by_then = Q(request__decided_at__lte=over) | Q(
        request__decided_at__isnull=True, request__expires_at__lte=over
    )
    old = ApprovalPreview.objects.filter(ended_by_then).exclude(content="")
    return old.exclude(request__initiative__number__in=LegalHold.objects.open().initiative_numbers()).update(
        content=""
    )


def _key_of(key: ServiceKey | int) -> ServiceKey:
    return key if isinstance(key, ServiceKey) else ServiceKey.objects.get(pk=key)


def _asked(reference: str, key: ServiceKey) -> ApprovalRequest | None:
    try:
        wanted = UUID(reference)
    except (ValueError, AttributeError, TypeError):
        return None
    rows = of_system(key).select_related("initiative", "version", "use")
    return rows.filter(reference=wanted).first()


def _digest_or_none(evaluation_request: Mapping) -> str | None:
    try:
        return arguments_digest(evaluation_request)
    except cedar_policies.Malformed:
        return None  # nothing of the kind can have been asked


def why_refused(request: ApprovalRequest) -> str:
    """Return the role that refused and its reason. The system's log need not name people."""
    row = request.answers.filter(verdict=REFUSE).first()
    return (
        ended(f"{contract_wording.role_words([row.role]).capitalize()} refused the call: {row.reason}")
        if row
        else ""
    )


def _is_enough(request: ApprovalRequest, approval: Approval | None) -> bool:
    """Return True if the approval meets what the contract asks for this call now."""
    return approval is None or (
        set(request.approvers) <= set(approval.approvers) and request.four_eyes >= approval.four_eyes
    )
