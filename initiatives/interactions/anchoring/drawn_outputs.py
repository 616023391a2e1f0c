"""Which outputs a sample draws: by the checkpoint that seals its asking, so that nobody chooses, and anybody repeats.

Ordered by SHA-256 over the root of that checkpoint, the reference, the sample and the sealed digest of each
interaction; the first that can be read are taken. What an output names as its sources is what the call itself carries,
and what was retrieved in its conversation since the call before.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection

from governance import clock
from governance.interaction_log import reading
from governance.interaction_log.shape import Kind, Source
from governance.models import Interaction

SPARE = 2  # times as many are looked at, for those that cannot be read any more
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
    """What is put before the digest of an interaction to give its place."""
    return "\n".join((root.hex(), ref, str(sample), "")).encode()


def any_output(initiative: int, first: date, last: date) -> bool:
    """Whether the log of an initiative (its number) has an output of these days."""
    return bool(drawn(initiative, first, last, b"", 1)[1])


def drawn(initiative: int, first: date, last: date, seed: bytes, count: int) -> tuple[list[Interaction], int]:
    """The first outputs of these days in the order of this seed, twice as many as wanted, and among how many."""
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
    """What was retrieved in the conversation of a call since the call before it."""
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
    """The call in clear, with what it names as its sources. Raises NoMaster."""
    call, *rest = reading.opened_of([row, *retrieved_for(row)])
    return call, list(_sources(call, *rest))


def _sources(*parts: reading.Opened) -> Iterator[Source]:
    for part in parts:
        yield from part.report.retrieval if part.report else ()
