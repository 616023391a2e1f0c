"""The figures of the page Flow, each one query over the chosen initiatives.

Moves come from stage changes. Lengths of stays come from the moments between the changes. The days ahead come from the
spans that `supported_stage_rows.rewrite` wrote. No initiative is judged here, so pictures match the initiatives that
they sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, Q, QuerySet

from governance import clock
from governance.models import Rulebook
from governance.vocabulary import RUNNING_STAGES, Layer, Stage
from initiatives.models import Initiative
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.initiative_list.figure_filters import DAYS_AHEAD, MOVES, months_to, weeks_from
from initiatives.portfolio.initiative_list.filters import with_support

FEW = 5  # quartiles of fewer stays than this say nothing of the next one

REPORTED = "reported"

FLOW = """
moves(at, move) AS (
  SELECT c.registered_at, 'registered' FROM initiatives_initiative c JOIN chosen USING (id)
   WHERE c.basis <> 'import'
     AND NOT EXISTS (SELECT FROM initiatives_stagechange s WHERE s.initiative_id = c.id AND s.basis = 'import')
  UNION ALL
  SELECT s.at, CASE s.basis WHEN 'import' THEN 'reported' WHEN 'reopened' THEN 'reopened'
                            WHEN 'step back' THEN 'stepped_back' ELSE s.to_stage END
    FROM initiatives_stagechange s JOIN chosen ON chosen.id = s.initiative_id
)
SELECT to_char(at AT TIME ZONE %s, 'YYYY-MM'), move, count(*) FROM moves WHERE at >= %s AND at <= %s GROUP BY 1, 2
"""
# A stay that an import began is reported: nobody here knows when it began. The moment before an import is none at all.
STAYS = """
moments(initiative_id, stage, at, place, reported, closed_at) AS (
  SELECT c.id, 'proposed', c.registered_at, 0::bigint, c.basis = 'import', c.withdrawn_at
    FROM initiatives_initiative c JOIN chosen USING (id)
   WHERE NOT EXISTS (SELECT FROM initiatives_stagechange s WHERE s.initiative_id = c.id AND s.basis = 'import')
  UNION ALL
  SELECT s.initiative_id, s.to_stage, s.at, s.id, s.basis = 'import', c.withdrawn_at
    FROM initiatives_stagechange s JOIN chosen ON chosen.id = s.initiative_id
    JOIN initiatives_initiative c ON c.id = s.initiative_id
), stays AS (
  SELECT stage, reported, at, coalesce(lead(at) OVER (PARTITION BY initiative_id ORDER BY place), closed_at) AS ended_at
    FROM moments
)
SELECT stage, ended_at IS NOT NULL, reported, count(*),
       percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP
         (ORDER BY extract(epoch FROM coalesce(ended_at, %s) - at) / 86400)
  FROM stays WHERE stage = ANY(%s) GROUP BY 1, 2, 3
"""
# The spans that hold from now on, each beside the one before it. What is closed has nothing that could age.
AHEAD = """
ahead AS (
  SELECT s.initiative_id, s.from_at, s.next_expiry_on, s.unsupported_stages, gaps.open,
         lag(s.unsupported_stages) OVER w AS unsupported_before, lag(gaps.open) OVER w AS open_before
    FROM initiatives_supportedstageperiod s
    JOIN chosen ON chosen.id = s.initiative_id
    JOIN initiatives_supportedstage stored
      ON stored.initiative_id = s.initiative_id AND stored.computed_at >= %(published)s
    JOIN initiatives_initiative c ON c.id = s.initiative_id AND c.stage = ANY(%(running)s) AND c.withdrawn_at IS NULL
    CROSS JOIN LATERAL (SELECT coalesce(sum(value::int), 0) AS open FROM jsonb_each_text(s.gaps)) gaps
   WHERE (s.until_at IS NULL OR s.until_at > %(now)s) AND s.from_at < %(end)s
  WINDOW w AS (PARTITION BY s.initiative_id ORDER BY s.from_at)
), events AS (
  SELECT initiative_id, next_expiry_on AS day, 1 AS ageing, 0 AS opening, 0 AS falling FROM ahead
   WHERE next_expiry_on > %(today)s AND next_expiry_on <= %(last)s
  UNION ALL
  SELECT initiative_id, (from_at AT TIME ZONE %(zone)s)::date, 0, greatest(0, open - open_before),
         (unsupported_stages > unsupported_before)::int
    FROM ahead WHERE from_at > %(now)s AND open_before IS NOT NULL
)
SELECT (day - %(today)s - 1) / 7, count(DISTINCT initiative_id) FILTER (WHERE ageing = 1), sum(opening),
       count(DISTINCT initiative_id) FILTER (WHERE falling = 1)
  FROM events WHERE day > %(today)s GROUP BY 1
"""
GAPS = """
open AS (
  SELECT s.initiative_id, gap.key AS layer, gap.value::int AS gaps
    FROM initiatives_supportedstageperiod s
    JOIN chosen ON chosen.id = s.initiative_id
    JOIN initiatives_supportedstage stored ON stored.initiative_id = s.initiative_id AND stored.computed_at >= %s
    CROSS JOIN LATERAL jsonb_each_text(s.gaps) gap
   WHERE s.from_at <= %s AND (s.until_at IS NULL OR s.until_at > %s) AND gap.value::int > 0
)
SELECT layer, sum(gaps), count(DISTINCT initiative_id) FROM open GROUP BY 1
"""


@dataclass(frozen=True)
class Flow:
    """Moves in each recent month: `counts` by kind, and `reported` from imports."""

    months: tuple[date, ...]
    counts: dict[str, tuple[int, ...]]
    reported: tuple[int, ...]


@dataclass(frozen=True)
class Stay:
    """The days that initiatives stay in a stage, if they left it (`ended`) or not."""

    stage: str
    ended: bool
    count: int
    lower: float
    median: float
    upper: float

    @property
    def few(self) -> bool:
        """Return True if too few initiatives make quartiles meaningful."""
        return self.count < FEW


@dataclass(frozen=True)
class Stays:
    """Stays by stage. `reported` counts those with an unknown start, from an import."""

    rows: tuple[Stay, ...]
    reported: int


@dataclass(frozen=True)
class Week:
    """The evidence that expires from `first` to `last` without action.

    `ageing` counts initiatives with expiring evidence and `opening` the gaps that open. `falling` counts approved
    stages that lose support.
    """

    first: date
    last: date
    ageing: int
    opening: int
    falling: int


@dataclass(frozen=True)
class LayerGaps:
    """The open requirements of a layer up to the approved stage, and the initiatives."""

    layer: str
    gaps: int
    initiatives: int


@dataclass(frozen=True)
class OfStage:
    """The initiatives with an approved stage, and the number without support."""

    stage: str
    initiatives: int
    short: int

    @property
    def supported(self) -> int:
        """Return the number of initiatives that evidence supports."""
        return self.initiatives - self.short


@dataclass
class Spend:
    """Money spent on initiatives of a stage in a currency. `short` is the unsupported part."""

    stage: str
    currency: str
    money: Decimal = Decimal(0)
    initiatives: int = 0
    short: Decimal = Decimal(0)
    short_initiatives: int = 0


def flow(initiatives: QuerySet, now: datetime) -> Flow:
    """Return the moves of this and eleven earlier months, in the configured time zone."""
    months = months_to(clock.local_day(now))
    begin = clock.midnight_before(months[0])
    found: dict[str, dict[str, int]] = {}
    for month, move, count in _asked(initiatives, FLOW, [settings.TIME_ZONE, begin, now]):
        found.setdefault(move, {})[month] = count

    def row(move: str) -> tuple[int, ...]:
        return tuple(found.get(move, {}).get(f"{month:%Y-%m}", 0) for month in months)

    return Flow(months, {move: row(move) for move in MOVES}, row(REPORTED))


def stays(initiatives: QuerySet, now: datetime) -> Stays:
    """Return the quartiles of days in each stage that initiatives can still leave."""
    rows, reported = {}, 0
    for stage, ended, unknown, count, quartiles in _asked(initiatives, STAYS, [now, list(RUNNING_STAGES)]):
        if unknown:
            reported += count
        else:
            rows[stage, ended] = Stay(stage, ended, count, *(float(value) for value in quartiles))
    ordered = (rows.get((stage, ended)) for stage in RUNNING_STAGES for ended in (True, False))
    return Stays(tuple(row for row in ordered if row), reported)


def ageing(initiatives: QuerySet, rulebook: Rulebook | None, now: datetime) -> tuple[Week, ...]:
    """Return the next ninety days by week from tomorrow on. The last week has six days."""
    today = clock.local_day(now)
    last = today + timedelta(days=DAYS_AHEAD)
    values = {
        "published": rulebook.published_at if rulebook else None,
        "running": list(RUNNING_STAGES),
        "now": now,
        "today": today,
        "last": last,
        "end": clock.midnight_after(last),
        "zone": settings.TIME_ZONE,
    }
    found = {week: counts for week, *counts in _asked(initiatives, AHEAD, values)}
    weeks = []
    for place, (first, until) in enumerate(weeks_from(today)):
        ageing, opening, falling = found.get(place, (0, 0, 0))
        weeks.append(Week(first, until, ageing, int(opening), falling))
    return tuple(weeks)


def gaps(initiatives: QuerySet, rulebook: Rulebook | None, now: datetime) -> tuple[LayerGaps, ...]:
    """Return the open requirements by layer, in stack order. Extra layers of a rulebook are last."""
    found = {
        layer: LayerGaps(layer, int(count), of)
        for layer, count, of in _asked(
            initiatives, GAPS, [rulebook.published_at if rulebook else None, now, now]
        )
    }
    return tuple(
        found.get(layer) or LayerGaps(layer, 0, 0) for layer in dict.fromkeys([*Layer, *sorted(found)])
    )


def by_stage(initiatives: QuerySet, rulebook: Rulebook | None, now: datetime) -> tuple[OfStage, ...]:
    """Return running initiatives by approved stage, without ideas, and the short ones."""
    known = with_support(initiatives, rulebook, now).order_by().values_list("stage")
    counted = known.annotate(all=Count("pk"), short=Count("pk", filter=Q(unsupported_stages__gt=0)))
    found = {stage: OfStage(stage, *counts) for stage, *counts in counted}
    return tuple(found.get(stage) or OfStage(stage, 0, 0) for stage in RUNNING_STAGES[1:])


def spend(initiatives: QuerySet, rulebook: Rulebook | None, now: datetime) -> tuple[Spend, ...]:
    """Return money spent by approved stage and currency, the most used currency first."""
    sums, found = queries.spent(initiatives.order_by().values("pk")), {}
    known = with_support(Initiative.objects.filter(pk__in=sums), rulebook, now)
    for pk, stage, unsupported in known.values_list("pk", "stage", "unsupported_stages"):
        for currency, (amount, _) in sums[pk].items():
            row = found.setdefault((stage, currency), Spend(stage, currency))
            row.money, row.initiatives = row.money + amount, row.initiatives + 1
            if unsupported:
                row.short, row.short_initiatives = row.short + amount, row.short_initiatives + 1
    rows = list(found.values())
    most: dict[str, int] = {}
    for row in rows:
        most[row.currency] = most.get(row.currency, 0) + row.initiatives
    stages = list(Stage)
    return tuple(
        sorted(rows, key=lambda row: (-most[row.currency], row.currency, stages.index(Stage(row.stage))))
    )


def _asked(initiatives: QuerySet, question: str, values: Sequence | dict) -> list[tuple]:
    """Return the rows of a question about the initiatives. Its SQL names them `chosen`."""
    try:
        chosen, keys = initiatives.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        chosen, keys = "SELECT NULL::bigint WHERE FALSE", ()
    with connection.cursor() as cursor:
        chosen = cursor.mogrify(chosen, keys).replace("%", "%%")
        cursor.execute(f"WITH chosen(id) AS MATERIALIZED ({chosen}), {question}", values)
        return cursor.fetchall()
