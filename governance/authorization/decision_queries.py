"""Queries over the log of decisions, each with a bounded cost.

The log of a busy initiative grows by millions a day, so no query counts it as a whole. A page reads a stretch of the
log and returns how far it read. A figure has the number of decisions that it covers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from governance import clock
from governance.models import Interaction, KeyHeartbeat, OutcomeReport, PolicyDecision
from governance.models.decisions import DEPLOYMENT_CODES
from governance.vocabulary import DecisionOutcome

PAGE = 50
STRETCH = 20_000  # decisions that one page looks through for those that are wanted
MOST_SUBJECTS = 2_000
SIGNAL_DAYS = 30
WEEKS = 4  # whose outcomes are counted
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Newest first, before a place. Conditions with an index are inside, the others filter only that stretch.
_STRETCH = """
SELECT {columns} FROM governance_policydecision
 WHERE initiative_number = %(initiative)s AND (%(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(id)s))
   {inside}
 ORDER BY at DESC, id DESC"""
_PAGE = """
SELECT * FROM ({stretch} LIMIT %(stretch)s) s WHERE true {outside} ORDER BY at DESC, id DESC LIMIT %(most)s"""
# Pipelines that ask before a deployment are not calls of a system.
_CALLS = f"code NOT IN ({', '.join(repr(code) for code in DEPLOYMENT_CODES)})"
_INSIDE = {
    "since": "AND at >= %(since)s",
    "until": "AND at < %(until)s",
    "subject": "AND subject = %(subject)s",
    "key": "AND key_id = %(key)s",
}
_OUTSIDE = {
    "outcome": "AND outcome = %(outcome)s",
    "code": "AND code = %(code)s",
    "action": "AND action = %(action)s",
    "resource": "AND resource = %(resource)s",
    "calls": f"AND {_CALLS}",
    "clause": "AND clauses @> to_jsonb(%(clause)s::integer)",
}
_OUTCOMES = """
SELECT outcome, count(*) FROM (
  SELECT outcome FROM governance_policydecision WHERE initiative_number = %s AND at >= %s ORDER BY at DESC LIMIT %s) s
 GROUP BY outcome"""
_OF_DAY = f"""
SELECT initiative_number, key_id, count(*), count(*) FILTER (WHERE outcome = 'allow') FROM governance_policydecision
 WHERE initiative_number = ANY(%s) AND at >= %s AND at < %s AND key_id IS NOT NULL AND {_CALLS}
 GROUP BY 1, 2 ORDER BY 1, 2"""
_SUBJECTS_TO = f"""
SELECT initiative_number, count(DISTINCT subject) FROM governance_policydecision
 WHERE initiative_number = ANY(%s) AND at >= %s AND at < %s AND key_id IS NOT NULL AND outcome = 'allow' AND {_CALLS}
 GROUP BY 1"""
# The allowed calls in a stretch of one week, their reports (by digest, found by moment), and the acts reported as done
# without a request. One query has all weeks, each by its place.
_REPORTED = """
(WITH asked AS MATERIALIZED (
  SELECT at, digest, outcome FROM governance_policydecision
   WHERE initiative_number = %(initiative)s AND at >= %(since_{week})s
             AND at < %(until_{week})s AND {calls}
   ORDER BY at DESC, id DESC LIMIT %(stretch)s),
told AS MATERIALIZED (
  SELECT decision, bool_or(kind = 'done') AS done, bool_or(kind = 'failed') AS failed,
         bool_or(kind = 'undone') AS undone
    FROM governance_outcomereport
   WHERE initiative_number = %(initiative)s AND decided_at >= (SELECT min(at) FROM asked)
     AND decided_at < %(until_{week})s
   GROUP BY decision)
SELECT {week}, count(*), count(*) FILTER (WHERE a.outcome = 'allow'), count(*) FILTER (WHERE t.done),
       count(*) FILTER (WHERE t.failed), count(*) FILTER (WHERE t.undone),
       (SELECT count(*) FROM (
          SELECT FROM governance_outcomereport
           WHERE initiative_number = %(initiative)s AND decision IS NULL AND at >= %(since_{week})s
             AND at < %(until_{week})s
           LIMIT %(stretch)s) u)
  FROM asked a LEFT JOIN told t ON t.decision = a.digest)"""
# One step of the index for each subject, at any number of requests.
_SUBJECTS = f"""
WITH RECURSIVE found(subject, n) AS (
  (SELECT subject, 1 FROM governance_policydecision WHERE initiative_number = %(initiative)s AND at >= %(since)s
     AND {_CALLS} ORDER BY subject LIMIT 1)
  UNION ALL
  SELECT (SELECT d.subject FROM governance_policydecision d
           WHERE d.initiative_number = %(initiative)s AND d.at >= %(since)s AND d.subject > found.subject
             AND d.{_CALLS}
           ORDER BY d.subject LIMIT 1), n + 1
    FROM found WHERE found.subject IS NOT NULL AND n <= %(most)s
)
SELECT count(subject) FROM found"""


@dataclass(frozen=True)
class Wanted:
    """Conditions on decisions. An empty one does not count. `key` is of a row.

    `calls` is True to leave out the decisions on deployments.
    """

    outcome: str = ""
    code: str = ""
    subject: str = ""
    action: str = ""
    resource: str = ""
    clause: int | None = None
    key: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    calls: bool | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Return the conditions that are set."""
        return {name: value for name, value in vars(self).items() if value not in ("", None)}


@dataclass(frozen=True)
class Place:
    """A place in the log. The older decisions come next."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def of(cls, row: PolicyDecision) -> "Place":
        """Return the place of this decision."""
        return cls(row.at, row.pk)

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Return the place that `str` wrote, or None for any other text."""
        micros, _, key = text.partition("-")
        if not (micros.isascii() and micros.isdecimal() and key.isascii() and key.isdecimal()):
            return None
        if len(micros) > 16 or len(key) > 18:
            return None
        return cls(_EPOCH + timedelta(microseconds=int(micros)), int(key))


@dataclass(frozen=True)
class Page:
    """Decisions, newest first. `more` is the next place, `looked_to` the search's end."""

    rows: list[PolicyDecision]
    more: Place | None = None
    looked_to: datetime | None = None


def page(initiative: int, wanted: Wanted, before: Place | None = None, most: int = PAGE) -> Page:
    """Return a page of the wanted decisions of an initiative (its number)."""
    inside, outside = _conditions(wanted)
    about = {
        "initiative": initiative,
        "at": before.at if before else None,
        "id": before.id if before else None,
        "stretch": STRETCH,
        "most": most + 1,
    } | wanted.given
    stretch = _STRETCH.format(columns="*", inside=inside)
    rows = list(PolicyDecision.objects.raw(_PAGE.format(stretch=stretch, outside=outside), about))
    if len(rows) > most:
        return Page(rows[:most], Place.of(rows[most - 1]))
    end = None
    if outside:
        with connection.cursor() as cursor:
            query = _STRETCH.format(columns="at, id", inside=inside) + " LIMIT 1 OFFSET %(last)s"
            cursor.execute(query, about | {"last": STRETCH - 1})
            end = cursor.fetchone()
    return Page(rows, Place(*end), end[0]) if end else Page(rows)


def _conditions(wanted: Wanted) -> tuple[str, str]:
    given = wanted.given
    inside, outside = (
        " ".join(words for name, words in part.items() if name in given) for part in (_INSIDE, _OUTSIDE)
    )
    return inside, outside


def one(initiative: int, place: Place) -> PolicyDecision | None:
    """Return the decision of an initiative (number) at this place, by its whole key."""
    return PolicyDecision.objects.filter(initiative_number=initiative, at=place.at, pk=place.id).first()


def each(initiative: int, wanted: Wanted, most: int) -> Iterator[PolicyDecision]:
    """Yield up to `most` wanted decisions, newest first, from pages."""
    place, left = None, most
    while left > 0:
        found = page(initiative, wanted, place, min(left, 1000))
        yield from found.rows
        left -= len(found.rows)
        place = found.more
        if place is None:
            return


def outcomes(initiative: int, since: datetime) -> tuple[dict[str, int], bool]:
    """Return the number of decisions since then by outcome, and True if it was cut."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, [initiative, since, STRETCH])
        found = dict(cursor.fetchall())
    return {key: found.get(key, 0) for key in DecisionOutcome}, sum(found.values()) == STRETCH


def subjects(initiative: int, since: datetime) -> int:
    """Return how many subjects asked since then, at most one more than MOST_SUBJECTS."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECTS, {"initiative": initiative, "since": since, "most": MOST_SUBJECTS})
        (count,) = cursor.fetchone()
    return int(count)


# --- A day as it is kept with an initiative
# ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyDay:
    """A key's requests on a day, and how many were allowed. `initiative` is a number."""

    initiative: int
    key: int
    asked: int
    allowed: int


def of_day(initiatives: list[int], day: date) -> list[KeyDay]:
    """Return a row for each key of these initiatives (numbers) that asked on this day."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_DAY, [initiatives, clock.midnight_before(day), clock.midnight_after(day)])
        return [KeyDay(*row) for row in cursor.fetchall()]


def allowed_subjects(initiatives: list[int], day: date) -> dict[int, int]:
    """Return the allowed subjects per initiative in the 30 days that end with `day`."""
    since = clock.midnight_after(day - timedelta(days=SIGNAL_DAYS))
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECTS_TO, [initiatives, since, clock.midnight_after(day)])
        return dict(cursor.fetchall())


# --- What came of decisions -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """A week of calls, outcomes and unasked acts. If `cut`, only the newest count."""

    since: date
    allowed: int
    done: int
    failed: int
    undone: int
    never_asked: int
    cut: bool

    @property
    def never_done(self) -> int:
        """Return the number of allowed calls not reported as done, failed ones included."""
        return self.allowed - self.done


def weeks(initiative: int, now: datetime, count: int = WEEKS) -> list[Week]:
    """Return decision outcomes by week (from Monday) of the decision, newest first."""
    monday = clock.local_day(now) - timedelta(days=clock.local_day(now).weekday())
    mondays = [monday - timedelta(weeks=back) for back in range(count)]
    about: dict[str, Any] = {"initiative": initiative, "stretch": STRETCH}
    for week, day in enumerate(mondays):
        about[f"since_{week}"] = clock.midnight_before(day)
        about[f"until_{week}"] = clock.midnight_before(day + timedelta(weeks=1))
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(_REPORTED.format(week=week, calls=_CALLS) for week in range(count)), about
        )
        found = sorted(cursor.fetchall())
    return [
        Week(mondays[week], allowed, done, failed, undone, never_asked, STRETCH in (asked, never_asked))
        for week, asked, allowed, done, failed, undone, never_asked in found
    ]


def outcomes_of(row: PolicyDecision) -> list[OutcomeReport]:
    """Return the reports on one decision, in the order of their arrival."""
    return list(OutcomeReport.objects.filter(decision=bytes(row.digest)))


def enforced_here(initiative: int, contract: int | None, now: datetime, within: timedelta) -> bool:
    """Return True if a key of the initiative asked or sent a heartbeat before `now`.

    The time limit is `within`. `initiative` is its number, `contract` the key of its contract's row.
    """
    since = now - within
    asked = PolicyDecision.objects.calls().filter(
        initiative_number=initiative, key_id__isnull=False, at__gt=since, at__lte=now
    )
    return (
        asked.exists()
        or KeyHeartbeat.objects.filter(key__contract=contract, at__gt=since, at__lte=now).exists()
    )


def logged_here(initiative: int, now: datetime, within: timedelta) -> bool:
    """Return True if an initiative (number) logged a call in `within` before `now`."""
    calls = Interaction.objects.filter(initiative_number=initiative, at__gt=now - within, at__lte=now)
    return calls.exists()
