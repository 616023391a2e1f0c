"""The pages of systems: found, described, looked after; initiatives that are not one's own are numbers, or nothing."""

import re
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup

from governance import clock
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.residency.findings import FIND_OUT
from initiatives.integration.systems import actions as system_actions
from initiatives.integration.systems import system_inventory
from initiatives.integration.systems.forms import SystemForm
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import System, Term
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives import tied_initiatives
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
def mvp(cast):
    return factories.make_mvp(cast)


@pytest.fixture
def crm(cast) -> System:
    return factories.make_system(cast, "CRM", location="Our cloud")


TYPED = {"name": "Billing", "kind": "bought", "updated_every_days": "365", "regions": "eu-west, eu-north"}


def test_three_things_are_asked_of_a_new_system_and_the_rest_is_folded(cast, as_):
    client = as_(cast.lead)
    page = BeautifulSoup(client.get(at("describe-system")).content, "html.parser")
    fields = page.select("main form [name]:not([type=hidden], details *)")
    assert {field["name"] for field in fields} == {"name", "kind", "owner"}
    assert len(page.select("details:not([open]) [name]")) == 13
    sent = {"name": "Ledger", "kind": "bought", "owner": cast.outsider.pk, "updated_every_days": "180"}
    wrong = BeautifulSoup(
        client.post(at("describe-system"), sent | {"organised_on": "x"}).content, "html.parser"
    )
    assert wrong.select_one("details[open] [name=organised_on]")
    assert client.post(at("describe-system"), sent).status_code == 302


def test_a_system_is_described_changed_and_retired_on_its_pages(cast, as_):
    client = as_(cast.lead)
    answer = client.post(at("describe-system"), TYPED | {"owner": cast.outsider.pk, "editable": "yes"})
    system = System.objects.get(name="Billing")
    assert answer["Location"] == system.get_absolute_url()
    assert (system.owner, system.editable, system.regions) == (cast.outsider, True, ["eu-west", "eu-north"])
    again = text_of(client.post(at("describe-system"), TYPED))
    assert "Billing is in the register already. Open that system, or add a word" in again
    assert f'<a href="{system.get_absolute_url()}">Open Billing</a>' in again
    assert "Open Billing" not in text_of(client.post(at("describe-system"), TYPED | {"name": ""}))
    form = text_of(client.get(at("systems/change", system.pk)))
    assert "eu-west, eu-north" in form
    client.post(at("systems/change", system.pk), TYPED | {"name": "Billing 2", "editable": "no"})
    system = System.objects.get(pk=system.pk)
    assert (system.name, system.editable, system.owner) == ("Billing 2", False, None)
    client.post(at("systems/retire", system.pk), {"reason": "Replaced"})
    page = text_of(client.get(system.get_absolute_url()))
    assert "Retired by Ravi Menon" in page
    assert client.get(at("systems/change", system.pk)).status_code == 403


def test_a_refusal_names_who_can_change_what_is_shared_with_the_email_address(cast, as_):
    """The owner of the system. If the system has no owner: the architecture seat, and without a seat the admins."""
    initiative = factories.make_initiative(cast)
    crm = factories.make_system(cast, "CRM", by=cast.second_admin)
    account = factories.make_account(cast, crm, by=cast.second_admin, owner=cast.outsider)
    factories.make_link(cast, initiative, crm, account=account)
    term = factories.make_term(cast, "customer")
    definition = definition_actions.define(
        term=term, system=crm, field="id", meaning="account", by=cast.outsider
    )
    definition_actions.use_term(initiative=initiative, name="customer", by=cast.owner)
    vendor = residency_actions.add_vendor(name="Acme", by=cast.seat_risk)
    client = as_(cast.owner)

    def asked(name: str, *keys, **sent) -> str:
        answer = client.post(at(name, *keys), sent) if sent else client.get(at(name, *keys))
        assert answer.status_code == 403
        return text_of(answer)

    def named(person) -> str:
        return f"Ask {person.full_name} ({person.email})."

    owned = [
        *((name, crm.pk) for name in ("systems/change", "systems/retire", "systems/open-account")),
        *((name, account.pk) for name in ("service-accounts/change", "service-accounts/close")),
        *((name, definition.pk) for name in ("definitions/change", "definitions/withdraw")),
    ]
    for name, pk in owned:
        assert named(cast.outsider) in asked(name, pk), name
    said = {"term": term.pk, "system": crm.pk, "field": "no", "meaning": "payer"}
    assert named(cast.outsider) in asked("define", initiative.ref, **said)
    system_actions.disown_system(system=crm, reason="Sold", by=cast.outsider)
    seat = named(cast.seat_architecture)
    assert seat in asked("systems/retire", crm.pk)
    for name, keys in (("name-term", ()), ("glossary/change", (term.pk,))):
        assert seat in asked(name, *keys)
    page = client.post(at("use-term", initiative.ref), {"name": "responsible", "meaning": "Who owes"})
    assert f"The glossary does not have this term. {seat}" in text_of(page)
    assert not Term.objects.filter(name="responsible").exists()
    assert cast.seat_risk.email in asked("vendors/file-term", vendor.pk)
    leaving.deactivate(person=cast.seat_architecture, reason="Left", by=cast.admin)
    assert cast.admin.email in asked("systems/retire", crm.pk)


def test_one_thing_has_one_name_in_form_and_page(cast, as_):
    form = SystemForm()
    facts = {"last_updated_on": date(2021, 3, 1), "organised_on": date(2020, 3, 1), "purpose": "Notes"}
    page = text_of(as_(cast.lead).get(factories.make_system(cast, "Wiki", **facts).get_absolute_url()))
    for name in (*facts, "location"):
        assert f"<dt>{form[name].label}</dt>" in page


def test_all_that_is_wrong_with_a_system_stands_on_its_page_and_the_worst_in_the_list(cast, as_):
    facts = {"editable": False, "last_updated_on": date(2021, 3, 1)}
    wiki = factories.make_system(cast, "Wiki", kind="wiki", owner=None, **facts)
    page = text_of(as_(cast.lead).get(wiki.get_absolute_url()))
    for words in (
        "No owner is named.",
        "No one can edit the system, so its errors cannot be corrected.",
        "The last update was on 1 March 2021. The system counts as out of date after 365 days.",
    ):
        assert words in page
    assert [words for words in CONDITIONS_OF_SYSTEMS.values() if f'">{words}</span>' in page] == list(
        CONDITIONS_OF_SYSTEMS.values()
    )[1:]
    (row,) = as_(cast.lead).get(at("systems")).context["rows"]
    assert row[2] == CONDITIONS_OF_SYSTEMS["orphaned"]


@pytest.mark.parametrize(
    ("typed", "since"),
    [
        ("2011", date(2011, 1, 1)),
        ("2011-05", date(2011, 5, 1)),
        ("May 2011", date(2011, 5, 1)),
        ("2011-05-30", date(2011, 5, 30)),
    ],
)
def test_a_year_or_month_says_since_when_a_system_is_in_service(cast, as_, typed, since):
    as_(cast.lead).post(at("describe-system"), TYPED | {"in_service_since": typed})
    assert System.objects.get(name="Billing").in_service_since == since


def test_a_since_that_would_be_guessed_is_refused(cast, as_):
    for typed in ("3/4/2011", "long ago", "1985", "11"):
        page = as_(cast.lead).post(at("describe-system"), TYPED | {"in_service_since": typed})
        assert page.context["form"].errors["in_service_since"]
        assert not System.objects.exists()


def test_a_region_that_nobody_knows_is_kept_and_said(cast, as_):
    owner = {"owner": cast.seat_security.pk}
    typed = TYPED | owner | {"regions": "eu-west;; some  where, Ünïverse!!,"}
    page = text_of(as_(cast.lead).post(at("describe-system"), typed, follow=True))
    system = System.objects.get(name="Billing")
    assert system.regions == ["eu-west", "some where", "Ünïverse!!"]
    assert f"The regions some where and Ünïverse!! are not known. {FIND_OUT}" in page
    assert "Admins, the security seat and the risk seat can add them" in page
    assert f'<a href="{at("regions")}?name=some%20where">Regions</a>' in page
    assert "is added. Initiatives can be connected" in page, "beside the success"
    client, address = as_(cast.seat_security), at("systems/change", system.pk)
    page = text_of(client.post(address, TYPED | owner | {"regions": "mars-1"}, follow=True))
    assert f"The region mars-1 is not known. {FIND_OUT} You can add it" in page
    assert "is not known. Find out" not in text_of(client.post(address, TYPED | owner, follow=True))


def test_after_describing_it_one_goes_on_to_the_next_or_ties_it(cast, as_, mvp, crm):
    done = system_actions.describe_system(name="Mine", kind="bought", by=cast.owner)
    page = text_of(as_(cast.owner).get(done.get_absolute_url()))
    assert f'<a href="{at("describe-system")}">Describe another</a>' in page
    assert f'<a href="{at("link-add", mvp.ref, system=done.pk)}">{mvp.title}</a>' in page
    assert "Describe another" not in text_of(as_(cast.owner).get(crm.get_absolute_url()))
    other = text_of(as_(cast.outsider).get(done.get_absolute_url()))
    assert "Connect an initiative" not in other
    system_actions.retire_system(system=done, reason="Gone", by=cast.owner)
    assert "Connect an initiative" not in text_of(as_(cast.owner).get(done.get_absolute_url()))


def test_who_describes_a_system_while_tying_goes_on_tying(cast, as_, mvp):
    client, tying = as_(cast.lead), at("link-add", mvp.ref)
    page = text_of(client.get(tying, {"q": "Billing"}))
    (way,) = re.findall(r'href="([^"]+)">Add a system that is not in the list', page)
    way = way.replace("&amp;", "&")
    assert 'value="Billing"' in text_of(client.get(way))
    answer = client.post(way, TYPED)
    assert answer["Location"] == f"{tying}?system={System.objects.get().pk}"
    assert "Connect the initiative to Billing" in text_of(client.get(answer["Location"]))
    away = f"{at('describe-system')}?next=https://elsewhere.example/?system="
    answer = client.post(away, TYPED | {"name": "Other"})
    assert answer["Location"] == System.objects.get(name="Other").get_absolute_url()


def test_a_system_leads_to_its_vendor_and_to_what_its_fields_mean(cast, as_, mvp, monkeypatch):
    maker = tied_initiatives.vendor(cast, "Helios")
    crm = factories.make_system(cast, "CRM", vendor=maker)
    factories.make_link(cast, mvp, crm, agreed=True)
    factories.make_term(cast, "customer")
    term = definition_actions.use_term(initiative=mvp, name="customer", by=cast.lead).term
    for field in ("id", "name"):
        definition_actions.define(
            term=term, system=crm, field=field, meaning=f"The {field} of who buys", by=cast.lead
        )
    page = text_of(as_(cast.outsider).get(crm.get_absolute_url()))
    assert f'<a href="{maker.get_absolute_url()}">Helios</a>' in page
    assert page.count(f'<a href="{term.get_absolute_url()}">customer</a>') == 2
    assert "The name of who buys" in page
    monkeypatch.setattr("initiatives.integration.systems.system_views.MOST_DEFINED", 1)
    page = text_of(as_(cast.outsider).get(crm.get_absolute_url()))
    assert "The name of who buys" not in page
    assert "The list shows the first 1" in page


def test_what_is_too_long_is_refused_and_not_cut(cast, as_):
    client = as_(cast.lead)
    assert "maxlength" not in text_of(client.get(at("describe-system"))).partition("<main")[2]
    answer = client.post(at("describe-system"), TYPED | {"name": "B" * 161, "purpose": "P" * 20_001})
    errors = answer.context["form"].errors
    assert errors["name"] == ["Ensure this value has at most 160 characters (it has 161)."]
    assert errors["purpose"] == ["Ensure this value has at most 20000 characters (it has 20001)."]
    assert "P" * 20_001 in text_of(answer), "nothing typed is lost"


def test_a_source_is_added_from_the_page_of_its_collection(cast, as_):
    base = factories.make_system(cast, "Base", kind="knowledge_collection")
    client = as_(cast.lead)
    assert "No source is listed" in text_of(client.get(base.get_absolute_url()))
    page = text_of(client.get(f"{at('describe-system')}?collection={base.pk}"))
    assert re.search(rf'<option value="{base.pk}" selected', page)
    client.post(at("describe-system"), TYPED | {"name": "KB-A", "kind": "wiki", "collection": base.pk})
    assert base.members.get().name == "KB-A"
    assert "KB-A" in text_of(client.get(base.get_absolute_url()))


def test_customisations_and_accounts_have_their_forms(cast, as_, crm):
    client = as_(cast.lead)
    for team in ("Claims", "Sales", "Service"):
        client.post(at("systems/customise", crm.pk), {"team": team, "what": "Statuses"})
    assert "Customised by 3 teams" in text_of(client.get(crm.get_absolute_url()))
    assert client.get(at("customisations/close", crm.customisations.first().pk)).status_code == 200
    client.post(at("customisations/close", crm.customisations.first().pk))
    assert "Customised by" not in text_of(client.get(crm.get_absolute_url()))
    client.post(at("systems/open-account", crm.pk), {"name": "svc", "privileges": "Reads"})
    account = crm.service_accounts.get()
    assert "no review planned" in text_of(client.get(crm.get_absolute_url()))
    day = clock.today() + timedelta(days=10)
    client.post(
        at("service-accounts/change", account.pk), {"name": "svc", "privileges": "Reads", "review_by": day}
    )
    assert "review due" in text_of(client.get(crm.get_absolute_url()))
    client.post(
        at("service-accounts/review", account.pk), {"privileges": "Reads", "review_by": day + timedelta(90)}
    )
    account.refresh_from_db()
    assert account.review_by == day + timedelta(90)
    client.post(at("service-accounts/close", account.pk), {"reason": "Closed in CRM"})
    account.refresh_from_db()
    assert account.closed_by == cast.lead


def test_systems_are_found_by_what_stands_in_the_address(cast, as_, crm):
    factories.make_system(cast, "Nobody's", owner=None)
    factories.make_system(cast, "Wiki", kind="wiki", last_updated_on=None, owner=cast.steward)
    client = as_(cast.outsider)
    for asked, names in (
        ("", ["CRM", "Nobody's", "Wiki"]),
        ("?q=cloud", ["CRM"]),
        ("?kind=wiki", ["Wiki"]),
        ("?condition=orphaned", ["Nobody's"]),
        ("?condition=stale", ["Wiki"]),
        ("?condition=maintained&kind=bought", ["CRM"]),
        ("?owner=vogel", ["Wiki"]),
        ("?kind=junk&condition=junk&page=junk", ["CRM", "Nobody's", "Wiki"]),
        ("?q=nothing+like+it", []),
    ):
        answer = client.get(f"/systems/{asked}")
        assert [row.name for row, *_ in answer.context["rows"]] == names, asked


def test_those_on_which_most_initiatives_hang_come_first_and_are_drawn(cast, as_, mvp, crm):
    other = factories.make_initiative(cast, title="Another")
    wiki = factories.make_system(cast, "A wiki nobody uses", kind="wiki")
    billing = factories.make_system(cast, "Billing")
    for initiative, system in ((mvp, billing), (mvp, crm), (other, crm)):
        factories.make_link(cast, initiative, system)
    factories.make_link(cast, mvp, billing, pattern="audit")
    answer = as_(cast.chair).get("/systems/")
    assert [(row.name, initiatives) for row, initiatives, *_ in answer.context["rows"]] == [
        ("CRM", 2),
        ("Billing", 1),
        (wiki.name, 0),
    ]
    assert [(row.system.name, row.initiatives) for row in answer.context["heaviest"].rows] == [
        ("CRM", 2),
        ("Billing", 1),
    ]
    assert (answer.context["heaviest"].others, answer.context["heaviest"].unused) == (0, 1)
    assert "CRM: 2 initiatives" in text_of(answer)


def test_the_picture_draws_thirty_and_counts_the_others(cast, as_, mvp, monkeypatch):
    monkeypatch.setattr(system_inventory, "DRAWN", 2)
    for number in range(4):
        factories.make_link(cast, mvp, factories.make_system(cast, f"System {number}"))
    page = text_of(as_(cast.chair).get("/systems/"))
    assert "and 2 others with fewer" in page


def test_cases_of_others_are_numbers_and_confidential_ones_nothing(cast, as_, mvp, crm):
    hidden = factories.make_initiative(cast, title="A merger")
    detail_actions.change_details(
        initiative=hidden, problem=hidden.problem, platform="", confidential=True, by=cast.owner
    )
    for initiative in (mvp, hidden):
        factories.make_link(cast, initiative, crm)
    mine = as_(cast.owner).get(crm.get_absolute_url())
    assert {link.initiative_id for link in mine.context["page"]} == {mvp.pk, hidden.pk}
    assert mine.context["hidden"] == 0
    page = as_(cast.sponsor).get(crm.get_absolute_url())
    assert list(page.context["page"]) == []
    assert page.context["hidden"] == 1
    text = text_of(page)
    assert "1 other initiative that you cannot see depends on this system" in text
    assert mvp.title not in text
    assert "A merger" not in text
    for person, number in ((cast.sponsor, 1), (cast.owner, 2), (cast.auditor, 2)):
        ((_, initiatives, *_),) = as_(person).get("/systems/").context["rows"]
        assert initiatives == number


def test_the_number_of_questions_does_not_grow_with_systems_and_links(cast, as_, mvp, crm):
    factories.make_link(cast, mvp, crm)
    client = as_(cast.outsider)

    pages = ("/systems/", crm.get_absolute_url(), "/")
    before = [query_counts.asked(client, page) for page in pages]
    for number in range(5):
        initiative = factories.make_initiative(cast, title=f"Initiative {number}")
        factories.make_link(cast, initiative, crm)
        factories.make_link(cast, initiative, factories.make_system(cast, f"System {number}"))
        factories.make_account(cast, crm, f"svc-{number}", owner=cast.outsider, by=crm.owner)
    assert [query_counts.asked(client, page) for page in pages] == before


# What waits for an owner


def test_an_owner_has_it_on_the_inbox_and_answers_without_seeing_the_initiative(cast, as_, mvp, crm):
    account = factories.make_account(cast, crm, owner=cast.outsider, review_by=clock.today())
    link = factories.make_link(cast, mvp, crm, account=account, purpose="Names of customers")
    client = as_(cast.outsider)
    inbox = text_of(client.get("/"))
    assert "1 initiative asking to depend on CRM" in inbox
    assert "Service account svc-assistant in CRM" in inbox
    page = text_of(client.get(crm.get_absolute_url()))
    assert "Waiting for your answer" in page
    assert at("link-answer", link.pk) in page
    asked = client.get(at("link-answer", link.pk))
    text = text_of(asked)
    assert "Names of customers" in text
    assert mvp.get_absolute_url() not in text
    assert client.get(mvp.get_absolute_url()).status_code == 404
    assert client.get(at("integration", mvp.ref)).status_code == 404
    assert client.get(at("links/change", link.pk)).status_code == 404
    client.post(at("link-answer", link.pk), {"digest": asked.context["digest"]})
    assert link.answers.get().accepts
    assert "asking to depend on CRM" not in text_of(client.get("/"))
    assert "Sam Brook agreed on" in text_of(client.get(at("link-answer", link.pk)))
    tab = text_of(as_(cast.owner).get(at("integration", mvp.ref)))
    assert "agreed" in tab


def test_an_owner_declines_with_a_reason_that_the_initiative_reads(cast, as_, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    client = as_(cast.outsider)
    digest = client.get(at("links/decline", link.pk)).context["digest"]
    assert client.post(at("links/decline", link.pk), {"digest": digest, "words": ""}).status_code == 200
    client.post(at("links/decline", link.pk), {"digest": digest, "words": "At night only."})
    assert "asking to depend on CRM" not in text_of(client.get("/"))
    assert "At night only." in text_of(as_(cast.owner).get(at("integration", mvp.ref)))


def test_an_answer_to_an_older_link_is_refused(cast, as_, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    client = as_(cast.outsider)
    digest = client.get(at("link-answer", link.pk)).context["digest"]
    link_actions.change_link(link=link, data_classes=["prices"], by=cast.lead)
    assert client.post(at("link-answer", link.pk), {"digest": digest}).status_code == 409
    assert not link.answers.exists()


def test_nobody_else_answers(cast, as_, mvp, crm):
    link = factories.make_link(cast, mvp, crm)
    page = as_(cast.owner).get(at("link-answer", link.pk))
    assert "Only Sam Brook can answer for this link." in text_of(page)
    answer = as_(cast.owner).post(at("link-answer", link.pk), {"digest": page.context["digest"]})
    assert answer.status_code == 403
    assert as_(cast.sponsor).get(at("link-answer", link.pk)).status_code == 404


def test_who_is_named_says_that_it_is_not_theirs(cast, as_, crm):
    client = as_(cast.outsider)
    assert "I am not the owner" in text_of(client.get(crm.get_absolute_url()))
    client.post(at("systems/disown", crm.pk), {"reason": "Sold"})
    assert System.objects.get(pk=crm.pk).owner is None
    assert as_(cast.lead).get(at("systems/disown", crm.pk)).status_code == 403


def test_whoever_must_give_the_closing_of_an_account_finds_it_on_the_inbox(cast, as_, mvp, crm):
    account = factories.make_account(cast, crm, owner=cast.outsider)
    factories.make_link(cast, mvp, crm, account=account)
    stage_actions.stop(initiative=mvp, reason_code="no_value", reason="No", by=cast.owner)
    client = as_(cast.outsider)
    inbox = text_of(client.get("/"))
    assert "Close the service account svc-assistant in CRM" in inbox
    assert at("service-accounts/close", account.pk) in inbox
    client.post(at("service-accounts/close", account.pk), {"reason": "Closed"})
    assert "Close the service account" not in text_of(client.get("/"))


def test_what_was_described_twice_names_the_other(cast, as_, crm):
    twice = system_actions.describe_system(name="Customer tool", kind="bought", by=cast.lead)
    client, address = as_(cast.lead), at("systems/change", twice.pk)
    assert "A duplicate of" not in text_of(client.get(at("describe-system")))
    typed = TYPED | {"name": "Customer tool"}
    assert "No system is called “Helios”" in text_of(client.post(address, typed | {"duplicate_of": "Helios"}))
    assert "A system cannot be a duplicate of itself" in text_of(
        client.post(address, typed | {"duplicate_of": "customer tool"})
    )
    client.post(address, typed | {"duplicate_of": "crm"})
    assert 'value="CRM"' in text_of(client.get(address))
    assert f'<a href="{twice.get_absolute_url()}">Customer tool</a>' in text_of(
        client.get(crm.get_absolute_url())
    )
