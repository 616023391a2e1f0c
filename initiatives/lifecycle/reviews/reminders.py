"""Reminders of open reviews: stale sign-offs, waiting moves, near ends."""

import hashlib
from collections.abc import Collection, Iterator
from datetime import date, datetime
from functools import partial

from django.db.models import Prefetch
from django.urls import reverse

from governance import clock
from governance.database.request_memo import one_look
from governance.gates import criteria, sign_off_statement
from governance.models import User
from governance.notifications.due import Due, before, of_each, since
from governance.permission_result import ended
from governance.vocabulary import ReviewOutcome, Seat
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about, subject
from initiatives.lifecycle.reviews import review_turn, turn_notifications
from initiatives.models import Review, SignOff


def reminders(moment: datetime):
    """Yield the reminders of open reviews.

    A seat that has not signed gets one when the review opens, and when its move waited 3 and 7 days. So do people who
    answer an objection, and the seat that objected once it was answered; these two escalate. A stale approval is told
    to its signer, the present holders of the seat and the owner. Owner and chair get the end of a review, 14 and 3
    days before.
    """
    sign_offs = Prefetch("sign_offs", SignOff.objects.latest(), to_attr="current_sign_offs")
    reviews = list(
        Review.objects.filter(outcome=ReviewOutcome.OPEN)
        .select_related("initiative__unit", "initiative__contract", "rulebook")
        .prefetch_related(sign_offs)
        .order_by("pk")
    )
    circle = Circle(review.initiative for review in reviews)

    def of_review(review: Review) -> Iterator[Due]:
        if review.expires_at > moment:
            yield from _opened(review, circle)
            yield from _expiring(review, circle, clock.local_day(moment))
        with one_look():
            snapshot = review_state.snapshot_of(review, review.initiative, moment)
            found = review_turn.moves(snapshot)
        yield from _gone_stale(review, snapshot, review_turn.awaited_seats(found), circle)
        yield from _waiting(review, snapshot, found, circle, clock.local_day(moment))
        yield from _seats_quiet(review, snapshot, found, circle, clock.local_day(moment))

    yield from of_each(reviews, of_review)


def _opened(review: Review, circle: Circle) -> Iterator[Due]:
    """Yield the message to each seat that has not signed. It closes when they sign or the review ends."""
    signed = {row.seat for row in review.current_sign_offs}
    for member in circle.members(review.initiative):
        if member.seat in review.parsed_rulebook.gates[review.gate].seats and member.seat not in signed:
            yield about(review.initiative, **turn_notifications.opened(review, member.seat))(member.person)


def _gone_stale(
    review: Review, snapshot: review_state.ReviewSnapshot, awaited: Collection[str], circle: Circle
) -> Iterator[Due]:
    """Yield the messages on stale approvals. The support owner gets one too if the change is theirs.

    The period is the sign-off with what became stale, so each is sent once, and again only for a new reason.
    """
    initiative = review.initiative
    gate = snapshot.judged.rulebook.gates[review.gate]
    for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True):
        if not sign_off.approves or sign_off.fresh:
            continue
        holders = circle.holders(initiative, row.seat)
        people = [row.person, *holders, circle.owner(initiative)]
        if _support_answers(snapshot, row):
            people.append(circle.role(initiative, "support_owner"))
        seat, reasons = Seat(row.seat).label.lower(), ended("; ".join(sign_off.stale))
        cause = hashlib.sha256("\n".join(sorted(sign_off.stale)).encode()).hexdigest()[:16]
        # Who signed may only have held the seat for a time. Then its holder signs.
        signing = [row.person] if row.person in holders else holders
        make = partial(_stale, review, gate, row, seat, reasons, signing, row.seat in awaited)
        yield from told(people, f"{row.pk}:{cause}", make)


def _stale(
    review: Review,
    gate,
    row: SignOff,
    seat: str,
    reasons: str,
    signing: list[User],
    needed: bool,
    person: User,
    period: str,
):
    initiative, own = review.initiative, person in signing
    return Due(
        person,
        "stale sign-off",
        f"review:{review.pk}:{row.seat}",
        subject(initiative, f"the sign-off of the seat {seat} went stale"),
        text=(
            f"{gate.title}: the sign-off of {row.person} no longer counts. {reasons} "
            f"{_what_now(signing, own, needed)}"
        ),
        link=reverse("sign", args=[review.pk, row.seat]) if own else review.get_absolute_url(),
        initiative_ref=initiative.ref,
        due_on=clock.local_day(review.expires_at),
        period=period,
        seat=row.seat if own else "",
    )


def _what_now(signing: list[User], own: bool, needed: bool) -> str:
    """Return in words if the decision needs the sign-off again."""
    if not needed:
        return "The decision does not need this sign-off now. The page of the review shows who must act."
    if own:
        return "Read what changed and sign again."
    names = " or ".join(person.full_name for person in signing)
    return f"{names} can read what changed and sign again." if names else criteria.NO_SIGNER


def _support_answers(snapshot: review_state.ReviewSnapshot, row: SignOff) -> bool:
    """Return True if a changed criterion asks the support owner."""
    rulebook, signed = snapshot.judged.rulebook, row.facts
    empty = {**signed, "requirements": {}, "criteria": {}}

    def reasons(facts: dict) -> list[str]:
        return sign_off_statement.stale_reasons(facts, snapshot.judged, row.at)

    common = set(reasons(empty))
    moved = {
        key
        for key, then in signed["requirements"].items()
        if set(reasons({**empty, "requirements": {key: then}})) - common
    }
    return any(
        moved & set(criterion.requirements)
        and any(rulebook.requirements[key].answered_by == "support_owner" for key in criterion.requirements)
        for criterion in rulebook.criteria_of(signed["gate"], signed["seat"])
    )


def _waiting(
    review: Review,
    snapshot: review_state.ReviewSnapshot,
    found: list[review_turn.Move],
    circle: Circle,
    today: date,
) -> Iterator[Due]:
    people = User.objects.in_bulk({key for move in found for key in move.people})
    for move in found:
        if move.kind in (review_turn.SIGN, *turn_notifications.KINDS):
            start = clock.local_day(move.since)
            escalation = circle.escalated(review.initiative, start, today)
            yield from told(
                [people[key] for key in move.people if key in people],
                since(start, today, (3, 7)),
                _still_waiting(review, snapshot, move),
                ("", []) if move.kind == review_turn.SIGN else escalation,
            )


def _asked(review: Review, snapshot: review_state.ReviewSnapshot) -> str:
    start, until = clock.local_day(review.opened_at), clock.local_day(review.expires_at)
    gate = snapshot.judged.rulebook.gates[review.gate].title
    return f"{gate} has been open since {start:%-d %B %Y} and ends on {until:%-d %B %Y}."


def _still_waiting(review: Review, snapshot: review_state.ReviewSnapshot, move: review_turn.Move):
    """Return the message to sign, answer an objection or look again."""
    initiative, signs = review.initiative, move.kind == review_turn.SIGN
    if signs:
        words = f"your seat {Seat(move.seat).label.lower()} has not signed"
        text = f"{_asked(review, snapshot)} Approve, object, recuse yourself, or ask a question."
    else:
        words, text = review_turn.message(snapshot, move)
        words += f", waiting since {clock.local_day(move.since):%-d %B %Y}"
    sign_off = next(
        (f"sign_off:{row.pk}:" for row in snapshot.sign_offs if row.seat == move.seat and not signs), ""
    )
    return lambda person, period: Due(
        person,
        "not signed" if signs else turn_notifications.KINDS[move.kind],
        f"review:{review.pk}:{move.seat}",
        subject(initiative, words),
        text=text,
        link=reverse("sign", args=[review.pk, move.seat]) if signs else move.link(review),
        initiative_ref=initiative.ref,
        due_on=clock.local_day(review.expires_at),
        period=f"{sign_off}{period}",
        seat="" if move.kind == review_turn.ANSWER else move.seat,
    )


def _seats_quiet(
    review: Review,
    snapshot: review_state.ReviewSnapshot,
    found: list[review_turn.Move],
    circle: Circle,
    today: date,
):
    """Yield the awaited seats to the chair, two weeks after the opening."""
    initiative, chair = review.initiative, circle.chair(review.initiative)
    awaited = [Seat(move.seat).label.lower() for move in found if move.kind == review_turn.SIGN]
    period = since(clock.local_day(review.opened_at), today, (14,))
    if awaited and chair and period:
        yield Due(
            chair,
            "seats not signed",
            f"review:{review.pk}",
            subject(initiative, "seats have not signed for two weeks"),
            text=(
                f"{_asked(review, snapshot)} Without a sign-off: {', '.join(awaited)}. Speak to the "
                "holders of these seats, or ask an admin to appoint a delegate."
            ),
            link=review.get_absolute_url(),
            initiative_ref=initiative.ref,
            due_on=clock.local_day(review.expires_at),
            period=period,
        )


def _expiring(review: Review, circle: Circle, today: date) -> list[Due]:
    until = clock.local_day(review.expires_at)
    return told(
        [circle.owner(review.initiative), circle.chair(review.initiative)],
        before(until, today, (14, 3)),
        about(
            review.initiative,
            "review expires",
            f"review:{review.pk}",
            f"its review ends without a decision on {until:%-d %B %Y}",
            text=(
                "The chair can decide or return the review before that day. After that day, the review "
                "must be opened again."
            ),
            link=review.get_absolute_url(),
            due_on=until,
        ),
    )
