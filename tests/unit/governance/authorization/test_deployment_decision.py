"""Which version may be deployed to which stage, and what a no says, reason by reason."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from governance.authorization import deployment_decision
from governance.authorization.authzen import BadRequest
from governance.authorization.decision import InitiativeCondition, Version
from governance.authorization.deployment_decision import AskedDeployment, DeclaredVersion
from governance.contracts.cedar_policies import Policies
from governance.vocabulary import Layer, Stage

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
ASKED = AskedDeployment(DIGEST, "1.4.2", Stage.PRODUCTION)
RUNS = InitiativeCondition("production")
CONTRACT = Version(3, "d" * 64, datetime(2026, 1, 1, tzinfo=UTC), None, Policies(()))
DECLARED = (DeclaredVersion("application", "Assistant", "1.4.2", DIGEST),)


def declared(version, artefact, layer="runtime", name="A"):
    """One version that the initiative runs."""
    return (DeclaredVersion(layer, name, version, artefact),)


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
        (RUNS, {"declared": declared("1.4.3", DIGEST)}, "neither running nor planned", "Record it"),
        (RUNS, {"declared": declared("1.4.2", OTHER)}, "another digest", "as a new version"),
        (RUNS, {"declared": declared("1.4.2", "")}, "No digest is recorded", "Record this version again"),
        (RUNS, {"declared": declared("1.4.2", DIGEST, "model")}, "of a model, A", "Ask for the version of"),
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


@pytest.mark.parametrize("stage", ["prototype", "mvp", "production"])
@pytest.mark.parametrize("layer", Layer)
def test_a_yes_is_for_the_digest_that_is_recorded_with_this_version_of_a_deployed_layer(stage, layer):
    asked = replace(ASKED, stage=Stage(stage), version="1.4.2-RC")
    both = (*declared("1.4.2-rc", OTHER, layer), *declared("1.4.2-rc", DIGEST, layer))
    assert decided(asked, declared=both)[0].allowed is (layer != "model")
    assert not decided(asked, declared=both[:1])[0].allowed


VERSIONS = {"of the component": "2.1", "of another": "7.0", "of the model": "m-4", "of none": "9.9"}
DIGESTS = {
    "of another component": f"sha256:{'c' * 64}",
    "of the model": f"sha256:{'d' * 64}",
    "of an earlier version": f"sha256:{'e' * 64}",
    "of none": OTHER,
    "empty": "",
    "uppercase": DIGEST.upper(),
    "uppercase digits": f"sha256:{'A' * 64}",
    "without its algorithm": "a" * 64,
    "of another algorithm": f"sha512:{'a' * 128}",
    "of an algorithm of the same length": f"blake3:{'a' * 64}",
    "a prefix": DIGEST[:-1],
    "longer": f"{DIGEST}a",
    "with a line break": f"{DIGEST}\n",
    "with a space": f" {DIGEST}",
    "with its image": f"app@{DIGEST}",
}
RUNNING = (
    *declared("2.1", DIGEST, "application", "Assistant"),
    *declared("7.0", DIGESTS["of another component"], "runtime", "Worker"),
    *declared("m-4", DIGESTS["of the model"], "model", "Language model"),
    *declared("8.0", "", "integration", "Adapter"),
)


def _questions():
    """Each digest with each version, but for the two that belong together, and a version without a digest."""
    for name, version in VERSIONS.items():
        for what, digest in (DIGESTS | {"of the component": DIGEST}).items():
            if (name, what) not in (("of the component",) * 2, ("of another", "of another component")):
                yield pytest.param(version, digest, id=f"version {name}, digest {what}")
    for what in ("of none", "of another component", "of the model"):
        yield pytest.param("8.0", DIGESTS[what], id=f"version without a digest, digest {what}")


HOSTILE = list(_questions())


def test_there_are_sixty_hostile_questions():
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize(("version", "digest"), HOSTILE)
@pytest.mark.parametrize("stage", ["prototype", "mvp", "production"])
def test_no_hostile_question_gets_a_yes(version, digest, stage):
    try:
        asked = deployment_decision.read(evaluation_request(digest, version=version, stage=stage))
    except BadRequest:
        return
    assert not decided(asked, declared=RUNNING)[0].allowed


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
