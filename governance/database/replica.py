"""Read from a streaming replica: for a while, the connection "default" of a thread is the replica's.

All code reads through that connection, also the statements that it writes itself. A setting of a transaction, such as
the day of a page of the past, belongs to one connection too. So the connection is exchanged as a whole, and no router
chooses one for each query (ADR 85). Acts exchange it back (`primary`).
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import psycopg
import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections

from governance.database import request_memo

log = structlog.get_logger("plumbline.replica")

Result = TypeVar("Result")
View = TypeVar("View", bound=Callable[..., Any])
ALIAS = "replica"
KEPT = 1.0  # seconds for which a measurement is kept
REST = 10.0  # seconds for which a replica that cannot be read is left alone
TOLD = 1.0  # seconds of lag beyond which a page names its moment
AWAY = "does not answer. Check that the replica runs and that PLUMBLINE_REPLICA_URL is right"
FOREIGN = "is not a replica of the database in DATABASE_URL. Correct PLUMBLINE_REPLICA_URL"
BEHIND = "has replayed nothing yet. Wait until it has caught up"

# `- '0/0'` makes a number of bytes of a place in the log of the database.
OF_PRIMARY = """
SELECT pg_current_wal_lsn() - '0/0', clock_timestamp(), (SELECT system_identifier FROM pg_control_system())
"""
OF_REPLICA = """
SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()),
       pg_last_wal_replay_lsn() - '0/0', pg_last_xact_replay_timestamp()
"""


@dataclass(frozen=True)
class Measured:
    """The state of the replica: it has everything until a moment, and the log up to a place.

    `lag` is in seconds. `at` is when it was measured, by the clock of the process. `trouble` is why the replica cannot
    be read, or "".
    """

    at: float
    until: datetime | None = None
    lag: float = 0.0
    place: int = 0
    trouble: str = ""

    def has(self, place: int) -> bool:
        """Return True if the replica may be read now and has the log up to this place."""
        age = time.monotonic() - self.at  # the replica may have stopped right after it was measured
        return not self.trouble and self.lag + age <= settings.REPLICA_LAG_SECONDS and place <= self.place

    @property
    def told_as_of(self) -> datetime | None:
        """Return the moment that a page read from here names, or None if it is up to date."""
        return self.until if self.lag > TOLD else None


_read_from: ContextVar[Measured | None] = ContextVar("plumbline_read_from", default=None)
_set_aside: ContextVar[Any] = ContextVar("plumbline_primary_set_aside", default=None)


class Watch:
    """Measures the replica for all threads of this process, at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Measured | None = None
        self._next = 0.0
        # Of the primary: the place of its log, and when. What the replica has of it tells how far behind it is, also if
        # nothing is committed for a while.
        self._places: deque[tuple[int, datetime]] = deque(maxlen=120)

    def latest(self) -> Measured:
        """Return the latest measurement. While one thread measures, the others get the former one."""
        if time.monotonic() >= self._next and self._lock.acquire(blocking=self._latest is None):
            try:
                if time.monotonic() >= self._next:
                    self._latest = self._measure()
                    self._next = time.monotonic() + (REST if self._latest.trouble else KEPT)
            finally:
                self._lock.release()
        assert self._latest is not None
        return self._latest

    def forget(self) -> None:
        """Measure again when asked next."""
        self._next = 0.0

    def failed(self) -> None:
        """Leave the replica alone for a while, because it went away."""
        self._latest, self._next = Measured(time.monotonic(), trouble=AWAY), time.monotonic() + REST

    def _measure(self) -> Measured:
        at = time.monotonic()
        with primary(), connection.cursor() as cursor:
            cursor.execute(OF_PRIMARY)
            place, now, database = cursor.fetchone()
        self._places.append((int(place), now))
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(OF_REPLICA)
                standby, same, replayed, committed = cursor.fetchone()
        except DatabaseError as trouble:
            connections[ALIAS].close()
            log.warning("the replica does not answer", trouble=str(trouble).strip())
            return Measured(at, trouble=AWAY)
        if not standby or same != database:
            return Measured(at, trouble=FOREIGN)
        known = [when for where, when in self._places if where <= replayed]
        until = max([*known, *([committed] if committed else [])], default=None)
        if until is None:
            return Measured(at, trouble=BEHIND)
        return Measured(at, until, max(0.0, (now - until).total_seconds()), int(replayed))


watch = Watch()


def set_up() -> bool:
    """Return True if this installation has a replica."""
    return ALIAS in settings.DATABASES


def reads_replica(view: View) -> View:
    """Mark a view whose GET shows much and may be some seconds old. It reads from the replica, where there is one."""
    view.reads_replica = True
    return view


def read_from() -> Measured | None:
    """Return what the running page reads from the replica, or None if it reads from the primary."""
    return _read_from.get()


def place_now() -> int:
    """Return the place in the log up to which everything that is committed now has been written."""
    with primary(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'")
        return int(cursor.fetchone()[0])


def words() -> str:
    """Return "ok", or why pages read from the primary alone."""
    found = watch.latest()
    if not found.trouble and found.lag > settings.REPLICA_LAG_SECONDS:
        return f"is {found.lag:.0f} seconds behind. Pages read from the primary until it has caught up"
    return found.trouble or "ok"


@contextmanager
def reading(found: Measured) -> Iterator[None]:
    """Read from the replica inside. Each thing is read again inside, and again afterwards."""
    tokens = _set_aside.set(connections[DEFAULT_DB_ALIAS]), _read_from.set(found)
    connections[DEFAULT_DB_ALIAS] = connections[ALIAS]
    try:
        with request_memo.afresh(), request_memo.one_look():
            yield
    finally:
        connections[DEFAULT_DB_ALIAS] = _set_aside.get()
        _set_aside.reset(tokens[0])
        _read_from.reset(tokens[1])


@contextmanager
def primary() -> Iterator[None]:
    """Use the primary inside, also in the middle of a page that reads from the replica.

    A transaction of the replica is not left, because that would allow acts inside a look at the past.
    """
    aside = _set_aside.get()
    if aside is None or connection.in_atomic_block:
        yield
        return
    there, token = connections[DEFAULT_DB_ALIAS], _set_aside.set(None)
    connections[DEFAULT_DB_ALIAS] = aside
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = there
        _set_aside.reset(token)


def read(function: Callable[[], Result]) -> Result:
    """Return the result of a function that only reads, from the replica once that has all there is now.

    The primary is read if that takes too long. If the replica fails, the function is called again.
    """
    found = _caught_up() if set_up() else None
    if found is not None:
        try:
            with reading(found):
                return function()
        except (DatabaseError, psycopg.Error) as trouble:  # psycopg's own from cursors of its own
            log.warning("the replica failed, so the primary is read", trouble=str(trouble).strip())
    return function()


def _caught_up() -> Measured | None:
    """Return what the replica has as soon as that is all there is now, or None if it lags for too long."""
    place, end = place_now(), time.monotonic() + settings.REPLICA_LAG_SECONDS
    while not (found := watch.latest()).has(place):
        if found.trouble or time.monotonic() > end:
            return None
        time.sleep(KEPT / 4)
    return found


def in_steps(parts: Iterable[bytes], found: Measured) -> Iterator[bytes]:
    """Yield the parts of a file, each made from the replica. The thread has its primary back between two parts."""
    made = iter(parts)
    try:
        while True:
            with reading(found):
                part = next(made, None)
            if part is None:
                return
            yield part
    finally:
        if hasattr(made, "close"):
            with reading(found):
                made.close()
