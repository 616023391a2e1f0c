"""What runs and for whom: versions, scope, changes, dependants."""

from datetime import timedelta
from html import unescape

import pytest

from adoption.demo import initiative_acts
from governance import clock
from initiatives.integration.components import actions as components_actions
from initiatives.integration.residency.findings import FIND_OUT
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db


def test_a_version_is_recorded_now_or_for_a_day_to_come(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-version")
    with acts() as kinds:
        client.post(url, {"layer": "model", "name": "Language model", "version": "m-4"})
    assert kinds == ["component recorded"]
    typed = {"layer": "application", "name": "Letter sorting", "version": "1.0", "step": "another"}
    assert client.post(url, typed).url == url, "the empty form again"
    day = clock.today() + timedelta(days=9)
    client.post(
        url, {"layer": "model", "name": "Language model", "version": "m-5", "runs_from": day.isoformat()}
    )
    page = text_of(client.get(at("deployments", initiative.ref)))
    assert "planned" in page
    assert "no approver" in page
    assert as_(cast.seat_risk).get(url).status_code == 403
    assert as_(cast.outsider).get(at("deployments", initiative.ref)).status_code == 404


def test_a_version_in_a_region_that_nobody_knows_is_recorded_and_said(cast, as_):
    initiative = factories.make_initiative(cast)
    typed = {"layer": "model", "name": "Language model", "version": "m-4", "region": "mars-1", "step": "save"}
    page = text_of(
        as_(cast.owner).post(at("initiative-act", initiative.ref, "record-version"), typed, follow=True)
    )
    assert f"The region mars-1 is not known. {FIND_OUT}" in page
    assert "The version is recorded." in page


def test_what_a_version_ends_is_confirmed_first(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-version")
    typed = {"layer": "model", "name": "Language model", "version": "m-5"}
    with acts() as kinds:
        page = text_of(client.post(url, typed, confirm=False))
    assert kinds == []
    assert "Consequences" in page
    assert "Amara Diallo" in page
    assert 'value="m-5"' in page
    client.post(url, typed)
    assert "m-5" in text_of(client.get(at("deployments", initiative.ref)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"layer": "cellar"},
        {"version": ""},
        {"runs_from": "junk"},
        {"runs_from": "9999-12-31"},
        {"approver": "x"},
    ],
)
def test_bad_versions_keep_what_was_typed(cast, as_, wrong):
    initiative = factories.make_initiative(cast)
    typed = {"layer": "model", "name": "A named model", "version": "m-4"} | wrong
    with acts() as kinds:
        answer = as_(cast.owner).post(at("initiative-act", initiative.ref, "record-version"), typed)
    assert answer.status_code == 200
    assert kinds == []
    assert "A named model" in text_of(answer)


def test_a_prototype_has_no_rollout_but_may_plan_one(cast, as_):
    initiative = factories.make_prototype(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-scope")
    typed = {"users": "Two teams", "user_count": "40", "places": "Zurich, Basel", "rollout": "on"}
    with acts() as kinds:
        bad = text_of(client.post(url, typed))
        huge = text_of(client.post(url, typed | {"user_count": "99999999999999999999"}))
    assert kinds == []
    assert "A prototype must not have a rollout" in bad
    assert "Zurich, Basel" in bad
    assert "Not saved yet" in huge
    with acts() as kinds:
        client.post(url, typed | {"for_stage": "mvp"})
    assert kinds == ["scope planned"]
    assert "planned for MVP" in text_of(client.get(at("deployments", initiative.ref)))
    assert initiative.scopes.get().places == ["Zurich", "Basel"]


def test_the_scope_of_a_prototype_declares_its_test_subjects_version_by_version(cast, as_):
    initiative = factories.make_prototype(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "record-scope")
    typed = {"users": "The lab", "user_count": "3", "test_subjects": "user:tester-1, agent:*-lab"}
    with acts() as kinds:
        wrong = unescape(text_of(client.post(url, typed | {"test_subjects": "user:tester-1, user:*"})))
        nobody = unescape(text_of(client.post(url, typed | {"test_subjects": "tester-1"})))
    assert kinds == []
    assert "“user:*” matches everyone. Add a part of the id, as in user:test-*." in wrong
    assert "user:tester-1, user:*" in wrong, "what was typed is kept"
    assert "Write a test subject as type:id" in nobody
    with acts() as kinds:
        client.post(url, typed)
    assert kinds == ["scope in force"]
    assert "user:tester-1, agent:*-lab" in text_of(client.get(at("deployments", initiative.ref)))
    assert 'value="user:tester-1, agent:*-lab"' in text_of(client.get(url)), "the next version begins with it"
    with acts() as kinds:
        client.post(url, typed | {"test_subjects": "user:tester-1, user:tester-2"})
    assert kinds == ["scope in force"], "to declare more of them ends no evidence"
    assert [row.test_subjects for row in initiative.scopes.order_by("number")] == [
        ["user:tester-1", "agent:*-lab"],
        ["user:tester-1", "user:tester-2"],
    ]


def test_a_reported_change_names_its_kind_and_ends_evidence(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "report-change")
    assert "sub-processor" in text_of(client.get(url))
    with acts() as kinds:
        bad = text_of(client.post(url, {"triggers": ["junk"], "what": "The archive moved"}))
    assert kinds == []
    assert "The archive moved" in bad
    with acts() as kinds:
        client.post(url, {"triggers": ["data_source"], "what": "The archive moved"})
    assert kinds == ["changed"]


def test_a_change_is_completed_with_approver_and_way_back(cast, as_):
    initiative = factories.make_initiative(cast)
    for version in ("m-4", "m-5"):
        components_actions.record_component(
            initiative=initiative, layer="model", name="Model", version=version, by=cast.owner
        )
    change = initiative.changes.get()
    client, url = as_(cast.owner), at("row-act", "changes", change.pk, "complete")
    with acts() as kinds:
        assert "Not saved yet" in text_of(client.post(url, {"approver": cast.lead.pk, "rollback": ""}))
        client.post(url, {"approver": cast.lead.pk, "rollback": "Pin the old version."})
    assert kinds == ["change completed"]
    assert "Pin the old version." in text_of(client.get(at("deployments", initiative.ref)))
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.seat_risk).get(url).status_code == 403


def test_dependants_come_with_the_mvp(cast, as_):
    idea = factories.make_initiative(cast)
    typed = {
        "who": "Sales desk",
        "for_what": "Prepared calls",
        "outage": "8",
        "unit": "hours",
        "executive": cast.sponsor.pk,
    }
    assert as_(cast.owner).post(at("initiative-act", idea.ref, "record-dependant"), typed).status_code == 403
    initiative = factories.make_mvp(cast, title="Notes")
    client = as_(cast.owner)
    with acts() as kinds:
        bad = client.post(at("initiative-act", initiative.ref, "record-dependant"), typed | {"outage": "-1"})
        assert "Prepared calls" in text_of(bad)
        client.post(at("initiative-act", initiative.ref, "record-dependant"), typed)
    assert kinds == ["dependant added"]
    row = initiative.dependants.get()
    with acts() as kinds:
        client.post(at("row-act", "dependants", row.pk, "close"), {"reason": "They have their own tool."})
    assert kinds == ["dependant closed"]
