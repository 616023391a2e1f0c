"""What stands on tables after each migrate: append-only triggers, capture of rows, guards of history, views of a day.

The functions they call come with the migrations; `install` puts them on, so that a model which is put under history is
protected without another line.
"""

from django.apps import apps
from django.db import connections

from governance import asof, capture

LEDGER_TABLES = (
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


def record_tables() -> list[str]:
    """Every table whose rows are written once and never change: ledger, sign-offs and their like, history."""
    once = [model._meta.db_table for model in capture.written_once_models()]
    return [*LEDGER_TABLES, *(table for table in once if table not in MARKED_ONCE), *history_tables()]


def install(using: str = "default") -> None:
    """Put every trigger and view on; safe to repeat."""
    with connections[using].cursor() as cursor:
        present = capture.present(cursor)
        for table in record_tables():
            if table in present:
                cursor.execute("SELECT plumbline_append_only(%s)", [table])
        capture.install(cursor, present)
        asof.install(cursor, present)


def before_migrate(*, using, **_) -> None:
    """Signal receiver for pre_migrate: views would forbid to change the tables they read."""
    with connections[using].cursor() as cursor:
        asof.remove(cursor)


def after_migrate(*, using, **_) -> None:
    """Signal receiver for post_migrate, which is sent when the migrations of all apps are done."""
    install(using)


# --- Replaced when the comparison with what migrations install is joined ---------------------------------------------


def differences(connection, names=None) -> list[str]:
    """Which triggers that `install` puts on are gone or switched off, a sentence each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname::text, t.tgname::text, t.tgenabled <> 'D' FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
        )
        stands = {(table, name): on for table, name, on in cursor.fetchall()}
    wanted = {(table, "append_only") for table in record_tables()}
    wanted |= {(model._meta.db_table, "captured") for model in capture.captured_models()}
    wanted |= {(model._meta.db_table, "has_its_history") for model in capture.governed_models()}
    wanted |= {name for name, on in stands.items() if not on}
    return [
        f"The trigger {name} on {table} is {'off' if (table, name) in stands else 'gone'}."
        for table, name in sorted(wanted)
        if not stands.get((table, name))
    ]
