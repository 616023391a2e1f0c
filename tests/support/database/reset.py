"""The database of a test with real transactions, for the next test: again as nobody used it.

A database of ours has two thousand files, and to copy them takes a second. So the rows that a test wrote are removed,
past the guards that keep the audit log from being emptied; only where a test changed more than rows is its database put
away, and the template copied.
"""

import itertools
import os
import shutil
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase
from psycopg import sql

from tests.support.database import snapshots

USED = "_used_"  # in the names of databases that tests are done with
ROOM = 4 * 2**30  # bytes that must be free for them; each has 30 MiB, and some are full
_used = itertools.count(1)

# What a database is beside its rows: names, definitions, grants and switches, as its catalogue has them. What tests
# keep for themselves lies in schemas of its own (snapshots.py).
MADE_OF = """
WITH ours AS (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace),
words(said) AS (
  SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^(kept_|pg_)'
  UNION ALL
  SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions, relrowsecurity, relhasrules)
    FROM pg_class WHERE oid IN (TABLE ours)
  UNION ALL
  SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, attisdropped, attacl)
    FROM pg_attribute WHERE attrelid IN (TABLE ours)
  UNION ALL SELECT t::text FROM pg_attrdef t WHERE adrelid IN (TABLE ours)
  UNION ALL SELECT t::text FROM pg_trigger t WHERE tgrelid IN (TABLE ours)
  UNION ALL SELECT t::text FROM pg_constraint t WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT t::text FROM pg_proc t WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', oid, typname, typacl) FROM pg_type WHERE typnamespace = 'public'::regnamespace
  UNION ALL SELECT t::text FROM pg_default_acl t
  UNION ALL SELECT t::text FROM pg_db_role_setting t, pg_database d
    WHERE d.oid = setdatabase AND d.datname = current_database()
)
SELECT d.oid, md5(string_agg(said, E'\\n' ORDER BY said)) FROM words, pg_database d
WHERE d.datname = current_database() GROUP BY d.oid
"""


# Where its sequences stand.
NUMBERS = """
SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL
FROM pg_sequences WHERE schemaname = 'public'
"""


@dataclass
class Fresh:
    """A copy of the template that nobody used yet: which and what it is, its rows by table, as COPY writes them, where
    its sequences stand.
    """

    made_of: tuple
    rows: dict[str, bytes]
    digests: dict[str, str | None]
    numbers: set[tuple[str, int, bool]]


_fresh: list[Fresh] = []  # of this process, once it had to copy the template


def as_it_was(initiative: TransactionTestCase | None) -> None:
    """After a test with real transactions: its database is again what the template is."""
    template = settings.DATABASES["default"]["TEST"].get("TEMPLATE")
    if template is None:
        return
    name = connection.settings_dict["NAME"]
    connections.close_all()
    if not (_fresh and _emptied(name, _fresh[0])):
        _copy_anew(name, template)


def _emptied(name: str, fresh: Fresh) -> bool:
    """Whether all that was written were rows, which are gone now."""
    with psycopg.connect(url_of(name)) as inside:
        _send_away(inside, name)
        if inside.execute(MADE_OF).fetchone() != fresh.made_of:
            return False
        now = _digests(inside, fresh.rows)
        written = [table for table, digest in fresh.digests.items() if now[table] != digest]
        inside.execute("SET LOCAL session_replication_role = replica")  # neither guards nor foreign keys
        for table in written:
            inside.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            if table in fresh.rows:
                with inside.cursor() as cursor, cursor.copy(f'COPY "{table}" FROM STDIN') as into:
                    into.write(fresh.rows[table])
        for number in fresh.numbers - set(inside.execute(NUMBERS)):
            inside.execute("SELECT setval(quote_ident(%s), %s, %s)", number)
    snapshots.forget()
    return True


def _digests(
    inside: psycopg.Connection[Any], with_rows: dict[str, bytes] | list[str]
) -> dict[str, str | None]:
    """For each table None where it has no rows, and a digest of them where the template has some in it."""
    names = [
        name
        for (name,) in inside.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
    ]
    return dict(
        inside.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', md5(string_agg(t::text, '' ORDER BY t::text)) FROM \"{name}\" t"
                if name in with_rows
                else f"SELECT '{name}', (SELECT 'some' FROM \"{name}\" LIMIT 1)"
                for name in names
            )
        )
    )


def _copy_anew(name: str, template: str) -> None:
    with server() as at:
        if settings.EMBEDDED and not settings.IN_MEMORY and shutil.disk_usage(settings.DATA_DIR).free > ROOM:
            _put_aside(at, name)
        else:
            drop(at, name)
        at.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        only_owner_makes_temporary(at, name)
    if settings.EMBEDDED:  # elsewhere we may not switch the guards off
        _fresh[:] = [_seen(name)]


def only_owner_makes_temporary(at: psycopg.Connection[Any], name: str) -> None:
    """The one grant on a database itself, which a copy does not have: as `roles.statements` gives it."""
    at.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def _seen(name: str) -> Fresh:
    with psycopg.connect(url_of(name)) as inside:
        rows = {}
        for table, some in _digests(inside, ()).items():
            if some:
                with inside.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                    rows[table] = b"".join(map(bytes, out))
        made_of, numbers = inside.execute(MADE_OF).fetchone(), set(inside.execute(NUMBERS))
        return Fresh(made_of, rows, _digests(inside, rows), numbers)


def _put_aside(at: psycopg.Connection[Any], name: str) -> None:
    """Give a used database another name until the run ends: where files were just removed, some file systems look long
    for a place for new ones, and a copy then takes ten times as long.
    """
    _send_away(at, name)
    aside = f"{name}{USED}{os.getpid()}_{next(_used)}"
    at.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(aside)))


def _send_away(at: psycopg.Connection[Any], name: str) -> None:
    """End every other connection to a database."""
    at.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = %s AND pid <> pg_backend_pid()",
        [name],
    )


def drop(at: psycopg.Connection[Any], name: str) -> None:
    """Drop a used database."""
    until = time.monotonic() + 5
    while True:
        try:
            at.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            return
        except psycopg.errors.InsufficientPrivilege:  # another login, just closed, is still leaving
            if time.monotonic() > until:
                raise


def drop_used() -> None:
    """Drop what the tests of this run put aside."""
    with server() as at:
        for (name,) in at.execute("SELECT datname FROM pg_database").fetchall():
            if name.startswith(f"test_plumbline_{settings.RUN}_") and USED in name:
                drop(at, name)


def url_of(name: str, url: str = settings.DATABASE_URL) -> str:
    """The address of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def server() -> psycopg.Connection[Any]:
    """A connection that can make and drop databases."""
    return psycopg.connect(url_of("postgres"), autocommit=True, connect_timeout=5)
