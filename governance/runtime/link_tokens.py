"""Tokens of links that open a page without an account: signed, and stored nowhere.

A token names its row and is signed with the secret key. Readers of the database, its history, the audit log or an
export cannot make one, and the people who manage a link can look it up again. It ends with its row. A new row has a new
token.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import Model, QuerySet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def token_of(row: Any) -> str:
    """Return the token of a saved row that has `made_at`.

    The token names the moment too: a copy restored from a backup gives the same number to another row.
    """
    return _signer(type(row)).sign(f"{row.pk}.{(row.made_at - EPOCH) // MICROSECOND}")


def rows_of(rows: QuerySet[Any], token: str) -> QuerySet[Any]:
    """Return the one of `rows` that `token` names, as a queryset, or an empty one."""
    try:
        key, _, moment = _signer(rows.model).unsign(token).partition(".")
    except signing.BadSignature:
        return rows.none()
    return rows.filter(pk=int(key), made_at=EPOCH + int(moment) * MICROSECOND)


def _signer(model: type[Model]) -> signing.Signer:
    return signing.Signer(sep="~", salt=f"plumbline link: {model._meta.label_lower}")
