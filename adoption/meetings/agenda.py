"""The agenda of a meeting: the board's open reviews, the decidable ones first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from adoption.meetings.permissions import may_take_pack
from adoption.models import AgendaPoint, Meeting
from governance import clock
from governance.models import User
from governance.people.boards import units_of_board
from governance.vocabulary import RUNNING_STAGES, ReviewOutcome
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.reviews import review_summaries
from initiatives.lifecycle.reviews.review_summaries import Glance
from initiatives.models import Initiative, Review


@dataclass
class Point:
    """One point of an agenda: a review with its state, or words. `row` is None until someone edits the point."""

    review: Review | None
    initiative: Initiative | None
    words: str
    row: AgendaPoint | None
    seen: Glance | None = None
    gate: str = ""
    decided: bool = False

    @property
    def decidable(self) -> bool:
        """Return True if the chair can decide the review now."""
        return bool(self.seen and self.seen.decidable)

    @property
    def title(self) -> str:
        """Return the title of the point."""
        return self.words or (self.initiative.title if self.initiative else "")

    @property
    def key(self) -> str:
        """Return the key of the point in addresses, from its row or its review."""
        return self.row.key if self.row else f"r{self.review.pk}"


def reviews_of(meeting: Meeting) -> QuerySet:
    """Return the open reviews before the board of the meeting."""
    return Review.objects.filter(
        initiative__unit__in=units_of_board(meeting.board),
        initiative__withdrawn_at__isnull=True,
        initiative__stage__in=RUNNING_STAGES,
        outcome=ReviewOutcome.OPEN,
        opened_at__lte=clock.now(),
    )


def points(meeting: Meeting, person: User | None = None) -> list[Point]:
    """Return the agenda: placed points, then decidable ones, then waiting ones.

    The longest wait comes first. `person`: only points whose initiative they may see. People who may take the pack also
    see points in words. Open reviews join automatically until the meeting begins and its agenda is frozen.
    """
    rows = list(meeting.points.select_related("initiative__unit", "review").filter(left_out=False))
    known = meeting.points.filter(review__isnull=False).values("review")
    asked = Q(pk__in=[row.review_id for row in rows if row.review_id])
    if meeting.state == Meeting.PLANNED:
        asked |= Q(pk__in=reviews_of(meeting).exclude(pk__in=known).values("pk"))
    reviews = list(Review.objects.filter(asked).select_related("initiative__unit", "rulebook", "ended_by"))
    if person is not None:
        seen, inside = _seen(person, rows, reviews), bool(may_take_pack(meeting, person))
        rows = [row for row in rows if row.initiative_id in seen or (inside and row.initiative_id is None)]
        reviews = [review for review in reviews if review.initiative_id in seen]
    at_hand = review_summaries.at([review for review in reviews if review.is_open])
    by_review = {row.review_id: row for row in rows if row.review_id}
    found = [
        Point(
            review,
            review.initiative,
            "",
            by_review.get(review.pk),
            at_hand.get(review.pk),
            review.parsed_rulebook.gates[review.gate].title,
            in_meeting(meeting, review),
        )
        for review in reviews
        if (meeting.state == Meeting.PLANNED and review.is_open) or review.pk in by_review
    ]
    found += [Point(None, row.initiative, row.words, row) for row in rows if row.review_id is None]
    return sorted(found, key=_order)


def _seen(person: User, rows: list[AgendaPoint], reviews: list[Review]) -> set[int]:
    keys = {row.initiative_id for row in rows} | {review.initiative_id for review in reviews}
    found = visibility.visible_to(person).filter(pk__in=[key for key in keys if key])
    return set(found.values_list("pk", flat=True))


def _order(point: Point) -> tuple:
    place = point.row.place if point.row and point.row.place is not None else 10_000
    since = point.review.opened_at if point.review else point.row.at
    return place, not point.decidable, point.review is None, since


def left_out(meeting: Meeting, person: User) -> list[AgendaPoint]:
    """Return the points taken off the agenda that the person may see, with reasons."""
    rows = list(meeting.points.filter(left_out=True).select_related("initiative__unit", "review", "by"))
    seen, inside = _seen(person, rows, []), bool(may_take_pack(meeting, person))
    return [row for row in rows if row.initiative_id in seen or (inside and row.initiative_id is None)]


def in_meeting(meeting: Meeting, review: Review) -> bool:
    """Return True if the review was decided, returned or withdrawn during the meeting."""
    if meeting.begun_at is None or review.ended_at is None:
        return False
    return meeting.begun_at <= review.ended_at <= (meeting.ended_at or clock.now())


def decided_at(reviews: list[int]) -> dict[int, Meeting]:
    """Return by review the meeting in which it ended. The review was on the agenda of the running meeting."""
    rows = AgendaPoint.objects.filter(review__in=reviews, left_out=False, meeting__begun_at__isnull=False)
    rows = rows.select_related("meeting__board", "review")
    return {row.review_id: row.meeting for row in rows if in_meeting(row.meeting, row.review)}


def where_decided(reviews: list[int]) -> dict[int, tuple[str, str]]:
    """Return by review the meeting in which it ended, in words and with its address."""
    if not reviews:
        return {}
    return {
        key: (f"Meeting of {meeting.held_on:%-d %B %Y}", meeting.get_absolute_url())
        for key, meeting in decided_at(reviews).items()
    }


def ended_unlisted(meeting: Meeting, until: datetime) -> list[Review]:
    """Return the board's reviews that ended during the meeting but not on its agenda."""
    known = meeting.points.filter(review__isnull=False).values("review")
    return list(
        Review.objects.filter(
            initiative__unit__in=units_of_board(meeting.board),
            ended_at__gte=meeting.begun_at,
            ended_at__lte=until,
        )
        .exclude(outcome=ReviewOutcome.EXPIRED)
        .exclude(pk__in=known)
        .order_by("ended_at", "pk")
    )
