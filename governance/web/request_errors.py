"""Errors around a request, classified: disk full, database away, request too large. Pure."""

import errno

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled

# Of PostgreSQL: connection lost (class 08), server shutting down, crashed or starting, no connection left.
GONE = ("57P01", "57P02", "57P03", "53300")
FULL = "53100"  # its own disk
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def no_room(trouble: BaseException | None) -> bool:
    """Return True if a disk was full, of this process or of the database."""
    if isinstance(trouble, OSError):
        return trouble.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(trouble, DatabaseError) and _code(trouble) == FULL


def away(trouble: BaseException | None) -> bool:
    """Return True if the database could not be reached, or went away."""
    if isinstance(trouble, InterfaceError):
        return True  # the connection is closed
    if not isinstance(trouble, OperationalError):
        return False
    code = _code(trouble)
    return code is None or code.startswith("08") or code in GONE


def stopped(trouble: BaseException | None) -> bool:
    """Return True if the database stopped a statement that took too long."""
    return isinstance(trouble, DatabaseError) and isinstance(trouble.__cause__, QueryCanceled)


def _code(trouble: DatabaseError) -> str | None:
    return getattr(trouble.__cause__ or trouble, "sqlstate", None)
