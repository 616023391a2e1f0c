"""By which day what is due, by rulebook 1.0, against what was agreed on."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from governance import clock
from governance.rulebook import parse, shipped_text
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.stages import actions as stage_actions
from tests.support.rules import agreed_gates
from tests.support.rules.agreed_cases import CRITERIA

RULEBOOK = parse(shipped_text())


@pytest.mark.parametrize("emergency", [False, True])
@pytest.mark.parametrize("gate", ["prototype", "mvp", "production", "stop", "retire"])
def test_what_is_left_to_do_after_a_move_has_its_agreed_days(gate, emergency):
    open_obligations = stage_actions.later_criteria(RULEBOOK, gate, emergency=emergency)
    days = {
        row.key: row.due if row.due is not None or not emergency else row.emergency
        for row in CRITERIA.values()
        if row.gate == gate and not row.key.endswith(".postmortem")
    }
    assert {row.key: days for row, days in open_obligations} == {
        key: one for key, one in days.items() if one is not None
    }


@pytest.mark.parametrize("stage", agreed_gates.TRIAL_DAYS)
def test_a_trial_ends_after_the_agreed_days(monkeypatch, stage):
    decides = SimpleNamespace(parsed=RULEBOOK)
    monkeypatch.setattr(supported_stage.rulebook_in_effect, "rulebook_of", lambda initiative: decides)
    initiative = SimpleNamespace(stage=stage, imported=False, withdrawn_at=None, since=clock.now())
    ends = clock.today() + timedelta(days=agreed_gates.TRIAL_DAYS[stage])
    assert supported_stage.review_by(initiative, continued=[]) == ends


@pytest.mark.parametrize("tier", agreed_gates.ACCEPTED_DAYS)
def test_production_is_accepted_again_after_the_agreed_days(tier):
    initiative = SimpleNamespace(
        stage="production", imported=False, since=clock.now(), reattested_at=None, high_risk=tier == "high"
    )
    by = clock.today() + timedelta(days=agreed_gates.ACCEPTED_DAYS[tier])
    assert supported_stage.reattest_by(initiative, RULEBOOK) == by
