"""Mutants of the lines of governed tables and of the guard made from them: for each, a check of its row turns red.

A mutant lets the trigger of one table keep less than its line says, or takes a clause out of the function that all
these triggers share. The checks of `tests/acceptance/attacks/test_governed_tables.py` are asked for a row of that
table, in a transaction that is taken back. The judge of the audit log gets the same weaker lines. `-rP` prints what
lives. A change in governance/offline or governance/audit_log asks for it.
"""

import random
from collections import Counter
from collections.abc import Iterator
from unittest import mock

import pytest
from django.apps import apps
from django.db import connection, transaction

from governance.audit_log import row_capture
from governance.offline import verify
from governance.offline.verify import GOVERNED, Governed
from tests.acceptance.attacks.conftest import application_login  # noqa: F401 - a fixture
from tests.support.attacks.kept_columns import changed, deleted, misjudged, named_another, written_again
from tests.support.database import one_of_every_row

TABLES, FULL = 25, 500  # tables that are drawn, and the rounds from which all are tried
# Tables whose rows show each clause: columns of all kinds, an end, a name that the system may write.
OF_CLAUSES = (
    "initiatives_handover",
    "governance_authenticatorapp",
    "initiatives_evidence",
    "initiatives_hold",
)
CHECKS = (changed, written_again, named_another, deleted)
# Clauses of the shared function, each with what stands there instead.
CLAUSES = {
    "rows are deleted": ("IF TG_OP = 'DELETE' THEN", "IF TG_OP = 'DELETE' THEN RETURN OLD;"),
    "no column is kept": ("IF told - free IS DISTINCT FROM stood - free THEN", "IF false THEN"),
    "an end is no end": ("TG_ARGV[4]::text[]", "'{}'::text[]"),
    "once is always": ("coalesce(stood ->> c, 'false') IN ('', 'false')", "true"),
    "nobody is named": ("IF told ->> name IS DISTINCT FROM actor AND NOT", "IF false AND NOT"),
    "the system names anyone": ("(actor IS NULL AND name = ANY (TG_ARGV[3]::text[]))", "(actor IS NULL OR true)"),
    "what changes at all may change": ("IF told = stood THEN", "IF told <> stood THEN"),
}  # fmt: skip


def weaker(line: Governed, columns: list[str]) -> Iterator[tuple[str, Governed]]:
    """Ways in which a line can state less, with what each lets. One column that is kept is drawn."""
    if kept := [name for name in columns if name not in (*line.changes, *line.once, *line.until)]:
        name = random.choice(kept)
        yield f"{name} may change", line._replace(changes=(*line.changes, name))
    for name in set(line.once) - set(line.until):
        yield f"{name} is written twice", line._replace(changes=(*line.changes, name))
    for name in line.names:
        yield f"{name} names anyone", line._replace(names=tuple(one for one in line.names if one != name))
    if line.until:
        yield "it goes on after its end", line._replace(until=())
    if not line.deleted:
        yield "it is deleted", line._replace(deleted=True)


def died(row, line: Governed, login: str) -> bool:
    """Whether a check of the row turns red."""
    return any(check(row, line, login) for check in CHECKS)


@pytest.mark.django_db(transaction=True)
def test_each_mutant_of_a_line_dies(application_login, rounds):  # noqa: F811
    count: Counter = Counter()
    alive = []
    once = {model._meta.db_table for model in row_capture.written_once_models()}
    rows = {row._meta.db_table: row for row in one_of_every_row.one_of_each()}
    for table in sorted(random.sample(sorted(rows), len(rows) if rounds >= FULL else TABLES)):
        row, line = rows[table], GOVERNED[table]
        columns = [field.column for field in row._meta.concrete_fields if not field.primary_key]
        for said, mutant in weaker(line, columns):
            if table in once and mutant.names == line.names:
                continue  # another trigger keeps rows that are written once
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"DROP TRIGGER written_as_stated ON {table}")
                cursor.execute(row_capture._kept(table, mutant, once=table in once))
                dead = died(row, line, application_login)
                transaction.set_rollback(True)
            count["the guard", dead] += 1
            alive += [] if dead else [(table, said)]
        for trigger in ("has_its_act", "written_by_admins"):
            if not (line.acts if trigger == "has_its_act" else line.by_admin):
                continue
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"DROP TRIGGER {trigger} ON {table}")
                dead = died(row, line, application_login)
                transaction.set_rollback(True)
            count[trigger, dead] += 1
            alive += [] if dead else [(table, trigger)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('plumbline_guard_kept'::regproc)")
        (body,) = cursor.fetchone()
    for said, (clause, instead) in CLAUSES.items():
        assert body.count(clause) == 1, said
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(body.replace(clause, instead))
            dead = any(died(rows[table], GOVERNED[table], application_login) for table in OF_CLAUSES)
            transaction.set_rollback(True)
        count["the function", dead] += 1
        alive += [] if dead else [("plumbline_guard_kept", said)]
    print({f"{what}, {'died' if dead else 'alive'}": n for (what, dead), n in sorted(count.items())})
    print("\n".join(": ".join(one) for one in alive))
    assert sum(n for (_, dead), n in count.items() if dead) >= 60


def test_each_weaker_line_is_judged_wrongly():
    """Misjudged by the judge with the weaker line, as the line that holds says."""
    count: Counter = Counter()
    alive = []
    for model in apps.get_models():
        table = model._meta.db_table
        if table not in GOVERNED:
            continue
        line = GOVERNED[table]
        for said, mutant in weaker(line, [field.column for field in model._meta.concrete_fields]):
            with mock.patch.dict(verify.GOVERNED, {table: mutant}):
                dead = bool(misjudged(model, line))
            count[dead] += 1
            alive += [] if dead else [(table, said)]
    print({f"{'died' if dead else 'alive'}": n for dead, n in count.items()})
    print("\n".join(": ".join(one) for one in alive))
    assert count[True] >= 60
