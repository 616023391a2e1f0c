"""Who may do what in the database: the owner migrates, the application works, the record stays as it was written."""

from typing import Any

import psycopg
from psycopg import sql

OWNER = "plumbline"  # owns the schema; runs migrations, the demo and the tests
APPLICATION = "plumbline_app"  # web and worker: may not change what is recorded
CLOCK = "plumbline_clock"  # a mark, not a login: its members may simulate the time of a transaction

# What is written once and never changed. In a LIKE pattern, "\_" is an underscore and "%" anything.
RECORD_TABLES = (
    r"governance\_entry",
    r"governance\_entrybody",
    r"governance\_checkpoint",
    r"initiatives\_signoff",
    r"%\_historical%",
)


def make_roles(connection: psycopg.Connection[Any], *, application: str = APPLICATION, password: str) -> None:
    """Make the roles that are missing; the current user may then simulate the clock.

    Needs the right to create roles. Safe to repeat, and when two processes do it at once.
    """
    connection.execute("SELECT pg_advisory_lock(hashtext('plumbline roles'))")
    try:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        if CLOCK not in known:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(CLOCK)))
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(CLOCK)))
        verb = "ALTER" if application in known else "CREATE"
        connection.execute(
            sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(application), sql.Literal(password)
            )
        )
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtext('plumbline roles'))")


def grant_application(connection: Any, role: str = APPLICATION) -> bool:
    """Give the application's role what web and worker need, and nothing that could change the record.

    `connection` is psycopg's or Django's, of the owner of the tables. To be called after every migration. Returns
    False, having done nothing, when the server has no such role.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            return False
        cursor.execute(
            "SELECT relname, relname = 'django_migrations', relname LIKE ANY (%s) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
            [list(RECORD_TABLES)],
        )
        tables = cursor.fetchall()
        to = sql.Identifier(role)
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(to))
        cursor.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(to))
        cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(to))
        for table, only_read, record in tables:
            rights = (
                "SELECT" if only_read else "SELECT, INSERT" if record else "SELECT, INSERT, UPDATE, DELETE"
            )
            cursor.execute(sql.SQL("GRANT " + rights + " ON {} TO {}").format(sql.Identifier(table), to))
    return True
