"""Pipelines that must not measure: unconfirmed, expired, declared anew, with own keys, or with a lax report."""

import itertools
import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.gates.requirements import state_of
from governance.models import Entry, Rulebook
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from governance.vocabulary import Level, TakesEffect
from initiatives.integration.pipelines import actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Pipeline, PipelineBar, PipelineReport
from tests.support import factories
from tests.support.servers import pipeline_issuers as issuers

pytestmark = pytest.mark.django_db
GOOD = issuers.JUNIT
PIPELINES = ("confirmed", "never", "expired", "declared anew", "own keys")
BARS = ("confirmed", "never", "expired", "declared anew", "none", "of another requirement")
REPORTS = {
    "right": (GOOD, {}),
    "a test fails": (
        GOOD.replace(b'failures="0"', b'failures="1"').replace(
            b'name="is away"/>', b'name="is away"><failure/></testcase>'
        ),
        {},
    ),
    "a test is left out": (
        GOOD.replace(b'<testcase classname="test_crm" name="is away"/>', b"").replace(b'"3"', b'"2"'),
        {},
    ),
    "names a bar of its own": (
        GOOD,
        {"threshold": "0.01", "tested": "fallback", "condition": "full_population"},
    ),
}


@pytest.fixture
def initiative(cast, monkeypatch):
    issuers.Published(monkeypatch)
    row = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    initiative_acts.say(row, issuers.REQUIREMENT, cast.team)
    return row


def level_of(initiative, key=issuers.REQUIREMENT):
    facts = supported_stage.judged(initiative_acts.fresh(initiative)).facts
    return state_of(facts, Rulebook.objects.current().parsed.at_tier("limited"), key, clock.now()).level


def made(cast, initiative, state: str) -> Pipeline:
    """A pipeline on a platform whose keys can be entered, in this state."""
    own = issuers.KEYS[issuers.CLUSTER].as_dict(private=False)
    keys = {"keys": json.dumps({"keys": [own]})} if state == "own keys" else {}
    row = issuers.make_declared(cast, initiative, "kubernetes", **keys)
    if state in ("confirmed", "expired", "declared anew"):
        row = actions.confirm_pipeline(pipeline=row, by=cast.seat_security)
    if state == "declared anew":
        actions.end_pipeline(pipeline=row, reason="Another cluster.", by=cast.owner)
        row = issuers.make_declared(cast, initiative, "kubernetes")
    return row


def barred(cast, pipeline: Pipeline, state: str) -> None:
    """Declare what the pipeline must show, in this state."""
    if state == "none":
        return
    if state == "of another requirement":
        issuers.make_bar(cast, pipeline, "layer.runtime")
        return
    issuers.make_bar(cast, pipeline, confirmed=state != "never")
    if state == "declared anew":
        issuers.make_bar(cast, pipeline, tests=["test_crm times out"], confirmed=False)


@pytest.mark.parametrize(("pipeline", "bar", "report"), list(itertools.product(PIPELINES, BARS, REPORTS)))
def test_a_hostile_pipeline_is_never_measured(
    cast, initiative, settings, time_machine, pipeline, bar, report
):
    """Of all pairs of a pipeline and its bar, a right report of the confirmed pair alone is measured."""
    row = made(cast, initiative, pipeline)
    if bar == "expired":
        barred(cast, row, bar)
    if "expired" in (pipeline, bar):
        time_machine.move_to(clock.now() + timedelta(days=366))
        if pipeline == "confirmed":
            actions.confirm_pipeline(pipeline=row, by=cast.seat_security)
    if bar != "expired":
        barred(cast, row, bar)
    body, more = REPORTS[report]
    token = issuers.signed(issuers.claims_of("kubernetes", settings.ADDRESS))
    answer = issuers.filed(Client(), initiative.ref, token, body, **more)
    assert answer.status_code == (400 if more else 201), answer.content
    measured = (pipeline, bar, report) == ("confirmed", "confirmed", "right")
    assert (level_of(initiative) == Level.MEASURED) is measured


@pytest.mark.parametrize(
    "who", ["owner", "lead", "support", "chair", "seat_risk", "admin", "auditor", "outsider"]
)
def test_only_the_seat_confirms(cast, initiative, who):
    """The security seat confirms the pipeline, a seat of the requirement confirms the bar, and no one of the team."""
    row = issuers.make_declared(cast, initiative)
    bar = issuers.make_bar(cast, row, confirmed=False)
    person = getattr(cast, who)
    for confirm in (
        lambda: actions.confirm_pipeline(pipeline=row, by=person),
        lambda: actions.confirm_bar(bar=bar, by=person),
    ):
        with pytest.raises(Refused):
            confirm()
    assert not Pipeline.objects.exclude(confirmed_at=None).exists()
    assert not PipelineBar.objects.exclude(confirmed_at=None).exists()


def test_a_seat_holder_of_the_team_confirms_nothing(cast, initiative):
    role_actions.propose_role(
        initiative=initiative, role="data_steward", person=cast.seat_security, by=cast.owner
    )
    row = issuers.make_declared(cast, initiative)
    with pytest.raises(Refused):
        actions.confirm_pipeline(pipeline=row, by=cast.seat_security)


def test_a_new_declaration_ends_nothing_that_was_filed(cast, initiative, settings):
    row = issuers.make_pipeline(cast, initiative)
    issuers.filed(Client(), initiative.ref, issuers.signed(issuers.claims_of("github", settings.ADDRESS)))
    assert level_of(initiative) == Level.MEASURED
    issuers.make_bar(cast, row, tests=["test_crm times out"], confirmed=False)
    assert level_of(initiative) == Level.MEASURED
    actions.end_pipeline(pipeline=row, reason="Moved.", by=cast.owner)
    assert level_of(initiative) == Level.MEASURED
    assert Entry.objects.filter(kind="bar declared").count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lacks", ["pipeline", "bar"])
def test_the_database_keeps_no_measured_report_without_the_seats(
    cast, initiative, settings, monkeypatch, lacks
):
    row = issuers.make_declared(cast, initiative, "kubernetes")
    if lacks != "pipeline":
        actions.confirm_pipeline(pipeline=row, by=cast.seat_security)
    issuers.make_bar(cast, row, confirmed=lacks != "bar")
    token = issuers.signed(issuers.claims_of("kubernetes", settings.ADDRESS))
    monkeypatch.setattr(actions, "_measured", lambda *_: [issuers.REQUIREMENT])
    assert issuers.filed(Client(), initiative.ref, token).status_code == 500
    assert not PipelineReport.objects.exists()


@pytest.mark.parametrize(("seat", "taken"), [("risk_compliance", False), ("security_privacy", True)])
def test_the_database_takes_the_confirmation_of_the_seat_that_is_asked(cast, initiative, seat, taken):
    row = issuers.make_declared(cast, initiative, "kubernetes")
    row.confirmed_by, row.confirmed_seat, row.confirmed_at = cast.seats[seat], seat, clock.now()
    row.confirmed_until = row.confirmed_at + timedelta(days=90)
    with acting(by=cast.seats[seat], reason="Past the act"), transaction.atomic():
        if taken:
            row.save()
            transaction.set_rollback(True)
        else:
            with pytest.raises(DatabaseError, match="does not confirm pipelines"):
                row.save()
