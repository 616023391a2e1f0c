"""One clock for the whole application.

Rules never ask the system for the time. An act gets its moment here and passes the moment to the rules. Demonstrations
and walks set the clock with `simulated`, to replay months in seconds.
"""

from collections.abc import Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from django.utils import timezone

# The two times of a local hour that comes twice.
TWICE = ("before the clocks change", "after the clocks change")
_simulated: ContextVar[datetime | None] = ContextVar("plumbline_simulated_now", default=None)


def now() -> datetime:
    """Return the moment of acting: aware, in UTC unless a simulated moment is set."""
    return _simulated.get() or timezone.now()


def today() -> date:
    """Return the local day of `now()`. docs/domain.md: days end at local midnight, in one time zone."""
    return local_day(now())


def local(moment: datetime) -> datetime:
    """Return the moment in the configured time zone."""
    return timezone.localtime(moment, timezone.get_default_timezone())


def local_day(moment: datetime) -> date:
    """Return the day, in the configured time zone, on which `moment` falls."""
    return _day_in(timezone.get_default_timezone(), moment)


@lru_cache(maxsize=4096)
def _day_in(zone: tzinfo, moment: datetime) -> date:
    return timezone.localtime(moment, zone).date()


def at_second(seconds: float) -> datetime:
    """Return the moment so many seconds after the beginning of 1970, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_in_words(moment: datetime) -> str:
    """Return the local moment in words, such as "11:00 on 12 November 2026"."""
    return f"{hour_in_words(moment)} on {local(moment):%-d %B %Y}"


def hour_in_words(moment: datetime) -> str:
    """Return the local hour and minute, such as "11:00", or "02:30 (before the clocks change)" if it comes twice."""
    here = local(moment)
    which = f" ({TWICE[here.fold]})" if comes_twice(here) else ""
    return f"{here:%H:%M}{which}"


def comes_twice(here: datetime) -> bool:
    """Return True if the local time `here` comes twice, because the clocks go back. `fold` is 1 the second time."""
    return here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()


def midnight_before(day: date) -> datetime:
    """Return the first moment of `day` in the configured time zone. Clock changes count."""
    return _midnight_in(timezone.get_default_timezone(), day)


@lru_cache(maxsize=4096)
def _midnight_in(zone: tzinfo, day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), zone)


def midnight_after(day: date) -> datetime:
    """Return the first moment after `day`. A state that is current through `day` ends here."""
    return midnight_before(day + timedelta(days=1))


def moments_of(day: date, minutes: Iterable[int]) -> set[datetime]:
    """Return the moments of `day` at which a local time of these minutes may begin, in UTC.

    On a day on which clocks change, the quarters of each hour are among them, because a local time may begin there.
    """
    begin, end = midnight_before(day), midnight_after(day)
    walls = [datetime.combine(day, time.min, begin.tzinfo) + timedelta(minutes=minute) for minute in minutes]
    found = {wall.replace(fold=fold).astimezone(UTC) for wall in walls for fold in (0, 1)}
    if begin.utcoffset() != end.utcoffset():
        found |= {begin.astimezone(UTC) + timedelta(minutes=quarter) for quarter in range(0, 26 * 60, 15)}
    return found


def last_day_before(moment: datetime) -> date:
    """Return the last local day that began before `moment`. Midnight gives the day that ends then."""
    return local_day(moment - timedelta(microseconds=1))


def simulating() -> datetime | None:
    """Return the simulated moment in force, or None when the real clock runs."""
    return _simulated.get()


@contextmanager
def simulated(moment: datetime):
    """Let `now()` be `moment` inside the block. The audit log marks what is written meanwhile as simulated."""
    if moment.tzinfo is None:
        raise ValueError("The simulated time has no time zone. Add a time zone.")
    token = _simulated.set(moment)
    try:
        yield moment
    finally:
        _simulated.reset(token)
