"""The inbox tasks about lessons: answer for an initiative, confirm from outside."""

from datetime import datetime

from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.inbox_rows import rows_of
from adoption.models import Lesson
from governance import clock
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.inbox.rows.person_rows import look_of
from initiatives.models import Initiative

# The results of these are in the inboxes of the initiative concerned, or on the page of the library.
QUIET = {EntryKind.LESSON_ANSWERED, EntryKind.LESSON_CAME_AGAIN}


def tasks(person: User) -> list[InboxTask]:
    """Return a task for each initiative with lessons to answer, and one for lessons to confirm."""
    look = look_of(person)
    found = [_answering(initiative) for initiative in rows_of(look)["lessons"]]
    if person.is_admin or look.units_with([SEAT]):
        waiting = Lesson.objects.filter(
            post_mortem__isnull=True, confirmed_at__isnull=True, removed_at__isnull=True
        )
        found += [
            _confirming(row) for row in waiting.exclude(entered_by=person).select_related("entered_by")[:20]
        ]
    return found


def _answering(initiative: Initiative) -> InboxTask:
    count = len(initiative.asked_since)
    return InboxTask(
        "answer",
        phrase("1 lesson from others: {}", initiative.title)
        if count == 1
        else phrase("{} lessons from others: {}", count, initiative.title),
        reverse("lessons-answer", args=[initiative.ref]),
        phrase("Answer"),
        why=phrase("The next gate cannot be decided before each lesson is answered."),
        ref=initiative.ref,
        since=clock.local_day(datetime.fromisoformat(initiative.asked_since[0])),
        matter=f"lessons:{initiative.pk}",
    )


def _confirming(lesson: Lesson) -> InboxTask:
    return InboxTask(
        "confirm",
        phrase("Lesson from outside: {}", lesson.text[:100]),
        reverse("lesson", args=[lesson.pk]),
        phrase("Read and confirm"),
        why=phrase(
            "{} entered this lesson. Initiatives are asked to answer the lesson after someone "
            "else has confirmed it.",
            lesson.entered_by,
        ),
        since=clock.local_day(lesson.entered_at),
    )
