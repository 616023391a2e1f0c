"""Database roles for the owner, the application, the sealer and the auditor.

The owner migrates, the application works, the sealer seals and the auditor reads. Only the owner can change the audit
log, and verification finds the owner's changes.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from django.apps import apps
from django.db import ProgrammingError, transaction
from psycopg import sql

OWNER = "plumbline"  # owns the schema; runs migrations, the demo and the tests
APPLICATION = "plumbline_app"  # web and worker: may not change what is recorded
SEALER = "plumbline_sealer"  # puts entries into the tree and signs its head; may do nothing else
AUDITOR = "plumbline_auditor"  # reads everything but passwords and sessions
CLOCK = "plumbline_clock"  # a mark, not a login: its members may simulate the time of a transaction

# Written by functions that run as their owner; what the sealer alone writes.
AUDIT_LOG = ("governance_entry", "governance_entrybody")
SEALED = ("governance_checkpoint", "governance_leaf", "governance_node", "governance_sealing")
STAMPED = ("governance_cosignature", "governance_timestamp")
# What a model says with `hidden_from_auditors` where no column of it is for an auditor, a session for instance.
EVERYTHING = "everything"
MONTH = re.compile(r"_\d{4}_\d{2}\Z")  # ends the name of a partition, of which the same is hidden

# What the application calls of what runs as the owner.
CALLED = (
    "plumbline_record(text, bigint, bigint, text, timestamptz, text[], bytea[])",
    "plumbline_decisions_of(timestamptz)",
    "plumbline_interactions_of(timestamptz)",
    "plumbline_expire_interactions(date, bytea[], bytea[])",
    "plumbline_bodies_of(date)",
    "plumbline_expire_bodies(date, bytea[], bytea[])",
)

_TABLES = """
SELECT c.relname::text, of.name = ANY (%s), of.name = ANY (%s), of.name = ANY (%s), of.name = ANY (%s)
  FROM pg_class c
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
  CROSS JOIN LATERAL (SELECT coalesce(i.inhparent::regclass, c.oid::regclass)::text AS name) of
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
 ORDER BY c.relname"""

DEMAND_OWNER = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = 'public.governance_entry'::regclass
             AND NOT pg_has_role(relowner, 'USAGE'))
  THEN RAISE insufficient_privilege USING MESSAGE = 'permission denied: these tables are of another login'; END IF;
END $$"""

CLOCK_MEMBERS = """
SELECT DISTINCT m.rolname::text FROM pg_auth_members a
  JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
 WHERE r.rolname = %s ORDER BY 1"""


class ClockRefused(Exception):
    """The database refuses to grant or to revoke the role that simulates time. The text names the SQL to run."""


@dataclass(frozen=True)
class Names:
    """The names of the three logins on this server."""

    application: str = APPLICATION
    sealer: str = SEALER
    auditor: str = AUDITOR

    def __iter__(self) -> Iterator[str]:
        return iter((self.application, self.sealer, self.auditor))


def make_roles(connection: psycopg.Connection[Any], *, passwords: dict[str, str]) -> None:
    """Make the missing logins with their passwords. The current user may then set the clock.

    Needs the right to create roles. Safe to repeat, also in two processes at once.
    """
    connection.execute("SELECT pg_advisory_lock(hashtext('plumbline roles'))")
    try:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        if CLOCK not in known:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(CLOCK)))
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(CLOCK)))
        for name, password in passwords.items():
            verb = sql.SQL("ALTER" if name in known else "CREATE")
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                    verb, sql.Identifier(name), sql.Literal(password)
                )
            )
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtext('plumbline roles'))")


@contextmanager
def clock_granted(connection: Any) -> Iterator[None]:
    """Let the login of this session simulate time inside the block, and not after it, however the block ends.

    `connection` is Django's default. After the block the role is dropped, unless it has other members. Raises
    ClockRefused if the login does not own the tables, may not grant the role, or may not revoke it.
    """
    login, role = _begin_clock(connection), sql.Identifier(CLOCK)
    try:
        yield
    finally:
        if not connection.is_usable():
            connection.close()  # the next statement connects again
        others = clock_members(connection) != [login]
        end = sql.SQL("REVOKE {} FROM {}" if others else "DROP ROLE {}").format(role, sql.Identifier(login))
        with suppress(ProgrammingError):
            _run(connection, end)
        if login in clock_members(connection):
            raise ClockRefused(
                f"{login} may still simulate time. Run this SQL as a superuser: "
                f"{end.as_string(connection.connection)};"
            )


def _begin_clock(connection: Any) -> str:
    """Make the role of the clock, grant it to the login of this session, and return the login."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user::text, to_regrole(%s) IS NULL", [CLOCK])
        login, missing = cursor.fetchone()
    role = sql.Identifier(CLOCK)
    made = sql.SQL("CREATE ROLE {} NOLOGIN").format(role)
    given = sql.SQL("GRANT {} TO {}").format(role, sql.Identifier(login))
    try:
        _run(connection, DEMAND_OWNER)
    except ProgrammingError:
        raise ClockRefused(
            f"Run this as the owner of the tables, as you run migrate, not as {login}."
        ) from None
    needed = [*([made] if missing else []), *([] if login in clock_members(connection) else [given])]
    try:
        _run(connection, *needed)
    except ProgrammingError:
        words = " ".join(f"{one.as_string(connection.connection)};" for one in needed)
        raise ClockRefused(
            f"{login} may not let itself simulate time. Run this SQL as a superuser, then try again: {words}"
        ) from None
    return login


def _run(connection: Any, *statements: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def clock_members(connection: Any) -> list[str]:
    """Return the logins that were granted the role of the clock, sorted. `connection` is Django's."""
    with connection.cursor() as cursor:
        cursor.execute(CLOCK_MEMBERS, [CLOCK])
        return [name for (name,) in cursor.fetchall()]


def grant(connection: Any, names: Names | None = None) -> list[str]:
    """Give each login what it needs and revoke the rest. Return the names of existing logins.

    `connection` is psycopg's or Django's, of the owner of the tables. It is to be called after every migration. For
    other users, the database's own error is raised. PostgreSQL only warns if a login may not pass a right on.
    """
    names = names or Names()
    with connection.cursor() as cursor:
        cursor.execute(DEMAND_OWNER)
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [list(names)])
        known = [name for (name,) in cursor.fetchall()]
        for statement in statements(cursor, names, known):
            cursor.execute(statement)
    return known


def statements(cursor: Any, names: Names, known: list[str]) -> list[sql.Composed]:
    """Return the grants as SQL for the logins in `known`, from the existing tables."""
    tables = _tables(cursor)
    # A session's own tables stand before ours wherever a search path does not say otherwise: only the owner makes any.
    cursor.execute("SELECT current_database()")
    (place,) = cursor.fetchone()
    found = [
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(place)),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    ]
    for name in known:
        to = sql.Identifier(name)
        found += [
            sql.SQL(text).format(to)
            for text in (
                "GRANT USAGE ON SCHEMA public, asof TO {}",
                "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}",
                "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}",
                "GRANT SELECT ON ALL TABLES IN SCHEMA asof TO {}",
            )
        ]
        if name == names.application:
            found += _of_application(to, tables)
        elif name == names.sealer:
            found += _of_sealer(to, tables)
        else:
            found += _of_auditor(cursor, to, tables)
    return found


def rights(cursor: Any, kind: str) -> dict[str, set[str]]:
    """Return the rights of an "application", "sealer" or "auditor" login, by thing.

    The names of things are those of `governance.database.database_catalogue.rights`.
    """
    found = {"the schema public": {"USAGE"}, "the schema asof": {"USAGE"}}
    if kind != "auditor":
        cursor.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
        )
        found |= {f"the sequence {name}": {"USAGE", "SELECT"} for (name,) in cursor.fetchall()}
    if kind == "application":
        found |= {f"the function {name.partition('(')[0]}": {"EXECUTE"} for name in CALLED}
    hidden = hidden_from_auditors()
    for table, *marks in _tables(cursor):
        if kind == "auditor":
            columns = hidden.get(MONTH.sub("", table), ())
            if columns is not None:
                readable = _readable(cursor, table, columns) if columns else None
                found |= {f"{table}.{one}" if one else table: {"SELECT"} for one in readable or [""]}
        elif given := (_of_application_on if kind == "application" else _of_sealer_on)(table, *marks):
            found[table] = set(given.split(", "))
    return found


def written_once() -> set[str]:
    """Return the tables into which the application may insert rows, and change none.

    Their models have `inserted_only`: each `WrittenOnce`, each history, and some others.
    """
    return {model._meta.db_table for model in apps.get_models() if getattr(model, "inserted_only", False)}


def derived() -> set[str]:
    """Return the tables that a trigger writes as the owner (`derived` in the model)."""
    return {model._meta.db_table for model in apps.get_models() if getattr(model, "derived", False)}


def hidden_from_auditors() -> dict[str, tuple[str, ...] | None]:
    """Return the columns that an auditor cannot read, by table, or None for all of them."""
    said = {model._meta.db_table: getattr(model, "hidden_from_auditors", ()) for model in apps.get_models()}
    return {table: None if columns == EVERYTHING else columns for table, columns in said.items() if columns}


def _tables(cursor: Any) -> list[tuple]:
    """Return every table with its marks, such as sealed. A partition is as its whole table."""
    cursor.execute(_TABLES, [list(AUDIT_LOG), list(SEALED), list(STAMPED), sorted(written_once())])
    return cursor.fetchall()


def _of_application_on(table: str, audit_log: bool, sealed: bool, stamped: bool, once: bool) -> str:
    if audit_log or sealed or stamped or table in {*derived(), "django_migrations"}:
        return "SELECT"
    return "SELECT, INSERT" if once else "SELECT, INSERT, UPDATE, DELETE"


def _of_sealer_on(table: str, audit_log: bool, sealed: bool, stamped: bool, once: bool) -> str:
    return "SELECT" if audit_log else "SELECT, INSERT" if sealed or stamped else ""


def limits(names: Names, seconds: int) -> list[sql.Composed]:
    """Return the settings of a login whose connections come from a pooler."""
    return [
        sql.SQL("ALTER ROLE {} SET statement_timeout = {}").format(
            sql.Identifier(names.application), sql.Literal(f"{seconds}s")
        )
    ]


def _of_application(to: sql.Identifier, tables: list[tuple]) -> Iterator[sql.Composed]:
    yield sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(to)
    for function in CALLED:
        yield sql.SQL("GRANT EXECUTE ON FUNCTION " + function + " TO {}").format(to)
    for table, *marks in tables:
        rights = _of_application_on(table, *marks)
        yield sql.SQL("GRANT " + rights + " ON {} TO {}").format(sql.Identifier(table), to)


def _of_sealer(to: sql.Identifier, tables: list[tuple]) -> Iterator[sql.Composed]:
    for table, *marks in tables:
        if rights := _of_sealer_on(table, *marks):
            yield sql.SQL("GRANT " + rights + " ON {} TO {}").format(sql.Identifier(table), to)
    yield sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(to)


def _of_auditor(cursor: Any, to: sql.Identifier, tables: list[tuple]) -> Iterator[sql.Composed]:
    hidden = hidden_from_auditors()
    for table, *_ in tables:
        columns = hidden.get(MONTH.sub("", table), ())
        if columns == ():
            yield sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(table), to)
        elif columns is not None:
            shown = sql.SQL(", ").join(map(sql.Identifier, _readable(cursor, table, columns)))
            yield sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(shown, sql.Identifier(table), to)


def _readable(cursor: Any, table: str, hidden: tuple[str, ...] | None) -> list[str]:
    """Return the columns of a table that an auditor reads, in the order of the table."""
    cursor.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attname <> ALL (%s)",
        [table, list(hidden or ())],
    )
    return [name for (name,) in cursor.fetchall()]
