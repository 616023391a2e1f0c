"""Removal of interactions after their retention: bodies by day, rows by month.

Bodies are kept for `INTERACTION_DAYS` from the day they came in. The database refuses less than 183 days (EU AI Act,
Articles 19 and 26(6): logs for at least six months). Rows are kept as long after their month, and 730 days at least.
Interactions under a hold stay. One entry a run contains the counts.
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.interaction_log import keys, loading
from governance.interaction_log.loading import SYSTEM
from governance.interaction_retention import holds
from governance.models import Interaction, InteractionBodies, InteractionKey
from governance.vocabulary.entry_kinds import EntryKind

log = structlog.get_logger("plumbline.interactions")

_MONTHS = r"""
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
   AND relname ~ '^governance_interaction_\d{4}_\d{2}$' ORDER BY relname
"""


@dataclass
class Removed:
    """What one run removed: bodies, of which initiatives, rows by month, leaves left of them, keys destroyed."""

    bodies: int = 0
    initiatives: list[int] = field(default_factory=list)
    months: dict[str, int] = field(default_factory=dict)
    leaves: int = 0
    keys: int = 0

    def __bool__(self) -> bool:
        return bool(self.bodies or self.months or self.keys)


def last_day(today: date) -> date:
    """Return the last day (UTC, of receipt) whose bodies have expired."""
    return today - timedelta(days=settings.INTERACTION_DAYS)


def expire(today: date) -> Removed:
    """Remove what is due today (UTC), and return it. An entry records it if anything was removed."""
    with row_history.acting(system=SYSTEM, reason="End of the retention"):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            # Nothing comes over meanwhile, and no two runs are at it.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('plumbline interactions come over'))")
        held_initiatives, held_people = holds.held_initiatives(), holds.held_people()
        removed = Removed()
        gone = _expire_bodies(today, held_people)
        removed.bodies, removed.initiatives = sum(gone.values()), sorted(gone)
        removed.keys += _pass_days(today, held_initiatives, held_people)
        _expire_months(today, held_people, removed)
        if removed:
            entries.record(
                EntryKind.INTERACTIONS_EXPIRED, **asdict(removed), held=sorted(held_initiatives), day=today
            )
    if removed:
        log.info("interactions have expired", bodies=removed.bodies, months=sorted(removed.months))
    return removed


# --- Bodies -----------------------------------------------------------------------------------------------------------


def _expire_bodies(today: date, people: holds.Held) -> dict[int, int]:
    """Remove the bodies after their retention, except held ones. Returns counts by initiative number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM plumbline_expire_bodies(%s, %s::bytea[], %s::bytea[])",
            [last_day(today), list(people.subjects), list(people.conversations)],
        )
        return dict(cursor.fetchall())


def _pass_days(today: date, held_initiatives: set[int], people: holds.Held) -> int:
    """Record until which day each initiative's bodies are gone, and destroy the keys. Returns how many."""
    gone = last_day(today)
    known = dict(InteractionBodies.objects.values_list("initiative_number", "gone_through"))
    count = 0
    for number in sorted(_initiatives() - held_initiatives):
        if known.get(number, date.min) >= gone:
            continue
        InteractionBodies.objects.update_or_create(initiative_number=number, defaults={"gone_through": gone})
        count += _destroy_keys(number, gone, people)
    return count


def _initiatives() -> set[int]:
    """The numbers of the initiatives that keys are of."""
    found = InteractionKey.objects.filter(wrapped__isnull=False, initiative_number__isnull=False)
    numbers = found.order_by().values_list("initiative_number", flat=True).distinct()
    return {number for number in numbers if number is not None}


def _destroy_keys(number: int, gone: date, people: holds.Held) -> int:
    """Destroy the keys of an initiative's months whose last body was by that day. Returns how many."""
    month = keys.month_of(datetime(gone.year, gone.month, 1, tzinfo=UTC))
    old = InteractionKey.objects.filter(initiative_number=number, month__lt=month, wrapped__isnull=False)
    old = old.exclude(holder__in=people.holders)
    if not old.exists():
        return 0
    # Whatever was reported long after it took place is kept from the day it came in.
    first = datetime(gone.year, gone.month, 1, tzinfo=UTC)
    late = Interaction.objects.filter(initiative_number=number, at__lt=first, batch__day__gt=gone)
    used = set(late.values_list("holder_key", flat=True).distinct())
    return keys.destroy(row.pk for row in old.only("pk") if row.pk not in used)


# --- Rows -------------------------------------------------------------------------------------------------------------


def _expire_months(today: date, people: holds.Held, removed: Removed) -> None:
    """Remove the rows of months that are over for long enough, and the keys of these."""
    now = clock.now()
    for month in _months():
        if loading.end_of(month) + loading.rows_kept() > now:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM plumbline_expire_interactions(%s, %s::bytea[], %s::bytea[])",
                [date.fromisoformat(f"{month}-01"), list(people.subjects), list(people.conversations)],
            )
            gone, leaves, destroyed = cursor.fetchone()
        if gone:
            removed.months[month] = gone
        removed.leaves += leaves
        removed.keys += destroyed


def _months() -> list[str]:
    """The months that have rows, and those that have keys, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS)
        rows = {name[-7:].replace("_", "-") for (name,) in cursor.fetchall()}
    return sorted(rows | set(InteractionKey.objects.order_by().values_list("month", flat=True).distinct()))
