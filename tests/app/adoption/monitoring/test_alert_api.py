"""Alerts by webhook: documented bodies of three senders, one row an alert, and each wrong request answered in words."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from adoption.models import Alert, Incident, IncidentDraft, MonitoringLook
from adoption.monitoring import actions, api
from governance import clock
from governance.models import Entry
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Hold
from tests.support import factories
from tests.support.initiatives.alerts import URL, plain
from tests.support.paths import FAULTY_FILES, ROOT
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db

SENT = Path(ROOT) / "tests/unit/adoption/monitoring/sent"


@pytest.fixture
def initiative(cast):
    return factories.make_mvp(cast)


@pytest.fixture
def token(cast, initiative):
    return factories.make_key(cast, initiative, scopes=["alerts"], system="Monitoring")[1].text


@pytest.fixture
def system(token):
    return System(token)


def body_of(name):
    return (SENT / f"{name}.json").read_bytes()


def alerts(initiative):
    return list(Alert.objects.filter(initiative=initiative).order_by("pk"))


def test_alertmanager_by_its_header(system, initiative):
    answer = system.send(URL, body_of("alertmanager"))
    assert (answer.status_code, answer.json()) == (
        200,
        {"new": 2, "known": 0, "rejected": [], "left_out_by_sender": 2},
    )
    firing, resolved, _ = alerts(initiative)
    assert (firing.rule, firing.severity, firing.counts_as, firing.ended_at) == (
        "ErrorRateHigh",
        "critical",
        "look",
        None,
    )
    assert resolved.ended_at is not None
    assert "7.2 %" in firing.body
    assert firing.key.system == "Monitoring"


def test_alerts_that_the_sender_left_out_are_shown_on_that_day(cast, as_, system, initiative):
    sent = json.loads((FAULTY_FILES / "17-left-out-alerts" / "24-truncated.json").read_text())
    for count in (240, 90, 240):  # the sender repeats its message
        assert system.send(URL, sent | {"truncatedAlerts": count}).status_code == 200
    page = as_(cast.lead).get(reverse("monitoring", args=[initiative.ref]))
    (row,) = page.context["missing"]
    assert (row.summary.split()[0], clock.local_day(row.started_at)) == ("240", clock.today())
    assert row.summary in page.content.decode()
    assert "max_alerts" in as_(cast.lead).get(reverse("alert", args=[row.pk])).content.decode()
    assert row.counts_as == "look"
    assert len(alerts(initiative)) == 11


def test_azure_by_an_address_with_the_key(token, initiative):
    place = f"{URL}/{token}"
    for name in ("azure_fired", "azure_resolved", "azure_fired"):
        answer = Client().post(place, body_of(name), content_type="application/json; charset=utf-8")
        assert answer.status_code == 200, answer.content
    (row,) = alerts(initiative)
    assert (row.sender, row.severity, row.summary) == ("azure", "sev1", "Answers take longer than 4 s")
    assert row.ended_at is not None
    assert row.link.startswith("https://portal.azure.com/")


def test_plain_json_and_a_heartbeat(system, initiative):
    assert system.send(URL, body_of("plain")).json()["new"] == 2
    assert system.send(URL, {"heartbeat": True}).json() == {"new": 0, "known": 0, "rejected": []}
    assert MonitoringLook.objects.get(initiative=initiative).day == clock.today()


def test_what_is_sent_again_or_out_of_order_is_one_row(system, initiative):
    began = clock.now() - timedelta(hours=2)
    over = {"state": "resolved", "ended": (began + timedelta(hours=1)).isoformat()}
    later = {"state": "resolved", "ended": (began + timedelta(minutes=61)).isoformat()}
    for fields in (over, {}, later, over, {}):
        assert system.send(URL, {"alerts": [plain(started=began.isoformat(), **fields)]}).status_code == 200
    (row,) = alerts(initiative)
    assert row.ended_at == began + timedelta(hours=1)
    twice = {"alerts": [plain("a", started=began.isoformat())] * 2}
    assert system.send(URL, twice).json() == {"new": 1, "known": 1, "rejected": []}
    assert system.send(URL, {"alerts": [plain("a")]}).json()["new"] == 1  # another start is another alert


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"{", {}, 400, "not JSON"),
        (b'{"alerts": []}', {}, 400, "list of alerts"),
        (b"x", {"content_type": "text/plain"}, 415, "application/json"),
        (b"x", {"HTTP_CONTENT_ENCODING": "gzip"}, 415, "Content-Encoding"),
        (b" " * (api.MOST_BYTES + 1), {}, 413, "smaller parts"),
        (b" " * (4 * 1024 * 1024 + 1), {}, 413, "longer than"),
        (
            json.dumps({"alerts": [plain(started="yesterday")]}).encode(),
            {},
            400,
            "Alert 1: started is not a time",
        ),
        (
            json.dumps({"alerts": [plain(started="2999-01-01T00:00:00Z")]}).encode(),
            {},
            400,
            "Set the clock of the sender",
        ),
    ],
)
def test_a_wrong_request_is_answered_in_words_and_the_next_is_taken(
    system, initiative, body, headers, status, words
):
    answer = system.send(URL, body, **headers)
    assert answer.status_code == status
    assert words in answer.json()
    assert not MonitoringLook.objects.exists()
    assert system.send(URL, {"alerts": [plain()]}).json()["new"] == 1


def test_one_wrong_alert_hinders_no_other(system, initiative):
    said = system.send(URL, {"alerts": [plain(state="open"), plain("b")]}).json()
    assert (said["new"], said["rejected"]) == (
        1,
        [{"alert": 1, "error": "state must be firing or resolved."}],
    )


def test_only_a_key_made_for_it_opens_and_only_its_own_initiative(cast, initiative, token):
    body = {"alerts": [plain()]}
    assert System().send(URL, body).status_code == 401
    assert System("plk_" + "a" * 12 + "_" + "b" * 43).send(URL, body).status_code == 401
    assert Client().post(f"{URL}/nobody-has-this", body, content_type="application/json").status_code == 401
    reads = factories.make_key(cast, initiative, scopes=["measurements"], system="Figures")[1].text
    assert System(reads).send(URL, body).status_code == 403
    assert System(token).get(URL).status_code == 405
    other = factories.make_mvp(cast, title="Another")
    assert System(token).send(URL, body).status_code == 200
    assert (len(alerts(initiative)), len(alerts(other))) == (1, 0)


def test_a_key_that_may_more_does_not_stand_in_an_address(cast, initiative):
    both = factories.make_key(cast, initiative, scopes=["alerts", "evaluate"], system="Both")[1].text
    answer = Client().post(f"{URL}/{both}", {"heartbeat": True}, content_type="application/json")
    assert answer.status_code == 403
    assert "Only a key that is limited to alerts" in answer.json()
    assert System(both).send(URL, {"heartbeat": True}).status_code == 200


def test_too_many_are_told_to_come_back(system, initiative):
    many = {"alerts": [plain(f"a{n}") for n in range(200)]}
    assert system.send(URL, many).json()["new"] == 200
    answer = system.send(URL, many)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1


def test_a_day_has_room_for_so_many_new_ones(system, initiative, monkeypatch):
    monkeypatch.setattr(actions, "MOST_A_DAY", 2)
    said = system.send(URL, {"alerts": [plain(f"a{n}") for n in range(4)]}).json()
    assert (said["new"], said["not_kept"]) == (2, 2)
    assert "before midnight" in said["message"]
    over = plain("a0", started=alerts(initiative)[0].started_at.isoformat(), state="resolved")
    assert (
        system.send(URL, {"alerts": [over]}).json()["known"] == 1
    )  # what is known is still brought up to date
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=1)):
        assert system.send(URL, {"alerts": [plain("a3")]}).json()["new"] == 1


def test_a_initiative_that_ended_takes_none(cast, initiative, system):
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    before = Entry.objects.count()
    answer = system.send(URL, {"alerts": [plain()]})
    assert (answer.status_code, answer.json()) == (409, api.ENDED)
    assert Entry.objects.count() == before


def test_no_machine_opens_an_incident_a_hold_or_a_stage(cast, initiative, system):
    actions.map_alerts(initiative=initiative, rule="", severity="", becomes="draft", by=cast.owner)
    stage, holds = initiative.stage, Hold.objects.count()
    system.send(URL, body_of("alertmanager"))
    assert IncidentDraft.objects.get(initiative=initiative).waits
    assert (Incident.objects.count(), Hold.objects.count()) == (0, holds)
    assert type(initiative).objects.get(pk=initiative.pk).stage == stage


def test_what_is_sent_again_writes_no_entry(system, initiative):
    body = {"alerts": [plain()]}
    system.send(URL, body)
    before = Entry.objects.count()
    for _ in range(3):
        assert system.send(URL, body).json()["known"] == 1
    assert Entry.objects.count() == before
