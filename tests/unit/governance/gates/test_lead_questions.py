"""The three questions, the nine standards and the five judgements: worked out from facts, by hand-made facts."""

from datetime import timedelta
from pathlib import Path

import pytest

from governance.gates import standards
from governance.gates.requirements import states_at
from governance.rulebook import RulebookErrors, judgements, pairings, parse, shipped_text
from governance.rulebook.pairings import PAIRINGS
from tests.support.rules.gate_facts import AT, RULEBOOK, TODAY, everything

GROUP = {
    group: [key for key, row in RULEBOOK.requirements.items() if row.group == group]
    for group in PAIRINGS["lead_questions"]
}


def test_three_questions_are_asked_of_groups_that_the_rulebook_has():
    assert list(PAIRINGS["lead_questions"]) == ["contract", "layer", "adoption"]
    assert {group: len(keys) for group, keys in GROUP.items()} == {"contract": 6, "layer": 3, "adoption": 6}


# The nine standards


def standard(facts, matter, stage):
    return standards.standard_of(facts, RULEBOOK, states_at(facts, RULEBOOK, AT), matter, stage, AT)


def test_the_nine_standards_are_those_of_the_rulebook_and_shown_by_what_it_asks():
    assert set(standards.SHOWN_BY) == set(RULEBOOK.standards)
    for matter, stages in standards.SHOWN_BY.items():
        assert {"mvp", "production"} <= set(stages), matter
        for keys in stages.values():
            assert set(keys) <= set(RULEBOOK.requirements) | {pairings.REATTESTED}, matter


@pytest.mark.parametrize(
    ("matter", "stage", "key"),
    [
        (matter, stage, key)
        for matter, stages in standards.SHOWN_BY.items()
        for stage, keys in stages.items()
        for key in keys
        if key != pairings.REATTESTED
    ],
)
def test_a_standard_is_met_by_everything_behind_it_and_by_nothing_less(matter, stage, key):
    assert standard(everything("prototype"), matter, stage).mark == standards.MET
    also = RULEBOOK.carry.replaced_at_production.get(key, key)  # its production form would ground it too
    lacking = standard(everything("prototype", without=(key, also)), matter, stage)
    assert (lacking.mark, lacking.missing) == (standards.NOT_MET, (key,))


def test_a_prototype_is_not_asked_for_staff_logs_or_money():
    for matter in ("funding", "staffing", "support_ownership", "logging", "workflow_integration"):
        assert standard(everything("prototype"), matter, "prototype").mark == standards.NOTHING_ASKED


@pytest.mark.parametrize(
    ("approved_stage", "days", "mark"),
    [("production", 0, "met"), ("production", -1, "not met"), ("mvp", None, "nothing asked")],
)
def test_production_is_accepted_again_or_its_standard_is_not_met(approved_stage, days, mark):
    by = None if days is None else TODAY + timedelta(days=days)
    found = standard(everything(approved_stage, reattest_by=by), "promotion_criteria", "production")
    assert found.mark == mark
    assert (" by " in found.note) is (by is not None)


# The five judgements


def test_each_requirement_speaks_to_exactly_one_judgement():
    paired = [key for row in PAIRINGS["judgements"].values() for key in row["requirements"]]
    assert sorted(paired) == sorted(parse(shipped_text()).requirements)


def test_a_requirement_of_an_own_rulebook_is_judged_by_its_layer():
    for layer in RULEBOOK.layers:
        row = next(row for row in RULEBOOK.requirements.values() if row.layer == layer)
        strange = type(row)(**{**vars(row), "key": "own.question"})
        assert judgements.judgement_of(strange) == judgements._OF_LAYER[layer]


def test_what_is_declared_speaks_to_a_judgement():
    declared = [key for row in RULEBOOK.criteria.values() for key in row.declared_goals]
    assert len(declared) == 5
    assert set(judgements._OF_DECLARED) < set(declared)
    assert {judgements.judgement_of_declared(key) for key in declared} == {
        "fitness",
        "risk",
        "supportability",
    }


# The file beside the rulebook


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('title = "Risk"', 'titel = "Risk"', 'the key "titel" is not known here'),
        ('= "mvp.rollout"', '= "mvp.roll"', 'names the requirement "mvp.roll", which is not known'),
        ("[standards.funding]", "[standards.money]", 'the key "money" is not known here'),
        ('production = ["re-attested"]', 'production = ["attested"]', 'the what shows it "attested"'),
        ('"bounded rollout"', '"narrow rollout"', 'the key "narrow rollout" is not known here'),
        ('layer = "Are', 'runtime = "Are', 'the key "runtime" is not known here'),
    ],
)
def test_a_pair_that_names_what_the_rulebook_does_not_have_is_refused_with_its_line(old, new, why):
    text = Path(pairings.__file__).with_name("pairings.toml").read_text()
    assert pairings.read(text) == PAIRINGS
    line = text[: text.index(old)].count("\n") + 1
    with pytest.raises(RulebookErrors) as error:
        pairings.read(text.replace(old, new, 1))
    assert any(problem.line == line and why in problem.what for problem in error.value.problems), error.value
