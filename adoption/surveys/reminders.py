"""Reminders of surveys: close one after its last day, ask again a quarter later."""

from datetime import datetime, timedelta

from django.db.models import Max
from django.urls import reverse

from adoption.models import Survey
from governance import clock
from governance.notifications.due import since
from governance.vocabulary import Stage
from initiatives.contributions import Contribution
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Initiative

QUARTER = timedelta(days=90)


def to_close(moment: datetime):
    """Yield open surveys the day after their last day and a week later. Their results wait for the closing."""
    today = clock.local_day(moment)
    rows = list(
        Survey.objects.filter(state=Survey.OPEN, closes__lt=today)
        .select_related("initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        yield from told(
            circle.in_charge(row.initiative),
            since(row.closes, today, (1, 7)),
            about(
                row.initiative,
                "close survey",
                f"survey:{row.pk}",
                f"the survey “{row.title}” no longer accepts answers",
                text="The last day for answers has passed. Close the survey to see the results.",
                link=reverse("survey", args=[row.pk]),
                due_on=row.closes,
            ),
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
    due_queries=[to_close, next_due],
    passing={"close survey", "ask users"},
    notification_verbs={
        "close survey": "Close the survey and read the results",
        "ask users": "Write the next survey",
    },
)
