"""Proposals: who may make one, who answers it and when, what confirming does, and where it waits."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.models import Entry, Notification
from governance.notifications.inbox import tasks_for
from governance.permission_result import Conflict, Refused
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.proposals import actions as proposal_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.systems import actions as system_actions
from initiatives.models import ProposedChange, ServiceAccount, System, Term, TermDefinition, VendorTerm
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm(cast):
    """A system that the outsider owns, to which the cast's initiative is tied, and nobody agreed to that."""
    row = factories.make_system(cast, "CRM", by=cast.second_admin)
    factories.make_link(cast, factories.make_initiative(cast), row)
    return row


def propose(cast, crm, **fields) -> ProposedChange:
    said = fields or {"purpose": "Accounts and notes"}
    return proposal_actions.propose_change(
        kind="system_changed", about=crm, fields=said, reason="It is wrong.", by=cast.owner
    )


def confirm(row, by):
    row = ProposedChange.objects.get(pk=row.pk)
    return proposal_actions.confirm_change(proposal=row, digest=proposal_actions.read(row), by=by)


def waits_for(person) -> list[str]:
    return [line.link for line in tasks_for(person) if "/proposals/" in line.link]


def test_the_owner_confirms_and_the_audit_log_names_both(cast, crm):
    row = propose(cast, crm, purpose="Accounts and notes", regions=["eu-west", "us-east"], name="CRM")
    assert row.fields == {"purpose": "Accounts and notes", "regions": ["eu-west", "us-east"]}
    assert System.objects.get(pk=crm.pk).purpose == ""
    assert (
        Notification.objects.get(person=cast.outsider, kind="change proposed").link == f"/proposals/{row.pk}/"
    )
    assert waits_for(cast.outsider) == [f"/proposals/{row.pk}/"]
    confirm(row, cast.outsider)
    assert System.objects.get(pk=crm.pk).regions == ["eu-west", "us-east"]
    past = System.history.filter(id=crm.pk).latest("history_id")
    assert past.history_user_name == cast.outsider.full_name
    assert past.history_change_reason == f"Proposed by {cast.owner}"
    for kind in ("change proposed", "system changed", "proposal confirmed"):
        assert Entry.objects.acts().filter(kind=kind).count() == 1, kind
    assert Notification.objects.filter(person=cast.owner, kind="proposal answered").count() == 1
    assert waits_for(cast.outsider) == []
    with pytest.raises(Conflict):
        confirm(row, cast.outsider)


def test_who_answers_and_from_when(cast, crm):
    row = propose(cast, crm)
    others = [cast.lead, cast.steward, cast.chair, cast.seat_risk, cast.auditor, cast.admin]
    for person in (cast.owner, *others, cast.seat_architecture):
        with pytest.raises(Refused):
            confirm(row, person)
    assert waits_for(cast.seat_architecture) == []
    before = row.at + timedelta(days=7) - timedelta(seconds=1)
    with time_machine.travel(before, tick=False), pytest.raises(Refused, match="can answer until"):
        confirm(row, cast.seat_architecture)
    with time_machine.travel(row.at + timedelta(days=7), tick=False):
        assert waits_for(cast.seat_architecture) == [f"/proposals/{row.pk}/"]
        for person in (cast.owner, *others):
            with pytest.raises(Refused):
                confirm(row, person)
        confirm(row, cast.seat_architecture)
    assert System.objects.get(pk=crm.pk).purpose == "Accounts and notes"


def test_without_an_active_owner_the_seat_is_told_and_answers_after_its_week(cast, crm):
    system_actions.disown_system(system=crm, reason="Sold", by=cast.outsider)
    row = propose(cast, crm)
    assert Notification.objects.filter(person=cast.seat_architecture, kind="change proposed").count() == 1
    with pytest.raises(Refused):
        confirm(row, cast.seat_architecture)
    with time_machine.travel(row.at + timedelta(days=8), tick=False):
        confirm(row, cast.seat_architecture)


def test_who_may_propose(cast, crm):
    for person in (cast.outsider, cast.sponsor, cast.auditor, cast.admin):
        with pytest.raises(Refused):
            proposal_actions.propose_change(kind="system_retired", about=crm, reason="Gone", by=person)
    with pytest.raises(ValidationError, match="Give a reason"):
        proposal_actions.propose_change(kind="system_retired", about=crm, reason=" ", by=cast.owner)
    with pytest.raises(ValidationError, match="changes nothing"):
        propose(cast, crm, name="CRM")
    for n in range(proposal_actions.MOST_WAITING):
        propose(cast, crm, purpose=f"Word {n}")
    with pytest.raises(ValidationError, match="wait for an answer"):
        propose(cast, crm, purpose="One more")
    proposal_actions.withdraw_change(proposal=ProposedChange.objects.waiting().first(), by=cast.owner)
    propose(cast, crm, purpose="One more")


def test_what_was_read_is_what_is_confirmed(cast, crm):
    row = propose(cast, crm)
    read = proposal_actions.read(ProposedChange.objects.get(pk=row.pk))
    system_actions.change_system(system=crm, purpose="Something else", by=cast.outsider)
    with pytest.raises(Conflict, match="Read the proposal again"):
        proposal_actions.confirm_change(proposal=row, digest=read, by=cast.outsider)
    with pytest.raises(ValidationError, match="Give a reason"):
        proposal_actions.decline_change(proposal=row, answer=" ", by=cast.outsider)
    proposal_actions.decline_change(proposal=row, answer="It is for accounts only.", by=cast.outsider)
    assert (
        Notification.objects.get(person=cast.owner, kind="proposal answered").text
        == "It is for accounts only."
    )
    assert System.objects.get(pk=crm.pk).purpose == "Something else"


def test_every_kind_is_made_by_its_act(cast, crm):
    """From the value as it is proposed, over JSON, to the row that the ordinary act writes."""
    day = clock.today() + timedelta(days=30)
    account = factories.make_account(cast, crm, by=cast.admin, owner=None)
    term = factories.make_term(cast, "customer")
    definition = definition_actions.define(
        term=term, system=crm, field="id", meaning="account", by=cast.outsider
    )

    def made(kind, about=None, /, *, by=cast.outsider, **fields):
        row = proposal_actions.propose_change(
            kind=kind, about=about, fields=fields, reason="Needed.", by=cast.owner
        )
        confirm(row, by)

    made("account_opened", crm, name="svc-new", owner=cast.lead, privileges="Reads", review_by=day)
    opened = ServiceAccount.objects.get(name="svc-new")
    assert (opened.owner, opened.review_by, opened.opened_by) == (cast.lead, day, cast.outsider)
    made("account_changed", account, privileges="Reads and writes", review_by=day)
    account.refresh_from_db()
    assert (account.privileges, account.review_by) == ("Reads and writes", day)
    made("account_closed", account)
    account.refresh_from_db()
    assert account.closed_reason == f"Needed. (Proposed by {cast.owner}.)"
    made("definition_written", crm, term=term, field="no", meaning="payer", valid_from=day)
    assert TermDefinition.objects.get(field="no").valid_from == day
    made("definition_changed", definition, meaning="household")
    definition.refresh_from_db()
    assert (definition.field, definition.meaning) == ("id", "household")
    made("definition_withdrawn", definition)
    made("term_named", by=cast.seat_architecture, name="order", meaning="What was bought")
    assert Term.objects.get(name="order").by == cast.seat_architecture
    initiative = crm.links.get().initiative
    definition_actions.use_term(initiative=initiative, name="customer", by=cast.owner)
    made("term_changed", term, by=cast.seat_architecture, meaning="Who buys")
    assert Term.objects.get(pk=term.pk).meaning == "Who buys"
    vendor = residency_actions.add_vendor(name="Acme", by=cast.seat_risk)
    transfers = [link_actions.Place("Gateway", "eu-west", vendor)]
    link_actions.change_link(link=crm.links.get(), transfers=transfers, by=cast.owner)
    said = {"kind": "region", "reference": "4.2", "starts_on": day, "allowed": ["EU"]}
    made("vendor_term_filed", vendor, by=cast.seat_risk, **said)
    assert VendorTerm.objects.get().confirmed_by == cast.seat_risk
    made("system_retired", crm)
    assert System.objects.get(pk=crm.pk).retired_by == cast.outsider
    assert set(ProposedChange.objects.values_list("kind", flat=True)) == set(proposal_actions.KINDS) - {
        "system_changed"
    }


def test_the_forms_propose_where_the_change_is_not_ones_own(cast, crm, as_):
    owner, looks_after = as_(cast.owner), as_(cast.outsider)
    change = reverse("system-change", args=[crm.pk])
    assert "Propose this change" in text_of(owner.get(change))
    said = {"name": "CRM", "kind": "bought", "updated_every_days": 30, "owner": cast.owner.pk}
    assert owner.post(change, said).status_code == 200, "it asks why"
    assert owner.post(change, said | {"proposal_why": "I look after it."}).status_code == 302
    row = ProposedChange.objects.get()
    assert row.fields["owner"] == cast.owner.pk
    assert System.objects.get(pk=crm.pk).owner == cast.outsider
    page = looks_after.get(f"/proposals/{row.pk}/")
    assert "I look after it." in text_of(page)
    assert as_(cast.sponsor).get(f"/proposals/{row.pk}/").status_code == 404
    looks_after.post(f"/proposals/{row.pk}/", {"digest": page.context["digest"]})
    assert System.objects.get(pk=crm.pk).owner == cast.owner


def test_a_term_that_the_glossary_lacks_is_proposed_from_the_initiative(cast, crm, as_):
    initiative = crm.links.get().initiative
    as_(cast.owner).post(
        reverse("term-use", args=[initiative.ref]), {"name": "responsible", "meaning": "Who owes"}
    )
    assert not Term.objects.filter(name="responsible").exists()
    row = ProposedChange.objects.get()
    assert waits_for(cast.seat_architecture) == [f"/proposals/{row.pk}/"]
    confirm(row, cast.seat_architecture)
    as_(cast.owner).post(reverse("term-use", args=[initiative.ref]), {"name": "responsible"})
    assert initiative.term_uses.get().term.meaning == "Who owes"


def test_an_agreed_link_leaves_what_only_the_owner_decides_to_a_proposal(cast, crm, as_):
    factories.agree(crm.links.get())
    owner, change = as_(cast.owner), reverse("system-change", args=[crm.pk])
    said = {
        "name": "CRM",
        "kind": "bought",
        "updated_every_days": 30,
        "purpose": "Notes",
        "regions": "us-east",
    }
    assert 'name="regions"' not in owner.get(change).content.decode()
    assert owner.post(change, said).status_code == 302
    row = System.objects.get(pk=crm.pk)
    assert (row.purpose, row.regions) == ("Notes", ["eu-west"])
    for fields in ({"editable": False}, {"regions": ["us-east"]}, {"owner": cast.owner}, {"location": "x"}):
        with pytest.raises(Refused):
            system_actions.change_system(system=crm, by=cast.owner, **fields)
    assert 'name="regions"' in owner.get(f"{change}?propose=on").content.decode()
