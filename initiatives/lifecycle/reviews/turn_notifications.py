"""Notifications of moves after an objection, to people and its seat."""

from governance import clock
from governance.database import row_history
from governance.models import Rulebook, User
from governance.notifications import notify
from governance.vocabulary import Seat, SignOffVerdict
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import Initiative, Review

KINDS = {review_turn.ANSWER: "objection", review_turn.LOOK_AGAIN: "look again"}


def opened(review: Review, initiative: Initiative, seat: str) -> dict:
    """Return the message to a seat on an open review, due until it signs."""
    gate = review.parsed_rulebook.gates[review.gate].title
    return {
        "object_key": f"review:{review.pk}",
        "subject": f"{initiative.ref} {initiative.title}: {gate} is open for your seat",
        "text": (
            f"{review.opened_by} requested a review of the gate {gate}. You sign as "
            f"{Seat(seat).label.lower()}."
        ),
        "link": review.get_absolute_url(),
        "initiative_ref": initiative.ref,
        "due_on": clock.local_day(review.expires_at),
    }


def tell_turns(initiatives: list[Initiative]) -> None:
    """Notify people of moves on objections, inside the act that changed these.

    Only current objections in open reviews make moves.
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
    """Write one message a sign-off to each person whose move an objection makes it.

    The acting person gets no message.
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
            link=move.link(snapshot.review),
            initiative_ref=initiative.ref,
        )
