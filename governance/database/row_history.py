"""Row history: who saved each governed row and why, for everything inside `acting`.

`governed()` is the one line that puts a model under history. A save of a governed model outside `acting` is
refused here: no actor, no write (docs/audit-log.md).
"""

import functools
import json
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Func
from django.db.models.sql import UpdateQuery
from django.utils import translation
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from governance import clock
from governance.database import prepared_statements, rehearsing, replica, request_memo
from governance.database.database_catalogue import broken_rule


class NoActor(RuntimeError):
    """A governed row was about to be written without an actor."""


@dataclass(frozen=True)
class Acting:
    """The actor of the running act: a person, or a named part of the system (None)."""

    person: Any  # a User, whose model lies above; None for the system
    name: str
    reason: str
    request_id: str
    at: datetime


_acting: ContextVar[Acting | None] = ContextVar("plumbline_acting", default=None)
_request_id: ContextVar[str] = ContextVar("plumbline_request_id", default="")
_concerned: ContextVar[object | None] = ContextVar("plumbline_concerned", default=None)


def current() -> Acting | None:
    """Return the actor in force, or None outside any act."""
    return _acting.get()


def set_request_id(value: str):
    """Remember the id of the running request or task. Return the token that resets it."""
    return _request_id.set(value)


def reset_request_id(token) -> None:
    """Forget the id set by `set_request_id`."""
    _request_id.reset(token)


def running_request() -> str:
    """Return the id of the running request or task, or ""."""
    return _request_id.get()


def concerns(row) -> None:
    """Remember the initiative, or a row of it, of this request, for a refusal's entry."""
    _concerned.set(row)


def concerned():
    """Return the initiative of the running request if it is known, else None."""
    row = _concerned.get()
    return getattr(row, "initiative", row)


@contextmanager
def acting(*, by=None, system: str = "", reason: str = ""):
    """Open a transaction in which every governed row is saved by `by`, or by the named part of the system.

    Raises NoActor when neither is given. Inside another act the outer actor stays unless a new one is named:
    an act may call a smaller act. Raises Unconfirmed while acts of persons are withheld.

    Raises BrokenRule at its end if a row does not meet a CHECK constraint, with the rule in words.

    Inside it texts are in English, so that no row and no entry depends on the language of the person who acts.
    """
    if by is not None:
        rehearsing.check_confirmed()
    if by is None and not system:
        raise NoActor("Name who acts: by=<person> or system='<name>'.")
    who = Acting(
        person=by,
        name=by.full_name if by is not None else f"system: {system}",
        reason=reason,
        request_id=_request_id.get(),
        at=clock.now(),
    )
    outer = _acting.get()
    token = _acting.set(who)
    try:
        with (
            request_memo.afresh(),
            translation.override(settings.LANGUAGE_CODE),
            replica.primary(),
            transaction.atomic(),
        ):
            _tell_database(who)
            yield who
    except IntegrityError as trouble:
        if outer is None and (wrong := broken_rule(trouble)):
            raise wrong from trouble.__cause__
        raise
    finally:
        _acting.reset(token)
    if connection.in_atomic_block:
        # The transaction goes on: what follows is no longer done by this actor. (A rollback takes this back itself.)
        _tell_database(outer)


def _tell_database(who: Acting | None) -> None:
    """Set the actor for the rest of this transaction, for the triggers that capture rows."""
    said = {}
    if who is not None:
        said = {
            "id": who.person.pk if who.person is not None else None,
            "name": who.name,
            "reason": who.reason,
            "request": who.request_id,
            "at": who.at.isoformat(),
        }
    told = {"plumbline.act": json.dumps(said, ensure_ascii=False) if said else ""}
    if who is not None and clock.simulating():
        told["plumbline.now"] = clock.now().isoformat()
    if who is not None:
        # An act asks a few prepared queries about one initiative: to plan each anew costs more than any plan could
        # save.
        told["plan_cache_mode"] = "force_generic_plan"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(told)),
            [part for pair in told.items() for part in pair],
        )


class TransactionId(Func):
    """plumbline_xact(): the id of the running transaction, also inside savepoints.

    See docs/architecture.md, trap 14. A restore moves the count past all ids in the audit log.
    """

    function = "plumbline_xact"
    output_field = models.BigIntegerField()
    arity = 0


class DatabaseNow(Func):
    """plumbline_now(): the database's own clock, see the first migration."""

    function = "plumbline_now"
    output_field = models.DateTimeField()
    arity = 0


class DatabaseSimulated(Func):
    """plumbline_simulated(): True if plumbline_now() is simulated in this transaction."""

    function = "plumbline_simulated"
    output_field = models.BooleanField()
    arity = 0


class WrittenOnce(models.Model):
    """A row of the audit log itself, captured when written. The database refuses changes."""

    inserted_only = True  # what the application's login may do (governance/database/database_roles.py)

    xact = models.BigIntegerField(db_default=TransactionId(), editable=False)

    class Meta:
        abstract = True


class HistoryRow(models.Model):
    """The fields of every history row beside those of the row itself."""

    inserted_only = True

    history_user_name = models.TextField(default="")
    history_xact = models.BigIntegerField(db_default=TransactionId(), editable=False)

    class Meta:
        abstract = True


def _who_saved(instance=None, request=None, **_):
    who = _acting.get()
    return who.person if who else None


def _person_of(historical_instance):
    return get_user_model().objects.filter(pk=historical_instance.history_user_id).first()


class _History(HistoryManager):
    """A manager whose class is built once, not at every look at `history`."""

    from_queryset = classmethod(functools.cache(HistoryManager.from_queryset.__func__))


def governed(**options) -> HistoricalRecords:
    """Return the history of a model, for the line `history = governed()`."""
    return HistoricalRecords(
        bases=[HistoryRow],
        history_id_field=models.BigAutoField(),
        history_user_id_field=models.BigIntegerField(null=True, blank=True),
        history_user_getter=_person_of,
        history_change_reason_field=models.TextField(default="", blank=True),
        get_user=_who_saved,
        history_manager=_History,
        **options,
    )


def _stamp(sender, *, history_instance, instance, **_):
    who = _acting.get()
    if who is None:
        raise NoActor(
            f"{instance._meta.label} would be saved without an acting person. Use an action, or "
            "acting(by=...)."
        )
    history_instance.history_user_name = who.name
    history_instance.history_change_reason = who.reason
    history_instance.history_date = who.at


pre_create_historical_record.connect(_stamp, dispatch_uid="plumbline-history-stamp")


def insert_many(model, rows: list, batch_size: int = 1000) -> list:
    """Insert governed rows set-wise, each with its history row, in the running act.

    Raises NoActor outside an act. `bulk_create` alone would leave no history (docs/architecture.md, trap 5).
    """
    with_keys = model.objects.bulk_create(rows, batch_size=batch_size)
    write_history(model, [row.pk for row in with_keys], "+")
    return with_keys


def update_alike(model, rows: list, fields: list[str]) -> None:
    """Update fields of governed rows that all get the same values, in one statement."""
    values = {name: getattr(rows[0], name) for name in fields}
    update_where(model, [row.pk for row in rows], **values)


def update_where(model, keys: list, **values) -> None:
    """Update governed rows by key to values or expressions, with history.

    One statement does all of it. Raises NoActor outside an act.
    """
    quoted, sets, params = connection.ops.quote_name, [], []
    for name, value in values.items():
        field = model._meta.get_field(name)
        if hasattr(value, "resolve_expression"):
            query = UpdateQuery(model)
            said, of_value = query.get_compiler(connection.alias).compile(
                value.resolve_expression(query, for_save=True)
            )
        else:
            if field.is_relation:
                value = getattr(value, "pk", value)
            said, of_value = "%s", [field.get_db_prep_save(value, connection)]
        sets.append(f"{quoted(field.column)} = {said}")
        params += of_value
    table, pk = quoted(model._meta.db_table), quoted(model._meta.pk.column)
    _copy_to_history(
        model,
        f"WITH row AS (UPDATE {table} SET {', '.join(sets)} WHERE {pk} = ANY(%s) RETURNING *)",
        [*params, list(keys)],
        "~",
    )


def write_history(model, keys: list[int], kind: str) -> None:
    """Write one row of history for each of these rows, as the database has them now.

    `kind` is "+" for rows that were inserted, "~" for changed ones. Raises NoActor outside an act.
    """
    table, pk = (connection.ops.quote_name(name) for name in (model._meta.db_table, model._meta.pk.column))
    _copy_to_history(model, f"WITH row AS (SELECT * FROM {table} WHERE {pk} = ANY(%s))", [list(keys)], kind)


def _copy_to_history(model, found: str, params: list, kind: str) -> None:
    """Write a row of history for each row that `found`, a CTE of the name `row`, brings."""
    who = _acting.get()
    if who is None:
        raise NoActor(f"{model._meta.label} rows would be saved without an acting person.")
    historical = model.history.model
    said = {
        "history_date": who.at,
        "history_type": kind,
        "history_user_id": who.person.pk if who.person else None,
        "history_user_name": who.name,
        "history_change_reason": who.reason,
    }
    quoted = connection.ops.quote_name
    columns = [quoted(field.column) for field in historical.tracked_fields]
    names = [quoted(historical._meta.get_field(name).column) for name in said]
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            f"{found} INSERT INTO {quoted(historical._meta.db_table)} ({', '.join(columns + names)})"
            f" SELECT {', '.join(columns)}, {', '.join(['%s'] * len(names))} FROM row"
            f" ORDER BY {quoted(model._meta.pk.column)}",
            [*params, *said.values()],
        )
