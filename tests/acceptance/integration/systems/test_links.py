"""Links of an initiative: transfers in order, what they void, who may, the owner's answer, and that a prototype's
is never live.
"""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Conflict, Refused
from initiatives.integration.links import actions as link_actions
from initiatives.integration.links.actions import Place
from initiatives.integration.systems import accounts
from initiatives.integration.systems import actions as system_actions
from initiatives.integration.systems import findings as system_findings
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Evidence, EvidenceNames, Link
from tests.support import factories
from tests.support.initiatives.register_findings import against, evidence_about, read, voided

pytestmark = pytest.mark.django_db

UNKNOWN_DAYS = 15  # the rulebook gives 14 days to find out what is unknown


def test_a_link_says_how_and_along_which_places_in_order(cast, mvp, crm):
    places = [Place("Gateway ", "eu-west"), Place("Model", "us-east")]
    link = factories.make_link(cast, mvp, crm, transfers=places, data_classes=["notes", "notes", " prices "])
    assert [(transfer.position, transfer.name, transfer.region) for transfer in link.transfers.all()] == [
        (1, "Gateway", "eu-west"),
        (2, "Model", "us-east"),
    ]
    assert link.data_classes == ["notes", "prices"]
    link_actions.change_link(link=link, transfers=[Place("Model", "eu-west")], by=cast.lead)
    rows = list(link.transfers.order_by("pk").values_list("name", "region", "ended_at"))
    assert [(name, region, ended is None) for name, region, ended in rows] == [
        ("Gateway", "eu-west", False),
        ("Model", "us-east", False),
        ("Model", "eu-west", True),
    ]


def test_what_is_not_named_stays_and_nothing_new_leaves_no_entry(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm, transfers=[Place("Model", "us-east")], purpose="Names")
    before = link.history.count()
    link_actions.change_link(link=link, purpose="Names ", by=cast.owner)
    link_actions.change_link(link=link, transfers=[Place("Model", "us-east")], by=cast.owner)
    assert link.history.count() == before
    link_actions.change_link(link=link, retry="Twice", by=cast.owner)
    link = Link.objects.get(pk=link.pk)
    assert (link.retry, link.purpose, link.transfers.count()) == ("Twice", "Names", 1)


def test_what_is_wrong_with_a_link_is_said_by_field(cast, mvp, crm):
    for fields, field in (
        ({"pattern": "other"}, "pattern"),
        ({"direction": ""}, "direction"),
        ({"access": "telepathy"}, "access"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"transfers": [Place(" ")]}, "transfers"),
        ({"transfers": [Place(f"Transfer {n}") for n in range(21)]}, "transfers"),
    ):
        with pytest.raises(ValidationError) as wrong:
            factories.make_link(cast, mvp, crm, **fields)
        assert set(wrong.value.error_dict) == {field}
        assert not mvp.links.exists()


def test_a_collection_without_members_is_refused(cast, mvp):
    base = factories.make_system(cast, "Knowledge base", kind="knowledge_collection")
    with pytest.raises(ValidationError, match="is a collection without sources"):
        factories.make_link(cast, mvp, base)
    factories.make_system(cast, "KB-A", kind="wiki", collection=base)
    assert factories.make_link(cast, mvp, base).pk


def test_the_same_link_twice_a_retired_system_and_foreign_parts_are_refused(cast, mvp, crm):
    factories.make_link(cast, mvp, crm)
    with pytest.raises(ValidationError, match="already has this link"):
        factories.make_link(cast, mvp, crm)
    assert factories.make_link(cast, mvp, crm, pattern="audit").pk
    elsewhere = factories.make_system(cast, "Billing")
    account = factories.make_account(cast, elsewhere)
    with pytest.raises(ValidationError, match="account of another system"):
        factories.make_link(cast, mvp, crm, pattern="anchor", account=account)
    accounts.close_account(account=account, reason="Gone", by=cast.lead)
    with pytest.raises(ValidationError, match="was closed"):
        factories.make_link(cast, mvp, elsewhere, account=account)
    other = factories.make_initiative(cast, title="Another")
    initiative_acts.parts(other, cast.team)
    with pytest.raises(ValidationError, match="belongs to another initiative"):
        factories.make_link(
            cast, mvp, elsewhere, transfers=[Place("Model", deployment=other.deployments.first())]
        )
    system_actions.retire_system(system=elsewhere, reason="Replaced", by=cast.lead)
    with pytest.raises(ValidationError, match="was retired"):
        factories.make_link(cast, mvp, elsewhere)


def test_only_who_works_on_the_initiative_ties_it(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    for person in (cast.outsider, cast.seat_architecture, cast.chair, cast.auditor, cast.admin):
        with pytest.raises(Refused):
            factories.make_link(cast, mvp, crm, pattern="audit", by=person)
        with pytest.raises(Refused):
            link_actions.change_link(link=link, retry="Twice", by=person)
        with pytest.raises(Refused):
            link_actions.close_link(link=link, reason="No", by=person)


def test_a_initiative_that_ended_is_tied_to_nothing(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    stage_actions.stop(initiative=mvp, reason_code="no_value", reason="No use", by=cast.owner)
    link.refresh_from_db()
    assert (link.ended_by, link.ended_reason) == (cast.owner, "The initiative was stopped")
    assert against(mvp) == []
    with pytest.raises(Refused):
        factories.make_link(cast, mvp, factories.make_system(cast, "Billing"))
    with pytest.raises(Refused):
        link_actions.change_link(link=link, retry="Twice", by=cast.owner)


# A prototype holds no data of production


def test_a_prototypes_link_is_never_live(cast, crm):
    initiative = factories.make_prototype(cast)
    with pytest.raises(ValidationError, match="must not use production data"):
        factories.make_link(cast, initiative, crm, live=True)
    link = factories.make_link(cast, initiative, crm)
    with pytest.raises(ValidationError, match="must not use production data"):
        link_actions.change_link(link=link, live=True, by=cast.owner)
    with acting(system="test", reason="Past the acts"):
        link.live = True
        with pytest.raises(DatabaseError, match="no production data"), transaction.atomic():
            link.save()
    assert not Link.objects.get(pk=link.pk).live


def test_the_link_of_an_mvp_may_be_live_until_it_steps_back(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm, live=True, agreed=True)
    stage_actions.step_back(
        initiative=mvp,
        reason="Too early",
        users_told="By mail",
        scope={"users": "Two", "user_count": 2, "rollout": False, "live_data": False},
        by=cast.chair,
    )
    assert not Link.objects.get(pk=link.pk).live
    assert against(mvp, "int.systems_owned", in_days=UNKNOWN_DAYS) == [
        "The link to CRM was changed after Sam Brook agreed to it."
    ]


# What a link voids


def test_a_source_more_ends_what_lists_it_and_speaks_of_it_or_of_none(cast, mvp, crm):
    billing = factories.make_system(cast, "Billing")
    evidence_about(cast, mvp, "About CRM", crm)
    evidence_about(cast, mvp, "About billing", billing)
    evidence_about(cast, mvp, "About no system")
    evidence_about(cast, mvp, "Of definitions", crm, covers="int.definitions")
    factories.make_link(cast, mvp, crm)
    found = voided(mvp)
    assert {"About CRM", "About no system"} <= found
    assert not {"About billing", "Of definitions"} & found


def test_a_second_link_to_the_same_system_is_no_source_more(cast, mvp, crm):
    first = factories.make_link(cast, mvp, crm)
    evidence_about(cast, mvp, "About CRM", crm)
    second = factories.make_link(cast, mvp, crm, pattern="audit")
    link_actions.close_link(link=second, reason="Logged elsewhere", by=cast.lead)
    assert "About CRM" not in voided(mvp)
    link_actions.close_link(link=first, reason="Not needed", by=cast.lead)
    assert "About CRM" in voided(mvp)


def test_a_first_link_where_nothing_was_proved_changes_nothing(cast, crm):
    initiative = factories.make_initiative(cast)
    Evidence.objects.filter(initiative=initiative)
    with acting(system="test", reason="No evidence yet"):
        for item in initiative.evidence.all():
            item.withdrawn_at, item.withdrawn_reason = clock.now(), "None"
            item.save()
    factories.make_link(cast, initiative, crm)
    assert not initiative.changes.exists()


def test_another_path_ends_evidence_and_a_first_one_does_not(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    evidence_about(cast, mvp, "About CRM", crm)
    billing = factories.make_system(cast, "Billing")
    evidence_about(cast, mvp, "About billing", billing)
    link_actions.change_link(link=link, transfers=[Place("Model", "us-east")], by=cast.lead)
    link_actions.change_link(link=link, retry="Twice", data_classes=["prices"], by=cast.lead)
    assert "About CRM" not in voided(mvp)
    link_actions.change_link(link=link, transfers=[Place("Model", "eu-west")], by=cast.lead)
    assert "About CRM" in voided(mvp)
    assert "About billing" not in voided(mvp)
    assert mvp.changes.order_by("pk").last().what == (
        "The data of CRM take a different path: Model (us-east) before, Model (eu-west) now"
    )


# The owner's word


def test_the_owner_agrees_in_person_to_the_link_as_it_reads(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    said = "Sam Brook has not agreed to the link to CRM."
    assert against(mvp) == [], "the owner has some days to answer"
    assert against(mvp, in_days=UNKNOWN_DAYS) == [said]
    with pytest.raises(Refused):
        link_actions.answer_link(link=link, accepts=True, digest=read(link), by=cast.owner)
    link_actions.answer_link(link=link, accepts=True, digest=read(link), by=cast.outsider)
    assert against(mvp, in_days=UNKNOWN_DAYS) == []
    link_actions.change_link(link=link, retry="Twice", by=cast.lead)
    assert against(mvp, in_days=UNKNOWN_DAYS) == []
    link_actions.change_link(link=link, data_classes=["prices"], by=cast.lead)
    assert against(mvp, in_days=UNKNOWN_DAYS) == ["The link to CRM was changed after Sam Brook agreed to it."]


def test_an_answer_lasts_a_year_to_the_day(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm, agreed=True)
    row = mvp.requirement_findings.current().get(source=f"link:{link.pk}:agreement")
    assert row.since == clock.midnight_after(clock.today() + timedelta(days=365))
    assert (
        mvp.requirement_findings.current().get(source__startswith="system:").requirement
        == "int.sources_condition"
    )


def test_an_answer_to_what_reads_otherwise_now_is_a_conflict(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    was = read(link)
    link_actions.change_link(link=link, transfers=[Place("Model", "us-east")], by=cast.lead)
    with pytest.raises(Conflict, match="Open the page again"):
        link_actions.answer_link(link=link, accepts=True, digest=was, by=cast.outsider)


def test_a_no_says_why_and_waits_for_the_initiative(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    with pytest.raises(ValidationError, match="Give the reason"):
        link_actions.answer_link(link=link, accepts=False, digest=read(link), by=cast.outsider)
    link_actions.answer_link(
        link=link, accepts=False, words="At night only.", digest=read(link), by=cast.outsider
    )
    row = mvp.requirement_findings.current().get(requirement="int.systems_owned")
    assert row.source == f"link:{link.pk}:{system_findings.DECLINED}"
    assert row.words == "Sam Brook declined the link to CRM: At night only."
    link_actions.change_link(link=link, data_classes=["prices"], by=cast.lead)
    row = mvp.requirement_findings.current().get(requirement="int.systems_owned")
    assert row.source == f"link:{link.pk}:{system_findings.WAITING}"


def test_another_owner_is_asked_anew(cast, mvp, crm):
    factories.make_link(cast, mvp, crm, agreed=True)
    system_actions.change_system(system=crm, owner=cast.steward, by=cast.outsider)
    assert against(mvp, in_days=UNKNOWN_DAYS) == ["Hanna Vogel has not agreed to the link to CRM."]


# Accounts


def test_accounts_lack_what_they_lack_and_a_review_counts_from_its_day_on(cast, mvp, crm):
    account = accounts.open_account(system=crm, name="svc", by=cast.lead)
    factories.make_link(cast, mvp, crm, account=account, agreed=True)
    with pytest.raises(Refused, match="can do this"):
        accounts.change_account(
            account=account, name="svc", owner=cast.lead, privileges="", review_by=None, by=cast.lead
        )
    assert against(mvp, "int.identity") == [
        "A service account in CRM has no owner and no list of permissions and no day of its next review."
    ]
    due = clock.today() + timedelta(days=30)
    accounts.change_account(
        account=account, name="svc", owner=cast.lead, privileges="Reads", review_by=due, by=crm.owner
    )
    assert against(mvp, "int.identity") == []
    row = mvp.requirement_findings.current().get(requirement="int.identity", source__contains="account")
    assert (row.since, row.who) == (clock.midnight_after(due), "Ravi Menon")
    with time_machine.travel(clock.midnight_after(due) - timedelta(seconds=1), tick=False):
        assert against(mvp, "int.identity") == []
    with time_machine.travel(clock.midnight_after(due), tick=False):
        assert against(mvp, "int.identity") == [
            f"The review of a service account in CRM was due by {due:%-d %B %Y}."
        ]
    accounts.review_account(
        account=account, privileges="Reads", review_by=due + timedelta(days=90), by=cast.lead
    )
    with time_machine.travel(clock.midnight_after(due), tick=False):
        assert against(mvp, "int.identity") == []
    accounts.close_account(account=account, reason="Replaced", by=cast.lead)
    assert against(mvp, "int.identity") == ["A service account in CRM was closed."]


def test_accounts_that_only_an_ended_initiative_used_are_closed_by_somebody(cast, mvp, crm):
    alone = factories.make_account(cast, crm, "svc-alone", owner=None)
    shared = factories.make_account(cast, crm, "svc-shared")
    other = factories.make_initiative(cast, title="Another")
    factories.make_link(cast, mvp, crm, account=alone)
    factories.make_link(cast, mvp, crm, pattern="audit", account=shared)
    factories.make_link(cast, other, crm, account=shared)
    stage_actions.stop(initiative=mvp, reason_code="no_value", reason="No use", by=cast.owner)
    obligation = mvp.obligations.open().get(kind="service_account")
    assert (obligation.source, obligation.responsible) == (f"account:{alone.pk}", crm.owner)
    assert obligation.due == clock.today() + timedelta(days=30)
    with pytest.raises(Refused, match="when the account is closed"):
        hold_deeds.complete_obligation(obligation=obligation, note="Done", by=crm.owner)
    with pytest.raises(Refused):
        accounts.close_account(account=alone, reason="Closed in CRM", by=cast.owner)
    accounts.close_account(account=alone, reason="Closed in CRM", by=crm.owner)
    assert not mvp.obligations.open().filter(kind="service_account").exists()
    stage_actions.stop(initiative=other, reason_code="no_value", reason="No use", by=cast.owner)
    assert other.obligations.open().get(kind="service_account").responsible == cast.lead


def test_an_account_that_is_used_again_has_not_to_be_closed(cast, mvp, crm):
    account = factories.make_account(cast, crm)
    factories.make_link(cast, mvp, crm, account=account)
    stage_actions.stop(initiative=mvp, reason_code="no_value", reason="No use", by=cast.owner)
    assert mvp.obligations.open().filter(kind="service_account").exists()
    link = factories.make_link(cast, factories.make_initiative(cast, title="Another"), crm, account=account)
    assert mvp.obligations.open().filter(kind="service_account").exists(), "a link alone completes nothing"
    factories.agree(link)
    assert not mvp.obligations.open().filter(kind="service_account").exists()


def test_an_idea_that_is_withdrawn_leaves_its_links_and_must_give_nothing(cast, crm):
    initiative = factories.make_initiative(cast)
    link = factories.make_link(cast, initiative, crm, account=factories.make_account(cast, crm))
    detail_actions.withdraw(initiative=initiative, reason="Twice", by=cast.owner)
    assert Link.objects.get(pk=link.pk).ended_at is not None
    assert not initiative.obligations.exists()


# Sources accepted for a time


def test_the_architecture_seat_accepts_a_source_for_half_a_year_at_most(cast, mvp):
    wiki = factories.make_system(cast, "Wiki-C", kind="wiki", editable=False)
    factories.make_link(cast, mvp, wiki)
    today, seat = clock.today(), cast.seat_architecture
    accept = {"initiative": mvp, "system": wiki, "consequence": "Old answers for new products."}
    with pytest.raises(ValidationError, match="from today to"):
        link_actions.accept_source(**accept, until=today + timedelta(days=181), by=seat)
    with pytest.raises(ValidationError, match="Describe the consequence"):
        link_actions.accept_source(**(accept | {"consequence": " "}), until=today, by=seat)
    for person in (cast.owner, cast.lead, cast.chair, cast.seat_risk, cast.outsider, cast.admin):
        with pytest.raises(Refused):
            link_actions.accept_source(**accept, until=today, by=person)
    until = today + timedelta(days=180)
    link_actions.accept_source(**accept, until=until, by=seat)
    row = mvp.requirement_findings.current().get(requirement="int.sources_condition")
    assert row.since == clock.midnight_after(until)
    system_actions.disown_system(system=wiki, reason="Not mine", by=cast.outsider)
    assert against(mvp, "int.sources_condition") == ["Wiki-C has no owner."]


def test_what_is_maintained_or_not_tied_is_not_accepted(cast, mvp, crm):
    today, seat = clock.today(), cast.seat_architecture
    with pytest.raises(ValidationError, match="is not connected"):
        link_actions.accept_source(initiative=mvp, system=crm, consequence="None", until=today, by=seat)
    factories.make_link(cast, mvp, crm)
    with pytest.raises(ValidationError, match="is maintained"):
        link_actions.accept_source(initiative=mvp, system=crm, consequence="None", until=today, by=seat)


def test_names_of_evidence_are_those_of_the_table(cast, mvp, crm):
    """The counter-examples above rest on this: evidence that names a system names it in the table that voiding
    reads.
    """
    item = evidence_about(cast, mvp, "About CRM", crm)
    assert EvidenceNames.objects.get(evidence=item, system__isnull=False).system == crm
