"""Every kind of measure over generated series, against a second plain reading: nobody is counted twice."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import pytest

from adoption.measurements.actions import record_measurements
from adoption.measurements.measurement_validation import NEW, Sent
from adoption.measures import charts, queries
from adoption.measures.evaluation import figure_of, judge, monday
from adoption.models.instruments import INSTRUMENTS, Instrument
from adoption.models.measures import SURVEY, TYPED
from governance import clock
from tests.acceptance.input.test_generated_input import taken_back
from tests.support import factories

pytestmark = pytest.mark.django_db

SERIES = 6
STAFF = {team: [f"{team} {number}" for number in range(40)] for team in ("North", "South", "West")}


@dataclass(frozen=True)
class Watched:
    """One measurement, with the people or pieces of work that it is about."""

    day: date
    team: str
    people: frozenset
    hits: int
    others: bool

    @property
    def n(self) -> int:
        return len(self.people)


def series(chance: Random, how: Instrument) -> list[Watched]:
    """Measurements on many days and in any order. People overlap, and `others` is true where it is stated."""
    found: list[Watched] = []
    named = how.weekly or chance.random() < 0.6
    last = monday(clock.today()) - timedelta(days=1)
    days = sorted(last - timedelta(days=number) for number in chance.sample(range(70), 14))
    if not how.newest:
        chance.shuffle(days)
    for day in days:
        team = (
            chance.choice(sorted(STAFF))
            if named and (how.newest or how.weekly or chance.random() < 0.8)
            else ""
        )
        group = STAFF[team] if team else [one for some in STAFF.values() for one in some]
        known = {one for before in found for one in before.people}
        fresh = [one for one in group if one not in known]
        others = len(fresh) > 2 and chance.random() < 0.3
        people = frozenset(
            chance.sample(fresh if others else group, chance.randint(2, len(fresh if others else group)))
        )
        found.append(Watched(day, team, people, chance.randint(0, len(people)), others and bool(found)))
    return found


def chains(some: list[Watched], newest: bool) -> list[tuple[int, int]]:
    """Each number of people, with its hits, that these measurements of the same people can stand for.

    A chain begins with a measurement of the same people, or with the first, and has those of others after it.
    """
    starts = [place for place, one in enumerate(some) if place == 0 or not one.others]
    if newest:
        starts = starts[-1:]
    found = []
    for start in starts:
        chain = [some[start], *(one for one in some[start + 1 :] if one.others)]
        found.append((sum(one.n for one in chain), sum(one.hits for one in chain)))
    return found


def plain(how: Instrument, some: list[Watched]) -> list[tuple[int, int]]:
    """Read measurements without the application: n with its hits, or several where as many people were seen."""
    if not how.counts_users:
        return [(sum(one.n for one in some), sum(one.hits for one in some))]
    teams = sorted({one.team for one in some} - {""})
    sums = [(0, 0)] if teams else []
    for team in teams:
        own = chains([one for one in some if one.team == team], how.newest)
        most = max(n for n, _ in own)
        sums = [(n + most, hits + more) for n, hits in sums for many, more in own if many == most]
    everyone = chains(some, how.newest and not teams)
    most = max(n for n, _ in sums + everyone)
    return [one for one in sums + everyone if one[0] == most]


def window(how: Instrument, fresh_days: int, some: list[Watched]) -> list[Watched]:
    """What is judged: by day where people count, and whole weeks of a team elsewhere."""
    last = max(one.day for one in some)
    first = monday(last) - timedelta(weeks=11) if how.weekly else last - timedelta(days=fresh_days - 1)

    def counted(one: Watched) -> date:
        same = [other.day for other in some if (other.team, monday(other.day)) == (one.team, monday(one.day))]
        return one.day if how.counts_users else max(same)

    return [one for one in some if counted(one) >= first]


def sent(measure, place: int, one: Watched) -> Sent:
    """The measurement as it is sent: a mean has its hits as the value of each."""
    figure = {"hits": one.hits} if measure.how.share else {"value": float(one.hits), "sd": 1.0}
    return Sent(measure.pk, one.day, one.day, one.n, f"k{place}", team=one.team, others=one.others, **figure)


def differences(how, found, some: list[Watched]) -> list[str]:
    """What the application reads, where the plain reading differs."""
    if not some:
        return [] if found is None else [f"{found} of nothing"]
    wanted = plain(how, some)
    if found is None:
        return [f"nothing of {wanted}"]
    if found.n not in {n for n, _ in wanted}:
        return [f"{found.n} of {wanted}"]
    if how.counts_users and found.n > len({one for single in some for one in single.people}):
        return [f"{found.n} are more than there were"]
    if how.share and not any(found.point == pytest.approx(hits / n) for n, hits in wanted):
        return [f"{found.point} of {wanted}"]
    return []


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_every_measure_reads_as_a_plain_reading_of_what_was_entered(cast, key):
    how, initiative = INSTRUMENTS[key], factories.make_mvp(cast)
    goal = (
        {"target": 0.5} if how.share else {"target": 5.0, "baseline": 90.0 if how.better == "down" else 1.0}
    )
    goal |= {"baseline_n": 20} if how.baseline else {}
    goal |= {"counterfactual": "Without it"} if how.value else {}
    if how.kind == "change":
        del goal["baseline"]
    measure = factories.make_measure(
        cast, initiative, key, intended=1_000, teams=sorted(STAFF) if how.weekly else [], **goal
    )
    wrong = []
    for seed in range(SERIES):
        some = series(Random(f"{key} {seed}"), how)
        with taken_back():
            fates = record_measurements(
                initiative=initiative,
                sent=[sent(measure, place, one) for place, one in enumerate(some)],
                came=SURVEY if how.asked_by else TYPED,
                by=cast.owner,
            )
            kept = [one for one, fate in zip(some, fates, strict=True) if fate.state == NEW]
            assert len(kept) == len(some)
            subject = queries.subject_of(measure)
            wrong += differences(how, figure_of(how, subject.cells), kept)
            verdict = judge(subject)
            for team, found in verdict.of_teams or (("", verdict),):
                own = [one for one in window(how, subject.fresh_days, kept) if one.team == team or not team]
                wrong += differences(how, found.figure, own) if found.figure else []
            for week in charts.weeks_of(subject):
                own = [one for one in kept if monday(one.day) == week.first]
                wrong += differences(how, week.figure, own)
    assert wrong == []
