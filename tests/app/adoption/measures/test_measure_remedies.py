"""What adoption says against an initiative leads to where that is fixed, and to nothing that fixes something else."""

import pytest

from adoption.reports import actions as report_actions
from governance import clock
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def near(cast):
    """An MVP."""
    return factories.make_mvp(cast)


def said_of(client, initiative, key) -> dict[str, list[tuple[str, str]]]:
    page = client.get(at("requirement", initiative.ref, key))
    return {
        row.source: [(words, url) for url, words in found]
        for part in page.context["against"]
        for row, found in part.context["against"]
    }


def test_a_measure_that_is_missing_is_declared_and_one_that_is_silent_is_read(cast, as_, near):
    owner, declare = as_(cast.owner), at("measure-declare", near.ref)
    assert said_of(owner, near, "adopt.usage") == {
        "measure:adopt.usage:none": [("Declare a measure", declare)]
    }
    assert 'method="post"' in text_of(owner.get(declare)) or "instrument" in text_of(owner.get(declare))
    measure = factories.make_measure(cast, near)
    assert said_of(owner, near, "adopt.usage")[f"measure:adopt.usage:{measure.pk}"] == [
        ("Add measurement", at("measure", measure.pk))
    ]
    assert said_of(as_(cast.seat_risk), near, "adopt.usage")[f"measure:adopt.usage:{measure.pk}"] == []


def test_a_behaviour_report_is_answered_by_the_board_and_read_by_others(cast, as_, near):
    row = report_actions.report_behaviour_report(
        initiative=near,
        observed_on=clock.today(),
        kind="weaponised",
        group="Night shift",
        extent="fewer",
        words="Names of slow people are read out.",
        source="seen",
        by=cast.support,
    )
    there = at("report", "behaviour-report", row.pk)
    key = f"behaviour-report:{row.pk}"
    assert said_of(as_(cast.owner), near, "adopt.behaviour")[key] == [("Read the behaviour report", there)]
    assert said_of(as_(cast.chair), near, "adopt.behaviour")[key] == [("Answer the behaviour report", there)]


def test_a_lesson_is_answered_and_nothing_offers_the_sign_on_flow(cast, as_):
    factories.make_lesson(cast, vendors=["modelwright"])
    near = factories.make_prototype(cast)
    row = near.requirement_findings.current().get(source__startswith="lesson:")
    page = at("lessons-answer", near.ref)
    assert said_of(as_(cast.owner), near, "mvp.lessons_read")[row.source] == [("Answer the lesson", page)]
    assert said_of(as_(cast.seat_risk), near, "mvp.lessons_read")[row.source] == []
    for client in (as_(cast.owner), as_(cast.chair)):
        assert "sign-on flow" not in text_of(client.get(at("integration", near.ref))).lower()
