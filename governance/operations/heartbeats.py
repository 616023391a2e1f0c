"""Heartbeats of scheduler and workers in Plumbline's own tables, with any broker.

The scheduler, the workers and every task write here. `governance.operations.status` finds what is late. A task runs on
if its heartbeat cannot be written (the database is down).
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

import structlog
from celery import beat, signals
from django.db import DatabaseError, connection
from django.db.models import F

from governance import clock
from governance.models import ProcessHeartbeat, TaskRun
from governance.runtime import clock_check
from governance.runtime.redaction import reason_of

log = structlog.get_logger("plumbline.heartbeat")

EVERY = 15.0  # seconds between two heartbeats
GONE = timedelta(days=1)  # a process that was silent for so long is no longer listed
SAID_AGAIN = 20.0  # seconds; a task that runs every three is not written down every time

# What timers of the system start, under the names that *Status* shows.
BACKUP, RESTORE_CHECK = "backup", "restore_check"

_stop = threading.Event()
_said: dict[str, float] = {}  # by task, when this process wrote down last that it was done


def _writes(write: Callable) -> Callable:
    """Wrap a write that may fail: log the failure, and give the connection back."""

    @wraps(write)
    def written(*args, **options):
        try:
            write(*args, **options)
        except DatabaseError as trouble:
            log.warning("a heartbeat could not be written", error=str(trouble))

    return written


def process_name() -> str:
    """This process among all hosts: two on one host are two."""
    return f"{socket.gethostname()} ({os.getpid()})"


@_writes
def say(kind: str, name: str, *, begins: bool = False, off: float | None = None) -> None:
    """Record that this process runs, by the database's clock. `begins`: the process has just started."""
    if off is None:
        off = clock_check.off()
    now = clock.now() - timedelta(seconds=off)
    ProcessHeartbeat.objects.bulk_create(
        [ProcessHeartbeat(kind=kind, name=name[:200], started_at=now, seen_at=now, clock_off=round(off))],
        update_conflicts=True,
        unique_fields=["kind", "name"],
        update_fields=["seen_at", "clock_off", *(["started_at"] if begins else [])],
    )
    ProcessHeartbeat.objects.filter(seen_at__lt=now - GONE).delete()


@_writes
def fall_silent(kind: str, name: str) -> None:
    """This process ends in order: it is not missed."""
    ProcessHeartbeat.objects.filter(kind=kind, name=name[:200]).delete()


def listen() -> None:
    """Listen to Celery in this process."""
    for signal, heard in (
        (signals.worker_ready, begin),
        (signals.worker_shutdown, end),
        (signals.task_prerun, task_begins),
        (signals.task_success, task_done),
        (signals.task_failure, task_failed),
    ):
        signal.connect(heard, dispatch_uid="plumbline-heartbeat")


# --- The scheduler -------------------------------------------------------------------------------------------


class Scheduler(beat.Scheduler):
    """Celery's scheduler without files, because queries find what is due. Each tick is recorded."""

    _next_word, _said = 0.0, False

    def tick(self, *args, **options):
        """Send what is due to the queue, then write a heartbeat.

        Returns the seconds until the next tick, as Celery's.
        """
        rest = super().tick(*args, **options)
        if time.monotonic() >= self._next_word:
            self._next_word = time.monotonic() + EVERY
            say("scheduler", process_name(), begins=not self._said)
            self._said = True
            connection.close()
        return min(rest, EVERY)

    def close(self):
        """Record the orderly end of the scheduler."""
        fall_silent("scheduler", process_name())
        connection.close()
        super().close()


# --- The workers ---------------------------------------------------------------------------------------------


def begin(sender, **_) -> None:
    """Start a thread that writes this worker's heartbeat. Its tasks show if it works."""
    _stop.clear()
    threading.Thread(target=_live, args=[_worker(sender)], name="heartbeat", daemon=True).start()


def _worker(sender) -> str:
    """Return the worker's name with its process id. Celery names workers by their host alone."""
    return f"{sender.hostname} ({os.getpid()})"


def _live(name: str) -> None:
    begins = True
    while True:
        say("worker", name, begins=begins)
        begins = False
        connection.close()
        if _stop.wait(EVERY):
            return


def end(sender, **_) -> None:
    """Record the orderly end of the worker."""
    _stop.set()
    fall_silent("worker", _worker(sender))


# --- The tasks -----------------------------------------------------------------------------------------------


def task_begins(task_id, sender, **_) -> None:
    """Have every line of the log name the task that writes it."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=sender.name, task_id=task_id)


def task_done(sender, **_) -> None:
    """Record that a task is done, at most every few seconds unless it failed before."""
    if sender.request.is_eager or time.monotonic() < _said.get(sender.name, -SAID_AGAIN) + SAID_AGAIN:
        return
    _said[sender.name] = time.monotonic()
    done(sender.name)


def task_failed(sender, exception, **_) -> None:
    """Write down that a task failed, and why."""
    if not sender.request.is_eager:
        _said.pop(sender.name, None)
        failed(sender.name, exception)


@_writes
def done(name: str) -> None:
    """Record that the task was done now. An earlier failure is over, and its reason stays readable."""
    TaskRun.objects.bulk_create(
        [TaskRun(name=name, done_at=clock.now(), failed_in_a_row=0)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["done_at", "failed_in_a_row"],
    )


@_writes
def failed(name: str, problem: BaseException) -> None:
    """Record that the task failed now, for this reason without secrets."""
    TaskRun.objects.bulk_create([TaskRun(name=name)], ignore_conflicts=True)
    TaskRun.objects.filter(name=name).update(
        failed_at=clock.now(), reason=reason_of(problem), failed_in_a_row=F("failed_in_a_row") + 1
    )
