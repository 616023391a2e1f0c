"""Closing a survey is the measurement of the measure that asks for it: five answers or more, as published, or none."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from adoption.measurements import batch_digest
from adoption.measurements.measurement_validation import WRONG
from adoption.measures import actions as measure_actions
from adoption.measures import queries as measure_queries
from adoption.measures.evaluation import CANNOT_TELL, FEW, MET, judge
from adoption.models import Measurement
from adoption.surveys import actions as survey_actions
from adoption.surveys import presentation as survey_presentation
from adoption.surveys import question_sets
from governance import clock
from governance.models import Entry
from tests.support import factories
from tests.support.initiatives import answered_surveys

pytestmark = pytest.mark.django_db

LOAD = ["load"]
NORTH, SOUTH = "Claims north", "Claims south"


def declared(cast, initiative, **fields):
    """A measure that surveys read: it was 60 before, and at most 50 is wanted."""
    goal = {"baseline": 60.0, "baseline_n": 20, "target": 50.0, "intended": 12} | fields
    return factories.make_measure(cast, initiative, "burden.survey", **goal)


def asked(cast, initiative, answers: int, **fields):
    """A closed survey on load: so many answers, alternately 30 and 40 of 100."""
    survey, paths = answered_surveys.opened(cast, initiative, sets=LOAD)
    for place in range(answers):
        path = paths[NORTH if place % 2 else SOUTH].pop()
        answered_surveys.put(path, 4 + place % 2, sets=LOAD, skipped=fields.get("skipped", {}).get(place, ()))
    return survey_actions.close(survey=survey, by=cast.owner)


def against(initiative, measure) -> str:
    row = initiative.requirement_findings.current().filter(source__endswith=f":{measure.pk}").get()
    return row.words if row.since <= clock.now() else ""


def test_a_closed_survey_is_a_measurement_of_real_users_with_its_n(cast, initiative, as_):
    measure = declared(cast, initiative)
    assert "No measurements yet" in against(initiative, measure)
    survey = asked(cast, initiative, 12)
    row = Measurement.objects.get()
    figure = survey_presentation.figure_of(survey, question_sets.SETS["load"])
    assert (row.measure, row.about, row.came, row.by) == (measure, "users", "survey", cast.owner)
    assert (row.n, row.value, row.sd) == (12, figure["mean"], figure["sd"]) == (12, 35.0, 5.2)
    assert (row.starts_on, row.ends_on) == (clock.today(), clock.today())
    assert row.source == "Reply drafts, autumn: 12 of 15 answered"
    verdict = judge(measure_queries.subject_of(measure))
    assert (verdict.word, verdict.figure.n) == (MET, 12)
    assert against(initiative, measure) == "", "what is met says only from when it is too old"
    told = Entry.objects.acts().filter(initiative_ref=initiative.ref).order_by("-pk")[:3]
    assert {"survey closed", "measurements recorded"} < {entry.kind for entry in told}
    assert list(batch_digest.broken(0, "default")) == []
    page = as_(cast.owner).get(f"/surveys/{survey.pk}/").content.decode()
    assert f"/measures/{measure.pk}/" in page


@pytest.mark.parametrize("answers", [0, 1, 4])
def test_fewer_than_five_answers_are_no_measurement(cast, initiative, answers):
    measure = declared(cast, initiative)
    assert asked(cast, initiative, answers).results is None
    assert not Measurement.objects.exists()
    assert not Entry.objects.filter(kind="measurements recorded").exists()
    assert "No measurements yet" in against(initiative, measure)


def test_a_question_that_fewer_than_five_answered_leaves_no_measurement(cast, initiative):
    declared(cast, initiative)
    survey = asked(cast, initiative, 6, skipped={0: ("load.time",), 1: ("load.time",)})
    assert survey.results["answered"] == 6
    assert not Measurement.objects.exists()


def test_five_are_a_measurement_that_says_too_few(cast, initiative):
    measure = declared(cast, initiative)
    asked(cast, initiative, 5)
    verdict = judge(measure_queries.subject_of(measure))
    assert (verdict.word, verdict.why) == (CANNOT_TELL, FEW), (
        "five of twelve people are not enough for a pass"
    )
    assert Measurement.objects.get().n == 5


def test_only_the_current_measure_that_surveys_read_takes_it(cast, initiative):
    other = factories.make_measure(
        cast, initiative, "burden.effort", baseline=7.0, baseline_n=20, target=5.0, intended=12, unit="points"
    )
    ended = declared(cast, initiative)
    measure_actions.close_measure(measure=ended, reason="Asked otherwise.", by=cast.owner)
    survey = asked(cast, initiative, 12)
    assert survey.results["answered"] == 12
    assert not Measurement.objects.exists(), (other, ended)


def test_a_survey_that_asks_something_else_is_no_measurement(cast, initiative):
    declared(cast, initiative)
    answered_surveys.closed(cast, initiative, [(NORTH, 4)] * 6)
    assert not Measurement.objects.exists()


def test_nobody_adds_to_what_people_answered(cast, initiative, as_):
    measure = declared(cast, initiative)
    asked(cast, initiative, 12)
    one = {"hits": None, "value": 1.0, "sd": 0.5, "n": 50}
    for more in (
        {},
        {"replaces": Measurement.objects.get().key},
        {"replaces": Measurement.objects.get().key, "n": 0},
    ):
        fate = factories.make_measurement(cast, measure, **(one | more))
        assert (fate.state, fate.words[:33]) == (WRONG, "Only surveys record this measure.")
    assert Measurement.objects.count() == 1
    page = as_(cast.owner).get(f"/measures/{measure.pk}/").content.decode()
    assert "Only surveys record this measure" in page
    assert "Add measurement" not in page


def test_it_is_read_up_to_the_last_day_on_which_anybody_could_answer(cast, initiative):
    declared(cast, initiative)
    survey, paths = answered_surveys.opened(cast, initiative, sets=LOAD)
    for path in [*paths[NORTH], *paths[SOUTH]][:8]:
        answered_surveys.put(path, sets=LOAD)
    first, last = clock.today(), survey.closes
    with clock.simulated(clock.now() + timedelta(days=40)):
        survey_actions.close(survey=survey, by=cast.owner)
    row = Measurement.objects.get()
    assert (row.starts_on, row.ends_on) == (first, last)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"teams": ["Claims north"]}, "teams"),
        ({"target": 101.0}, "target"),
        ({"baseline": 140.0}, "baseline"),
    ],
)
def test_what_a_survey_cannot_say_is_not_declared(cast, initiative, changed, field):
    with pytest.raises(ValidationError) as wrong:
        declared(cast, initiative, **({"better": "down"} | changed))
    assert field in wrong.value.message_dict


def test_declared_by_its_page(cast, initiative, as_):
    page = f"/initiatives/{initiative.ref}/adoption/declare/?instrument=burden.survey"
    text = as_(cast.owner).get(page).content.decode()
    assert 'name="unit"' not in text
    assert 'name="teams"' not in text
    assert "Surveys of this initiative" in text
