"""The reminders of post-mortems that wait for the adoption seat, and of meetings. Queries only."""

from datetime import datetime, timedelta

from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.meetings import agenda
from adoption.meetings.actions import asked
from adoption.models import Meeting, PostMortem
from governance import clock
from governance.notifications.due import Due, before, since
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import subject

MEETING_DAYS = (7, 3, 0)
MOST_POINTS = 8  # named in a mail


def to_confirm(moment: datetime):
    """Yield post-mortems that wait for the adoption seat after 3 and 7 days. They escalate."""
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
                subject(initiative, f"a post-mortem has been waiting since {start:%-d %B %Y}"),
                text=(
                    f"{row.handed_in_by} handed in the post-mortem. The adoption seat confirms the "
                    "post-mortem, or sends it back with a note on what is missing. The obligation stays "
                    "open until the seat confirms."
                ),
                link=reverse("post-mortem-confirm", args=[row.pk]),
                initiative_ref=initiative.ref,
                due_on=row.obligation.due,
                period=f"version{row.version}:{period}",
            ),
            circle.escalated(initiative, start, today),
        )


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
    "lesson offered": "Answer the lesson",
    "confirm post-mortem": "Read and confirm",
    "meeting": "Open the agenda",
    "meeting called off": "Open the meeting",
    "meeting moved": "Open the meeting",
    "post-mortem": "Open the post-mortem",
}
