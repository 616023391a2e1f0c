"""Statements that every act sends, kept by the server: each is parsed once a connection, and planned once where an act
allows that (`history.acting`).

To plan the questions and writes of an act anew each time cost more than to carry them out.
"""

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor


class _Keeping(Cursor):
    def execute(self, query, params=None, **how):
        return super().execute(query, params, **{"prepare": True, **how})

    def _convert_query(self, query, params=None):
        self._query = super()._convert_query(
            query, params
        )  # told to whoever logs statements, as Django's own cursor does
        return self._query


def cursor() -> CursorWrapper:
    """A cursor on the running connection whose statements the server keeps; for SQL whose text is always the same."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(_Keeping(connection.connection))
