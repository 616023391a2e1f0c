"""Each governed table, column by column: what its line in GOVERNED keeps is kept against the application's login.

As the application's login, with true history and a true act beside each row. Guards answer before constraints do, so
each refusal is one of Plumbline.
"""

import json
from collections import Counter

import pytest
from django.db import DatabaseError, connection, transaction

from governance.audit_log import row_capture
from governance.models import AuditLogReader, Checkpoint
from governance.offline.verify import GOVERNED
from governance.transparency_log import entry_judgement, sealing
from tests.support import factories
from tests.support.attacks.forged_statements import as_
from tests.support.attacks.kept_columns import (
    another,
    changed,
    deleted,
    forged,
    misjudged,
    named_another,
    refusal,
    strangers,
    written_again,
)
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import one_of_every_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rows(transactional_db):
    """One row of every governed table."""
    return one_of_every_row.one_of_each()


def line_of(row):
    return GOVERNED[row._meta.db_table]


def test_what_a_line_does_not_let_change_is_refused(rows, application_login):
    """An update of each column, in the name of somebody who may do nothing, and in the name of the row's person."""
    counts: Counter = Counter()
    passed = [one for row in rows for one in changed(row, line_of(row), application_login, counts)]
    print(dict(counts))
    assert passed == []


def test_what_was_written_once_or_ended_stays(rows, application_login):
    passed = [one for row in rows for one in written_again(row, line_of(row), application_login)]
    assert passed == []


def test_no_row_is_written_in_the_name_of_another(rows, application_login):
    assert [one for row in rows for one in named_another(row, line_of(row), application_login)] == []


def test_no_row_is_deleted_where_rows_are_kept(rows, application_login):
    assert [one for row in rows for one in deleted(row, line_of(row), application_login)] == []


def test_verification_finds_what_a_line_keeps_in_each_table(rows):
    """One kept column of each row, changed with its history and the guards off: the judge names it."""
    outsider, other = strangers()
    wrote = set()
    with transaction.atomic():
        with unguarded(*GOVERNED), connection.cursor() as cursor:
            for row in rows:
                table, line = row._meta.db_table, GOVERNED[row._meta.db_table]
                for field in row._meta.concrete_fields:
                    kept = field.column not in (*line.changes, *line.once, "id") and not field.is_relation
                    if not kept or field.column not in row_capture.columns_of(type(row)):
                        continue
                    value = field.get_db_prep_save(
                        another(field, getattr(row, field.attname), other), connection
                    )
                    update = (f'UPDATE {table} SET "{field.column}" = %s WHERE id = {row.pk}', [value])
                    try:
                        with transaction.atomic():
                            for text, values in forged(row, line, update, "~", "history", outsider):
                                cursor.execute(text, values or None)
                    except DatabaseError:
                        continue  # a constraint
                    wrote.add((table, str(row.pk), field.column))
                    break
        found = {(one.table, one.key, one.field) for one in entry_judgement.judge().finish()}
        transaction.set_rollback(True)
    assert len(wrote) > 70
    assert wrote - found == set()


def test_nothing_silences_receivers_of_events(transactional_db, application_login):
    """An event that waits stays, and the place of a stream moves by what was sent."""
    cast = factories.make_cast()
    delivery = factories.make_delivery(cast)
    sealing.seal()
    size = Checkpoint.objects.latest("pk").size
    syslog = AuditLogReader.objects.create(name="syslog", position=0)
    receiver = delivery.receiver
    tries = {
        "an event deleted": f"DELETE FROM governance_eventdelivery WHERE id = {delivery.pk}",
        "an event of another receiver": f"UPDATE governance_eventdelivery SET act = 'x' WHERE id = {delivery.pk}",
        "a place beyond the audit log": f"UPDATE governance_auditlogreader SET position = {size + 1}"
        f" WHERE id = {syslog.pk}",
        "a place many batches on": f"UPDATE governance_auditlogreader SET position = 501 WHERE id = {syslog.pk}",
        "a place moved back": "UPDATE governance_auditlogreader SET position = -1",
        "a place deleted": f"DELETE FROM governance_auditlogreader WHERE id = {syslog.pk}",
        "another address": f"UPDATE governance_eventreceiver SET address_box = 'x' WHERE id = {receiver.pk}",
        "a receiver deleted": f"DELETE FROM governance_eventreceiver WHERE id = {receiver.pk}",
    }
    said = {name: refusal([as_(cast.admin), (text, [])], application_login) for name, text in tries.items()}
    assert {name: words for name, words in said.items() if not words.startswith("Plumbline: ")} == {}


def test_the_judge_finds_each_change_that_a_line_does_not_let():
    models = row_capture.captured_models()
    wrong = [one for model in models for one in misjudged(model, GOVERNED[model._meta.db_table])]
    assert json.dumps(wrong) == "[]"
