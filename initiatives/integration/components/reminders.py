"""Components that near their end of life, or are past it."""

from datetime import datetime, timedelta

from governance import clock
from governance.notifications.due import before, late
from governance.vocabulary import RUNNING_STAGES, Layer, Role
from initiatives.integration.components.findings import OPENS_DAYS, ending_by
from initiatives.integration.components.remedies import replacing
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Initiative

THRESHOLDS = (OPENS_DAYS, 30, 0)  # days before


def components_ending(moment: datetime):
    """What runs and nears its end: to owner and technical lead, 90 and 30 days before, on it, once after; escalated.

    An initiative that has recorded what runs by then is left alone.
    """
    today = clock.local_day(moment)
    ending = ending_by(today + timedelta(days=OPENS_DAYS))
    initiatives = {
        initiative.pk: initiative
        for initiative in Initiative.objects.live()
        .filter(pk__in={one.use.initiative_id for one in ending}, stage__in=RUNNING_STAGES)
        .select_related("unit")
    }
    circle = Circle(initiatives.values())
    for one in ending:
        initiative = initiatives.get(one.use.initiative_id)
        if initiative is None:
            continue
        yield from told(
            [*circle.in_charge(initiative), circle.role(initiative, Role.TECHNICAL_LEAD)],
            before(one.day, today, THRESHOLDS) or late(one.day, today),
            about(
                initiative,
                "component ends",
                f"component:{one.use.pk}:{one.day.isoformat()}",
                f"{one.version} {'reached' if one.day <= today else 'reaches'} its end of life on {one.day:%-d %B %Y}",
                text=one.fix
                + (
                    " Until then what it showed does not count."
                    if one.day <= today and one.version.layer == Layer.MODEL
                    else ""
                ),
                link=replacing(initiative, one.use),
                due_on=one.day,
            ),
            circle.escalated(initiative, one.day, today),
        )
