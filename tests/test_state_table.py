"""The table of moves, written out by hand from domain.md: what is not in it is refused, by machine and by action."""

import pytest
from django_fsm import TransitionNotAllowed

from governance.answers import Refused
from governance.history import acting
from initiatives import actions
from initiatives.models import Initiative
from tests import factories
from tests.claims import make_claim
from tests.walks.story import undone

STAGES = ["proposed", "prototype", "mvp", "production", "stopped", "retired"]

# method: {from: to}. Any other (stage, method) is refused.
MACHINE = {
    "promote_to_prototype": {"proposed": "prototype"},
    "promote_to_mvp": {"prototype": "mvp"},
    "promote_to_production": {"mvp": "production"},
    "step_back_to_mvp": {"production": "mvp"},
    "step_back_to_prototype": {"mvp": "prototype"},
    "stop": {"proposed": "stopped", "prototype": "stopped", "mvp": "stopped"},
    "retire": {"production": "retired"},
    "reopen_as_prototype": {"stopped": "prototype"},
    "reopen_as_proposed": {"stopped": "proposed"},
    "claim_prototype": {"proposed": "prototype"},
    "claim_mvp": {"proposed": "mvp"},
    "claim_production": {"proposed": "production"},
    "claim_stopped": {"proposed": "stopped"},
    "claim_retired": {"proposed": "retired"},
}


@pytest.mark.parametrize("method", MACHINE)
@pytest.mark.parametrize("stage", STAGES)
def test_the_machine(stage, method):
    case = Initiative(stage=stage)
    expected = MACHINE[method].get(stage)
    if expected is None:
        with pytest.raises(TransitionNotAllowed):
            getattr(case, method)()
        assert case.stage == stage
    else:
        getattr(case, method)()
        assert case.stage == expected


def test_the_machine_has_no_other_moves():
    names = {transition.name for transition in Initiative().get_all_stage_transitions()}
    assert names == set(MACHINE)


def test_every_move_is_closed_to_templates_and_has_its_sentence():
    for name in MACHINE:
        method = getattr(Initiative, name)
        assert method.alters_data, f"{{{{ case.{name} }}}} would move the case"
        assert method.__doc__.strip().endswith("."), name


def test_nothing_leads_out_of_retired_and_nothing_from_prototype_to_production():
    assert not [name for name, moves in MACHINE.items() if "retired" in moves]
    assert not [name for name, moves in MACHINE.items() if moves.get("prototype") == "production"]


# The acts that move a case: (who may, {stage: where it leads}).
OWNER, CHAIR = "owner", "chair"
ACTS = {
    "step back": ({CHAIR}, {"production": "mvp", "mvp": "prototype"}),
    "stop": ({OWNER, CHAIR}, {"proposed": "stopped", "prototype": "stopped", "mvp": "stopped"}),
    "retire": ({CHAIR}, {"production": "retired"}),
    "reopen": ({CHAIR}, {"stopped": "proposed"}),
    "withdraw": ({OWNER, CHAIR}, {"proposed": "proposed"}),
    "open review": (
        {OWNER},
        {"proposed": "proposed", "prototype": "prototype", "mvp": "mvp", "production": "production"},
    ),
}
GATE = {"proposed": "prototype", "prototype": "mvp", "mvp": "production", "production": "retire"}
PEOPLE = [
    "owner",
    "support",
    "seat_value",
    "chair",
    "deputy_chair",
    "admin",
    "outsider",
]


def perform(name, case, by):
    scope = {"users": "Nobody", "user_count": 0}
    if name == "step back":
        return actions.step_back(case=case, reason="Cut back.", users_told="By mail.", scope=scope, by=by)
    if name == "stop":
        return actions.stop(case=case, reason_code="cost", reason="Too dear.", by=by)
    if name == "open review":
        return actions.open_review(case=case, by=by)
    return getattr(actions, name)(case=case, reason="Because.", by=by)


def attempt(name, pk, by):
    """The row that the act returned and the case after it; or what it was refused with."""
    try:
        return perform(name, Initiative.objects.get(pk=pk), by), Initiative.objects.get(pk=pk)
    except Refused as refused:
        return refused, None


@pytest.mark.django_db
def test_who_moves_what(cast):
    for stage in STAGES:
        case = make_claim(cast, stage)
        for name, (allowed, leads) in ACTS.items():
            for who in PEOPLE:
                may = stage in leads and who in allowed
                with undone():
                    done, after = attempt(name, case.pk, getattr(cast, who))
                    assert (after is not None) is may, f"{who}, {name} at {stage}: {done}"
                    if may:
                        assert after.stage == leads[stage], f"{who}, {name} at {stage}: led to {after.stage}"
                    if may and name == "open review":
                        assert done.gate == GATE[stage]
                    if may and name == "withdraw":
                        assert after.withdrawn_at
        assert Initiative.objects.get(pk=case.pk).stage == stage


@pytest.mark.django_db
def test_a_withdrawn_idea_does_not_move(cast):
    case = actions.withdraw(case=make_claim(cast, "proposed"), reason="By mistake.", by=cast.owner)
    for name in ACTS:
        for by in (cast.owner, cast.chair):
            with pytest.raises(Refused), undone():
                perform(name, case, by)


@pytest.mark.django_db
def test_what_had_passed_its_gate_is_reopened_as_a_prototype(cast):
    case = make_claim(cast, "prototype")
    with acting(by=cast.owner, reason="Stop"):
        actions.stop(case=case, reason_code="cost", reason="Too dear.", by=cast.owner)
    with pytest.raises(Refused, match="post-mortem is still owed"):
        actions.reopen(case=case, reason="Again.", by=cast.chair)
    factories.make_written(
        case.obligations.get(kind="post_mortem"), by=cast.owner, confirmed_by=cast.seat_adoption
    )
    assert actions.reopen(case=case, reason="Again.", by=cast.chair).stage == "prototype"


@pytest.mark.django_db
def test_production_is_accepted_again_by_two_people_and_confirmed(cast):
    for stage in STAGES:
        if stage != "production":
            with pytest.raises(Refused, match="Only production"), undone():
                actions.reattest(case=make_claim(cast, stage), reason="Yearly.", by=cast.chair)
    case = make_claim(cast, "production")
    role = actions.propose_role(case=case, role="support_owner", person=cast.support, by=cast.owner)
    with pytest.raises(Refused, match="The support owner has not accepted"):
        actions.reattest(case=case, reason="Yearly.", by=cast.chair)
    actions.accept_role(assignment=role, by=cast.support)
    for who in PEOPLE:
        if who != "chair":
            with pytest.raises(Refused), undone():
                actions.reattest(case=case, reason="Yearly.", by=getattr(cast, who))
    case = actions.reattest(case=case, reason="Yearly.", by=cast.chair)
    assert case.stage == "production"
    assert case.reattested_at is not None
