"""Progress that people outside the team would notice (S1-8.2, S1-15).

Stages, reviews, evidence, drills, resolved conflicts, answers of owners, closed gaps and lifted holds are visible.
Hours, money and waiting are not. One query reads it for any number of initiatives.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import connection

from governance import clock

SEEN = {
    "stage": "its stage changed",
    "review": "a review was opened",
    "decided": "a review was decided",
    "contract": "a contract came into force",
    "evidence": "evidence was added",
    "drill": "a drill was recorded",
    "conflict": "a conflict of definitions was resolved",
    "answer": "an owner of a system answered",
    "gap": "a gap was closed",
    "hold": "a hold was lifted",
    "event": "an event was recorded",
}
MOVES = """
SELECT initiative_id, at, 'stage' FROM initiatives_stagechange WHERE initiative_id = ANY(%(keys)s)
UNION ALL
SELECT initiative_id, opened_at, 'review' FROM initiatives_review WHERE initiative_id = ANY(%(keys)s)
UNION ALL
SELECT initiative_id, ended_at, 'decided' FROM initiatives_review
 WHERE initiative_id = ANY(%(keys)s) AND ended_at IS NOT NULL
UNION ALL
SELECT c.id, v.starts_at, 'contract' FROM initiatives_initiative c
  JOIN governance_contractversion v ON v.contract_id = c.contract_id
 WHERE c.id = ANY(%(keys)s) AND v.starts_at IS NOT NULL
UNION ALL
SELECT initiative_id, added_at, 'evidence' FROM initiatives_evidence
 WHERE initiative_id = ANY(%(keys)s) AND NOT generated
UNION ALL
SELECT initiative_id, at, 'drill' FROM initiatives_drill
 WHERE initiative_id = ANY(%(keys)s) AND withdrawn_at IS NULL
UNION ALL
SELECT initiative_id, decided_at, 'conflict' FROM initiatives_definitionconflict
 WHERE initiative_id = ANY(%(keys)s) AND decided_at IS NOT NULL
UNION ALL
SELECT l.initiative_id, a.at, 'answer' FROM initiatives_link l JOIN initiatives_linkanswer a ON a.link_id = l.id
 WHERE l.initiative_id = ANY(%(keys)s)
UNION ALL
SELECT initiative_id, closed_at, 'gap' FROM initiatives_gap
 WHERE initiative_id = ANY(%(keys)s) AND closed_at IS NOT NULL
UNION ALL
SELECT initiative_id, lifted_at, 'hold' FROM initiatives_hold
 WHERE initiative_id = ANY(%(keys)s) AND lifted_at IS NOT NULL
UNION ALL
SELECT initiative_id, happened_on::timestamp AT TIME ZONE %(zone)s, 'event' FROM initiatives_event
 WHERE initiative_id = ANY(%(keys)s) AND withdrawn_at IS NULL AND kind IN ('demo', 'announcement')
"""
NEWEST = f"""
SELECT DISTINCT ON (initiative_id) initiative_id, at, kind FROM ({MOVES}) moves (initiative_id, at, kind)
 WHERE at <= %(now)s ORDER BY initiative_id, at DESC, kind
"""
BY_DAY = f"""
SELECT DISTINCT (at AT TIME ZONE %(zone)s)::date AS day, kind FROM ({MOVES}) moves (initiative_id, at, kind)
 WHERE at <= %(now)s ORDER BY day DESC, kind
"""
# What was shown, and what the integration did since: of each the newest day, in one query.
DEMO = """
SELECT greatest(
    (SELECT max(happened_on) FROM initiatives_event
      WHERE initiative_id = %(key)s AND kind = 'demo' AND withdrawn_at IS NULL AND happened_on <= %(today)s),
    (SELECT max(e.observed_on) FROM initiatives_evidence e
      WHERE e.initiative_id = %(key)s AND e.withdrawn_at IS NULL AND NOT e.generated AND EXISTS (
        SELECT FROM initiatives_coverage c WHERE c.evidence_id = e.id
           AND (c.requirement LIKE 'proto.%%' OR c.requirement = 'mvp.possibility')))
  ),
  greatest(
    (SELECT max((history_date AT TIME ZONE %(zone)s)::date) FROM initiatives_historicallink
      WHERE initiative_id = %(key)s),
    (SELECT max(least(week + 6, (at AT TIME ZONE %(zone)s)::date)) FROM initiatives_effort
      WHERE initiative_id = %(key)s AND layer = 'integration' AND withdrawn_at IS NULL
        AND (hours > 0 OR money > 0)),
    (SELECT max((greatest(d.at, d.withdrawn_at) AT TIME ZONE %(zone)s)::date) FROM initiatives_termdefinition d
      WHERE EXISTS (SELECT FROM initiatives_link l
                     WHERE l.initiative_id = %(key)s AND l.system_id = d.system_id AND l.ended_at IS NULL)
        AND EXISTS (SELECT FROM initiatives_termuse u
                     WHERE u.initiative_id = %(key)s AND u.term_id = d.term_id AND u.ended_at IS NULL))
  )
"""


@dataclass(frozen=True)
class Move:
    """The last event of an initiative that someone outside its team would notice."""

    at: datetime
    kind: str

    @property
    def words(self) -> str:
        """Return the event as a part of a sentence."""
        return SEEN[self.kind]


@dataclass(frozen=True)
class Outgrown:
    """The days of a demo and of the newer integration work that it does not show."""

    demo: date
    work: date


def _asked(question: str, **values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(question, {"zone": settings.TIME_ZONE, "now": clock.now()} | values)
        return cursor.fetchall()


def newest(keys: Iterable[int]) -> dict[int, Move]:
    """Return the last visible event by initiative. An initiative without one is not in the result."""
    return {key: Move(at, kind) for key, at, kind in _asked(NEWEST, keys=list(keys))}


def by_day(key: int) -> list[tuple[date, str]]:
    """Return every local day with a visible event and its kind, newest first."""
    return _asked(BY_DAY, keys=[key])


def outgrown(key: int) -> Outgrown | None:
    """Return both days if the demo is older than the integration work (S1-15).

    The evidence is that of the prototype's questions. Integration work is a link begun, changed or ended, hours or
    money noted in that layer, or a definition, written or withdrawn, that the initiative uses. Otherwise the result
    is None.
    """
    ((demo, work),) = _asked(DEMO, key=key, today=clock.today())
    return Outgrown(demo, work) if demo and work and work > demo else None
