"""Telling at once whose move a review is after an objection: who answers it, and the seat once it was answered."""

from governance.database import row_history
from governance.models import Rulebook, User
from governance.notices import owe
from initiatives.cases import review_state
from initiatives.facts import case_rows
from initiatives.models import Initiative
from initiatives.models.reviews import OBJECT
from initiatives.reviews import review_turn

KINDS = {review_turn.ANSWER: "objection", review_turn.LOOK_AGAIN: "look again"}


def tell_turns(cases: list[Initiative]) -> None:
    """Inside an act that changed these cases: tell what it means for objections that stand in their open reviews."""
    for case in cases:
        review = next((row for row in case_rows.reviews(case) if row.is_open), None)
        if review is None or all(row.verdict != OBJECT for row in case_rows.standing_votes(review)):
            continue
        review.rulebook = Rulebook.objects.kept(review.rulebook_id)
        tell_turn(review_state.sit(review, case))


def tell_turn(sitting: review_state.Sitting) -> None:
    """Owe a message to everybody whose move an objection makes it: one for each vote, however often this is asked.

    Whoever acts is told nothing of their own doing.
    """
    case, acting = sitting.case, row_history.current().person
    votes = {row.seat: row.pk for row in sitting.sign_offs}
    for move in review_turn.moves(sitting):
        if move.kind not in KINDS:
            continue
        subject, text = review_turn.message(sitting, move)
        people = User.objects.filter(pk__in=move.people).exclude(pk=acting.pk if acting else None)
        owe.owe(
            people,
            KINDS[move.kind],
            f"review:{sitting.review.pk}:{move.seat}",
            period=f"vote:{votes[move.seat]}",
            subject=f"{case.ref} {case.title}: {subject}",
            text=text,
            link=sitting.review.get_absolute_url(),
            case_ref=case.ref,
        )
