"""Open reviews: votes that went stale, seats that have not signed, reviews about to expire."""

import hashlib
from datetime import datetime

from django.db.models import Prefetch
from django.urls import reverse

from governance import clock, statements
from governance.answers import ended
from governance.models.people import SEATS
from governance.reminders import Due, before, since
from initiatives import board
from initiatives.models import Review, SignOff
from initiatives.reminders.circle import Circle, told
from initiatives.reminders.words import subject


def _open_reviews() -> list[Review]:
    votes = Prefetch("sign_offs", SignOff.objects.latest(), to_attr="standing_votes")
    return list(
        Review.objects.filter(outcome=Review.OPEN)
        .select_related("initiative__unit", "initiative__contract", "rulebook")
        .prefetch_related(votes)
        .order_by("pk")
    )


def votes_gone_stale(moment: datetime):
    """Approvals of open reviews that no longer count: to the signer, the owner and, where it lies with them, support.

    The period is the vote and what went stale, so that each is told once, and told again only for a new reason.
    """
    reviews = [review for review in _open_reviews() if any(vote.approves for vote in review.standing_votes)]
    circle = Circle(review.initiative for review in reviews)
    for review in reviews:
        case = review.initiative
        sitting = board.sit(review, case, moment)
        gate = sitting.book.gates[review.gate]
        for row, vote in zip(sitting.sign_offs, sitting.votes, strict=True):
            if not vote.approves or vote.fresh:
                continue
            people = [row.person, circle.owner(case)]
            if _support_answers(sitting, row):
                people.append(circle.role(case, "support_owner"))
            seat, reasons = SEATS[row.seat].lower(), ended("; ".join(vote.stale))
            cause = hashlib.sha256("\n".join(sorted(vote.stale)).encode()).hexdigest()[:16]
            yield from told(
                people,
                f"{row.pk}:{cause}",
                lambda person, period, row=row, seat=seat, reasons=reasons, review=review, case=case, gate=gate: (
                    Due(
                        person,
                        "stale vote",
                        f"review:{review.pk}:{row.seat}",
                        subject(case, f"the vote of the seat {seat} went stale"),
                        text=f"{gate.title}: the vote of {row.person} no longer counts: {reasons} "
                        + (
                            "Read what changed and sign again."
                            if person.pk == row.person_id
                            else f"Once that is mended, {row.person} can sign again."
                        ),
                        link=reverse("sign", args=[review.pk, row.seat])
                        if person.pk == row.person_id
                        else review.get_absolute_url(),
                        case_ref=case.ref,
                        due_on=clock.local_day(review.expires_at),
                        period=period,
                        seat=row.seat if person.pk == row.person_id else "",
                    )
                ),
            )


def _support_answers(sitting: board.Sitting, row: SignOff) -> bool:
    """Whether a criterion that moved under this vote asks something that the support owner answers."""
    book, signed = sitting.book, row.facts
    empty = {**signed, "requirements": {}, "criteria": {}}

    def reasons(facts: dict) -> list[str]:
        return statements.stale_reasons(facts, sitting.facts, book, sitting.at, row.at, sitting.states)

    common = set(reasons(empty))
    moved = {
        key
        for key, then in signed["requirements"].items()
        if set(reasons({**empty, "requirements": {key: then}})) - common
    }
    return any(
        moved & set(criterion.requirements)
        and any(book.requirements[key].answered_by == "support_owner" for key in criterion.requirements)
        for criterion in book.criteria_of(signed["gate"], signed["seat"])
    )


def seats_not_signed(moment: datetime):
    """Seats of an open review without a vote after 3 and 7 days: to their holders, a week later to the chair."""
    today = clock.local_day(moment)
    reviews = _open_reviews()
    circle = Circle(review.initiative for review in reviews)
    for review in reviews:
        case, start = review.initiative, clock.local_day(review.opened_at)
        voted = {vote.seat for vote in review.standing_votes}
        gate = review.rulebook.book.gates[review.gate]
        open_seats = [seat for seat in gate.seats if seat not in voted]
        until = clock.local_day(review.expires_at)
        asked = f"{gate.title} has been open since {start:%-d %B %Y} and ends on {until:%-d %B %Y}."
        for seat in open_seats:
            yield from told(
                circle.holders(case, seat),
                since(start, today, (3, 7)),
                lambda person, period, review=review, case=case, seat=seat, asked=asked, until=until: Due(
                    person,
                    "not signed",
                    f"review:{review.pk}:{seat}",
                    subject(case, f"your seat {SEATS[seat].lower()} has not signed"),
                    text=f"{asked} Approve, object, recuse yourself, or ask a question: any of these helps.",
                    link=reverse("sign", args=[review.pk, seat]),
                    case_ref=case.ref,
                    due_on=until,
                    period=period,
                    seat=seat,
                ),
            )
        chair = circle.chair(case)
        waiting = since(start, today, (14,))
        if open_seats and chair and waiting:
            yield Due(
                chair,
                "seats not signed",
                f"review:{review.pk}",
                subject(case, "seats have not signed for two weeks"),
                text=f"{asked} Without a vote: {', '.join(SEATS[seat].lower() for seat in open_seats)}. "
                "You can speak to them, or have a delegate appointed.",
                link=review.get_absolute_url(),
                case_ref=case.ref,
                due_on=until,
                period=waiting,
            )


def reviews_expiring(moment: datetime):
    """Reviews that end undecided in 14 or 3 days: to owner and chair."""
    today = clock.local_day(moment)
    reviews = _open_reviews()
    circle = Circle(review.initiative for review in reviews)
    for review in reviews:
        case, until = review.initiative, clock.local_day(review.expires_at)
        if review.expires_at <= moment:
            continue
        yield from told(
            [circle.owner(case), circle.chair(case)],
            before(until, today, (14, 3)),
            lambda person, period, review=review, case=case, until=until: Due(
                person,
                "review expires",
                f"review:{review.pk}",
                subject(case, f"its review ends undecided on {until:%-d %B %Y}"),
                text="The chair decides or returns it before; after that day it has to be opened again.",
                link=review.get_absolute_url(),
                case_ref=case.ref,
                due_on=until,
                period=period,
            ),
        )
