"""A task for the admins' inbox if a process stopped or a queue waits too long."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.urls import reverse

from governance import clock
from governance.database import database_roles
from governance.events import deliveries
from governance.interaction_log import loading
from governance.models import ProcessHeartbeat, TaskRun, User
from governance.notifications.inbox import InboxTask
from governance.operations import heartbeats, status
from governance.runtime import clock_check, spool_files
from governance.storage import embedded_postgres
from governance.transparency_log import sealing, witnesses
from governance.vocabulary.phrases import phrase

WAITS_LONG = timedelta(minutes=1)  # decisions come over within a second or two
BACKUP_EVERY, CHECKED_EVERY = (
    timedelta(hours=26),
    timedelta(days=8),
)  # a day and a week, and some time for each to run


def tasks(person: User) -> list[InboxTask]:
    """Everything that is wrong with what runs, in the inbox of every admin."""
    if not (person.is_admin and person.is_active):
        return []
    rows = status.heartbeats()
    found = [*_scheduler(rows), *_workers(rows), *_clocks(rows), *_sealing(), *_decisions(), *_interactions()]
    found += [*_witnesses(), *_events(), *_backups(), *_clock_role()]
    return [
        InboxTask(
            "see", text, f"{reverse('status')}{place}", phrase("See the status"), why, since=clock.today()
        )
        for text, place, why in found
    ]


def _scheduler(rows: list[ProcessHeartbeat]) -> Iterator[tuple[str, str, str]]:
    if since := status.beat(rows).silent_since:
        yield (
            phrase("The scheduler is silent"),
            "",
            phrase(
                "The scheduler has sent no heartbeat since {}. No reminders and no emails are sent, "
                "and the audit log is not sealed. Pages stay correct.",
                clock.moment_in_words(since),
            ),
        )


def _workers(rows: list[ProcessHeartbeat]) -> Iterator[tuple[str, str, str]]:
    workers = status.workers(rows)
    if since := status.silent_since(workers):
        yield (
            phrase("No worker sends heartbeats"),
            "",
            phrase(
                "No worker has sent a heartbeat since {}. No emails are sent, and the audit log is "
                "not sealed. Pages stay correct.",
                clock.moment_in_words(since),
            ),
        )
        return
    for one in status.lost(workers):
        yield (
            phrase("A worker on {} is silent", one.host.rpartition("@")[2]),
            "",
            phrase(
                "The worker sent its last heartbeat at {}. Other workers do its work. Start the "
                "worker again, or wait a day until this message ends.",
                clock.moment_in_words(one.seen_at),
            ),
        )


def _clocks(rows: list[ProcessHeartbeat]) -> Iterator[tuple[str, str, str]]:
    off = {one.host.rpartition("@")[2]: one.clock_words for one in status.clocks_off(rows)}
    if found := clock_check.off():
        off.setdefault("the machine that shows you this", clock_check.in_words(found))
    for host, words in off.items():
        yield (
            phrase("The clock of {} is wrong", host),
            "",
            phrase(
                "The clock is {}. Set the clock by NTP. This machine accepts no requests now and "
                "runs no tasks that depend on the date.",
                words,
            ),
        )


def _sealing() -> Iterator[tuple[str, str, str]]:
    backlog = sealing.backlog()
    if backlog.late:
        since = clock.moment_in_words(clock.now() - backlog.age)
        yield (
            phrase("The audit log is not sealed"),
            "#audit-log",
            phrase(
                "{} entries wait, the oldest since {}. Check that scheduler and worker run. Sealing "
                "then takes seconds.",
                backlog.count,
                since,
            ),
        )


def _witnesses() -> Iterator[tuple[str, str, str]]:
    if not settings.WITNESSES:
        return
    if witnesses.contradicted():
        yield phrase("A witness knows another audit log"), "#audit-log", witnesses.failure()
    for one in witnesses.progress():
        if one.late and one.waits_since:
            yield (
                phrase("The witness {} does not cosign", one.name),
                "#audit-log",
                (
                    f"Checkpoints since {clock.moment_in_words(one.waits_since)} have no cosignature of this witness. "
                    + (one.refusal or "Check that scheduler and worker run.")
                ),
            )


def _events() -> Iterator[tuple[str, str, str]]:
    for one in deliveries.failing():
        since = clock.moment_in_words(one.failing_since) if one.failing_since else "an unknown time"
        yield (
            phrase("{} gets no events", one.receiver or "The syslog receiver"),
            "#events",
            phrase("Sending fails since {}. {}", since, one.last_error),
        )


def _decisions() -> Iterator[tuple[str, str, str]]:
    waiting = spool_files.waiting(settings.DECISIONS_DIR)
    if waiting.aside:
        yield (
            phrase("Decisions were set aside"),
            "#decisions",
            phrase(
                "The database refused {} of the decisions. Plumbline keeps these decisions in files, "
                "outside of the decision log. Fix the cause, then run manage.py bring_decisions.",
                spool_files.lines_aside(settings.DECISIONS_DIR),
            ),
        )
    if waiting.since and waiting.since < clock.now() - WAITS_LONG:
        yield (
            phrase("Decisions wait in files"),
            "#decisions",
            phrase(
                "No decision has reached the database since {}. If this continues, every request of "
                "a system is denied.",
                clock.moment_in_words(waiting.since),
            ),
        )


def _interactions() -> Iterator[tuple[str, str, str]]:
    waiting = spool_files.waiting(Path(settings.INTERACTIONS_DIR) / "waiting")
    if waiting.aside:
        yield (
            phrase("Reports of systems were set aside"),
            "#decisions",
            phrase(
                "The database refused {} reports. Plumbline keeps these reports in files, outside of "
                "the interaction log. Fix the cause, then run manage.py bring_decisions.",
                loading.set_aside(),
            ),
        )
    if waiting.since and waiting.since < clock.now() - WAITS_LONG:
        yield (
            phrase("Reports of systems wait in files"),
            "#decisions",
            phrase(
                "The reports of systems are not in the interaction log yet, because the worker does not load "
                "them. Fix the cause, then run manage.py bring_decisions."
            ),
        )


def _backups() -> Iterator[tuple[str, str, str]]:
    if settings.BACKUPS is None and not embedded_postgres.in_use():
        return
    runs = {run.name: run for run in TaskRun.objects.all()}
    for name, every, failed, text, why in (
        (
            heartbeats.BACKUP,
            BACKUP_EVERY,
            phrase("The last backup failed"),
            phrase("The last backup is too old"),
            phrase("No backup was made for more than a day. Check the timer that runs manage.py backup."),
        ),
        (
            heartbeats.RESTORE_CHECK,
            CHECKED_EVERY,
            phrase("The last backup could not be verified"),
            phrase("No backup was restored for a check"),
            phrase(
                "No backup was restored and verified for more than a week. Check the timer that runs "
                "manage.py restore_check --newest."
            ),
        ),
    ):
        run = runs.get(name)
        if run is not None and run.failed_in_a_row:
            yield failed, "#tasks", phrase("The page Status shows the reason.")
        # `manage.py run` without PLUMBLINE_BACKUPS makes a backup only while it runs, so an old one may be right.
        elif settings.BACKUPS is not None and (
            run is None or run.done_at is None or run.done_at < clock.now() - every
        ):
            yield text, "#tasks", why


def _clock_role() -> Iterator[tuple[str, str, str]]:
    if embedded_postgres.in_use():  # whose owner builds the demo
        return
    for login in database_roles.clock_members(connection):
        yield (
            phrase("The database login {} may simulate time", login),
            "",
            phrase(
                "{} is a member of the role {}. A demo that was ended by force leaves this. Run this "
                "SQL as a superuser: REVOKE {} FROM {};",
                login,
                database_roles.CLOCK,
                database_roles.CLOCK,
                login,
            ),
        )
