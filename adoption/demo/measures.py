"""That an initiative is used and trusted: measures declared and measurements sent through the same acts that the pages
call.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from adoption.demo.initiative_acts import Team
from adoption.measurements import actions as measurement_actions
from adoption.measurements.measurement_validation import Sent
from adoption.measures import actions as measure_actions
from adoption.measures import queries as measure_queries
from adoption.measures.evaluation import monday
from adoption.models import Measure
from adoption.models.instruments import ASKED, INSTRUMENTS
from adoption.models.measures import IMPORTED, SENT
from governance import clock
from governance.models import ServiceKey
from initiatives.models import Initiative

SAMPLE = 24  # people asked, where that many use it
TRUST_WEEKS = 9

# By instrument: what is counted, where it comes from, the target, the baseline.
DECLARED = {
    "explains.reason": ("Users who can name the source of a summary", "Interviews at the inbox", 0.5, None),
    "recoverable.undone": ("Wrong outputs that the user put right", "Log of corrections", 0.75, None),
    "burden.time": ("Minutes from opening the task to closing it", "Observed at the inbox", 30.0, 40.0),
    "trust.overrides": ("Outputs overridden or thrown away", "Log of the application", 0.2, None),
    "trust.acceptance": ("Outputs taken without an edit", "Log of the application", 0.6, None),
    "usage.active": ("Intended users active in the week", "Log of the application", 0.4, None),
    "usage.new_way": ("Pieces of work done with it", "Log of the application", 0.5, None),
    "behaviour.practice": ("Users who begin with it, not the old way", "Observed at the inbox", 0.5, None),
}


def adopted(
    initiative: Initiative,
    team: Team,
    asked: Iterable[str] = ASKED,
    *,
    until: date | None = None,
    key: ServiceKey | None = None,
) -> None:
    """Declare what these requirements ask to be measured, where it is not, and send measurements that show it.

    `until`: the day on which the newest period ends; today unless said. `key`: of the system that sends them; without
    one the owner brings them in a table.
    """
    until = until or clock.today()
    scope = measure_queries.scopes_now([initiative.pk]).get(initiative.pk)
    users = scope.user_count if scope is not None else 40
    departments = (scope.departments if scope is not None else []) or ["All users"]
    wanted = [key for key in DECLARED if INSTRUMENTS[key].requirement in set(asked)]
    known = {row.instrument: row for row in Measure.objects.current().filter(initiative=initiative)}
    missing = [_declared(key, users, departments) for key in wanted if key not in known]
    if missing:
        for row in measure_actions.declare_measures(initiative=initiative, declared=missing, by=team.owner):
            known[row.instrument] = row
    sent = [one for key in wanted for one in _sent(known[key], users, departments, until)]
    how = {"came": SENT, "key": key} if key is not None else {"came": IMPORTED, "by": team.owner}
    measurement_actions.record_measurements(
        initiative=initiative, sent=sent, source="measurements.csv", **how
    )


def _declared(key: str, users: int, departments: list[str]) -> dict:
    words, source, target, baseline = DECLARED[key]
    return {
        "instrument": key,
        "words": words,
        "population": f"The {users} users in scope",
        "source": source,
        "target": target,
        "baseline": baseline,
        "baseline_n": min(users, SAMPLE) if baseline is not None else None,
        "intended": users,
        "teams": departments if key.startswith("trust.") else [],
    }


def _sent(measure: Measure, users: int, departments: list[str], until: date) -> list[Sent]:
    key, sample = measure.instrument, min(users, SAMPLE)
    if measure.how.weekly:
        first = monday(until) - timedelta(weeks=TRUST_WEEKS - 1)
        share = 5 if key == "trust.overrides" else 44
        return [
            _measurement(
                measure, week, min(week + timedelta(days=6), until), 58 + place, share + place % 3, team
            )
            for team in departments
            for place, week in enumerate(first + timedelta(weeks=count) for count in range(TRUST_WEEKS))
        ]
    start = until - timedelta(days=6)
    if key == "burden.time":
        return [_measurement(measure, start, until, sample, None, value=15.0, sd=5.0)]
    n, hits = {
        "recoverable.undone": (40, 37),
        "usage.active": (users, max(1, round(users * 0.85)) if users > 10 else users),
        "usage.new_way": (150, 118),
    }.get(key, (sample, sample - 2 if sample > 10 else sample))
    return [_measurement(measure, start, until, n, hits)]


def _measurement(measure, start, end, n, hits, team="", value=None, sd=None) -> Sent:
    return Sent(measure.pk, start, end, n, f"{team}:{start}:{end}", hits=hits, value=value, sd=sd, team=team)


def valued(
    initiative: Initiative, team: Team, *, words: str, before: float, target: float, now: float, without: str
) -> None:
    """Declare a measure of value in minutes, with what it is compared with, and send four weeks of measurements."""
    row = measure_actions.declare_measure(
        initiative=initiative,
        instrument="value.mean",
        words=words,
        population="Everybody who does this work",
        source="Timed at the inbox",
        unit="minutes",
        better="down",
        baseline=before,
        baseline_n=SAMPLE,
        target=target,
        intended=40,
        counterfactual=without,
        by=team.owner,
    )
    weeks = [monday(clock.today()) - timedelta(weeks=count) for count in range(4, 0, -1)]
    sent = [
        _measurement(row, week, week + timedelta(days=6), SAMPLE, None, value=now + 0.2 * (4 - place), sd=1.1)
        for place, week in enumerate(weeks, start=1)
    ]
    measurement_actions.record_measurements(
        initiative=initiative, sent=sent, came=IMPORTED, source="minutes.csv", by=team.owner
    )
