"""Approvals of single calls: asked, answered, used once, each for exactly what was shown (S0-14).

When nobody answers in time, nothing is done: there is no default but no.
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
GUARDED = "PL051"  # what the database says where a row of ours would break the rules of approvals

# Why an approval is not good for a call; an answer of `use_approval` carries one of these and the words.
WHY_NOT = {
    "approval_unknown": "There is no such approval for this system.",
    "approval_waiting": "Nobody has approved it yet.",
    "approval_refused": "It was refused.",
    "approval_expired": "Its time is over; nothing is done. Ask again.",
    "approval_used": "It was used already: an approval is for one call.",
    "approval_for_other_arguments": "It was given for other arguments: an approval is for exactly what was shown.",
    "approval_for_other_terms": "The contract asks for another approval by now. Ask again.",
}
_CODES = {
    WAITING: "approval_waiting",
    REFUSED: "approval_refused",
    EXPIRED: "approval_expired",
    USED: "approval_used",
}


class TooManyWaiting(Refused):
    """So many requests of an initiative wait for people that another one is not put to them."""


@dataclass(frozen=True)
class Used:
    """Whether an approval was used for this call. If not, `code` and `words` say why; truthy when it was.

    `request` is None where the asking key may not know of it.
    """

    code: str = ""
    request: ApprovalRequest | None = None
    said: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call may be made now."""
        return not self.code

    def __bool__(self) -> bool:
        return self.ok

    @property
    def words(self) -> str:
        """What became of it, as a sentence."""
        return self.said or WHY_NOT.get(self.code, "A person approved exactly this call.")


def status_of(request: ApprovalRequest, at: datetime) -> str:
    """What has become of a request: waiting, approved, refused, expired, used."""
    return request.state_at(at)


def principals(key: ServiceKey, evaluation_request: Mapping) -> list[int]:
    """Keys of the people the system acts for: whoever the key names, and every active account the request names."""
    names = names_in(evaluation_request)
    known = User.objects.active().annotate(by_login=Lower("login"), by_email=Lower("email"))
    named = known.filter(Q(by_login__in=names) | Q(by_email__in=names)) if names else User.objects.none()
    return sorted({key.principal_id, *named.values_list("pk", flat=True)})


def of_system(key: ServiceKey) -> QuerySet:
    """The requests of the system behind this key: those of keys it replaced are its own, another system's are not.

    A key that acts for somebody else has other approvers: what one asked the other must not use.
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
    at: datetime | None = None,
) -> ApprovalRequest:
    """Put a call before the people whom the decision names; while the same call waits, or is approved, that request.

    `initiative`, `key` and `version`: rows, or what they are found by. `preview`: what the approver is shown, whose
    digest stands in the request (`approval_previews.sealed`). Raises TooManyWaiting,
    governance.contracts.cedar_policies.Malformed for values that cannot be kept, Refused for another's key.
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
        .exclude(decided_at__isnull=True, preview__content="")  # it cannot be approved any more
        .select_related("initiative", "version", "key")
        .order_by("-asked_at")
    )
    found = same.first()
    if found is not None:
        return found
    with acting(system=key.system, reason=why):
        initiative = lock(initiative)
        if initiative.contract_id is None or key.contract_id != initiative.contract_id:
            no("This key is of another initiative.").or_refuse()
        found = same.first()
        if found is not None:
            return found
        if ApprovalRequest.objects.waiting_at(now).filter(initiative=initiative).count() >= MOST_WAITING:
            raise TooManyWaiting(
                f"{MOST_WAITING} calls of this initiative wait for people already; this one is not put to them.",
                "Nothing is done. Ask again once some are answered.",
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
            expires_at=now + timedelta(minutes=approval.minutes),
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
            why=why,
        )
        _mail_soon()
    return request


def _facts(request: ApprovalRequest) -> dict:
    """What every entry about a request names."""
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
    """Tell the approvers once the running act is committed; a queue that is down undoes nothing."""
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
    """Approve or refuse exactly the arguments whose digest the person saw. One refusal decides it.

    `opened_at`: when the person was first shown it. Raises Conflict with who was first and when, Refused,
    ValidationError by field.
    """
    reason = reason.strip()
    if verdict not in ANSWERS:
        raise ValidationError({"verdict": "Choose approve or refuse."})
    if verdict == REFUSE and not reason:
        raise ValidationError({"reason": "Say why, so that the owner of the system can fix it."})
    with act("answer approval", by=by, initiative=request.initiative_id, reason=reason) as initiative:
        request = ApprovalRequest.objects.select_related("version", "key").get(pk=request.pk)
        request.initiative = initiative
        now = clock.now()
        answers = list(request.answers.select_related("person", "on_behalf_of"))
        _nobody_was_first(request, answers, by)
        if digest != request.arguments_digest:
            raise Conflict(
                "This answer is for other arguments than those that are asked about.",
                "Open the request and read it again.",
                request.get_absolute_url(),
            )
        may_answer_approval(request, by, answers=answers).or_refuse()
        if verdict == APPROVE:
            cooling_off.may_lift(by).or_refuse()
            _can_be_seen(request).or_refuse()
        voice = queries.voice_of(request, initiative_rows.roles(initiative), by)
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
        voices = sum(one.verdict == APPROVE for one in [*answers, row])
        granted = verdict == APPROVE and voices >= (2 if request.four_eyes else 1)
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
    """What was handed over to be seen is still there: nobody approves what nobody can see any more."""
    if ApprovalPreview.objects.filter(request=request, content="").exists():
        return no(
            "What goes out was erased before it was approved.", "Refuse it; the system can then ask again."
        )
    return yes()


def _nobody_was_first(request: ApprovalRequest, answers: list[ApprovalAnswer], by: User) -> None:
    """Raise Conflict with who answered and when, where an answer decided the request or is this person's own."""
    first = next((row for row in answers if row.person_id == by.pk), None)
    if first is None and request.decided_at is not None and answers:
        first = answers[-1]
    if first is not None:
        who = "You" if first.person_id == by.pk else first.person
        done = "approved" if first.verdict == APPROVE else "refused"
        raise Conflict(
            f"{who} {done} this at {clock.moment_in_words(first.at)}.",
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
    """Use an approval for this call: once, in time, for exactly the arguments that were shown.

    `approval`: whom the contract asks for this call now; one that fewer or other people gave is not good for it. One
    short transaction; that it happens once is held by the row itself.
    """
    key, now = _key_of(key), at or clock.now()
    request = _asked(reference, key)
    if request is None:
        return Used("approval_unknown")
    if _digest_or_none(evaluation_request) != request.arguments_digest:
        return Used("approval_for_other_arguments", request)
    state = request.state_at(now)
    if state != APPROVED:
        return Used(_CODES[state], request, _why_refused(request) if state == REFUSED else "")
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
        # All else that the database looks at here is fixed once a request is decided: only its clock can be ahead.
        if getattr(error.__cause__, "sqlstate", "") == GUARDED:
            return Used("approval_expired", request)
        raise
    return Used(request=request)


def erase_previews() -> int:
    """Erase previews whose days after the answer, or after the end of their time, are over; returns how many.

    Their digests stay. Legal holds on the initiative come first. Safe to repeat.
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


def _why_refused(request: ApprovalRequest) -> str:
    """By which role and why: the system's log need not name people."""
    row = request.answers.filter(verdict=REFUSE).first()
    return (
        ended(f"{contract_wording.role_words([row.role]).capitalize()} refused it: {row.reason}")
        if row
        else ""
    )


def _is_enough(request: ApprovalRequest, approval: Approval | None) -> bool:
    """Whether those who were asked are whom the contract asks for this call now, and no fewer."""
    return approval is None or (
        set(request.approvers) <= set(approval.approvers) and request.four_eyes >= approval.four_eyes
    )
