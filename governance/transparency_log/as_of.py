"""As-of reading: inside `day(moment)` every query reads the rows as they were known then; nothing can be written.

Beside each governed table stands a view of the same name in the schema `asof`. It shows, for each row, the newest
state that was known by the moment: known is what a checkpoint had sealed, so the same question gets the same answer
for ever (docs/audit-log.md, "As-of"). Putting that schema first in the search path turns the whole application back; no
page has a second way of reading.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from governance import clock
from governance.audit_log import row_capture
from governance.database import request_memo
from governance.transparency_log import sealing

SEALED_AFTER = timedelta(minutes=5)  # longer than a sealing takes

# Views of tables that are worked out from others: by table, SQL with {known}, for the alias k.
derived: dict[str, str] = {}

# Indexes that only these views ask for, by table; the apps above add theirs.
indexes: dict[str, str] = {}

# OFFSET 0 keeps the planner from turning the query into a join with every sealing there is: a page asks for few
# rows, and each is one step down an index.
KNOWN = (
    "{row}.{column} <= asof.newest() AND EXISTS (SELECT 1 FROM public.governance_sealing {seal}"
    " WHERE {seal}.xact = {row}.{column} AND {seal}.known_at <= asof.moment() OFFSET 0)"
)
# The newest known state of whatever rows are asked for: right for a filter on any column, as quick as the rows' past is
# short.
NEWEST = """
SELECT {columns} FROM public.{history} h WHERE h.history_type <> '-' AND {known}
   AND NOT EXISTS (SELECT 1 FROM public.{history} n WHERE n.{pk} = h.{pk} AND n.history_id > h.history_id
                      AND {known_n} OFFSET 0)
"""
# The same, from each row's beginning: for rows of initiatives, which pages read by the initiative they belong to for
# ever, or all initiatives of; quick however long the rows' past is. (A key that was removed and used again has begun
# twice.)
NEWEST_OF_EACH = """
SELECT {columns} FROM public.{history} b CROSS JOIN LATERAL
       (SELECT k.history_id FROM public.{history} k WHERE k.{pk} = b.{pk} AND {known_k}
         ORDER BY k.history_id DESC LIMIT 1) newest
       CROSS JOIN LATERAL (SELECT * FROM public.{history} x WHERE x.history_id = newest.history_id OFFSET 0) h
 WHERE b.history_type = '+' AND h.history_type <> '-' AND h.history_id >= b.history_id
   AND NOT EXISTS (SELECT 1 FROM public.{history} a WHERE a.{pk} = b.{pk} AND a.history_type = '+'
                      AND a.history_id > b.history_id AND a.history_id <= h.history_id OFFSET 0)
"""
_day: ContextVar[datetime | None] = ContextVar("plumbline_as_of", default=None)
_opened: ContextVar["Opened | None"] = ContextVar("plumbline_opened", default=None)


@dataclass(frozen=True)
class Opened:
    """What the doors of today opened to somebody who looks back: the initiative asked for, and which initiatives at
    all.

    `initiatives` are keys; None is every initiative. Rights of that other day open nothing and close nothing.
    """

    initiative: object | None = None
    initiatives: frozenset[int] | None = None


def _known(row: str, column: str = "xact") -> str:
    return KNOWN.format(seal=f"s_{row}", row=row, column=column)


def remove(cursor: CursorWrapper) -> None:
    """Take the views away, before a migration changes what they read."""
    cursor.execute("DROP SCHEMA IF EXISTS asof CASCADE")


def install(cursor: CursorWrapper, present: set[str]) -> None:
    """Make the schema anew, with a view for each table that is as its model says."""
    remove(cursor)
    cursor.execute("CREATE SCHEMA asof")
    cursor.execute(
        # Bodies that are parsed now: no search path moves them, and unlike with one set, a view takes them in whole.
        "CREATE FUNCTION asof.moment() RETURNS timestamptz LANGUAGE sql STABLE"
        " RETURN current_setting('plumbline.as_of')::timestamptz"
    )
    # No transaction after this one was known by then; where nobody said, any may have been.
    cursor.execute(
        "CREATE FUNCTION asof.newest() RETURNS bigint LANGUAGE sql STABLE"
        " RETURN coalesce(nullif(current_setting('plumbline.as_of_xact', true), '')::bigint, 9223372036854775807)"
    )
    for table in indexes.keys() & present:
        cursor.execute(indexes[table])
    for model in row_capture.governed_models():
        belonging, history = row_capture.belonging(model), row_capture.history_table(model)
        if belonging and history in present:
            began = f"ON {history} (%s) WHERE history_type = '+'"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {history}_began {began % belonging}")
            again = f"{model._meta.pk.column}, history_id"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {history}_again {began % again}")
    for table, query in views(present).items():
        # Whoever asks a view needs the right to read the tables below it.
        cursor.execute(f"CREATE VIEW asof.{table} WITH (security_invoker) AS {query}")


def views(present: set[str]) -> dict[str, str]:
    """By table, the query that shows it as it was known by a moment."""
    found = {}
    for model in row_capture.governed_models():
        pk, history = model._meta.pk.column, row_capture.history_table(model)
        if not {model._meta.db_table, history} <= present:
            continue
        kept = row_capture.columns_of(model)
        belonging = row_capture.belonging(model)
        lasting = {pk, belonging} if belonging else set()
        columns = [
            f'{"b" if field.column in lasting else "h"}."{field.column}"'
            if field.column in kept
            else f"NULL::{field.db_type(connection)} AS {field.column}"
            for field in model._meta.concrete_fields
        ]
        found[model._meta.db_table] = (NEWEST_OF_EACH if belonging else NEWEST).format(
            columns=", ".join(columns),
            history=history,
            pk=pk,
            known=_known("h", "history_xact"),
            known_n=_known("n", "history_xact"),
            known_k=_known("k", "history_xact"),
        )
        found[history] = f"SELECT h.* FROM public.{history} h WHERE {_known('h', 'history_xact')}"
    for model in row_capture.written_once_models():
        table = model._meta.db_table
        if table not in present:
            continue
        found[table] = f"SELECT r.* FROM public.{table} r WHERE {_known('r')}"
    found["governance_entry"] = f"SELECT e.* FROM public.governance_entry e WHERE {_known('e')}"
    for table in derived.keys() & present:
        found[table] = derived[table].format(known=_known("k"))
    return found


def known_until() -> datetime | None:
    """The latest moment whose answer no longer changes. None before the first checkpoint.

    What is not sealed yet becomes known by a checkpoint to come, later than now; so a while ago is final even where
    nobody wrote since. A sealing that is under way may have taken its moment already: the while allows for it. Where
    something waits to be sealed for longer, its day is not told before it is in it.
    """
    newest = sealing.newest()
    if newest is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return max(newest.at, now - max(SEALED_AFTER, sealing.backlog().age))


def current() -> datetime | None:
    """The moment the running code reads as of, or None when it reads the present."""
    return _day.get()


def opened() -> Opened | None:
    """What was opened before the running code was turned back; None when it reads the present."""
    return _opened.get()


# The newest transaction that can have been known by a moment. A checkpoint with a new mark says which transactions were
# not begun when it was made, and so were sealed by none before it; what was simulated is known by its own clock.
NEWEST_KNOWN = """
SELECT greatest(
  (SELECT later.running_to FROM public.governance_checkpoint later
    WHERE later.id > last.id AND later.running_to > last.running_to ORDER BY later.id LIMIT 1),
  (SELECT max(xact) FROM public.governance_entry WHERE simulated))
  FROM (SELECT id, running_to FROM public.governance_checkpoint WHERE at <= %s ORDER BY at DESC LIMIT 1) last
 WHERE EXISTS (SELECT 1 FROM public.governance_checkpoint later
                WHERE later.id > last.id AND later.running_to > last.running_to)
"""


def _newest_known(cursor: CursorWrapper, moment: datetime) -> str:
    """For `asof.newest`: it only spares looks, so where no later checkpoint tells it may be left open."""
    cursor.execute(NEWEST_KNOWN, [moment])
    found = cursor.fetchone()
    return str(found[0]) if found and found[0] is not None else ""


@contextmanager
def day(moment: datetime, *, opened: Opened | None = None) -> Iterator[datetime]:
    """Read everything as it was known at `moment`; the clock stands there too. Nothing can be written inside.

    The same moment gives the same answer for ever once `known_until()` has passed it; asking earlier is for the
    caller to refuse. What is read in it is read once: rows of a past day do not change. Raises ValueError for a moment
    without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("A moment needs a time zone.")
    alone = not connection.in_atomic_block
    tokens = _day.set(moment), _opened.set(opened)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if alone:
                cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(
                "SELECT set_config('plumbline.as_of', %s, true), set_config('plumbline.as_of_xact', %s, true),"
                " set_config('search_path', 'asof, public', true)",
                [moment.isoformat(), _newest_known(cursor, moment)],
            )
            with clock.simulated(moment), request_memo.afresh(), request_memo.one_look():
                yield moment
            if not connection.needs_rollback:  # else going back restores it
                cursor.execute("SELECT set_config('search_path', 'public', true)")
    finally:
        _day.reset(tokens[0])
        _opened.reset(tokens[1])
