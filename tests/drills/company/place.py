"""A throw-away database for a drill, with every migration, and an audit log of any length in it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def database(kept: str | None = None) -> Iterator[bool]:
    """Django set up on a database of its own, which is dropped at the end; one that is `kept` stays for the next run.

    Gives whether it was there already: then only the migrations since are run on it.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    django.setup()
    from django.core.management import call_command
    from django.db import connection, connections
    from psycopg import sql

    from tests.support import plugin

    plugin.mark_folder(settings.MEDIA_ROOT)  # as a run of pytest has it
    settings.EMBEDDED_DATABASE.start()
    try:
        template = plugin.make_template()
        name = kept or f"test_plumbline_{os.getpid()}_eligible_signers"
        with plugin.server() as at:
            there = at.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None
            if not there:
                copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
                at.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
        connection.settings_dict["NAME"] = name
        try:
            if there:
                call_command("migrate", verbosity=0)
            yield there
        finally:
            connections.close_all()
            if not kept:
                with plugin.server() as at:
                    at.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    finally:
        settings.EMBEDDED_DATABASE.leave()


# What capture, the guard and history would have written for rows that change nine times each, made in one go: the
# verification that follows would say so if it were not the same.
CHANGES = """
CREATE TEMPORARY TABLE made AS
SELECT nextval(pg_get_serial_sequence('governance_entry', 'id')) AS id, u.n AS key, v AS version,
       10000000 + u.n * 10 + v AS xact, clock_timestamp() AS at, plumbline_salt() AS salt,
       (SELECT row_to_json(r) FROM (SELECT {now}) r) AS after,
       CASE WHEN v > 0 THEN (SELECT row_to_json(r) FROM (SELECT {before}) r) END AS before
  FROM generate_series(%(first)s, %(last)s) AS u(n), generate_series(0, 9) AS v ORDER BY v, u.n;
ALTER TABLE made ADD body bytea;
UPDATE made SET body = convert_to(json_build_object(
  'kind', 'row', 'table', 'governance_unit', 'key', key::text, 'operation', CASE version WHEN 0 THEN '+' ELSE '~' END,
  'at', at, 'actor', json_build_object('id', 7, 'name', 'Ada Sato'), 'reason', 'So that there is something',
  'before', before, 'after', after)::text, 'UTF8');
INSERT INTO governance_entry (id, kind, actor_id, initiative_ref, "table", key, operation, xact, request_id, at, digest)
SELECT id, 'row', 7, '', 'governance_unit', key::text, CASE version WHEN 0 THEN '+' ELSE '~' END, xact, '', at,
       plumbline_hmac(salt, body) FROM made ORDER BY id;
INSERT INTO governance_entrybody (entry_id, body, salt) SELECT id, body, salt FROM made ORDER BY id;
INSERT INTO governance_historicalunit ({columns}, history_xact, history_date, history_type, history_user_id,
                                       history_user_name, history_change_reason)
SELECT (json_populate_record(NULL::governance_unit, after)).*, xact, at, CASE version WHEN 0 THEN '+' ELSE '~' END, 7,
       'Ada Sato', 'So that there is something' FROM made ORDER BY id;
INSERT INTO governance_unit SELECT (json_populate_record(NULL::governance_unit, after)).* FROM made WHERE version = 9;
DROP TABLE made;
ANALYZE;
"""


def fill(entries: int, *, after: int = 0) -> float:
    """Write so many row changes after so many others, history and rows included; the seconds that took."""
    from django.db import connection

    began = time.monotonic()
    with connection.cursor() as cursor:
        columns = [
            column.name
            for column in connection.introspection.get_table_description(cursor, "governance_unit")
        ]

        def row(version: str) -> str:
            values = {
                "id": "u.n",
                "name": f"'Unit ' || u.n || ' in its version ' || {version}",
                "code": "'unit-' || u.n",
                "path": "u.n || '.'",
            }
            return ", ".join(f'({values.get(name, "NULL::bigint")}) AS "{name}"' for name in columns)

        quoted = ", ".join(f'"{name}"' for name in columns)
        tables = (
            "governance_entry", "governance_entrybody", "governance_unit", "governance_historicalunit",
        )  # fmt: skip
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in CHANGES.format(now=row("v"), before=row("(v - 1)"), columns=quoted).split(";\n"):
            if statement.strip():
                cursor.execute(
                    statement, {"first": 1000001 + after // 10, "last": 1000000 + (after + entries) // 10}
                )
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return time.monotonic() - began
