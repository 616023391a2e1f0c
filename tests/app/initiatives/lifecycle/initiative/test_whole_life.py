"""The whole life of an initiative through the real actions, with every gate real."""

import pytest

from adoption.demo import initiative_acts
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_idea_to_production(cast):
    initiative = factories.make_initiative(cast)
    assert initiative.stage == "proposed"
    initiative = initiative_acts.to_prototype(initiative, cast.team)
    assert initiative.stage == "prototype"
    initiative = initiative_acts.to_mvp(initiative, cast.team)
    assert initiative.stage == "mvp"
    initiative = initiative_acts.to_production(initiative, cast.team)
    assert initiative.stage == "production"
    assert [change.to_stage for change in initiative.stage_changes.all()] == [
        "prototype",
        "mvp",
        "production",
    ]
    assert initiative.spans.first().supported == "production"
