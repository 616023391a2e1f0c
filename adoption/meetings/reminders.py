"""The reminders of meetings. Queries only."""

from datetime import datetime, timedelta

from adoption.meetings import agenda
from adoption.meetings.actions import asked
from adoption.models import Meeting
from governance import clock
from governance.notifications.due import Due, before

MEETING_DAYS = (7, 3, 0)
MOST_POINTS = 8  # named in a mail


def meetings_ahead(moment: datetime):
    """Yield meetings a week and three days before, and on the day. The board and the secretary get them."""
    today = clock.local_day(moment)
    rows = Meeting.objects.ahead(today).filter(held_on__lte=today + timedelta(days=MEETING_DAYS[0]))
    for row in rows.select_related("board__unit", "secretary").order_by("held_on", "pk"):
        period = before(row.held_on, today, MEETING_DAYS)
        points = agenda.points(row)
        text = ", ".join(_agenda_words(point) for point in points[:MOST_POINTS])
        more = f"and {len(points) - MOST_POINTS} more" if len(points) > MOST_POINTS else ""
        for person in asked(row):
            yield Due(
                person,
                "meeting",
                f"meeting:{row.pk}",
                f"{row.board} meets on {row.held_on:%-d %B %Y}",
                text=f"On the agenda: {text or 'no items yet'}{more}. The board pack has each initiative with its "
                f"evidence and open risks.{f' Place: {row.place}.' if row.place else ''}",
                link=row.get_absolute_url(),
                due_on=row.held_on,
                period=f"{row.held_on}:{period}",
            )


def _agenda_words(point: agenda.Point) -> str:
    """Return a point for an email, with an initiative by its reference alone."""
    if point.initiative is None or point.review is None:
        return point.words
    return f"{point.initiative.ref}, {point.gate}{' (can be decided)' if point.decidable else ''}"


# The request of each kind of notification, as the words of the button in the email.
VERBS = {
    "meeting": "Open the agenda",
    "meeting called off": "Open the meeting",
    "meeting moved": "Open the meeting",
}
