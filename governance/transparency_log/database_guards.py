"""Database guards: append-only triggers, capture, history guards, as-of views.

Migrations create the functions. After each migrate, `install` adds the triggers, so that a new model under history is
protected without code, and hardens every function (docs/adr/0040). `differences` returns how a database differs from
what migrations install. The expected state is in `guards_expected.txt`, made from a new database (`make guards`).
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from governance.audit_log import row_capture
from governance.database import database_catalogue, database_roles
from governance.transparency_log import as_of, signing_rules

EXPECTED = Path(__file__).with_name("guards_expected.txt")
# Temporary tables come last, so that a session's own never hide the tables that a guard reads.
SEARCH_PATH = "pg_catalog, public, pg_temp"
# This function only refuses, so it may be on any table.
UNBOUND = "plumbline_refuse_change"
# Partitions are read and written through the table that they are of.
MONTHS = ("governance_policydecision_", "governance_interaction_", "governance_interactionbody_")
# No login of Plumbline is a member of these roles, because with them the grants by table mean little.
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
    "governance_cosignature",
    "governance_entry",
    "governance_entrybody",
    "governance_leaf",
    "governance_node",
    "governance_sealing",
    "governance_timestamp",
)
# Written once, except for one mark with a separate trigger.
MARKED_ONCE = ("initiatives_stagechange",)


def history_tables() -> list[str]:
    """Return the tables of history of every governed model, sorted."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if hasattr(model, "instance_type") and hasattr(model, "history_id")
    )


def audit_log_tables() -> list[str]:
    """Return every table whose rows never change: audit log, sign-offs, history."""
    once = [model._meta.db_table for model in row_capture.written_once_models()]
    return [*AUDIT_LOG_TABLES, *(table for table in once if table not in MARKED_ONCE), *history_tables()]


def install(using: str = "default") -> None:
    """Install every trigger and view. The function is safe to repeat."""
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
    """Fix the search path of our functions, and bind trigger functions to tables.

    The right to call trigger functions is revoked from everyone. Triggers fire without it, and with it any user could
    put the function on another table.
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
    """Bind each trigger function of the migrations to the tables that it is on now."""
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
                f"{name} needs a line with only BEGIN, after which the function is bound to its tables."
            )
        bound = begin + block + row_capture.bound_to(tables) + rest
        if bound != definition:
            cursor.execute(bound)


# --- What must stand, and what does --------------------------------------------------------------------------------


def differences(connection: Any, names: database_roles.Names | None = None) -> list[str]:
    """Return a sentence for each difference from what migrations install.

    The functions, triggers, constraints, defaults and grants are compared. `connection` is psycopg's or Django's, of
    any login, because the catalogue is open to all. With Django's, signing rules that differ from a rulebook's text
    are added, and the first sentence says if the migrations are those of a newer version. `names` has the three logins
    here. Another login may have at most the rights of one of them.
    """
    with connection.cursor() as cursor:
        found = [
            *_of_definitions(expected(), database_catalogue.what_stands(cursor)),
            *(f"Not from a migration: {told}." for told in database_catalogue.never_made(cursor)),
            *_of_rights(cursor, names or database_roles.Names()),
        ]
    if alias := getattr(connection, "alias", None):
        found += signing_rules.differing(using=alias)
        loader = MigrationLoader(connection)
        unknown = loader.applied_migrations.keys() - loader.disk_migrations.keys()
        newer = sorted(f"{app}.{name}" for app, name in unknown if app in loader.migrated_apps)
        if newer:
            found.insert(
                0,
                f"The database has migrations of a newer version: {', '.join(newer)}. "
                "This version does not know what they installed. Verify with the newer version.",
            )
    return found


@cache
def expected() -> dict[str, str]:
    """Return the content of a newly migrated database, from `guards_expected.txt`."""
    lines = (line for line in EXPECTED.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split(": ", 1) for line in lines)


def written(stands: dict[str, str]) -> str:
    """Return the text of `guards_expected.txt` for a newly migrated database."""
    head = "# Contents of a newly migrated database other than rows. `make guards` writes this file."
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
                yield f"The {name} is unknown: no migration installs it."
        elif there.split()[0] != should.split()[0]:
            yield f"The {name} differs from the one that migrations install."
        elif there.endswith("off"):
            yield f"The {name} is switched off."
        else:
            yield (
                f"The {name} may be called by "
                f"{'anybody' if there.endswith('anybody') else 'fewer than before'}."
            )


def _table(name: str) -> str:
    """Return the table of a trigger, constraint or default, and "" for an index."""
    kind, _, place = name.partition(" ")
    return "" if kind == "index" else place.partition(".")[0]


def _of_rights(cursor: Any, names: database_roles.Names) -> Iterator[str]:
    kinds = {kind: database_roles.rights(cursor, kind) for kind in ("application", "sealer", "auditor")}
    granted = database_catalogue.rights(cursor)
    everybody = {"the database": {"CONNECT"}, "the schema public": {"USAGE"}}
    for what, public in sorted(granted.pop("PUBLIC", {}).items()):
        if not what.startswith("the function") and (more := public - everybody.get(what, set())):
            yield f"Everyone was granted {_listed(more)} on {what}."
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
            yield f"{login} has more rights than any login of Plumbline."
    for told in database_catalogue.powers(cursor, sorted(granted), list(POWERFUL)):
        yield f"{told}."


def _listed(rights: set[str]) -> str:
    return ", ".join(sorted(rights))


def before_migrate(*, using: str, **_: object) -> None:
    """Remove the views on pre_migrate, because they prevent changes to their tables."""
    with connections[using].cursor() as cursor:
        as_of.remove(cursor)


def after_migrate(*, using: str, **_: object) -> None:
    """Install the guards on post_migrate, after the migrations of all apps."""
    install(using)
