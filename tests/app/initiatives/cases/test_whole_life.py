"""The whole life of a case through the real actions, with every gate real."""

import pytest

from adoption.demo import case_acts
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_idea_to_production(cast):
    case = factories.make_case(cast)
    assert case.stage == "proposed"
    case = case_acts.to_prototype(case, cast.team)
    assert case.stage == "prototype"
    case = case_acts.to_mvp(case, cast.team)
    assert case.stage == "mvp"
    case = case_acts.to_production(case, cast.team)
    assert case.stage == "production"
    assert [change.to_stage for change in case.stage_changes.all()] == ["prototype", "mvp", "production"]
    assert case.spans.first().supported == "production"
