"""What alerts count as, the drafts of incidents that they make, and for how long alerts are kept."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.models import Alert, AlertMapping, IncidentDraft
from adoption.monitoring import actions
from adoption.monitoring.actions import counts_as
from adoption.reports import actions as report_actions
from governance import clock
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from governance.privacy import retention
from tests.support import factories
from tests.support.initiatives.alerts import sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    row = factories.make_mvp(cast)
    actions.map_alerts(initiative=row, rule="", severity="critical", becomes="draft", by=cast.owner)
    return row


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["alerts"], system="Monitoring")[0]


def take(initiative, key, *alerts):
    return actions.take(initiative=initiative, key=key, sent=alerts)


def dismiss(draft, words, *, by):
    return report_actions.judge(report=draft, outcome="answered", answer=words, by=by)


def draft_of(initiative):
    return IncidentDraft.objects.get(initiative=initiative)


def test_what_names_more_goes_first():
    def mapping(rule, severity, becomes):
        return AlertMapping(rule=rule, severity=severity, becomes=becomes)

    rows = [
        mapping("", "", "heartbeat"),
        mapping("", "critical", "draft"),
        mapping("errorrate", "", "look"),
        mapping("errorrate", "warning", "draft"),
    ]
    assert counts_as(rows, "ErrorRate", "warning") == "draft"
    assert counts_as(rows, "ErrorRate", "critical") == "look"
    assert counts_as(rows, "Other", "Critical") == "draft"
    assert counts_as(rows, "Other", "info") == "heartbeat"
    assert counts_as([], "Other", "critical") == "look"
    assert counts_as([], "Watchdog", "none") == "heartbeat"
    assert counts_as([mapping("", "none", "draft")], "Watchdog", "none") == "heartbeat"
    assert counts_as([mapping("watchdog", "", "look")], "Watchdog", "none") == "look"


def test_alerts_of_one_rule_are_one_draft_and_one_message(initiative, key, cast):
    take(initiative, key, *(sent(f"disk-{n}") for n in range(5)))
    take(initiative, key, sent("disk-9"))
    draft = draft_of(initiative)
    assert draft.alerts.count() == 6
    assert Notification.objects.filter(kind="report", person=cast.lead).count() == 1
    assert Entry.objects.filter(kind="report received").count() == 1
    take(initiative, key, sent("cpu", rule="CpuHigh"))
    assert IncidentDraft.objects.count() == 2


def test_one_that_gets_worse_becomes_a_draft_and_never_less(initiative, key):
    began = clock.now()
    take(initiative, key, sent(started=began, severity="warning"))
    assert not IncidentDraft.objects.exists()
    take(initiative, key, sent(started=began, severity="critical", summary="Now it is full"))
    assert draft_of(initiative).title == "Now it is full"
    take(initiative, key, sent(started=began, severity="warning"))
    assert Alert.objects.get().counts_as == "draft"


def test_one_that_was_over_before_it_was_heard_of_waits_as_well(initiative, key):
    began = clock.now() - timedelta(hours=1)
    take(initiative, key, sent(started=began, ended=clock.now()))
    take(initiative, key, sent(started=began))
    assert draft_of(initiative).waits
    assert Alert.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("sender", "minutes", "again"),
    [("alertmanager", 16, True), ("alertmanager", 14, False), ("azure", 16, False)],
)
def test_alertmanager_fires_again_under_the_same_start(initiative, key, cast, sender, minutes, again):
    began = clock.now()
    take(initiative, key, sent(started=began, sender=sender))
    dismiss(draft_of(initiative), "A test.", by=cast.lead)
    take(initiative, key, sent(started=began, sender=sender, ended=began))
    with time_machine.travel(began + timedelta(minutes=minutes)):
        take(initiative, key, sent(started=began, sender=sender))
    assert (Alert.objects.get().ended_at is None) == again
    assert IncidentDraft.objects.waiting().exists() == again


def test_what_becomes_an_incident_began_with_its_first_alert(initiative, key, cast):
    take(initiative, key, sent(started=clock.now() - timedelta(minutes=30)))
    draft = report_actions.judge(
        report=draft_of(initiative),
        outcome="incident",
        answer="The disk is full.",
        fields={"title": "Disk full", "severity": 4},
        by=cast.lead,
    )
    incident = draft.incident
    assert incident.reported_by == cast.lead
    assert (incident.started_at, incident.detected_at) == (draft.started_at, draft.opened_at)


def test_the_next_alert_after_a_dismissal_makes_another(initiative, key, cast):
    take(initiative, key, sent())
    dismiss(draft_of(initiative), "A test of the alert.", by=cast.lead)
    assert draft_of(initiative).answer == "A test of the alert."
    take(initiative, key, sent("disk-8"))
    assert IncidentDraft.objects.waiting().count() == 1


def test_who_says_what_alerts_count_as(initiative, cast):
    for person in (cast.steward, cast.chair, cast.seat_risk, cast.outsider):
        with pytest.raises(Refused):
            actions.map_alerts(initiative=initiative, rule="", severity="", becomes="look", by=person)
        with pytest.raises(Refused):
            actions.promise_monitoring(initiative=initiative, every_days=1, by=person)


def test_the_same_said_twice_is_said_once_and_can_be_taken_back(initiative, cast):
    first = actions.map_alerts(
        initiative=initiative, rule=" DiskFull ", severity="", becomes="look", by=cast.owner
    )
    assert first.rule == "diskfull"
    assert (
        actions.map_alerts(initiative=initiative, rule="diskfull", severity="", becomes="look", by=cast.lead)
        == first
    )
    second = actions.map_alerts(
        initiative=initiative, rule="diskfull", severity="", becomes="draft", by=cast.lead
    )
    first.refresh_from_db()
    assert first.ended_at is not None
    actions.close_mapping(mapping=second, by=cast.owner)
    with pytest.raises(Conflict):
        actions.close_mapping(mapping=second, by=cast.owner)
    with pytest.raises(ValidationError):
        actions.map_alerts(initiative=initiative, rule="", severity="", becomes="incident", by=cast.owner)


def test_alerts_are_forgotten_and_drafts_that_wait_keep_theirs(initiative, key, cast):
    take(initiative, key, sent("kept"), sent("old", severity="info"))
    with time_machine.travel(clock.now() + actions.BODIES_KEPT + timedelta(hours=1)):
        assert actions.forget_alerts() == (0, 1)
        assert actions.forget_alerts() == (0, 0)
    assert Alert.objects.get(fingerprint="old").body == ""
    with time_machine.travel(clock.now() + actions.KEPT - timedelta(hours=1)):
        assert actions.forget_alerts()[0] == 0
    with time_machine.travel(clock.now() + actions.KEPT + timedelta(hours=1)):
        assert actions.forget_alerts()[0] == 1
    assert Alert.objects.get().fingerprint == "kept"
    dismiss(draft_of(initiative), "A test.", by=cast.lead)
    hold = retention.open_hold(initiative_ref=initiative.ref, reason="A claim.", by=cast.admin)
    with time_machine.travel(clock.now() + actions.KEPT + timedelta(hours=1)):
        assert actions.forget_alerts() == (0, 0)
        retention.lift_hold(hold=hold, reason="Over.", by=cast.admin)
        assert actions.forget_alerts()[0] == 1


def test_pages(initiative, key, cast, as_):
    take(initiative, key, sent(summary="<script>alert(1)</script>"))
    draft, alert = draft_of(initiative), Alert.objects.get()
    for page in (
        reverse("monitoring", args=[initiative.ref]),
        reverse("incidents", args=[initiative.ref]),
        draft.get_absolute_url(),
        reverse("alert", args=[alert.pk]),
    ):
        shown = as_(cast.owner).get(page)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.content.decode()
        assert "&lt;script&gt;alert(1)" in shown.content.decode()
    assert (
        "webhook_configs"
        in as_(cast.owner).get(reverse("monitoring", args=[initiative.ref])).content.decode()
    )
    took = as_(cast.owner).post(
        reverse("initiative-act", args=[initiative.ref, "promise-monitoring"]), {"every_days": "7"}
    )
    assert took.status_code == 302
    assert initiative.monitoring_promises.get().every_days == 7
    page = (
        as_(cast.owner)
        .get(f"{reverse('initiative-act', args=[initiative.ref, 'make-key'])}?for=alerts")
        .content.decode()
    )
    assert 'value="alerts"' in page
