"""Database roles: the owner migrates, the application works, the sealer seals, the auditor reads.

Nobody but the owner could change the record, and the owner's changes are found by verification.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

OWNER = "plumbline"  # owns the schema; runs migrations, the demo and the tests
APPLICATION = "plumbline_app"  # web and worker: may not change what is recorded
SEALER = "plumbline_sealer"  # puts entries into the tree and signs its head; may do nothing else
AUDITOR = "plumbline_auditor"  # reads everything but passwords and sessions
CLOCK = "plumbline_clock"  # a mark, not a login: its members may simulate the time of a transaction

# Written by functions that run as their owner; what the sealer alone writes; written once by the application. In a
# LIKE pattern, "\_" is an underscore and "%" anything.
LEDGER = (r"governance\_entry", r"governance\_entrybody")
SEALED = (r"governance\_checkpoint", r"governance\_leaf", r"governance\_node", r"governance\_sealing")
STAMPED = (r"governance\_timestamp",)
WRITTEN_ONCE = (
    r"adoption\_minutes",
    r"adoption\_monitoringlook",
    r"adoption\_pack",
    r"adoption\_lessonresponse",
    r"governance\_contractapproval",
    r"governance\_signingrule",
    r"governance\_signatureproof",
    r"governance\_decisionbatch",
    r"governance\_policydecision%",
    r"governance\_outcomereport",
    r"governance\_interaction",
    r"governance\_interaction\_2%",  # months of it
    r"governance\_interactionbatch",
    r"governance\_interactiondigest",  # written by what expires a month, as the owner
    r"governance\_keyheartbeat",
    r"initiatives\_decisionday",
    r"initiatives\_approvalanswer",
    r"initiatives\_approvaluse",
    r"initiatives\_catchupanswer",
    r"initiatives\_catchupplan",
    r"initiatives\_catchupwave",
    r"initiatives\_continuation",
    r"initiatives\_drawnquestion",
    r"initiatives\_evidenceopening",
    r"initiatives\_excuse",
    r"initiatives\_formertitle",
    r"initiatives\_layerreview",
    r"initiatives\_logfinding",
    r"initiatives\_logfindingwithdrawal",
    r"initiatives\_paststanding",
    r"initiatives\_drift",
    r"initiatives\_linkanswer",
    r"initiatives\_notsimilar",
    r"initiatives\_outputjudgement",
    r"initiatives\_sampledoutput",
    r"initiatives\_sourceacceptance",
    r"initiatives\_tracesample",
    r"initiatives\_signoff",
    r"initiatives\_subjecterasure",
    r"initiatives\_stagechange",
    r"initiatives\_verification",
    r"initiatives\_voiding",
    r"adoption\_incidentline",
    r"adoption\_incidentsystem",
    r"adoption\_sourcequestion",
    r"adoption\_goal",
    r"adoption\_reading",
    r"%\_historical%",
)
PRIVATE = {
    "governance_user": ("password",),
    "governance_session": None,
    "governance_passwordlink": ("nonce",),
    "governance_servicekey": ("secret_hash",),
    "governance_interactionkey": ("wrapped",),
    "governance_identityprovider": ("secret_box",),
    "governance_directory": ("secret_hash",),
    "governance_clientkey": ("private_box",),
    "governance_roundtrip": None,
    "adoption_invitation": None,
    "adoption_answerbox": None,
    "adoption_sealedsource": None,  # opened to its reporter, and to the chair by a recorded act
    "initiatives_approvalpreview": ("content",),  # shown to whoever is asked to approve it
}  # what an auditor does not read; None: all of it

# What the application calls of what runs as the owner.
CALLED = (
    "plumbline_record(text, bigint, bigint, text, timestamptz, text[], bytea[])",
    "plumbline_decisions_of(timestamptz)",
    "plumbline_interactions_of(timestamptz)",
    "plumbline_expire_interactions(date, bytea[], bytea[])",
)

DEMAND_OWNER = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = 'public.governance_entry'::regclass
             AND NOT pg_has_role(relowner, 'USAGE'))
  THEN RAISE insufficient_privilege USING MESSAGE = 'permission denied: these tables are of another login'; END IF;
END $$"""


@dataclass(frozen=True)
class Names:
    """What the three logins are called on this server."""

    application: str = APPLICATION
    sealer: str = SEALER
    auditor: str = AUDITOR

    def __iter__(self) -> Iterator[str]:
        return iter((self.application, self.sealer, self.auditor))


def make_roles(connection: psycopg.Connection[Any], *, passwords: dict[str, str]) -> None:
    """Make the logins that are missing, each with its password; the current user may then simulate the clock.

    Needs the right to create roles. Safe to repeat, and when two processes do it at once.
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


def grant(connection: Any, names: Names | None = None) -> list[str]:
    """Give each login what it needs and take the rest; returns the names of those the server has.

    `connection` is psycopg's or Django's, of the owner of the tables. To be called after every migration. Raises the
    database's own error for others: where a login may pass nothing on, PostgreSQL warns and goes on.
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
    """The grants as SQL, for the logins in `known`, worked out from the tables that are there."""
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
    """What `statements` gives a login of this kind ("application", "sealer" or "auditor"), by thing.

    Things are named as `governance.database.database_catalogue.rights` names them.
    """
    found = {"the schema public": {"USAGE"}, "the schema asof": {"USAGE"}}
    if kind != "auditor":
        cursor.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
        )
        found |= {f"the sequence {name}": {"USAGE", "SELECT"} for (name,) in cursor.fetchall()}
    if kind == "application":
        found |= {f"the function {name.partition('(')[0]}": {"EXECUTE"} for name in CALLED}
    for table, *marks in _tables(cursor):
        if kind == "auditor":
            if PRIVATE.get(table, ()) is not None:
                readable = _readable(cursor, table) if table in PRIVATE else None
                found |= {f"{table}.{one}" if one else table: {"SELECT"} for one in readable or [""]}
        elif given := (_of_application_on if kind == "application" else _of_sealer_on)(table, *marks):
            found[table] = set(given.split(", "))
    return found


def _tables(cursor: Any) -> list[tuple]:
    """Every table with whether it is of the ledger, sealed, stamped, written once."""
    cursor.execute(
        "SELECT relname::text, relname LIKE ANY (%s), relname LIKE ANY (%s), relname LIKE ANY (%s),"
        " relname LIKE ANY (%s) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " ORDER BY relname",
        [list(LEDGER), list(SEALED), list(STAMPED), list(WRITTEN_ONCE)],
    )
    return cursor.fetchall()


def _of_application_on(table: str, ledger: bool, sealed: bool, stamped: bool, once: bool) -> str:
    if ledger or sealed or stamped or table == "django_migrations":
        return "SELECT"
    return "SELECT, INSERT" if once else "SELECT, INSERT, UPDATE, DELETE"


def _of_sealer_on(table: str, ledger: bool, sealed: bool, stamped: bool, once: bool) -> str:
    return "SELECT" if ledger else "SELECT, INSERT" if sealed or stamped else ""


def limits(names: Names, seconds: int) -> list[sql.Composed]:
    """What a login brings along where its connections come from a pooler, which is told nothing at their start."""
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
    for table, *_ in tables:
        if table not in PRIVATE:
            yield sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(table), to)
        elif PRIVATE[table] is not None:
            columns = sql.SQL(", ").join(map(sql.Identifier, _readable(cursor, table)))
            yield sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(columns, sql.Identifier(table), to)


def _readable(cursor: Any, table: str) -> list[str]:
    """The columns of a private table that an auditor reads."""
    cursor.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attname <> ALL (%s)",
        [table, list(PRIVATE[table] or ())],
    )
    return [name for (name,) in cursor.fetchall()]
