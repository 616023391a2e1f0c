"""Who sees service accounts: who works with them, their systems' owners, boards, admins and auditors; nobody else."""

import pytest
from django.test import Client

from governance import clock
from governance.database.row_history import acting
from initiatives.integration.systems import actions as system_actions
from initiatives.lifecycle.access.visibility import accounts_seen_by
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.models import ServiceAccount
from initiatives.portfolio.search.search import Search
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db

NAME = "svc-ledger-reader"


@pytest.fixture
def tied(cast):
    """A system of somebody who is on no initiative, with an account under which an MVP reads it."""
    initiative = factories.make_mvp(cast)
    owner = factories.make_person("ledger-owner", unit=cast.elsewhere)
    system = factories.make_system(cast, "Customer ledger", owner=owner)
    account = factories.make_account(cast, system, NAME, owner=owner, by=cast.admin)
    factories.make_link(cast, initiative, system, account=account, agreed=True)
    return initiative, system, account, owner


def sees(person, system) -> bool:
    client = Client()
    client.force_login(person)
    return NAME in text_of(client.get(at("system", system.pk)))


def test_who_works_with_them_sees_them_and_nobody_else(cast, tied):
    initiative, system, account, owner = tied
    colleague = factories.make_person("colleague", unit=cast.unit)
    for who in (
        owner,
        cast.owner,
        cast.lead,
        cast.steward,
        cast.seat_risk,
        cast.chair,
        cast.admin,
        cast.auditor,
    ):
        assert sees(who, system), who
        assert account in accounts_seen_by(who), who
    for who in (colleague, cast.outsider, cast.sponsor):
        assert not sees(who, system), who
        assert account not in accounts_seen_by(who), who
    page = text_of(_client(colleague).get(at("integration", initiative.ref)))
    assert system.name in page, "whoever is of the unit reads the initiative"
    assert NAME not in page
    assert NAME in text_of(_client(cast.lead).get(at("integration", initiative.ref)))


def _client(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_their_pages_are_not_there_for_others(cast, tied):
    _, _, account, owner = tied
    for page in ("service-accounts/change", "service-accounts/review", "service-accounts/close"):
        assert _client(cast.outsider).get(at(page, account.pk)).status_code == 404
        assert _client(cast.outsider).post(at(page, account.pk), {"name": "mine"}).status_code == 404
        assert _client(owner).get(at(page, account.pk)).status_code == 200
    account.refresh_from_db()
    assert account.name == NAME


def test_the_search_finds_them_for_those_alone(cast, tied):
    assert [hit.title for hit in Search("ledger reader", cast.lead).of("systems").hits] == [NAME]
    assert Search("ledger reader", cast.outsider).of("systems").hits == []


def test_a_initiative_that_is_not_tied_to_the_system_is_offered_none_of_its_accounts(cast, as_, tied):
    _, system, account, _ = tied
    other = factories.make_initiative(
        cast, title="Another one", owner=cast.outsider, unit=cast.elsewhere, by=cast.outsider
    )
    page = text_of(as_(cast.outsider).get(at("link-add", other.ref, system=system.pk)))
    assert "Connect the initiative to" in page
    assert NAME not in page
    factories.make_link(cast, other, system, by=cast.outsider)
    assert account in accounts_seen_by(cast.outsider), "now they work with it"


def test_who_stands_in_for_an_owner_sees_them_and_who_left_does_not(cast, tied):
    _, system, account, owner = tied
    row = ServiceAccount.objects.get(pk=account.pk)
    assert row in accounts_seen_by(owner)
    system_actions.change_system(system=system, owner=cast.sponsor, by=cast.admin)
    assert row in accounts_seen_by(cast.sponsor)
    owner.is_active = False
    assert not accounts_seen_by(owner).exists()


def test_whoever_has_to_close_one_sees_it(cast, tied):
    initiative, _, account, _ = tied
    assert account not in accounts_seen_by(cast.sponsor)
    with acting(system="test", reason="Nothing uses it any more"):
        open_obligation(
            initiative,
            "service_account",
            source=f"account:{account.pk}",
            text="Close it",
            due=clock.today(),
            responsible=cast.sponsor,
        )
    assert list(accounts_seen_by(cast.sponsor)) == [account]


def test_what_stands_against_a_initiative_names_no_account(cast, tied):
    initiative, system, _, owner = tied
    bare = factories.make_account(cast, system, "svc-bare", owner=owner, privileges="", by=cast.admin)
    factories.make_link(cast, initiative, system, account=bare, pattern="anchor")
    words = [row.words for row in initiative.requirement_findings.current().filter(since__lte=clock.now())]
    assert any("A service account in Customer ledger has no list of permissions." in one for one in words)
    assert not any("svc-bare" in one for one in words)
