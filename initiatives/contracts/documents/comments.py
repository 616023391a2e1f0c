"""Comments on a clause, and objections to a contract, while it is written and read: given and resolved."""

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.models import ClauseComment, ContractVersion, User
from governance.notifications.notify import notify
from governance.permission_result import Answer, Conflict, no, yes
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contracts.documents.actions import (
    last_number,
    may_withdraw_objection,
    resolve_objection,
    version_to_sign,
)
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative


def may_resolve(initiative: Initiative, comment: ClauseComment, person: User) -> Answer:
    """Resolve a comment on a clause: the owner, or whoever wrote it and still is on the initiative or its board.

    An objection is withdrawn by whoever gave it: `may_withdraw_objection`.
    """
    if comment.seat:
        return may_withdraw_objection(initiative, comment, person)
    if initiative_permissions.is_owner(initiative, person):
        return yes()
    if comment.by_id == person.pk:
        return initiative_permissions.may_note(initiative, person)
    return no(f"Only the owner or {comment.by} resolves this comment.", "Comment on the clause yourself.")


def object_to_contract(
    *, version: ContractVersion, seat: str, number: int, text: str, digest: str, by: User
) -> ClauseComment:
    """Object, for a seat, to the text whose digest the person saw, or to one clause of it (`number`; 0 is all of it).

    No version comes into force while the objection stands: whoever gave it withdraws it, by itself or by approving
    another text. Raises Refused, ValidationError without a reason, Conflict when the text is another one by now, or the
    seat has spoken on it.
    """
    if not text.strip():
        raise ValidationError({"reason": "Say why you object, so that the owner can answer it."})
    with act("object to contract", by=by, initiative=version.contract.initiative.pk) as initiative:
        version = version_to_sign(initiative, version, seat=seat, digest=digest, by=by)
        if version.approvals.filter(digest=digest, seat=seat).exists():
            raise Conflict(
                "This seat approved this text already.",
                "Ask the owner to take it back, and object to the next.",
            )
        if current := version.contract.comments.objections().filter(seat=seat).select_related("by").first():
            raise Conflict(f"{current.by} objects for this seat already.")
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
    """Say something about a clause: whoever works on the initiative or sits on its board. The owner is told."""
    if not text.strip():
        raise ValidationError({"text": "Write the comment."})
    with act("comment on clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_note(initiative, by).or_refuse()
        if not initiative.contract_id or not 0 < number <= last_number(initiative.contract):
            no("There is no such clause.").or_refuse()
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
    """Tell the owner, unless the word is their own."""
    owner = initiative_permissions.accepted(initiative, Role.OWNER)
    if owner is not None and owner.person_id != comment.by_id:
        notify(
            owner.person,
            "comment",
            f"comment:{comment.pk}",
            initiative_ref=initiative.ref,
            subject=f"{initiative.ref} {initiative.title}: {comment.by} {did}",
            text=comment.text,
            link=link,
        )


def resolve_comment(*, initiative: Initiative, comment: ClauseComment, by: User) -> ClauseComment:
    """Say that a comment is dealt with, or withdraw an objection: whoever may by `may_resolve`."""
    with act("resolve comment", by=by, initiative=initiative) as initiative:
        rows = ClauseComment.objects.select_related("by", "resolved_by")
        comment = rows.get(pk=comment.pk, contract=initiative.contract_id)
        may_resolve(initiative, comment, by).or_refuse()
        if comment.resolved_at:
            raise Conflict(f"{comment.resolved_by} resolved this comment already.")
        if comment.seat:
            resolve_objection(initiative, comment, by)
        else:
            comment.resolved_at, comment.resolved_by = clock.now(), by
            comment.save()
            entries.record(
                EntryKind.COMMENT_RESOLVED, initiative=initiative, clause=comment.number, text=comment.text
            )
    return comment
