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
    """Make `once` remember while this is open. Inside another look, it is part of that look.

    A look may contain only reads: a page that is shown, not one that is sent. In an act it may contain what the act
    judges, after its lock and before its first write.
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
    """Read everything again inside, and afterwards too, because an act may change it."""
    kept = _look.get()
    token = _look.set(None)
    try:
        yield
    finally:
        _look.reset(token)
        if kept is not None:
            kept.clear()


def kept() -> dict | None:
    """Return what the running look has read, by key, or None without a look."""
    return _look.get()


def once(key: tuple[Any, ...], read: Callable[[], Result]) -> Result:
    """Return the result of `read`, kept under `key` until the running look ends."""
    kept = _look.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    return kept[key]


def counts(*rows: QuerySet) -> tuple[int, ...]:
    """Return the number of rows of each query, in one query to the database."""
    return _of_each("(SELECT count(*) FROM ({}) of_them)", rows)


def lists(*rows: QuerySet) -> tuple[list[int], ...]:
    """Return the keys, or the one selected column, of each query, in one query."""
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
