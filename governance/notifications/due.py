"""Due matters: queries only (`due_queries`), which `run` turns into notifications.

A due thing has a period: the threshold it has reached ("14d" before its day, "0d" on it, "late0" in its first week
after). Only the tightest threshold reached gets a message, so that one right message goes out after days without a
run.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from django.db import connection

from governance import clock
from governance.contributions import contributed
from governance.models import Notification, User
from governance.models.rulebook import NoRulebook
from governance.notifications import closing
from governance.runtime.logging_setup import Row, each_row

# Where the errors of single rows go in a run. Without it they are raised.
_row_problems: ContextVar[list[Exception] | None] = ContextVar("row_problems", default=None)
log = structlog.get_logger("plumbline.reminders")
BATCH = 500
WEEK = 7


@dataclass(frozen=True)
class Due:
    """One message that is due to one person: unique by person, kind, object and period."""

    person: User
    kind: str
    object_key: str
    subject: str
    text: str = ""
    link: str = ""
    initiative_ref: str = ""
    due_on: date | None = None
    period: str = "once"
    seat: str = ""  # the seat it is about: a delegate of the seat gets it while its holder is away
    personal: bool = False  # only the person can do it: the message goes to them also while they are away

    @property
    def key(self) -> tuple:
        """Return the identity of the message, the same each time it is found due."""
        return self.person.pk, self.kind, self.object_key, self.period


@dataclass(frozen=True)
class Counts:
    """The counts of one run: messages that are due now, and the new ones among them."""

    due: int
    new: int


def before(due: date, today: date, thresholds: Iterable[int] = (14, 3, 0)) -> str:
    """Return the tightest threshold (days before `due`) reached today as a period, or ""."""
    left = (due - today).days
    reached = [days for days in thresholds if 0 <= left <= days]
    return f"{min(reached)}d" if reached else ""


def late(due: date, today: date, *, weekly: bool = False) -> str:
    """Return the period of something overdue, one for all or one a week, or "" if not late."""
    over = (today - due).days
    if over <= 0:
        return ""
    return f"late{(over - 1) // WEEK}" if weekly else "late0"


def since(start: date, today: date, thresholds: Iterable[int]) -> str:
    """Return the latest threshold (days after `start`) reached today as a period, or ""."""
    waited = (today - start).days
    reached = [days for days in thresholds if days <= waited]
    return f"after{max(reached)}d" if reached else ""


def of_each(rows: Iterable[Row], dues_of: Callable[[Row], Iterable[Due]]) -> Iterator[Due]:
    """Yield the due messages of each row. In a run, a row that fails does not stop the others."""
    problems = _row_problems.get()
    if problems is None:
        for row in rows:
            yield from dues_of(row)
        return

    def listed(row: Row) -> list[Due]:
        return [*dues_of(row)]

    for _, found, problem in each_row(rows, listed):
        yield from found or ()
        if problem is not None:
            problems.append(problem)


def find(
    problems: list[Exception] | None = None, queries: Iterable[Callable] | None = None
) -> dict[tuple, Due]:
    """Return what is due now to active people, or what `queries` find, by message key.

    A query that fails goes to `problems` and does not stop the others, and so does a row of it (`of_each`). Without
    that list its error is raised.
    """
    token = _row_problems.set(problems)
    try:
        return _found(problems, queries)
    finally:
        _row_problems.reset(token)


def _found(problems: list[Exception] | None, queries: Iterable[Callable] | None) -> dict[tuple, Due]:
    dues: list[Due] = []
    for query in contributed.due_queries if queries is None else queries:
        try:
            for due in query(clock.now()):
                if due.person.is_active:
                    dues.append(due)
        except NoRulebook:
            continue  # before there are rules there are no initiatives, and nothing of them is due
        except Exception as problem:
            if problems is None:
                raise
            log.exception("a query for what is due failed", query=f"{query.__module__}.{query.__qualname__}")
            problems.append(problem)
    for redirect in contributed.redirect:
        dues = redirect(dues)
    found: dict[tuple, Due] = {}
    for due in dues:
        found.setdefault(due.key, due)
    return found


def run(
    at: datetime | None = None, *, dry_run: bool = False, queries: Iterable[Callable] | None = None
) -> Counts:
    """Write each message once that is due at `at` or now, or that these queries find.

    `dry_run` writes nothing and counts the new messages. If a query fails, the messages of the others are written,
    and then ExceptionGroup is raised.
    """
    problems: list[Exception] = []
    with clock.simulated(at) if at else nullcontext():
        found = find(problems, queries)
        new = len(_unknown(found)) if dry_run else _insert(list(found.values()))
        if not (dry_run or problems or queries):
            closing.close_past(found.values())
    if problems:
        raise ExceptionGroup("Some notifications that are due could not be found", problems)
    return Counts(len(found), new)


def _unknown(found: dict[tuple, Due]) -> set[tuple]:
    """Return the keys of found messages that are not written yet."""
    people = {key[0] for key in found}
    known = Notification.objects.filter(person__in=people).values_list(
        "person", "kind", "object_key", "period"
    )
    return set(found) - set(known)


def _insert(dues: list[Due]) -> int:
    """Insert notifications ordered by key, against deadlocks. Return how many are new.

    Plain SQL, because Django does not show which rows of `ignore_conflicts` were new.
    """
    now, new = clock.now(), 0
    dues = sorted(dues, key=lambda due: due.key)
    for start in range(0, len(dues), BATCH):
        rows = [
            (
                due.person.pk,
                due.kind,
                due.object_key,
                due.period,
                due.initiative_ref,
                due.subject[:250],
                due.text,
                due.link,
                due.due_on,
                now,
            )
            for due in dues[start : start + BATCH]
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO governance_notification"
                " (person_id, kind, object_key, period, initiative_ref, subject, text, link, due_on, created_at)"
                " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
                " %s::text[], %s::text[], %s::date[], %s::timestamptz[]) ON CONFLICT DO NOTHING",
                [list(column) for column in zip(*rows, strict=True)],
            )
            new += cursor.rowcount
    return new
