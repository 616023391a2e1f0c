"""One clock for the whole application.

Rules never ask the system for the time: they are handed a moment, and whoever starts an act gets that
moment here. Demonstrations and walks replay months in seconds by setting it with `simulated`.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from django.utils import timezone

_simulated: ContextVar[datetime | None] = ContextVar("plumbline_simulated_now", default=None)


def now() -> datetime:
    """The moment of acting: aware, in UTC unless a simulated moment is set."""
    return _simulated.get() or timezone.now()


def today() -> date:
    """The local day of `now()`, in the one configured time zone (docs/domain.md: days end at local midnight)."""
    return local_day(now())


def local(moment: datetime) -> datetime:
    """The moment in the configured time zone: what its clocks and calendars show."""
    return timezone.localtime(moment, timezone.get_default_timezone())


def local_day(moment: datetime) -> date:
    """The day, in the configured time zone, on which `moment` falls."""
    return _day_in(timezone.get_default_timezone(), moment)


@lru_cache(maxsize=4096)
def _day_in(zone: tzinfo, moment: datetime) -> date:
    return timezone.localtime(moment, zone).date()


def at_second(seconds: float) -> datetime:
    """The moment so many seconds after the beginning of 1970, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_in_words(moment: datetime) -> str:
    """The moment in the configured time zone as people say it: "11:00 on 12 November 2026"."""
    return f"{local(moment):%H:%M} on {local(moment):%-d %B %Y}"


def midnight_before(day: date) -> datetime:
    """The first moment of `day` in the configured time zone, right on days when clocks change too."""
    return _midnight_in(timezone.get_default_timezone(), day)


@lru_cache(maxsize=4096)
def _midnight_in(zone: tzinfo, day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), zone)


def midnight_after(day: date) -> datetime:
    """The first moment that is no longer `day`: what is current through `day` ends here."""
    return midnight_before(day + timedelta(days=1))


def last_day_before(moment: datetime) -> date:
    """The last day any of which lay before `moment`: for a midnight the day that ends there, else its own."""
    return local_day(moment - timedelta(microseconds=1))


def simulating() -> datetime | None:
    """The simulated moment in force, or None when the real clock runs."""
    return _simulated.get()


@contextmanager
def simulated(moment: datetime):
    """Let `now()` be `moment` inside the block. The audit log marks what is written meanwhile as simulated."""
    if moment.tzinfo is None:
        raise ValueError("A simulated moment needs a time zone.")
    token = _simulated.set(moment)
    try:
        yield moment
    finally:
        _simulated.reset(token)
