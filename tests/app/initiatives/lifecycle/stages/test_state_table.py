"""The table of moves, by hand from docs/domain.md: what is not in it is refused, by machine and by action."""

from itertools import product

import pytest
from django.db import DatabaseError
from django_fsm import TransitionNotAllowed, can_proceed

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Refused
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative, StageChange
from initiatives.models.initiative import gate_out_of, machine
from initiatives.models.stage_machine import Judgement, judged
from tests.acceptance.walks.story import undone
from tests.support import factories
from tests.support.reported_stages import make_reported

STAGES = ["proposed", "prototype", "mvp", "production", "stopped", "retired"]

# method: {from: to}. Any other (stage, method) is refused.
MACHINE = {
    "promote_to_prototype": {"proposed": "prototype"},
    "promote_to_mvp": {"prototype": "mvp"},
    "promote_to_production": {"mvp": "production"},
    "step_back_to_mvp": {"production": "mvp"},
    "step_back_to_prototype": {"mvp": "prototype", "production": "prototype"},
    "stop": {"proposed": "stopped", "prototype": "stopped", "mvp": "stopped"},
    "retire": {"production": "retired"},
    "retire_in_emergency": {"production": "retired"},
    "reopen_as_prototype": {"stopped": "prototype"},
    "reopen_as_proposed": {"stopped": "proposed"},
    "report_prototype": {"proposed": "prototype"},
    "report_mvp": {"proposed": "mvp"},
    "report_production": {"proposed": "production"},
    "report_stopped": {"proposed": "stopped"},
    "report_retired": {"proposed": "retired"},
    "withdraw_report": dict.fromkeys(("prototype", "mvp", "production", "stopped", "retired"), "proposed"),
}

# What each method waits for, beside the stage it leads out of; the others wait for nothing that has to be judged.
JUDGED = {
    "promote_to_prototype": Judgement(gate="prototype"),
    "promote_to_mvp": Judgement(gate="mvp"),
    "promote_to_production": Judgement(gate="production"),
    "retire": Judgement(gate="retire"),
    "reopen_as_prototype": Judgement(was_prototype=True, post_mortem_written=True),
    "reopen_as_proposed": Judgement(was_prototype=False, post_mortem_written=True),
}
# What the database lets pass: (basis, from, to) of each method.
BASIS = {
    "promote": "decision",
    "step": "step back",
    "stop": "stopped",
    "reopen": "reopened",
    "report": "import",
    "withdraw": "import undone",
    "retire": "decision",
}


def basis_of(method):
    return "emergency" if method == "retire_in_emergency" else BASIS[method.split("_")[0]]


@pytest.mark.parametrize("method", MACHINE)
@pytest.mark.parametrize("stage", STAGES)
def test_the_machine(stage, method):
    initiative = Initiative(stage=stage, basis="import" if method == "withdraw_report" else "registered")
    expected = MACHINE[method].get(stage)
    with judged(initiative, JUDGED.get(method, Judgement())):
        if expected is None:
            with pytest.raises(TransitionNotAllowed):
                getattr(initiative, method)()
            assert initiative.stage == stage
        else:
            getattr(initiative, method)()
            assert initiative.stage == expected


@pytest.mark.parametrize("method", JUDGED)
def test_what_has_to_be_judged_waits_for_exactly_its_own_judgement(method):
    stage = next(iter(MACHINE[method]))
    wrong = [
        Judgement(),
        *(judgement for other, judgement in JUDGED.items() if other != method),
        Judgement(was_prototype=True),
        Judgement(was_prototype=False),
        Judgement(post_mortem_written=True),
    ]
    for judgement in wrong:
        initiative = Initiative(stage=stage)
        with judged(initiative, judgement):
            assert not can_proceed(getattr(initiative, method)), judgement
            with pytest.raises(TransitionNotAllowed):
                getattr(initiative, method)()
    with judged(initiative, JUDGED[method]):
        assert can_proceed(getattr(initiative, method))
    assert not can_proceed(getattr(initiative, method)), "the judgement ends with its request"


def test_a_withdrawn_idea_is_neither_stopped_nor_promoted_and_what_moved_is_reported_by_no_import():
    withdrawn = Initiative(stage="proposed", withdrawn_at=clock.now())
    with judged(withdrawn, Judgement(gate="prototype")):
        assert {move.custom["kind"] for move in withdrawn.get_available_stage_transitions()} == {"reported"}
    moved = Initiative(stage="proposed", basis="reopened")
    assert {move.name for move in moved.get_available_stage_transitions()} == {"stop"}


@pytest.mark.parametrize("basis", ["registered", "decision", "step back", "stopped", "reopened", "emergency"])
def test_only_what_an_import_reports_is_withdrawn(basis):
    for stage in STAGES:
        offered = Initiative(stage=stage, basis=basis).get_available_stage_transitions()
        assert "withdraw_report" not in {move.name for move in offered}


def test_conditions_ask_the_database_nothing():
    # pytest-django blocks the database here, so that any requirement would raise.
    for stage in STAGES:
        list(Initiative(stage=stage).get_available_stage_transitions())


def test_a_gate_leads_out_of_each_running_stage():
    assert {stage: gate_out_of(stage) for stage in STAGES} == {"stopped": "", "retired": "", **GATE}


def test_the_machine_has_no_other_moves():
    moves = {(move.name, move.source, move.target) for move in machine()}
    assert moves == {(name, *move) for name, moves in MACHINE.items() for move in moves.items()}


def test_every_move_is_closed_to_templates_and_has_its_sentence():
    for name in MACHINE:
        method = getattr(Initiative, name)
        assert method.alters_data, f"{{{{ initiative.{name} }}}} would move the initiative"
        assert method.__doc__.strip().endswith("."), name


def test_but_for_imports_nothing_leads_out_of_retired_or_from_prototype_to_production():
    ours = {name: moves for name, moves in MACHINE.items() if name != "withdraw_report"}
    assert not [name for name, moves in ours.items() if "retired" in moves]
    assert not [name for name, moves in ours.items() if moves.get("prototype") == "production"]


# The acts that move an initiative: (who may, {stage: where it leads}).
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


def perform(name, initiative, by):
    scope = {"users": "Nobody", "user_count": 0}
    if name == "step back":
        return stage_actions.step_back(
            initiative=initiative, reason="Cut back.", users_told="By mail.", scope=scope, by=by
        )
    if name == "stop":
        return stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=by)
    if name == "open review":
        return review_actions.open_review(initiative=initiative, by=by)
    act = {
        "retire": stage_actions.retire,
        "reopen": stage_actions.reopen,
        "withdraw": detail_actions.withdraw,
    }[name]
    return act(initiative=initiative, reason="Because.", by=by)


def attempt(name, pk, by):
    """The row that the act returned and the initiative after it; or what it was refused with."""
    try:
        return perform(name, Initiative.objects.get(pk=pk), by), Initiative.objects.get(pk=pk)
    except Refused as refused:
        return refused, None


@pytest.mark.django_db
def test_the_database_has_the_moves_of_the_machine_and_no_others(cast):
    """The guard of stage changes is written in SQL: tried with every move."""
    initiative, known = factories.make_initiative(cast), set()
    bases = {move.custom["basis"] for move in machine()}
    entry = Entry.objects.latest("pk").pk
    for basis, source, target in product([*bases, "registered", "by hand"], STAGES, STAGES):
        move = {"basis": basis, "from_stage": source, "to_stage": target}
        attempt = pytest.raises((DatabaseError, RuntimeError))
        with attempt as caught, undone(), acting(by=cast.admin, reason="Tried"):
            StageChange(initiative=initiative, at=clock.now(), entry_id=entry, **move).save()
            raise RuntimeError("taken")
        if "there is no move" not in str(caught.value):
            known.add((basis, source, target))
    assert known == {(move.custom["basis"], move.source, move.target) for move in machine()}
    assert known == {(basis_of(name), *pair) for name, pairs in MACHINE.items() for pair in pairs.items()}


@pytest.mark.django_db
def test_the_database_keeps_what_was_decided_here_from_imports(cast):
    initiative = factories.make_initiative(cast)
    initiative = stage_actions.stop(
        initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner
    )
    initiative = stage_actions.reopen(initiative=initiative, reason="Cheaper now.", by=cast.chair)
    entry = Entry.objects.latest("pk").pk
    tried = acting(by=cast.admin, reason="Tried")
    with pytest.raises(DatabaseError, match="where one was decided here"), undone(), tried:
        StageChange(
            initiative=initiative, basis="import", from_stage=initiative.stage, to_stage="production",
            at=clock.now(), entry_id=entry,
        ).save()  # fmt: skip


@pytest.mark.django_db
def test_only_what_an_import_alone_reports_is_withdrawn(cast):
    decided = factories.make_initiative(cast)
    with (
        pytest.raises(DatabaseError, match="rests on a decision"),
        undone(),
        acting(by=cast.admin, reason="Tried"),
    ):
        StageChange(
            initiative=decided,
            at=clock.now(),
            entry_id=Entry.objects.latest("pk").pk,
            basis="import undone",
            from_stage="prototype",
            to_stage="proposed",
        ).save()
    assert not can_proceed(Initiative(stage="mvp", basis="decision").withdraw_report)


@pytest.mark.django_db
def test_who_moves_what(cast):
    for stage in STAGES:
        initiative = make_reported(cast, stage)
        if stage in ("prototype", "mvp"):
            initiative_acts.propose_and_confirm_tier(initiative, cast.team)
        for name, (allowed, leads) in ACTS.items():
            for who in PEOPLE:
                may = stage in leads and who in allowed
                with undone():
                    done, after = attempt(name, initiative.pk, getattr(cast, who))
                    assert (after is not None) is may, f"{who}, {name} at {stage}: {done}"
                    if may:
                        assert after.stage == leads[stage], f"{who}, {name} at {stage}: led to {after.stage}"
                    if may and name == "open review":
                        assert done.gate == GATE[stage]
                    if may and name == "withdraw":
                        assert after.withdrawn_at
        assert Initiative.objects.get(pk=initiative.pk).stage == stage


# Acts that a page of an initiative offers, as the machine calls their moves; an admin may report a stage for an idea,
# by an import.
KINDS = {"step back": "step back", "stop": "stop", "retire": "emergency", "reopen": "reopening"}


@pytest.mark.django_db
def test_a_page_offers_whom_the_act_lets(cast):
    for stage in STAGES:
        initiative = make_reported(cast, stage)
        for who in PEOPLE:
            acts = {name for name, (allowed, leads) in ACTS.items() if stage in leads and who in allowed}
            kinds = {kind for name, kind in KINDS.items() if name in acts}
            if who == "admin":
                kinds |= {"reported" if stage == "proposed" else "report withdrawn"}
            assert WhoMay(initiative, getattr(cast, who)).moves == kinds, f"{who} at {stage}"


@pytest.mark.django_db
def test_a_withdrawn_idea_does_not_move(cast):
    initiative = detail_actions.withdraw(
        initiative=make_reported(cast, "proposed"), reason="By mistake.", by=cast.owner
    )
    for name in ACTS:
        for by in (cast.owner, cast.chair):
            with pytest.raises(Refused), undone():
                perform(name, initiative, by)


@pytest.mark.django_db
def test_what_had_passed_its_gate_is_reopened_as_a_prototype(cast):
    initiative = make_reported(cast, "prototype")
    with acting(by=cast.owner, reason="Stop"):
        stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    with pytest.raises(Refused, match="The post-mortem of this initiative is still due"):
        stage_actions.reopen(initiative=initiative, reason="Again.", by=cast.chair)
    factories.make_written(
        initiative.obligations.get(kind="post_mortem"), by=cast.owner, confirmed_by=cast.seat_adoption
    )
    assert stage_actions.reopen(initiative=initiative, reason="Again.", by=cast.chair).stage == "prototype"


@pytest.mark.django_db
def test_production_is_accepted_again_by_two_people_and_confirmed(cast):
    for stage in STAGES:
        if stage != "production":
            with pytest.raises(Refused, match="This initiative is not in production"), undone():
                stage_actions.reattest(initiative=make_reported(cast, stage), reason="Yearly.", by=cast.chair)
    initiative = make_reported(cast, "production")
    role = role_actions.propose_role(
        initiative=initiative, role="support_owner", person=cast.support, by=cast.owner
    )
    with pytest.raises(Refused, match="The support owner has not accepted"):
        stage_actions.reattest(initiative=initiative, reason="Yearly.", by=cast.chair)
    role_actions.accept_role(assignment=role, by=cast.support)
    for who in PEOPLE:
        if who != "chair":
            with pytest.raises(Refused), undone():
                stage_actions.reattest(initiative=initiative, reason="Yearly.", by=getattr(cast, who))
    initiative = stage_actions.reattest(initiative=initiative, reason="Yearly.", by=cast.chair)
    assert initiative.stage == "production"
    assert initiative.reattested_at is not None
