"""Processes in heads, the sign-on flow, and what a knowledge holder's leaving ends, and what not."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Refused
from initiatives.integration.resilience import process_actions
from initiatives.integration.resilience.process_findings import REVIEWED_EVERY_DAYS, current_processes
from initiatives.models import ProcessRecord, Voiding
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.initiatives import open_reviews
from tests.support.initiatives.initiative_pages import acts
from tests.support.initiatives.register_findings import against

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    """An MVP with what production asks for shown."""
    return factories.make_ready(cast, factories.make_mvp(cast), "production")


def changes(initiative, trigger: str) -> list:
    return [change for change in initiative.changes.order_by("pk") if trigger in change.triggers]


# Processes


def test_what_is_in_a_head_is_not_written_down_and_partly_is_not_either(cast, initiative):
    with acts() as kinds:
        factories.make_process(cast, initiative, status="in_head", holder=cast.support, as_is=[])
    assert kinds[:2] == ["process recorded", "register found"]
    assert against(initiative, "mvp.workflow") == [
        "Only Karim Haddad knows “Approvals above a limit”. The process is not documented."
    ]
    assert story.state(initiative, "mvp.workflow").state == "register"
    assert (story.span(initiative).supported, story.fresh(initiative).stage) == ("prototype", "mvp"), (
        "the claim stays"
    )
    factories.make_process(cast, initiative, status="partial", holder_words="one colleague")
    assert against(initiative, "mvp.workflow") == [
        "“Approvals above a limit” is partly documented. Only one colleague knows the rest."
    ]
    factories.make_process(cast, initiative)
    assert against(initiative, "mvp.workflow") == []
    assert story.state(initiative, "mvp.workflow").satisfied
    assert story.span(initiative).supported == "mvp"
    assert changes(initiative, "workflow") == [], "writing down how it is changes nothing"


def test_a_gate_that_is_not_decided_yet_is_blocked_by_what_is_in_a_head(cast):
    review = open_reviews.before_mvp(cast)
    assert "colleague" not in story.blockers(review)
    factories.make_process(cast, review.initiative, status="in_head", holder_words="one colleague", as_is=[])
    assert "Only one colleague knows" in story.blockers(review)
    assert not story.snapshot(review).verdict.decidable


def test_the_newest_record_of_a_name_replaces_the_one_before_and_taking_it_back_brings_that_back(
    cast, initiative
):
    first = factories.make_process(cast, initiative, status="in_head", holder_words="one colleague")
    second = factories.make_process(cast, initiative, name="approvals  above A LIMIT")
    assert second.replaces == first
    other = factories.make_process(cast, initiative, name="Refunds")
    assert current_processes([initiative.pk]) == [second, other]
    process_actions.withdraw_process(process=second, reason="Not agreed.", by=cast.owner)
    assert against(initiative, "mvp.workflow") == [
        "Only one colleague knows “Approvals above a limit”. The process is not documented."
    ]
    third = factories.make_process(cast, initiative)
    assert third.replaces == second
    assert against(initiative, "mvp.workflow") == []


def test_what_is_wrong_with_a_process_is_said_by_field(cast, initiative):
    for field, fields in (
        ("name", {"name": " "}),
        ("status", {"status": "lost"}),
        ("holder_words", {"status": "in_head"}),
        ("as_is", {"as_is": []}),
        ("as_is", {"as_is": [{"who": "A", "what": ""}]}),
        ("to_be", {"to_be": [{"who": "", "what": "x" * 600}]}),
        ("to_be", {"to_be": [{"who": "", "what": "x"}] * 61}),
        ("redesign_cost", {"redesign_cost": Decimal(-1), "currency": "EUR"}),
        ("redesign_cost", {"currency": "EUR"}),
        ("currency", {"redesign_cost": Decimal(10), "currency": "euro"}),
    ):
        with pytest.raises(ValidationError) as said:
            factories.make_process(cast, initiative, **fields)
        assert field in said.value.error_dict
        assert not ProcessRecord.objects.exists()


def test_who_does_not_work_on_the_initiative_records_nothing(cast, initiative):
    for act in (factories.make_process, factories.make_flow):
        with pytest.raises(Refused):
            act(cast, initiative, by=cast.chair)


def test_the_database_knows_that_a_head_has_a_name(cast, initiative):
    row = {"initiative": initiative, "name": "X", "status": "in_head", "by": cast.owner, "at": clock.now()}
    with acting(by=cast.owner), transaction.atomic(), pytest.raises(IntegrityError):
        ProcessRecord(**row).save()
    with acting(by=cast.owner), transaction.atomic(), pytest.raises(IntegrityError):
        ProcessRecord(**row | {"status": "documented", "reopened_at": clock.now()}).save()


def test_a_redesign_of_a_documented_process_pulls_workflow_and_nothing_else_does(cast, initiative):
    to_be = [{"who": "Assistant", "what": "proposes the approver"}]
    factories.make_process(cast, initiative, to_be=to_be)
    assert changes(initiative, "workflow") == [], "a first description pulls nothing"
    factories.make_process(cast, initiative, to_be=to_be, redesign_cost=Decimal(9000), currency="eur")
    assert changes(initiative, "workflow") == [], "its cost is no redesign"
    factories.make_process(cast, initiative, name="Refunds", status="partial", holder_words="one colleague")
    factories.make_process(cast, initiative, name="Refunds", to_be=to_be)
    assert changes(initiative, "workflow") == [], "what was never documented is described, not redesigned"
    factories.make_process(cast, initiative, to_be=[])
    (change,) = changes(initiative, "workflow")
    assert change.what == "“Approvals above a limit” is redesigned"
    voided = set(Voiding.objects.filter(change=change).values_list("requirement", flat=True))
    assert "mvp.workflow" in voided
    assert voided <= {
        "mvp.workflow",
        "mvp.users",
        "adopt.burden",
        "adopt.behaviour",
        "mvp.problem",
        "adopt.usage",
    }


# A person leaves


def test_a_holder_who_leaves_reopens_the_process_and_ends_what_rests_on_it(cast, initiative):
    row = factories.make_process(cast, initiative, holder=cast.sponsor)
    elsewhere = factories.make_process(cast, initiative, name="Refunds", holder=cast.support)
    past = factories.make_process(cast, initiative, name="Returns", holder=cast.sponsor)
    factories.make_process(cast, initiative, name="Returns", holder=cast.support)
    other = factories.make_initiative(cast, title="Nobody's head")
    assert story.state(initiative, "mvp.workflow").satisfied
    with acts() as kinds:
        leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    told = [
        kind
        for kind in kinds
        if kind in ("account deactivated", "process reopened", "changed", "register found")
    ]
    assert told == ["account deactivated", "process reopened", "changed", "register found"]
    row = ProcessRecord.objects.get(pk=row.pk)
    assert (row.status, row.reopened_at is not None) == ("in_head", True)
    for kept in (elsewhere, past):
        assert ProcessRecord.objects.get(pk=kept.pk).reopened_at is None
    (change,) = changes(initiative, "knowledge_holder")
    assert (change.what, change.system) == (
        "Ada Moreau, who knew the process “Approvals above a limit”, left",
        None,
    )
    assert set(Voiding.objects.filter(change=change).values_list("requirement", flat=True)) == {
        "mvp.workflow"
    }
    assert against(initiative, "mvp.workflow") == [
        "Ada Moreau was the only person who knew “Approvals above a limit”, and has left. "
        "The process is not documented."
    ]
    assert story.span(initiative).supported == "prototype"
    assert not other.changes.exists()


def test_a_systems_holder_who_leaves_ends_what_speaks_of_that_system_alone(cast, initiative):
    ledger = factories.make_system(cast, knowledge_holder=cast.sponsor)
    wiki = factories.make_system(cast, "Old wiki", knowledge_holder=cast.support)
    for system in (ledger, wiki):
        factories.make_link(cast, initiative, system=system)
    other = factories.make_initiative(cast, title="Of the wiki")
    factories.make_link(cast, other, system=wiki)
    for system in (ledger, wiki):
        initiative_acts.ground(
            initiative, "mvp.workflow", cast.team, title=f"Workflow in {system}", names=[system]
        )
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    (change,) = changes(initiative, "knowledge_holder")
    assert (change.what, change.system) == ("Ada Moreau, who knew Customer ledger, left", ledger)
    voided = set(Voiding.objects.filter(change=change).values_list("evidence__title", flat=True))
    assert "Workflow in Customer ledger" in voided
    assert "Workflow in Old wiki" not in voided
    assert changes(other, "knowledge_holder") == []


def test_somebody_who_knew_nothing_leaves_and_nothing_ends(cast, initiative):
    factories.make_process(cast, initiative, holder=cast.support)
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    assert changes(initiative, "knowledge_holder") == []
    assert not initiative.requirement_findings.current().exclude(requirement__startswith="adopt.").exists()


# The sign-on flow


def test_a_initiative_without_links_must_give_no_sign_on_flow(cast, initiative):
    assert against(initiative, "int.identity") == []
    factories.make_flow(cast, initiative, explainer=None)
    assert against(initiative, "int.identity") == []


def test_a_flow_that_nobody_explains_is_understood_by_nobody(cast, initiative):
    factories.make_link(cast, initiative)
    assert "The sign-on flow to the linked systems is not documented." in against(initiative, "int.identity")
    factories.make_flow(cast, initiative, explainer=None)
    assert "No person is named who can explain the sign-on flow." in against(initiative, "int.identity")
    assert story.state(initiative, "int.identity").state == "register"
    factories.make_flow(cast, initiative, explainer=cast.sponsor)
    assert not any("sign" in words for words in against(initiative, "int.identity"))
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    assert against(initiative, "int.identity") == [
        "Ada Moreau, who could explain the sign-on flow, has left."
    ]


def test_a_flow_counts_for_ninety_days_to_the_midnight(cast, initiative):
    factories.make_link(cast, initiative)
    factories.make_flow(cast, initiative)
    row = initiative.requirement_findings.current().get(source="flow:review")
    last = clock.today() + timedelta(days=REVIEWED_EVERY_DAYS)
    assert row.since == clock.midnight_after(last)
    assert REVIEWED_EVERY_DAYS == 90
    with clock.simulated(row.since - timedelta(seconds=1)):
        assert "gone through" not in story.state(initiative, "int.identity").words
    with clock.simulated(row.since):
        assert "The last review of the sign-on flow was on" in story.state(initiative, "int.identity").words


def test_what_is_wrong_with_a_flow_is_said_by_field(cast, initiative):
    for field, fields in (("steps", {"steps": []}), ("reviewed_on", {"reviewed_on": timedelta(days=2)})):
        with pytest.raises(ValidationError) as said:
            factories.make_flow(cast, initiative, **factories.from_today(fields))
        assert field in said.value.error_dict
