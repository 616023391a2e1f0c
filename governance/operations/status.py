"""Status of the installation: heartbeats, tasks, disks, waiting emails, entries.

All values come from Plumbline's own tables and from the disk, so they are the same with every broker. Everything that
stopped or waits too long is a line in the inbox of every admin (`governance.operations.status_inbox`).
"""

import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.contributions import contributed
from governance.database import replica
from governance.database.request_memo import once
from governance.database.row_history import acting
from governance.models import Delivery, Entry, PasswordLink, ProcessHeartbeat, TaskRun, User
from governance.models.installation import SCHEDULER, WEB, WORKER
from governance.notifications import daily_mail, outbox
from governance.people.permissions import may_keep_accounts
from governance.permission_result import no
from governance.queue.task_base import after_commit
from governance.runtime import clock_check
from governance.runtime.redaction import reason_of
from governance.sign_in import password_links
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.readable_text import shown

SILENT = timedelta(minutes=2)  # heartbeats come every 15 seconds
MARGIN = timedelta(minutes=5)  # a task may wait behind others for as long before it is called late
LITTLE_ROOM = 1024**3  # bytes left for evidence below which the page warns


@dataclass(frozen=True)
class Beating:
    """A process that sends heartbeats, or sent them until it fell silent."""

    name: str
    started_at: datetime
    seen_at: datetime
    silent: bool
    clock_off: int = 0  # seconds ahead of the database's, where that is too much

    @property
    def host(self) -> str:
        """Return the machine it runs on. The name also has the process."""
        return self.name.rpartition(" (")[0] or self.name

    @property
    def clock_words(self) -> str:
        """Return how far its clock is off, or "" if the clock is right."""
        return clock_check.in_words(self.clock_off) if self.clock_off else ""


@dataclass(frozen=True)
class Beat:
    """The scheduler: its possible processes, and since when all of them are silent.

    `silent_since` is None while one is not silent. If none was ever seen, it is the installation's first act.
    """

    schedulers: list[Beating]
    silent_since: datetime | None

    @property
    def several(self) -> bool:
        """Return True if several schedulers beat. Each queue message is then sent twice."""
        return sum(not one.silent for one in self.schedulers) > 1

    @property
    def last(self) -> datetime | None:
        """Return the last heartbeat of any of them."""
        return max((one.seen_at for one in self.schedulers), default=None)


@dataclass(frozen=True)
class Task:
    """How one task went last, when it was due, and whether it is late."""

    name: str
    words: str
    done_at: datetime | None
    due_at: datetime | None
    late: bool
    failed_at: datetime | None
    reason: str
    failed_in_a_row: int


@dataclass(frozen=True)
class Undelivered:
    """A mail that was tried and did not go out."""

    key: str
    to: User
    what: str
    since: datetime
    attempts: int
    reason: str
    again_at: datetime | None  # None for an address that was refused too often


@dataclass(frozen=True)
class Room:
    """The size of the database and the room on the disk of the evidence, in bytes."""

    database: int
    free: int
    total: int

    @property
    def little(self) -> bool:
        """Return True if the disk may be too small for the evidence of the next weeks."""
        return self.free < LITTLE_ROOM


@dataclass(frozen=True)
class Replica:
    """The replica that pages are read from: its address, its lag in seconds if it is known, and "ok" or its fault."""

    address: str
    lag: float | None
    words: str


# --- What beats ----------------------------------------------------------------------------------------------


def _beating(rows, kind: str) -> list[Beating]:
    now = clock.now()
    return [
        Beating(row.name, row.started_at, row.seen_at, row.seen_at < now - SILENT, row.clock_off)
        for row in rows
        if row.kind == kind
    ]


def heartbeats() -> list[ProcessHeartbeat]:
    """Return the last heartbeat of every process."""
    return once(("heartbeats",), lambda: list(ProcessHeartbeat.objects.all()))


def beat(rows: list[ProcessHeartbeat] | None = None) -> Beat:
    """Return the scheduler by its heartbeats."""
    schedulers = _beating(ProcessHeartbeat.objects.all() if rows is None else rows, SCHEDULER)
    return Beat(schedulers, silent_since(schedulers))


def silent_since(processes: list[Beating]) -> datetime | None:
    """Return since when all of these are silent, or None. If none was ever seen, the first act counts."""
    if any(not one.silent for one in processes):
        return None
    since = max((one.seen_at for one in processes), default=None) or _first_act()
    if since is None or since >= clock.now() - SILENT:
        return None  # a new installation has just been started
    return since


def _first_act() -> datetime | None:
    acts = Entry.objects.order_by("pk").values_list("recorded_at", flat=True)
    return once(("first act",), acts.first)


def workers(rows: list[ProcessHeartbeat]) -> list[Beating]:
    """Return every worker seen within the last day."""
    return _beating(rows, WORKER)


def lost(processes: list[Beating]) -> list[Beating]:
    """Return silent processes without an orderly end or a newer process on their host."""
    alive = [one for one in processes if not one.silent]
    return [
        one
        for one in processes
        if one.silent
        and not any(other.host == one.host and other.started_at > one.seen_at for other in alive)
    ]


def clocks_off(rows: list[ProcessHeartbeat]) -> list[Beating]:
    """Return the processes of every kind whose clock is wrong."""
    found = [one for kind in (SCHEDULER, WORKER, WEB) for one in _beating(rows, kind)]
    return [one for one in found if one.clock_off and not one.silent]


def tasks(runs: list[TaskRun] | None = None) -> list[Task]:
    """Return every scheduled task and every other that ever ran. Late and failing ones come first."""
    known = {run.name: run for run in (TaskRun.objects.all() if runs is None else runs)}
    clockwork = {entry["task"]: (words, entry) for words, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    found = [
        _task(known.get(name) or TaskRun(name=name), *clockwork.get(name, (_named(name), {})))
        for name in dict.fromkeys([*clockwork, *sorted(known)])
    ]
    return sorted(found, key=lambda task: (not task.failed_in_a_row, not task.late))


def _named(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")


def _task(run: TaskRun, words: str, entry: dict) -> Task:
    due = due_after(entry["schedule"], run.done_at) if entry and run.done_at else None
    return Task(
        name=run.name,
        words=words[:1].upper() + words[1:],
        done_at=run.done_at,
        due_at=due,
        late=due is not None and clock.now() > due + MARGIN,
        failed_at=run.failed_at,
        reason=run.reason,
        failed_in_a_row=run.failed_in_a_row,
    )


def due_after(schedule, last: datetime) -> datetime:
    """When a task that was done at `last` is due again: after so many seconds, or at the next moment of its crontab."""
    if isinstance(schedule, (int, float)):
        return last + timedelta(seconds=schedule)
    start, delta, _ = schedule.remaining_delta(last)
    return start + delta


# --- What waits ----------------------------------------------------------------------------------------------


def undelivered() -> list[Undelivered]:
    """Mails that failed and are still to be sent, the oldest first."""
    # Of the day's mails those that still hold notifications: what an earlier day failed to send moves into today's.
    live = Q(kind=Delivery.DAY, notifications__isnull=False)
    for kind, made in contributed.mails.items():
        live |= Q(kind=kind, day=made.newest_day()) & ~Q(kind=Delivery.DAY)
    days = (
        Delivery.objects.filter(live, sent_at__isnull=True, person__is_active=True)
        .exclude(last_error="")
        .select_related("person")
        .distinct()
    )
    of_days = [
        _waiting(row, "day", f"{row.get_kind_display()} of {row.day:%-d %B}", clock.midnight_before(row.day))
        for row in days
    ]
    of_links = [
        _waiting(row, "link", row.get_purpose_display().capitalize(), row.made_at)
        for row in PasswordLink.objects.unmailed().exclude(last_error="").select_related("person")
    ]
    stopped: set[str] = set()
    if of_days:
        refused = set(outbox.refused_people().values_list("person", flat=True))
        stopped |= {mail.key for mail in of_days if mail.to.pk in refused}
    if of_links:
        links = PasswordLink.objects.filter(outbox.given_up()).values_list("pk", flat=True)
        stopped |= {f"link-{key}" for key in links}
    found = [replace(mail, again_at=None) if mail.key in stopped else mail for mail in [*of_days, *of_links]]
    return sorted(found, key=lambda mail: mail.since)


def _waiting(row, kind: str, what: str, since: datetime) -> Undelivered:
    again = (row.claimed_at or clock.now()) + outbox.CLAIM
    return Undelivered(f"{kind}-{row.pk}", row.person, what, since, row.attempts, row.last_error, again)


def try_again(*, key: str, by: User) -> bool | None:
    """Try one undelivered email again now. Returns True if it went out, None if it no longer waits."""
    chosen = _to_try([mail for mail in undelivered() if mail.key == key], by)
    if not chosen:
        return None
    ((model, number),) = chosen
    outbox.cut_rest(model, [number])
    if model is Delivery:
        claimed = daily_mail.claim(number)
        return None if claimed is None else daily_mail.send(claimed)
    if not outbox.claim(PasswordLink, number):
        return None
    return password_links.send(PasswordLink.objects.select_related("person", "made_by").get(pk=number))


def try_all_again(*, by: User) -> int:
    """Have the worker soon try every undelivered email again. Returns their number."""
    chosen = _to_try(undelivered(), by)
    for model in (Delivery, PasswordLink):
        outbox.cut_rest(model, [number for of, number in chosen if of is model])
    after_commit("governance.tasks.deliver_mail")
    return len(chosen)


def _to_try(mails: list[Undelivered], by: User) -> list[tuple[type, int]]:
    """The rows of these mails, once the act is in the audit log."""
    with acting(by=by, reason="Undelivered mail tried again"):
        may_keep_accounts(by).or_refuse()
        if mails:
            entries.record(EntryKind.MAIL_TRIED_AGAIN, count=len(mails))
    parts = [mail.key.partition("-") for mail in mails]
    return [(Delivery if kind == "day" else PasswordLink, int(number)) for kind, _, number in parts]


def send_test(*, by: User) -> str:
    """Send a test email to this admin now. Returns "" after the handover, else the reason against it."""
    may_keep_accounts(by).or_refuse()
    if not by.email:
        no("Your account has no email address.", "Add one in Admin.", link="/admin/").or_refuse()
    mail = EmailMessage(
        subject="Plumbline: a test email",
        body=(
            f"{shown(by.full_name)},\n\nthis is the test email that you asked for. Emails from {settings.ADDRESS} "
            "arrive.\n"
        ),
        to=[by.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        mail.send()
    except Exception as problem:
        return reason_of(problem)
    return ""


def room() -> Room:
    """Size of the database, and what is left on the disk that holds the evidence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    disk = shutil.disk_usage(settings.MEDIA_ROOT)
    return Room(size, disk.free, disk.total)


def read_replica() -> Replica | None:
    """Return the replica as this process sees it, or None without one."""
    if not replica.set_up():
        return None
    found, place = replica.watch.latest(), settings.DATABASES[replica.ALIAS]
    address = f"{place['HOST']}:{place['PORT'] or 5432}/{place['NAME']}"
    return Replica(address, None if found.trouble else found.lag, replica.words())
