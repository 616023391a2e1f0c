"""Memo of one request or act: what is asked twice is read once, until the first write."""

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Result = TypeVar("Result")
_look: ContextVar[dict[Any, Any] | None] = ContextVar("plumbline_look", default=None)


@contextmanager
def one_look():
    """While this is open, `once` remembers; inside another look it is part of that one.

    Only around what reads: a page that is looked at, never a page sent; in an act what it judges, after its lock and
    before its first write, never the whole act.
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


def kept() -> dict | None:
    """What the running look has read, by key; None where nobody looks."""
    return _look.get()


def once(key: tuple[Any, ...], read: Callable[[], Result]) -> Result:
    """What `read` returns: kept under `key` until the running look ends, read every time where nobody looks."""
    kept = _look.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    return kept[key]


def counts(*rows: QuerySet) -> tuple[int, ...]:
    """How many rows each of these has, in one query to the database."""
    return _of_each("(SELECT count(*) FROM ({}) of_them)", rows)


def lists(*rows: QuerySet) -> tuple[list[int], ...]:
    """The keys of each of these, or the one column it asks for, in their order, in one query to the database."""
    return _of_each("ARRAY({})", rows)


def _of_each(question: str, rows: Iterable[QuerySet]) -> tuple:
    asked, values = [], []
    for one in rows:
        try:
            one = one if one.query.values_select else one.values("pk")
            sql, given = one.query.sql_with_params()
        except EmptyResultSet:
            sql, given = "SELECT 1 WHERE false", ()
        asked.append(question.format(sql))
        values += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked)}", values)
        return cursor.fetchone()
