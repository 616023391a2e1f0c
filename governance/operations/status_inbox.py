"""Task of the admins' inbox: something stands still or waits too long."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from governance import clock
from governance.interaction_log import loading
from governance.models import ProcessHeartbeat, User
from governance.notifications.inbox import InboxTask
from governance.operations import status
from governance.runtime import clock_check, spool_files
from governance.transparency_log import sealing

WAITS_LONG = timedelta(minutes=1)  # decisions come over within a second or two


def tasks(person: User) -> list[InboxTask]:
    """Everything that is wrong with what runs, in the inbox of every admin."""
    if not (person.is_admin and person.is_active):
        return []
    rows = status.heartbeats()
    found = [*_scheduler(rows), *_workers(rows), *_clocks(rows), *_sealing(), *_decisions(), *_interactions()]
    return [
        InboxTask("see", text, f"{reverse('status')}{place}", "See the status", why)
        for text, place, why in found
    ]


def _scheduler(rows: list[ProcessHeartbeat]) -> Iterator[tuple[str, str, str]]:
    if since := status.beat(rows).silent_since:
        yield (
            "The scheduler is silent",
            "",
            f"Nothing was heard of it since {clock.moment_in_words(since)}: nobody is reminded, no mail goes out, the "
            "audit log is not sealed. What each page says stays right.",
        )


def _workers(rows: list[ProcessHeartbeat]) -> Iterator[tuple[str, str, str]]:
    workers = status.workers(rows)
    if since := status.silent_since(workers):
        yield (
            "No worker is heard",
            "",
            f"Nothing was heard of any since {clock.moment_in_words(since)}: no mail goes out, the audit log is not "
            "sealed. What each page says stays right.",
        )
        return
    for one in status.lost(workers):
        yield (
            f"A worker on {one.host.rpartition('@')[2]} fell silent",
            "",
            f"Last heard at {clock.moment_in_words(one.seen_at)}. Others go on with its work; start it again, or it "
            "leaves this list a day later.",
        )


def _clocks(rows: list[ProcessHeartbeat]) -> Iterator[tuple[str, str, str]]:
    off = {one.host.rpartition("@")[2]: one.clock_words for one in status.clocks_off(rows)}
    if found := clock_check.off():
        off.setdefault("the machine that shows you this", clock_check.in_words(found))
    for host, words in off.items():
        yield (
            f"The clock of {host} is wrong",
            "",
            f"It is {words}. Nothing that depends on the day is done there, and it is not ready for requests, until it "
            "is set right (NTP).",
        )


def _sealing() -> Iterator[tuple[str, str, str]]:
    backlog = sealing.backlog()
    if backlog.late:
        since = clock.moment_in_words(clock.now() - backlog.age)
        yield (
            "The audit log is not sealed",
            "#audit-log",
            f"{backlog.count} entries wait, the oldest since {since}. It takes seconds when scheduler and worker run.",
        )


def _decisions() -> Iterator[tuple[str, str, str]]:
    waiting = spool_files.waiting(settings.DECISIONS_DIR)
    if waiting.aside:
        yield (
            "Decisions were set aside",
            "#decisions",
            f"The database did not take {spool_files.lines_aside(settings.DECISIONS_DIR)} of the answers that systems "
            "got. They are kept in files, and are not in the log of decisions. Fix the cause, then run manage.py "
            "bring_decisions.",
        )
    if waiting.since and waiting.since < clock.now() - WAITS_LONG:
        yield (
            "Decisions wait in files",
            "#decisions",
            f"Since {clock.moment_in_words(waiting.since)} they did not come into the database. Where it lasts, "
            "nothing is allowed to any system.",
        )


def _interactions() -> Iterator[tuple[str, str, str]]:
    waiting = spool_files.waiting(Path(settings.INTERACTIONS_DIR) / "waiting")
    if waiting.aside:
        yield (
            "Reports of systems were set aside",
            "#decisions",
            f"The database did not take {loading.set_aside()} reports. They are kept in files, and are not in the "
            "interaction log. Fix the cause, then run manage.py bring_decisions.",
        )
    if waiting.since and waiting.since < clock.now() - WAITS_LONG:
        yield (
            "Reports of systems wait in files",
            "#decisions",
            "What systems reported is not in the interaction log yet: the worker does not bring it over. Fix the "
            "cause, then run manage.py bring_decisions.",
        )
