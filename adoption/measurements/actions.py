"""The acts on measurements, which are kept once, in any order, and corrected by further rows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from django.core.exceptions import ValidationError
from django.db import connection

from adoption.measurements.batch_digest import sealed
from adoption.measurements.measurement_validation import (
    CORRECTED,
    DIFFERS,
    EARLIEST,
    KNOWN,
    MOST_KEY,
    NEW,
    WRONG,
    Asked,
    CoveredDays,
    Fate,
    Sent,
    unreadable,
    wrong_with,
)
from adoption.measures import behaviour_detection
from adoption.measures import permissions as measure_permissions
from adoption.measures import queries as measure_queries
from adoption.measures.actions import complete_silence
from adoption.measures.evaluation import once
from adoption.models import Measure, Measurement
from adoption.models.instruments import MEAN, TIMES, USERS
from adoption.models.measures import CAME, SENT, SURVEY
from adoption.reports.actions import follow_figures
from governance import clock
from governance.audit_log import entries
from governance.database import prepared_statements
from governance.models import ServiceKey, User
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

MOST_AT_ONCE = 10_000
SAME_PEOPLE = (
    "These people count as the same people as in the earlier measurements.",
    "State “others” if nobody of them was measured before.",
)
ONLY_BY_SURVEY = (
    "Only surveys record this measure. No one can enter measurements of it.",
    "Close a survey that asks how much effort the work takes.",
)


def record_measurements(
    *,
    initiative: Initiative | int,
    sent: list[Sent],
    came: str,
    source: str = "",
    key: ServiceKey | None = None,
    by: User | None = None,
) -> list[Fate]:
    """Keep measurements of an initiative's measures in one act.

    Returns the result of each, in their order. A measurement with a known key is kept once. One that names the key of
    another in `replaces` corrects it. A faulty measurement does not block the others. Give `by`, or the `key` of the
    system that sends. Raises Refused if the person does not work on the initiative, ValidationError for more than
    MOST_AT_ONCE.
    """
    if (by is None) == (key is None) or came not in CAME or (came == SENT) != (key is not None):
        raise TypeError("Measurements come from a person or by a key.")
    if len(sent) > MOST_AT_ONCE:
        raise ValidationError(
            phrase("You sent {} measurements. Send at most {} at once.", len(sent), MOST_AT_ONCE)
        )
    system = f"measurements by key {key.public}" if key is not None else ""
    with act("record measurements", by=by, system=system, initiative=initiative) as initiative:
        if by is not None:
            measure_permissions.may_read(initiative, by).or_refuse()
        asked = measures_asked(initiative, {one.measure for one in sent})
        fates, rows = _sort_out(sent, asked, came, source, key, by)
        if rows:
            again = _again_the_same_people(rows, asked)
            _keep(initiative, rows, source, by)
            for place, row in rows:
                fates[place] = _good(row, again)
    return [fate for fate in fates if fate is not None]


def look_at_measurements(
    *, initiative: Initiative, sent: list[Sent], came: str, source: str = "", by: User
) -> list[Fate]:
    """Return the results that these measurements would have, without keeping them. Raises Refused."""
    measure_permissions.may_read(initiative, by).or_refuse()
    asked = measures_asked(initiative, {one.measure for one in sent})
    fates, rows = _sort_out(sent, asked, came, source, None, by)
    again = _again_the_same_people(rows, asked)
    for place, row in rows:
        fates[place] = _good(row, again)
    return [fate for fate in fates if fate is not None]


def measures_asked(initiative: Initiative, keys: Iterable[int] | None = None) -> dict[int, Asked]:
    """Return the measures of an initiative, also ended ones, as senders need them. All, or those with these keys."""
    rows = Measure.objects.filter(initiative=initiative)
    if keys is not None:
        rows = rows.filter(pk__in=keys)
    rows = list(rows)
    scope = measure_queries.scopes_now([initiative.pk]).get(initiative.pk) if rows else None
    found = {}
    for row in rows:
        teams = measure_queries.teams_of(row, scope)
        found[row.pk] = Asked(
            row.pk,
            row.instrument,
            row.words,
            row.how.share,
            row.how.weekly,
            teams,
            row.ended_at is not None,
            {name.casefold(): name for name in teams},
            bool(row.how.asked_by),
            row.how.kind == MEAN and bool(TIMES.match(row.unit)),
            row.how.counts_users,
        )
    return found


def _sort_out(sent, asked, came, source, key, by) -> tuple[list[Fate | None], list[tuple[int, Measurement]]]:
    """Return the result of each, as far as known before keeping, and the rows to keep. Rows have their places."""
    today, now = clock.today(), clock.now()
    wanted = {name for one in sent if not unreadable(one) for name in (one.key, one.replaces) if name}
    kept = {
        (row.measure_id, row.key): row
        for row in Measurement.objects.filter(
            measure__in=list(asked), key__in=[name for name in wanted if len(name) <= MOST_KEY]
        ).select_related("replaced_by")
    }
    replaced = {place for place, row in kept.items() if hasattr(row, "replaced_by")}
    covered = _covered(sent, list(asked)) if came != SURVEY else None
    fates: list[Fate | None] = []
    rows: list[tuple[int, Measurement]] = []
    for place, one in enumerate(sent):
        measure = asked.get(one.measure)
        if measure is None:
            fates.append(
                Fate(WRONG, "This initiative does not have this measure.", "Name one of its measures.")
            )
            continue
        if found := unreadable(one):
            fates.append(found)
            continue
        if one.n == 0 and (old := kept.get((one.measure, one.replaces))) is not None:
            one = _withdrawal(one, old)
        known = kept.get((one.measure, one.key))
        team = measure.team(one.team) if one.n else one.team
        if known is not None and (known.team.casefold() == (team or one.team).casefold()):
            one = Sent(**{**vars(one), "team": known.team})
        if known is not None:
            fates.append(_again(one, known))
            continue
        if measure.by_survey and came != SURVEY:
            fates.append(Fate(WRONG, *ONLY_BY_SURVEY))
            continue
        if found := wrong_with(one, measure, today):
            fates.append(found)
            continue
        row = Measurement(
            measure_id=one.measure,
            key=one.key,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            team=team or "",
            about=one.about,
            hits=one.hits,
            value=None if one.value is None else float(one.value),
            sd=None if one.sd is None else float(one.sd),
            n=one.n,
            came=came,
            source=source[:200],
            by=by,
            service_key=key,
            others=one.others,
            reason=one.reason.strip()[:250],
            at=now,
        )
        if one.replaces:
            of = (one.measure, one.replaces)
            old = kept.get(of)
            if old is None:
                fates.append(
                    Fate(
                        WRONG,
                        f"No measurement has the key {one.replaces[:60]!r}, so it cannot be corrected.",
                        "Send that measurement first, or leave out the field “replaces”.",
                    )
                )
                continue
            if of in replaced:
                fates.append(
                    Fate(
                        WRONG,
                        "The measurement with this key was corrected already.",
                        "Enter the key of the newest correction in the field “replaces”.",
                    )
                )
                continue
            row.replaces = old
        if covered is not None:
            # What one survey asked never counts for another, so only the days of other measurements are compared.
            if row.replaces is not None:
                covered.drop(row.replaces)
            if row.n and (found := covered.counted_twice(row)):
                if row.replaces is not None:
                    covered.add(row.replaces)
                fates.append(found)
                continue
            covered.add(row)
        if row.replaces is not None:
            replaced.add((one.measure, one.replaces))
        kept[one.measure, one.key] = row
        rows.append((place, row))
        fates.append(None)
    return fates, rows


def _withdrawal(one: Sent, old: Measurement) -> Sent:
    """Return the measurement that takes another one back: of the same days and people, without a figure."""
    figures = {name: None if getattr(old, name) is None else 0 for name in ("hits", "value", "sd")}
    same = {name: getattr(old, name) for name in ("starts_on", "ends_on", "team", "about", "others")}
    return replace(one, **same, **figures)


def _covered(sent: list[Sent], measures: list[int]) -> CoveredDays:
    """Return the days near those sent that the current measurements cover."""
    covered = CoveredDays()
    if sent:
        first = max(EARLIEST, min(one.starts_on for one in sent))
        last = min(clock.today(), max(one.ends_on for one in sent))
        rows = Measurement.objects.filter(
            measure__in=measures, ends_on__gte=first, starts_on__lte=last, n__gt=0, replaced_by=None
        )
        for row in rows.only("measure", "about", "team", "starts_on", "ends_on", "n", "key"):
            covered.add(row)
    return covered


def _again(one: Sent, known: Measurement) -> Fate:
    if one.same_as(known):
        return Fate(KNOWN, "This measurement exists already.", "", known.pk)
    return Fate(
        DIFFERS,
        "Another measurement with this key has different values.",
        "Send the correction with a new key, and this key in the field “replaces”.",
        known.pk,
    )


def _good(row: Measurement, again: set[tuple]) -> Fate:
    """Return the result of a measurement that is kept, with a remark if it counts people again."""
    remark = SAME_PEOPLE if (row.measure_id, row.key) in again else ("", "")
    return Fate(NEW if row.replaces is None else CORRECTED, *remark, row.pk)


def _again_the_same_people(rows: list[tuple[int, Measurement]], asked: dict[int, Asked]) -> set[tuple]:
    """Return the measures and keys of new measurements whose people count as those that were measured before."""
    people = [row for _, row in rows if asked[row.measure_id].people and row.n and not row.others]
    before = Measurement.objects.filter(measure__in={row.measure_id for row in people}, n__gt=0)
    known = {
        (measure, team.casefold())
        for measure, team in (before.values_list("measure", "team").distinct() if people else ())
    }
    again = set()
    for row in people:
        place = row.measure_id, row.team.casefold()
        if row.replaces is None and place in known:
            again.add((row.measure_id, row.key))
        known.add(place)
    return again


def _keep(initiative: Initiative, rows: list[tuple[int, Measurement]], source: str, by: User | None) -> None:
    """Write the rows, add them up, and update the initiative, in the running act."""
    first = [row for _, row in rows if row.replaces is None]
    later = [row for _, row in rows if row.replaces is not None]
    _insert(first)
    waiting = later
    while waiting:  # a correction of a correction that came along waits for it
        ready = [row for row in waiting if row.replaces.pk is not None]
        for row in ready:
            row.replaces_id = row.replaces.pk
        _insert(ready)
        waiting = [row for row in waiting if row.pk is None]
    _add_up(first)
    if later:
        _add_up_anew({_cell(one) for row in later for one in (row, row.replaces)})
    measures = sorted({row.measure_id for _, row in rows})
    entries.record(
        EntryKind.MEASUREMENTS_RECORDED,
        initiative=initiative,
        measures=measures,
        new=len(first),
        corrected=len(later),
        since=min(row.starts_on for _, row in rows),
        until=max(row.ends_on for _, row in rows),
        source=source[:200],
        came=rows[0][1].came,
        **sealed(row for _, row in rows),
    )
    complete_silence(initiative, measures, "A measurement came.", by)
    if Measure.objects.filter(pk__in=measures, instrument__in=behaviour_detection.READ).exists():
        follow_figures(
            initiative, behaviour_detection.found(behaviour_detection.of_measurements(_of_use(initiative)))
        )
    else:
        follow([initiative])


def _of_use(initiative: Initiative) -> list[tuple[str, str, date, int, int]]:
    """Return the sums of use and overrides by real users, for behaviour reports."""
    return [
        (measure.instrument, cell.team, cell.day, cell.hits, cell.n)
        for measure, subject in measure_queries.subjects([initiative.pk])[initiative.pk]
        if measure.instrument in behaviour_detection.READ
        for cell in once(measure.how, (cell for cell in subject.cells if cell.about == USERS))
    ]


def _cell(row: Measurement) -> tuple[int, date, str, str]:
    return row.measure_id, row.ends_on, row.team, row.about


# Column and type of what a measurement holds, for one statement that takes them as lists: ten times as fast as rows.
_COLUMNS = {
    "measure_id": "bigint",
    "key": "text",
    "starts_on": "date",
    "ends_on": "date",
    "team": "text",
    "about": "text",
    "hits": "bigint",
    "value": "float8",
    "sd": "float8",
    "n": "bigint",
    "others": "boolean",
    "came": "text",
    "source": "text",
    "by_id": "bigint",
    "service_key_id": "bigint",
    "replaces_id": "bigint",
    "reason": "text",
    "at": "timestamptz",
}
_INSERT = f"""
INSERT INTO adoption_measurement ({", ".join(_COLUMNS)})
SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())})
RETURNING measure_id, key, id
"""


def _insert(rows: list[Measurement]) -> None:
    """Insert rows as they are, and give them their keys."""
    if not rows:
        return
    with prepared_statements.cursor() as cursor:
        cursor.execute(_INSERT, [[getattr(row, name) for row in rows] for name in _COLUMNS])
        made = {(measure, key): pk for measure, key, pk in cursor.fetchall()}
    for row in rows:
        row.pk = made[row.measure_id, row.key]


_ADD = """
INSERT INTO adoption_tally AS t (measure_id, day, team, about, since, measurements, hits, n, total, squares, heard_at)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::text[], %s::text[], %s::date[], %s::int[], %s::bigint[],
                     %s::bigint[], %s::float8[], %s::float8[], %s::timestamptz[])
    ON CONFLICT (measure_id, day, team, about) DO UPDATE
   SET since = least(t.since, excluded.since), measurements = t.measurements + excluded.measurements,
       hits = t.hits + excluded.hits, n = t.n + excluded.n, total = t.total + excluded.total,
       squares = t.squares + excluded.squares, heard_at = greatest(t.heard_at, excluded.heard_at)
"""
_FORGET = """
DELETE FROM adoption_tally t USING unnest(%s::bigint[], %s::date[], %s::text[], %s::text[]) w(measure, day, team, about)
 WHERE (t.measure_id, t.day, t.team, t.about) = (w.measure, w.day, w.team, w.about)
"""
_ENTER = (
    "INSERT INTO adoption_tally (measure_id, day, team, about, since, "
    "measurements, hits, n, total, squares, heard_at)"
)
SUMS = """
SELECT r.measure_id, r.ends_on, r.team, r.about, min(r.starts_on), count(*), coalesce(sum(r.hits), 0), sum(r.n),
       coalesce(sum(r.n * r.value), 0), coalesce(sum((r.n - 1) * r.sd * r.sd + r.n * r.value * r.value), 0),
       max(r.at)
  FROM adoption_measurement r
 WHERE r.n > 0 AND NOT EXISTS (SELECT 1 FROM adoption_measurement c WHERE c.replaces_id = r.id) {which}
 GROUP BY 1, 2, 3, 4
"""
_ANEW = _ENTER + SUMS.format(
    which="AND (r.measure_id, r.ends_on, r.team, r.about) IN (SELECT * FROM"
    " unnest(%s::bigint[], %s::date[], %s::text[], %s::text[]))"
)


def _add_up(rows: list[Measurement]) -> None:
    """Add new measurements to the tallies of their days."""
    cells: dict[tuple, list] = {}
    for row in rows:
        value, sd = row.value or 0.0, row.sd or 0.0
        added = (
            1,
            row.hits or 0,
            row.n,
            row.n * value,
            (row.n - 1) * sd * sd + row.n * value * value,
        )
        cell = cells.get(_cell(row))
        if cell is None:
            cells[_cell(row)] = [row.starts_on, *added, row.at]
        else:
            cell[0], cell[-1] = min(cell[0], row.starts_on), max(cell[-1], row.at)
            for place, one in enumerate(added, start=1):
                cell[place] += one
    if cells:
        with connection.cursor() as cursor:
            cursor.execute(
                _ADD, [list(column) for column in zip(*((*k, *v) for k, v in cells.items()), strict=True)]
            )


def _add_up_anew(cells: set[tuple]) -> None:
    """Recompute the tallies of these days from the current measurements. Floats are never subtracted."""
    columns = [list(column) for column in zip(*sorted(cells), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, columns)
        cursor.execute(_ANEW, columns)


def add_up_all(measure: Measure) -> int:
    """Recompute all tallies of a measure from its measurements. Returns their number."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM adoption_tally WHERE measure_id = %s", [measure.pk])
        cursor.execute(
            _ENTER + SUMS.format(which="AND r.measure_id = %s"),
            [measure.pk],
        )
        return cursor.rowcount
