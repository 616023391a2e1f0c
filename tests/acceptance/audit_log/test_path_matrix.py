"""Every way to change a row, tried on every governed table: captured rightly, or refused. None is silent.

The table below says for each way what must come of it; it is written by hand. Each try runs in a transaction of its
own, up to the point where COMMIT would check it, and is withdrawn.
"""

import copy
import json
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import psycopg
import pytest
from celery import shared_task
from django.apps import apps
from django.core import serializers
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F, ProtectedError
from django.test import override_settings

from governance import clock
from governance.audit_log import row_capture
from governance.database import row_history
from governance.database.row_history import NoActor, acting
from governance.models import Entry
from governance.offline.verify import GOVERNED
from initiatives.models import System
from tests.support import factories, plugin
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import one_of_every_row

CAPTURED, REFUSED = "captured", "refused"


def spoil(row, mark="x"):
    """Change one field of a row to another value it could have, a plain one where there is one; the field's name."""
    own = [field for field in row._meta.concrete_fields if not (field.primary_key or field.is_relation)]
    words = [
        f for f in own if isinstance(f, (models.TextField, models.CharField)) and not (f.choices or f.unique)
    ]
    if not own:
        raise NothingElse
    field = (words or own)[0]
    limit = getattr(field, "max_length", None) or 10_000
    value = getattr(row, field.attname)
    setattr(row, field.attname, f"{mark}{value or ''}"[:limit] if words else _another(row, field.attname))
    return field.attname


class NothingElse(Exception):
    """The row has too few fields for this way."""


def by_test():
    """An actor, as every write needs one."""
    return acting(system="test", reason="Tried")


# --- The ways. Each gets a row and may raise; what it returns is ignored. ---------------------------------------------


def save(row):
    spoil(row)
    with by_test():
        row.save()


def save_by_nobody(row):
    spoil(row)
    row.save()


def save_one_field(row):
    name = spoil(row)
    with by_test():
        row.save(update_fields=[name])


def save_one_field_of_two(row):
    """simple-history writes down both fields; the table gets one."""
    name = spoil(row)
    for field in row._meta.concrete_fields:
        if field.attname != name and not (field.primary_key or field.is_relation):
            setattr(row, field.attname, _another(row, field.attname))
            break
    else:
        raise NothingElse
    with by_test():
        row.save(update_fields=[name])


def _another(row, name):
    value = getattr(row, name)
    field = row._meta.get_field(name)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int) or isinstance(field, models.IntegerField):
        return (value or 0) + 1
    if isinstance(field, models.JSONField):
        return {"another": 1}
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(field, models.BinaryField):
        return bytes(value or b"") + b"y"
    if isinstance(field, models.DateField):  # a moment is one too
        first = clock.now() if isinstance(field, models.DateTimeField) else clock.today()
        return (value or first) + timedelta(days=1)
    return f"y{value or ''}"[: getattr(field, "max_length", None) or 100]


def update(row):
    name = spoil(row)
    with by_test():
        type(row)._base_manager.filter(pk=row.pk).update(**{name: getattr(row, name)})


def update_by_expression(row):
    with by_test():
        type(row)._base_manager.filter(pk=row.pk).update(**{row._meta.pk.name: F(row._meta.pk.name)})


def bulk_update(row):
    name = spoil(row)
    with by_test():
        type(row)._base_manager.bulk_update([row], [name])


def bulk_create(row):
    twin = _twin(row)
    with by_test():
        type(row)._base_manager.bulk_create([twin])


def _twin(row):
    twin = copy.copy(row)
    twin.pk = None
    twin._state = copy.copy(row._state)
    twin._state.adding = True
    for field in row._meta.concrete_fields:
        if field.unique and not field.primary_key and isinstance(field, models.CharField):
            setattr(twin, field.attname, f"z{getattr(row, field.attname)}"[: field.max_length])
    return twin


def raw_update(row):
    with by_test():
        _execute(f"UPDATE {row._meta.db_table} SET {row._meta.pk.column} = {row._meta.pk.column}", row)


def raw_delete(row):
    with by_test():
        _execute(f"DELETE FROM {row._meta.db_table}", row)


def raw_truncate(row):
    with by_test():
        _execute(f"TRUNCATE {row._meta.db_table} CASCADE", None)


def _execute(statement, row):
    with connection.cursor() as cursor:
        where = f" WHERE {row._meta.pk.column} = {row.pk}" if row is not None else ""
        cursor.execute(statement + where)


def fixture(row):
    """`loaddata`: what a fixture holds is saved raw."""
    spoil(row)
    held = BytesIO(serializers.serialize("json", [row]).encode())
    with by_test():
        for loaded in serializers.deserialize("json", held.read()):
            loaded.save()


def raw_delete_of_the_orm(row):
    with by_test():
        found = type(row)._base_manager.filter(pk=row.pk)
        found._raw_delete(found.db)


def delete(row):
    with by_test():
        row.delete()


def delete_many(row):
    """As the admin's "delete selected" does; what hangs on the row goes in a cascade, or stops it."""
    with by_test():
        type(row)._base_manager.filter(pk=row.pk).delete()


def skip_flag(row):
    spoil(row)
    row.skip_history_when_saving = True
    with by_test():
        row.save()


def history_switched_off(row):
    spoil(row)
    with override_settings(SIMPLE_HISTORY_ENABLED=False), by_test():
        row.save()


@shared_task
def _task(label, key):
    row = apps.get_model(label)._base_manager.get(pk=key)
    spoil(row)
    row.save()


def task_without_actor(row):
    _task(row._meta.label, row.pk)


def task_with_actor(row):
    with by_test():
        _task(row._meta.label, row.pk)


def migration(row):
    """`RunPython` sees models without their history."""
    state = MigrationExecutor(connection).loader.project_state().apps
    old = state.get_model(row._meta.app_label, row._meta.model_name)
    with by_test():
        past = old._base_manager.get(pk=row.pk)
        spoil(past)
        past.save()


def other_connection(row):
    """Somebody with a connection of their own, as the owner of the tables, who even names an actor."""
    address = plugin.url_of(connection.settings_dict["NAME"])
    with psycopg.connect(address) as login:
        login.execute("""SET plumbline.act = '{"name": "Mallory", "at": "2026-11-20T10:00:00Z"}'""")
        pk = row._meta.pk.column
        login.execute(f"UPDATE {row._meta.db_table} SET {pk} = {pk} WHERE {pk} = {row.pk}")


def savepoint_taken_back(row):
    """What was rolled back leaves nothing, and what is saved afterwards is captured alone."""
    with by_test():
        other = copy.copy(row)
        spoil(other, "rolled back")
        with transaction.atomic():
            other.save()
            transaction.set_rollback(True)
        spoil(row)
        row.save()


def set_wise(row):
    """The door for many rows at once."""
    name = spoil(row)
    with by_test():
        row_history.update_alike(type(row), [row], [name])


def twice(row):
    spoil(row)
    with by_test():
        row.save()
        spoil(row, "again")
        row.save()


# By hand: what must come of each way. "Captured" is refused all the same where another guard forbids the change itself.
WAYS = [
    (save, CAPTURED),
    (save_by_nobody, REFUSED),
    (save_one_field, CAPTURED),
    (save_one_field_of_two, REFUSED),
    (update, REFUSED),
    (update_by_expression, REFUSED),
    (bulk_update, REFUSED),
    (bulk_create, REFUSED),
    (raw_update, REFUSED),
    (raw_delete, REFUSED),
    (raw_truncate, REFUSED),
    (fixture, REFUSED),
    (raw_delete_of_the_orm, REFUSED),
    (delete, CAPTURED),
    (delete_many, CAPTURED),
    (skip_flag, REFUSED),
    (history_switched_off, REFUSED),
    (task_without_actor, REFUSED),
    (task_with_actor, CAPTURED),
    (migration, REFUSED),
    (other_connection, REFUSED),
    (savepoint_taken_back, CAPTURED),
    (set_wise, CAPTURED),
    (twice, CAPTURED),
]


def tried(way, row) -> str:
    """What came of one way with one row: refused, captured, or silent."""
    table, pk = row._meta.db_table, row._meta.pk.column
    same = copy.copy(row)  # a deleted row forgets its key
    try:
        with transaction.atomic():
            before = _newest(same), _past(same)
            way(row)
            connection.check_constraints()  # what COMMIT would check
            after = _newest(same), _past(same)
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT row_to_json(t)::jsonb FROM {table} t WHERE {pk} = %s", [same.pk])
                live = cursor.fetchone()
            transaction.set_rollback(True)
    except (DatabaseError, NoActor, ProtectedError, NothingElse, psycopg.Error):
        return REFUSED
    entry = after[0]
    if entry is None or entry == before[0] or after[1] == before[1]:
        return "silent"
    kept = entry[1]["after"]
    if live is None:
        return CAPTURED if kept is None and entry[1]["before"] is not None else "captured wrongly"
    secret = row_capture.secret_columns(type(row))
    shown = {name: value for name, value in _json(live[0]).items() if name not in secret}
    right = kept == shown and entry[1]["actor"]["name"] == "system: test" and entry[1]["reason"] == "Tried"
    return CAPTURED if right and not set(secret) & set(kept) else f"captured wrongly: {kept} for {shown}"


def _json(value):
    return json.loads(value) if isinstance(value, str) else value


def _newest(row):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, convert_from(b.body, 'UTF8')::jsonb FROM governance_entry e JOIN governance_entrybody b"
            ' ON b.entry_id = e.id WHERE e."table" = %s AND e.key = %s ORDER BY e.id DESC LIMIT 1',
            [row._meta.db_table, str(row.pk)],
        )
        found = cursor.fetchone()
    return (found[0], _json(found[1])) if found else None


def _past(row):
    past = type(row).history.filter(**{row._meta.pk.name: row.pk})
    return past.order_by("-history_id").values_list("history_id", flat=True).first()


@pytest.mark.django_db(transaction=True)
def test_no_way_to_change_a_row_is_silent(rounds):
    """Every way on every table with `--rounds 500`; in the suite one of three, others on the next table."""
    rows = one_of_every_row.one_of_each()
    step = 1 if rounds >= 500 else 3
    missing = {model._meta.label for model in row_capture.governed_models()} - {
        row._meta.label for row in rows
    }
    assert not missing, f"no row to try with of {sorted(missing)}: add one to tests/one_of_every_row.py"
    wrong, came = [], {way.__name__: set() for way, _ in WAYS}
    for place, row in enumerate(rows):
        kept = not GOVERNED[row._meta.db_table].deleted
        for way, expected in WAYS[place % step :: step] if kept else WAYS:  # few tables let rows be deleted
            result = tried(way, type(row)._base_manager.get(pk=row.pk))
            came[way.__name__].add(result)
            if result not in (expected, REFUSED):
                wrong.append(f"{row._meta.label}: {way.__name__} is {result}, not {expected}")
    assert wrong == []
    # The ways that may pass do pass somewhere: a matrix of refusals alone would show nothing.
    for way, expected in WAYS:
        assert expected in came[way.__name__], f"{way.__name__} was {came[way.__name__]} everywhere"


@pytest.mark.django_db(transaction=True)
def test_a_commit_without_history_is_refused_for_real():
    """The same at a real COMMIT, not at the point before it."""
    system = factories.make_system(factories.make_cast())
    with pytest.raises(DatabaseError, match="without its own equal row of history"), by_test():
        System.objects.filter(pk=system.pk).update(name="Renamed behind the audit log")
    assert System.objects.get(pk=system.pk).name == system.name


@pytest.mark.django_db(transaction=True)
def test_an_actor_ends_with_its_act():
    """After an act, in the same transaction, nobody acts; inside, the inner act has its own actor and reason."""
    cast = factories.make_cast()
    system = factories.make_system(cast)
    with transaction.atomic():
        with acting(by=cast.admin, reason="Outer"):
            with acting(system="inner", reason="Inner"):
                system.name = "A"
                system.save()
            system.name = "B"
            system.save()
        with pytest.raises(DatabaseError, match="written by nobody"), transaction.atomic():
            System.objects.filter(pk=system.pk).update(name="C")
    said = [
        (facts["actor"]["name"], facts["reason"], facts["after"]["name"])
        for facts in (
            entry.facts
            for entry in Entry.objects.rows()
            .filter(table="initiatives_system", key=str(system.pk))
            .order_by("pk")
        )
    ]
    assert said[-2:] == [("system: inner", "Inner", "A"), ("Per Dahl", "Outer", "B")]


@pytest.mark.django_db
def test_passwords_are_in_no_entry(cast):
    with unguarded("governance_user"), by_test():
        cast.owner.set_password("a secret that nobody writes down")
        cast.owner.save()
    entry = Entry.objects.rows().filter(table="governance_user", key=str(cast.owner.pk)).latest("pk")
    assert cast.owner.password not in bytes(entry.body.body).decode()
    assert "password" not in entry.facts["after"]


def test_every_model_is_governed_or_says_why():
    assert row_capture.check_models() == []


def test_a_model_that_is_forgotten_is_found(monkeypatch):
    monkeypatch.delattr(apps.get_model("governance.Notification"), "not_governed")
    (found,) = row_capture.check_models()
    assert found.id == "plumbline.E001"
    assert "governance.Notification" in found.msg


def test_rows_of_a_initiative_are_entered_under_its_reference():
    ways = {
        model._meta.db_table: row_capture._initiative_of(model, "NEW")
        for model in row_capture.captured_models()
    }
    without = {table for table, way in ways.items() if not way}
    assert without == {
        "adoption_attendance",
        "adoption_meeting",
        "adoption_pack",
        "adoption_reportingduty",
        "governance_absence",
        "governance_apitoken",
        "governance_apitokenuse",
        "governance_authenticatorapp",
        "governance_board",
        "governance_breakglass",
        "governance_clientkey",
        "governance_criterion",
        "governance_decisionbatch",
        "governance_delegation",
        "governance_directory",
        "governance_eventreceiver",
        "governance_externalidentity",
        "governance_factorreset",
        "governance_gate",
        "governance_identityprovider",
        "governance_interactionbatch",
        "governance_legalhold",
        "governance_membership",
        "governance_passkey",
        "governance_providerkey",
        "governance_recoverycode",
        "governance_requirement",
        "governance_rulebook",
        "governance_sameperson",
        "governance_sample",
        "governance_sampledentry",
        "governance_signingrule",
        "governance_signinpolicy",
        "governance_unit",
        "governance_user",
        "initiatives_componentversion",
        "initiatives_customisation",
        "initiatives_importbatch",
        "initiatives_inventorysource",
        "initiatives_region",
        "initiatives_rulebookdraft",
        "initiatives_serviceaccount",
        "initiatives_system",
        "initiatives_term",
        "initiatives_termdefinition",
        "initiatives_unitpolicy",
        "initiatives_vendor",
        "initiatives_vendorterm",
    }
