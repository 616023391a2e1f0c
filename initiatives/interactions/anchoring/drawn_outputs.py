"""The repeatable draw of a sample, by the checkpoint that seals its request.

Outputs are ordered by SHA-256 over the root of that checkpoint, the reference, the sample and the sealed digest of each
interaction. The first readable ones are taken. The sources of an output are those that the call carries, and those
retrieved in its conversation since the previous call.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection

from governance import clock
from governance.interaction_log import reading
from governance.interaction_log.shape import Kind, Source
from governance.models import Interaction

SPARE = 2  # times as many are drawn, because some can no longer be read
_OUTPUTS = """
WITH told AS (
  SELECT DISTINCT call FROM governance_interaction
   WHERE initiative_number = %(initiative)s AND at >= %(start)s AND at < %(end)s AND kind = 'events' AND has_output
)
SELECT i.id, i.at, count(*) OVER ()
  FROM governance_interaction i LEFT JOIN told ON told.call = i.call
 WHERE i.initiative_number = %(initiative)s AND i.at >= %(start)s AND i.at < %(end)s AND i.kind = 'call'
   AND i.failed IS NOT TRUE AND (i.has_output OR told.call IS NOT NULL)
 ORDER BY sha256(%(seed)s || i.digest), i.id LIMIT %(most)s"""


def seed_of(root: bytes, ref: str, sample: int) -> bytes:
    """Return the prefix of an interaction's digest from which its position is hashed."""
    return "\n".join((root.hex(), ref, str(sample), "")).encode()


def any_output(initiative: int, first: date, last: date) -> bool:
    """Return True if the log of an initiative (number) has an output of these days."""
    return bool(drawn(initiative, first, last, b"", 1)[1])


def drawn(initiative: int, first: date, last: date, seed: bytes, count: int) -> tuple[list[Interaction], int]:
    """Return the first outputs of these days by this seed, with spares, and the total."""
    asked: dict[str, Any] = {
        "initiative": initiative,
        "start": clock.midnight_before(first),
        "end": clock.midnight_after(last),
        "seed": seed,
        "most": SPARE * count,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OUTPUTS, asked)
        places = cursor.fetchall()
    rows = Interaction.objects.filter(
        initiative_number=initiative, at__in={at for _, at, _ in places}, pk__in=[pk for pk, _, _ in places]
    ).select_related("batch")
    by_key = {row.pk: row for row in rows}
    return [by_key[pk] for pk, _, _ in places], places[0][2] if places else 0


def retrieved_for(row: Interaction) -> list[Interaction]:
    """Return the retrievals in the conversation of a call since its previous call."""
    if row.conversation is None:
        return []
    spoken = Interaction.objects.filter(
        initiative_number=row.initiative_number, conversation=row.conversation, at__lte=row.at
    )
    before = spoken.filter(kind=Kind.CALL).exclude(pk=row.pk).order_by("-at", "-pk").first()
    found = spoken.filter(kind=Kind.RETRIEVAL)
    if before is not None:
        found = found.filter(at__gt=before.at)
    return list(found.select_related("batch").order_by("at", "pk"))


def opened(row: Interaction) -> tuple[reading.Opened, list[Source]]:
    """Return the call in clear with the sources it names. Raises NoMaster."""
    call, *rest = reading.opened_of([row, *retrieved_for(row)])
    return call, list(_sources(call, *rest))


def _sources(*parts: reading.Opened) -> Iterator[Source]:
    for part in parts:
        yield from part.report.retrieval if part.report else ()
