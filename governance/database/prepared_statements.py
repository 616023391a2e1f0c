"""Statements of every act, which the server keeps and parses once a connection.

They are planned once if an act allows that (`history.acting`), because the planning of an act cost more than its
queries and writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """Return a cursor whose statements the server keeps, for SQL that does not vary.

    Only this kind of cursor binds its values on the server. `prepare_threshold` has each such statement prepared.
    """
    if connection.queries_logged:
        return connection.cursor()  # a log of statements needs their text, which only this kind of cursor has
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection.make_cursor(ServerBindingCursor(connection.connection))


@contextmanager
def planned_once() -> Iterator[None]:
    """Plan each statement once a connection while this is open, for all values.

    This is for a long query about a few keys, which takes longer to plan than to answer. The server's own rule uses
    the first five sets of keys: after five single keys it plans the query again each time.
    """
    # An act has said so for its transaction; a statement that is logged is not kept.
    if connection.in_atomic_block or connection.queries_logged:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as told:
            told.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        yield
