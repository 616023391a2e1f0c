"""What an intruder with the rights of the schema's owner can do: everything, with the triggers switched off."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from django.db import DatabaseError, connection, transaction

from governance.audit_log import row_capture
from governance.models import Checkpoint, Entry
from governance.offline.verify import commitment
from governance.transparency_log import sealing, verification

SEALED = [
    ("governance_entry", "id"),
    ("governance_entrybody", "entry_id"),
    ("governance_leaf", "position"),
    ("governance_node", "id"),
    ("governance_checkpoint", "id"),
    ("governance_sealing", "xact"),
]
# The sealer's own notes, which the audit log does not rest on.
BESIDE_THE_AUDIT_LOG = {"counted", "running_to"}


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def tamper(statement: str, *values, table: str) -> int:
    """Run a statement as the owner of the schema, with the triggers of the table off; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        touched = cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return touched


def first_found(**options) -> verification.Finding | None:
    """The first thing that verification finds, if any."""
    return next(iter(verification.verify(**options).findings), None)


def live_and_history() -> list[tuple[str, str]]:
    """Every table whose rows are captured, and every table of history, with its key."""
    found = [(model._meta.db_table, model._meta.pk.column) for model in row_capture.captured_models()]
    return found + [
        (model.history.model._meta.db_table, "history_id") for model in row_capture.governed_models()
    ]


def flip(chance: random.Random, table: str, pk: str) -> tuple[str, str] | None:
    """Flip one bit in one column of one row; (key, column), or None where the database holds no such value."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
        column = chance.choice([name for name in columns if name != pk and name not in BESIDE_THE_AUDIT_LOG])
        known = ""
        if (table, column) == ("governance_checkpoint", "at"):  # one that sealed nothing makes nothing known
            known = "AND id IN (SELECT checkpoint_id FROM governance_sealing)"
        cursor.execute(
            f'SELECT {pk}, "{column}" FROM {table} WHERE "{column}" IS NOT NULL {known} ORDER BY {pk}'
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    key, value = chance.choice(rows)
    changed = flipped(chance, value)
    if changed is None:
        return None
    try:
        with transaction.atomic():
            tamper(f'UPDATE {table} SET "{column}" = %s WHERE {pk} = %s', changed, key, table=table)
    except DatabaseError:  # a constraint or a key refuses it even then
        return None
    return str(key), column


def missed(
    chance: random.Random, places: list[tuple[str, str]] | None = None
) -> tuple[str, str | None] | None:
    """Flip one bit in one of the tables (`places`, or anywhere), verify, and take it back. None where the database
    refused the flip.

    Otherwise what was flipped, and what went wrong: None when verification named the right place first.
    """
    histories = {model.history.model._meta.db_table: model for model in row_capture.governed_models()}
    table, pk = chance.choice(places or SEALED * 6 + live_and_history())
    with undone():
        rows = _rows_of_history(histories.get(table))
        done = flip(chance, table, pk)
        if done is None:
            return None
        key, column = done
        found = first_found()
    what = f"{table} {key} {column}"
    if found is None:
        return what, f"{what}: not found"
    if table in histories:  # history is named by the row it tells of
        wanted = (histories[table]._meta.db_table, rows[key])
    elif table == "governance_node":
        wanted = ("governance_node", found.key)  # named by level and number, which may be what was flipped
    elif (table, column) == ("governance_sealing", "known_at"):
        # Where a checkpoint sealed one transaction only, nothing tells which of the two moments was changed.
        wanted = (found.table, found.key) if found.field in ("known_at", "at") else (table, key)
    else:
        wanted = (table, key)
    right = (found.table, found.key) == wanted
    return what, None if right else f"{what}: {found}"


def _rows_of_history(model) -> dict[str, str]:
    if model is None:
        return {}
    kept = model.history.values_list("history_id", model._meta.pk.attname)
    return {str(history): str(row) for history, row in kept}


def flipped(chance: random.Random, value):
    """The value with one bit of it changed, or None where that is no value of its kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(12)
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1 << chance.randrange(40))
    if isinstance(value, date):
        return value + timedelta(days=1 << chance.randrange(8))
    if not isinstance(value, (str, bytes, memoryview)) or not value:
        return None
    content = bytearray(value.encode() if isinstance(value, str) else value)
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    if not isinstance(value, str):
        return bytes(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def rewrite(entry: Entry, body: bytes) -> None:
    """Another body for an entry, and a digest that fits it."""
    digest = commitment(bytes(entry.body.salt), body)
    bodies, entries = "governance_entrybody", "governance_entry"
    tamper(f"UPDATE {bodies} SET body = %s WHERE entry_id = %s", body, entry.pk, table=bodies)
    tamper(f"UPDATE {entries} SET digest = %s WHERE id = %s", digest, entry.pk, table=entries)


def rewrite_everything(entry: Entry, body: bytes) -> Checkpoint:
    """An insider with the database and the signing key: another body, and all that follows from it made anew."""
    rewrite(entry, body)
    for table in ("governance_leaf", "governance_node", "governance_sealing", "governance_checkpoint"):
        tamper(f"DELETE FROM {table}", table=table)
    return sealing.seal()
