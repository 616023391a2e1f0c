"""Inbox tasks and reminders about drills that are due again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse

from governance import clock
from governance.models import Rulebook
from governance.notifications.inbox import InboxTask
from governance.vocabulary import RUNNING_STAGES, Role
from governance.vocabulary.phrases import phrase
from initiatives.integration.resilience.drill_findings import Tried, current_drills, tried
from initiatives.lifecycle.holds.due_tasks import NEAR
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.models import Drill, Initiative, RequirementFinding

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look"):
    """Yield tasks for the person's drills that are overdue or due within two weeks."""
    working = {pk: initiative for pk, (initiative, _) in look.working.items()}
    for one in _due(look.rows("drills"), working):
        yield one.task(look.standing_in_on.get(one.initiative.pk, ""))
    for row in look.rows("first_drills"):
        if row.initiative_id in working:
            yield _first(row, working[row.initiative_id], look.standing_in_on.get(row.initiative_id, ""))


def _first(row: RequirementFinding, initiative: Initiative, on_behalf: str) -> InboxTask:
    """Return the task for the first fallback drill of a link added in production."""
    due = clock.local_day(row.since) - timedelta(days=1)
    grace = Rulebook.objects.current().parsed.freshness.grace_days
    return InboxTask(
        "refresh",
        phrase("{}: {}", row.fix.partition(" and record")[0], initiative.title),
        f"{reverse('integration-drills', args=[initiative.ref])}?link={row.source.split(':')[1]}",
        phrase("Open the drills"),
        phrase(
            "The link has no separate fallback drill. After the due date, the evidence does not support "
            "production."
        ),
        initiative.ref,
        due,
        on_behalf=on_behalf,
        since=due - timedelta(days=grace),
        about=(f"{row.source}:{row.since:%Y-%m-%d}",),
    )


def _due(drills: Iterable[Drill], initiatives: dict[int, Initiative]) -> list[DueTask]:
    last = clock.today() + NEAR
    return [
        _described(initiatives[key], link, kind, those)
        for (key, link, kind), those in sorted(
            tried(drills).items(), key=lambda found: (found[0][0], found[0][1] or 0, found[0][2])
        )
        if those.next_due is not None and those.next_due <= last
    ]


def _described(initiative: Initiative, link: int | None, kind: str, those: Tried) -> DueTask:
    day = those.next_due
    name = f"the {those.newest.get_kind_display().lower()} drill{f' on {those.newest.link.system}' if link else ''}"
    return DueTask(
        f"drill:{initiative.pk}:{link or 0}:{kind}:{day.isoformat()}",
        initiative,
        None,
        phrase("{}{} of {}", name[:1].upper(), name[1:], initiative.title),
        Act("refresh", reverse("integration-drills", args=[initiative.ref]), phrase("Repeat the drill")),
        "Cause the fault again, observe the result, and record the result with its trace."
        + (" The drill does not count until you repeat it." if day < clock.today() else ""),
        max(day - NEAR, those.newest.observed_on),
        day,
        phrase("Repeat {} by {}", name, day),
        ("drill", "drill"),
        says_all=True,
    )


def drills(moment: datetime):
    """Return reminders of drills that are due again, to owner and technical lead.

    Reminders go out 14 and 3 days before, on the day and once after, and are escalated.
    """
    due = Drill.objects.current().filter(next_due__lte=clock.local_day(moment) + NEAR)
    near = Initiative.objects.live().filter(pk__in=due.values("initiative"), stage__in=RUNNING_STAGES)
    initiatives = {initiative.pk: initiative for initiative in near.select_related("unit").order_by("pk")}
    return remind(
        _due(current_drills(initiatives), initiatives),
        moment,
        lambda circle, one: [
            *circle.in_charge(one.initiative),
            circle.role(one.initiative, Role.TECHNICAL_LEAD),
        ],
    )
