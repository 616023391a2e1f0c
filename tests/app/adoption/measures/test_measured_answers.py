"""Answers that are measured: by measurements of a key or a survey, as long as no figure behind them was typed."""

from datetime import timedelta

import pytest
import time_machine

from adoption.demo import initiative_acts
from adoption.demo.measures import adopted
from adoption.measurements import actions as measurement_actions
from adoption.measurements.actions import Sent
from adoption.models import Measure
from adoption.models.measures import TYPED
from governance import clock
from governance.gates.requirement_state import State
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import Level, TakesEffect
from initiatives.lifecycle.facts import supported_stage
from initiatives.models import MeasuredAnswer
from tests.support import factories

pytestmark = pytest.mark.django_db
USAGE = "adopt.usage"


@pytest.fixture
def initiative(cast):
    """An MVP with a contract on which the shipped rulebook decides."""
    row = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    return initiative_acts.fresh(row)


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["measurements"])[0]


def state(initiative, requirement: str = USAGE) -> State:
    rulebook = Rulebook.objects.current().parsed
    return state_of(
        supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, requirement, clock.now()
    )


def type_in(initiative, cast, instrument: str = "usage.active", ends_on=None) -> None:
    measure = Measure.objects.get(initiative=initiative, instrument=instrument)
    day = ends_on or clock.today()
    fate = measurement_actions.record_measurements(
        initiative=initiative,
        sent=[Sent(measure.pk, day - timedelta(days=6), day, 40, f"typed {day}", hits=36, others=True)],
        came=TYPED,
        by=cast.owner,
    )
    assert fate


def test_measurements_of_a_key_measure_it_and_nobody_says_anything(initiative, cast, key):
    assert state(initiative).level == ""
    adopted(initiative, cast.team, {USAGE}, key=key)
    found = state(initiative)
    assert (found.level, found.state) == (Level.MEASURED, "met")
    assert "Intended users active in the week" in found.words


def test_the_same_figures_in_a_table_of_the_owner_do_not(initiative, cast):
    adopted(initiative, cast.team, {USAGE})
    assert not MeasuredAnswer.objects.filter(way="measurements").exists()
    assert state(initiative).level != Level.MEASURED


def test_one_typed_measurement_behind_the_figure_ends_it(initiative, cast, key):
    adopted(initiative, cast.team, {USAGE}, key=key)
    type_in(initiative, cast)
    assert state(initiative).level != Level.MEASURED


def test_what_was_typed_before_the_period_that_is_judged_does_not(initiative, cast, key):
    adopted(initiative, cast.team, {USAGE}, until=clock.today() - timedelta(days=120))
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        adopted(initiative, cast.team, {USAGE}, key=key)
        assert state(initiative).level == Level.MEASURED


def test_a_missed_target_is_not_measured_as_met(initiative, cast, key):
    adopted(initiative, cast.team, {USAGE}, key=key)
    active = Measure.objects.get(initiative=initiative, instrument="usage.active")
    day = clock.today() + timedelta(days=7)
    with time_machine.travel(clock.midnight_after(day) + timedelta(hours=2)):
        measurement_actions.record_measurements(
            initiative=initiative,
            sent=[Sent(active.pk, day - timedelta(days=6), day, 40, "few", hits=2)],
            came="sent",
            key=key,
        )
        found = state(initiative)
        assert found.state != "met"
        assert not found.satisfies("production")


def test_it_counts_no_longer_than_its_measurements(initiative, cast, key):
    adopted(initiative, cast.team, {USAGE}, key=key)
    days = Rulebook.objects.current().parsed.requirements[USAGE].days("limited")
    last = clock.today() + timedelta(days=days)
    with time_machine.travel(clock.midnight_after(last) - timedelta(minutes=1)):
        assert state(initiative).level == Level.MEASURED
    with time_machine.travel(clock.midnight_after(last)):
        assert state(initiative).state != "met"
