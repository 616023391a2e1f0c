"""What people say about a clause while a contract is written and read: said, and settled."""

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.ledger import record
from governance.models import ClauseComment, User
from governance.notices.owe import owe as owe_notice
from governance.permission_result import Answer, Conflict, no, yes
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act
from initiatives.contracts.actions import last_number
from initiatives.models import Initiative


def may_settle(case: Initiative, comment: ClauseComment, person: User) -> Answer:
    """Settle a comment on a clause: the owner, or whoever wrote it and still is on the case or its board."""
    if case_permissions.is_owner(case, person):
        return yes()
    if comment.by_id == person.pk:
        return case_permissions.may_note(case, person)
    return no(f"Only the owner or {comment.by} settles this comment.", "Comment on the clause yourself.")


def comment_on_clause(*, case: Initiative, number: int, text: str, by: User) -> ClauseComment:
    """Say something about a clause: whoever works on the case or sits on its board. The owner is told."""
    if not text.strip():
        raise ValidationError({"text": "Write the comment."})
    with act("comment on clause", by=by, case=case) as case:
        case_permissions.may_note(case, by).or_refuse()
        if not case.contract_id or not 0 < number <= last_number(case.contract):
            no("There is no such clause.").or_refuse()
        comment = ClauseComment(
            contract=case.contract, number=number, text=text.strip(), by=by, at=clock.now()
        )
        comment.save()
        record.record("clause commented", case=case, clause=number, text=comment.text)
        owner = case_permissions.accepted(case, "owner")
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
        record.record("comment settled", case=case, clause=comment.number, text=comment.text)
    return comment
