"""docs/requirements.md is complete and honest; and what the rulebook itself has to ask, for the ids that name it."""

import re
from functools import cache

import pytest

from governance.rulebook import parse, shipped_text
from governance.vocabulary import Seat
from tests.support.paths import ROOT

TABLE = ROOT / "docs" / "requirements.md"
ISSUES = {"record", "at home", "contract", "integration", "adoption"}

# Every requirement of the three texts, by the ids they were given when they were read.
IDS = re.findall(
    r"\S+",
    """
S0-1 S0-2 S0-3 S0-4 S0-5 S0-6 S0-7.1 S0-7.2 S0-7.3 S0-7.4 S0-7.5 S0-7.6 S0-7.7 S0-7.8 S0-8 S0-9 S0-10 S0-11 S0-12
S0-13 S0-14 S0-15 S0-16 S0-17 S0-18 S0-19 S0-20 S0-21 S0-22 S0-23 S0-24 S0-25 S0-26 S0-27 S0-28 S0-29 S0-30 S0-31
S1-1 S1-2 S1-3 S1-4 S1-5 S1-6 S1-7 S1-8.1 S1-8.2 S1-9 S1-10 S1-11 S1-12 S1-13 S1-14.1 S1-14.2 S1-14.3 S1-14.4 S1-15
S1-16 S1-17.1 S1-17.2 S1-18.1 S1-18.2 S1-19 S1-20 S1-21 S1-22 S1-23 S1-24 S1-25.1 S1-25.2 S1-26 S1-27 S1-28.1 S1-28.2
S1-28.3 S1-28.4 S1-29 S1-30 S1-31.1 S1-31.2 S1-31.3 S1-31.4 S1-32 S1-33 S1-34 S1-35 S1-36 S1-37 S1-38 S1-39
S2-1 S2-2 S2-3.1 S2-3.2 S2-3.3 S2-3.4 S2-3.5 S2-3.6 S2-4.1-9 S2-5 S2-6.1-3 S2-7.1-8 S2-8 S2-9 S2-10.1-5 S2-11.1
S2-11.2 S2-11.3 S2-11.4 S2-11.5 S2-11.6 S2-11.7 S2-11.8 S2-12 S2-13 S2-14.1-5 S2-15.1-12 S2-16 S2-17.1-3 S2-18 S2-19
S2-20 S2-21 S2-22 S2-23 S2-24 S2-25.1 S2-25.2 S2-25.3 S2-25.4 S2-25.5 S2-25.6 S2-26.1-3 S2-27.1-6 S2-28 S2-29.1-10
S2-30 S2-31.1 S2-31.2 S2-31.3 S2-31.4 S2-31.5 S2-31.6 S2-31.7 S2-31.8 S2-31.9 S2-31.10 S2-31.11 S2-32 S2-33.1-5
S2-34.1-3 S2-35.1 S2-35.2 S2-36.1-5 S2-37.1-7 S2-38 S2-39.1-5 S2-40 S2-41 S2-42
""",
)
WITHOUT = {"S1-34"}  # its list is missing from our copy

# What a gate has to ask for, by the id that wants it: (gate, keys of the rulebook, all of them blocking).
ASKED = {
    "S0-1": ("mvp", "gov.autonomy gov.human_approval gov.edge_policies gov.record_owner"),
    "S0-17": ("production", "gov.enforced"),
    "S0-18": ("production", "layer.policy"),
    "S0-19": ("production", "layer.runtime"),
    "S0-20": ("production", "layer.observability"),
    "S0-22": ("production", "int.anchor"),
    "S0-23": ("production", "int.audit_trail"),
    "S0-24": ("production", "prod.q10_outage int.fallback"),
    "S0-26": ("production", "adopt.explains"),
    "S0-27": ("production", "adopt.recoverable"),
    "S0-28": ("production", "adopt.burden"),
    "S0-29": ("production", "adopt.trust"),
    "S1-4": ("production", "int.identity"),
    "S1-5": ("mvp", "mvp.workflow"),
    "S1-9": ("mvp", "int.residency int.inventory"),
    "S1-26": ("mvp", "mvp.workflow"),
    "S1-28.1": ("production", "prod.q03_logged"),
    "S1-28.3": ("production", "int.audit_trail"),
    "S1-30": ("mvp", "mvp.observability"),
    "S1-35": ("production", "prod.q08_change_control prod.q02_support prod.q10_outage"),
    "S2-3.1": ("prototype", "proto.not_production"),
    "S2-3.2": ("mvp", "mvp.duty"),
    "S2-3.6": ("mvp", "gov.autonomy gov.human_approval gov.edge_policies gov.record_owner"),
    "S2-9": ("mvp", "mvp.problem mvp.rollout"),
    "S2-11.1": ("mvp", "mvp.problem"),
    "S2-11.2": ("mvp", "mvp.owner"),
    "S2-11.3": ("mvp", "mvp.success"),
    "S2-11.4": ("mvp", "mvp.users"),
    "S2-11.5": ("mvp", "mvp.observability"),
    "S2-11.6": ("mvp", "mvp.override"),
    "S2-11.7": ("mvp", "mvp.duty"),
    "S2-11.8": ("mvp", "mvp.rollout"),
    "S2-13": ("production", "production.business_depends"),
    "S2-15.1-12": (
        "production",
        "prod.q01_outcome_owner prod.q02_support prod.q03_logged prod.q04_exceptions prod.q10_outage"
        " prod.q09_escalation prod.q06_human_review prod.q07_governance_evidence prod.q08_change_control"
        " prod.performance prod.q11_expectations prod.monitoring prod.maintenance",
    ),
    "S2-25.3": ("mvp", "gov.autonomy gov.human_approval gov.edge_policies gov.record_owner"),
    "S2-25.5": ("mvp", "mvp.observability"),
    "S2-27.1-6": (
        "prototype",
        "proto.question proto.scope proto.assumptions proto.limitations proto.not_production proto.to_advance",
    ),
    "S2-29.1-10": (
        "mvp",
        "mvp.problem mvp.workflow mvp.owner mvp.users mvp.success mvp.observability mvp.rollout mvp.override mvp.risk"
        " mvp.advance_evidence",
    ),
    "S2-31.1": ("production", "prod.q01_outcome_owner"),
    "S2-31.2": ("production", "prod.q02_support"),
    "S2-31.3": ("production", "prod.q03_logged"),
    "S2-31.4": ("production", "prod.q04_exceptions"),
    "S2-31.5": ("production", "prod.q05_wrong_output"),
    "S2-31.6": ("production", "prod.q06_human_review"),
    "S2-31.8": ("production", "prod.q08_change_control"),
    "S2-31.9": ("production", "prod.q09_escalation"),
    "S2-31.10": ("production", "prod.q10_outage"),
    "S2-31.11": ("production", "prod.q11_expectations"),
    "S2-41": ("prototype", "prototype.selected"),
}


@cache
def rulebook():
    return parse(shipped_text())


def rows() -> list[tuple[str, str, str]]:
    lines = re.findall(r"^\| (S\d-[\d.\-]+) \| (.+) \| (.+) \|$", TABLE.read_text(), re.MULTILINE)
    return [tuple(cell.strip() for cell in line) for line in lines]


# The table


def test_every_id_is_there_once_and_in_order():
    assert [row[0] for row in rows()] == IDS


def test_every_row_names_a_test_or_an_issue():
    """`make lint` checks that each test named exists."""
    shows = re.compile(rf"`tests/[\w/]+\.py::test_\w+`|due: ({'|'.join(ISSUES)})")
    named = [(key, part) for key, _, shown in rows() for part in shown.split("; ") if key not in WITHOUT]
    wrong = [one for one in named if not shows.fullmatch(one[1])]
    assert not wrong, wrong


def test_the_questions_of_the_table_are_asked_here():
    named = {key for key, _, shown in rows() if "::test_the_gate_asks_for`" in shown}
    assert named == set(ASKED)


# What the rulebook has to ask


def test_the_gate_asks_for():
    missing = {}
    for key, (gate, wanted) in ASKED.items():
        blocking = {
            name
            for criterion in rulebook().gates[gate].criteria
            if criterion.blocking and criterion.due_days is None
            for name in criterion.requirements
            if rulebook().requirements[name].blocking
        }
        missing[key] = set(wanted.split()) - blocking
    wrong = {key: names for key, names in missing.items() if names}
    assert not wrong, wrong


def test_the_gate_has_its_criteria():
    wanted = {
        "mvp": "real_use_case named_owner workflow_known value_measurable rollout_bounded",
        "production": "support_ownership observability exceptions review_escalation governance_satisfied"
        " operational_acceptance business_depends",
    }
    for gate, names in wanted.items():
        for name in names.split():
            criterion = rulebook().criteria[f"{gate}.{name}"]
            assert criterion.gate == gate
            assert criterion.blocking
            assert criterion.seat in Seat


def test_each_gate_asks_for_something_else():
    asked = {gate: set(rulebook().gates[gate].requirements()) for gate in ("prototype", "mvp", "production")}
    assert not asked["prototype"] & asked["mvp"]
    assert not asked["prototype"] & asked["production"]
    assert len(asked["production"] - asked["mvp"]) > len(asked["mvp"] & asked["production"])


def test_a_prototype_asks_for_nothing_but_honesty():
    gate = rulebook().gates["prototype"]
    honest = {*ASKED["S2-27.1-6"][1].split(), "prototype.selected"}
    assert set(gate.requirements()) == honest | {"proto.personal_data"}, (
        "and for what the law asks of a trial"
    )
    assert all("attestation" in rulebook().requirements[key].evidence for key in honest)
    assert gate.quorum == 1


def test_the_scale_tests_are_three():
    tests = rulebook().scale_tests
    assert list(tests) == ["governance", "integration", "adoption"]
    assert all(test.items for test in tests.values())
    assert {
        criterion.scale_test for criterion in rulebook().gates["production"].criteria if criterion.scale_test
    } == set(tests)
    assert not any(rulebook().waivable_requirement(key) for test in tests.values() for key in test.items)


def test_the_contract_has_its_clauses():
    assert rulebook().contract.required_clauses == (
        "autonomy",
        "human_approval",
        "edge_policy",
        "record_owner",
    )
    assert set(rulebook().contract.seats) <= set(Seat)


def test_hardly_anything_asks_about_the_model():
    asked = [rulebook().requirements[key] for key in rulebook().gates["production"].requirements()]
    assert [requirement.key for requirement in asked if requirement.layer == "model"] == ["prod.performance"]
    assert len(asked) > 30


def test_training_is_no_evidence():
    assert not any("training" in kind for kind in rulebook().evidence_kinds)
    for key in rulebook().scale_tests["adoption"].items:
        assert "attestation" not in rulebook().requirements[key].evidence, key


def test_adoption_is_shown_by_use():
    assert rulebook().requirements["adopt.usage"].min_evidence == "telemetry"
    assert set(rulebook().requirements["adopt.behaviour"].evidence) == {"user_research", "telemetry"}


def test_a_demo_is_no_kind_of_evidence():
    assert not {"demo", "announcement", "model_card"} & set(rulebook().evidence_kinds)


def test_every_requirement_points_to_a_framework():
    asked = [
        requirement
        for requirement in rulebook().requirements.values()
        if requirement.key not in rulebook().criteria
    ]
    assert all(requirement.crosswalk for requirement in asked)


def test_every_requirement_has_a_layer():
    assert set(rulebook().layers) == {
        "model",
        "application",
        "integration",
        "policy",
        "runtime",
        "observability",
    }
    assert {requirement.layer for requirement in rulebook().requirements.values()} == set(rulebook().layers)


def test_evidence_ages_by_layer():
    days = {key: requirement.fresh_days for key, requirement in rulebook().requirements.items()}
    assert days["mvp.possibility"] == 90
    assert days["prod.monitoring"] == 180
    assert days["prod.performance"] == days["prod.q04_exceptions"] == days["int.residency"] == 365
    assert rulebook().requirements["prod.performance"].days("high") == 180


def test_the_hard_part_is_tried_on_everything():
    asked = rulebook().requirements
    assert asked["mvp.possibility"].min_condition == "curated"
    assert asked["prod.performance"].min_condition == "bounded_real"
    assert asked["int.representative"].min_condition == "full_population"


def test_logs_and_trails_are_never_waived():
    for key in ("prod.q03_logged", "int.audit_trail", "prod.q02_support"):
        assert not rulebook().waivable_requirement(key), key
    for key in ("production.observability", "production.support_ownership", "production.layers_auditable"):
        assert not rulebook().waivable_criterion(key), key


def test_hard_conversations_are_due_at_the_mvp_gate():
    asked = set(rulebook().gates["mvp"].requirements())
    assert asked >= {"mvp.owner", "mvp.observability", "mvp.override", "gov.edge_policies", "gov.autonomy"}


def test_five_things_are_declared():
    declared = [key for criterion in rulebook().criteria.values() for key in criterion.declared_goals]
    assert len(declared) == 5
    assert set(rulebook().criteria["production.mvp_goals"].declared_goals) == set(declared)


def test_five_hard_things_block():
    blocking = {
        c.key for gate in ("mvp", "production") for c in rulebook().gates[gate].criteria if c.blocking
    }
    assert blocking >= {
        "production.test_integration",
        "mvp.workflow_known",
        "mvp.named_owner",
        "production.support_ownership",
        "production.governance_satisfied",
    }


def test_nine_standards_for_each_stage():
    assert len(rulebook().standards) == 9
    for name, standard in rulebook().standards.items():
        assert set(standard) == {"prototype", "mvp", "production"}, name
        assert len(set(standard.values())) == 3, name


def test_each_stage_has_its_goal_and_question():
    stages = [rulebook().stages[key] for key in ("prototype", "mvp", "production")]
    assert [stage.kind for stage in stages] == ["exploration", "validation", "operation"]
    assert len({stage.goal for stage in stages}) == len({stage.question for stage in stages}) == 3
    assert all(stage.goal.startswith("Prove ") and stage.question.endswith("?") for stage in stages)


def test_what_a_prototype_may_lack():
    assert len(rulebook().stages["prototype"].tolerated) == 8
    assert set(rulebook().stages["prototype"].tolerated).isdisjoint(rulebook().stages["mvp"].tolerated)


@pytest.mark.django_db
def test_a_prototype_has_no_dependants_rollout_or_live_data(cast):
    from django.core.exceptions import ValidationError

    from governance.permission_result import Refused
    from initiatives.lifecycle.holds import dependant_deeds
    from initiatives.lifecycle.scope import actions as scope_actions
    from tests.support import factories

    initiative = factories.make_prototype(cast)
    with pytest.raises(Refused, match="no dependants"):
        dependant_deeds.add_dependant(
            initiative=initiative,
            who="Billing",
            for_what="Letters",
            bearable_outage_hours=1,
            executive=cast.sponsor,
            by=cast.owner,
        )
    with pytest.raises(ValidationError) as wrong:
        scope_actions.record_scope(
            initiative=initiative,
            users="Two people",
            user_count=2,
            rollout=True,
            live_data=True,
            by=cast.owner,
        )
    assert set(wrong.value.message_dict) == {"rollout", "live_data"}
