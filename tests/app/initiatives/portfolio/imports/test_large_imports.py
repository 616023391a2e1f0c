"""Long imports: what the database reads for a row does not grow with the rows."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from governance import clock
from initiatives.models import BusinessCase, ImportBatch, ImportRun, Initiative
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.inventories import batch_rows, import_runs
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions

# Rows and entries of indexes that scans returned in this transaction, of the tables of moves and of entries.
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


class Killed(BaseException):
    """What ends a worker without a word."""


def killed_once_and_run_again(monkeypatch) -> ImportRun:
    """The run that waits: its worker is killed after the first rows, and another one takes it later."""
    asked = ImportRun.objects.under_way().get()
    told = import_runs._Progress.__call__

    def die(progress, done, rows):
        told(progress, done, rows)
        if done:
            raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(import_runs._Progress, "__call__", die)
        with pytest.raises(Killed):
            import_runs.run(asked.pk)
    assert import_runs.run(asked.pk) is None, "a worker may still be at it"
    ImportRun.objects.filter(pk=asked.pk).update(moved_at=clock.now() - 2 * import_runs.LOST)
    return import_runs.run(asked.pk)


def test_a_long_sheet_is_the_workers_and_a_killed_worker_doubles_nothing(cast, as_, monkeypatch):
    monkeypatch.setattr(import_runs, "LONG", 50)
    monkeypatch.setattr(batch_rows, "AT_A_TIME", 20)
    client = as_(cast.admin)
    text = "Title;Status;Ticket;Budget\n" + "".join(f"System {n};Pilot;T-{n};9 EUR\n" for n in range(70))
    file = SimpleUploadedFile("sheet.csv", text.encode(), "text/csv")
    client.post(reverse("imports"), {"file": file, "source": "own-portfolio"})
    assert not ImportBatch.objects.exists()
    assert import_runs.run(ImportRun.objects.get().pk).state == "done"
    batch = ImportBatch.objects.get()
    assert (batch.counts["imported"], batch.uploaded_by) == (70, cast.admin)
    url = reverse("import", args=[batch.pk])
    form = client.get(url).context["mapping"]
    sent = {name: form[name].value() or "" for name in form.fields}
    client.post(url, sent)
    assert import_runs.run(ImportRun.objects.first().pk).state == "done"
    client.post(reverse("import-confirm", args=[batch.pk]))
    assert not Initiative.objects.exists()
    assert killed_once_and_run_again(monkeypatch).state == "done"
    assert Initiative.objects.count() == BusinessCase.objects.count() == 70
    assert not batch.rows.filter(done_at=None).exists()


def test_a_killed_worker_doubles_no_row_of_an_inventory(cast, monkeypatch):
    monkeypatch.setattr(batch_rows, "AT_A_TIME", 20)
    batch = uploaded(cast, external, 70)
    import_runs.ask_run(kind="confirm", batch=batch, rows=70, options={}, by=cast.admin)
    assert killed_once_and_run_again(monkeypatch).state == "done"
    assert Initiative.objects.count() == 70
