"""The closing of notifications with their task, or if no reminder finds them due.

A notification names an object, such as `review:7:risk_compliance`. A task is about it if the task's matter, or one of
the objects that the task names, begins the same way.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from governance import clock
from governance.contributions import contributed
from governance.models import Notification, User
from governance.notifications.inbox import InboxTask, all_tasks
from governance.notifications.notify import readable

if TYPE_CHECKING:
    from governance.notifications.due import Due

SHOWN_DAYS = 90  # what is unread by then is no longer shown
MOST = 500  # notifications of one person that are looked at


def objects_of(tasks: Iterable[InboxTask]) -> set[str]:
    """Return the objects of these tasks and their parts, as notifications name them."""
    return {
        name for task in tasks for one in (task, *task.parts) for name in (one.matter, *one.about) if name
    }


def covered(object_key: str, objects: Collection[str]) -> bool:
    """Return True if one of these objects of tasks is the object of a notification, or begins it."""
    words = object_key.split(":")
    return any(":".join(words[:length]) in objects for length in range(2, len(words) + 1))


def escalated(period: str) -> bool:
    """Return True for the period of a reminder to people who can only see to it, such as "sign_off:7:chair7d"."""
    return period.rpartition(":")[2].startswith(("chair", "board"))


def to_know(person: User, tasks: Iterable[InboxTask]) -> list[Notification]:
    """Return the unread notifications that no task of the person is about, newest first.

    Notifications that asked for a task are closed: this person or someone else did the task.
    """
    recent = clock.now() - timedelta(days=SHOWN_DAYS)
    objects = objects_of(tasks)
    rows = [
        row
        for row in person.notifications.unread().filter(created_at__gt=recent)[:MOST]
        if not covered(row.object_key, objects)
    ]
    over = {row.pk for row in rows if row.kind in contributed.asking and not escalated(row.period)}
    if over:
        _close(over)
    return readable(person, [row for row in rows if row.pk not in over])


def lines_of(notifications: Iterable[Notification]) -> list[list[Notification]]:
    """Return these notifications as lines, in the order of the first of each.

    Those about one initiative are one line. So are those of one kind that are about none.
    """
    lines: dict[str, list[Notification]] = {}
    for row in notifications:
        lines.setdefault(row.initiative_ref or row.kind, []).append(row)
    return list(lines.values())


def close_past(found: Iterable["Due"]) -> int:
    """Close notifications of passing kinds that are not due and of no task. Return the count.

    Only the newest period of a matter that is due stays open.
    """
    due = {(one.person.pk, one.kind, one.object_key): one.period for one in found}
    kinds = contributed.asking | contributed.passing
    left, over = defaultdict(list), set()
    for row in Notification.objects.unread().filter(kind__in=kinds).order_by("pk").select_related("person"):
        matter = (row.person_id, row.kind, row.object_key)
        if matter not in due:
            left[row.person].append(row)
        elif row.period != due[matter] and not escalated(row.period):
            over.add(row.pk)
    for person, rows in left.items():
        objects = objects_of(all_tasks(person)) if person.is_active else ()
        over |= {row.pk for row in rows if not covered(row.object_key, objects)}
    _close(over)
    return len(over)


def _close(keys: set[int]) -> None:
    Notification.objects.filter(pk__in=keys, read_at__isnull=True).update(read_at=clock.now())
