"""The page of pipelines: declare one, copy its workflow, end it."""

from decimal import Decimal

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance.models import Entry, Rulebook
from governance.notifications.inbox import tasks_for
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from governance.vocabulary import EvidenceKind, TakesEffect
from initiatives.integration.pipelines.actions import declare_bar
from initiatives.models import Pipeline
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, text_of
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


def test_a_bar_begins_with_the_names_of_the_newest_result_and_then_with_itself(
    cast, as_, settings, monkeypatch
):
    """A team files once, declares what the result named, and the seat reads all of it before it confirms."""
    issuers.Published(monkeypatch)
    initiative = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    row = issuers.make_declared(cast, initiative)
    token = issuers.signed(issuers.claims_of("github", settings.ADDRESS))
    assert issuers.filed(as_(cast.outsider), initiative.ref, token).status_code == 201
    address = (
        f"{reverse('row-act', args=['pipelines', row.pk, 'declare-bar'])}?requirement={issuers.REQUIREMENT}"
    )
    form = as_(cast.lead).get(address).context["form"]
    said = {name: field.value() for name in form.fields if (field := form[name]).value() is not None}
    assert said["tests"].splitlines() == list(issuers.TESTS)
    answer = as_(cast.lead).post(address, said | {"threshold": "0.5"})
    assert answer.status_code == 302, answer.context["form"].errors
    bar = row.bars.get()
    assert (bar.tests, bar.tested, bar.condition) == (list(issuers.TESTS), "fallback", "bounded_real")
    assert Decimal(as_(cast.owner).get(address).context["form"]["threshold"].value()) == bar.threshold
    confirm = reverse("row-act", args=["bars", bar.pk, "confirm"])
    assert confirm in [task.link for task in tasks_for(cast.seat_architecture)]
    page = as_(cast.seat_architecture).get(confirm)
    assert all(name in text_of(page) for name in issuers.TESTS)
    as_(cast.seat_architecture).post(confirm, SIGNED)
    bar.refresh_from_db()
    assert bar.confirmed_by == cast.seat_architecture
    assert confirm not in [task.link for task in tasks_for(cast.seat_architecture)]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"requirement": "none.such"}, "requirement"),
        ({"format": "cyclonedx"}, "format"),
        ({"tests": [" "]}, "tests"),
        ({"tests": [f"t{n}" for n in range(2_001)]}, "tests"),
        ({"tested": "quality"}, "tested"),
        ({"condition": "easy"}, "condition"),
        ({"threshold": Decimal("1.1")}, "threshold"),
        ({"threshold": Decimal(0)}, "threshold"),
        ({"side": "near"}, "side"),
        ({"format": "evaluation", "tests": ["accuracy"]}, "threshold"),
        ({"format": "evaluation", "tests": ["accuracy", "recall"]}, "tests"),
    ],
)
def test_a_bar_is_complete_on_the_server_too(cast, said, wrong):
    initiative = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    row = issuers.make_declared(cast, initiative)
    right = {"requirement": issuers.REQUIREMENT, "format": "junit", "tests": ["a"], "tested": "fallback"}
    with pytest.raises(ValidationError) as refused:
        declare_bar(pipeline=row, by=cast.owner, **right | said)
    assert wrong in refused.value.message_dict
    assert not row.bars.exists()
