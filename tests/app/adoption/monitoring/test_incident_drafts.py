"""What alerts count as, drafts of incidents, who treats them, whom they wait for, and for how long alerts are kept."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.incidents import actions as incident_actions
from adoption.incidents import desk
from adoption.models import Alert, AlertMapping, Incident, IncidentDraft
from adoption.monitoring import actions, reminders
from adoption.monitoring.actions import counts_as
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notice
from governance.permission_result import Conflict, Refused
from governance.privacy import retention
from tests.support import factories
from tests.support.cases.alerts import sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast):
    row = factories.make_mvp(cast)
    actions.map_alerts(case=row, rule="", severity="critical", becomes="draft", by=cast.owner)
    return row


@pytest.fixture
def key(cast, case):
    return factories.make_key(cast, case, days=300, scopes=["alerts"], system="Monitoring")[0]


def take(case, key, *alerts):
    return actions.take(case=case, key=key, sent=alerts)


def draft_of(case):
    return IncidentDraft.objects.get(initiative=case)


def test_what_names_more_goes_first():
    def mapping(rule, severity, becomes):
        return AlertMapping(rule=rule, severity=severity, becomes=becomes)

    rows = [
        mapping("", "", "sign of life"),
        mapping("", "critical", "draft"),
        mapping("errorrate", "", "look"),
        mapping("errorrate", "warning", "draft"),
    ]
    assert counts_as(rows, "ErrorRate", "warning") == "draft"
    assert counts_as(rows, "ErrorRate", "critical") == "look"
    assert counts_as(rows, "Other", "Critical") == "draft"
    assert counts_as(rows, "Other", "info") == "sign of life"
    assert counts_as([], "Other", "critical") == "look"
    assert counts_as([], "Watchdog", "none") == "sign of life"
    assert counts_as([mapping("", "none", "draft")], "Watchdog", "none") == "sign of life"
    assert counts_as([mapping("watchdog", "", "look")], "Watchdog", "none") == "look"


def test_alerts_of_one_rule_are_one_draft_and_one_message(case, key, cast):
    take(case, key, *(sent(f"disk-{n}") for n in range(5)))
    take(case, key, sent("disk-9"))
    draft = draft_of(case)
    assert draft.alerts.count() == 6
    assert Notice.objects.filter(kind="incident draft", person=cast.lead).count() == 1
    assert Entry.objects.filter(kind="incident draft opened").count() == 1
    take(case, key, sent("cpu", rule="CpuHigh"))
    assert IncidentDraft.objects.count() == 2


def test_one_that_gets_worse_becomes_a_draft_and_never_less(case, key):
    began = clock.now()
    take(case, key, sent(started=began, severity="warning"))
    assert not IncidentDraft.objects.exists()
    take(case, key, sent(started=began, severity="critical", summary="Now it is full"))
    assert draft_of(case).title == "Now it is full"
    take(case, key, sent(started=began, severity="warning"))
    assert Alert.objects.get().counts_as == "draft"


def test_one_that_was_over_before_it_was_heard_of_waits_as_well(case, key):
    began = clock.now() - timedelta(hours=1)
    take(case, key, sent(started=began, ended=clock.now()))
    take(case, key, sent(started=began))
    assert draft_of(case).state == "waiting"
    assert Alert.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("sender", "minutes", "again"),
    [("alertmanager", 16, True), ("alertmanager", 14, False), ("azure", 16, False)],
)
def test_alertmanager_fires_again_under_the_same_start(case, key, cast, sender, minutes, again):
    began = clock.now()
    take(case, key, sent(started=began, sender=sender))
    actions.dismiss_draft(draft=draft_of(case), reason="A test.", by=cast.lead)
    take(case, key, sent(started=began, sender=sender, ended=began))
    with time_machine.travel(began + timedelta(minutes=minutes)):
        take(case, key, sent(started=began, sender=sender))
    assert (Alert.objects.get().ended_at is None) == again
    assert IncidentDraft.objects.filter(state="waiting").exists() == again


def test_a_person_confirms_it(case, key, cast):
    take(case, key, sent(started=clock.now() - timedelta(minutes=30)))
    draft = draft_of(case)
    incident = actions.confirm_draft(draft=draft, title="Disk full", severity=4, by=cast.lead)
    draft.refresh_from_db()
    assert (draft.state, draft.incident, draft.treated_by) == ("incident", incident, cast.lead)
    assert incident.reported_by == cast.lead
    assert (incident.started_at, incident.detected_at) == (draft.started_at, draft.opened_at)
    with pytest.raises(Conflict):
        actions.dismiss_draft(draft=draft, reason="Not so bad.", by=cast.owner)


def test_it_may_belong_to_an_incident_that_runs(case, key, cast):
    there = incident_actions.open_incident(case=case, severity=4, title="Slow", by=cast.lead)
    take(case, key, sent())
    assert actions.confirm_draft(draft=draft_of(case), incident=there, by=cast.owner) == there
    assert Incident.objects.count() == 1


def test_a_dismissal_has_a_reason_and_the_next_alert_makes_another(case, key, cast):
    take(case, key, sent())
    with pytest.raises(ValidationError):
        actions.dismiss_draft(draft=draft_of(case), reason=" ", by=cast.lead)
    actions.dismiss_draft(draft=draft_of(case), reason="A test of the alert.", by=cast.lead)
    assert draft_of(case).words == "A test of the alert."
    take(case, key, sent("disk-8"))
    assert IncidentDraft.objects.filter(state="waiting").count() == 1


def test_who_treats_it(case, key, cast):
    take(case, key, sent())
    for person in (cast.steward, cast.chair, cast.seat_risk, cast.outsider):
        with pytest.raises(Refused):
            actions.dismiss_draft(draft=draft_of(case), reason="No.", by=person)
        with pytest.raises(Refused):
            actions.map_alerts(case=case, rule="", severity="", becomes="look", by=person)
        with pytest.raises(Refused):
            actions.promise_monitoring(case=case, every_days=1, by=person)


def test_the_database_keeps_what_became_of_it(case, key, cast):
    take(case, key, sent())
    draft = draft_of(case)
    actions.dismiss_draft(draft=draft, reason="A test.", by=cast.lead)
    for change in (
        {"words": "Other."},
        {"state": "waiting", "words": "", "treated_by": None, "treated_at": None},
    ):
        row = draft_of(case)
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(DatabaseError), transaction.atomic(), acting(by=cast.lead):
            row.save()


def test_it_waits_with_those_who_operate_the_case(case, key, cast):
    take(case, key, sent())

    def waits(person):
        return [
            line
            for line in desk.lines(person)
            if line.link == reverse("incident-draft", args=[draft_of(case).pk])
        ]

    assert all(len(waits(person)) == 1 for person in (cast.owner, cast.lead, cast.support))
    assert not waits(cast.steward)
    told = {due.person for due in reminders.drafts(clock.now() + timedelta(days=3))}
    assert {cast.owner, cast.lead, cast.support} <= told
    assert cast.chair in {due.person for due in reminders.drafts(clock.now() + timedelta(days=8))}
    actions.dismiss_draft(draft=draft_of(case), reason="A test.", by=cast.lead)
    assert not list(reminders.drafts(clock.now() + timedelta(days=3)))
    assert not waits(cast.support)


def test_the_same_said_twice_is_said_once_and_can_be_taken_back(case, cast):
    first = actions.map_alerts(case=case, rule=" DiskFull ", severity="", becomes="look", by=cast.owner)
    assert first.rule == "diskfull"
    assert actions.map_alerts(case=case, rule="diskfull", severity="", becomes="look", by=cast.lead) == first
    second = actions.map_alerts(case=case, rule="diskfull", severity="", becomes="draft", by=cast.lead)
    first.refresh_from_db()
    assert first.ended_at is not None
    actions.end_mapping(mapping=second, by=cast.owner)
    with pytest.raises(Conflict):
        actions.end_mapping(mapping=second, by=cast.owner)
    with pytest.raises(ValidationError):
        actions.map_alerts(case=case, rule="", severity="", becomes="incident", by=cast.owner)


def test_alerts_are_forgotten_and_drafts_that_wait_keep_theirs(case, key, cast):
    take(case, key, sent("kept"), sent("old", severity="info"))
    with time_machine.travel(clock.now() + actions.BODIES_KEPT + timedelta(hours=1)):
        assert actions.forget_alerts() == (0, 1)
        assert actions.forget_alerts() == (0, 0)
    assert Alert.objects.get(fingerprint="old").body == ""
    with time_machine.travel(clock.now() + actions.KEPT - timedelta(hours=1)):
        assert actions.forget_alerts()[0] == 0
    with time_machine.travel(clock.now() + actions.KEPT + timedelta(hours=1)):
        assert actions.forget_alerts()[0] == 1
    assert Alert.objects.get().fingerprint == "kept"
    actions.dismiss_draft(draft=draft_of(case), reason="A test.", by=cast.lead)
    hold = retention.open_hold(case_ref=case.ref, reason="A claim.", by=cast.admin)
    with time_machine.travel(clock.now() + actions.KEPT + timedelta(hours=1)):
        assert actions.forget_alerts() == (0, 0)
        retention.lift_hold(hold=hold, reason="Over.", by=cast.admin)
        assert actions.forget_alerts()[0] == 1


def test_pages(case, key, cast, as_):
    take(case, key, sent(summary="<script>alert(1)</script>"))
    draft, alert = draft_of(case), Alert.objects.get()
    for page in (
        reverse("monitoring", args=[case.ref]),
        reverse("incident-draft", args=[draft.pk]),
        reverse("alert", args=[alert.pk]),
    ):
        shown = as_(cast.owner).get(page)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.content.decode()
        assert "&lt;script&gt;alert(1)" in shown.content.decode()
    assert "webhook_configs" in as_(cast.owner).get(reverse("monitoring", args=[case.ref])).content.decode()
    confirm = reverse("incident-draft-confirm", args=[draft.pk])
    typed = {"title": "Disk full", "severity": "4"}
    assert as_(cast.lead).post(confirm, {"title": "Disk full"}).status_code == 422
    looked = as_(cast.lead).post(confirm, typed | {"step": "look"})
    assert (looked.status_code, Incident.objects.count()) == (200, 0)
    assert as_(cast.lead).post(confirm, typed).status_code == 302
    assert Incident.objects.get().title == "Disk full"
    took = as_(cast.owner).post(reverse("monitoring-promise", args=[case.ref]), {"every_days": "7"})
    assert took.status_code == 302
    assert case.monitoring_promises.get().every_days == 7
    page = as_(cast.owner).get(f"{reverse('key-make', args=[case.ref])}?for=alerts").content.decode()
    assert 'value="alerts"' in page
