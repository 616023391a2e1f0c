"""Which open reviews wait for one person, to sign or to decide, and since when: for the desk and the list of reviews.

Only a review that looks ready, or a vote that something has touched since, is judged at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance import clock
from governance.answers import ended
from governance.desk import Line
from governance.models.people import SEATS
from governance.rulebook.book import Gate
from governance.templatetags.plumbline import day
from initiatives import glance
from initiatives.desk_look import CastVote, Look
from initiatives.models import Review


@dataclass(frozen=True)
class ToSign:
    """A seat of the person that owes a vote: none was given yet, or `vote` went stale, for these reasons."""

    review: Review
    seat: str
    since: datetime
    vote: CastVote | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToDecide:
    """A decidable review before the person who chairs."""

    review: Review
    since: datetime


@dataclass(frozen=True)
class Moves:
    """What waits for one person at the reviews before their boards."""

    to_sign: list[ToSign]
    to_decide: list[ToDecide]

    def since(self) -> dict[int, datetime]:
        """By review, since when it waits for the person."""
        found: dict[int, datetime] = {}
        for move in (*self.to_sign, *self.to_decide):
            found[move.review.pk] = min(move.since, found.get(move.review.pk, move.since))
        return found


def moves(look: Look) -> Moves:
    """What waits for the person now. Reviews that have to be judged for it are read together."""
    votes = [(row, seat, _vote(row, seat)) for row in look.open_reviews for seat in _signing(look, row)]
    ready = [row for row in look.open_reviews if row.initiative_id in look.chaired and _looks_ready(row)]
    doubtful = {row.pk: row for row, _, vote in votes if vote is not None and touched(look, row, vote)}
    seen = glance.at(list({row.pk: row for row in [*ready, *doubtful.values()]}.values()))
    to_sign = []
    for row, seat, vote in votes:
        if vote is None:
            to_sign.append(ToSign(row, seat, row.opened_at))
        elif row.pk in doubtful and seat in seen[row.pk].stale:
            reasons, since = seen[row.pk].stale[seat]
            to_sign.append(ToSign(row, seat, since, vote, reasons))
    return Moves(
        to_sign,
        [ToDecide(row, seen[row.pk].quiet_since) for row in ready if seen[row.pk].decidable],
    )


def _signing(look: Look, review: Review) -> list[str]:
    """The seats of the person that sign at this review, and that nothing keeps the person from signing for.

    What keeps them is what `permissions.may_sign` names, told from the rows of a desk.
    """
    case = review.initiative
    if case.pk in look.party_to:
        return []
    signed = {row["seat"] for row in review.signed if row["person"] == look.person.pk}
    reports = review.owner is not None and look.person.manager_id == review.owner
    return [
        seat
        for seat in look.seats_on(case)
        if seat in _gate(review).seats
        and not signed - {seat}
        and not (reports and seat == "business_value")
        and (review.gate == "retire" or look.cooled_off_on(case, seat))
    ]


def _gate(review: Review) -> Gate:
    return review.rulebook.book.gates[review.gate]


def _vote(review: Review, seat: str) -> CastVote | None:
    return next((vote for vote in review.votes if vote.seat == seat), None)


def _looks_ready(review: Review) -> bool:
    gate = _gate(review)
    approving = {vote.seat for vote in review.votes if vote.approves}
    return len(approving) >= gate.quorum_for(review.initiative.tier) and set(gate.must_include) <= approving


def touched(look: Look, review: Review, vote: CastVote) -> bool:
    """Whether anything can have made the vote stale: a change of the case since, or a day that has passed."""
    if not vote.approves:
        return False
    if review.computed_at is None or review.computed_at > vote.at:
        return True
    if review.valid_until and review.valid_until <= look.now:
        return True
    days = review.rulebook.book.freshness.sign_off_max_age_days
    if clock.local_day(vote.at) + timedelta(days=days) < look.today:
        return True
    return vote.until is not None and vote.until < look.today


def lines(look: Look) -> Iterator[Line]:
    """Reviews to sign, votes that went stale, reviews to decide."""
    found = moves(look)
    for move in found.to_sign:
        yield _unsigned(look, move) if move.vote is None else _stale(look, move)
    for move in found.to_decide:
        review, gate = move.review, _gate(move.review)
        approving = len({vote.seat for vote in review.votes if vote.approves})
        yield Line(
            "decide",
            review.initiative.title,
            review.get_absolute_url(),
            "Read and decide",
            f"{gate.title}. {approving} {'seat approves' if approving == 1 else 'seats approve'}; "
            "everything the gate asks for is there.",
            review.initiative.ref,
            clock.local_day(review.expires_at),
        )


def _unsigned(look: Look, move: ToSign) -> Line:
    review, gate, case = move.review, _gate(move.review), move.review.initiative
    must = f", {SEATS[move.seat].lower()} among them" if move.seat in gate.must_include else ""
    count = len(review.votes)
    return Line(
        "sign",
        case.title,
        review.get_absolute_url(),
        "Read and sign",
        f"{gate.title}. {count} {'seat has' if count == 1 else 'seats have'} voted; the gate needs "
        f"{gate.quorum_for(case.tier)}{must}.",
        case.ref,
        clock.local_day(review.expires_at),
        on_behalf=look.holder_on(case, move.seat),
    )


def _stale(look: Look, move: ToSign) -> Line:
    review, vote = move.review, move.vote
    whose = "Your approval" if vote.person_id == look.person.pk else f"The approval by {vote.person}"
    return Line(
        "sign",
        review.initiative.title,
        review.get_absolute_url(),
        "See what changed",
        ended(f"{_gate(review).title}. {whose} of {day(vote.at)} went stale: {'; '.join(move.reasons[:2])}"),
        review.initiative.ref,
        clock.local_day(review.expires_at),
        on_behalf=look.holder_on(review.initiative, move.seat),
    )
