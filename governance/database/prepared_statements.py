"""Statements that every act sends, kept by the server: each is parsed once a connection, and planned once where an act
allows that (`history.acting`).

To plan the questions and writes of an act anew each time cost more than to carry them out.
"""

from django.db import connection
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
