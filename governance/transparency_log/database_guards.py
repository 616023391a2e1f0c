"""Database guards put on after each migrate: append-only triggers, capture, history guards, as-of views.

The functions they call come with the migrations; `install` puts them on, so that a model which is put under history is
protected without another line, and hardens every function of ours (docs/adr/0040). `differences` says where a database
no longer has what migrations put there: what should stand is in `guards_expected.txt`, which comes with the code and is
made from a database that was just migrated (`make guards`).
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections

from governance.audit_log import row_capture
from governance.database import database_catalogue, database_roles
from governance.transparency_log import as_of, signing_rules

EXPECTED = Path(__file__).with_name("guards_expected.txt")
# Temporary tables come last: else a session's own would stand before the tables that a guard reads.
SEARCH_PATH = "pg_catalog, public, pg_temp"
# It refuses and does nothing else, so it may stand on any table.
UNBOUND = "plumbline_refuse_change"
# Partitions are read and written through the table that they are of.
MONTHS = ("governance_policydecision_", "governance_interaction_", "governance_interactionbody_")
# What nobody who works here is a member of: with it, what is granted table by table says little.
POWERFUL = (
    database_roles.CLOCK,
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
    "pg_maintain",
)

AUDIT_LOG_TABLES = (
    "governance_checkpoint",
    "governance_entry",
    "governance_entrybody",
    "governance_leaf",
    "governance_node",
    "governance_sealing",
    "governance_timestamp",
)
# Written once but for one mark, which a trigger of its own guards.
MARKED_ONCE = ("initiatives_stagechange",)


def history_tables() -> list[str]:
    """The tables of history of every governed model, sorted."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if hasattr(model, "instance_type") and hasattr(model, "history_id")
    )


def audit_log_tables() -> list[str]:
    """Every table whose rows are written once and never change: audit log, sign-offs and their like, history."""
    once = [model._meta.db_table for model in row_capture.written_once_models()]
    return [*AUDIT_LOG_TABLES, *(table for table in once if table not in MARKED_ONCE), *history_tables()]


def install(using: str = "default") -> None:
    """Put every trigger and view on; safe to repeat."""
    with connections[using].cursor() as cursor:
        present = row_capture.present(cursor)
        for table in audit_log_tables():
            if table in present:
                cursor.execute("SELECT plumbline_append_only(%s)", [table])
        row_capture.install(cursor, present)
        as_of.install(cursor, present)
        harden(cursor)
    if {"governance_rulebook", "governance_signingrule"} <= present:
        signing_rules.write_missing()


def harden(cursor: Any) -> None:
    """Fix the search path of every function of ours, take trigger functions from everybody, bind them to their tables.

    Triggers fire without the right to call their function; that right would let anybody put it on a table of their own.
    """
    cursor.execute(
        "SELECT p.oid::regprocedure::text, p.prorettype = 'trigger'::regtype,"
        " has_function_privilege('public', p.oid, 'EXECUTE'),"
        " coalesce(%s = ANY (p.proconfig), false) OR p.prosqlbody IS NOT NULL"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'plumbline%%'",
        [f"search_path={SEARCH_PATH}"],
    )
    for name, of_triggers, public, fixed in cursor.fetchall():
        if not fixed:
            cursor.execute(f"ALTER FUNCTION {name} SET search_path = {SEARCH_PATH}")
        if of_triggers and public:
            cursor.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
    _bind(cursor)


BOUND = re.compile(re.escape(row_capture.bound_to(["x"])).replace("'x'", "[^)]*"))


def _bind(cursor: Any) -> None:
    """Have each trigger function of the migrations say which tables it is for: those that it stands on now."""
    cursor.execute(
        "SELECT p.proname, pg_get_functiondef(p.oid), array_agg(DISTINCT c.relname::text) FROM pg_trigger t"
        " JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND c.relnamespace = 'public'::regnamespace"
        " AND p.pronamespace = c.relnamespace AND p.proname LIKE 'plumbline%%' AND p.proname <> %s"
        " GROUP BY p.oid",
        [UNBOUND],
    )
    for name, definition, tables in cursor.fetchall():
        begin, block, rest = BOUND.sub("", definition).partition("\nBEGIN\n")
        if not block:
            raise ValueError(
                f"{name} has no line BEGIN of its own, after which it could be bound to its tables."
            )
        bound = begin + block + row_capture.bound_to(tables) + rest
        if bound != definition:
            cursor.execute(bound)


# --- What must stand, and what does --------------------------------------------------------------------------------


def differences(connection: Any, names: database_roles.Names | None = None) -> list[str]:
    """Which functions, triggers, constraints, defaults and grants are not as migrations install them, a sentence each.

    `connection` is psycopg's or Django's, of any login: the catalogue is open to all. By Django's it also tells where
    the signing rules of a rulebook, which the guards read, are not what its text says. `names`: what the three logins
    are called here; another login may have what one of them has, and no more.
    """
    with connection.cursor() as cursor:
        found = [
            *_of_definitions(expected(), database_catalogue.what_stands(cursor)),
            *(f"Beside what migrations install, {told}." for told in database_catalogue.never_made(cursor)),
            *_of_rights(cursor, names or database_roles.Names()),
        ]
    if alias := getattr(connection, "alias", None):
        found += signing_rules.differing(using=alias)
    return found


@cache
def expected() -> dict[str, str]:
    """What a database that was just migrated has, as `guards_expected.txt` says."""
    lines = (line for line in EXPECTED.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split(": ", 1) for line in lines)


def written(stands: dict[str, str]) -> str:
    """The text of `guards_expected.txt` for a database that was just migrated."""
    head = "# What a database has beside rows that was just migrated; `make guards` writes it."
    return "\n".join([head, *(f"{name}: {told}" for name, told in sorted(stands.items())), ""])


def _of_definitions(wanted: dict[str, str], stands: dict[str, str]) -> Iterator[str]:
    tables = {_table(name) for name in wanted}
    for name in sorted(wanted.keys() | stands.keys()):
        there, should = stands.get(name), wanted.get(name)
        if there == should:
            continue
        if there is None:
            yield f"The {name} is gone."
        elif should is None:
            if name.startswith("function") or _table(name) in tables:
                yield f"The {name} is of nobody's making: no migration installs it."
        elif there.split()[0] != should.split()[0]:
            yield f"The {name} is not as migrations install it."
        elif there.endswith("off"):
            yield f"The {name} is switched off."
        else:
            yield f"The {name} may be called by {'anybody' if there.endswith('anybody') else 'fewer than before'}."


def _table(name: str) -> str:
    """The table of a trigger, constraint or default; an index has a name of its own."""
    kind, _, place = name.partition(" ")
    return "" if kind == "index" else place.partition(".")[0]


def _of_rights(cursor: Any, names: database_roles.Names) -> Iterator[str]:
    kinds = {kind: database_roles.rights(cursor, kind) for kind in ("application", "sealer", "auditor")}
    granted = database_catalogue.rights(cursor)
    everybody = {"the database": {"CONNECT"}, "the schema public": {"USAGE"}}
    for what, public in sorted(granted.pop("PUBLIC", {}).items()):
        if not what.startswith("the function") and (more := public - everybody.get(what, set())):
            yield f"Everybody was granted {_listed(more)} on {what}."
    known = dict(zip(names, kinds.values(), strict=True))
    for login, rights in sorted(granted.items()):
        given = {what: had - {"CONNECT"} for what, had in rights.items() if had - {"CONNECT"}}
        if login in known:
            for what in sorted(known[login].keys() | given.keys()):
                has, should = given.get(what, set()), known[login].get(what, set())
                if more := has - should:
                    yield f"{login} was granted {_listed(more)} on {what}."
                if (less := should - has) and not what.startswith(MONTHS):
                    yield f"{login} lacks {_listed(less)} on {what}."
        elif not any(
            all(had <= kind.get(what, set()) for what, had in given.items()) for kind in kinds.values()
        ):
            yield f"{login} was granted more than any login of Plumbline has."
    for told in database_catalogue.powers(cursor, sorted(granted), list(POWERFUL)):
        yield f"{told}."


def _listed(rights: set[str]) -> str:
    return ", ".join(sorted(rights))


def before_migrate(*, using: str, **_: object) -> None:
    """Signal receiver for pre_migrate: views would forbid to change the tables they read."""
    with connections[using].cursor() as cursor:
        as_of.remove(cursor)


def after_migrate(*, using: str, **_: object) -> None:
    """Signal receiver for post_migrate, which is sent when the migrations of all apps are done."""
    install(using)
