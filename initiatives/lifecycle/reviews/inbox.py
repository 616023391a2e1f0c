"""Open reviews at which the move is one person's, and since when: for inbox, calendar and list of reviews.

Whose move it is, `review_turn.moves` says; a glance keeps it until something changes that a review depends on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.permission_result import Answer, ended, yes
from governance.rulebook.parsed_rulebook import Gate
from governance.templatetags.plumbline import day
from governance.vocabulary import Seat
from initiatives.lifecycle.reviews import review_summaries, review_turn
from initiatives.models import Review, SignOff

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


@dataclass(frozen=True)
class Mine:
    """A move of the person at an open review; of a seat whose sign-off no longer counts, `reasons` why."""

    review: Review
    move: review_turn.Move
    reasons: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What is to be done, as `review_turn.KINDS` has it."""
        return self.move.kind

    @property
    def seat(self) -> str:
        """The seat it is about, if any."""
        return self.move.seat


def moves(look: "Look") -> list[Mine]:
    """Every move that the person, or somebody for whom they stand in, can make today at the open reviews near them."""
    return [one for one in _near(look) if _may(look, one)]


def _near(look: "Look") -> list[Mine]:
    """Every move of theirs, those included that cooling off keeps them from today."""
    reviews = {row.pk: row for row in [*look.open_reviews, *look.own_reviews]}
    seen = review_summaries.at(list(reviews.values()))
    return [
        Mine(row, move, seen[pk].stale.get(move.seat, ((),))[0])
        for pk, row in reviews.items()
        for move in seen[pk].moves
        if look.acting_as & set(move.people)
    ]


def _may(look: "Look", one: Mine) -> Answer:
    """Make the move today: a new seat approves nothing in its first day, save a retirement."""
    lifts = one.kind == review_turn.SIGN and one.review.gate != "retire"
    return look.may_lift_in(one.review.initiative.unit_id, one.seat) if lifts else yes()


def since(mine: list[Mine]) -> dict[int, datetime]:
    """By review, since when it waits for the person."""
    found: dict[int, datetime] = {}
    for one in mine:
        found[one.review.pk] = min(one.move.since, found.get(one.review.pk, one.move.since))
    return found


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Reviews to sign, look at again, answer, fix, decide. Questions of the board have tasks of their own.

    Whoever signs nothing before a seat or a password has cooled off reads from when.
    """
    for one in _near(look):
        may = _may(look, one)
        if not may:
            why = f"{_gate(one.review).title}. {may.reasons[0]}"
            task = _inbox_task(
                one, "sign", "Read the review", why, look.holder_on(one.review.initiative, one.seat)
            )
            yield replace(task, waited_for=False)
        elif one.kind == review_turn.SIGN:
            sign_off = next(
                (sign_off for sign_off in one.review.latest_sign_offs if sign_off.seat == one.seat), None
            )
            yield _unsigned(look, one) if sign_off is None or not one.reasons else _stale(look, one, sign_off)
        elif one.kind == review_turn.VERIFY:
            initiative = one.review.initiative
            first = reverse("evidence-verify-first", args=[initiative.ref])
            yield replace(
                _inbox_task(
                    one, "sign", "Open and verify", _waits(one), look.holder_on(initiative, one.seat)
                ),
                link=first,
            )
        elif one.kind == review_turn.LOOK_AGAIN:
            why = f"{_gate(one.review).title}. Your seat objected ({Seat(one.seat).label.lower()}), and was answered."
            yield _inbox_task(one, "sign", "Look again", why, look.holder_on(one.review.initiative, one.seat))
        elif one.kind == review_turn.DECIDE:
            yield _decidable(one)
        elif one.kind == review_turn.APPOINT:
            yield _inbox_task(one, "decide", "See who could sign", _waits(one))
        elif one.kind != review_turn.QUESTION:
            button = "Answer the objection" if one.kind == review_turn.ANSWER else "See what is missing"
            behalf = look.standing_in_on.get(one.review.initiative_id, "")
            yield _inbox_task(one, "answer", button, _waits(one), behalf)


def _gate(review: Review) -> Gate:
    return review.parsed_rulebook.gates[review.gate]


def _waits(one: Mine) -> str:
    return ended(f"{_gate(one.review).title}. The review waits for you {one.move.what}")


def _inbox_task(one: Mine, verb: str, button: str, why: str, behalf: str = "") -> InboxTask:
    initiative = one.review.initiative
    return InboxTask(
        verb,
        initiative.title,
        one.review.get_absolute_url(),
        button,
        why,
        initiative.ref,
        clock.local_day(one.review.expires_at),
        on_behalf=behalf,
        waited_for=True,
    )


def _decidable(one: Mine) -> InboxTask:
    review = one.review
    approving = len({sign_off.seat for sign_off in review.latest_sign_offs if sign_off.approves})
    why = (
        f"{_gate(review).title}. {approving} {'seat approves' if approving == 1 else 'seats approve'}; "
        "everything the gate asks for is there."
    )
    return _inbox_task(one, "decide", "Read and decide", why)


def _unsigned(look: "Look", one: Mine) -> InboxTask:
    review, gate, initiative = one.review, _gate(one.review), one.review.initiative
    must = f", {Seat(one.seat).label.lower()} among them" if one.seat in gate.must_include else ""
    count = len(review.latest_sign_offs)
    why = (
        f"{gate.title}. {count} {'seat has' if count == 1 else 'seats have'} signed off; the gate needs "
        f"{gate.quorum_for(initiative.tier)}{must}."
    )
    return _inbox_task(one, "sign", "Review and sign", why, look.holder_on(initiative, one.seat))


def _stale(look: "Look", one: Mine, sign_off: SignOff) -> InboxTask:
    whose = "Your approval" if sign_off.person_id == look.person.pk else f"The approval by {sign_off.person}"
    reasons = "; ".join(one.reasons[:2])
    why = ended(f"{_gate(one.review).title}. {whose} of {day(sign_off.at)} went stale: {reasons}")
    return _inbox_task(one, "sign", "See what changed", why, look.holder_on(one.review.initiative, one.seat))
