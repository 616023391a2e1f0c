"""The tone of each level: green is only for what is verified or measured."""

import pytest

from governance.gates.requirements import State
from governance.vocabulary import Level
from initiatives.lifecycle.facts.wording import STATES, level_word, state_word
from initiatives.lifecycle.initiative.initiative_frame import supported_tone
from initiatives.lifecycle.reviews.presentation import CRITERION_STATES, Line

TONES = {Level.STATED: "", Level.DOCUMENTED: "", Level.VERIFIED: "ok", Level.MEASURED: "ok"}


@pytest.mark.parametrize("level", Level)
def test_a_level_is_green_only_where_somebody_else_or_a_system_stands_behind_it(level):
    assert state_word(State("q", "met", "", level=level)) == (level.label.lower(), TONES[level])
    assert level_word(level, enough=False)[1] == "warn"


def test_no_other_state_of_an_answer_is_green():
    assert "ok" not in {tone for _, tone in STATES.values()} | {tone for _, tone in CRITERION_STATES.values()}


@pytest.mark.parametrize(
    ("tones", "judged", "tone"),
    [(["ok", "ok"], True, "ok"), (["ok", ""], True, ""), (["ok"], False, "")],
)
def test_a_criterion_is_green_once_it_is_decided_and_all_behind_it_is(tones, judged, tone):
    """Ready for review is no green tick."""
    behind = [{"tone": one, "met": True} for one in tones]
    line = Line("c", "Which?", "architecture", "met", [], behind, judged=judged)
    assert line.tone == tone
    assert line.summary.endswith(", met")


@pytest.mark.parametrize(
    ("levels", "tone"),
    [
        ([Level.VERIFIED, Level.MEASURED], "ok"),
        ([Level.VERIFIED, Level.DOCUMENTED], ""),
        ([Level.STATED], ""),
        ([None], ""),
    ],
)
def test_a_supported_stage_is_green_only_if_every_answer_is_verified_or_measured(levels, tone):
    assert supported_tone(State("q", "met", "", level=level) for level in levels) == tone
