"""Systems, described once: what is wrong with one, who may change it, its condition day by day, what a change voids."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError

from governance import clock
from governance.models import User
from governance.permission_result import Conflict, Refused
from initiatives.integration.links import actions as link_actions
from initiatives.integration.systems import accounts
from initiatives.integration.systems import actions as system_actions
from initiatives.integration.systems.findings import risk_notes
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Customisation, System
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives.register_findings import against, evidence_about, voided

pytestmark = pytest.mark.django_db


def test_a_system_is_described_once(cast, crm):
    with pytest.raises(ValidationError, match="is in the register already"):
        factories.make_system(cast, " crm ", by=cast.steward)
    system_actions.retire_system(system=crm, reason="Replaced", by=cast.lead)
    assert factories.make_system(cast, "CRM").pk != crm.pk


def test_what_is_wrong_with_a_system_is_said_by_field(cast):
    for fields, field in (
        ({"name": " "}, "name"),
        ({"kind": "spreadsheet"}, "kind"),
        ({"last_updated_on": timedelta(days=1)}, "last_updated_on"),
        ({"organised_on": timedelta(days=1)}, "organised_on"),
        ({"in_service_since": timedelta(days=1)}, "in_service_since"),
        ({"updated_every_days": 0}, "updated_every_days"),
    ):
        with pytest.raises(ValidationError) as wrong:
            factories.make_system(cast, **factories.from_today(fields))
        assert set(wrong.value.error_dict) == {field}


def test_who_left_is_not_named_and_stays_named_where_they_were(cast, crm):
    leaving.deactivate(person=cast.outsider, reason="Left", by=cast.admin)
    with pytest.raises(ValidationError, match="no longer active"):
        factories.make_system(cast, "Billing", owner=User.objects.get(pk=cast.outsider.pk))
    crm = System.objects.get(pk=crm.pk)
    system_actions.change_system(system=crm, purpose="Customers", by=cast.lead)
    assert System.objects.get(pk=crm.pk).owner == cast.outsider


def test_collections_list_sources_and_no_collections(cast, crm):
    base = factories.make_system(cast, "Base", kind="knowledge_collection")
    with pytest.raises(ValidationError, match="cannot contain another collection"):
        factories.make_system(cast, "Inner", kind="knowledge_collection", collection=base)
    with pytest.raises(ValidationError, match="not a collection that is in use"):
        factories.make_system(cast, "KB-A", kind="wiki", collection=crm)
    factories.make_system(cast, "KB-A", kind="wiki", collection=base)
    with pytest.raises(ValidationError, match="This system contains sources"):
        system_actions.change_system(system=base, kind="wiki", by=cast.lead)
    with pytest.raises(ValidationError, match="Retire them first"):
        system_actions.retire_system(system=base, reason="Gone", by=cast.lead)


# Who may


def test_whoever_described_it_changes_it_until_a_initiative_is_tied_to_it(cast, mvp, crm):
    billing = factories.make_system(cast, "Billing", by=cast.auditor)
    system_actions.change_system(system=billing, purpose="Invoices", by=cast.auditor)
    factories.make_link(cast, mvp, billing)
    with pytest.raises(Refused):
        system_actions.change_system(system=billing, purpose="All", by=cast.auditor)


def test_owner_and_collaborators_change_what_their_initiative_is_tied_to(cast, mvp):
    crm = factories.make_system(cast, "CRM", by=cast.second_admin)
    link = factories.make_link(cast, mvp, crm)
    team = (cast.owner, cast.lead, cast.steward, cast.support)
    system_actions.change_system(system=crm, purpose="Of its owner", by=crm.owner)
    for person in team:
        with pytest.raises(Refused):
            system_actions.change_system(system=crm, purpose=person.login, by=person)
    factories.agree(link)
    for person in team:
        system_actions.change_system(system=crm, purpose=person.login, by=person)
    for act in (
        lambda by: system_actions.change_system(system=crm, purpose="Mine", by=by),
        lambda by: system_actions.retire_system(system=crm, reason="No", by=by),
        lambda by: system_actions.add_customisation(system=crm, team="Us", what="All", by=by),
        lambda by: accounts.open_account(system=crm, name="svc", by=by),
    ):
        for person in (cast.chair, cast.seat_risk, cast.auditor, cast.sponsor):
            with pytest.raises(Refused):
                act(person)


def test_an_owner_who_works_on_the_initiative_lends_nobody_a_right(cast, mvp):
    mine = factories.make_system(cast, "CRM", by=cast.second_admin, owner=cast.steward)
    factories.make_link(cast, mvp, mine, agreed=True)
    with pytest.raises(Refused):
        system_actions.change_system(system=mine, purpose="Ours", by=cast.lead)
    system_actions.change_system(system=mine, purpose="Mine", by=cast.steward)


def test_working_on_a_initiative_that_ended_or_on_another_gives_no_right(cast, mvp):
    crm = factories.make_system(cast, "CRM", by=cast.second_admin)
    with pytest.raises(Refused):
        system_actions.change_system(system=crm, purpose="Mine", by=cast.lead)
    factories.make_link(cast, mvp, crm, agreed=True)
    system_actions.change_system(system=crm, purpose="Mine", by=cast.lead)
    stage_actions.stop(initiative=mvp, reason_code="no_value", reason="No", by=cast.owner)
    with pytest.raises(Refused):
        system_actions.change_system(system=crm, purpose="Still mine", by=cast.lead)


def test_only_who_is_named_says_that_it_is_not_theirs(cast, crm):
    with pytest.raises(Refused):
        system_actions.disown_system(system=crm, reason="Not theirs", by=cast.lead)
    with pytest.raises(ValidationError, match="Name the real owner"):
        system_actions.disown_system(system=crm, reason=" ", by=cast.outsider)
    system_actions.disown_system(system=crm, reason="Sold in May", by=cast.outsider)
    assert System.objects.get(pk=crm.pk).owner is None


# Conditions


def test_a_condition_is_exact_to_the_day_and_the_database_says_the_same(cast):
    day = date(2026, 3, 1)
    made = [
        factories.make_system(cast, "Kept", kind="wiki", last_updated_on=day, updated_every_days=10),
        factories.make_system(cast, "Unknown wiki", kind="wiki", last_updated_on=None),
        factories.make_system(cast, "Unknown tool", kind="bought", last_updated_on=None),
        factories.make_system(cast, "Frozen", kind="wiki", editable=False, last_updated_on=None),
        factories.make_system(cast, "Nobody's", kind="wiki", editable=False, owner=None),
        factories.make_system(cast, "Left", owner=cast.sponsor, editable=True, last_updated_on=day),
    ]
    leaving.deactivate(person=cast.sponsor, reason="Left", by=cast.admin)
    for on, kept in ((day + timedelta(days=10), "maintained"), (day + timedelta(days=11), "stale")):
        said = {row.name: row.condition(on) for row in System.objects.select_related("owner")}
        assert said == {
            "Kept": kept,
            "Unknown wiki": "stale",
            "Unknown tool": "maintained",
            "Frozen": "frozen",
            "Nobody's": "orphaned",
            "Left": "orphaned",
        }
        for condition in CONDITIONS_OF_SYSTEMS:
            found = set(System.objects.in_condition(condition, on).values_list("name", flat=True))
            assert found == {name for name, one in said.items() if one == condition}, condition
    assert len(made) == 6


def test_the_sources_of_a_collection_are_named_with_what_is_wrong_with_each(cast, mvp):
    """S1-14: "the" knowledge base is four, and three of them are not fit to stand on."""
    base = factories.make_system(cast, "Knowledge base", kind="knowledge_collection")
    for name, fields in {
        "KB-A": {"last_updated_on": clock.today()},
        "KB-B": {"last_updated_on": date(2023, 6, 30)},
        "Wiki-C": {"last_updated_on": clock.today(), "editable": False},
        "Share-D": {"kind": "file_share", "organised_on": date(2019, 4, 1), "owner": None},
    }.items():
        factories.make_system(cast, name, collection=base, **{"kind": "wiki"} | fields)
    factories.make_link(cast, mvp, base, agreed=True)
    assert sorted(against(mvp, "int.sources_condition")) == [
        "KB-B is out of date: it was last updated on 30 June 2023.",
        "Share-D has no owner, last organised in 2019.",
        "Wiki-C is frozen: no one can edit it.",
    ]


def test_a_source_goes_out_of_date_at_midnight_though_nothing_ran(cast, mvp):
    last = clock.today() - timedelta(days=5)
    wiki = factories.make_system(cast, "KB-A", kind="wiki", last_updated_on=last, updated_every_days=10)
    factories.make_link(cast, mvp, wiki, agreed=True)
    row = mvp.requirement_findings.current().get(requirement="int.sources_condition")
    assert row.since == clock.midnight_before(last + timedelta(days=11))
    with time_machine.travel(row.since - timedelta(seconds=1), tick=False):
        assert against(mvp, "int.sources_condition") == []
    with time_machine.travel(row.since, tick=False):
        said = f"KB-A is out of date: it was last updated on {last:%-d %B %Y}."
        assert against(mvp, "int.sources_condition") == [said]
    system_actions.change_system(system=wiki, last_updated_on=clock.today(), by=cast.lead)
    row = mvp.requirement_findings.current().get(requirement="int.sources_condition")
    assert row.since == clock.midnight_before(clock.today() + timedelta(days=11))


def test_a_initiative_that_is_tied_to_what_was_retired_is_told(cast, mvp, crm):
    link = factories.make_link(cast, mvp, crm, agreed=True)
    system_actions.retire_system(system=crm, reason="Replaced by CRM 2", by=cast.outsider)
    assert against(mvp, "int.inventory") == [f"CRM was retired on {clock.today():%-d %B %Y}."]
    with pytest.raises(Conflict):
        system_actions.retire_system(system=crm, reason="Again", by=cast.outsider)
    link_actions.close_link(link=link, reason="Moved", by=cast.lead)
    assert against(mvp) == []


# What a change voids


@pytest.mark.parametrize(
    "change",
    [
        {"editable": False},
        {"owner": None},
        {"regions": ["us-east"]},
        {"location": "Another cloud"},
    ],
)
def test_a_frozen_orphaned_or_moved_source_ends_what_speaks_of_it(cast, mvp, change):
    crm = factories.make_system(cast, "CRM", location="Our cloud")
    billing = factories.make_system(cast, "Billing")
    other = factories.make_mvp(cast, title="Another")
    factories.make_link(cast, mvp, crm)
    factories.make_link(cast, other, billing)
    for title, systems in (("About CRM", [crm]), ("About billing", [billing]), ("About none", [])):
        evidence_about(cast, mvp, title, *systems)
    evidence_about(cast, mvp, "Of definitions", crm, covers="int.definitions")
    evidence_about(cast, other, "Elsewhere")
    system_actions.change_system(system=crm, by=cast.outsider, **change)
    assert {"About CRM", "About none"} <= voided(mvp)
    assert not {"About billing", "Of definitions"} & voided(mvp)
    assert "Elsewhere" not in voided(other)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "Names"},
        {"last_updated_on": None},
        {"editable": True},
        {"owner": "steward"},
        {"location": "Our cloud"},  # nobody knew before where it was
    ],
)
def test_what_does_not_touch_the_source_ends_nothing(cast, mvp, crm, change):
    factories.make_link(cast, mvp, crm)
    evidence_about(cast, mvp, "About CRM", crm)
    if "owner" in change:
        change = {"owner": getattr(cast, change["owner"])}
    system_actions.change_system(system=crm, by=cast.outsider, **change)
    assert "About CRM" not in voided(mvp)


def test_a_source_of_a_collection_touches_what_speaks_of_either(cast, mvp):
    base = factories.make_system(cast, "Base", kind="knowledge_collection")
    kb_a = factories.make_system(cast, "KB-A", kind="wiki", collection=base)
    factories.make_link(cast, mvp, base, agreed=True)
    for title, systems in (("Of the base", [base]), ("Of KB-A", [kb_a])):
        evidence_about(cast, mvp, title, *systems)
    kb_b = factories.make_system(cast, "KB-B", kind="wiki", collection=base)
    assert "Of the base" in voided(mvp)
    assert "Of KB-A" not in voided(mvp)
    evidence_about(cast, mvp, "Of the base again", base)
    evidence_about(cast, mvp, "Of KB-B", kb_b)
    system_actions.change_system(system=kb_b, editable=False, by=cast.outsider)
    assert {"Of the base again", "Of KB-B"} <= voided(mvp)
    evidence_about(cast, mvp, "Of KB-B, later", kb_b)
    system_actions.change_system(system=kb_b, collection=None, by=cast.outsider)
    assert "Of KB-B, later" in voided(mvp)
    assert "Of KB-A" not in voided(mvp)


def test_an_owner_who_leaves_leaves_orphans_behind(cast, mvp, crm):
    billing = factories.make_system(cast, "Billing", owner=cast.steward)
    factories.make_link(cast, mvp, crm, agreed=True)
    factories.make_link(cast, mvp, billing, agreed=True)
    evidence_about(cast, mvp, "About CRM", crm)
    evidence_about(cast, mvp, "About billing", billing)
    leaving.deactivate(person=cast.outsider, reason="Left", by=cast.admin)
    assert "About CRM" in voided(mvp)
    assert "About billing" not in voided(mvp)
    assert against(mvp, "int.sources_condition") == ["CRM has no owner."]
    leaving.reactivate(person=cast.outsider, reason="Back", by=cast.admin)
    assert against(mvp, "int.sources_condition") == []


# Customisations


@pytest.mark.parametrize(
    ("teams", "since", "note"),
    [
        (0, date(2000, 1, 1), ""),
        (2, None, ""),
        (2, timedelta(days=-365 * 9), ""),
        (1, date(2012, 1, 1), "Customised by 1 team, in service since 2012"),
        (3, None, "Customised by 3 teams."),
        (7, date(2014, 1, 1), "Customised by 7 teams, in service since 2014"),
    ],
)
def test_many_teams_or_old_age_are_a_risk_and_no_requirement_finding(cast, mvp, teams, since, note):
    tickets = factories.make_system(cast, "Tickets", **factories.from_today({"in_service_since": since}))
    for number in range(teams):
        system_actions.add_customisation(system=tickets, team=f"Team {number}", what="Statuses", by=cast.lead)
    gone = system_actions.add_customisation(system=tickets, team="Gone", what="Fields", by=cast.lead)
    system_actions.close_customisation(customisation=gone, by=cast.lead)
    with pytest.raises(Conflict):
        system_actions.close_customisation(customisation=gone, by=cast.lead)
    notes = risk_notes(tickets, list(Customisation.objects.filter(system=tickets)))
    assert [one.startswith(note) for one in notes] == ([True] if note else [])
    factories.make_link(cast, mvp, tickets, agreed=True)
    assert against(mvp) == []


def test_a_customisation_says_who_and_what(cast, crm):
    for fields in ({"team": " "}, {"what": ""}, {"since": date(2100, 1, 1)}):
        with pytest.raises(ValidationError) as wrong:
            system_actions.add_customisation(
                system=crm, by=cast.lead, **({"team": "Us", "what": "All"} | fields)
            )
        assert set(wrong.value.error_dict) == set(fields)


# Accounts, what is wrong with one


def test_an_account_is_named_once_and_reviewed_within_a_year(cast, crm):
    account = factories.make_account(cast, crm, "svc")
    with pytest.raises(ValidationError, match="recorded already"):
        factories.make_account(cast, crm, "SVC")
    today = clock.today()
    for day in (today, today + timedelta(days=367)):
        with pytest.raises(ValidationError, match="from tomorrow"):
            accounts.review_account(account=account, privileges="Reads", review_by=day, by=cast.lead)
    with pytest.raises(ValidationError, match="the permissions of the account"):
        accounts.review_account(account=account, privileges=" ", review_by=today + timedelta(1), by=cast.lead)
    with pytest.raises(Refused):
        accounts.close_account(account=account, reason="Gone", by=cast.chair)
    accounts.close_account(account=account, reason="Gone", by=cast.lead)
    with pytest.raises(Refused, match="was closed"):
        accounts.close_account(account=account, reason="Gone", by=cast.lead)
    assert factories.make_account(cast, crm, "svc").pk != account.pk
