"""Replay row changes: compare each with the earlier one, the row and its history.

The database compares, table by table, on the JSON that capture wrote. If the two texts of a row differ, the row was
changed. Only rows that differ are read here, to name the field, and none is kept in memory.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from governance.audit_log import row_capture
from governance.transparency_log.recomputation import stream

CHANGES = """
  SELECT e.id, e.key, e.operation, e.xact, e.actor_id, e.at, length(b.body) = 0 AS erased, j.before, j.after,
         j.actor ->> 'name' AS name, j.reason,
         (j.kind, j."table", j.key, j.operation, j.actor ->> 'id', j.at)
           IS DISTINCT FROM (e.kind, e."table", e.key, e.operation, e.actor_id::text, e.at) AS odd,
         row_number() OVER (PARTITION BY e.key, e.xact ORDER BY e.id) AS nth,
         lag(e.operation) OVER chain AS last_operation,
         lag(length(b.body) = 0) OVER chain AS last_erased,
         lag(coalesce(j.after, j.before)::text) OVER chain AS last_row,
         lead(e.id) OVER chain IS NULL AS newest
    FROM governance_entry e
    JOIN governance_entrybody b ON b.entry_id = e.id,
    LATERAL json_to_record(CASE WHEN length(b.body) > 0 THEN convert_from(b.body, 'UTF8')::json ELSE '{}' END)
      AS j(kind text, "table" text, key text, operation text, at timestamptz, actor json, reason text,
           before json, after json)
   WHERE e."table" = %(table)s AND e.xact >= %(since)s
  WINDOW chain AS (PARTITION BY e.key ORDER BY e.id)
"""

HISTORY = """
  SELECT history_id, {pk}::text AS key, history_type, history_xact, history_date, history_user_id, history_user_name,
         history_change_reason, (SELECT row_to_json(kept)::text FROM (SELECT {columns}) kept) AS told,
         row_number() OVER (PARTITION BY {pk}, history_xact ORDER BY history_id) AS nth
    FROM {history} WHERE history_xact >= %(since)s
"""

NO_HISTORY = """
  SELECT NULL::bigint AS history_id, NULL::text AS key, NULL::text AS history_type, NULL::bigint AS history_xact,
         NULL::timestamptz AS history_date,
         NULL::bigint AS history_user_id, NULL::text AS history_user_name, NULL::text AS history_change_reason,
         NULL::text AS told, NULL::bigint AS nth WHERE false
"""

# Rows that may be wrong, for `_explain` to decide. A row whose texts differ only by an added or removed column is among
# them, and `_explain` finds it right.
DIFFERENT = """
WITH changes AS ({changes}), history AS ({history}), live AS (
  SELECT {pk}::text AS key, row_to_json(r)::text AS stands FROM {table} r
)
SELECT c.id, coalesce(c.key, h.key, l.key), c.operation, c.erased, c.odd, c.before::text, c.after::text, c.actor_id,
       c.at, c.name, c.reason, c.last_operation, c.last_erased, c.last_row, c.newest,
       h.history_id, h.history_type, h.history_date, h.history_user_id, h.history_user_name, h.history_change_reason,
       h.told, l.stands
  FROM changes c
  FULL JOIN history h ON h.key = c.key AND h.history_xact = c.xact AND h.nth = c.nth
  FULL JOIN live l ON l.key = CASE WHEN c.newest THEN c.key END
 WHERE (c.id IS NULL AND (h.history_id IS NOT NULL OR %(whole)s))
    OR (c.id IS NOT NULL AND (
         (h.history_id IS NULL AND %(governed)s)
      OR c.odd AND NOT c.erased
      OR (c.operation = '+') <> (coalesce(c.last_operation, '-') = '-') AND (%(whole)s OR c.last_operation IS NOT NULL)
      OR c.operation <> '+' AND c.last_row IS DISTINCT FROM c.before::text AND c.last_operation IS NOT NULL
           AND NOT c.erased AND NOT c.last_erased
      OR c.newest AND (c.operation = '-') <> (l.key IS NULL)
      OR c.newest AND c.operation <> '-' AND NOT c.erased AND l.stands IS DISTINCT FROM c.after::text
      OR h.history_id IS NOT NULL AND (h.history_type, h.history_date, h.history_user_id)
           IS DISTINCT FROM (c.operation, c.at, c.actor_id)
      OR h.history_id IS NOT NULL AND NOT c.erased AND (h.told, h.history_user_name, h.history_change_reason)
           IS DISTINCT FROM (coalesce(c.after, c.before)::text, c.name, c.reason)))
 ORDER BY c.id NULLS LAST, h.history_id NULLS LAST, l.key
"""

# The columns of each table in their stored order, which is the order of its JSON.
COLUMNS = """
SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname
"""

# The body of an act must have the values of its entry.
ODD_ACTS = """
SELECT e.id, (j.kind, j.actor ->> 'id', coalesce(j.initiative ->> 'ref', ''))
             IS NOT DISTINCT FROM (e.kind, e.actor_id::text, e.initiative_ref) AS only_the_time
  FROM governance_entry e
  JOIN governance_entrybody b ON b.entry_id = e.id AND length(b.body) > 0,
  LATERAL json_to_record(convert_from(b.body, 'UTF8')::json) AS j(kind text, at timestamptz, actor json,
    initiative json)
 WHERE e."table" = '' AND e.xact >= %(since)s
   AND (j.kind, j.at, j.actor ->> 'id', coalesce(j.initiative ->> 'ref', ''))
       IS DISTINCT FROM (e.kind, e.at, e.actor_id::text, e.initiative_ref)
 ORDER BY e.id
"""


# Secret columns, which no entry repeats, against the digest in the newest entry of their row. A row is a hit if the
# digest differs, or (third column) if the newest entry has no digest and an earlier one has.
SECRETS = """
WITH told AS (
  SELECT DISTINCT ON (e.key) e.id, e.key, b.salt, convert_from(b.body, 'UTF8')::json -> 'secrets' AS digests
    FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
   WHERE e."table" = %(table)s AND e.operation <> '-' AND length(b.body) > 0 AND e.xact >= %(since)s
   ORDER BY e.key, e.id DESC
)
SELECT told.id, told.key, told.digests IS NULL FROM told JOIN {table} r ON r.{pk}::text = told.key
 WHERE CASE WHEN told.digests IS NOT NULL
       THEN told.digests ->> %(column)s IS DISTINCT FROM
            encode(plumbline_digest(told.salt, %(column)s, r.{column}::text), 'hex')
       ELSE EXISTS (SELECT FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
                     WHERE e."table" = %(table)s AND e.key = told.key AND e.id < told.id AND length(b.body) > 0
                       AND convert_from(b.body, 'UTF8')::json -> 'secrets' IS NOT NULL) END
 ORDER BY told.id
"""


@dataclass(frozen=True)
class Difference:
    """One fault, in words, with its place."""

    words: str
    entry: int | None = None
    table: str = ""
    key: str = ""
    field: str = ""


@dataclass(frozen=True)
class _Row:
    """The query's values for one change, its history and the row now."""

    entry: int | None
    key: str
    operation: str
    erased: bool
    odd: bool
    before: str | None
    after: str | None
    actor_id: int | None
    at: datetime | None
    name: str | None
    reason: str | None
    last_operation: str | None
    last_erased: bool | None
    last_row: str | None
    newest: bool
    history: int | None
    history_type: str | None
    history_date: datetime | None
    history_user_id: int | None
    history_user_name: str | None
    history_reason: str | None
    told: str | None
    stands: str | None


def differences(*, since: int = 0, using: str = "default") -> Iterator[Difference]:
    """Yield every fault, by table, in the order of each table's entries.

    With `since`, only changes by transactions from that one on count, and the rows they touched. Check the bodies
    first, because a body that is not JSON is an error here.
    """
    for entry, only_the_time in stream(using, ODD_ACTS, {"since": since}):
        field = "at" if only_the_time else "kind"
        yield Difference(f"the columns of entry {entry} differ from its body", entry, field=field)
    columns = dict(stream(using, COLUMNS, []))
    for model in row_capture.captured_models():
        yield from _of_table(model, columns[model._meta.db_table], since, using)


def _of_table(model: type[Model], columns: list[str], since: int, using: str) -> Iterator[Difference]:
    table, pk = model._meta.db_table, model._meta.pk.column
    governed = hasattr(getattr(model, "history", None), "model")
    repeated = set(row_capture.columns_of(model)) if governed else set()
    history = NO_HISTORY
    if governed:
        history = HISTORY.format(
            pk=pk,
            columns=", ".join(f'"{name}"' for name in columns if name in repeated),
            history=row_capture.history_table(model),
        )
    query = DIFFERENT.format(changes=CHANGES, history=history, table=table, pk=pk)
    values = {"table": table, "since": since, "whole": not since, "governed": governed}
    for values_of_row in stream(using, query, values):
        row = _Row(*values_of_row)
        for words, field in _explain(row, governed=governed, whole=not since):
            yield Difference(words, row.entry, table, row.key, field)
    for column in row_capture.secret_columns(model):
        yield from _secret(table, pk, column, since, using)


def _secret(table: str, pk: str, column: str, since: int, using: str) -> Iterator[Difference]:
    query = SECRETS.format(table=table, pk=pk, column=f'"{column}"')
    for entry, key, left_out in stream(using, query, {"table": table, "since": since, "column": column}):
        words = (
            f"entry {entry} has no digest of {column}, but earlier entries have one"
            if left_out
            else f"the row was changed outside of the audit log, at {column}"
        )
        yield Difference(words, entry, table, key, column)


def _explain(row: _Row, *, governed: bool, whole: bool) -> Iterator[tuple[str, str]]:
    """Yield the faults of one row with their field, none if only columns changed."""
    if row.entry is None:
        if row.history is not None:
            yield f"history {row.history} has a change that is not in the audit log", ""
        else:
            yield "the row exists, but the audit log has no entry of it", ""
        return
    if row.odd and not row.erased:
        yield f"the columns of entry {row.entry} differ from its body", ""
    if whole or row.last_operation is not None:
        yield from _chain(row)
    if row.newest:
        yield from _current(row)
    if governed:
        yield from _history(row)


def _chain(row: _Row) -> Iterator[tuple[str, str]]:
    alive = (row.last_operation or "-") != "-"
    if row.last_operation is None and row.operation != "+":
        yield "the first entry of the row is a change, not its creation", ""
    elif row.operation == "+" and alive:
        yield "the audit log records the creation of the row twice", ""
    elif row.operation != "+":
        if not alive:
            yield "the audit log records a change of the row after its deletion", ""
        elif not (row.erased or row.last_erased):
            for field in _unequal(row.last_row, row.before):
                yield (
                    f"the value before the change differs from the value after the previous change, at {field}",
                    field,
                )


def _current(row: _Row) -> Iterator[tuple[str, str]]:
    if row.operation == "-":
        if row.stands is not None:
            yield "the row exists, but the audit log records that it was deleted", ""
    elif row.stands is None:
        yield "the row is gone, but the audit log has no deletion of it", ""
    elif not row.erased:
        for field in _unequal(row.after, row.stands):
            yield f"the row was changed outside of the audit log, at {field}", field


def _history(row: _Row) -> Iterator[tuple[str, str]]:
    if row.history is None:
        yield f"entry {row.entry} has no row of history", ""
        return
    said = [
        ("history_type", row.history_type, row.operation),
        ("history_date", row.history_date, row.at),
        ("history_user_id", row.history_user_id, row.actor_id),
    ]
    if not row.erased:
        said += [
            ("history_user_name", row.history_user_name, row.name),
            ("history_change_reason", row.history_reason, row.reason),
        ]
    for field, told, recorded in said:
        if told != recorded:
            yield f"history {row.history} differs from entry {row.entry}, at {field}", field
    if not row.erased:
        for field in _unequal(row.after or row.before, row.told):
            yield f"history {row.history} differs from entry {row.entry}, at {field}", field


def _unequal(one: str | None, other: str | None) -> list[str]:
    """Return the shared fields that differ. A column in one row only came or went."""
    if one is None or other is None:
        return ["the whole row"] if one != other else []
    first, second = json.loads(one), json.loads(other)
    return [name for name in first if name in second and first[name] != second[name]]
