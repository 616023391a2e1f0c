"""Meetings of the boards on which a person sits, as days of a calendar."""

from collections import Counter

from django.db.models import Q

from adoption.models import Meeting
from governance import clock
from governance.models import User
from governance.notifications.calendar_feed import DueDay
from governance.people.boards import seats_held


def days(person: User) -> list[DueDay]:
    """Return the meetings ahead to which the person is asked, except those called off."""
    boards = {seat.board_id for seat in seats_held(person)}
    rows = Meeting.objects.ahead(clock.today()).filter(Q(board__in=boards) | Q(secretary=person))
    rows = list(rows.select_related("board").order_by("held_on", "pk"))
    states = Counter(Meeting.history.filter(id__in=[row.pk for row in rows]).values_list("id", flat=True))
    return [
        DueDay(
            f"meeting-{row.pk}",
            row.held_on,
            f"Meeting of {row.board}",
            row.get_absolute_url(),
            place=row.place,
            changes=states[row.pk] - 1,
        )
        for row in rows
    ]
