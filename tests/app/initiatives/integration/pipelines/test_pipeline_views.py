"""The page of pipelines: declare one, copy its workflow, end it."""

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance.models import Entry, Rulebook
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from governance.vocabulary import EvidenceKind, TakesEffect
from initiatives.models import Pipeline
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of
from tests.support.servers import pipeline_issuers as issuers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("platform", issuers.ISSUERS)
def test_declaring_on_the_page_leads_to_a_workflow_for_this_requirement(cast, as_, settings, platform):
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    step = reverse("initiative-act", args=[initiative.ref, "declare-pipeline"])
    assert (
        f"{step}?platform={platform}"
        in client.get(reverse("pipelines", args=[initiative.ref])).content.decode()
    )
    form = {"name": "Claims", "issuer": issuers.ISSUERS[platform]} | issuers.BOUND[platform]
    answer = client.post(f"{step}?platform={platform}", form, follow=True)
    row = Pipeline.objects.get()
    assert (row.platform, row.issuer, row.bound) == (
        platform,
        issuers.ISSUERS[platform],
        issuers.BOUND[platform],
    )
    assert answer.redirect_chain
    page = client.get(reverse("pipelines", args=[initiative.ref]), {"requirement": issuers.REQUIREMENT})
    workflow = page.context["pipelines"][0]["workflow"]
    if platform != "other":
        assert yaml.safe_load(workflow)
    assert f"initiative={initiative.ref}&requirement=prod.q04_exceptions&format=junit" in workflow
    assert settings.ADDRESS in workflow
    assert "plk_" not in workflow  # no secret
    assert Entry.objects.filter(kind="pipeline declared").exists()


def test_a_pipeline_is_ended_with_a_reason(cast, as_):
    initiative = factories.make_mvp(cast)
    row = issuers.make_pipeline(cast, initiative)
    as_(cast.lead).post(
        reverse("row-act", args=["pipelines", row.pk, "end"]), {"reason": "The repository moved."}
    )
    row.refresh_from_db()
    assert row.ended_by == cast.lead
    page = text_of(as_(cast.seat_risk).get(reverse("pipelines", args=[initiative.ref])))
    assert "The repository moved." in page
    assert "id-token: write" not in page


@pytest.mark.parametrize("who", ["support", "seat_risk", "admin", "chair"])
def test_only_owner_and_technical_lead_declare(cast, who):
    initiative = factories.make_mvp(cast)
    with pytest.raises(Refused):
        issuers.make_pipeline(cast, initiative, by=getattr(cast, who))
    assert not Pipeline.objects.exists()


@pytest.mark.parametrize(
    ("platform", "fields", "wrong"),
    [
        ("github", {"bound": {"repository": "acme/*"}}, "repository"),
        ("github", {"bound": {"repository_id": ""}}, "repository_id"),
        ("github", {"bound": {"workflow": "plumbline.yml"}}, "workflow"),
        ("github", {"bound": {"branch": "", "environment": ""}}, "branch"),
        ("github", {"bound": {"branch": "release/*"}}, "branch"),
        ("github", {"issuer": "http://token.actions.example"}, "issuer"),
        ("github", {"issuer": "http://127.0.0.1:8000"}, "issuer"),
        ("github", {"keys": "{}"}, "keys"),
        ("gitlab", {"bound": {"branch": ""}}, "branch"),
        ("azure", {"issuer": "https://login.microsoftonline.com/common/v2.0"}, "issuer"),
        ("github", {"bound": {"branch": 'release/"a"'}}, "branch"),
        ("github", {"bound": {"branch": "a,b]"}}, "branch"),
        ("gitlab", {"bound": {"workflow": '"a".yml'}}, "workflow"),
        ("azure", {"issuer": "https://login.microsoftonline.com"}, "issuer"),
        ("azure", {"issuer": "https://login.microsoftonline.com/"}, "issuer"),
        ("azure", {"bound": {"audience": "https://graph.microsoft.com"}}, "audience"),
        ("kubernetes", {"bound": {"uid": "*"}}, "uid"),
        ("kubernetes", {"keys": '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'}, "keys"),
        ("other", {"bound": {"subject": ""}}, "subject"),
        ("other", {"name": " "}, "name"),
    ],
)
def test_a_binding_is_exact_and_complete(cast, platform, fields, wrong):
    initiative = factories.make_mvp(cast)
    with pytest.raises(ValidationError) as refused:
        issuers.make_pipeline(cast, initiative, platform, **fields)
    assert wrong in refused.value.message_dict


def test_the_page_begins_with_a_requirement_for_a_test_and_offers_none_of_a_stop(cast, as_):
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    address = reverse("pipelines", args=[initiative.ref])
    assert "id_requirement" not in client.get(address).content.decode(), (
        "before a pipeline there is no workflow"
    )
    issuers.make_pipeline(cast, initiative)
    context = client.get(address).context
    asked = Rulebook.objects.current().parsed.requirements
    assert EvidenceKind.TEST_REPORT in asked[context["key"]].evidence
    assert not [key for key, _ in context["possible"] if key.startswith(("stop.", "retire."))]
    assert "stop.postmortem" in asked


def test_the_workflow_takes_the_file_as_chosen(cast, as_):
    """A file name cannot bring a command."""
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    issuers.make_pipeline(cast, initiative)
    address = reverse("pipelines", args=[initiative.ref])

    def workflow(**asked) -> str:
        page = client.get(address, {"requirement": issuers.REQUIREMENT, **asked})
        return page.context["pipelines"][0]["workflow"]

    assert "--data-binary @junit.xml" in workflow()
    chosen = workflow(file="build/reports/results.xml")
    assert "--data-binary @build/reports/results.xml" in chosen
    for spoiled in ("$(id)", "a b", "a;id", "a\nb", "`id`", "../$HOME", "ä.xml", "x" * 101, '"'):
        assert workflow(file=spoiled) == workflow(), spoiled


def test_the_page_says_what_is_measured_and_that_each_link_needs_a_drill(cast, as_):
    """The page follows `ways` and `each` of the rulebook in force."""
    initiative, client = factories.make_mvp(cast), as_(cast.owner)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    issuers.make_pipeline(cast, initiative)

    def shown(key: str) -> tuple:
        page = client.get(reverse("pipelines", args=[initiative.ref]), {"requirement": key})
        assert page.context["key"] == key
        link = "Each link needs" in page.content.decode()
        return page.context["measured"], page.context["target"].form, link

    assert shown("int.fallback") == (True, "drill", True)
    assert shown("layer.observability") == (True, "drill", False)
    assert shown("layer.runtime") == (True, "junit", False)
    assert shown("prod.performance") == (False, "junit", False)
