"""The log of decisions counted once a day and kept with the initiative: inside its scope measured, beyond it a
finding.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.gates.requirement_state import State
from governance.gates.requirements import state_of
from governance.models import OutcomeReport, Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import Level, OutcomeKind, TakesEffect
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.findings import decision_days
from initiatives.models import DecisionDay, MeasuredAnswer, RequirementFinding
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.servers.asking_systems import write

pytestmark = pytest.mark.django_db
BOUND = 40  # people in the scope of the MVP
RUNTIME, ROLLOUT = "layer.runtime", "mvp.rollout"


@pytest.fixture
def initiative(cast):
    """An MVP for forty people, with a contract, on which the shipped rulebook decides."""
    row = factories.make_contract(cast, factories.make_mvp(cast), FIXTURE)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    return initiative_acts.fresh(row)


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300)[0]


def after(days: int):
    """A few hours after so many midnights."""
    return time_machine.travel(
        clock.midnight_after(clock.today() + timedelta(days=days - 1)) + timedelta(hours=3)
    )


def state(initiative, requirement: str) -> State:
    rulebook = Rulebook.objects.current().parsed
    return state_of(
        supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, requirement, clock.now()
    )


def test_a_day_is_counted_once_it_is_over(initiative, key):
    write(initiative, 30, key=key)
    write(initiative, 5, key=key, outcome="deny", code="outside", subject="user:stranger")
    write(initiative, 3)  # tried out by hand, with no key
    assert decision_days.count() == []
    with after(1):
        assert decision_days.count() == [initiative.pk]
        row = DecisionDay.objects.get()
        assert (row.asked, row.allowed, row.subjects) == (35, 30, 30)
        assert decision_days.count() == []
    assert DecisionDay.objects.count() == 1


def test_what_waits_in_a_spool_is_waited_for(initiative, key):
    write(initiative, 2, key=key)
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(minutes=20)):
        assert decision_days.count() == []


def test_days_that_the_worker_missed_are_counted_a_week_of_them(initiative, key):
    write(initiative, 2, key=key)
    with after(1):
        decision_days.count()
        write(initiative, 2, key=key)
    with after(3):
        write(initiative, 2, key=key)
    with after(5):
        decision_days.count()
    assert [row.subjects for row in DecisionDay.objects.order_by("day")] == [2, 2, 2]
    with after(40):
        write(initiative, 2, key=key)
    with after(50):
        decision_days.count()
    assert DecisionDay.objects.count() == 3


def test_inside_its_scope_the_bound_and_the_runtime_are_measured(initiative, key):
    assert state(initiative, RUNTIME).level != Level.MEASURED
    write(initiative, BOUND, key=key)
    with after(1):
        decision_days.count()
        for requirement in (RUNTIME, ROLLOUT):
            assert state(initiative, requirement).level == Level.MEASURED
        assert "the decision log counts 40 subjects" in state(initiative, RUNTIME).words
        assert "the scope declares 40" in state(initiative, RUNTIME).words


def test_beyond_it_that_is_a_finding_and_nothing_is_measured(initiative, key):
    write(initiative, BOUND + 1, key=key)
    with after(1):
        decision_days.count()
        found = state(initiative, ROLLOUT)
        assert found.state == "register"
        assert "41 subjects" in found.words
        assert "declares 40" in found.words
        assert not MeasuredAnswer.objects.filter(way="decisions").exists()


def test_what_is_found_is_written_once_a_week_and_not_every_night(initiative, key):
    monday = 7 - clock.today().weekday()
    for day in (monday, monday + 1, monday + 2):
        with after(day):
            write(initiative, BOUND + 1 + day, key=key)
        with after(day + 1):
            decision_days.count()
    found = RequirementFinding.objects.filter(source="decisions:scope", requirement=ROLLOUT)
    assert found.count() == 1
    with after(monday + 7):
        write(initiative, BOUND + 1, key=key)
    with after(monday + 8):
        decision_days.count()
    assert found.count() == 2
    assert found.filter(ended_at=None).count() == 1


def test_what_was_refused_counts_nobody(initiative, key):
    write(initiative, BOUND, key=key)
    write(initiative, 20, key=key, outcome="deny", code="outside", subject="user:stranger")
    with after(1):
        decision_days.count()
        assert state(initiative, RUNTIME).level == Level.MEASURED


def test_calls_that_were_all_refused_measure_nothing(initiative, key):
    write(initiative, 20, key=key, outcome="deny", code="outside", subject="user:stranger")
    with after(1):
        decision_days.count()
        assert DecisionDay.objects.get().subjects == 0
        assert not MeasuredAnswer.objects.current().filter(source="decisions:scope").exists()


def test_people_of_the_thirty_days_are_counted_together(initiative, key):
    write(initiative, 30, key=key)
    with after(1):
        for number in range(20):
            write(initiative, 1, key=key, subject=f"user:other-{number}")
    with after(2):
        decision_days.count()
        assert DecisionDay.objects.get(day=clock.today() - timedelta(days=1)).subjects == 50
        assert state(initiative, ROLLOUT).state == "register"


def test_a_call_that_was_done_and_never_asked_about_ends_it(initiative, key):
    write(initiative, 5, key=key)
    OutcomeReport.objects.create(
        initiative_number=initiative.number,
        key_id=key.pk,
        kind=OutcomeKind.DONE,
        action="send",
        at=clock.now(),
    )
    with after(1):
        decision_days.count()
        assert state(initiative, RUNTIME).level != Level.MEASURED


def test_silence_is_unknown_again(initiative, key):
    write(initiative, 5, key=key)
    with after(1):
        decision_days.count()
        assert state(initiative, RUNTIME).level == Level.MEASURED
    with after(40):
        assert state(initiative, RUNTIME).level != Level.MEASURED


def test_it_is_written_anew_once_a_week_and_not_every_night(initiative, key):
    monday = clock.today() + timedelta(days=7 - clock.today().weekday())
    for number in range(1, 5):
        with time_machine.travel(clock.midnight_before(monday + timedelta(days=number)) - timedelta(hours=2)):
            write(initiative, 5 + number, key=key)
        with time_machine.travel(clock.midnight_before(monday + timedelta(days=number)) + timedelta(hours=3)):
            decision_days.count()
    assert DecisionDay.objects.count() == 4
    assert MeasuredAnswer.objects.filter(requirement=RUNTIME).count() == 1


def test_a_rulebook_that_does_not_name_the_way_does_not_count_it(initiative, key):
    write(initiative, 5, key=key)
    with after(1):
        decision_days.count()
        rulebook = Rulebook.objects.current().parsed
        without = replace(
            rulebook,
            requirements=rulebook.requirements | {RUNTIME: replace(rulebook.requirements[RUNTIME], ways=())},
        )
        facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
        assert state_of(facts, without, RUNTIME, clock.now()).level != Level.MEASURED


def test_a_day_is_written_once(initiative, key):
    write(initiative, 5, key=key)
    with after(1):
        decision_days.count()
    with pytest.raises(DatabaseError), transaction.atomic():
        DecisionDay.objects.update(asked=7)
