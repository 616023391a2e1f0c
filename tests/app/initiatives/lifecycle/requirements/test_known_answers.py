"""What an initiative says already is not asked again: answers, scopes, versions and contracts begin with it."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile

from governance import clock
from governance.rulebook import parse, shipped_text
from initiatives.lifecycle.requirements.known_answers import known_words
from initiatives.lifecycle.scope import actions as scope_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db

SCOPE = {
    "users": "Account managers of two teams",
    "user_count": 40,
    "departments": ["Account management"],
    "places": ["Zurich"],
    "data_classes": ["customer notes"],
    "test_subjects": [],
    "rollout": True,
    "live_data": True,
}


@pytest.fixture
def initiative(cast):
    """A prototype whose scope as an MVP is planned."""
    row = factories.make_prototype(cast)
    factories.make_use(cast, row, factories.make_model(cast))
    return plan(row, cast)


def plan(row, cast):
    ends_on = clock.today() + timedelta(days=90)
    scope_actions.record_scope(initiative=row, for_stage="mvp", ends_on=ends_on, by=cast.owner, **SCOPE)
    return row


def fields_of(response) -> dict[str, str]:
    """What the form of a page sends where nobody changes anything."""
    form = BeautifulSoup(response.content, "html.parser").select_one("main form[method=post]")
    found = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        if field.get("type") in ("radio", "checkbox") and not field.has_attr("checked"):
            continue
        if field.name == "select":
            chosen = field.select_one("option[selected]")
            found[field["name"]] = chosen["value"] if chosen else ""
        elif field.get("type") not in ("submit", "file"):
            found[field["name"]] = field.text.strip() if field.name == "textarea" else field.get("value", "")
    return found


def test_an_answer_begins_with_what_is_on_record(initiative, cast, as_):
    page = fields_of(as_(cast.owner).get(at("requirements-several", initiative.ref)))
    assert page["mvp.problem-text"] == initiative.problem
    assert page["mvp.users-text"] == ("Account managers of two teams: 40 users (Account management, Zurich).")
    assert "The use ends on" in page["mvp.rollout-text"]
    assert page["mvp.workflow-text"] == "", "nobody said that yet"
    one = fields_of(as_(cast.owner).get(at("requirement", initiative.ref, "mvp.users")))
    assert one["text"] == page["mvp.users-text"], "both pages begin alike"


def test_nothing_on_record_is_nothing_to_begin_with(cast):
    idea = factories.make_initiative(cast)
    asked = ("mvp.users", "mvp.rollout", "mvp.risk", "mvp.advance_evidence", "mvp.workflow")
    assert [known_words(idea, key) for key in asked] == [""] * 5


def test_a_test_report_answers_what_asks_for_one(initiative, cast, as_):
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    client, url = as_(cast.owner), at("requirements-several", initiative.ref)
    fields = fields_of(client.get(url))
    assert fields["item-test_report-test_report_side"] == "at_least"
    assert fields["item-test_report-condition"] == "curated"
    report = {
        "data_set": "Letters of May",
        "n": "240",
        "figure": "0.93",
        "threshold": "0.85",
    }
    fields |= {f"item-test_report-test_report_{name}": value for name, value in report.items()}
    fields["item-test_report-file"] = SimpleUploadedFile(
        "May.txt", b"Two hundred and forty letters were sorted; most went where they belong.", "text/plain"
    )
    assert client.post(url, fields).status_code == 302
    said = initiative.answers.get(requirement="mvp.possibility").text
    assert (
        said
        == "Quality of results: data set Letters of May, n 240, share of correct results 0.93 against 0.85 "
        "declared. Pass."
    )
    assert initiative.evidence.get(title="May").result == "pass"


def test_a_report_below_its_threshold_is_no_pass(initiative, cast, as_):
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    client, url = as_(cast.owner), at("requirement", initiative.ref, "mvp.possibility")
    report = {
        "data_set": "Letters of May",
        "n": "240",
        "metric": "accuracy",
        "figure": "0.7",
        "threshold": "0.85",
    }
    fields = fields_of(client.get(url)) | {
        f"evidence-test_report_{name}": said for name, said in report.items()
    }
    fields |= {
        "text": "It sorted the letters of May.",
        "evidence-kind": "test_report",
        "evidence-source": "file",
    }
    fields["evidence-file"] = SimpleUploadedFile(
        "May.txt", b"Most letters went where they belong.", "text/plain"
    )
    assert client.post(url, fields).status_code == 302
    assert initiative.evidence.get(title="May").result == "fail"


def test_the_scope_of_an_mvp_begins_with_what_is_usual(cast, as_):
    row = factories.make_prototype(cast)
    row.scopes.filter(starts_at__isnull=True).delete()
    begun = fields_of(as_(cast.owner).get(at("initiative-act", row.ref, "record-scope")))
    assert begun["for_stage"] == "mvp"
    assert begun["ends_on"] == (clock.today() + timedelta(days=90)).isoformat()
    assert not {"rollout", "live_data"} & begun.keys(), "a person ticks what is true"
    plan(row, cast)
    again = fields_of(as_(cast.owner).get(at("initiative-act", row.ref, "record-scope")))
    assert (again["users"], again["for_stage"]) == (SCOPE["users"], "mvp"), "what was planned is shown"


def test_a_first_version_is_proposed_and_a_row_of_the_register_says_all(cast, as_):
    row, client = factories.make_initiative(cast, title="Letter sorter"), as_(cast.owner)
    url, listed = (
        at("initiative-act", row.ref, "record-version"),
        factories.make_model(cast, region="eu-west"),
    )
    begun = fields_of(client.get(url))
    assert begun["layer"] == "model"
    assert client.post(url, begun | {"listed": str(listed.pk)}).status_code == 302
    begun = fields_of(client.get(url))
    assert (begun["layer"], begun["name"], begun["version"]) == ("application", "Letter sorter", "1")
    assert client.post(url, begun).status_code == 302
    assert row.deployments.count() == 2
    assert fields_of(client.get(url))["layer"] == "", "nothing usual is missing"


def test_a_contract_to_begin_with_speaks_of_the_scope(cast, as_):
    row = plan(factories.make_prototype(cast), cast)
    begun = fields_of(as_(cast.owner).get(at("contract-start", row.ref, "summarise")))
    assert begun["audience"] == "account managers of two teams"
    assert begun["resource"] == "customer notes"


def test_at_minimal_risk_nobody_is_asked_how_an_output_is_overridden():
    asked = parse(shipped_text()).requirements["mvp.override"]
    assert not asked.level_for("minimal", "mvp")
    assert asked.level_for("limited", "mvp")
