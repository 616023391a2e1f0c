"""Readiness of this process: what it needs, each asked with a time limit and kept for two seconds.

Whoever asks never hangs with what is asked: each source has a thread of its own, at most one at a time.
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

from governance.models.installation import WEB
from governance.operations import heartbeats
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
    """One thing to be in order. `ask` says "ok", or what is wrong and what to do.

    What is not `needed` is told as away, and takes no process out of service. Checks with the same `source` are asked
    in turn by one thread.
    """

    name: str
    ask: Callable[[], str]
    needed: bool = True
    source: str = ""


def database() -> str:
    """Whether the database answers. The details go to the log, not to strangers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as trouble:
        log.warning("the database does not answer", trouble=str(trouble).strip())
        return "does not answer; see that it runs and that DATABASE_URL is right"
    return OK


def migrations() -> str:
    """How many migrations the database still lacks."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return UNKNOWN
    return OK if not missing else f"{missing} not applied; run `manage.py migrate`"


def clock() -> str:
    """Whether this machine's clock agrees with the database's; where not, admins are told, on any host."""
    try:
        found = clock_check.off()
    except DatabaseError:
        return UNKNOWN
    if not found:
        return OK
    words = f"{clock_check.in_words(found)}; set it right (NTP)"
    log.error("the clock of this machine is off", off=words)
    heartbeats.say(WEB, heartbeats.process_name(), off=found)
    return words


def folder_of_files() -> str:
    """Whether the folder of files is the one of this database."""
    try:
        return data_folder.condition()
    except DatabaseError:
        return UNKNOWN


def broker() -> str:
    """Whether the queue takes messages."""
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        place = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        if not os.access(place, os.W_OK | os.X_OK):
            return "the folder of the queue cannot be written; see PLUMBLINE_DATA"
        return OK
    try:
        with current_app.connection_for_write(
            settings.CELERY_BROKER_URL, connect_timeout=broker_settings.PATIENCE
        ) as opened:
            opened.ensure_connection(max_retries=1, interval_start=0, timeout=broker_settings.PATIENCE)
    except (OperationalError, OSError):
        return "does not answer; see that it runs and that CELERY_BROKER_URL is right"
    return OK


CHECKS = [
    Check("database", database, source="database"),
    Check("migrations", migrations, source="database"),
    Check("clock", clock, source="database"),
    Check("folder", folder_of_files, source="folder"),
    Check("broker", broker, needed=False),
]


@dataclass
class _Asked:
    """What one source was asked, and what it has said by now."""

    begun: float
    said: dict[str, str] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class Readiness:
    """What was found last, by source."""

    def __init__(self):
        self._lock = threading.Lock()
        self._asked: dict[str, _Asked] = {}

    def forget(self) -> None:
        """Know nothing: the next check asks anew."""
        with self._lock:
            self._asked = {}

    def conditions(self, checks: list[Check] | None = None) -> dict[str, str]:
        """Each check's name with "ok", or what is wrong."""
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
        asked.said[check.name] = "cannot be found out; the log says more"
    finally:
        asked.done.set()
        connections.close_all()


readiness = Readiness()


def ready() -> tuple[bool, dict[str, str]]:
    """Whether this process can do its work, and what each check says."""
    found = readiness.conditions()
    told = {
        check.name: found[check.name] if check.needed or found[check.name] == OK else AWAY for check in CHECKS
    }
    return all(told[check.name] == OK for check in CHECKS if check.needed), told


def broker_condition() -> str:
    """ "ok", or what is wrong with the queue, within the time limit."""
    (check,) = [one for one in CHECKS if one.name == "broker"]
    return readiness.conditions([check])["broker"]
