"""Figures for Prometheus and the rules that alert on them: each of ten faults raises its alert and no other."""

import json
import operator
import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from governance import clock
from governance.models import PasswordLink, ProcessHeartbeat, TaskRun
from governance.operations import heartbeats, readiness, status
from governance.runtime import clock_check
from governance.storage import data_folder
from governance.transparency_log import sealing
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative import contribution
from tests.support import factories
from tests.support.paths import ROOT

TOKEN = "a token that is long enough"
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
COMPARE = {"==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, "<=": operator.le}
PART = re.compile(r"(\w+) (==|!=|>|<|<=) ([0-9.]+)")
FIGURE = re.compile(r"\bplumbline_\w+")
LONG_AGO = timedelta(hours=2)


@pytest.fixture
def healthy(db, settings):
    """An installation in which everything runs."""
    settings.METRICS_TOKEN = TOKEN
    now = clock.now()
    for kind in ("scheduler", "worker"):
        ProcessHeartbeat.objects.create(kind=kind, name=f"{kind} (1)", started_at=now, seen_at=now)
    for name in (heartbeats.BACKUP, heartbeats.RESTORE_CHECK):
        heartbeats.done(name)
    readiness.readiness.forget()
    yield
    readiness.readiness.forget()


def families() -> list[Metric]:
    """Return the figures that /metrics has now, those without a value among them."""
    readiness.readiness.forget()
    answer = Client().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    return list(text_string_to_metric_families(answer.content.decode()))


def samples() -> list[Sample]:
    """Return the samples that /metrics has now."""
    return [sample for family in families() for sample in family.samples]


def scraped() -> dict[str, list[float]]:
    """Return what /metrics has now: the values of each figure."""
    found: dict[str, list[float]] = {}
    for sample in samples():
        found.setdefault(sample.name, []).append(sample.value)
    return found


def by_stage(name: str) -> dict[str, float]:
    """Return the values of a figure by its stage."""
    return {sample.labels["stage"]: sample.value for sample in samples() if sample.name == name}


def figures_of_initiatives() -> Iterator[Sample]:
    """Return the samples of the figures of initiatives alone."""
    return (sample for metric in contribution.figures() for sample in metric.samples)


def alerts() -> set[str]:
    """Return the alerts whose rule holds now. All figures of one scrape are of one instance."""
    figures = scraped()
    return {rule["alert"] for rule in RULES if all(holds(part, figures) for part in parts_of(rule["expr"]))}


def parts_of(expression: str) -> list[str]:
    return expression.split(" and on(instance) ")


def holds(part: str, figures: dict[str, list[float]]) -> bool:
    name, sign, number = PART.fullmatch(part).groups()
    return any(COMPARE[sign](value, float(number)) for value in figures.get(name, []))


def silent(kind: str) -> None:
    then = clock.now() - LONG_AGO
    ProcessHeartbeat.objects.filter(kind=kind).update(seen_at=then, started_at=then)


def away(name: str):
    """Return what has a condition of readiness not met."""
    return [
        readiness.Check(one.name, lambda: "does not answer", one.needed, "planted")
        if one.name == name
        else one
        for one in readiness.CHECKS
    ]


def a_refused_email() -> None:
    """One that was due long ago, whatever the time of the day is."""
    PasswordLink.objects.create(
        person=factories.make_person("refused"),
        purpose="invitation",
        made_at=clock.now() - LONG_AGO,
        expires_at=clock.now() + LONG_AGO,
        last_error="550 refused",
        attempts=3,
    )


def a_waiting_report() -> None:
    folder = Path(settings.INTERACTIONS_DIR) / "waiting"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "planted.jsonl"
    path.write_text("{}\n")
    then = (clock.now() - LONG_AGO).timestamp()
    os.utime(path, (then, then))


class TestAccess:
    def test_without_the_setting_there_is_no_such_page(self, db, settings):
        settings.METRICS_TOKEN = ""
        assert Client().get("/metrics").status_code == 404

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
    def test_a_wrong_token_is_refused_with_the_fix(self, healthy, header):
        answer = Client().get("/metrics", HTTP_AUTHORIZATION=header)
        assert answer.status_code == 401
        assert b"PLUMBLINE_METRICS_TOKEN" in answer.content


class TestAlerts:
    def test_there_are_twelve_and_each_reads_figures_that_exist(self, healthy):
        figures = scraped()
        assert len(RULES) == 12
        for rule in RULES:
            for part in parts_of(rule["expr"]):
                assert PART.fullmatch(part)[1] in figures, rule["alert"]

    def test_a_healthy_installation_raises_none(self, healthy):
        assert alerts() == set()

    @pytest.mark.parametrize(("name", "alert"), [("database", "DatabaseAway"), ("broker", "BrokerAway")])
    def test_what_does_not_answer_raises_its_alert(self, healthy, monkeypatch, name, alert):
        monkeypatch.setattr(readiness, "CHECKS", away(name))
        assert alerts() == {f"Plumbline{alert}"}

    def test_an_old_backup_and_an_old_restore_check(self, healthy):
        TaskRun.objects.update(done_at=clock.now() - timedelta(days=9))
        assert alerts() == {"PlumblineBackupOld", "PlumblineRestoreCheckOld"}

    def test_a_dead_worker(self, healthy):
        silent("worker")
        assert alerts() == {"PlumblineWorkerDead"}

    def test_a_dead_beat(self, healthy):
        silent("scheduler")
        assert alerts() == {"PlumblineBeatDead"}

    def test_a_beat_that_never_ran(self, healthy, monkeypatch):
        ProcessHeartbeat.objects.filter(kind="scheduler").delete()
        monkeypatch.setattr(status, "_first_act", lambda: None)
        assert alerts() == set(), "a new installation has no act"
        first = clock.now() - LONG_AGO
        monkeypatch.setattr(status, "_first_act", lambda: first)
        assert alerts() == {"PlumblineBeatDead"}

    def test_a_full_disk(self, healthy, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=100, used=95, free=5))
        assert alerts() == {"PlumblineDiskFull"}

    def test_a_folder_that_is_not_mounted(self, healthy, monkeypatch):
        monkeypatch.setattr(data_folder, "condition", lambda: "is not the one that the database names")
        assert alerts() == {"PlumblineEvidenceStoreAway"}

    def test_entries_that_are_not_sealed(self, healthy, monkeypatch):
        late = sealing.Backlog(count=3, age=LONG_AGO)
        monkeypatch.setattr(sealing, "backlog", lambda: late)
        assert alerts() == {"PlumblineSealLate"}
        silent("worker")
        assert alerts() == {"PlumblineWorkerDead"}, "the cause is told, not what follows from it"

    def test_a_clock_that_is_ahead(self, healthy, monkeypatch):
        monkeypatch.setattr(clock_check, "off", lambda using="default": 90.0)
        # The thread that checks readiness writes on its own connection, which no test rolls back.
        monkeypatch.setattr(heartbeats, "say", lambda *_, **__: None)
        assert alerts() == {"PlumblineClockWrong"}

    def test_a_mail_server_that_refuses(self, healthy, monkeypatch):
        a_refused_email()
        assert alerts() == {"PlumblineMailRefused"}

    def test_reports_that_wait(self, healthy):
        a_waiting_report()
        assert alerts() == {"PlumblineIntakeBacklog"}


def test_without_a_database_the_figures_of_the_host_remain(healthy, monkeypatch):
    monkeypatch.setattr(readiness, "CHECKS", away("database"))
    figures = scraped()
    assert figures["plumbline_database_up"] == [0]
    assert "plumbline_disk_free_ratio" in figures
    assert "plumbline_workers_alive" not in figures


def test_a_database_that_goes_away_meanwhile_leaves_the_other_figures(healthy, monkeypatch):
    def gone():
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(sealing, "backlog", gone)
    figures = scraped()
    assert "plumbline_unsealed_entries" not in figures
    assert figures["plumbline_workers_alive"] == [1]


def test_dashboard_alerts_and_documentation_name_the_figures_of_a_scrape(healthy, monkeypatch):
    monkeypatch.setattr(status, "read_replica", lambda: status.Replica("db2:5432/plumbline", 1.0, "ok"))
    figures = {family.name for family in families()}
    rows = re.findall(
        r"^\| (`plumbline_[^|]*)\|", (ROOT / "docs/operate/monitor.md").read_text(), re.MULTILINE
    )
    assert set(FIGURE.findall("".join(rows))) == figures
    for name in ("dashboard.json", "alerts.yml"):
        found = set(FIGURE.findall((ROOT / "deploy" / name).read_text()))
        assert found, name
        assert found <= figures, name


def test_the_dashboard_asks_the_chosen_source_in_every_panel():
    board = json.loads((ROOT / "deploy/dashboard.json").read_text())
    (variable,) = board["templating"]["list"]
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert {part["datasource"]["uid"] for panel in panels for part in (panel, *panel["targets"])} == {
        f"${{{variable['name']}}}"
    }


def test_initiatives_are_counted_by_stage(healthy, cast):
    factories.make_initiative(cast)
    assert sum(scraped()["plumbline_initiatives"]) == 1


def test_initiatives_are_counted_by_supported_stage_with_what_they_miss(healthy, cast):
    mvp = factories.make_mvp(cast)
    factories.make_initiative(cast)
    figures = by_stage("plumbline_initiatives_supported")
    assert figures == {"proposed": 1, "prototype": 0, "mvp": 1, "production": 0}
    assert scraped()["plumbline_requirements_missing"] == [0]
    item = mvp.evidence.filter(coverage__requirement="mvp.problem", kind="document").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="It was of another team", by=cast.owner)
    span = mvp.spans.covering(clock.now()).get()
    assert by_stage("plumbline_initiatives_supported") == {
        "proposed": 1,
        "prototype": 1,
        "mvp": 0,
        "production": 0,
    }
    assert scraped()["plumbline_initiatives_not_supported"] == [1]
    assert scraped()["plumbline_requirements_missing"] == [sum(span.gaps.values())] != [0]
    assert scraped()["plumbline_obligations_open"] == [mvp.obligations.open().count()] != [0]


def test_evidence_that_expires_soon_is_counted_until_it_has_expired(healthy, cast):
    mvp = factories.make_mvp(cast)
    day = mvp.spans.covering(clock.now()).get().next_expiry_on
    found = []
    for days in (40, 30, 1):
        with clock.simulated(clock.midnight_before(day - timedelta(days=days)) + timedelta(hours=12)):
            found += [
                sample.value for sample in figures_of_initiatives() if sample.name.endswith("_expiring")
            ]
    assert found == [0, 1, 1]


def test_the_queries_of_a_scrape_do_not_grow_with_the_initiatives(healthy, cast):
    factories.make_initiative(cast)
    with CaptureQueriesContext(connection) as before:
        list(figures_of_initiatives())
    factories.make_initiative(cast)
    factories.make_mvp(cast)
    with CaptureQueriesContext(connection) as after:
        list(figures_of_initiatives())
    assert len(after) == len(before) <= 5
