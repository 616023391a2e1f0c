"""Pages of a list by cursor: the place after the last row, not a number of rows.

A row that comes or goes elsewhere moves no other row to another page. A cursor is signed, and good only for the
question that it came with, so that a changed one is refused and never read.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from django.core import signing
from django.db.models import QuerySet

from governance.web.machine_api import Answered

Row = TypeVar("Row")
STALE = "This cursor does not belong to this request. Send the same request without the cursor to begin anew."


class Paging:
    """One page of one question: its limit, and the place after which it begins.

    `question` names the address and the filters. Raises Answered (400) for a cursor of another question.
    """

    def __init__(self, question: str, cursor: str, limit: int):
        self.limit, self._signer = limit, signing.Signer(salt=f"read api {question}")
        try:
            self.after: Any = self._signer.unsign_object(cursor) if cursor else None
        except (signing.BadSignature, ValueError):
            raise Answered(400, STALE) from None

    def cursor(self, place: Any) -> str:
        """Return the cursor of the page after this place."""
        return self._signer.sign_object(place)

    def of_rows(self, rows: QuerySet, field: str = "pk", *, newest_first: bool = False) -> list:
        """Return the rows of this page by a unique field, and one more if there is a next page."""
        if self.after is not None:
            rows = rows.filter(**{f"{field}__{'lt' if newest_first else 'gt'}": self.after})
        return list(rows.order_by(f"-{field}" if newest_first else field)[: self.limit + 1])

    def of_list(self, rows: Iterable[Row], place: Callable[[Row], Any]) -> list[Row]:
        """Return the rows of this page out of a list in the order of their places, and one more as above."""

        def wanted() -> Iterator[Row]:
            yield from (row for row in rows if self.after is None or place(row) > self.after)

        return [row for row, _ in zip(wanted(), range(self.limit + 1), strict=False)]

    def page(self, rows: list[Row], shown: Callable[[Row], dict | None], place: Callable[[Row], Any]) -> dict:
        """Return the answer with these rows, of which the last is left to the next page if they are too many.

        A row of which `shown` returns None is left out.
        """
        more = len(rows) > self.limit
        rows = rows[: self.limit]
        data = [one for row in rows if (one := shown(row)) is not None]
        return {"data": data, "next": self.cursor(place(rows[-1])) if more else None}
