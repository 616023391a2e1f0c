"""Reminders of waivers that end."""

from datetime import datetime, timedelta

from governance import clock
from governance.models import Rulebook
from governance.notifications.due import before
from governance.vocabulary import CLOSED_STAGES
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Waiver


def waivers(moment: datetime):
    """Yield ending waivers, 14 and 3 days before. Requester and owner get them, else sponsor and chair."""
    today = clock.local_day(moment)
    rows = list(
        Waiver.objects.granted()
        .filter(until__range=(today, today + timedelta(days=14)), initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("requested_by", "initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    rulebook = Rulebook.objects.current().parsed if rows else None
    for row in rows:
        initiative = row.initiative
        known = rulebook.requirements.get(row.key) or rulebook.criteria.get(row.key)
        yield from told(
            [row.requested_by, *circle.in_charge(initiative)],
            before(row.until, today, (14, 3)),
            about(
                initiative,
                "waiver",
                f"waiver:{row.pk}",
                f"a waiver ends on {row.until:%-d %B %Y}",
                text=(
                    f"{known.question if known else row.key} The requirement must be met after that day. "
                    "A requirement cannot have two waivers in a row."
                ),
                link=row.get_absolute_url(),
                due_on=row.until,
            ),
        )
