"""Tasks of privacy officers: each request that they handle, with the last day for its answer."""

from collections.abc import Iterator

from governance.models import User
from governance.notifications.inbox import InboxTask
from initiatives.models import SubjectRequest

_NEXT = {
    "received": "Check the identity",
    "identity checked": "Search the log",
    "under review": "Go on with it",
    "answered": "Close it",
}


def tasks(person: User) -> Iterator[InboxTask]:
    """One task a request that is not closed."""
    if not person.is_privacy_officer:
        return
    for row in SubjectRequest.objects.filter(handler=person, closed_at__isnull=True).order_by("due_on", "pk"):
        yield InboxTask(
            "answer",
            f"Request {row.pk} of a person: {row.get_kind_display().lower()}",
            row.get_absolute_url(),
            _NEXT[row.state],
            f"It is {row.state}.",
            due=None if row.answered_at else row.due_on,
        )
