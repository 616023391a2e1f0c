"""Each governed table, column by column: what its line in GOVERNED keeps is kept against the application's login.

As the application's login, with true history and a true act beside each row. Guards answer before constraints do, so
each refusal is one of Plumbline.
"""

import datetime
import json
from collections import Counter

import pytest
from django.db import DatabaseError, connection, models, transaction

from governance.audit_log import row_capture
from governance.models import AuditLogReader, Checkpoint, User
from governance.offline import verify
from governance.offline.verify import GOVERNED
from governance.transparency_log import entry_judgement, sealing
from tests.support import factories
from tests.support.attacks.forged_statements import as_, row_of_history, told
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import one_of_every_row

pytestmark = pytest.mark.django_db(transaction=True)

# What every forged row is written with: nothing, its history, and an act besides.
WITH = ("nothing", "history", "history and act")
SERIAL = 990_001


def another(field: models.Field, value, person: User):
    """Another value of the type of this column."""
    if field.is_relation:
        if field.related_model is User:
            return person.pk if value != person.pk else None
        others = field.related_model._base_manager.exclude(pk=value).values_list("pk", flat=True)
        return others.first() or (None if value is not None else 0)
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return (value or datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) + datetime.timedelta(days=1)
    if isinstance(field, models.DateField):
        return (value or datetime.date(2026, 1, 1)) + datetime.timedelta(days=1)
    if isinstance(field, models.IntegerField | models.DecimalField | models.FloatField):
        return (value or 0) + 1
    if isinstance(field, models.JSONField):
        return {"mine": 1}
    if isinstance(field, models.BinaryField):
        return b"mine"
    if isinstance(field, models.UUIDField):
        return "00000000-0000-0000-0000-000000000001"
    if hasattr(field, "base_field"):
        return [another(field.base_field, None, person)]
    return ("other" if value == "mine" else "mine")[: field.max_length]


def refusal(statements, login: str) -> str:
    """What the database says to these statements up to their commit, and "" if they pass. Taken back."""
    with transaction.atomic():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
                for text, values in statements:
                    cursor.execute(text, values or None)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("RESET SESSION AUTHORIZATION")
            return ""
        except DatabaseError as trouble:
            return str(trouble).splitlines()[0]
        finally:
            transaction.set_rollback(True)


def forged(row, statement, sign: str, beside: str, person: User):
    """A statement with what is written beside it, in the name of the person."""
    kinds = GOVERNED[row._meta.db_table].acts
    history = [row_of_history(type(row), row.pk, sign)] if beside != "nothing" else []
    act = [told(kinds[0] if kinds else "changed", person, _initiative(row))] if beside == WITH[2] else []
    before, after = ([*history], []) if sign == "-" else ([], history)
    return [as_(person), *before, statement, *after, *act]


def _initiative(row):
    """The initiative of a row, in whose name its act stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT initiative_ref FROM governance_entry WHERE "table" = %s AND key = %s ORDER BY id DESC LIMIT 1',
            [row._meta.db_table, str(row.pk)],
        )
        found = cursor.fetchone()
    number = int(found[0].removeprefix("AI-")) if found and found[0] else None
    model = row_capture._initiatives[0].model
    return model._base_manager.filter(number=number).first() if number else None


@pytest.fixture
def rows(transactional_db):
    """One row of every governed table."""
    return one_of_every_row.one_of_each()


def test_what_a_line_does_not_let_change_is_refused(rows, application_login):
    """An update of each column, in the name of somebody who may do nothing, and in the name of the row's person."""
    outsider, other = User.objects.order_by("-pk")[:2]
    passed, counts = [], Counter()
    for row in rows:
        table, line = row._meta.db_table, GOVERNED[row._meta.db_table]
        stands = {field.column: getattr(row, field.attname) for field in row._meta.concrete_fields}
        for field in row._meta.concrete_fields:
            first = field.column in line.once and not verify._written(stands[field.column])
            over = any(verify._written(stands[name]) for name in line.until)
            open_ = not over and (field.column in line.changes or first)
            if field.primary_key:
                continue
            value = field.get_db_prep_save(another(field, stands[field.column], other), connection)
            update = (f'UPDATE {table} SET "{field.column}" = %s WHERE id = {row.pk}', [value])
            for beside in WITH:
                said = refusal(forged(row, update, "~", beside, outsider), application_login)
                counts[beside, "refused" if said else "open" if open_ else "passed"] += 1
                named = field.column in line.names and value is not None
                if open_ and not named and beside in (WITH[2:] if line.acts else WITH[1:]):
                    continue  # what may change, in the name of who acts, with the act that says so
                if not said.startswith(("Plumbline: ", "permission denied")) and not (open_ and said):
                    passed.append((table, field.column, beside, said or "it went through"))
    print(dict(counts))
    assert passed == []


def test_what_was_written_once_or_ended_stays(rows, application_login):
    """Columns that are written once, written by the owner of the tables, and then by the application's login."""
    outsider, other = User.objects.order_by("-pk")[:2]
    passed, tried = [], 0
    for row in rows:
        table, line = row._meta.db_table, GOVERNED[row._meta.db_table]
        fields = {field.column: field for field in row._meta.concrete_fields}
        first = {name: another(fields[name], None, other) for name in (*line.once, *line.until)}
        later = {name: another(fields[name], value, other) for name, value in first.items()}
        later |= {name: another(fields[name], None, other) for name in line.changes if line.until}
        if not first:
            continue
        checks = [one.name for one in type(row)._meta.constraints if isinstance(one, models.CheckConstraint)]
        with transaction.atomic(), connection.cursor() as cursor:
            for name in checks:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(*updated(row, first))
            cursor.execute("SET LOCAL session_replication_role = origin")
            for name, value in later.items():
                tried += 1
                said = refusal([as_(outsider), updated(row, {name: value})], application_login)
                if not said.startswith("Plumbline: "):
                    passed.append((table, name, said or "it went through"))
            transaction.set_rollback(True)
    print(tried)
    assert passed == []
    assert tried > 200


def updated(row, values: dict) -> tuple[str, list]:
    """The statement that writes these values by column."""
    sets = ", ".join(f'"{name}" = %s' for name in values)
    fields = {field.column: field for field in row._meta.concrete_fields}
    written = [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]
    return f"UPDATE {row._meta.db_table} SET {sets} WHERE id = {row.pk}", written


def test_no_row_is_written_in_the_name_of_another(rows, application_login):
    """A copy of each row that names somebody else than who acts."""
    outsider, other = User.objects.order_by("-pk")[:2]
    passed = []
    for row in rows:
        table, line = row._meta.db_table, GOVERNED[row._meta.db_table]
        columns = [field.column for field in row._meta.concrete_fields]
        for name in line.names:
            values = ", ".join(
                str(SERIAL) if one == row._meta.pk.column else str(other.pk) if one == name else f'"{one}"'
                for one in columns
            )
            listed = ", ".join(f'"{one}"' for one in columns)
            insert = (f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} WHERE id = {row.pk}", [])
            said = refusal([as_(outsider), insert], application_login)
            if not said.startswith("Plumbline: "):
                passed.append((table, name, said or "it went through"))
    assert passed == []


def test_no_row_is_deleted_where_rows_are_kept(rows, application_login):
    outsider = User.objects.latest("pk")
    passed = []
    for row in rows:
        if GOVERNED[row._meta.db_table].deleted:
            continue
        delete = (f"DELETE FROM {row._meta.db_table} WHERE id = {row.pk}", [])
        said = refusal(forged(row, delete, "-", WITH[2], outsider), application_login)
        if not said.startswith("Plumbline: "):
            passed.append((row._meta.db_table, said or "it went through"))
    assert passed == []


def test_verification_finds_what_a_line_keeps_in_each_table(rows):
    """One kept column of each row, changed with its history and the guards off: the judge names it."""
    outsider, other = User.objects.order_by("-pk")[:2]
    changed = set()
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
                            for text, values in forged(row, update, "~", "history", outsider):
                                cursor.execute(text, values or None)
                    except DatabaseError:
                        continue  # a constraint
                    changed.add((table, str(row.pk), field.column))
                    break
        found = {(one.table, one.key, one.field) for one in entry_judgement.judge().finish()}
        transaction.set_rollback(True)
    assert len(changed) > 70
    assert changed - found == set()


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


def _judged(table: str, before, after, actor) -> list[str]:
    """The columns at which the judge of the audit log finds a breach in this change."""
    entry = {"id": 1, "xact": 1, "table": table, "key": "1", "actor": actor, "initiative": ""}
    judge = verify.Judge("period")
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    judge._stands(verify._Change(entry | {"at": now.isoformat()}, now, None, before, after, None), ())
    return [one.field for one in judge.breaches]


def test_the_judge_finds_each_change_that_a_line_does_not_let():
    wrong = []
    for model in row_capture.captured_models():
        table, line = model._meta.db_table, GOVERNED[model._meta.db_table]
        empty = {field.column: None for field in model._meta.concrete_fields}
        written = {name: "x" for name in empty if name not in line.until}
        for name in empty:
            after = empty | written | {name: 7}
            found = _judged(table, empty | written, after, actor=7)
            if found != ([] if name in line.changes + line.until else [name]):
                wrong.append((table, name, "changed", found))
            found = _judged(table, empty, empty | {name: 7}, actor=8)
            kept = name not in line.changes + line.once
            if found != [name] * (kept + (name in line.names)):
                wrong.append((table, name, "written first, by another", found))
            if line.until:
                over = empty | dict.fromkeys(line.until, "x")
                if _judged(table, over, over | {name: 7}, actor=7) != [name]:
                    wrong.append((table, name, "changed after its end"))
        if bool(_judged(table, empty, None, actor=7)) == line.deleted:
            wrong.append((table, "", "deleted"))
    assert json.dumps(wrong) == "[]"
