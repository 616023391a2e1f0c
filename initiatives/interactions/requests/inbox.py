"""Inbox tasks and reminders of requests of persons. Admins get overdue ones too."""

from collections.abc import Iterator
from datetime import datetime

from governance import clock
from governance.models import User
from governance.notifications.due import Due, before, late
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import label, phrase
from initiatives.models import SubjectRequest

_NEXT = {
    "received": phrase("Check the identity"),
    "identity checked": phrase("Search the log"),
    "under review": phrase("Continue the request"),
    "answered": phrase("Close the request"),
}


def tasks(person: User) -> Iterator[InboxTask]:
    """Yield one task for each request that is not closed."""
    if not person.is_privacy_officer:
        return
    for row in SubjectRequest.objects.filter(handler=person, closed_at__isnull=True).order_by("due_on", "pk"):
        yield InboxTask(
            "answer",
            phrase("Request {} of a person: {}", row.pk, label(row.get_kind_display(), inside=True)),
            row.get_absolute_url(),
            _NEXT[row.state],
            phrase("State: {}.", row.state),
            due=None if row.answered_at else row.due_on,
            since=clock.local_day(row.answered_at or row.searched_at or row.identified_at or row.recorded_at),
            matter=f"subject-request:{row.pk}",
        )


KIND = "request of a person"
OVERDUE = "request of a person overdue"
VERBS = {KIND: phrase("Answer the request"), OVERDUE: phrase("Open the request")}


def subject_requests(moment: datetime):
    """Yield reminders of unanswered requests 14, 3 and 0 days before, then weekly. They contain no name."""
    today = clock.local_day(moment)
    rows = SubjectRequest.objects.filter(answered_at__isnull=True).select_related("handler").order_by("pk")
    overdue = []
    for row in rows:
        over = late(row.due_on, today, weekly=True)
        period = before(row.due_on, today, (14, 3, 0)) or over
        # An extension has another day, so its reminders are sent again.
        key = f"subject-request:{row.pk}:{row.due_on}"
        if period:
            yield Due(
                row.handler,
                KIND,
                key,
                subject=f"Request {row.pk} of a person is {'overdue' if over else 'due'}",
                text=phrase("State: {}. The legal deadline is {}.", row.state, row.due_on),
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
                    subject=phrase("Request {} of a person is overdue", row.pk),
                    text=phrase(
                        "{} handles the request. The legal deadline was {}.", row.handler, row.due_on
                    ),
                    link=row.get_absolute_url(),
                    due_on=row.due_on,
                    period=over,
                )
