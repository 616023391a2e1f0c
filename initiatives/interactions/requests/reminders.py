"""Reminders of requests of persons: whoever handles one, before its day and after it; overdue, the admins too."""

from datetime import datetime

from governance import clock
from governance.models import User
from governance.notifications.due import Due, before, late
from initiatives.models import SubjectRequest

KIND = "request of a person"
OVERDUE = "request of a person overdue"
VERBS = {KIND: "Answer the request", OVERDUE: "See who handles it"}


def subject_requests(moment: datetime):
    """Requests that nobody answered: 14, 3 and 0 days before their day, then weekly; without a name of who asks."""
    today = clock.local_day(moment)
    rows = SubjectRequest.objects.filter(answered_at__isnull=True).select_related("handler").order_by("pk")
    overdue = []
    for row in rows:
        over = late(row.due_on, today, weekly=True)
        period = before(row.due_on, today, (14, 3, 0)) or over
        # An extension has another day: what was told of the first is told anew.
        key = f"subject-request:{row.pk}:{row.due_on}"
        if period:
            yield Due(
                row.handler,
                KIND,
                key,
                subject=f"Request {row.pk} of a person is {'overdue' if over else 'due'}",
                text=f"It is {row.state}. The law gives until {row.due_on:%-d %B %Y}.",
                link=row.get_absolute_url(),
                due_on=row.due_on,
                period=period,
            )
        if over:
            overdue.append((row, key, over))
    admins = list(User.objects.active().filter(is_admin=True).order_by("pk")) if overdue else []
    for row, key, over in overdue:
        for person in admins:
            if person.pk != row.handler_id:
                yield Due(
                    person,
                    OVERDUE,
                    key,
                    subject=f"Request {row.pk} of a person is overdue",
                    text=f"{row.handler} handles it. The law gave until {row.due_on:%-d %B %Y}.",
                    link=row.get_absolute_url(),
                    due_on=row.due_on,
                    period=over,
                )
