"""Figures on the calls of a day: outcomes, sources, times, persons.

SQL counts them from clear columns of sealed rows. No text is decrypted.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from governance import clock

SPAN = 28  # days, the counted one among them, over which persons are told apart: four weeks, as shares are measured
# An answer belongs to what was retrieved in its conversation (or trace) since the call before it.
_FIGURES = """
WITH told AS (
  SELECT DISTINCT call FROM governance_interaction
   WHERE initiative_number = %(initiative)s AND at >= %(start)s AND at < %(end)s AND kind = 'events' AND has_output
), said AS (
  SELECT i.kind, i.failed, i.subject, i.has_source, i.sampled, i.has_output OR told.call IS NOT NULL AS answers,
         coalesce(i.conversation, i.call) AS within,
         count(*) FILTER (WHERE i.kind = 'call') OVER (
           PARTITION BY coalesce(i.conversation, i.call) ORDER BY i.at, i.id
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM governance_interaction i LEFT JOIN told ON told.call = i.call
   WHERE i.initiative_number = %(initiative)s AND i.at >= %(start)s AND i.at < %(end)s
     AND i.kind IN ('call', 'retrieval')
), turns AS (
  SELECT said.*, bool_or(has_source) OVER (PARTITION BY within, before) AS sourced FROM said
)
SELECT count(*) FILTER (WHERE failed IS NOT NULL),
       count(*) FILTER (WHERE failed),
       count(*) FILTER (WHERE NOT failed AND answers AND has_source IS NOT NULL),
       count(*) FILTER (WHERE NOT failed AND answers AND has_source IS NOT NULL AND sourced),
       count(*) FILTER (WHERE subject IS NOT NULL),
       coalesce(bool_or(sampled < 1), false)
  FROM turns WHERE kind = 'call'"""
# Eight buckets for each doubling: the upper end of one is at most 9.1 % above what is in it (`edge_of`).
_DURATIONS = """
SELECT CASE WHEN milliseconds <= 1 THEN 0 ELSE ceil(round(8 * log(2, milliseconds::numeric), 9))::integer END, count(*)
  FROM governance_interaction
 WHERE initiative_number = %(initiative)s AND at >= %(start)s AND at < %(end)s AND kind = 'call' AND NOT failed
   AND milliseconds IS NOT NULL
 GROUP BY 1 ORDER BY 1"""
_SUBJECTS = """
SELECT count(DISTINCT subject) FROM governance_interaction
 WHERE initiative_number = %(initiative)s AND at >= %(start)s AND at < %(end)s AND subject IS NOT NULL"""


@dataclass(frozen=True)
class CallFigures:
    """The figures of a day's calls as `ReconciledDay` keeps them. `durations`: calls by bucket."""

    tried: int = 0
    failed: int = 0
    outputs: int = 0
    sourced: int = 0
    named: int = 0
    sampling: bool = False
    durations: dict[str, int] = field(default_factory=dict)
    subjects: int | None = None


def edge_of(bucket: int) -> float:
    """Return the longest duration in this bucket, in milliseconds."""
    return 2 ** (bucket / 8)


def of_day(initiative: int, day: date, *, over: bool) -> CallFigures:
    """Return the figures of an initiative (number) and a local day. Persons count once it is `over`."""
    inside: dict[str, Any] = {
        "initiative": initiative,
        "start": clock.midnight_before(day),
        "end": clock.midnight_after(day),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, inside)
        tried, failed, outputs, sourced, named, sampling = cursor.fetchone()
        cursor.execute(_DURATIONS, inside)
        durations = {str(bucket): count for bucket, count in cursor.fetchall()}
    people = subjects_to(initiative, day) if over else None
    return CallFigures(tried, failed, outputs, sourced, named, sampling, durations, people)


def subjects_to(initiative: int, day: date) -> int:
    """Return the number of pseudonyms in the log of the four weeks to this day."""
    start = clock.midnight_before(day - timedelta(days=SPAN - 1))
    with connection.cursor() as cursor:
        cursor.execute(
            _SUBJECTS, {"initiative": initiative, "start": start, "end": clock.midnight_after(day)}
        )
        return cursor.fetchone()[0]
