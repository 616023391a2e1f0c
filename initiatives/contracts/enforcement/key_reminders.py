"""Reminders of keys whose responsible person no longer has an account."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from governance import clock
from governance.models import ServiceKey
from governance.notifications.due import Due, before, late
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about


def keys_without_person(moment: datetime) -> Iterator[Due]:
    """Yield the keys for which another person must be named, to the owner, or to sponsor and chair without one."""
    today = clock.local_day(moment)
    keys = list(
        ServiceKey.objects.filter(principal_left_at__isnull=False, revoked_at=None, expires_at__gt=moment)
        .select_related("principal", "contract__initiative__unit")
        .order_by("pk")
    )
    circle = Circle(key.contract.initiative for key in keys)
    for key in keys:
        initiative, last = key.contract.initiative, clock.last_day_before(key.named_until)
        yield from told(
            circle.in_charge(initiative),
            before(last, today) or late(last, today, weekly=True),
            about(
                initiative,
                "key without person",
                f"key:{key.pk}",
                f"no one is responsible for the key of {key.system}",
                text=(
                    f"The account of {key.principal} has ended. Name another person by {last:%-d %B %Y}. After that "
                    "day, Plumbline denies every request for a decision with this key."
                ),
                link=reverse("api-access", args=[initiative.ref]),
                due_on=last,
            ),
        )
