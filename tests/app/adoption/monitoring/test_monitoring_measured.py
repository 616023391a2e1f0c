"""`prod.monitoring` measured by what keys send at the promised rhythm; at each boundary; silence is unknown."""

from datetime import date, timedelta

import pytest
import time_machine

from adoption.demo import initiative_acts
from adoption.monitoring import actions, reminders
from adoption.monitoring.findings import READ_WITHIN, rhythm_of, status_of
from adoption.reports.actions import judge
from governance import clock
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import Level, TakesEffect
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.findings.sync import follow_register
from initiatives.models import MeasuredAnswer
from tests.support import factories
from tests.support.initiatives.alerts import sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    """An MVP with a contract, on which the shipped rulebook decides; at noon."""
    row = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=12)):
        yield row


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["alerts"], system="Monitoring")[0]


def after(**span):
    return time_machine.travel(clock.now() + timedelta(**span))


def heard(initiative, key, days, *alerts):
    """The monitoring is heard of so many days from now."""
    with after(days=days):
        actions.take(initiative=initiative, key=key, sent=alerts)


def measured_at(initiative, days):
    """What is measured so many days from now, after the periodic job of that day and by the moment alone."""
    with after(days=days):
        now = clock.now()
        before = [
            row
            for row in MeasuredAnswer.objects.current().filter(way="monitoring")
            if row.since <= now and (row.until or now) > now
        ]
        follow_register()
        row = MeasuredAnswer.objects.current().filter(initiative=initiative, way="monitoring").first()
        assert bool(before) == bool(row and row.since <= now < row.until)
        return row.words if row else None


def test_a_stretch_breaks_at_a_gap_longer_than_promised():
    day = date(2026, 3, 1)
    days = [day + timedelta(days=n) for n in (0, 8, 15, 22)]
    assert rhythm_of(days, 7).first == days[1]
    assert rhythm_of(days, 8).first == days[0]
    assert rhythm_of([], 7) is None
    assert not rhythm_of(days[1:3], 7).kept  # a week, and two periods are two
    assert rhythm_of(days[1:], 7).kept


@pytest.mark.parametrize(("last", "kept"), [(6, False), (7, True)])
def test_a_week_of_every_day(initiative, key, cast, last, kept):
    actions.promise_monitoring(initiative=initiative, every_days=1, by=cast.owner)
    for day in range(last + 1):
        heard(initiative, key, day)
    assert bool(measured_at(initiative, last)) == kept


@pytest.mark.parametrize(("last", "kept"), [(13, False), (14, True)])
def test_two_periods_of_seven_days(initiative, key, cast, last, kept):
    actions.promise_monitoring(initiative=initiative, every_days=7, by=cast.owner)
    for day in (0, 7, last):
        heard(initiative, key, day)
    assert bool(measured_at(initiative, last)) == kept


def test_silence_ends_it_at_midnight_and_counts_against_nobody(initiative, key, cast):
    actions.promise_monitoring(initiative=initiative, every_days=7, by=cast.owner)
    for day in (0, 7, 14):
        heard(initiative, key, day)
    assert "at least every 7 days" in measured_at(initiative, 21)
    assert measured_at(initiative, 22) is None
    with after(days=22):
        assert status_of(initiative).words.startswith("Unknown. No data from monitoring since")
        told = {due.person for due in reminders.silent(clock.now())}
        assert told == {cast.owner, cast.lead}
    with after(days=21):
        assert not list(reminders.silent(clock.now()))


def test_monitoring_that_lives_and_finds_nothing_shows_it(initiative, key, cast):
    actions.promise_monitoring(initiative=initiative, every_days=7, by=cast.owner)
    watchdog = sent("w", rule="Watchdog", severity="none", started=clock.now())
    for day in (0, 7, 14):
        heard(initiative, key, day, watchdog)
    assert "found in the last four weeks: 0 things" in measured_at(initiative, 14)


def test_what_nobody_reads_is_not_measured(initiative, key, cast):
    actions.promise_monitoring(initiative=initiative, every_days=7, by=cast.owner)
    actions.map_alerts(initiative=initiative, rule="", severity="critical", becomes="draft", by=cast.owner)
    for day in (0, 7):
        heard(initiative, key, day)
    heard(initiative, key, 14, sent("x"))
    heard(initiative, key, 20)
    assert READ_WITHIN.days == 7
    assert measured_at(initiative, 20)
    assert measured_at(initiative, 21) is None
    with after(days=21):
        assert status_of(initiative).words.startswith("Not measured. A draft of an incident has waited")
        judge(report=initiative.incident_drafts.get(), outcome="answered", answer="A test.", by=cast.lead)
    assert measured_at(initiative, 21)


def test_without_a_promise_or_a_word_it_is_unknown(initiative, key, cast):
    assert status_of(initiative).words.startswith("Unknown. No one has set")
    actions.promise_monitoring(initiative=initiative, every_days=1, by=cast.owner)
    assert status_of(initiative).words == "Unknown. Monitoring has never sent data."
    heard(initiative, key, 0)
    assert "measured from" in status_of(initiative).words
    assert measured_at(initiative, 0) is None


def test_the_same_day_writes_it_once(initiative, key, cast):
    actions.promise_monitoring(initiative=initiative, every_days=7, by=cast.owner)
    for day in (0, 7, 14):
        heard(initiative, key, day)
    rows = MeasuredAnswer.objects.filter(way="monitoring").count()
    heard(initiative, key, 14, sent("a"), sent("b"))
    with after(days=14):
        follow_register()
    assert MeasuredAnswer.objects.filter(way="monitoring").count() == rows


def test_it_is_the_level_of_the_answer(initiative, key, cast):
    def level():
        facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
        return state_of(facts, Rulebook.objects.current().parsed, "prod.monitoring", clock.now()).level

    actions.promise_monitoring(initiative=initiative, every_days=7, by=cast.owner)
    for day in (0, 7, 14):
        heard(initiative, key, day)
    with after(days=14):
        assert level() == Level.MEASURED
    with after(days=22):
        assert level() != Level.MEASURED
