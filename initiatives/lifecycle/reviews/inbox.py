"""Moves of a person at open reviews, for inbox, calendar and list of reviews.

`review_turn.moves` computes the moves. A glance keeps them until something that a review depends on changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import CANNOT_BE_JUDGED, InboxTask, broken
from governance.permission_result import Answer, ended, yes
from governance.rulebook.parsed_rulebook import Gate
from governance.templatetags.plumbline import day
from governance.vocabulary import Seat
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.holds.due_tasks import support_of
from initiatives.lifecycle.reviews import review_summaries, review_turn
from initiatives.models import Review, SignOff

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


ANCHORED = (review_turn.ANSWER, review_turn.LOOK_AGAIN)  # what is done at one criterion of the page


@dataclass(frozen=True)
class Mine:
    """A move of the person at an open review. `reasons` are those for a stale sign-off of the seat."""

    review: Review
    move: review_turn.Move
    reasons: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return the kind of the move, one of `review_turn.KINDS`."""
        return self.move.kind

    @property
    def seat(self) -> str:
        """Return the seat of the move, if any."""
        return self.move.seat


def moves(look: "Look") -> list[Mine]:
    """Return the moves that the person, or one they stand in for, can make now."""
    return [one for one in _near(look, _reviews(look)) if _may(look, one)]


def _reviews(look: "Look") -> list[tuple[Review, review_summaries.Glance]]:
    """Return the open reviews of the person's boards and initiatives, each with its glance."""
    reviews = {row.pk: row for row in [*look.open_reviews, *look.own_reviews]}
    seen = review_summaries.at(list(reviews.values()))
    return [(row, seen[pk]) for pk, row in reviews.items()]


def _near(look: "Look", reviews: list[tuple[Review, review_summaries.Glance]]) -> list[Mine]:
    """Return all moves of the person, with those that cooling off prevents today."""
    return [
        Mine(row, move, seen.stale.get(move.seat, ((),))[0])
        for row, seen in reviews
        for move in seen.moves
        if look.acting_as & set(move.people)
    ]


def _may(look: "Look", one: Mine) -> Answer:
    """Allow the move today. A new seat approves only a retirement on its first day."""
    lifts = one.kind == review_turn.SIGN and one.review.gate != "retire"
    return look.may_lift_in(one.review.initiative.unit_id, one.seat) if lifts else yes()


def since(mine: list[Mine]) -> dict[int, datetime]:
    """Return by review the moment since which it waits for the person."""
    found: dict[int, datetime] = {}
    for one in mine:
        found[one.review.pk] = min(one.move.since, found.get(one.review.pk, one.move.since))
    return found


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield reviews to sign, look at again, answer, fix or decide.

    A person whose seat or password is still cooling off sees the moment from which they can sign. A review that
    cannot be judged is shown by its reference.
    """
    reviews = _reviews(look)
    for row, seen in reviews:
        if seen.broken:
            text = phrase("{} {}", row.initiative.ref, CANNOT_BE_JUDGED)
            yield broken(f"review:{row.pk}", text, row.get_absolute_url())
    for one in _near(look, reviews):
        may = _may(look, one)
        if not may:
            why = phrase("{}. {}", _gate(one.review).title, may.reasons[0])
            task = _inbox_task(
                one, "sign", phrase("Read the review"), why, look.holder_on(one.review.initiative, one.seat)
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
                    one, "sign", phrase("Open and verify"), _waits(one), look.holder_on(initiative, one.seat)
                ),
                link=first,
            )
        elif one.kind == review_turn.LOOK_AGAIN:
            why = phrase(
                "{}. Your objection was answered (seat: {}).",
                _gate(one.review).title,
                label(Seat(one.seat).label, inside=True),
            )
            yield _inbox_task(one, "sign", "Look again", why, look.holder_on(one.review.initiative, one.seat))
        elif one.kind == review_turn.DECIDE:
            yield _decidable(one)
        elif one.kind == review_turn.APPOINT:
            yield _inbox_task(one, "decide", phrase("See who could sign"), _waits(one))
        elif one.kind != review_turn.QUESTION:
            button = (
                phrase("Answer the objection")
                if one.kind == review_turn.ANSWER
                else phrase("See what is open")
            )
            behalf = look.standing_in_on.get(one.review.initiative_id, "")
            task = _inbox_task(one, "answer", button, _waits(one), behalf)
            yield _of_support(one, task) if one.kind == review_turn.FIX else task


def _of_support(one: Mine, task: InboxTask) -> InboxTask:
    """Return the line of what a review lacks as one with the open requirements, whose page fixes it."""
    initiative = one.review.initiative
    return replace(
        task,
        link=f"{reverse('requirements', args=[initiative.ref])}?show=open",
        matter=support_of(initiative),
        about=(task.matter,),
    )


def _gate(review: Review) -> Gate:
    return review.parsed_rulebook.gates[review.gate]


def _waits(one: Mine) -> str:
    return ended(phrase("{}. The review waits for you {}", _gate(one.review).title, one.move.what))


def _inbox_task(one: Mine, verb: str, button: str, why: str, behalf: str = "") -> InboxTask:
    initiative = one.review.initiative
    return InboxTask(
        verb,
        initiative.title,
        one.move.link(one.review) if one.kind in ANCHORED else one.review.get_absolute_url(),
        button,
        why,
        initiative.ref,
        clock.local_day(one.review.expires_at),
        on_behalf=behalf,
        waited_for=True,
        since=clock.local_day(one.move.since),
        matter=f"review:{one.review.pk}",
    )


def _decidable(one: Mine) -> InboxTask:
    review = one.review
    approving = len({sign_off.seat for sign_off in review.latest_sign_offs if sign_off.approves})
    why = (
        f"{_gate(review).title}. {approving} {'seat approves' if approving == 1 else 'seats approve'}. All "
        "requirements of the gate are met."
    )
    return _inbox_task(one, "decide", phrase("Read and decide"), why)


def _unsigned(look: "Look", one: Mine) -> InboxTask:
    review, gate, initiative = one.review, _gate(one.review), one.review.initiative
    must = (
        phrase(", including {}", label(Seat(one.seat).label, inside=True))
        if one.seat in gate.must_include
        else ""
    )
    count = len(review.latest_sign_offs)
    why = (
        f"{gate.title}. {count} {'seat has' if count == 1 else 'seats have'} signed off. The gate needs "
        f"{gate.quorum_for(initiative.tier)}{must}."
    )
    return _inbox_task(one, "sign", phrase("Review and sign"), why, look.holder_on(initiative, one.seat))


def _stale(look: "Look", one: Mine, sign_off: SignOff) -> InboxTask:
    whose = (
        "Your approval"
        if sign_off.person_id == look.person.pk
        else phrase("The approval by {}", sign_off.person)
    )
    reasons = "; ".join(one.reasons[:2])
    why = ended(
        phrase("{}. {} of {} went stale: {}", _gate(one.review).title, whose, day(sign_off.at), reasons)
    )
    return _inbox_task(
        one, "sign", phrase("See what changed"), why, look.holder_on(one.review.initiative, one.seat)
    )
