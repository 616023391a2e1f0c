"""The measures of many initiatives as they are judged, in few queries."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Max, Min, Q, Sum
from django.db.models.functions import TruncWeek

from adoption.measures import measure_rows
from adoption.measures.evaluation import Aim, Cell, Subject, judge
from adoption.models import Goal, Measure, Measurement, Tally
from adoption.models.instruments import ASKED
from adoption.models.measures import FROM_OUTSIDE
from governance import clock
from governance.models import Rulebook
from initiatives.models import ScopeVersion

# Days of measurements that are read. They are more than any figure counts, so older ones are too old anyway.
LOOKED_BACK = 400
VALUE_COUNTS_DAYS = 90  # a figure of value; as long as what the rulebook asks of changed practice


def subjects(
    initiatives: Iterable[int], *, measures: Iterable[Measure] | None = None, ended: bool = False
) -> dict[int, list[tuple[Measure, Subject]]]:
    """Return current measures with their subjects, by key of the initiative.

    `ended`: also the ended ones. Three queries for any number of initiatives and measurements.
    """
    initiatives = list(initiatives)
    if measures is None:
        rows = Measure.objects.filter(initiative__in=initiatives)
        measures = rows if ended else rows.current()
    measures = list(measures)
    found: dict[int, list[tuple[Measure, Subject]]] = {key: [] for key in initiatives}
    if not measures:
        return found
    since = clock.today() - timedelta(days=LOOKED_BACK)
    people = {measure.pk for measure in measures if measure.how.counts_users}
    around = measure_rows.AROUND.ask(
        {
            "measures": [measure.pk for measure in measures],
            "counting_people": people,
            "initiatives": initiatives,
        },
        since=since,
    )
    goals: dict[int, list[Goal]] = {}
    for goal in around["goals"]:
        goals.setdefault(goal.measure_id, []).append(goal)
    # The database adds the sums up, so a million measurements of a year are a few cells for each team.
    cells = _of_people(around["of_people"]) | _sums([m.pk for m in measures if m.pk not in people], since)
    scopes = _in_force(around["scopes"])
    rulebook = Rulebook.objects.current().parsed
    for measure in measures:
        asked = rulebook.requirements.get(measure.requirement)
        scope, aims = scopes.get(measure.initiative_id), goals[measure.pk]
        subject = Subject(
            key=measure.pk,
            words=measure.words,
            how=measure.how,
            better=measure.better,
            aims=tuple(map(aim_of, aims)),
            cells=tuple(cells.get(measure.pk, ())),
            teams=teams_of(measure, scope),
            intended=scope.user_count if scope is not None and measure.how.newest else 0,
            fresh_days=(asked.days(aims[0].tier) if asked else 0) or VALUE_COUNTS_DAYS,
            unit=measure.unit,
        )
        found[measure.initiative_id].append((measure, subject))
    return found


def measured_value(initiatives: Iterable[int], today: date) -> dict[int, list[tuple[str, str]]]:
    """Return names and figures of the current measures of value, by initiative."""
    initiatives = list(initiatives)
    wanted = [one for one in Measure.objects.current().filter(initiative__in=initiatives) if one.how.value]
    judged = {
        pk: [(measure.words, judge(subject).on(today)) for measure, subject in some]
        for pk, some in subjects(initiatives, measures=wanted).items()
    }
    return {pk: [(words, told.words) for words, told in some if told.figure] for pk, some in judged.items()}


def last_typed(measures: Iterable[Measure]) -> dict[int, date]:
    """Return the last day of each measure's newest typed or imported measurement."""
    rows = Measurement.objects.filter(
        ~Q(came__in=FROM_OUTSIDE), measure__in=list(measures), n__gt=0, replaced_by__isnull=True
    )
    return dict(rows.values("measure").annotate(last=Max("ends_on")).values_list("measure", "last"))


def subject_of(measure: Measure) -> Subject:
    """Return one measure as it is judged."""
    ((_, subject),) = subjects([measure.initiative_id], measures=[measure])[measure.initiative_id]
    return subject


def scopes_now(initiatives: Iterable[int]) -> dict[int, ScopeVersion]:
    """Return the scope in force of these initiatives, by key of the initiative."""
    return _in_force(measure_rows.AROUND.ask({"initiatives": initiatives}, "scopes")["scopes"])


def _in_force(begun: Iterable[ScopeVersion]) -> dict[int, ScopeVersion]:
    now = clock.now()
    return {row.initiative_id: row for row in begun if row.ended_at is None or row.ended_at > now}


def teams_of(measure: Measure, scope: ScopeVersion | None) -> tuple[str, ...]:
    """Return the teams to be measured. A weekly instrument adds each department in scope."""
    in_scope = scope.departments if scope is not None and measure.how.weekly else []
    names = {name.casefold(): name for name in (*measure.teams, *in_scope) if name.strip()}
    return tuple(names.values())


def aim_of(goal: Goal) -> Aim:
    """Return a goal as it is judged by."""
    return Aim(goal.target, goal.intended, goal.at, goal.baseline, goal.baseline_n, goal.bound, goal.reason)


def _sums(measures: list[int], since: date) -> dict[int, list[Cell]]:
    found: dict[int, list[Cell]] = {}
    rows = (
        Tally.objects.filter(measure__in=measures, day__gte=since, n__gt=0)
        .values("measure_id", "team", "about", week=TruncWeek("day"))
        .annotate(
            last=Max("day"),
            first=Min("since"),
            many=Sum("n"),
            so_many=Sum("hits"),
            sums=Sum("total"),
            of_squares=Sum("squares"),
            kept=Sum("measurements"),
        )
        .order_by("measure_id", "week", "team", "about")
    )
    for row in rows if measures else ():
        found.setdefault(row["measure_id"], []).append(
            Cell(
                row["last"],
                row["first"],
                int(row["many"]),
                int(row["so_many"]),
                row["sums"],
                row["of_squares"],
                row["team"],
                row["about"],
                row["kept"],
            )
        )
    return found


def _of_people(rows: list[Measurement]) -> dict[int, list[Cell]]:
    """Return the current measurements in the order of entry, where a correction has the place of what it corrects."""
    found: dict[int, list[Cell]] = {}
    place: dict[int, int] = {}
    current: list[Measurement] = []
    for row in rows:
        place[row.pk] = place.get(row.replaces_id, row.pk)
        if row.n and row.replaced is None:
            current.append(row)
    for row in sorted(current, key=lambda row: place[row.pk]):
        value, sd = row.value or 0.0, row.sd or 0.0
        found.setdefault(row.measure_id, []).append(
            Cell(
                row.ends_on,
                row.starts_on,
                row.n,
                row.hits or 0,
                row.n * value,
                (row.n - 1) * sd * sd + row.n * value * value,
                row.team,
                row.about,
                others=row.others,
            )
        )
    return found


def lacking(requirement: str, measures: Iterable[Measure]) -> list[tuple[str, ...]]:
    """Return the instrument groups of a requirement that lack a current measure."""
    have = {measure.instrument for measure in measures if measure.ended_at is None}
    return [group for group in ASKED[requirement] if not have & set(group)]
