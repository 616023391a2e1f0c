"""What waits for a person about lessons: those of own initiatives that are not answered, those from outside to
confirm.
"""

from django.db.models import Count, Q
from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.lessons.actions import REQUIREMENT
from adoption.models import Lesson
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary import Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.inbox.rows.person_rows import look_of
from initiatives.models import Initiative

# What these change stands in the inboxes of the initiative they are about, or on the page of the library.
QUIET = {EntryKind.LESSON_ANSWERED, EntryKind.LESSON_CAME_AGAIN}


def tasks(person: User) -> list[InboxTask]:
    """A task for each initiative of theirs before its gate with lessons to answer, and one for lessons to confirm."""
    look = look_of(person)
    owned = {row.initiative_id for row in look.roles if row.accepted_at and row.role == Role.OWNER}
    owned |= {initiative.pk for initiative in look.standing_in}
    found = []
    if owned:
        unanswered = Q(
            requirement_findings__requirement=REQUIREMENT, requirement_findings__ended_at__isnull=True
        )
        rows = (
            Initiative.objects.filter(pk__in=owned, stage__in=(Stage.PROTOTYPE, Stage.MVP))
            .annotate(open_lessons=Count("requirement_findings", filter=unanswered))
            .filter(open_lessons__gt=0)
            .order_by("number")
        )
        found += [_answering(initiative) for initiative in rows]
    if person.is_admin or look.units_with([SEAT]):
        waiting = Lesson.objects.filter(
            post_mortem__isnull=True, confirmed_at__isnull=True, removed_at__isnull=True
        )
        found += [
            _confirming(row) for row in waiting.exclude(entered_by=person).select_related("entered_by")[:20]
        ]
    return found


def _answering(initiative: Initiative) -> InboxTask:
    count = initiative.open_lessons
    return InboxTask(
        "answer",
        f"{count} lesson{'' if count == 1 else 's'} of others: {initiative.title}",
        reverse("lessons-answer", args=[initiative.ref]),
        "Answer",
        why="Its next gate is not decided before each is answered: what was done, or why it does not apply.",
        ref=initiative.ref,
    )


def _confirming(lesson: Lesson) -> InboxTask:
    return InboxTask(
        "confirm",
        f"Lesson from outside: {lesson.text[:100]}",
        reverse("lesson", args=[lesson.pk]),
        "Read and confirm",
        why=f"{lesson.entered_by} entered it; it is offered once somebody else has confirmed it.",
    )
