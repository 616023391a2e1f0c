"""Results that pipelines file: four issuers shaped like the platforms, each format, and what a result changes."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from joserfc.jwk import RSAKey

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.gates import separation_of_duties
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import EvidenceKind, Level, TakesEffect
from initiatives.integration.components.actions import record_component
from initiatives.integration.pipelines.actions import end_pipeline
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.facts import supported_stage
from initiatives.models import Drill, Evidence, PipelineReport, PipelineToken
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of
from tests.support.servers import pipeline_issuers as issuers

pytestmark = pytest.mark.django_db
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.fixture
def published(monkeypatch):
    cache.clear()  # of the keys that another test fetched
    return issuers.Published(monkeypatch)


@pytest.fixture
def initiative(cast, published):
    """An MVP on which the shipped rulebook decides, with an answer to the requirement that pipelines file for."""
    row = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    initiative_acts.say(row, issuers.REQUIREMENT, cast.team)
    return row


def level_of(initiative, key=issuers.REQUIREMENT):
    """The state of the requirement as the gates see it now."""
    facts = supported_stage.judged(initiative_acts.fresh(initiative)).facts
    return state_of(facts, Rulebook.objects.current().parsed.at_tier("limited"), key, clock.now())


def token_for(platform, settings, **changes):
    return issuers.signed(issuers.claims_of(platform, settings.ADDRESS, **changes))


@pytest.mark.parametrize("platform", issuers.ISSUERS)
def test_each_platform_files_a_result_and_the_level_changes_at_once(
    cast, as_, initiative, settings, platform
):
    pipeline = issuers.make_pipeline(cast, initiative, platform)
    before = level_of(initiative)
    answer = issuers.filed(Client(), initiative.ref, token_for(platform, settings))
    page = text_of(as_(cast.owner).get(reverse("requirement", args=[initiative.ref, issuers.REQUIREMENT])))
    assert answer.status_code == 201, answer.content
    assert before.level != Level.MEASURED
    after = level_of(initiative)
    assert (after.state, after.level) == ("met", Level.MEASURED)
    assert "JUnit XML of Claims" in page
    assert "3 tests of the suite exceptions, share of passed tests 1, at least 1 needed" in page

    item = Evidence.objects.get(pk=answer.json()["evidence"])
    assert (item.kind, item.result, item.author) == (EvidenceKind.TEST_REPORT, "pass", cast.owner)
    with item.file.open() as kept:
        assert kept.read() == issuers.JUNIT
    report = item.pipeline_report
    assert report.pipeline == pipeline
    assert ["tests that ran", "3"] in report.figures
    shown = text_of(as_(cast.owner).get(reverse("evidence-item", args=[initiative.ref, item.pk])))
    assert "The pipeline reported" in shown
    assert "by the pipeline" in shown


@pytest.mark.parametrize("platform", ["kubernetes", "other"])
def test_a_pipeline_with_pasted_keys_is_documented_and_never_measured(cast, initiative, settings, platform):
    own = issuers.KEYS[issuers.ISSUERS[platform]].as_dict(private=False)
    issuers.make_pipeline(cast, initiative, platform, keys=json.dumps({"keys": [own]}))
    for _ in range(2):
        answer = issuers.filed(Client(), initiative.ref, token_for(platform, settings))
        assert answer.status_code == 201, answer.content
        assert level_of(initiative).level == Level.DOCUMENTED


def test_a_result_is_measured_only_where_the_rulebook_says_so(cast, initiative, settings):
    pipeline = issuers.make_pipeline(cast, initiative)
    initiative_acts.say(initiative, "int.representative", cast.team)
    both = f"{issuers.REQUIREMENT},int.representative"
    answer = issuers.filed(Client(), initiative.ref, token_for("github", settings), requirement=both)
    assert answer.status_code == 400  # a test of a failing source shows no quality
    issuers.make_bar(cast, pipeline, "int.representative", condition="full_population")
    answer = issuers.filed(Client(), initiative.ref, token_for("github", settings), requirement=both)
    assert answer.status_code == 400  # the pipeline must show different things for the two
    answer = issuers.filed(
        Client(), initiative.ref, token_for("github", settings), requirement="int.representative"
    )
    assert answer.status_code == 201, answer.content
    assert level_of(initiative, "int.representative").level == Level.DOCUMENTED


@pytest.mark.parametrize("key", ["int.representative", "prod.performance"])
def test_a_suite_of_tests_is_not_measured_for_the_quality_of_results(cast, initiative, settings, key):
    pipeline = issuers.make_pipeline(cast, initiative)
    issuers.make_bar(cast, pipeline, key, condition="full_population")
    initiative_acts.say(initiative, key, cast.team)
    answer = issuers.filed(Client(), initiative.ref, token_for("github", settings), requirement=key)
    assert answer.status_code == 201, answer.content
    assert level_of(initiative, key).level == Level.DOCUMENTED


def test_a_suite_of_forbidden_calls_is_measured_for_the_runtime(cast, initiative, settings):
    issuers.make_bar(cast, issuers.make_pipeline(cast, initiative), "layer.runtime")
    initiative_acts.say(initiative, "layer.runtime", cast.team)
    asked = {"requirement": "layer.runtime"}
    bad = issuers.JUNIT.replace(b'name="is away"/>', b'name="is away"><failure/></testcase>').replace(
        b'failures="0"', b'failures="1"'
    )
    answer = issuers.filed(Client(), initiative.ref, token_for("github", settings), bad, **asked)
    assert answer.status_code == 201, answer.content
    assert level_of(initiative, "layer.runtime").state == "failing"
    issuers.filed(Client(), initiative.ref, token_for("github", settings), **asked)
    assert level_of(initiative, "layer.runtime").level == Level.MEASURED


def test_drills_of_a_pipeline_are_measured_once_each_link_has_one(cast, initiative, settings):
    """The drill of one link, and one that a person recorded for the other link, do not measure both."""
    systems = [factories.make_system(cast, name) for name in ("Ledger", "Archive")]
    links = [factories.make_link(cast, initiative, system, agreed=True, **ON_FAILURE) for system in systems]
    names = [f"fallback gone {system.name}" for system in systems]
    pipeline = issuers.make_pipeline(cast, initiative)
    issuers.make_bar(cast, pipeline, "int.fallback", format="drill", tests=names)
    initiative_acts.say(initiative, "int.fallback", cast.team)
    factories.make_drill(cast, initiative, link=links[1], covers=["int.fallback"])

    def drilled(system: str) -> None:
        body = json.dumps(DRILL | {"system": system}).encode()
        sent = {"requirement": "int.fallback", "format": "drill"}
        answer = issuers.filed(
            Client(), initiative.ref, token_for("github", settings), body, "application/json", **sent
        )
        assert answer.status_code == 201, answer.content

    drilled("Ledger")
    assert level_of(initiative, "int.fallback").level == Level.DOCUMENTED
    drilled("Archive")
    assert level_of(initiative, "int.fallback").level == Level.MEASURED


def test_a_drill_of_a_pipeline_is_measured_for_alerts_and_not_for_an_outage(cast, initiative, settings):
    pipeline = issuers.make_pipeline(cast, initiative)
    keys = ("layer.observability", "prod.q10_outage")
    for key in keys:
        issuers.make_bar(cast, pipeline, key, format="drill", tests=["fallback gone"])
        initiative_acts.say(initiative, key, cast.team)
        answer = issuers.filed(
            Client(),
            initiative.ref,
            token_for("github", settings),
            json.dumps(DRILL).encode(),
            "application/json",
            format="drill",
            requirement=key,
        )
        assert answer.status_code == 201, answer.content
    assert [level_of(initiative, key).level for key in keys] == [Level.MEASURED, Level.DOCUMENTED]


def test_an_upload_of_a_person_is_not_measured_there(cast, initiative, published):
    add_evidence(
        initiative=initiative,
        kind="test_report",
        title="Tests of exceptions",
        observed_on=clock.today(),
        covers=[issuers.REQUIREMENT],
        file=ContentFile(b"three tests, all good", name="tests.txt"),
        result="pass",
        condition="bounded_real",
        details={
            "tested": "fallback", "data_set": "Calls of May", "n": "3", "metric": "share", "figure": "1",
            "threshold": "1", "side": "at_least", "register": "pipeline", "of_pipeline": "1",
        },
        by=cast.owner,
    )  # fmt: skip
    assert level_of(initiative).level != Level.MEASURED


def test_a_failing_result_fails_and_the_next_one_replaces_it(cast, initiative, settings):
    issuers.make_pipeline(cast, initiative)
    bad = issuers.JUNIT.replace(b'name="is away"/>', b'name="is away"><failure/></testcase>').replace(
        b'failures="0"', b'failures="1"'
    )
    first = issuers.filed(Client(), initiative.ref, token_for("github", settings), bad)
    assert first.json()["result"] == "fail"
    assert level_of(initiative).state == "failing"
    second = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    assert level_of(initiative).state == "met"
    assert Evidence.objects.get(pk=second.json()["evidence"]).supersedes_id == first.json()["evidence"]


def test_what_a_person_verified_is_not_replaced_by_the_next_night(cast, initiative, settings):
    key = "int.representative"
    pipeline = issuers.make_pipeline(cast, initiative)
    issuers.make_bar(
        cast,
        pipeline,
        key,
        format="evaluation",
        tests=["accuracy"],
        threshold=Decimal("0.85"),
        condition="full_population",
    )
    initiative_acts.say(initiative, key, cast.team)

    def night():
        answer = issuers.filed(
            Client(),
            initiative.ref,
            token_for("github", settings),
            json.dumps(EVALUATION).encode(),
            "application/json",
            format="evaluation",
            requirement=key,
        )
        return Evidence.objects.get(pk=answer.json()["evidence"])

    first = night()
    artefacts.verify_item(first, key, 1, cast.seat_architecture)
    assert level_of(initiative, key).level == Level.VERIFIED
    second, third = night(), night()
    assert second.supersedes is None  # the verified one stays
    assert third.supersedes == second  # the ones that nobody verified replace each other
    assert level_of(initiative, key).level == Level.VERIFIED


def test_a_result_under_an_unconfirmed_bar_does_not_replace_a_measured_one(cast, initiative, settings):
    pipeline = issuers.make_pipeline(cast, initiative)
    first = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    item = Evidence.objects.get(pk=first.json()["evidence"])
    artefacts.verify_item(item, issuers.REQUIREMENT, 1, cast.seat_architecture)
    issuers.make_bar(cast, pipeline, condition="curated", confirmed=False)
    easier = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    assert Evidence.objects.get(pk=easier.json()["evidence"]).supersedes is None
    assert level_of(initiative).level == Level.MEASURED
    issuers.make_bar(cast, pipeline)
    again = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    assert Evidence.objects.get(pk=again.json()["evidence"]).supersedes is not None


def test_the_declarer_wrote_the_item_in_separation_of_duties(cast, initiative, settings):
    issuers.make_pipeline(cast, initiative, by=cast.lead)
    answer = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    facts = supported_stage.judged(initiative_acts.fresh(initiative)).facts
    item = next(one for one in facts.items if one.id == answer.json()["evidence"])
    signer = separation_of_duties.Signer(cast.lead.pk, cast.lead.full_name)
    assert separation_of_duties.why_own_work(
        signer, separation_of_duties.RestsOn(frozenset({item.author_id}))
    )


def test_a_token_files_once(cast, initiative, settings):
    issuers.make_pipeline(cast, initiative)
    token = token_for("github", settings)
    answers = [issuers.filed(Client(), initiative.ref, token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 401, 401]
    assert "already used" in answers[1].json()["error"]
    assert PipelineToken.objects.count() == 1


def test_a_refused_report_does_not_spend_the_token(cast, initiative, settings):
    issuers.make_pipeline(cast, initiative)
    token = token_for("github", settings)
    assert issuers.filed(Client(), initiative.ref, token, b"<html/>").status_code == 400
    assert issuers.filed(Client(), initiative.ref, token).status_code == 201


def test_nothing_is_filed_once_the_declarer_no_longer_works_there(cast, initiative, settings):
    issuers.make_pipeline(cast, initiative, by=cast.lead)
    leaving.deactivate(person=cast.lead, reason="Left.", by=cast.admin)
    answer = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    assert answer.status_code == 403
    assert "declared the pipeline no longer works on it" in answer.json()["error"]


def test_an_unknown_key_is_fetched_again_at_most_once_a_minute(cast, initiative, settings, published):
    issuers.make_pipeline(cast, initiative)
    new = RSAKey.generate_key(2048, {"kid": "github-2"})
    claims = issuers.claims_of("github", settings.ADDRESS)
    token = issuers.signed(claims, key=new, kid="github-2")
    assert issuers.filed(Client(), initiative.ref, token_for("github", settings)).status_code == 201
    asked = len(published.asked)
    published.keys[issuers.GITHUB].append(new)
    assert issuers.filed(Client(), initiative.ref, token).status_code == 403
    assert len(published.asked) == asked  # within the minute
    cache.delete(f"pipeline-keys-asked:{issuers.GITHUB}")
    assert issuers.filed(Client(), initiative.ref, token).status_code == 201


def test_a_withdrawn_key_files_nothing_after_ten_minutes(cast, initiative, settings, published):
    cache.clear()  # of keys that another test fetched
    issuers.make_pipeline(cast, initiative)
    with time_machine.travel(clock.now(), tick=False) as travel:
        assert issuers.filed(Client(), initiative.ref, token_for("github", settings)).status_code == 201
        published.keys[issuers.GITHUB] = [RSAKey.generate_key(2048, {"kid": "github-2"})]
        travel.shift(timedelta(minutes=10))
        answer = issuers.filed(Client(), initiative.ref, token_for("github", settings))
    assert answer.status_code == 403
    assert PipelineReport.objects.count() == 1


EVALUATION = {
    "metric": "accuracy",
    "value": 0.91,
    "threshold": 0.85,
    "n": 400,
    "data_set": {"name": "claims 2026-10", "sha256": DIGEST},
}
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {
            "name": "claims",
            "digest": {"sha256": DIGEST, "gitCommit": "d20ace7968ba43c0219f62d71334c1095bab1602"},
        }
    ],
    "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
    "predicate": {
        "result": "PASSED",
        "configuration": [{"name": "exceptions.yml"}],
        "passedTests": ["times out", "is away"],
        "warnedTests": [],
        "failedTests": [],
    },
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {"type": "library", "name": "django", "version": "5.2"},
        {"type": "machine-learning-model", "name": "m", "version": "4", "modelCard": {}},
    ],
}
ON_FAILURE = {
    "timeout_seconds": 5,
    "retry": "Once.",
    "on_failure": "The list of yesterday.",
    "told_users": "Its day.",
}
DRILL = {
    "drill": "fallback",
    "fault": "gone",
    "expected": "It says so",
    "happened": "It said so",
    "result": "pass",
}


@pytest.mark.parametrize(
    ("form", "body", "requirement", "kind", "figure"),
    [
        ("evaluation", EVALUATION, "int.representative", "test_report", ["value", "0.91"]),
        ("test-result", STATEMENT, issuers.REQUIREMENT, "test_report", ["passed", "2"]),
        (
            "cyclonedx",
            CYCLONEDX,
            "prod.q08_change_control",
            "document",
            ["models with a model card", "1"],
        ),
        ("drill", DRILL, "prod.q10_outage", "drill_record", ["drill", "fallback"]),
        (
            "deployment",
            {"version": "2.4.1", "environment": "production", "deployed_at": "2026-01-05T10:00:00Z"},
            "prod.q08_change_control",
            "document",
            ["version", "2.4.1"],
        ),
    ],
)
def test_each_format_is_filed_with_its_figures(
    cast, initiative, settings, form, body, requirement, kind, figure
):
    pipeline = issuers.make_pipeline(cast, initiative)
    if form == "test-result":
        issuers.make_bar(cast, pipeline, requirement, tests=STATEMENT["predicate"]["passedTests"])
    answer = issuers.filed(
        Client(),
        initiative.ref,
        token_for("github", settings),
        json.dumps(body).encode(),
        "application/json",
        format=form,
        requirement=requirement,
    )
    assert answer.status_code == 201, answer.content
    report = PipelineReport.objects.get()
    assert (report.format, report.evidence.kind) == (form, kind)
    assert figure in report.figures
    assert report.commit == "d20ace7968ba43c0219f62d71334c1095bab1602"  # of the token, not of the body
    assert Drill.objects.filter(evidence=report.evidence).exists() == (form == "drill")


@pytest.mark.parametrize(
    ("made", "layer", "version", "recorded"),
    [
        (issuers.make_pipeline, "application", "2.4.1", True),
        (issuers.make_declared, "application", "2.4.1", False),
        (issuers.make_pipeline, "model", "2.4.1", False),
        (issuers.make_pipeline, "application", "2.4", False),
    ],
    ids=["confirmed", "unconfirmed", "model", "other version"],
)
def test_a_confirmed_pipeline_records_the_digest_of_its_version(
    cast, initiative, settings, made, layer, version, recorded
):
    """The only component in the version, which is no model and has no digest, gets it. It keeps it afterwards."""
    made(cast, initiative)
    use = record_component(
        initiative=initiative, layer=layer, name="Claims", version=version, vendor="Own", by=cast.owner
    )

    def deploy(digest):
        body = {"version": "2.4.1", "environment": "production", "deployed_at": "2026-01-05T10:00:00Z"}
        answer = issuers.filed(
            Client(),
            initiative.ref,
            token_for("github", settings),
            json.dumps(body | {"artefact": digest}).encode(),
            "application/json",
            format="deployment",
            requirement="prod.q08_change_control",
        )
        assert answer.status_code == 201, answer.content
        use.refresh_from_db()

    deploy("sha256:short")
    deploy(f"sha256:{DIGEST}")
    deploy(f"sha256:{'0' * 64}")
    assert use.artefact == (f"sha256:{DIGEST}" if recorded else "")


@pytest.mark.parametrize(
    ("form", "body", "said"),
    [
        ("junit", b"", "empty"),
        ("junit", b"<!DOCTYPE a [<!ENTITY b 'c'>]><testsuite/>", "document type"),
        ("junit", b"<testsuite", "not plain XML"),
        ("junit", b"<report/>", "not a JUnit report"),
        ("junit", b"<testsuite/>", "no test that ran"),
        ("junit", b"<testsuite><testcase><testcase/></testcase></testsuite>", "inside another testcase"),
        ("junit", b"<testsuite><testcase><skipped/></testcase></testsuite>", "no test that ran"),
        ("test-result", json.dumps(STATEMENT | {"payloadType": "a"}).encode(), "envelope"),
        ("test-result", json.dumps(STATEMENT | {"predicateType": "a"}).encode(), "not an in-toto statement"),
        (
            "test-result",
            json.dumps(STATEMENT | {"predicate": STATEMENT["predicate"] | {"failedTests": ["a"]}}).encode(),
            "lists failed or warned tests",
        ),
        ("evaluation", json.dumps(EVALUATION | {"n": 0}).encode(), "n is not a count"),
        ("evaluation", json.dumps(EVALUATION | {"n": True}).encode(), "n is not a count"),
        ("evaluation", json.dumps(EVALUATION | {"value": "good"}).encode(), "not a plain number"),
        (
            "evaluation",
            json.dumps(EVALUATION | {"data_set": {"name": "a", "sha256": "b"}}).encode(),
            "no sha256",
        ),
        ("evaluation", b'{"n": 1, "n": 2}', "twice"),
        ("evaluation", b"[" * 1000, "nested"),
        ("cyclonedx", b"<bom/>", "XML"),
        ("cyclonedx", b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}', "no component"),
        ("deployment", b'{"version": "1", "environment": "p", "deployed_at": "today"}', "time zone"),
        ("drill", json.dumps(DRILL | {"result": "good"}).encode(), "no result"),
        ("drill", json.dumps(DRILL | {"system": "CRM of others"}).encode(), "no link to"),
        ("novel", b"a", "format is not known"),
    ],
)
def test_a_report_that_cannot_be_read_is_refused_in_a_sentence(cast, initiative, settings, form, body, said):
    issuers.make_pipeline(cast, initiative)
    requirement = "prod.q10_outage" if form == "drill" else "int.representative"
    answer = issuers.filed(
        Client(),
        initiative.ref,
        token_for("github", settings),
        body,
        "application/json",
        format=form,
        requirement=requirement,
    )
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert not PipelineReport.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_takes_reports_of_the_running_pipeline_alone(cast, initiative, settings):
    """A person, another author's item, an item of before and an ended pipeline: none gets a report."""
    issuers.make_pipeline(cast, initiative)
    assert issuers.filed(Client(), initiative.ref, token_for("github", settings)).status_code == 201
    kept = PipelineReport.objects.get()
    said = {"format": kept.format, "figures": kept.figures, "at": clock.now()}

    def tried(item, **who) -> str:
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), acting(**who):
            PipelineReport(pipeline=kept.pipeline, evidence=item(), **said).save()
        assert refused.value.__cause__.sqlstate == "PL074"
        return str(refused.value)

    def item(by):
        return add_evidence(
            initiative=initiative,
            kind=EvidenceKind.DOCUMENT,
            title="Report of the tests",
            observed_on=clock.today(),
            covers=[issuers.REQUIREMENT],
            link="https://ci.example.org/1",
            by=by,
        )

    assert "only a pipeline files" in tried(lambda: item(cast.owner), by=cast.owner)
    older = item(cast.owner)
    assert "when it files it" in tried(lambda: older, system="a pipeline")
    assert "not of this pipeline" in tried(lambda: item(cast.lead), system="a pipeline")
    end_pipeline(pipeline=kept.pipeline, reason="Moved.", by=cast.owner)
    assert "has ended" in tried(lambda: older, system="a pipeline")


def test_an_ended_pipeline_keeps_what_it_filed(cast, initiative, settings):
    pipeline = issuers.make_pipeline(cast, initiative)
    issuers.filed(Client(), initiative.ref, token_for("github", settings))
    end_pipeline(pipeline=pipeline, reason="The repository moved.", by=cast.owner)
    assert issuers.filed(Client(), initiative.ref, token_for("github", settings)).status_code == 403
    assert level_of(initiative).level == Level.MEASURED
