"""Notifications of moves after an objection, to people and its seat."""

from governance import clock
from governance.database import row_history
from governance.models import Rulebook, User
from governance.people.boards import board_for, members_now, seat_holders
from governance.vocabulary import Seat, SignOffVerdict
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reminders.telling import tell
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import Initiative, Review

KINDS = {review_turn.ANSWER: "objection", review_turn.LOOK_AGAIN: "look again"}


def opened(review: Review, seat: str) -> dict:
    """Return the message to a seat on an open review, due until it signs, for `tell` or `about`."""
    gate = review.parsed_rulebook.gates[review.gate].title
    return {
        "kind": "review opened",
        "object_key": f"review:{review.pk}",
        "words": f"{gate} is open for your seat",
        "seat": seat,
        "text": (
            f"{review.opened_by} requested a review of the gate {gate}. You sign as "
            f"{Seat(seat).label.lower()}."
        ),
        "link": review.get_absolute_url(),
        "due_on": clock.local_day(review.expires_at),
    }


def tell_seats(initiative: Initiative, review: Review) -> None:
    """Notify who holds a seat of the gate on the deciding board of an open review."""
    members = members_now(board_for(initiative.unit))
    for seat in review.parsed_rulebook.gates[review.gate].seats:
        holders = [member.person for member in seat_holders(members, seat)]
        if holders:
            tell(initiative, holders, **opened(review, seat))


def tell_moved(initiative: Initiative, review: Review, by: User) -> None:
    """Notify the signers of a review, and who decides it, that it was moved to the rulebook in force."""
    version = review.rulebook.version
    people = [row.person for row in initiative_rows.current_sign_offs(review)]
    tell(
        initiative,
        [*people, roles_and_seats.acting_chair(initiative)[0]],
        "review moved",
        f"review:{review.pk}",
        f"its review uses rulebook {version} now",
        but=by,
        period=version,
        text=f"{by} moved the review to the rulebook in force. No earlier sign-off counts, and an objection counts "
        "only on the criteria of this rulebook. Read what changed, then sign again.",
        link=review.get_absolute_url(),
    )


def tell_turns(initiatives: list[Initiative], _to_verify: dict[int, list[dict]]) -> None:
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
        words, text = review_turn.message(snapshot, move)
        tell(
            initiative,
            User.objects.filter(pk__in=move.people),
            KINDS[move.kind],
            f"review:{snapshot.review.pk}:{move.seat}",
            words,
            seat="" if move.kind == review_turn.ANSWER else move.seat,
            but=acting,
            period=f"sign_off:{sign_offs[move.seat]}",
            text=text,
            link=move.link(snapshot.review),
        )
