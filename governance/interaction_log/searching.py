"""Search the log's texts by decrypting an initiative's bodies in memory, by parts.

Texts have no index, because an index would show people's words to anyone with the database.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from governance.interaction_log import reading
from governance.models import Interaction
from governance.vocabulary.readable_text import normalized

PART = 500  # bodies that are held in memory at a time
SHORTEST = 3  # characters of a phrase that is worth a search
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Part:
    """The result of one part of a search: rows read, unreadable rows and matches.

    An unreadable row was erased, has expired, or does not fit its digest.
    """

    looked: int
    unreadable: int
    found: list[Interaction]
    through: tuple[datetime, int]  # the last row that was looked at: where a search goes on


def folded(text: str) -> str:
    """Return a text for comparison, without differences of letter size, spaces or encoding."""
    return _SPACE.sub(" ", normalized("NFKC", text).casefold()).strip()


def parts(
    initiative: int,
    since: datetime,
    until: datetime,
    phrase: str,
    *,
    model: str = "",
    after: tuple[datetime, int] | None = None,
) -> Iterator[Part]:
    """Search a phrase in the reports of an initiative (its number) over a period.

    A match is the call, run of a tool or retrieval whose report or event contains the phrase. A match may come again
    in a later part. `model` limits the search to a model or version, and `after` continues after a row. Raises
    NoMaster, and ValueError for a phrase of fewer than SHORTEST characters.
    """
    wanted = folded(phrase)
    if len(wanted) < SHORTEST:
        raise ValueError(f"a phrase has at least {SHORTEST} characters")
    rows = Interaction.objects.filter(
        initiative_number=initiative, at__gte=since, at__lt=until
    ).select_related("batch")
    if model:
        rows = rows.filter(Q(model=model) | Q(version=model))
    while some := list(_behind(rows, after).order_by("at", "id")[:PART]):
        bodies, _ = reading.bodies_of(some)
        fits = [row for row in some if row.pk in bodies and _says(bodies[row.pk], wanted)]
        after = (some[-1].at, some[-1].pk)
        yield Part(len(some), len(some) - len(bodies), by_call(initiative, fits), after)


def _behind(rows: QuerySet[Interaction], after: tuple[datetime, int] | None) -> QuerySet[Interaction]:
    if after is None:
        return rows
    at, row = after
    return rows.filter(at__gte=at).filter(Q(at__gt=at) | Q(id__gt=row))


def by_call(initiative: int, fits: list[Interaction]) -> list[Interaction]:
    """Return one row for each call: the row of the call itself, if it is kept."""
    by_call: dict[bytes, Interaction] = {}
    for row in fits:
        known = by_call.get(bytes(row.call))
        if known is None or known.kind not in reading.COUNTED:
            by_call[bytes(row.call)] = row
    belonging = [call for call, row in by_call.items() if row.kind not in reading.COUNTED]
    for row in Interaction.objects.filter(
        initiative_number=initiative, call__in=belonging, kind__in=reading.COUNTED
    ).select_related("batch"):
        by_call[bytes(row.call)] = row
    return list(by_call.values())


def _says(body: bytes, wanted: str) -> bool:
    return any(wanted in folded(text) for text in texts_of(json.loads(body)["report"]))


def texts_of(said: Any) -> Iterator[str]:
    """Yield every text in a report, also those in JSON texts such as tool arguments."""
    left = [said]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str):
            yield one
            if one.startswith(("[", "{")):
                try:
                    left.append(json.loads(one))
                except (ValueError, RecursionError):
                    continue  # it only begins like JSON
