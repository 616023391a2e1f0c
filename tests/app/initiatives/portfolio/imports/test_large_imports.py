"""Long imports: what the database reads for a row does not grow with the rows."""

import pytest
from django.db import connection

from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions

# Rows and entries of indexes that scans returned in this transaction, of the tables that a move of a stage is held against.
READ = """
SELECT sum(pg_stat_get_xact_tuples_returned(c.oid)) FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
 WHERE coalesce(i.indrelid, c.oid) IN ('governance_entry'::regclass, 'initiatives_stagechange'::regclass)
"""
ROWS = 150


def external(cast, batch):
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)


def own(cast, batch):
    portfolio_actions.confirm_portfolio(batch=batch, by=cast.admin)


def uploaded(cast, confirm, rows):
    text = "Title;Organisation;Status;Ticket\n" + "".join(
        f"System {rows} {n};Acme;Pilot;T-{rows}-{n}\n" for n in range(rows)
    )
    sent = {"content": text.encode(), "file_name": "sheet.csv", "by": cast.admin}
    if confirm is own:
        return portfolio_actions.upload_portfolio(**sent)
    return inventory_actions.upload_batch(**sent, source="acme")


@pytest.mark.parametrize("confirm", [external, own])
def test_a_move_is_held_against_its_own_rows_however_the_server_plans(cast, confirm):
    """Joins by nested loops are what the server may leave, so that it must leave them here."""
    read = []
    for rows in (ROWS, 2 * ROWS):
        batch = uploaded(cast, confirm, rows)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_nestloop = off")
            cursor.execute("DISCARD PLANS")
            cursor.execute(READ)
            (before,) = cursor.fetchone()
            confirm(cast, batch)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(READ)
            read.append(int(cursor.fetchone()[0] - before))
    assert read[1] < 2.5 * read[0]
