"""Check of this machine's clock against the database's.

A machine with a wrong clock does nothing that depends on the day. A clock that is days ahead sends the emails of the
days to come, ends sessions and reviews, and makes good evidence old.
"""

import time

from django.conf import settings
from django.db import connections


class ClockOff(RuntimeError):
    """This machine's clock is wrong. The text has the difference and the fix."""


def off(using: str = "default") -> float:
    """Return how many seconds this machine's clock is ahead of the database's.

    Negative is behind. The result is 0 within `settings.CLOCK_MAY_DIFFER` seconds. If that is None, for frozen or
    simulated time, the database is not asked.
    """
    if settings.CLOCK_MAY_DIFFER is None:
        return 0.0
    before = time.time()
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        (there,) = cursor.fetchone()
    found = (before + time.time()) / 2 - there
    return found if abs(found) > settings.CLOCK_MAY_DIFFER else 0.0


def in_words(seconds: float) -> str:
    """Return the difference of a clock, such as "2 days ahead of the database's"."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, one = next((unit for unit in units if abs(seconds) >= unit[1]), units[-1])
    count = round(abs(seconds) / one)
    return (
        f"{count} {unit}{'' if count == 1 else 's'} {'ahead of' if seconds > 0 else 'behind'} the database's"
    )


def require() -> None:
    """Raise ClockOff where this machine's clock is not to be believed."""
    if found := off():
        raise ClockOff(
            f"The clock of this machine is {in_words(found)}. Set the clock by NTP. Tasks that depend on "
            "the date do not run until the clock is correct."
        )
