"""What is due about post-mortems, due or waiting for the adoption seat, and about meetings. Queries only."""

from datetime import datetime, timedelta

from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.meetings import agenda
from adoption.meetings.actions import asked
from adoption.models import Meeting, PostMortem
from governance import clock
from governance.notifications.due import Due, before, since
from governance.vocabulary import WRITTEN_OBLIGATIONS
from initiatives.lifecycle.holds.reminders import obligations_due
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import subject
from initiatives.models import Obligation

MEETING_DAYS = (7, 3, 0)
MOST_POINTS = 8  # named in a mail


def post_mortems(moment: datetime):
    """Post-mortems that nobody has handed in: 14 and 3 days before their day, on it, weekly after it, escalated."""
    rows = Obligation.objects.open().filter(kind__in=WRITTEN_OBLIGATIONS)
    rows = rows.exclude(post_mortem__state__in=[PostMortem.IN_REVIEW, PostMortem.PUBLISHED])
    yield from obligations_due(
        rows, moment, lambda obligation: reverse("post-mortem-start", args=[obligation.pk])
    )


def measurements(moment: datetime):
    """Measurements due because a measure fell silent: as other obligations, before their day, on it, and weekly after
    it.
    """
    rows = Obligation.objects.open().filter(kind="measurement")
    yield from obligations_due(
        rows, moment, lambda obligation: reverse("adoption", args=[obligation.initiative.ref])
    )


def to_confirm(moment: datetime):
    """Post-mortems in review without a word of the adoption seat after 3 and 7 days; escalated."""
    today = clock.local_day(moment)
    rows = list(
        PostMortem.objects.filter(state=PostMortem.IN_REVIEW)
        .select_related("initiative__unit", "obligation", "author", "handed_in_by")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative, start = row.initiative, clock.local_day(row.handed_in_at)
        writers = {row.author_id, row.handed_in_by_id, row.obligation.responsible_id}
        holders = [person for person in circle.holders(initiative, SEAT) if person.pk not in writers]
        yield from told(
            holders,
            since(start, today, (3, 7)),
            lambda person, period, row=row, initiative=initiative, start=start: Due(
                person,
                "confirm post-mortem",
                f"postmortem:{row.pk}",
                subject(initiative, f"a post-mortem has waited since {start:%-d %B %Y}"),
                text=f"{row.handed_in_by} handed it in. The adoption seat confirms it, or sends it back with what "
                "is missing; until then the obligation stays open.",
                link=reverse("post-mortem-confirm", args=[row.pk]),
                initiative_ref=initiative.ref,
                due_on=row.obligation.due,
                period=f"version{row.version}:{period}",
            ),
            circle.escalated(initiative, start, today),
        )


def meetings_ahead(moment: datetime):
    """Meetings: a week and three days before, and on the day, to everybody on the board and the secretary."""
    today = clock.local_day(moment)
    rows = Meeting.objects.ahead(today).filter(held_on__lte=today + timedelta(days=MEETING_DAYS[0]))
    for row in rows.select_related("board__unit", "secretary").order_by("held_on", "pk"):
        period = before(row.held_on, today, MEETING_DAYS)
        points = agenda.points(row)
        text = "; ".join(_agenda_words(point) for point in points[:MOST_POINTS])
        more = f"; and {len(points) - MOST_POINTS} more" if len(points) > MOST_POINTS else ""
        for person in asked(row):
            yield Due(
                person,
                "meeting",
                f"meeting:{row.pk}",
                f"{row.board} meets on {row.held_on:%-d %B %Y}",
                text=f"On the agenda: {text or 'nothing yet'}{more}. The board pack has each initiative with its "
                f"evidence and open risks.{f' Where: {row.place}.' if row.place else ''}",
                link=row.get_absolute_url(),
                due_on=row.held_on,
                period=f"{row.held_on}:{period}",
            )


def _agenda_words(point: agenda.Point) -> str:
    """A point as a mail names it: an initiative by its reference alone."""
    if point.initiative is None or point.review is None:
        return point.words
    return f"{point.initiative.ref}, {point.gate}{' (can be decided)' if point.decidable else ''}"


# What each kind of notification asks for, as the words of the button in the mail.
VERBS = {
    "lesson offered": "Answer it",
    "confirm post-mortem": "Read and confirm",
    "meeting": "See the agenda",
    "meeting called off": "See which meeting",
    "post-mortem": "Open the post-mortem",
}
