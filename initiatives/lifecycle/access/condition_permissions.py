"""Permissions on the conditions of a decision, once they were declared met."""

from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.permissions import barred_from_signing, is_acting_chair, memberships_on
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.models import Condition, SignOff


def seats_that_set(condition: Condition) -> tuple[str, ...]:
    """Return the seats whose condition this is: that of the signer who proposed it, or none if the chair set it."""
    row = (
        SignOff.objects.filter(
            review=condition.review_id, person=condition.proposed_by_id, condition__isnull=False
        )
        .order_by("-pk")
        .first()
    )
    return (row.seat,) if row is not None else ()


def may_judge_condition(condition: Condition, person: User) -> Answer:
    """Allow the acting chair, or the seat that set a condition, to open it again. The team may not."""
    initiative = condition.review.initiative
    if condition.met_at is None:
        return no("This condition is open.", "Wait until the person responsible declares that it is met.")
    if initiative.closed:
        return no(phrase("This initiative is {} and can no longer change.", initiative.stage))
    if accounts_of(person) & {condition.owner_id, condition.met_by_id}:
        return no(
            "You had to meet this condition, so you cannot judge it.",
            "Ask the chair or the seat that set it.",
        )
    if reasons := barred_from_signing(initiative, person):
        return no(said(reasons), "Ask the chair or the seat that set the condition.")
    if is_acting_chair(initiative, person) or memberships_on(initiative, person, seats_that_set(condition)):
        return yes()
    return no(
        "Only the chair, or the seat that set the condition, can judge it.",
        "Ask the chair or the holder of that seat.",
    )
