"""Comments on clauses and objections to contracts: given and resolved."""

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.models import ClauseComment, ContractVersion, User
from governance.permission_result import Answer, Conflict, no, yes
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contracts.documents.actions import (
    counting_approvals,
    last_number,
    may_withdraw_objection,
    resolve_objection,
    version_to_sign,
)
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders.telling import tell
from initiatives.models import Initiative


def may_resolve(initiative: Initiative, comment: ClauseComment, person: User) -> Answer:
    """Return whether the person may resolve it: the owner, or its author with access.

    An objection follows `may_withdraw_objection`.
    """
    if comment.seat:
        return may_withdraw_objection(initiative, comment, person)
    if roles_and_seats.is_owner(initiative, person):
        return yes()
    if comment.by_id == person.pk:
        return initiative_permissions.may_note(initiative, person)
    return no(
        phrase("Only the owner or {} can resolve this comment.", comment.by),
        "Write your own comment on the clause.",
    )


def object_to_contract(
    *, version: ContractVersion, seat: str, number: int, text: str, digest: str, by: User
) -> ClauseComment:
    """Object, for a seat, to clause `number` (0: all) of the text with this digest.

    An open objection keeps the version out of force. Its author withdraws it, also by approving another text. Raises
    Refused, ValidationError without a reason, and Conflict if the text has changed or the seat has approved or
    objected.
    """
    if not text.strip():
        raise ValidationError({"reason": "Give a reason, so that the owner can answer it."})
    with act("object to contract", by=by, initiative=version.contract.initiative.pk) as initiative:
        version = version_to_sign(initiative, version, seat=seat, digest=digest, by=by)
        if seat in counting_approvals(initiative, version):
            raise Conflict(
                "This seat already approved this text.",
                "Ask the owner to withdraw the version, then object to the next version.",
            )
        if current := version.contract.comments.objections().filter(seat=seat).select_related("by").first():
            raise Conflict(phrase("{} already objects for this seat.", current.by))
        if number and not version.clauses.filter(number=number).exists():
            raise ValidationError({"number": "Choose a clause of this version, or the contract as a whole."})
        objection = ClauseComment(
            contract=initiative.contract, number=number, seat=seat, text=text.strip(), by=by, at=clock.now()
        )
        objection.save()
        facts = {"number": version.number, "seat": seat, "text": objection.text, "digest": digest}
        entries.record(EntryKind.CONTRACT_OBJECTED, initiative=initiative, clause=number, **facts)
        _tell_owner(
            initiative, objection, "objects to the contract", reverse("contract", args=[initiative.ref])
        )
    return objection


def comment_on_clause(*, initiative: Initiative, number: int, text: str, by: User) -> ClauseComment:
    """Add a comment to a clause, as a member of the initiative or its board. Notifies the owner."""
    if not text.strip():
        raise ValidationError({"text": "Write the comment before you send it."})
    with act("comment on clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_note(initiative, by).or_refuse()
        if not initiative.contract_id or not 0 < number <= last_number(initiative.contract):
            no("This clause does not exist.").or_refuse()
        comment = ClauseComment(
            contract=initiative.contract, number=number, text=text.strip(), by=by, at=clock.now()
        )
        comment.save()
        entries.record(EntryKind.CLAUSE_COMMENTED, initiative=initiative, clause=number, text=comment.text)
        _tell_owner(
            initiative,
            comment,
            f"comments on clause {number}",
            reverse("clause", args=[initiative.ref, number]),
        )
    return comment


def _tell_owner(initiative: Initiative, comment: ClauseComment, did: str, link: str) -> None:
    """Notify the owner, unless the comment is their own."""
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    if owner is not None and owner.person_id != comment.by_id:
        tell(
            initiative,
            [owner.person],
            "comment",
            f"comment:{comment.pk}",
            f"{comment.by} {did}",
            text=comment.text,
            link=link,
        )


def resolve_comment(*, initiative: Initiative, comment: ClauseComment, by: User) -> ClauseComment:
    """Resolve a comment or withdraw an objection, as `may_resolve` permits."""
    with act("resolve comment", by=by, initiative=initiative) as initiative:
        rows = ClauseComment.objects.select_related("by", "resolved_by")
        comment = rows.get(pk=comment.pk, contract=initiative.contract_id)
        may_resolve(initiative, comment, by).or_refuse()
        if comment.resolved_at:
            raise Conflict(phrase("{} already resolved this comment.", comment.resolved_by))
        if comment.seat:
            resolve_objection(initiative, comment, by)
        else:
            comment.resolved_at, comment.resolved_by = clock.now(), by
            comment.save()
            entries.record(
                EntryKind.COMMENT_RESOLVED, initiative=initiative, clause=comment.number, text=comment.text
            )
    return comment
