"""What people say about a clause while a contract is written and read: said, and settled."""

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock, ledger
from governance.answers import Answer, Conflict, no, yes
from governance.models import ClauseComment, User
from governance.notify import owe as owe_notice
from initiatives import permissions
from initiatives.actions.base import act
from initiatives.actions.contracts import last_number
from initiatives.models import Initiative


def may_settle(case: Initiative, comment: ClauseComment, person: User) -> Answer:
    """Settle a comment on a clause: the owner, or whoever wrote it and still is on the case or its board."""
    if permissions.is_owner(case, person):
        return yes()
    if comment.by_id == person.pk:
        return permissions.may_note(case, person)
    return no(f"Only the owner or {comment.by} settles this comment.", "Comment on the clause yourself.")


def comment_on_clause(*, case: Initiative, number: int, text: str, by: User) -> ClauseComment:
    """Say something about a clause: whoever works on the case or sits on its board. The owner is told."""
    if not text.strip():
        raise ValidationError({"text": "Write the comment."})
    with act("comment on clause", by=by, case=case) as case:
        permissions.may_note(case, by).or_refuse()
        if not case.contract_id or not 0 < number <= last_number(case.contract):
            no("There is no such clause.").or_refuse()
        comment = ClauseComment(
            contract=case.contract, number=number, text=text.strip(), by=by, at=clock.now()
        )
        comment.save()
        ledger.record("clause commented", case=case, clause=number, text=comment.text)
        owner = permissions.accepted(case, "owner")
        if owner is not None and owner.person_id != by.pk:
            owe_notice(
                owner.person,
                "comment",
                f"comment:{comment.pk}",
                case_ref=case.ref,
                subject=f"{case.ref} {case.title}: {by} comments on clause {number}",
                text=comment.text,
                link=reverse("clause", args=[case.ref, number]),
            )
    return comment


def settle_comment(*, case: Initiative, comment: ClauseComment, by: User) -> ClauseComment:
    """Say that a comment is dealt with: the owner of the case, or whoever wrote it."""
    with act("settle comment", by=by, case=case) as case:
        rows = ClauseComment.objects.select_related("by", "settled_by")
        comment = rows.get(pk=comment.pk, contract=case.contract_id)
        may_settle(case, comment, by).or_refuse()
        if comment.settled_at:
            raise Conflict(f"{comment.settled_by} settled this comment already.")
        comment.settled_at, comment.settled_by = clock.now(), by
        comment.save()
        ledger.record("comment settled", case=case, clause=comment.number, text=comment.text)
    return comment
