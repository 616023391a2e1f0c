"""Accepted risks in inbox and reminders: requests, reviews, last days."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary import CLOSED_STAGES, Seat
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import AcceptedRisk
from initiatives.models.reviews import ConsentState

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

KIND = "accepted risk"
VERBS: dict[str, str] = {KIND: phrase("Open the accepted risk")}
REVIEW_SOON, END_SOON = timedelta(days=14), timedelta(days=30)
SEAT_HELPS = timedelta(days=3)  # before a review is missed, everybody in the seat is asked
REVIEW, END = "accepted-risk-review", "accepted-risk-end"


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield requests and reviews for the risk seat, and the owner's ends."""
    for row in look.rows("accepted_risks"):
        if row.initiative_id in look.team_initiatives or row.requested_by_id == look.person.pk:
            continue
        if row.state == ConsentState.ASKED:
            yield InboxTask(
                "agree",
                phrase("Risk of {}: {}", row.initiative.title, row.title),
                row.get_absolute_url(),
                phrase("Read and answer"),
                phrase("{} asks to accept it until {}: {}", row.requested_by, row.until, row.reason),
                row.initiative.ref,
                since=clock.local_day(row.requested_at),
                about=(f"accepted-risk:{row.pk}",),
            )
    mine = [row for row in look.rows("accepted_risks") if _reviews(look, row)]
    yield from (one.task() for one in [*of_reviews(mine), *of_ends(look.rows("own_accepted_risks"))])


def _reviews(look: "Look", row: AcceptedRisk) -> bool:
    """Return True if the person is asked to review it. This is who accepted it, and near the day the whole seat."""
    if row.initiative_id in look.team_initiatives or row.requested_by_id == look.person.pk:
        return False
    near = row.review_by is not None and row.review_by - look.today <= SEAT_HELPS
    return near or row.risk_id == look.person.pk


def of_reviews(rows: Iterable[AcceptedRisk]) -> list[DueTask]:
    """Return the reviews of these acceptances that are due within two weeks."""
    return [
        DueTask(
            f"{REVIEW}:{row.pk}",
            row.initiative,
            row.risk,
            phrase("Accepted risk “{}” of {}.", row.title, row.initiative.title),
            Act(
                "confirm",
                reverse("row-act", args=["accepted-risks", row.pk, "review"]),
                phrase("Review the risk"),
            ),
            phrase("If no one reviews it by this day, the acceptance ends and the risk becomes a gap."),
            row.review_by - REVIEW_SOON,
            row.review_by,
            "the review of an accepted risk",
            (KIND, KIND),
        )
        for row in rows
        if row.state == ConsentState.RUNNING
        and row.review_by is not None
        and row.review_by - clock.today() <= REVIEW_SOON
    ]


def of_ends(rows: Iterable[AcceptedRisk]) -> list[DueTask]:
    """Return the owner's tasks for acceptances that end within 30 days. One with a later request has none."""
    return [
        DueTask(
            f"{END}:{row.pk}",
            row.initiative,
            None,
            phrase("Accepted risk “{}” of {}.", row.title, row.initiative.title),
            Act("refresh", f"{row.get_absolute_url()}?extends={row.pk}#ask", phrase("Ask for longer")),
            phrase(
                "Remove the risk, or ask the risk seat to accept it for longer. Otherwise the risk becomes a "
                "gap that you own."
            ),
            row.until - END_SOON,
            row.until,
            "an accepted risk",
            (KIND, KIND),
            days=(30, 14, 3, 0),
        )
        for row in rows
        if row.state == ConsentState.RUNNING and not row.extended and row.until - clock.today() <= END_SOON
    ]


def reminders(moment: datetime):
    """Yield reminders of requests, reviews and last days of accepted risks.

    Requests go once to the risk seat, reviews to who accepted or the seat, last days to people in charge.
    """
    rows = list(
        AcceptedRisk.objects.live()
        .filter(initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("requested_by", "risk", "initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        if row.state == ConsentState.ASKED:
            holders = circle.holders(row.initiative, Seat.RISK_COMPLIANCE)
            yield from told(
                [person for person in holders if person.pk != row.requested_by_id],
                "asked",
                about(
                    row.initiative,
                    KIND,
                    f"accepted-risk:{row.pk}",
                    phrase("{} asks to accept a risk", row.requested_by),
                    text=phrase("{}. {}", row.title, row.reason),
                    link=row.get_absolute_url(),
                    due_on=row.until,
                ),
            )
    yield from remind([*of_reviews(rows), *of_ends(rows)], moment, _asked)


def _asked(circle: Circle, one: DueTask) -> list[User | None]:
    if one.person is None:
        return [*circle.in_charge(one.initiative)]
    holders = circle.holders(one.initiative, Seat.RISK_COMPLIANCE)
    return [one.person] if one.person in holders else [*holders]
