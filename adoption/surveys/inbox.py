"""Surveys to close in inbox and reminders, and the reminder to ask again a quarter later."""

from datetime import datetime, timedelta

from django.db.models import Max
from django.urls import reverse

from adoption.inbox_rows import rows_of
from adoption.models import Survey
from governance import clock
from governance.models import User
from governance.notifications.inbox import InboxTask
from governance.vocabulary import Stage
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Contribution
from initiatives.inbox.rows.person_rows import look_of
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Initiative

QUARTER = timedelta(days=90)


def tasks(person: User) -> list[InboxTask]:
    """Return the surveys that the person has to close, as owner or as who stands in for the owner."""
    look = look_of(person)
    return [
        _to_close(row).task(look.standing_in_on.get(row.initiative_id, ""))
        for row in rows_of(look)["surveys"]
    ]


def _to_close(row: Survey) -> DueTask:
    """Return the task to close a survey, from the day after its last day on."""
    return DueTask(
        f"survey:{row.pk}",
        row.initiative,
        None,
        phrase("Survey “{}” of {}", row.title, row.initiative.title),
        Act("complete", reverse("survey", args=[row.pk]), phrase("Close the survey and read the results")),
        phrase("The last day for answers has passed. Close the survey to see the results."),
        row.closes + timedelta(days=1),
        None,
        phrase("the survey “{}” no longer accepts answers", row.title),
        ("close survey", "close survey"),
        waits=(0, 6),
        says_all=True,
        escalates=False,
    )


def to_close(moment: datetime):
    """Return the reminders of surveys to close, on the day after their last day and 6 days later."""
    rows = (
        Survey.objects.filter(state=Survey.OPEN, closes__lt=clock.local_day(moment))
        .select_related("initiative__unit")
        .order_by("pk")
    )
    return remind(
        [_to_close(row) for row in rows], moment, lambda circle, one: circle.in_charge(one.initiative)
    )


def next_due(moment: datetime):
    """Yield running initiatives without a survey for a quarter, once for each missing one."""
    initiatives = list(
        Initiative.objects.filter(
            stage__in=(Stage.MVP, Stage.PRODUCTION), withdrawn_at__isnull=True, surveys__isnull=False
        )
        .exclude(surveys__state__in=(Survey.DRAFT, Survey.OPEN))
        .annotate(asked_at=Max("surveys__closed_at"))
        .filter(asked_at__lte=moment - QUARTER)
        .select_related("unit")
        .order_by("pk")
    )
    circle = Circle(initiatives)
    for initiative in initiatives:
        last = clock.local_day(initiative.asked_at)
        yield from told(
            circle.in_charge(initiative),
            f"since{last}",
            about(
                initiative,
                "ask users",
                f"initiative:{initiative.pk}",
                "its users have not had a survey for a quarter",
                text=(
                    f"The last survey was closed on {last:%-d %B %Y}. A few questions once a quarter "
                    "show changes."
                ),
                link=reverse("adoption-surveys", args=[initiative.ref]),
                due_on=last + QUARTER,
            ),
        )


CONTRIBUTION = Contribution(
    inbox_tasks=[tasks],
    due_queries=[to_close, next_due],
    passing={"close survey", "ask users"},
    notification_verbs={
        "close survey": "Close the survey and read the results",
        "ask users": "Write the next survey",
    },
)
