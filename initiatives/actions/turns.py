"""Telling at once whose move a review is after an objection: who answers it, and the seat once it was answered."""

from governance import history, notify
from governance.models import Rulebook, User
from initiatives import board, sources, waiting
from initiatives.models import Initiative
from initiatives.models.reviews import OBJECT

KINDS = {waiting.ANSWER: "objection", waiting.LOOK_AGAIN: "look again"}


def tell_turns(cases: list[Initiative]) -> None:
    """Inside an act that changed these cases: tell what it means for objections that stand in their open reviews."""
    for case in cases:
        review = next((row for row in sources.reviews(case) if row.is_open), None)
        if review is None or all(row.verdict != OBJECT for row in sources.standing_votes(review)):
            continue
        review.rulebook = Rulebook.objects.kept(review.rulebook_id)
        tell_turn(board.sit(review, case))


def tell_turn(sitting: board.Sitting) -> None:
    """Owe a message to everybody whose move an objection makes it: one for each vote, however often this is asked.

    Whoever acts is told nothing of their own doing.
    """
    case, acting = sitting.case, history.current().person
    votes = {row.seat: row.pk for row in sitting.sign_offs}
    for move in waiting.moves(sitting):
        if move.kind not in KINDS:
            continue
        subject, text = waiting.message(sitting, move)
        people = User.objects.filter(pk__in=move.people).exclude(pk=acting.pk if acting else None)
        notify.owe(
            people,
            KINDS[move.kind],
            f"review:{sitting.review.pk}:{move.seat}",
            period=f"vote:{votes[move.seat]}",
            subject=f"{case.ref} {case.title}: {subject}",
            text=text,
            link=sitting.review.get_absolute_url(),
            case_ref=case.ref,
        )
