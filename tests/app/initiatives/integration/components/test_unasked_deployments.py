"""A version that runs in production without a yes of the deployment gate: which, from when, and until when."""

from datetime import timedelta

import pytest
import time_machine

from governance import clock
from governance.models import Entry
from initiatives.integration.components import actions as component_actions
from initiatives.integration.components import findings
from initiatives.lifecycle.findings import sync
from initiatives.models import Deployment, Initiative
from tests.support import factories
from tests.support.database import snapshots
from tests.support.servers.pipelines import DIGEST, OTHER, Pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(cast) -> Initiative:
    return factories.make_production(cast)


@pytest.fixture
@snapshots.kept
def pipeline(cast, production) -> Pipeline:
    return Pipeline(factories.make_key(cast, production, scopes=["deployments"], system="Release")[1].text)


def runs(cast, production, name: str, version: str, **fields) -> Deployment:
    """A version in a part of its own, from now on."""
    return component_actions.record_component(
        initiative=production,
        layer=fields.pop("layer", "runtime"),
        name=name,
        version=version,
        by=cast.owner,
        **fields,
    )


def tomorrow(hours: int = 10):
    """The next day, at an hour: what ran today had its day to be asked about."""
    return time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=hours), tick=False)


def found() -> list[str]:
    return [str(one.version) for one in findings.unasked()]


def test_nothing_is_found_before_the_gate_is_used(cast, production):
    runs(cast, production, "Image", "7")
    with tomorrow():
        assert found() == []
        assert sync.follow_register() == []


def test_a_digest_or_an_earlier_question_makes_a_version_of_ours_one_to_ask_about(cast, production, pipeline):
    runs(cast, production, "Before the first question", "6")
    pipeline.asks(stage="mvp")
    runs(cast, production, "Ours", "7")
    runs(cast, production, "Of a vendor", "8", vendor="Modelwright")
    runs(cast, production, "Of a vendor, with a digest", "9", vendor="Modelwright", artefact=OTHER)
    runs(cast, production, "Planned", "10", runs_from=clock.now() + timedelta(days=3))
    assert found() == [], "the first day is there to ask"
    with tomorrow():
        assert sorted(found()) == ["Of a vendor, with a digest 9", "Ours 7"]


def test_a_finding_counts_until_a_yes_which_it_does_not_prevent(cast, as_, production, pipeline):
    use = runs(cast, production, "Image", "7", artefact=DIGEST)
    with tomorrow():
        assert sync.follow_register() == [production.pk]
        row = production.requirement_findings.current().get(source=f"deployment:{use.pk}:unasked")
        assert row.requirement == "prod.q08_change_control"
        assert f"Image 7 ({DIGEST}) runs in production since" in row.words
        assert row.fix == "Let the pipeline ask for this version, or put back a version that was allowed."
        assert production.spans.covering(clock.now()).get().unsupported_stages == 1
        page = as_(cast.owner).get(f"/initiatives/{production.ref}/requirements/prod.q08_change_control/")
        assert "did not get a yes" in page.content.decode()
        assert f"/initiatives/{production.ref}/api-access/#deploy" in page.content.decode()
        assert not pipeline.asks("7", OTHER)["decision"], "another artefact is not this one"
        assert not pipeline.asks("7", DIGEST, "mvp")["context"]["reasons"], "a yes for another stage"
        assert production.requirement_findings.current().filter(pk=row.pk).exists()
        assert pipeline.asks("7")["decision"]
        assert not production.requirement_findings.current().filter(pk=row.pk).exists()
        assert production.spans.covering(clock.now()).get().unsupported_stages == 0
        assert Entry.objects.filter(kind="register found").count() >= 2


def test_a_version_that_was_asked_about_or_is_replaced_is_no_finding(cast, production, pipeline):
    runs(cast, production, "Image", "7", artefact=DIGEST)
    assert pipeline.asks("7")["decision"]
    runs(cast, production, "Worker", "3", artefact=OTHER)
    with tomorrow():
        assert found() == ["Worker 3"]
        runs(cast, production, "Worker", "4")
        assert found() == []


def test_a_version_without_a_digest_gets_one_and_then_a_yes_and_no_other_version_ends_its_finding(
    cast, production, pipeline
):
    pipeline.asks(stage="mvp")
    use = runs(cast, production, "Image", "7")
    assert not pipeline.asks("7")["decision"]
    runs(cast, production, "Worker", "7", artefact=OTHER)
    assert pipeline.asks("7", OTHER)["decision"]
    with tomorrow():
        assert found() == ["Image 7"], "the yes was for the worker"
        assert sync.follow_register() == [production.pk]
        assert not pipeline.asks("7")["decision"]
        changes = production.changes.count()
        assert runs(cast, production, "Image", "7", artefact=DIGEST) == use
        assert production.changes.count() == changes, "the version is the same: evidence stays"
        assert pipeline.asks("7")["decision"]
        assert found() == []
        again = runs(cast, production, "Image", "7", artefact=f"sha256:{'c' * 64}")
        assert again != use, "another artefact takes the place of this one"
        assert production.changes.count() == changes + 1


def test_a_model_is_not_deployed_by_a_pipeline(cast, production, pipeline):
    runs(cast, production, "Own model", "3", artefact=OTHER, layer="model")
    assert not pipeline.asks("3", OTHER)["decision"]
    with tomorrow():
        assert found() == []


def test_a_digest_is_whole_or_refused(cast, as_, production):
    page = as_(cast.owner).post(
        f"/initiatives/{production.ref}/do/record-version/",
        {"layer": "runtime", "name": "Image", "version": "7", "artefact": "sha256:abc"},
    )
    assert "64 hexadecimal digits" in page.content.decode()
    assert not production.deployments.filter(version__name="Image").exists()
