"""The whole life of a case through the real actions, with every gate real."""

import pytest

from adoption.demo import life
from tests import factories

pytestmark = pytest.mark.django_db


def test_idea_to_production(cast):
    case = factories.make_case(cast)
    assert case.stage == "proposed"
    case = life.to_prototype(case, cast.team)
    assert case.stage == "prototype"
    case = life.to_mvp(case, cast.team)
    assert case.stage == "mvp"
    case = life.to_production(case, cast.team)
    assert case.stage == "production"
    assert [change.to_stage for change in case.stage_changes.all()] == ["prototype", "mvp", "production"]
    assert case.spans.first().supported == "production"
