"""What is due: queries only, contributed as `due_queries`; `run` turns what they find into notifications.

A due thing has a period: the threshold it has reached ("14d" before its day, "0d" on it, "late0" in its first week
after). Only the tightest threshold reached is told, so that after days of silence one right message goes out.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog
from django.db import connection

from governance import clock
from governance.contributions import contributed
from governance.models import Delegation, Notification, User
from governance.models.rulebook import NoRulebook

log = structlog.get_logger("plumbline.reminders")
BATCH = 500
WEEK = 7
ESCALATED = ("chair", "board")  # how the periods begin of what is put to people who can only see to it


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
    seat: str = ""  # the seat it is about: whoever stands in for that seat is told while its holder is away
    personal: bool = False  # nobody can do it for another: it goes to the person also while they are away

    @property
    def key(self) -> tuple:
        """What makes the message one and the same, however often it is found due."""
        return self.person.pk, self.kind, self.object_key, self.period


@dataclass(frozen=True)
class Counts:
    """What one run found: messages due at that moment, and those among them that nobody was told before."""

    due: int
    new: int


def before(due: date, today: date, thresholds: Iterable[int] = (14, 3, 0)) -> str:
    """The tightest threshold (days before `due`) that `today` has reached, as a period; empty when none is, or past."""
    left = (due - today).days
    reached = [days for days in thresholds if 0 <= left <= days]
    return f"{min(reached)}d" if reached else ""


def late(due: date, today: date, *, weekly: bool = False) -> str:
    """The period of something whose day has passed: one for good, or one a week; empty while its day has not passed."""
    over = (today - due).days
    if over <= 0:
        return ""
    return f"late{(over - 1) // WEEK}" if weekly else "late0"


def since(start: date, today: date, thresholds: Iterable[int]) -> str:
    """The latest threshold (days after `start`) that `today` has reached, as a period; empty when none is."""
    waited = (today - start).days
    reached = [days for days in thresholds if days <= waited]
    return f"after{max(reached)}d" if reached else ""


def find(
    problems: list[Exception] | None = None, queries: Iterable[Callable] | None = None
) -> dict[tuple, Due]:
    """Everything that is due now to people who are active, each message once, by its key; or what `queries` find.

    A query that fails goes to `problems` and does not silence the others; without that list it is raised.
    """
    found: dict[tuple, Due] = {}
    substitutes = _standing_in()
    for query in contributed.due_queries if queries is None else queries:
        try:
            for due in query(clock.now()):
                if due.person.is_active:
                    told = _stand_in(due, substitutes)
                    found.setdefault(told.key, told)
        except NoRulebook:
            continue  # before there are rules there are no initiatives, and nothing of them is due
        except Exception as problem:
            if problems is None:
                raise
            log.exception("a query for what is due failed", query=f"{query.__module__}.{query.__qualname__}")
            problems.append(problem)
    return found


def _standing_in() -> dict[tuple[int, str], Delegation]:
    """By who is away and the seat (empty: roles on initiatives), who stands in now."""
    rows = Delegation.objects.agreed().at(clock.now()).filter(delegate__is_active=True)
    return {
        (row.absence.person_id, row.membership.seat if row.membership else ""): row
        for row in rows.select_related("absence__person", "delegate", "membership")
    }


def _stand_in(due: Due, substitutes: dict[tuple[int, str], Delegation]) -> Due:
    """The message as it goes out: to whoever stands in while its person is away, with for whom."""
    row = None if due.personal else substitutes.get((due.person.pk, due.seat))
    if row is None:
        return due
    away = f"For {row.absence.person}, who is away: you stand in."
    return replace(due, person=row.delegate, text=f"{away} {due.text}".strip())


def run(
    at: datetime | None = None, *, dry_run: bool = False, queries: Iterable[Callable] | None = None
) -> Counts:
    """Write every message that is due, at `at` or now; or what these queries find. May run twice at once: one row each.

    `dry_run` writes nothing and says what would be new. When a query fails the others' messages are written all the
    same, and then ExceptionGroup is raised.
    """
    problems: list[Exception] = []
    with clock.simulated(at) if at else nullcontext():
        found = find(problems, queries)
        new = len(_unknown(found)) if dry_run else _insert(list(found.values()))
    if problems:
        raise ExceptionGroup("Not everything that is due could be found", problems)
    return Counts(len(found), new)


def _unknown(found: dict[tuple, Due]) -> set[tuple]:
    """The keys among those found that nobody was told before."""
    people = {key[0] for key in found}
    known = Notification.objects.filter(person__in=people).values_list(
        "person", "kind", "object_key", "period"
    )
    return set(found) - set(known)


def _insert(dues: list[Due]) -> int:
    """Insert a notification for each, in the order of their keys so that no two runs lock up; how many were new.

    Plain SQL, because Django does not say which rows of `ignore_conflicts` were new.
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
