"""Dependences to confirm, in the inbox of who is asked and in reminders."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.notifications.due import since
from governance.notifications.inbox import InboxTask
from governance.vocabulary import CLOSED_STAGES
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.lifecycle.reminders.recipients import BOARD_AFTER, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Dependant

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the dependences that the person is asked to confirm."""
    yield from (_described(row).task() for row in look.rows("dependants"))


def _described(row: Dependant) -> DueTask:
    return DueTask(
        f"dependant:{row.pk}",
        row.initiative,
        row.executive,
        phrase("{} depends on {}", row.who, row.initiative.name_for_all),
        Act("confirm", reverse("row-act", args=["dependants", row.pk, "state"]), phrase("Read and answer")),
        phrase(
            "{} recorded that {} can work for at most {} without the initiative, and named you to confirm it. "
            "The dependence counts after you have confirmed it. You can also decline.",
            row.stated_by,
            row.who,
            row.outage,
        ),
        clock.local_day(row.stated_at),
        None,
        phrase("does {} depend on it?", row.who),
        ("dependence", "dependence"),
        waits=(0, 3, 7),
        says_all=True,
        outside=True,
        escalates=False,
    )


def reminders(moment: datetime):
    """Yield dependences to confirm, to the executive at once, after 3 and 7 days. Later who named them gets it."""
    rows = list(
        Dependant.objects.waiting()
        .filter(executive__is_active=True, initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("initiative__unit", "executive", "stated_by")
        .order_by("pk")
    )
    yield from remind([_described(row) for row in rows], moment, lambda circle, one: [one.person])
    for row in rows:
        start = clock.local_day(row.stated_at)
        yield from told(
            [row.stated_by],
            since(start, clock.local_day(moment), (BOARD_AFTER,)),
            about(
                row.initiative,
                "dependence unanswered",
                f"dependant:{row.pk}",
                phrase("{} has not answered for two weeks", row.executive),
                text=phrase(
                    "{} has been asked since {} whether {} depends on it. Speak to this person, or close the "
                    "dependence and name someone else.",
                    row.executive,
                    start,
                    row.who,
                ),
                link=reverse("deployments", args=[row.initiative.ref]),
            ),
        )
