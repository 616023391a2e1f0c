"""Statements that every act sends, kept by the server: each is parsed once a connection, and planned once where an act
allows that (`history.acting`).

To plan the queries and writes of an act anew each time cost more than to carry them out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """A cursor on the running connection whose statements the server keeps; for SQL whose text is always the same.

    It is the only one that binds its values on the server, and `prepare_threshold` has each such statement prepared.
    """
    if connection.queries_logged:
        return (
            connection.cursor()
        )  # whoever logs statements is told their text, which this kind of cursor alone has
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection.make_cursor(ServerBindingCursor(connection.connection))


@contextmanager
def planned_once() -> Iterator[None]:
    """Inside, the server plans each statement once a connection, whatever its values are.

    For a long query about a few keys, which takes longer to plan than to answer. The server itself goes by the
    first five sets of keys: after five single keys it plans the query anew each time.
    """
    # An act has said so for its transaction; a statement that is logged is not kept.
    if connection.in_atomic_block or connection.queries_logged:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as told:
            told.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        yield
