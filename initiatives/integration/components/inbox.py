"""Inbox tasks and reminders about components near or past their end of life."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance import clock
from governance.vocabulary import RUNNING_STAGES, Layer, Role
from governance.vocabulary.phrases import phrase
from initiatives.integration.components.findings import Ending, ending_by, endings, opens_days
from initiatives.integration.components.remedies import replacing
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.models import Initiative

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look"):
    """Yield tasks for the person's components near or past their end of life."""
    for one in endings(look.rows("ending_components")):
        if one.opens <= look.today and one.counts_from is not None:
            initiative = look.working[one.use.initiative_id][0]
            yield _described(one, initiative).task(look.standing_in_on.get(initiative.pk, ""))


def _days() -> tuple[int, ...]:
    """Return the days before the end of life with a reminder, the earliest first."""
    return (opens_days(), *(days for days in (30, 0) if days < opens_days()))


def _described(one: Ending, initiative: Initiative) -> DueTask:
    gone = one.day <= clock.today()
    uncounted = (
        " Evidence that names this model does not count until you record a replacement."
        if gone and one.version.layer == Layer.MODEL
        else ""
    )
    return DueTask(
        f"component:{one.use.pk}:{one.day.isoformat()}",
        initiative,
        None,
        phrase("What replaces {} in {}?", one.version, initiative.title),
        Act("answer", replacing(initiative, one.use), phrase("Record the replacement")),
        f"{'The component reached its end of life.' if gone else 'The component reaches its end of life soon.'} "
        f"{one.fix}{uncounted}",
        one.opens,
        one.day,
        f"{one.version} {'reached' if gone else 'reaches'} its end of life on {one.day:%-d %B %Y}",
        ("component ends", "component ends"),
        days=_days(),
        says_all=True,
    )


def components_ending(moment: datetime):
    """Return reminders of components near their end, to owner and technical lead.

    Reminders go out when the task opens, 30 days before, on the day and once after, and are escalated. An initiative
    that has recorded a replacement gets none.
    """
    ending = ending_by(clock.local_day(moment) + timedelta(days=opens_days()))
    near = Initiative.objects.live().filter(
        pk__in={one.use.initiative_id for one in ending}, stage__in=RUNNING_STAGES
    )
    initiatives = {initiative.pk: initiative for initiative in near.select_related("unit")}
    found = [
        _described(one, initiatives[one.use.initiative_id])
        for one in ending
        if one.use.initiative_id in initiatives
    ]
    return remind(
        found,
        moment,
        lambda circle, one: [
            *circle.in_charge(one.initiative),
            circle.role(one.initiative, Role.TECHNICAL_LEAD),
        ],
    )
