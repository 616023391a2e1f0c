"""Append-only, by trigger, for everybody: the tables of the record and every table of history.

The functions come with the migrations; `install` puts the triggers on after each migrate, so that a model which is
put under history is protected without another line.
"""

from django.apps import apps
from django.db import connections

RECORD_TABLES = (
    "governance_entry",
    "governance_entrybody",
    "governance_contractapproval",
    "initiatives_signoff",
    "initiatives_voiding",
)


def history_tables() -> list[str]:
    """The tables of history of every governed model, sorted."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if hasattr(model, "instance_type") and hasattr(model, "history_id")
    )


def install(using: str = "default") -> None:
    """Put the append-only triggers on every record and history table that exists; safe to repeat."""
    with connections[using].cursor() as cursor:
        present = set(connections[using].introspection.table_names(cursor))
        for table in [*RECORD_TABLES, *history_tables()]:
            if table in present:
                cursor.execute("SELECT plumbline_append_only(%s)", [table])


def after_migrate(*, using, **_) -> None:
    """Signal receiver for post_migrate, which is sent when the migrations of all apps are done."""
    install(using)
