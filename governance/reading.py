"""One look: what a page asks the database twice is read once. Acts never look; they read anew, after their lock."""

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection
from django.db.models import F, Func, JSONField, QuerySet, Value
from django.db.models.functions import JSONObject

_look: ContextVar[dict | None] = ContextVar("plumbline_look", default=None)


@contextmanager
def one_look():
    """While this is open, `once` remembers; inside another look it is part of that one.

    Only around what reads: a page that is looked at, never a page sent; the facts of a case, never the act on them.
    """
    if _look.get() is not None:
        yield
        return
    token = _look.set({})
    try:
        yield
    finally:
        _look.reset(token)


@contextmanager
def afresh():
    """Inside, and afterwards too, everything is read anew: whoever acts may change what was read."""
    kept = _look.get()
    token = _look.set(None)
    try:
        yield
    finally:
        _look.reset(token)
        if kept is not None:
            kept.clear()


def once(key: tuple, read: Callable):
    """What `read` returns: kept under `key` until the running look ends, read every time where nobody looks."""
    kept = _look.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    return kept[key]


def each(kind: str, keys: list, read: Callable) -> dict:
    """For every key the list that `read` finds for it. What the running look does not know yet is read together:
    `read` gets the missing keys and returns lists by key.
    """
    kept = _look.get()
    if kept is None:
        kept = {}
    missing = [key for key in keys if (kind, key) not in kept]
    if missing:
        found = read(missing)
        kept.update({(kind, key): found.get(key, []) for key in missing})
    return {key: kept[kind, key] for key in keys}


def gathered(tables: dict[str, QuerySet]) -> dict[str, list]:
    """The rows of several small tables in one question, each under its name; annotations come along as attributes.

    The order of the query sets is not kept: sort what you get.
    """
    found: dict[str, list] = {name: [] for name in tables}
    parts = []
    for name, rows in tables.items():
        also = {key: F(key) for key in rows.query.annotations}
        told = _WholeRow(rows.model._meta.db_table, *([JSONObject(**also)] if also else ()))
        parts.append(rows.order_by().values_list(Value(name), told))
    first, *others = parts
    for name, told in first.union(*others, all=True):
        found[name].append(_row(tables[name], told))
    return found


class _WholeRow(Func):
    """All columns of the query's own table as JSON, and what was annotated."""

    def __init__(self, table: str, *also):
        template = "to_jsonb(%(table)s)" + (" || %(expressions)s" if also else "")
        table = connection.ops.quote_name(table)
        super().__init__(*also, template=template, table=table, output_field=JSONField())


def _row(rows: QuerySet, told: dict):
    """A row as the table's own query would give it, from its columns as JSON."""
    fields = rows.model._meta.concrete_fields
    values = [None if told[field.column] is None else field.to_python(told[field.column]) for field in fields]
    row = rows.model.from_db(rows.db, [field.attname for field in fields], values)
    for name in rows.query.annotations:
        setattr(row, name, told[name])
    return row
