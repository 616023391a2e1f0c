"""Readiness of this process: its needs, each checked with a time limit and cached.

Results are kept for two seconds. A caller never hangs with a source, because each source has its own thread, at most
one at a time.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError

from governance.database import replica
from governance.interaction_log import keys
from governance.models.installation import WEB
from governance.operations import heartbeats, static_files
from governance.queue import broker_settings
from governance.runtime import clock_check
from governance.storage import data_folder

log = structlog.get_logger("plumbline.readiness")

OK, AWAY = "ok", "away"
KEPT = 2.0  # seconds for which an answer is kept
PATIENCE = 3.0  # seconds, after which a source counts as away
UNKNOWN = "not known: the database does not answer"


@dataclass(frozen=True)
class Check:
    """A condition of readiness. `ask` returns "ok", or what is wrong and what to do.

    A condition that is not `needed` takes no process out of service. `told_as` is what strangers are told in place of
    the words. One thread asks checks with the same `source` in turn.
    """

    name: str
    ask: Callable[[], str]
    needed: bool = True
    source: str = ""
    told_as: str = ""


def database() -> str:
    """Return "ok" if the database answers. The details go to the log, not to strangers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as trouble:
        log.warning("the database does not answer", trouble=str(trouble).strip())
        return "does not answer. Check that the database runs and that DATABASE_URL is right"
    return OK


def migrations() -> str:
    """Return "ok", or the number of migrations that are not applied."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return UNKNOWN
    return OK if not missing else f"{missing} not applied. Run `manage.py migrate`"


def clock() -> str:
    """Return "ok" if this machine's clock agrees with the database's. Admins are notified of a difference."""
    try:
        found = clock_check.off()
    except DatabaseError:
        return UNKNOWN
    if not found:
        return OK
    words = f"{clock_check.in_words(found)}. Set the clock by NTP"
    log.error("the clock of this machine is off", off=words)
    heartbeats.say(WEB, heartbeats.process_name(), off=found)
    return words


def folder_of_files() -> str:
    """Return "ok" if the folder of files belongs to this database."""
    try:
        return data_folder.condition()
    except DatabaseError:
        return UNKNOWN


def interaction_keys() -> str:
    """Return "ok" if this host has the keys of the interaction log."""
    try:
        return keys.condition()
    except DatabaseError:
        return UNKNOWN


def read_replica() -> str:
    """Return "ok", or why pages read from the primary alone."""
    try:
        return replica.words()
    except DatabaseError:
        return UNKNOWN


def broker() -> str:
    """Return "ok" if the queue takes messages."""
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        place = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        if not os.access(place, os.W_OK | os.X_OK):
            return "the folder of the queue cannot be written. See PLUMBLINE_DATA"
        return OK
    try:
        with current_app.connection_for_write(
            settings.CELERY_BROKER_URL, connect_timeout=broker_settings.PATIENCE
        ) as opened:
            opened.ensure_connection(max_retries=1, interval_start=0, timeout=broker_settings.PATIENCE)
    except (OperationalError, OSError):
        return "does not answer. Check that the broker runs and that CELERY_BROKER_URL is right"
    return OK


CHECKS = [
    Check("database", database, source="database"),
    Check("migrations", migrations, source="database"),
    Check("clock", clock, source="database"),
    Check("folder", folder_of_files, source="folder"),
    Check("broker", broker, needed=False, told_as=AWAY),
    Check("static", static_files.condition, needed=False),
    Check("interaction keys", interaction_keys, needed=False, source="database"),
]
if replica.set_up():
    CHECKS.append(Check("replica", read_replica, needed=False, told_as=AWAY))


@dataclass
class _Asked:
    """A question to one source, and its answers until now."""

    begun: float
    said: dict[str, str] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class Readiness:
    """The latest results, by source."""

    def __init__(self):
        self._lock = threading.Lock()
        self._asked: dict[str, _Asked] = {}

    def forget(self) -> None:
        """Know nothing: the next check asks anew."""
        with self._lock:
            self._asked = {}

    def conditions(self, checks: list[Check] | None = None) -> dict[str, str]:
        """Return each check's name with "ok", or what is wrong."""
        sources: dict[str, list[Check]] = {}
        for check in CHECKS if checks is None else checks:
            sources.setdefault(check.source or check.name, []).append(check)
        asked = {source: self._ask(source, of_source) for source, of_source in sources.items()}
        found = {}
        for source, of_source in sources.items():
            one = asked[source]
            one.done.wait(max(0.0, one.begun + PATIENCE - time.monotonic()))
            for check in of_source:
                found[check.name] = one.said.get(check.name, f"does not answer within {PATIENCE:.0f} seconds")
        return found

    def _ask(self, source: str, checks: list[Check]) -> _Asked:
        with self._lock:
            asked = self._asked.get(source)
            if asked is not None and not (asked.done.is_set() and time.monotonic() >= asked.begun + KEPT):
                return asked
            asked = self._asked[source] = _Asked(time.monotonic())
        threading.Thread(target=_answer, args=[asked, checks], name=f"ready: {source}", daemon=True).start()
        return asked


def _answer(asked: _Asked, checks: list[Check]) -> None:
    try:
        for check in checks:
            asked.said[check.name] = check.ask()
    except Exception:
        log.exception("readiness could not be found out", check=check.name)
        asked.said[check.name] = "unknown. See the log of Plumbline"
    finally:
        asked.done.set()
        connections.close_all()


readiness = Readiness()


def ready() -> tuple[bool, dict[str, str]]:
    """Return True if this process can do its work, and the result of each check."""
    found = readiness.conditions()
    told = {
        check.name: OK if found[check.name] == OK else check.told_as or found[check.name] for check in CHECKS
    }
    return all(told[check.name] == OK for check in CHECKS if check.needed), told


def broker_condition() -> str:
    """ "ok", or what is wrong with the queue, within the time limit."""
    (check,) = [one for one in CHECKS if one.name == "broker"]
    return readiness.conditions([check])["broker"]
