"""Telling at once whose move a review is after an objection: who answers it, and the seat once it was answered."""

from governance.database import row_history
from governance.models import Rulebook, User
from governance.notifications import notify
from governance.vocabulary import SignOffVerdict
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import Initiative

KINDS = {review_turn.ANSWER: "objection", review_turn.LOOK_AGAIN: "look again"}


def tell_turns(initiatives: list[Initiative]) -> None:
    """Inside an act that changed these initiatives: tell what it means for objections that stand in their open
    reviews.
    """
    for initiative in initiatives:
        review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
        if review is None or all(
            row.verdict != SignOffVerdict.OBJECT for row in initiative_rows.current_sign_offs(review)
        ):
            continue
        review.rulebook = Rulebook.objects.kept(review.rulebook_id)
        tell_turn(review_state.snapshot_of(review, initiative))


def tell_turn(snapshot: review_state.ReviewSnapshot) -> None:
    """Write a message to everybody whose move an objection makes it: one for each sign-off, however often this is
    asked.

    Whoever acts is told nothing of their own doing.
    """
    initiative, acting = snapshot.initiative, row_history.current().person
    sign_offs = {row.seat: row.pk for row in snapshot.sign_offs}
    for move in review_turn.moves(snapshot):
        if move.kind not in KINDS:
            continue
        subject, text = review_turn.message(snapshot, move)
        people = User.objects.filter(pk__in=move.people).exclude(pk=acting.pk if acting else None)
        notify.notify(
            people,
            KINDS[move.kind],
            f"review:{snapshot.review.pk}:{move.seat}",
            period=f"sign_off:{sign_offs[move.seat]}",
            subject=f"{initiative.ref} {initiative.title}: {subject}",
            text=text,
            link=snapshot.review.get_absolute_url(),
            initiative_ref=initiative.ref,
        )
