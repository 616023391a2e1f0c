"""Which version may be deployed to which stage, and what a no says, reason by reason."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from governance.authorization import deployment_decision
from governance.authorization.authzen import BadRequest
from governance.authorization.decision import InitiativeCondition, Version
from governance.authorization.deployment_decision import AskedDeployment, DeclaredVersion
from governance.contracts.cedar_policies import Policies
from governance.vocabulary import Stage

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
ASKED = AskedDeployment(DIGEST, "1.4.2", Stage.PRODUCTION)
RUNS = InitiativeCondition("production")
CONTRACT = Version(3, "d" * 64, datetime(2026, 1, 1, tzinfo=UTC), None, Policies(()))
DECLARED = (DeclaredVersion("Assistant", "1.4.2"),)


def decided(asked=ASKED, condition=RUNS, **changed):
    """The decision and its reasons, with everything in order that is not said."""
    facts = {"reported": False, "supported": "production", "contract": CONTRACT, "declared": DECLARED}
    return deployment_decision.decide(asked, condition, **facts | changed)


def evaluation_request(artefact=DIGEST, name="deploy", kind="artefact", **properties):
    return {
        "subject": {"type": "pipeline", "id": "release"},
        "action": {"name": name, "properties": {"stage": "production", "version": "1.4.2"} | properties},
        "resource": {"type": kind, "id": artefact},
    }


@pytest.mark.parametrize("stage", ["prototype", "mvp", "production"])
def test_a_version_may_go_to_the_approved_stage_and_to_each_before_it(stage):
    decision, reasons = decided(replace(ASKED, stage=Stage(stage)))
    assert (decision.allowed, decision.code, reasons) == (True, "deployment_allowed", ())


@pytest.mark.parametrize(
    ("condition", "changed", "says", "do"),
    [
        (InitiativeCondition("mvp"), {}, "The approved stage is mvp.", "Have the gate to production decided"),
        (RUNS, {"reported": True}, "reported by an import", "Have a review decide"),
        (RUNS, {"supported": "mvp"}, "supports at most the stage mvp", "Add the evidence"),
        (RUNS, {"supported": ""}, "is not known", "Ask again"),
        (RUNS, {"contract": None}, "No version of the contract is in force.", "Have the board approve"),
        (RUNS, {"declared": ()}, "neither running nor planned", "Record it under Versions and scope"),
        (RUNS, {"declared": (DeclaredVersion("A", "1.4.3"),)}, "neither running nor planned", "Record it"),
        (RUNS, {"declared": (DeclaredVersion("A", "1.4.2", OTHER),)}, "another digest", "as a new version"),
        (replace(RUNS, held=("A concern",)), {}, "held: A concern", "have the hold lifted"),
        (replace(RUNS, switched_off="Odd"), {}, "kill switch is on: Odd", "switch the systems on again"),
        (InitiativeCondition("stopped"), {}, "is stopped", "Deploy nothing"),
        (InitiativeCondition("stopped", switched_off="Odd"), {}, "is stopped", "Deploy nothing"),
        (InitiativeCondition("retired"), {}, "is retired", "Deploy nothing"),
        (replace(RUNS, withdrawn=True), {}, "is withdrawn", "Deploy nothing"),
        (InitiativeCondition("proposed"), {}, "is an idea", "Have the prototype gate decided"),
    ],
)
def test_each_obstacle_is_a_no_that_says_what_to_do(condition, changed, says, do):
    decision, reasons = decided(condition=condition, **changed)
    assert (decision.allowed, decision.code) == (False, "deployment_denied")
    (reason,) = reasons
    assert says in reason
    assert do in reason
    assert decision.reason == reason


def test_a_no_names_every_obstacle_at_once():
    condition = InitiativeCondition("mvp", held=("A concern",), switched_off="")
    _, reasons = decided(condition=condition, supported="prototype", contract=None, declared=())
    assert len(reasons) == 5


def test_a_contract_is_needed_for_production_alone():
    decision, _ = decided(replace(ASKED, stage=Stage.MVP), contract=None)
    assert decision.allowed


def test_a_version_with_a_recorded_digest_is_this_artefact_alone():
    declared = (DeclaredVersion("A", "1.4.2", OTHER), DeclaredVersion("A", "1.4.2", DIGEST))
    assert decided(declared=declared)[0].allowed
    assert not decided(declared=declared[:1])[0].allowed
    assert decided(replace(ASKED, version="1.4.2-RC"), declared=(DeclaredVersion("A", "1.4.2-rc"),))[
        0
    ].allowed


def test_only_the_action_deploy_on_an_artefact_is_for_the_gate():
    assert deployment_decision.is_asked(evaluation_request())
    assert not deployment_decision.is_asked(evaluation_request(name="Deploy"))
    assert not deployment_decision.is_asked(evaluation_request(kind="service"))
    assert deployment_decision.read(evaluation_request()) == ASKED


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (evaluation_request("a" * 64), "resource.id must be a digest"),
        (evaluation_request(f"{DIGEST}\n"), "resource.id must be a digest"),
        (evaluation_request(DIGEST.upper()), "resource.id must be a digest"),
        (evaluation_request(stage="proposed"), "must be one of prototype, mvp, production"),
        (evaluation_request(stage=None), "must be one of"),
        (evaluation_request(stage=["mvp"]), "must be one of"),
        (evaluation_request(version=""), "action.properties.version must be a text"),
        (evaluation_request(version=1.4), "action.properties.version must be a text"),
        (evaluation_request(version="1.4\u200b"), "has an invisible character"),
        (evaluation_request(version="1" * 81), "action.properties.version must be a text"),
        (evaluation_request() | {"action": {"name": "deploy"}}, "must be one of"),
    ],
)
def test_a_question_in_another_form_is_refused_with_its_field(asked, says):
    with pytest.raises(BadRequest, match=says.replace(".", r"\.")):
        deployment_decision.read(asked)
