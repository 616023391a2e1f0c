"""What a pipeline is answered before it deploys, what is kept of it, and what it cannot be confused with."""

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.audit import search as audit_search
from governance.authorization import decision_log, decision_queries
from governance.models import Rulebook
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement import deployment_gate, kill_switch
from initiatives.integration.components import actions as component_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import DeploymentDecision, Initiative
from tests.app.initiatives.contracts.enforcement.test_authzen import ALWAYS, EVERYBODY, may
from tests.support import factories
from tests.support.database import snapshots
from tests.support.servers.asking_systems import System, logged
from tests.support.servers.pipelines import DIGEST, OTHER, Pipeline, deployment

pytestmark = pytest.mark.django_db

URL = "/access/v1/evaluation"


def with_digest(cast, initiative: Initiative, version: str = "1.0", artefact: str = DIGEST) -> Initiative:
    """The initiative, with the digest of its application."""
    component_actions.record_component(
        initiative=initiative,
        layer="application",
        name="Assistant",
        version=version,
        artefact=artefact,
        by=cast.owner,
    )
    return initiative_acts.fresh(initiative)


@pytest.fixture
def production(cast) -> Initiative:
    return with_digest(cast, factories.make_production(cast))


@pytest.fixture
@snapshots.kept
def pipeline(cast, production) -> Pipeline:
    return Pipeline(factories.make_key(cast, production, scopes=["deployments"], system="Release")[1].text)


def reasons(answer: dict) -> list[str]:
    assert answer["decision"] is False
    assert answer["context"]["code"] == "deployment_denied"
    return answer["context"]["reasons"]


def test_a_question_about_a_deployment_costs_what_it_writes(pipeline, monkeypatch):
    paid = []
    monkeypatch.setattr(enforcement_api, "pay", lambda _key, _size, count: paid.append(count))
    pipeline.asks()
    call = deployment(resource={"type": "record", "id": "r-1"})
    pipeline.ask_all({"evaluations": [deployment(), deployment("2.0"), call, {}]})
    assert paid == [enforcement_api.PAID_DEPLOYMENT, 2 * enforcement_api.PAID_DEPLOYMENT + 2]


def test_a_declared_version_of_a_supported_stage_may_be_deployed_and_everything_is_kept(production, pipeline):
    answer = pipeline.asks()
    context = answer["context"]
    assert (answer["decision"], context["code"], context["reasons"]) == (True, "deployment_allowed", [])
    assert context["contract"]["version"] == production.contract.in_force_at(clock.now()).number
    assert context["clauses"] == []
    row = DeploymentDecision.objects.get()
    assert (row.initiative, row.artefact, row.version, row.stage) == (production, DIGEST, "1.0", "production")
    assert (row.allowed, row.rulebook) == (True, Rulebook.objects.current())
    (line,) = logged()
    assert (line.digest.hex(), line.code, line.action) == (row.decision, "deployment_allowed", "deploy")
    assert line.resource == f"artefact:{DIGEST}"
    # The decision log and the audit log find it by the digest of the artefact.
    wanted = decision_queries.Wanted(resource=f"artefact:{DIGEST}")
    assert [one.pk for one in decision_queries.page(production.number, wanted).rows] == [line.pk]
    assert (
        decision_queries.page(production.number, decision_queries.Wanted(resource=f"artefact:{OTHER}")).rows
        == []
    )
    (entry,) = audit_search.Search(text=DIGEST, kind="deployment allowed").entries()
    assert entry.facts["facts"]["artefact"] == DIGEST


def test_each_obstacle_is_a_no_and_ends_with_its_cause(cast, production, pipeline):
    assert pipeline.asks(stage="mvp")["decision"]
    (said,) = reasons(pipeline.asks("9.9"))
    assert "neither running nor planned" in said
    hold_deeds.hold(initiative=production, reason="The region is unclear", by=cast.seat_security)
    assert "The region is unclear" in reasons(pipeline.asks())[0]
    hold_deeds.lift_hold(hold=production.holds.get(lifted_at=None), reason="It is clear now", by=cast.chair)
    kill_switch.switch_off(initiative=production, reason="Something is odd", by=cast.owner)
    assert "Something is odd" in reasons(pipeline.asks())[0]
    kill_switch.switch_on(initiative=production, reason="It was a false alarm", by=cast.chair)
    assert pipeline.asks()["decision"]
    item = production.evidence.filter(coverage__requirement="mvp.problem", kind="document").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="It was of another team", by=cast.owner)
    (said,) = reasons(pipeline.asks())
    assert said.startswith("Evidence supports at most the stage prototype.")
    assert DeploymentDecision.objects.count() == len(logged()) == 6


def test_an_mvp_may_not_go_to_production(cast):
    mvp = with_digest(cast, factories.make_mvp(cast))
    pipeline = Pipeline(factories.make_key(cast, mvp, scopes=["deployments"])[1].text)
    found = reasons(pipeline.asks())
    assert [one.split(".")[0] for one in found] == [
        "The approved stage is mvp",
        "Evidence supports at most the stage mvp",
    ]
    assert pipeline.asks(stage="mvp")["decision"]
    stage_actions.stop(
        initiative=initiative_acts.fresh(mvp), reason_code="other", reason="Enough.", by=cast.owner
    )
    (said,) = reasons(pipeline.asks(stage="mvp"))
    assert "is stopped" in said


def test_a_recorded_digest_binds_the_version_to_its_artefact(cast, production, pipeline):
    component_actions.record_component(
        initiative=production, layer="runtime", name="Image", version="7", artefact=OTHER, by=cast.owner
    )
    (said,) = [one for one in reasons(pipeline.asks("7")) if "digest" in one]
    assert "Version 7 of Image is recorded with another digest." in said
    assert not [one for one in pipeline.asks("7", OTHER)["context"]["reasons"] if "digest" in one]


# --- What it is not --------------------------------------------------------------------------------------------------


def test_a_clause_named_deploy_and_the_gate_never_answer_for_each_other(cast):
    """Each has its own scope of keys and its own codes: what a contract allows is no yes to a pipeline."""
    clauses = [may("deploy", ""), EVERYBODY, *ALWAYS]
    initiative = factories.make_contract(cast, factories.make_prototype(cast), clauses)
    system = System(factories.make_key(cast, initiative)[1].text)
    pipeline = Pipeline(factories.make_key(cast, initiative, scopes=["deployments"], system="CI")[1].text)
    service = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "service", "id": DIGEST}}
    allowed = system.send(URL, deployment(**service)).json()
    assert (allowed["decision"], allowed["context"]["code"]) == (True, "allowed")
    assert "attestation" not in allowed["context"]
    assert system.send(URL, deployment()).status_code == 403
    assert pipeline.send(URL, deployment(**service)).status_code == 403
    assert pipeline.asks()["decision"] is False
    fetched = pipeline.get(f"/access/v1/attestations/{allowed['context']['id']}")
    assert fetched.status_code == 404
    assert [row.code for row in logged()] == ["allowed", "deployment_denied"]
    assert DeploymentDecision.objects.count() == 1


def test_a_question_is_no_call_of_the_system(production, pipeline):
    """Neither the subjects of a scope nor the use of the contract are counted by it."""
    pipeline.asks()
    logged()
    today, now = clock.today(), clock.now()
    assert decision_queries.of_day([production.number], today) == []
    assert decision_queries.allowed_subjects([production.number], today) == {}
    assert decision_queries.subjects(production.number, clock.midnight_before(today)) == 0
    assert decision_queries.weeks(production.number, now)[0].allowed == 0
    assert not decision_queries.enforced_here(
        production.number,
        production.contract_id,
        now,
        clock.midnight_after(today) - clock.midnight_before(today),
    )


def test_a_question_in_another_form_is_refused_also_in_a_batch(pipeline):
    answer = pipeline.send(URL, deployment(artefact="latest"))
    assert answer.status_code == 400
    assert "resource.id must be a digest" in answer.json()
    both = pipeline.ask_all({"evaluations": [deployment(artefact="latest"), deployment()]})["evaluations"]
    assert both[0]["context"]["error"]["status"] == 400
    assert both[1]["decision"] is True
    assert DeploymentDecision.objects.count() == 1


def test_without_a_log_or_a_database_there_is_no_yes(pipeline, monkeypatch):
    def fails(*_):
        raise OSError("no space")

    def gone(*_, **__):
        raise OperationalError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(decision_log.decisions, "append", fails)
        answer = pipeline.asks()
        assert (answer["decision"], answer["context"]["code"]) == (False, "error")
    with monkeypatch.context() as patch:
        patch.setattr(deployment_gate, "envelope", gone)
        answer = pipeline.asks()
        assert (answer["decision"], answer["context"]["code"]) == (False, "unavailable")
        assert "attestation" not in answer["context"]
    assert not DeploymentDecision.objects.exists()
    assert pipeline.asks()["decision"]


def test_an_answer_is_never_changed(pipeline):
    pipeline.asks()
    row = DeploymentDecision.objects.get()
    for change in ({"reasons": ["No."]}, {"envelope": "{}"}, {"artefact": OTHER}):
        with pytest.raises(DatabaseError), transaction.atomic():
            DeploymentDecision.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()
    row.pk, row.decision, row.artefact = None, "c" * 64, "sha256:abc"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_page_has_the_code_and_the_newest_answers_and_tries_a_question(cast, as_, production, pipeline):
    pipeline.asks()
    page = as_(cast.owner).get(f"/initiatives/{production.ref}/api-access/").content.decode()
    assert "/access/v1/evaluation" in page.split('id="deploy"')[1]
    assert DIGEST in page
    tried = as_(cast.owner).post(
        f"/initiatives/{production.ref}/api-access/try/",
        {
            "subject": "pipeline:release",
            "action": "deploy",
            "resource": f"artefact:{DIGEST}",
            "properties": "action.stage=production\naction.version=9.9",
        },
    )
    assert "neither running nor planned" in tried.content.decode()
    assert DeploymentDecision.objects.count() == 1
