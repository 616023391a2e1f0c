"""Figures for Prometheus, read when they are asked for: of this host, of the queue, and of the database.

Each figure comes from the function that /readyz, *Status* or the inbox of admins uses, so that all of them agree. No
figure is counted in a process. Every web process therefore gives the same answer.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from governance import clock
from governance.contributions import contributed
from governance.events import deliveries
from governance.models import AuditLogReader, PolicyDecision, TaskRun
from governance.operations import heartbeats, readiness, status
from governance.runtime import clock_check, spool_files
from governance.transparency_log import sealing, witnesses
from governance.vocabulary import DecisionOutcome

log = structlog.get_logger("plumbline.metrics")

LATELY = timedelta(hours=1)  # over which decisions are counted
SPOOLS = {
    "decisions": lambda: Path(settings.DECISIONS_DIR),
    "interactions": lambda: Path(settings.INTERACTIONS_DIR) / "waiting",
}


def text() -> bytes:
    """Return all figures in the text format of Prometheus. Without a database only those of the host are in it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    return generate_latest(registry)


def gauge(name: str, words: str, value: float | dict[str, float], label: str = "") -> Metric:
    """Return a figure of Plumbline: one value, or one for each value of a label."""
    found = GaugeMetricFamily(f"plumbline_{name}", words, labels=[label] if label else None)
    for key, each in value.items() if isinstance(value, dict) else [(None, value)]:
        found.add_metric([key] if key is not None else [], each)
    return found


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        told = readiness.readiness.conditions()
        up = {name: float(words == readiness.OK) for name, words in told.items()}
        yield InfoMetricFamily("plumbline", "The version of Plumbline.", {"version": settings.VERSION})
        yield gauge("database_up", "1 if the database answers.", up["database"])
        yield gauge("broker_up", "1 if the queue takes messages.", up["broker"])
        yield from _of_host()
        if not up["database"]:
            return
        # The folder of evidence is known by a mark in the database: without a database nothing can be said of it.
        yield gauge("evidence_store_up", "1 if the folder of files is the right one.", up["folder"])
        own: list[Callable] = [
            _of_processes,
            of_replica,
            _of_backups,
            _of_audit_log,
            _of_emails,
            _of_events,
            _of_decisions,
        ]
        for figures in [*own, *contributed.figures]:
            yield from _unless_away(figures)


def _unless_away(figures: Callable) -> list[Metric]:
    """Return these figures, or none if the database went away meanwhile."""
    try:
        return list(figures())
    except DatabaseError as trouble:
        connection.close()
        log.warning("figures could not be read", figures=figures.__name__, trouble=str(trouble).strip())
        return []


def _seconds_since(moment: datetime | None) -> float:
    return max(0.0, (clock.now() - moment).total_seconds()) if moment else 0.0


def _of_host() -> Iterator[Metric]:
    disk = shutil.disk_usage(settings.MEDIA_ROOT)
    yield gauge("disk_free_ratio", "Free part of the disk with the files, 0 to 1.", disk.free / disk.total)
    waiting = {name: spool_files.waiting(folder()) for name, folder in SPOOLS.items()}
    yield gauge(
        "intake_waiting_bytes",
        "Bytes of reports that are not in the database yet, on this host.",
        {name: one.size for name, one in waiting.items()},
        "kind",
    )
    yield gauge(
        "intake_oldest_age_seconds",
        "Age of the oldest file of reports that are not in the database yet, on this host.",
        {name: _seconds_since(one.since if one.size else None) for name, one in waiting.items()},
        "kind",
    )
    yield gauge(
        "intake_refused_files",
        "Files of reports that the database refused, on this host.",
        {name: len(one.aside) for name, one in waiting.items()},
        "kind",
    )


def _of_processes() -> Iterator[Metric]:
    rows = status.heartbeats()
    workers = [one for one in status.workers(rows) if not one.silent]
    yield gauge("workers_alive", "Workers that sent a heartbeat in the last two minutes.", len(workers))
    beat = status.beat(rows)
    yield gauge(
        "beat_age_seconds",
        "Time since the last heartbeat of beat, or since the first act if beat never ran.",
        _seconds_since(beat.last or beat.silent_since),
    )
    yield gauge(
        "clock_difference_seconds",
        "Seconds by which the clock of this host is ahead of the database's. 0 within the tolerance.",
        clock_check.off(),
    )
    failing = sum(bool(task.failed_in_a_row) for task in status.tasks())
    yield gauge("failing_tasks", "Scheduled tasks whose last run failed.", failing)


def of_replica() -> Iterator[Metric]:
    """Return whether the replica answers, and its lag if it does."""
    found = status.read_replica()
    if found is not None:
        yield gauge("replica_up", "1 if the replica answers.", found.lag is not None)
        if found.lag is not None:
            yield gauge("replica_lag_seconds", "Time by which the replica is behind the database.", found.lag)


def _of_backups() -> Iterator[Metric]:
    done = dict(TaskRun.objects.filter(done_at__isnull=False).values_list("name", "done_at"))
    words = {
        heartbeats.BACKUP: "Time since the last backup.",
        heartbeats.RESTORE_CHECK: "Time since a backup was verified.",
    }
    for name, word in words.items():
        if name in done:
            yield gauge(f"{name}_age_seconds", word, _seconds_since(done[name]))


def _of_audit_log() -> Iterator[Metric]:
    backlog = sealing.backlog()
    yield gauge("unsealed_entries", "Entries of the audit log that are not sealed.", backlog.count)
    yield gauge(
        "oldest_unsealed_entry_age_seconds",
        "Age of the oldest entry of the audit log that is not sealed.",
        backlog.age.total_seconds(),
    )
    found = witnesses.progress()
    yield gauge(
        "cosignature_age_seconds",
        "Time since a witness cosigned last.",
        {one.name: _seconds_since(one.at) for one in found if one.at},
        "witness",
    )
    yield gauge(
        "oldest_uncosigned_checkpoint_age_seconds",
        "Age of the oldest checkpoint that a witness has not cosigned. 0 if the witness cosigned the newest.",
        {one.name: _seconds_since(one.waits_since) for one in found},
        "witness",
    )


def _of_emails() -> Iterator[Metric]:
    waiting = status.undelivered()
    yield gauge("undelivered_emails", "Emails that failed and are sent again.", len(waiting))
    yield gauge(
        "oldest_undelivered_email_age_seconds",
        "Time since the oldest of these emails was due.",
        _seconds_since(waiting[0].since if waiting else None),
    )


def _of_events() -> Iterator[Metric]:
    waiting = deliveries.waiting().aggregate(n=Count("pk"), since=Min("made_at"))
    yield gauge("undelivered_events", "Events that wait for their receivers.", waiting["n"])
    yield gauge(
        "oldest_undelivered_event_age_seconds",
        "Time since the oldest of these events was due.",
        _seconds_since(waiting["since"]),
    )
    readers = AuditLogReader.objects.exclude(failing_since=None).exclude(receiver__ended_at__isnull=False)
    yield gauge(
        "event_receiver_failing_seconds",
        "Time since sending to a receiver fails, syslog among them. No value if it works.",
        {one.name: _seconds_since(one.failing_since) for one in readers},
        "receiver",
    )


def _of_decisions() -> Iterator[Metric]:
    lately = PolicyDecision.objects.filter(at__gt=clock.now() - LATELY).order_by()
    found = dict(lately.values_list("outcome").annotate(n=Count("pk")))
    yield gauge(
        "decisions_last_hour",
        "Decisions on calls of systems in the last hour.",
        {outcome: found.get(outcome, 0) for outcome in DecisionOutcome.values},
        "outcome",
    )
