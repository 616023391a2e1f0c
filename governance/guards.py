"""What stands on tables after each migrate: append-only triggers, capture of rows, guards of history, views of a day.

The functions they call come with the migrations; `install` puts them on, so that a model which is put under history is
protected without another line.
"""

import sys
from functools import partial

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


def after_migrate(*, using, stdout=None, **_) -> None:
    """Signal receiver for post_migrate, which is sent when the migrations of all apps are done."""
    from governance import folder  # which imports models, and these are read before they are there

    install(using)
    folder.take_first(tell=stdout.write if stdout else partial(print, file=sys.stderr))
