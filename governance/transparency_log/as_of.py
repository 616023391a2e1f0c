"""As-of reading: inside `day(moment)` queries read the rows as known then.

No write is possible inside. The schema `asof` has a view for each governed table, with the same name. For each row the
view shows the newest state known by the moment. A state is known once a checkpoint has sealed it, so the same question
always gets the same answer (docs/audit-log.md, "As-of"). The search path begins with `asof`, so pages need no change.
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

# Views of tables that are computed from others: by table, SQL with {known}, for the alias k.
derived: dict[str, str] = {}

# Indexes that only these views need, by table. The apps above add theirs.
indexes: dict[str, str] = {}

# OFFSET 0 prevents a plan that joins with every sealing. A page reads few rows, and each is one step down an index.
KNOWN = (
    "{row}.{column} <= asof.newest() AND EXISTS (SELECT 1 FROM public.governance_sealing {seal}"
    " WHERE {seal}.xact = {row}.{column} AND {seal}.known_at <= asof.moment() OFFSET 0)"
)
# The newest known state of the queried rows. It is right for a filter on any column, and quick for rows with a short
# past.
NEWEST = """
SELECT {columns} FROM public.{history} h WHERE h.history_type <> '-' AND {known}
   AND NOT EXISTS (SELECT 1 FROM public.{history} n WHERE n.{pk} = h.{pk} AND n.history_id > h.history_id
                      AND {known_n} OFFSET 0)
"""
# The same, from each row's beginning, for rows of initiatives. Pages read these by initiative, which never changes, or
# for all initiatives. The query is quick for rows with a long past. A key that was removed and used again has two
# beginnings.
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
    """The access that today's rights give to someone who looks back.

    `initiative` is the requested one. `initiatives` are keys, and None is every initiative. Rights of that day do not
    count.
    """

    initiative: object | None = None
    initiatives: frozenset[int] | None = None


def _known(row: str, column: str = "xact") -> str:
    return KNOWN.format(seal=f"s_{row}", row=row, column=column)


def remove(cursor: CursorWrapper) -> None:
    """Remove the views, before a migration changes what they read."""
    cursor.execute("DROP SCHEMA IF EXISTS asof CASCADE")


def install(cursor: CursorWrapper, present: set[str]) -> None:
    """Create the schema again, with a view for each table that matches its model."""
    remove(cursor)
    cursor.execute("CREATE SCHEMA asof")
    cursor.execute(
        # Bodies that are parsed now ignore later search paths. Without a set path, views can inline them.
        "CREATE FUNCTION asof.moment() RETURNS timestamptz LANGUAGE sql STABLE"
        " RETURN current_setting('plumbline.as_of')::timestamptz"
    )
    # No transaction after this one was known by then. Without a value, any may have been.
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
        # A login that reads a view needs the right to read the tables below it.
        cursor.execute(f"CREATE VIEW asof.{table} WITH (security_invoker) AS {query}")


def views(present: set[str]) -> dict[str, str]:
    """Return the query of each table for the state known by a moment."""
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
    """Return the latest moment whose answer is final, or None without a checkpoint.

    Unsealed entries become known by a future checkpoint, so a moment some time ago is final even without newer
    entries. The margin allows for a sealing that is under way. If an entry waits longer to be sealed, the final moment
    is before it.
    """
    newest = sealing.newest()
    if newest is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return max(newest.at, now - max(SEALED_AFTER, sealing.backlog().age))


def current() -> datetime | None:
    """Return the moment that the running code reads as of, or None for the present."""
    return _day.get()


def opened() -> Opened | None:
    """Return the access opened before the turn back, or None for the present."""
    return _opened.get()


# The newest transaction that can have been known by a moment. A checkpoint with a new mark shows which transactions had
# not begun then, so that no earlier one sealed them. Simulated transactions are known by their own clock.
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
    """Return the value for `asof.newest`, a shortcut that may remain empty."""
    cursor.execute(NEWEST_KNOWN, [moment])
    found = cursor.fetchone()
    return str(found[0]) if found and found[0] is not None else ""


@contextmanager
def day(moment: datetime, *, opened: Opened | None = None) -> Iterator[datetime]:
    """Read everything as it was known at `moment`. The clock is set to it.

    No write is possible inside. The same moment always gives the same answer once `known_until()` has passed it. The
    caller must refuse later moments. Rows of a past day do not change, so each is read once. Raises ValueError without
    a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("The time has no time zone. Add a time zone.")
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
