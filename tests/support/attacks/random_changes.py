"""Random changes by whoever owns the tables, the functions and the files, each taken back: was it found at its place?

`GROUPS` has them by what is changed. Each makes one change and gives (what, None), (what, what was said instead), or
None where the database refused it.
"""

import random
from collections.abc import Callable
from contextlib import suppress

from django.core.files.storage import default_storage
from django.db import connection

from governance.audit_log import row_capture
from governance.storage import file_fingerprints
from governance.transparency_log import database_guards, sealing, verification
from initiatives.models import Evidence
from tests.support import factories
from tests.support.database import tampering

Told = tuple[str, str | None] | None


def make_life(cast: factories.Cast) -> None:
    """What is changed: an initiative with a key in production, another one, and an audit log that was sealed twice."""
    initiative = factories.make_production(cast)
    factories.make_key(cast, initiative)
    sealing.seal()
    factories.make_initiative(cast, title="Another")
    sealing.seal()


def tried(group: str, count: int, chance: random.Random) -> tuple[int, list[str]]:
    """Make so many changes of a group; how many were found at their place, and what was said of the others."""
    done, wrong = 0, []
    while done < count:
        told = GROUPS[group](chance)
        if told is not None:
            done += 1
            wrong += [told[1]] if told[1] else []
    return done - len(wrong), wrong


def rows(chance: random.Random) -> Told:
    """A bit of a row as it stands."""
    return tampering.missed(
        chance, [(one._meta.db_table, one._meta.pk.column) for one in row_capture.captured_models()]
    )


def audit_log(chance: random.Random) -> Told:
    """A bit of an entry, a body, a leaf, a node, a checkpoint or what tells when a transaction was known."""
    return tampering.missed(chance, tampering.SEALED)


def hashes(chance: random.Random) -> Told:
    """The hash of a password or of a key, exchanged for another."""
    table, column = chance.choice([("governance_user", "password"), ("governance_servicekey", "secret_hash")])
    key = chance.choice(_one_column(f"SELECT id FROM {table} ORDER BY id"))
    with tampering.undone():
        other = f"{chance.getrandbits(256):064x}"
        tampering.tamper(f"UPDATE {table} SET {column} = %s WHERE id = %s", other, key, table=table)
        found = tampering.first_found()
    what = f"{column} of {table} {key}"
    right = found is not None and (found.table, found.key, found.field) == (table, str(key), column)
    return what, None if right else f"{what}: {found}"


def guards_changed(chance: random.Random) -> Told:
    """A trigger that is off or gone, a function that does nothing, a right given to everybody."""
    how = chance.choice(["off", "gone", "function", "grant"])
    if how in ("off", "gone"):
        table, name = chance.choice(_triggers())
        verb = (
            f"ALTER TABLE {table} DISABLE TRIGGER {name}"
            if how == "off"
            else f"DROP TRIGGER {name} ON {table}"
        )
        named = (table, name)
    elif how == "function":
        functions = _one_column(
            "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND prorettype = 'trigger'::regtype AND proname LIKE 'plumbline%' ORDER BY 1"
        )
        name = chance.choice(functions)
        verb = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        named = (name,)
    else:
        table = chance.choice(database_guards.audit_log_tables())
        verb, named = f"GRANT UPDATE ON {table} TO PUBLIC", (table,)
    with tampering.undone():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(verb)
        found = verification.verify().findings
    right = any(one.place == "guard" and all(name in one.words for name in named) for one in found)
    return verb, None if right else f"{verb}: {[str(one) for one in found]}"


def _triggers() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname::text, t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgparentid = 0 ORDER BY 1, 2"
        )
        return cursor.fetchall()


def files(chance: random.Random) -> Told:
    """A bit of a file of evidence, or the file gone."""
    item = chance.choice(Evidence.objects.exclude(file="").order_by("pk"))
    with default_storage.open(item.file.name) as source:
        content = source.read()
    place = chance.randrange(len(content))
    changed = content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]
    path = default_storage.path(item.file.name)
    try:
        _write(path, changed)
        report = verification.Report()
        file_fingerprints.verify(report)
    finally:
        _write(path, content)
    shared = {str(one.pk) for one in Evidence.objects.filter(file=item.file.name)}
    right = {one.key for one in report.findings if one.table == Evidence._meta.db_table} == shared
    what = f"byte {place} of {item.file.name}"
    return what, None if right else f"{what}: {[str(one) for one in report.findings]}"


def _write(path: str, content: bytes) -> None:
    with suppress(FileNotFoundError), open(path, "wb") as file:
        file.write(content)


def _one_column(query: str) -> list:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [value for (value,) in cursor.fetchall()]


GROUPS: dict[str, Callable[[random.Random], Told]] = {
    "governed rows": rows,
    "rows of the audit log": audit_log,
    "files of evidence": files,
    "hashes of passwords and keys": hashes,
    "guards": guards_changed,
}
# What `python -m tests.drills.audit_log.flips found` tries of each.
COUNTS = {
    "governed rows": 50,
    "rows of the audit log": 50,
    "files of evidence": 50,
    "hashes of passwords and keys": 20,
    "guards": 20,
}
