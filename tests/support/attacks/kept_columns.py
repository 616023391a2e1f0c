"""What the line of a governed table keeps, tried column by column against the guard of the table and the judge.

Each function returns what passed, so that a test asks for none and the drill of mutants for some.
"""

import datetime
import itertools
from collections import Counter

from django.db import DatabaseError, connection, models, transaction

from governance.audit_log import row_capture
from governance.models import User
from governance.offline import verify
from governance.offline.verify import Governed
from tests.support.attacks.forged_statements import as_, row_of_history, told

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
                cursor.execute(
                    "SET CONSTRAINTS ALL DEFERRED"
                )  # a savepoint before may have left them immediate
                for text, values in statements:
                    cursor.execute(text, values or None)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("RESET SESSION AUTHORIZATION")
            return ""
        except DatabaseError as trouble:
            return str(trouble).splitlines()[0]
        finally:
            transaction.set_rollback(True)


def forged(row, line: Governed, statement, sign: str, beside: str, person: User):
    """A statement with what is written beside it, in the name of the person."""
    kinds = line.acts
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


def updated(row, values: dict) -> tuple[str, list]:
    """The statement that writes these values by column."""
    sets = ", ".join(f'"{name}" = %s' for name in values)
    fields = {field.column: field for field in row._meta.concrete_fields}
    written = [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]
    return f"UPDATE {row._meta.db_table} SET {sets} WHERE id = {row.pk}", written


def strangers() -> tuple[User, User]:
    """Somebody who may do nothing, and another one whom rows name."""
    outsider, other = User.objects.order_by("-pk")[:2]
    return outsider, other


def changed(row, line: Governed, login: str, counts: Counter | None = None) -> list[tuple]:
    """Updates of each column, in the name of somebody who may do nothing, and of the row's person."""
    outsider, other = strangers()
    table, passed = row._meta.db_table, []
    stands = {field.column: getattr(row, field.attname) for field in row._meta.concrete_fields}
    for field in row._meta.concrete_fields:
        first = field.column in line.once and not verify._written(stands[field.column])
        over = any(verify._written(stands[name]) for name in line.until)
        open_ = not over and (field.column in line.changes or first)
        if field.primary_key:
            continue
        values = [another(field, stands[field.column], other)]
        if field.column in line.names and not open_ and stands[field.column] != outsider.pk:
            values.append(outsider.pk)  # who acts names nobody else, and yet the column is kept
        for value, beside in itertools.product(values, WITH):
            update = updated(row, {field.column: value})
            said = refusal(forged(row, line, update, "~", beside, outsider), login)
            if counts is not None:
                counts[beside, "refused" if said else "open" if open_ else "passed"] += 1
            named = field.column in line.names and value is not None
            free = open_ and not named and not line.by_admin
            if free and beside in (WITH[2:] if line.acts else WITH[1:]):
                continue  # what may change, in the name of who acts, with the act that says so
            if not said.startswith(("Plumbline: ", "permission denied")) and not (open_ and said):
                passed.append((table, field.column, beside, said or "it went through"))
    return passed


def kept_by_guard(said: str) -> bool:
    """Whether a guard of columns refused, and not one that asks for the history or the act beside the row."""
    return said.startswith("Plumbline: ") and "changed without its" not in said


def written_again(row, line: Governed, login: str) -> list[tuple]:
    """Columns that are written once, written by the owner of the tables, and then by the application's login.

    Once while the row goes on, and once after its end, when no column changes.
    """
    fields = {field.column: field for field in row._meta.concrete_fields}
    other, stands = strangers()[1], {name: getattr(row, field.attname) for name, field in fields.items()}
    open_ = {name: another(fields[name], None, other) for name in line.once if name not in line.until}
    passed = _after(row, open_, open_, login)
    if line.until:
        ended = {name: another(fields[name], None, other) for name in line.until}
        passed += _after(row, ended, stands | ended, login)
    return passed


def _after(row, first: dict, later: dict, login: str) -> list[tuple]:
    """The columns of `later` that the login may change once the owner of the tables has written the first ones."""
    table, outsider, other, passed = row._meta.db_table, *strangers(), []
    checks = [one.name for one in type(row)._meta.constraints if isinstance(one, models.CheckConstraint)]
    fields = {field.column: field for field in row._meta.concrete_fields if not field.primary_key}
    with transaction.atomic(), connection.cursor() as cursor:
        for name in checks if first else ():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute("SET LOCAL session_replication_role = replica")
        if first:
            cursor.execute(*updated(row, first))
        cursor.execute("SET LOCAL session_replication_role = origin")
        for name in later.keys() & fields.keys() if first else ():
            value = another(fields[name], later[name], other)
            said = refusal([as_(outsider), updated(row, {name: value})], login)
            if not kept_by_guard(said):
                passed.append((table, name, said or "it went through"))
        transaction.set_rollback(True)
    return passed


def named_another(row, line: Governed, login: str) -> list[tuple]:
    """Copies of the row that name somebody else than who acts in one column, and who acts in all others."""
    outsider, other = strangers()
    actor = (line.by_admin and User.objects.filter(is_admin=True).first()) or outsider
    table, passed = row._meta.db_table, []
    columns = [field.column for field in row._meta.concrete_fields]
    for name in line.names:
        named = {row._meta.pk.column: SERIAL} | dict.fromkeys(line.names, actor.pk) | {name: other.pk}
        values = ", ".join(str(named.get(one, f'"{one}"')) for one in columns)
        listed = ", ".join(f'"{one}"' for one in columns)
        insert = (f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} WHERE id = {row.pk}", [])
        said = refusal([as_(actor), insert], login)
        if not kept_by_guard(said):
            passed.append((table, name, said or "it went through"))
    return passed


def deleted(row, line: Governed, login: str) -> list[tuple]:
    """The row deleted with its history and an act, where rows are kept."""
    if line.deleted:
        return []
    delete = (f"DELETE FROM {row._meta.db_table} WHERE id = {row.pk}", [])
    said = refusal(forged(row, line, delete, "-", WITH[2], strangers()[0]), login)
    return [] if said.startswith("Plumbline: ") else [(row._meta.db_table, said or "it went through")]


def judged(table: str, before, after, actor) -> list[str]:
    """The columns at which the judge of the audit log finds a breach in this change."""
    entry = {"id": 1, "xact": 1, "table": table, "key": "1", "actor": actor, "initiative": ""}
    judge = verify.Judge("period")
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    judge._stands(verify._Change(entry | {"at": now.isoformat()}, now, None, before, after, None), ())
    return [one.field for one in judge.breaches]


def misjudged(model: type[models.Model], line: Governed) -> list[tuple]:
    """Changes of a row that the judge of the audit log takes otherwise than the line says."""
    table, wrong = model._meta.db_table, []
    empty = {field.column: None for field in model._meta.concrete_fields}
    written = {name: "x" for name in empty if name not in line.until}
    for name in empty:
        found = judged(table, empty | written, empty | written | {name: 7}, actor=7)
        if found != ([] if name in line.changes + line.until else [name]):
            wrong.append((table, name, "changed", found))
        found = judged(table, empty, empty | {name: 7}, actor=8)
        kept = name not in line.changes + line.once
        if found != [name] * (kept + (name in line.names)):
            wrong.append((table, name, "written first, by another", found))
        if line.until:
            over = empty | dict.fromkeys(line.until, "x")
            if judged(table, over, over | {name: 7}, actor=7) != [name]:
                wrong.append((table, name, "changed after its end"))
    if bool(judged(table, empty, None, actor=7)) == line.deleted:
        wrong.append((table, "", "deleted"))
    return wrong
