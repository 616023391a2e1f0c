"""Processes in heads, the sign-on flow, and what a knowledge holder's leaving ends, and what not."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from adoption.demo import case_acts
from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Refused
from initiatives.integration.resilience import process_actions
from initiatives.integration.resilience.process_findings import REVIEWED_EVERY_DAYS, standing_processes
from initiatives.models import ProcessRecord, Voiding
from initiatives.roles import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.cases import open_reviews
from tests.support.cases.case_pages import acts
from tests.support.cases.register_findings import against

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast):
    """An MVP with what production asks for shown."""
    return factories.make_ready(cast, factories.make_mvp(cast), "production")


def changes(case, trigger: str) -> list:
    return [change for change in case.changes.order_by("pk") if trigger in change.triggers]


# Processes


def test_what_is_in_a_head_is_not_written_down_and_partly_is_not_either(cast, case):
    with acts() as kinds:
        factories.make_process(cast, case, status="in_head", holder=cast.support, as_is=[])
    assert kinds[:2] == ["process recorded", "register found"]
    assert against(case, "mvp.workflow") == ["“Approvals above a limit” is in Karim Haddad's head."]
    assert story.state(case, "mvp.workflow").state == "register"
    assert (story.span(case).supported, story.fresh(case).stage) == ("prototype", "mvp"), "the claim stays"
    factories.make_process(cast, case, status="partial", holder_words="one colleague")
    assert against(case, "mvp.workflow") == [
        "“Approvals above a limit” is written down in part; the rest is in one colleague's head."
    ]
    factories.make_process(cast, case)
    assert against(case, "mvp.workflow") == []
    assert story.state(case, "mvp.workflow").satisfied
    assert story.span(case).supported == "mvp"
    assert changes(case, "workflow") == [], "writing down how it is changes nothing"


def test_a_gate_that_is_not_decided_yet_is_blocked_by_what_is_in_a_head(cast):
    review = open_reviews.before_mvp(cast)
    assert "colleague" not in story.blockers(review)
    factories.make_process(cast, review.initiative, status="in_head", holder_words="one colleague", as_is=[])
    assert "is in one colleague's head" in story.blockers(review)
    assert not story.sitting(review).verdict.decidable


def test_the_newest_record_of_a_name_replaces_the_one_before_and_taking_it_back_brings_that_back(cast, case):
    first = factories.make_process(cast, case, status="in_head", holder_words="one colleague")
    second = factories.make_process(cast, case, name="approvals  above A LIMIT")
    assert second.replaces == first
    other = factories.make_process(cast, case, name="Refunds")
    assert standing_processes([case.pk]) == [second, other]
    process_actions.withdraw_process(process=second, reason="Not agreed.", by=cast.owner)
    assert against(case, "mvp.workflow") == ["“Approvals above a limit” is in one colleague's head."]
    third = factories.make_process(cast, case)
    assert third.replaces == second
    assert against(case, "mvp.workflow") == []


def test_what_is_wrong_with_a_process_is_said_by_field(cast, case):
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
            factories.make_process(cast, case, **fields)
        assert field in said.value.error_dict
        assert not ProcessRecord.objects.exists()


def test_who_does_not_work_on_the_case_records_nothing(cast, case):
    for act in (factories.make_process, factories.make_flow):
        with pytest.raises(Refused):
            act(cast, case, by=cast.chair)


def test_the_database_knows_that_a_head_has_a_name(cast, case):
    row = {"initiative": case, "name": "X", "status": "in_head", "by": cast.owner, "at": clock.now()}
    with acting(by=cast.owner), transaction.atomic(), pytest.raises(IntegrityError):
        ProcessRecord(**row).save()
    with acting(by=cast.owner), transaction.atomic(), pytest.raises(IntegrityError):
        ProcessRecord(**row | {"status": "documented", "reopened_at": clock.now()}).save()


def test_a_redesign_of_a_documented_process_pulls_workflow_and_nothing_else_does(cast, case):
    to_be = [{"who": "Assistant", "what": "proposes the approver"}]
    factories.make_process(cast, case, to_be=to_be)
    assert changes(case, "workflow") == [], "a first description pulls nothing"
    factories.make_process(cast, case, to_be=to_be, redesign_cost=Decimal(9000), currency="eur")
    assert changes(case, "workflow") == [], "its cost is no redesign"
    factories.make_process(cast, case, name="Refunds", status="partial", holder_words="one colleague")
    factories.make_process(cast, case, name="Refunds", to_be=to_be)
    assert changes(case, "workflow") == [], "what was never documented is described, not redesigned"
    factories.make_process(cast, case, to_be=[])
    (change,) = changes(case, "workflow")
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


def test_a_holder_who_leaves_reopens_the_process_and_ends_what_rests_on_it(cast, case):
    row = factories.make_process(cast, case, holder=cast.sponsor)
    elsewhere = factories.make_process(cast, case, name="Refunds", holder=cast.support)
    past = factories.make_process(cast, case, name="Returns", holder=cast.sponsor)
    factories.make_process(cast, case, name="Returns", holder=cast.support)
    other = factories.make_case(cast, title="Nobody's head")
    assert story.state(case, "mvp.workflow").satisfied
    with acts() as kinds:
        leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    told = [
        kind for kind in kinds if kind in ("account ended", "process reopened", "changed", "register found")
    ]
    assert told == ["account ended", "process reopened", "changed", "register found"]
    row = ProcessRecord.objects.get(pk=row.pk)
    assert (row.status, row.reopened_at is not None) == ("in_head", True)
    for kept in (elsewhere, past):
        assert ProcessRecord.objects.get(pk=kept.pk).reopened_at is None
    (change,) = changes(case, "knowledge_holder")
    assert (change.what, change.system) == (
        "Ada Moreau left, in whose head “Approvals above a limit” was",
        None,
    )
    assert set(Voiding.objects.filter(change=change).values_list("requirement", flat=True)) == {
        "mvp.workflow"
    }
    assert against(case, "mvp.workflow") == [
        "“Approvals above a limit” was in the head of Ada Moreau, who left: nobody here has said how it goes."
    ]
    assert story.span(case).supported == "prototype"
    assert not other.changes.exists()


def test_a_systems_holder_who_leaves_ends_what_speaks_of_that_system_alone(cast, case):
    ledger = factories.make_system(cast, knowledge_holder=cast.sponsor)
    wiki = factories.make_system(cast, "Old wiki", knowledge_holder=cast.support)
    for system in (ledger, wiki):
        factories.make_link(cast, case, system=system)
    other = factories.make_case(cast, title="Of the wiki")
    factories.make_link(cast, other, system=wiki)
    for system in (ledger, wiki):
        case_acts.ground(case, "mvp.workflow", cast.team, title=f"Workflow in {system}", names=[system])
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    (change,) = changes(case, "knowledge_holder")
    assert (change.what, change.system) == ("Ada Moreau left, who knew Customer ledger", ledger)
    voided = set(Voiding.objects.filter(change=change).values_list("evidence__title", flat=True))
    assert "Workflow in Customer ledger" in voided
    assert "Workflow in Old wiki" not in voided
    assert changes(other, "knowledge_holder") == []


def test_somebody_who_knew_nothing_leaves_and_nothing_ends(cast, case):
    factories.make_process(cast, case, holder=cast.support)
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    assert changes(case, "knowledge_holder") == []
    assert not case.shortcomings.standing().exclude(requirement__startswith="adopt.").exists()


# The sign-on flow


def test_a_case_without_links_owes_no_sign_on_flow(cast, case):
    assert against(case, "int.identity") == []
    factories.make_flow(cast, case, explainer=None)
    assert against(case, "int.identity") == []


def test_a_flow_that_nobody_explains_is_understood_by_nobody(cast, case):
    factories.make_link(cast, case)
    assert "How it signs on to the linked systems is not written down." in against(case, "int.identity")
    factories.make_flow(cast, case, explainer=None)
    assert "The sign-on flow is understood by nobody: no explainer is named." in against(case, "int.identity")
    assert story.state(case, "int.identity").state == "register"
    factories.make_flow(cast, case, explainer=cast.sponsor)
    assert not any("sign" in words for words in against(case, "int.identity"))
    leaving.deactivate(person=cast.sponsor, reason="Left", system="HR feed")
    assert against(case, "int.identity") == [
        "The sign-on flow is understood by nobody: Ada Moreau could explain it, and left."
    ]


def test_a_flow_counts_for_ninety_days_to_the_midnight(cast, case):
    factories.make_link(cast, case)
    factories.make_flow(cast, case)
    row = case.shortcomings.standing().get(source="flow:review")
    last = clock.today() + timedelta(days=REVIEWED_EVERY_DAYS)
    assert row.since == clock.midnight_after(last)
    assert REVIEWED_EVERY_DAYS == 90
    with clock.simulated(row.since - timedelta(seconds=1)):
        assert "gone through" not in story.state(case, "int.identity").words
    with clock.simulated(row.since):
        assert "last gone through on" in story.state(case, "int.identity").words


def test_what_is_wrong_with_a_flow_is_said_by_field(cast, case):
    for field, fields in (("steps", {"steps": []}), ("reviewed_on", {"reviewed_on": timedelta(days=2)})):
        with pytest.raises(ValidationError) as said:
            factories.make_flow(cast, case, **factories.from_today(fields))
        assert field in said.value.error_dict
