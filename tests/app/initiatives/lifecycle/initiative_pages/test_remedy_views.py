"""What the register says against an initiative leads to where that is fixed, for whoever may fix it."""

from datetime import timedelta

import pytest

from governance import clock
from initiatives.contributions import contributed
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links.actions import Place
from initiatives.integration.remedies import OF, Fixing
from initiatives.integration.systems import accounts
from initiatives.integration.systems import actions as system_actions
from initiatives.lifecycle.facts import finding_rules
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import RequirementFinding
from tests.support import factories
from tests.support.initiatives import tied_initiatives
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db
DAYS_TO_FIND_OUT = timedelta(days=15)


@pytest.fixture
def mvp(cast):
    return factories.make_mvp(cast)


@pytest.fixture
def share(cast):
    return factories.make_system(cast, "Policy share P", kind="file_share", owner=None)


def fixes(client, initiative) -> dict[str, list[tuple[str, str]]]:
    """By what a finding is about: the words of each way to fix it, and its address without where it leads back."""
    page = client.get(at("integration", initiative.ref))
    return {
        row.source: [(words, url.partition("?next")[0]) for url, words in found]
        for one in page.context["against"]
        for row, found in one["now"]
    }


def change(system) -> str:
    return at("systems/change", system.pk)


def test_what_a_link_does_not_say_is_said_on_the_link_and_who_owns_its_system_there(cast, as_, mvp, share):
    bare = factories.make_link(cast, mvp, share, data_classes=[])
    full = factories.make_link(cast, mvp, factories.make_system(cast, "Other share", owner=None))
    said = fixes(as_(cast.lead), mvp)
    assert said[f"link:{bare.pk}:missing"] == [
        ("Fill in the link", at("links/change", bare.pk)),
        ("Name an owner of Policy share P", change(share)),
    ]
    assert said[f"link:{full.pk}:missing"] == [("Name an owner of Other share", change(full.system))]
    assert said[f"link:{bare.pk}:fallback"] == [("Change the link", at("links/change", bare.pk))]
    assert said[f"link:{bare.pk}:agreement"] == [("Name an owner of Policy share P", change(share))]
    assert said[f"system:{share.pk}:orphaned"] == [("Name an owner of Policy share P", change(share))]
    page = text_of(as_(cast.lead).get(at("integration", mvp.ref)))
    assert f"{change(share)}?next=%2Finitiatives%2F{mvp.ref}%2Fintegration%2F#id_owner" in page
    for fix in (
        "Fill in the link, and name an owner of the system.",
        "Name an owner of the system.",
        "Name an owner, who then reads the link and answers.",
    ):
        assert f'<span class="why">{fix}</span>' in page


def test_a_system_without_a_region_is_put_somewhere(cast, as_, mvp):
    nowhere = factories.make_system(cast, "Wiki", kind="wiki", regions=[])
    link = factories.make_link(cast, mvp, nowhere)
    with clock.simulated(clock.now() + DAYS_TO_FIND_OUT):
        assert fixes(as_(cast.lead), mvp)[f"link:{link.pk}:missing"] == [
            ("Fill in the link", at("links/change", link.pk)),
            ("Enter the region of Wiki", change(nowhere)),
        ]


def test_whoever_may_not_fix_it_is_led_to_the_system_alone(cast, as_, mvp, share):
    factories.make_link(cast, mvp, share, data_classes=[])
    seat = as_(cast.seat_risk)
    of_system = {source: found for source, found in fixes(seat, mvp).items() if not source.startswith("flow")}
    assert set(map(tuple, of_system.values())) == {()}
    page = text_of(seat.get(at("integration", mvp.ref)))
    assert f'<a href="{share.get_absolute_url()}">Policy share P has no owner.</a>' in page


def test_the_owner_of_the_system_is_led_to_the_requirement(cast, as_, mvp):
    link = factories.make_link(cast, mvp, factories.make_system(cast, "CRM", owner=cast.steward))
    source = f"link:{link.pk}:agreement"
    with clock.simulated(clock.now() + DAYS_TO_FIND_OUT):
        assert fixes(as_(cast.steward), mvp)[source] == [("Read and answer", at("link-answer", link.pk))]
        assert fixes(as_(cast.lead), mvp)[source] == []


def test_accounts_collections_and_what_is_retired_have_their_own_pages(cast, as_, mvp):
    crm, client = factories.make_system(cast, "CRM"), as_(cast.lead)
    account = factories.make_account(cast, crm, privileges="", review_by=clock.today() - timedelta(days=1))
    link = factories.make_link(cast, mvp, crm, account=account)
    base = factories.make_system(cast, "Base", kind="knowledge_collection")
    page = factories.make_system(cast, "Page", kind="wiki", collection=base)
    factories.make_link(cast, mvp, base, agreed=True)
    system_actions.retire_system(system=page, reason="Gone", by=page.owner)
    said = fixes(client, mvp)
    assert said[f"account:{account.pk}:missing"] == [
        ("Fill in the account", at("service-accounts/change", account.pk))
    ]
    assert said[f"account:{account.pk}:review"] == [
        ("Review the account", at("service-accounts/review", account.pk))
    ]
    ((words, there),) = said[f"system:{base.pk}:members"]
    assert (words, there.partition("&")[0]) == ("List a source", at("describe-system", collection=base.pk))
    accounts.close_account(account=account, reason="Gone", by=cast.lead)
    system_actions.retire_system(system=crm, reason="Gone", by=crm.owner)
    said = fixes(client, mvp)
    change_link = [("Change the link to CRM", at("links/change", link.pk))]
    assert said[f"account:{account.pk}:closed"] == change_link
    assert said[f"system:{crm.pk}:retired"] == [("Close the link", at("links/close", link.pk))]


def test_drills_conflicts_and_processes_lead_to_their_pages(cast, as_, mvp):
    link = factories.make_link(cast, mvp, factories.make_system(cast, "CRM"), agreed=True)
    factories.make_link(cast, mvp, factories.make_system(cast, "Billing"), agreed=True)
    factories.make_term(cast, "customer")
    term = definition_actions.use_term(initiative=mvp, name="customer", by=cast.lead).term
    for row, meaning in zip(mvp.links.all(), ("account", "payer"), strict=True):
        said = {"meaning": meaning, "counted_unit": meaning}
        definition_actions.define(term=term, system=row.system, field="customer_id", by=cast.lead, **said)
    factories.make_drill(cast, mvp, link=link, result="fail")
    factories.make_drill(cast, mvp, result="fail")
    factories.make_process(cast, mvp, status="in_head", holder=cast.lead)
    drill, pages = at("initiative-act", mvp.ref, "record-drill"), at("integration-processes", mvp.ref)
    said = fixes(as_(cast.lead), mvp)
    conflicts = f"{at('integration-definitions', mvp.ref)}#term-{term.pk}"
    assert said[f"terms:{term.pk}:conflicts"] == [("Open the conflicts", conflicts)]
    assert said[f"drill:{link.pk}:fallback:failed"] == [
        ("Record a drill", f"{drill}?kind=fallback&link={link.pk}")
    ]
    assert said["drill:initiative:fallback:failed"] == [("Record a drill", f"{drill}?kind=fallback")]
    assert said["process:approvals above a limit"] == [("Processes and sign-on", f"{pages}#processes")]
    assert said["flow:none"] == [
        ("Record the sign-on flow", at("initiative-act", mvp.ref, "record-sign-on")),
        ("Processes and sign-on", f"{pages}#sign-on"),
    ]
    assert fixes(as_(cast.seat_risk), mvp)["flow:none"] == [("Processes and sign-on", f"{pages}#sign-on")]


def test_a_place_where_data_must_not_be_leads_to_its_link_system_or_component(cast, as_, mvp):
    acme, model = tied_initiatives.vendor(cast), mvp.deployments.filter(region="").first()
    crm = factories.make_system(cast, "CRM", vendor=acme, regions=["US"])
    places = [Place("Gateway", "US", acme), Place(model.version.name, "", acme, model)]
    link = factories.make_link(cast, mvp, crm, transfers=places)
    tied_initiatives.term(cast, acme, forbidden=["US"])
    page = as_(cast.lead).get(at("integration-residency", mvp.ref))
    ((system, gateway, component),) = [path["transfers"] for path in page.context["paths"]]
    fixed = [words for _, words in system["fixes"]], gateway["fixes"], component["fixes"]
    of_link = (at("links/change", link.pk), "Change the link")
    assert fixed == (
        ["Change the system", "Change the link"],
        [of_link],
        [(at("deployments", mvp.ref), "Versions and scope"), of_link],
    )
    assert f'<a href="{at("links/change", link.pk)}">Change the link' in text_of(page)
    said = fixes(as_(cast.lead), mvp)
    found = {source.partition(":")[0]: said[source] for source in said if ":vendor:" in source}
    assert [words for words, _ in found["link"]] == ["Change the system", "Change the link"]
    assert ("Change the link", at("links/change", link.pk)) in found["transfer"]
    assert at("links/change", link.pk) not in text_of(
        as_(cast.chair).get(at("integration-residency", mvp.ref))
    )


def test_the_requirement_says_what_the_register_has_against_it_and_where_that_is_fixed(cast, as_, mvp):
    factories.make_link(cast, mvp, factories.make_system(cast, "CRM"))
    page = text_of(as_(cast.lead).get(at("requirement", mvp.ref, "int.identity")))
    assert "The sign-on flow to the linked systems is not documented." in page
    assert f'href="{at("initiative-act", mvp.ref, "record-sign-on")}">Record the sign-on flow' in page
    assert f'href="{at("integration-processes", mvp.ref)}#sign-on">Processes and sign-on' in page
    seat = text_of(as_(cast.seat_risk).get(at("requirement", mvp.ref, "int.identity")))
    assert "The sign-on flow to the linked systems is not documented." in seat
    assert at("initiative-act", mvp.ref, "record-sign-on") not in seat
    other = text_of(as_(cast.lead).get(at("requirement", mvp.ref, "int.residency")))
    assert "The register has findings against this requirement" not in other


def test_a_link_that_nobody_can_answer_offers_to_name_an_owner(cast, as_, mvp, share):
    link = factories.make_link(cast, mvp, share)
    there = at("link-answer", link.pk)
    assert f'href="{change(share)}?next={there}#id_owner">Name an owner' in text_of(as_(cast.lead).get(there))
    assert "Name an owner" not in text_of(as_(cast.seat_risk).get(there))
    owned = factories.make_link(cast, mvp, factories.make_system(cast, "CRM"))
    assert "Name an owner" not in text_of(as_(cast.lead).get(at("link-answer", owned.pk)))


def test_every_kind_of_finding_has_the_page_that_fixes_it():
    assert OF.keys() == finding_rules.KINDS
    assert not OF.keys() & contributed.fixes.keys()


def test_a_kind_of_finding_that_no_page_fixes_is_not_written(cast, mvp, monkeypatch):
    new = finding_rules.Wanted("int.identity", "weather:1", "It rains.")
    monkeypatch.setattr(contributed, "more_says", [lambda keys: [(mvp.pk, new)]])
    with pytest.raises(ValueError, match="No page has a fix for findings of the source 'weather:1'"):
        finding_rules.wanted([mvp.pk])
    gone = RequirementFinding(
        initiative=mvp, requirement="int.identity", source="weather:1", words="It rained."
    )
    who = WhoMay(mvp, cast.lead)
    assert Fixing.read(mvp, who, "/").of(gone) == []
